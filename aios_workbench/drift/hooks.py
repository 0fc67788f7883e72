"""Where the layers above plug in. Set by `aios_workbench/__init__.py`; this package knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aios_workbench.errors import AiosError

_html: Callable[[Any], str] | None = None


def set_hooks(html: Callable[[Any], str]) -> None:
    """Say what writes a report as a page."""
    global _html  # noqa: PLW0603 - set once, by the package itself
    _html = html


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
