"""Nearest neighbours: give vectors and a target, get the best index, with the whole trade-off on screen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.knn.cache import SimilarityCache as SimilarityCache
    from aios_workbench.knn.hits import Hits as Hits
    from aios_workbench.knn.models import Params as Params
    from aios_workbench.knn.vectors import Vectors as Vectors
    from aios_workbench.knn.vectors import open_vectors as open_vectors

#: Public name -> module; each is imported when it is first used (faiss takes a third of a second).
_HOMES = {
    "Hits": "hits",
    "Params": "models",
    "SimilarityCache": "cache",
    "Vectors": "vectors",
    "open_vectors": "vectors",
}

__all__ = [
    "Hits",
    "Params",
    "SimilarityCache",
    "Vectors",
    "open_vectors",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
