"""Drift: how one data set differs from another, as a report, a gate in a workflow, or a monitor over time."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.drift.models import Rules as Rules
    from aios_workbench.drift.sources import Source as Source
    from aios_workbench.drift.sources import open_source as open_source

#: Public name -> module; each is imported when it is first used.
_HOMES = {
    "Rules": "models",
    "Source": "sources",
    "open_source": "sources",
}

__all__ = [
    "Rules",
    "Source",
    "open_source",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
