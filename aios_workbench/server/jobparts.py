"""What the handlers below `jobs/` share."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from aios_workbench.errors import NotFoundError


def landed(name: str) -> Any:
    """Return a module of `promote`, or None when this version has none."""
    full = f"aios_workbench.promote.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def part(name: str, what: str) -> Any:
    """Return a module of `promote`.

    Raises
    ------
    NotFoundError
        When this version has none.
    """
    found = landed(name)
    if found is None:
        raise NotFoundError(f"{what} are not available in this version")
    return found
