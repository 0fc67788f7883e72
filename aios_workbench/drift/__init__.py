"""Drift: how one data set differs from another, as a report, a gate in a workflow, or a monitor over time."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.drift.models import Rules as Rules

#: Public name -> module; each is imported when it is first used.
_HOMES = {
    "Rules": "models",
}

__all__ = [
    "Rules",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
