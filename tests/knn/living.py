"""Indexes for tests, small and quickly made."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from aios_workbench.knn.index import Index
from aios_workbench.knn.models import Params
from aios_workbench.knn.vectors import Vectors, open_vectors

IVF = Params(family="ivf", codec="flat", nlist=32, nprobe=8)
FAMILIES = {
    "flat": Params(family="flat"),
    "sq8": Params(family="flat", codec="sq8"),
    "ivf": IVF,
    "ivf-sq8": Params(family="ivf", codec="sq8", nlist=32, nprobe=8),
    "ivf-pq": Params(family="ivf", codec="pq8x4fs", nlist=32, nprobe=8, refine=8),
    "opq": Params(family="ivf", codec="pq8x4fs", opq=True, nlist=32, nprobe=8, refine=8),
    "pq": Params(family="pq", codec="pq8x4fs", refine=16),
    "hnsw": Params(family="hnsw", graph_degree=16, ef_construction=60, ef_search=48),
    "hnsw-sq8": Params(family="hnsw", codec="sq8", graph_degree=16, ef_construction=60, ef_search=48),
    "nsg": Params(family="nsg", graph_degree=24, ef_search=48),
    "rabitq": Params(family="rabitq", codec="rabitq", refine=16),
    "binary": Params(family="binary", codec="bits", refine=32),
}


def clustered(n: int, d: int = 16, seed: int = 0, clusters: int = 20) -> np.ndarray:
    """Vectors in clusters, as embeddings are."""
    r = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((clusters, d))
    return (2 * centres[r.integers(0, clusters, n)] + r.standard_normal((n, d))).astype("f4")


#: What is made in it goes when Python ends.
_HOME = tempfile.TemporaryDirectory(prefix="aios-knn-tests-", ignore_cleanup_errors=True)


def vectors_of(x: np.ndarray, **more: Any) -> Vectors:
    return open_vectors(x, folder=tempfile.mkdtemp(dir=_HOME.name), **more)


def index_of(x: np.ndarray, params: Params = IVF, *, k: int = 10, recall: float = 0.95, **more: Any) -> Index:
    return Index.build(vectors_of(x, **more), params, k=k, recall=recall, threads=1)


def recall(index: Index, queries: np.ndarray, k: int = 10, where: str | None = None) -> float:
    """Mean recall against the index's own exact search, by distance."""
    found = index.search(queries, k, where).distances
    truth = index.exact(queries, k, where).distances
    worst = np.nanmax(truth, axis=1, keepdims=True)
    return float(((found <= worst + 1e-6).sum(1) / (~np.isnan(truth)).sum(1).clip(min=1)).mean())
