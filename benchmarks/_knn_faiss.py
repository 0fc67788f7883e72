"""Indexes in plain faiss, true neighbours and CPU time: what the methods compared have in common, none of it ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

K = 10
Search = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def load(folder: Path, name: str) -> np.ndarray:
    """Return an array of a data set."""
    found: np.ndarray = np.load(folder / f"{name}.npy")
    return found


def squared(x: np.ndarray, q: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return squared distances of queries to rows of their own, (q, k), in float64."""
    out = np.empty(rows.shape)
    for i in range(len(q)):
        out[i] = ((x[rows[i]].astype("f8") - q[i].astype("f8")) ** 2).sum(1)
    return out


def truth(x: np.ndarray, q: np.ndarray, k: int = K) -> np.ndarray:
    """Return the squared distance of each query's k-th neighbour: what is as near counts as found."""
    _, rows = faiss.knn(q, x, min(len(x), k + 10))
    return np.asarray(np.sort(squared(x, q, rows), axis=1)[:, k - 1])


def recall(x: np.ndarray, q: np.ndarray, rows: np.ndarray, kth: np.ndarray) -> np.ndarray:
    """Return recall@k of each query, ties counted."""
    near = squared(x, q, np.maximum(rows, 0)) <= kth[:, None] * (1 + 1e-9) + 1e-12
    return np.asarray(((rows >= 0) & near).sum(1) / rows.shape[1])


def cpu_seconds(search: Search, q: np.ndarray) -> tuple[float, np.ndarray]:
    """Return this thread's CPU time for a batch, and the rows found."""
    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 1
    began = time.thread_time()
    _, rows = search(q)
    return time.thread_time() - began, rows


class Plain:
    """Indexes over `x` made with faiss alone; lists and graphs are made once and shared.

    A choice is a dict: `key` (faiss's factory string) with either `set` (for `ParameterSpace`) or the parameters
    `nprobe`, `ef`, `efc`, `kf`.
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x, self.d = x, x.shape[1]
        self.flat = faiss.IndexFlatL2(self.d)
        self.flat.add(x)
        self._made: dict[Any, Any] = {}

    def base(self, key: str, efc: int = 40) -> Any:
        """Return the index of a factory string without refinement."""
        family, _, codec = key.partition(",")
        if key == "Flat":
            return self.flat
        name = (key, efc)
        if name not in self._made:
            if family.startswith("IVF") and family[3:].isdigit():
                index = faiss.index_factory(self.d, key)
                index.quantizer.add(self._centroids(int(family[3:])))
            elif family.startswith("HNSW") and codec not in ("", "Flat"):
                index = self._regraphed(family, codec, efc)
                self._made[name] = index
                return index
            else:
                index = faiss.index_factory(self.d, key)
                if family.startswith("HNSW"):
                    index.hnsw.efConstruction = efc
            index.train(self.x)
            index.add(self.x)
            self._made[name] = index
        return self._made[name]

    def forget(self) -> None:
        """Give up the memory of all but the lists' centroids."""
        self._made = {k: v for k, v in self._made.items() if k[0] == "centroids"}

    def _centroids(self, lists: int) -> np.ndarray:
        name = ("centroids", lists)
        if name not in self._made:
            means = faiss.Kmeans(self.d, lists, niter=10, max_points_per_centroid=128, seed=1)
            means.train(self.x)
            self._made[name] = means.centroids
        found: np.ndarray = self._made[name]
        return found

    def _regraphed(self, family: str, codec: str, efc: int) -> Any:
        """One graph serves every storage."""
        graph = self.base(f"{family},Flat", efc)
        kind = {"SQ8": faiss.ScalarQuantizer.QT_8bit, "SQfp16": faiss.ScalarQuantizer.QT_fp16}[codec]
        storage = faiss.IndexScalarQuantizer(self.d, kind)
        storage.train(self.x)
        storage.add(self.x)
        index = faiss.IndexHNSW(storage, int(family[4:]))
        index.hnsw, index.ntotal, index.is_trained = graph.hnsw, graph.ntotal, True
        index.own_fields = False
        index.referenced_objects = [storage, graph]
        return index

    def search(self, choice: dict[str, Any]) -> Search:
        """Return the search of a choice, building what it needs."""
        key = str(choice["key"])
        if "set" in choice:
            name = ("whole", key)
            if name not in self._made:
                index = faiss.index_factory(self.d, key)
                index.train(self.x)
                index.add(self.x)
                self._made[name] = index
            whole, space = self._made[name], faiss.ParameterSpace()

            def with_set(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                space.set_index_parameters(whole, str(choice["set"]))
                found: tuple[np.ndarray, np.ndarray] = whole.search(q, K)
                return found

            return with_set
        refined = key.endswith(",RFlat")
        index = self.base(key.removesuffix(",RFlat"), int(choice.get("efc", 40)))
        inner = None
        if "nprobe" in choice:
            inner = faiss.SearchParametersIVF(nprobe=choice["nprobe"])
        if "ef" in choice:
            inner = faiss.SearchParametersHNSW(efSearch=choice["ef"])
        params = inner
        if refined:
            index = faiss.IndexRefine(index, self.flat)
            params = faiss.IndexRefineSearchParameters(k_factor=choice["kf"], base_index_params=inner)
        held = (index, params, inner)

        def with_params(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found: tuple[np.ndarray, np.ndarray] = held[0].search(q, K, params=held[1])
            return found

        return with_params


def said(choice: dict[str, Any]) -> str:
    """Return a choice in a line."""
    words = [str(choice["key"]), *([str(choice["set"])] if "set" in choice else [])]
    return ", ".join([*words, *(f"{k}={v}" for k, v in choice.items() if k not in ("key", "set"))])
