"""How many windows a monitor keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from aios_workbench.drift.monitor_windows import windows_of
from aios_workbench.errors import DriftInputError

#: A year of days, and a month to compare its end with.
USUAL = 400


def checked_keep(keep: int | str | dt.timedelta | None) -> dict[str, float] | None:
    """Return what is kept as data: a number of windows, or seconds; None keeps all.

    Raises
    ------
    DriftInputError
        For anything else.

    Examples
    --------
    >>> checked_keep(30), checked_keep("90d")
    ({'windows': 30}, {'seconds': 7776000.0})
    """
    if keep is None:
        return None
    if isinstance(keep, int) and not isinstance(keep, bool):
        if keep < 1:
            raise DriftInputError(f"keep is {keep}; keep 1 window or more, or None for all")
        return {"windows": keep}
    try:
        seconds = windows_of(keep, None).seconds
    except DriftInputError as e:
        raise DriftInputError(
            f"keep is {keep!r}; give a number of windows, or a length such as '365d'"
        ) from e
    assert seconds is not None
    return {"seconds": seconds}


def dropped(windows: Sequence[dict[str, Any]], keep: dict[str, float] | None) -> list[str]:
    """Return the windows that are kept no more; never an open one, and never the newest."""
    if keep is None or not windows:
        return []
    if "windows" in keep:
        old = windows[: -int(keep["windows"])]
    else:
        before = max(w["starts_at"] for w in windows) - keep["seconds"]
        old = [w for w in windows[:-1] if w["starts_at"] < before]
    return [w["window_id"] for w in old if w["status"] == "closed"]
