"""Where the layers above plug in. Set by `aios_workbench/__init__.py`; this package knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aios_workbench.errors import AiosError


class Step(Protocol):
    """What is known of the step of a workflow that runs in this thread."""

    def metric(self, name: str, value: float | str, unit: str | None = None) -> None:
        """Record a figure of the run."""

    def keep(self, value: Any) -> None:
        """Keep a value with the step, whatever becomes of it."""


def _no_step() -> Step | None:
    return None


_html: Callable[[Any], str] | None = None
_step: Callable[[], Step | None] = _no_step


def set_hooks(html: Callable[[Any], str], step: Callable[[], Step | None] = _no_step) -> None:
    """Say what writes a report as a page, and how to find the step of this thread."""
    global _html, _step
    _html, _step = html, step


def step() -> Step | None:
    """Return the step that runs in this thread, if any."""
    return _step()


def html(report: Any) -> str:
    """Return a report as a page.

    Raises
    ------
    AiosError
        When nothing was set that writes it.
    """
    if _html is None:
        raise AiosError(
            "no screen is set up to write a report; import aios_workbench, not its inner packages"
        )
    return _html(report)
