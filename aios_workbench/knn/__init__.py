"""Nearest neighbours: give vectors and a target, get the best index, with the whole trade-off on screen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.knn.cache import SimilarityCache as SimilarityCache
    from aios_workbench.knn.explain import Explanation as Explanation
    from aios_workbench.knn.gate import Verdict as Verdict
    from aios_workbench.knn.gate import check_recall as check_recall
    from aios_workbench.knn.hits import Hits as Hits
    from aios_workbench.knn.index import Index as Index
    from aios_workbench.knn.index import load as load
    from aios_workbench.knn.models import Params as Params
    from aios_workbench.knn.stores import Store as Store
    from aios_workbench.knn.stores import open_store as open_store
    from aios_workbench.knn.tuner import tune as tune
    from aios_workbench.knn.tuning import Tuning as Tuning
    from aios_workbench.knn.vectors import Vectors as Vectors
    from aios_workbench.knn.vectors import open_vectors as open_vectors
    from aios_workbench.knn.watching import Alert as Alert
    from aios_workbench.knn.watching import Watch as Watch

#: Public name -> module; each is imported when it is first used (faiss takes a third of a second).
_HOMES = {
    "Alert": "watching",
    "Explanation": "explain",
    "Hits": "hits",
    "Index": "index",
    "Params": "models",
    "SimilarityCache": "cache",
    "Store": "stores",
    "Tuning": "tuning",
    "Vectors": "vectors",
    "Verdict": "gate",
    "Watch": "watching",
    "check_recall": "gate",
    "load": "index",
    "open_store": "stores",
    "open_vectors": "vectors",
    "tune": "tuner",
}

__all__ = [
    "Alert",
    "Explanation",
    "Hits",
    "Index",
    "Params",
    "SimilarityCache",
    "Store",
    "Tuning",
    "Vectors",
    "Verdict",
    "Watch",
    "check_recall",
    "load",
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
