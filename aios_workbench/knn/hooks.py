"""Where the layers above plug in. Set by `aios_workbench/__init__.py`; this package knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aios_workbench.errors import AiosError


class Step(Protocol):
    """What is known of the step of a workflow that runs in this thread."""

    @property
    def cancelled(self) -> bool:
        """True once nobody wants its result any more."""

    def progress(self, fraction: float, message: str | None = None) -> None:
        """Show how far it is."""


def _no_step() -> Step | None:
    return None


_step: Callable[[], Step | None] = _no_step
_html: Callable[[Any], str] | None = None


def set_hooks(step: Callable[[], Step | None], html: Callable[[Any], str]) -> None:
    """Say how to find the step of this thread, and what writes a tuning as a page."""
    global _step, _html
    _step, _html = step, html


def step() -> Step | None:
    """Return the step that runs in this thread, if any."""
    return _step()


def html(tuning: Any) -> str:
    """Return a tuning as a page.

    Raises
    ------
    AiosError
        When nothing was set that writes it.
    """
    if _html is None:
        raise AiosError(
            "no screen is set up to write a report; import aios_workbench, not its inner packages"
        )
    return _html(tuning)
