"""Nearest neighbours: give vectors and a target, get the best index, with the whole trade-off on screen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.knn.cache import SimilarityCache as SimilarityCache
    from aios_workbench.knn.gate import Verdict as Verdict
    from aios_workbench.knn.gate import check_recall as check_recall
    from aios_workbench.knn.hits import Hits as Hits
    from aios_workbench.knn.models import Params as Params
    from aios_workbench.knn.stores import Store as Store
    from aios_workbench.knn.stores import open_store as open_store
    from aios_workbench.knn.tuner import tune as tune
    from aios_workbench.knn.tuning import Tuning as Tuning
    from aios_workbench.knn.vectors import Vectors as Vectors
    from aios_workbench.knn.vectors import open_vectors as open_vectors

#: Public name -> module; each is imported when it is first used (faiss takes a third of a second).
_HOMES = {
    "Hits": "hits",
    "Params": "models",
    "SimilarityCache": "cache",
    "Store": "stores",
    "Tuning": "tuning",
    "Vectors": "vectors",
    "Verdict": "gate",
    "check_recall": "gate",
    "open_store": "stores",
    "open_vectors": "vectors",
    "tune": "tuner",
}

__all__ = [
    "Hits",
    "Params",
    "SimilarityCache",
    "Store",
    "Tuning",
    "Vectors",
    "Verdict",
    "check_recall",
    "open_store",
    "open_vectors",
    "tune",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
