"""`aios.emit`: tell from a notebook that something happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def emit(name: str, data: Mapping[str, Any] | None = None, *, key: str | None = None) -> int:
    """Tell that something happened: every job promoted to listen for it starts, once.

    Parameters
    ----------
    name : str
        What happened, such as ``orders.ready``.
    data : mapping, optional
        JSON values about it, 64 KiB at most; a job takes parameters from them, by path.
    key : str, optional
        An event of the same name and key is told once. Give one where the cell may run again: a job that is tried
        again, a step that is retried.

    Returns
    -------
    int
        The event's number.

    Raises
    ------
    ParameterError
        When the name, the key or the data cannot be stored.

    Examples
    --------
    >>> import aios_workbench as aios
    >>> aios.emit("orders.ready", {"day": "2026-01-31"}, key="2026-01-31") > 0
    True
    """
    from aios_workbench.govern import actor
    from aios_workbench.promote import events
    from aios_workbench.workspace import workspace

    return events.emit(workspace(), name, data, actor(), key)
