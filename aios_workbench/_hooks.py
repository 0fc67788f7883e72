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
_picture: Callable[..., str] | None = None
_redact: Callable[[Any], Any] | None = None


def set_hooks(
    step: Callable[[], Step | None],
    html: Callable[[Kind, Any], str],
    picture: Callable[..., str] | None = None,
    redact: Callable[[Any], Any] | None = None,
) -> None:
    """Say how to find the step of this thread, what writes a page, draws an explanation, and cleans what leaves."""
    global _step, _html, _picture, _redact
    _step, _html, _picture, _redact = step, html, picture, redact


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


def picture(target: Any, what: str = "overview", **of: Any) -> str:
    """Return a picture of an explanation as SVG: `what` and `of` are those of `widgets/explain_picture.canvas`.

    Raises
    ------
    AiosError
        When nothing was set that draws it, or there is nothing to draw.
    """
    if _picture is None:
        raise AiosError("no screen is set up to draw it; import aios_workbench, not its inner packages")
    return _picture(target, what, **of)


def redact(value: Any) -> Any:
    """Return a text or a frame with personal data replaced; itself where nothing was set that does it."""
    return value if _redact is None else _redact(value)
