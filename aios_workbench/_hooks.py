"""Where the layers above plug in. Set by `aios_workbench/__init__.py`; the analysts, who ask, know none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from aios_workbench.errors import AiosError

#: What can be written as a page: `aios_workbench/widgets/<kind>_report.py` does it.
Kind = Literal["tuning", "drift", "explain"]


class Step(Protocol):
    """What is known of the step of a workflow that runs in this thread."""

    @property
    def cancelled(self) -> bool:
        """True once nobody wants its result any more."""

    def progress(self, fraction: float, message: str | None = None) -> None:
        """Show how far it is."""

    def metric(self, name: str, value: float | str, unit: str | None = None) -> None:
        """Record a figure of the run."""

    def keep(self, value: Any) -> None:
        """Keep a value with the step, whatever becomes of it."""


def _no_step() -> Step | None:
    return None


_step: Callable[[], Step | None] = _no_step
_html: Callable[[Kind, Any], str] | None = None


def set_hooks(step: Callable[[], Step | None], html: Callable[[Kind, Any], str]) -> None:
    """Say how to find the step of this thread, and what writes a tuning or a report as a page."""
    global _step, _html
    _step, _html = step, html


def step() -> Step | None:
    """Return the step that runs in this thread, if any."""
    return _step()


def html(kind: Kind, target: Any) -> str:
    """Return a tuning or a drift report as a page.

    Raises
    ------
    AiosError
        When nothing was set that writes it.
    """
    if _html is None:
        raise AiosError(
            "no screen is set up to write a report; import aios_workbench, not its inner packages"
        )
    return _html(kind, target)
