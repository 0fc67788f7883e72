"""Where vectors live with their ids and metadata: one protocol of five methods, eight systems behind it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.knn.stores.base import Store as Store
    from aios_workbench.knn.stores.opening import open_store as open_store

#: Public name -> module; each is imported when it is first used.
_HOMES = {"Store": "base", "open_store": "opening"}

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
