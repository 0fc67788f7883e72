"""From parameters to a faiss index and back to answers: the one place where both are spelled out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ParameterError
from aios_workbench.knn.kmeans import F32
from aios_workbench.knn.models import Params
from aios_workbench.knn.parts import Parts, faiss_threads, subquantizers
from aios_workbench.knn.recipe import factory_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From this many queries on a matrix product is faster than one distance at a time.
_MANY = 16
_NEVER_BLAS = 128_000

_CODECS = {
    "flat": {"flat", "fp16", "sq8"},
    "ivf": {"flat", "fp16", "sq8", "rabitq"},
    "hnsw": {"flat", "fp16", "sq8"},
    "nsg": {"flat"},
    "rabitq": {"rabitq"},
    "binary": {"bits"},
    "pq": set[str](),
}


@dataclass(frozen=True)
class Built:
    """An index and what it took. `seconds` is CPU time over all threads."""

    index: Any
    params: Params
    seconds: float
    bytes_per_vector: float


def build(
    params: Params,
    x: F32,
    *,
    seed: int = 0,
    threads: int | None = None,
    report: Callable[[], None] | None = None,
    parts: Parts | None = None,
) -> Built:
    """Build the faiss index that `params` describe.

    Parameters
    ----------
    params
        Family, codec and sizes; search parameters in it do not matter here.
    x
        (n, inner) float32, compared by squared L2 (see `Space`). May be a memory map: it is read in pieces.
    seed
        The same vectors, parameters and seed give the same lists and codebooks.
    threads
        None: all there are.
    report
        Called every few tenths of a second of work where faiss lets go; what it raises ends the build.
    parts
        Pieces made before over the same vectors; `seed`, `threads` and `report` are then theirs.

    Raises
    ------
    ParameterError
        A codec the family does not have, or sizes that do not go with the vectors.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((2000, 16)).astype(np.float32)
    >>> params = Params(family="ivf", codec="sq8", nlist=16, nprobe=8)
    >>> built = build(params, x, threads=1)
    >>> search(built, params, x[:2], 1)[1].ravel().tolist()
    [0, 1]
    """
    _check(params, x)
    if parts is None:
        parts = Parts(x, seed=seed, threads=threads or os.cpu_count() or 1, check=report)
    start = time.process_time()
    index = parts.index(params)
    seconds = time.process_time() - start
    return Built(index, params, seconds, memory(params, parts.inner, rows=parts.n))


def search(
    built: Any, params: Params, queries: F32, k: int, *, selector: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The `k` nearest of each query, as `params` say how to search.

    Parameters
    ----------
    built
        A `Built` or a faiss index built from the same parameters (a loaded one too).
    params
        Its `nprobe`, `ef_search` and `refine` are used.
    queries
        (q, inner) float32, C-contiguous.
    k
        How many; rows are -1 and distances infinite where the index found fewer.
    selector
        A faiss `IDSelector`; flat fast-scan codes (families pq and rabitq) refuse it.

    Returns
    -------
    tuple
        Squared distances (q, k) as the index estimates them (exact after refinement), and row numbers (q, k).
    """
    import faiss

    index = built.index if isinstance(built, Built) else built
    # a process-wide switch of faiss; a race between threads costs speed, never a result
    wanted = 1 if len(queries) >= _MANY else _NEVER_BLAS
    if faiss.cvar.distance_compute_blas_threshold != wanted:
        faiss.cvar.distance_compute_blas_threshold = wanted
    asked = min(k, index.ntotal)
    if not asked:
        return np.full((len(queries), k), np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
    distances, rows = index.search(
        queries, asked, params=search_parameters(index, params, asked, selector=selector)
    )
    if asked < k:
        wide = ((0, 0), (0, k - asked))
        distances = np.pad(distances, wide, constant_values=np.inf)
        rows = np.pad(rows, wide, constant_values=-1)
    distances[rows < 0] = np.inf
    return distances, rows


def search_parameters(index: Any, params: Params, k: int, *, selector: Any = None) -> Any:
    """Faiss's search parameters object for `params`; None where the index takes none."""
    import faiss

    own: Any = None
    if params.family == "ivf":
        own = faiss.SearchParametersIVF(nprobe=params.nprobe or 1, sel=selector)
    elif params.family == "hnsw":
        own = faiss.SearchParametersHNSW(efSearch=params.ef_search or 16, sel=selector)
    elif params.family == "nsg":
        # faiss draws so many different vectors to start from: for more than there are it would draw for ever
        _inside(index).nsg.search_L = min(max(params.ef_search or 16, k), index.ntotal)
    if own is None and selector is not None:
        own = faiss.SearchParameters(sel=selector)
    if params.opq and own is not None:
        own = faiss.SearchParametersPreTransform(index_params=own)
    if isinstance(index, faiss.IndexRefine):
        factor = max(1.0, min(params.refine, index.ntotal / k))
        # the factory of parameters keeps no reference to the inner ones: we do
        outer = faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=own)
        outer.held = own
        return outer
    return own


def memory(params: Params, inner: int, *, rows: int | None = None) -> float:
    """Bytes per vector an index of `params` takes over `inner` dimensions.

    Codes, links and ids, and the float32 vectors refinement reads; with `rows` also each vector's share of
    centroids and codebooks.

    Examples
    --------
    >>> memory(Params(family="hnsw", graph_degree=16, codec="sq8"), 128)
    272.3
    """
    codec = params.codec
    if codec.startswith("pq"):
        total = (subquantizers(codec, inner) + 1) // 2 * 1.0
    else:
        bits = -(-inner // 8)
        total = {"flat": 4 * inner, "fp16": 2 * inner, "sq8": inner, "rabitq": bits + 8, "bits": bits}[
            codec
        ] * 1.0
    if params.family == "ivf":
        total += 8  # ids
    if params.family == "hnsw":
        degree = params.graph_degree or 16
        # links below and above, level and offset of each vector
        total += 4 * 2 * degree + round(4 * degree / (degree - 1), 1) + 12
    if params.family == "nsg":
        total += 4 * (params.graph_degree or 32)
    if params.refine and codec != "flat":
        total += 4 * inner
    if rows:
        shared = 4 * inner * min(params.nlist or 0, rows) if params.family == "ivf" else 0
        shared += 4 * 16 * inner if codec.startswith("pq") else 0
        shared += 4 * inner * inner if params.opq or codec == "bits" else 0
        total += shared / rows
    return total


def label(params: Params) -> str:
    """How people name it.

    Examples
    --------
    >>> label(Params(family="ivf", codec="pq64x4fs", nlist=2048, nprobe=24, refine=4))
    'IVF2048, PQ64x4fs, refine 4, nprobe 24'
    """
    codec = {"flat": "Flat", "rabitq": "RaBitQ", "bits": "bits"}.get(params.codec) or (
        "PQ" + params.codec.removeprefix("pq") if params.codec.startswith("pq") else params.codec.upper()
    )
    family = {
        "ivf": f"IVF{params.nlist}",
        "hnsw": f"HNSW{params.graph_degree}",
        "nsg": f"NSG{params.graph_degree}",
        "binary": "binary",
    }.get(params.family)
    words = ["OPQ"] if params.opq else []
    words += [family] if family else []
    words += [codec] if params.family not in {"nsg", "binary"} else []
    if params.ef_construction:
        words.append(f"efConstruction {params.ef_construction}")
    if params.refine:
        words.append(f"refine {params.refine:g}")
    if params.nprobe and params.family == "ivf":
        words.append(f"nprobe {params.nprobe}")
    if params.ef_search:
        words.append(
            f"efSearch {params.ef_search}" if params.family == "hnsw" else f"search_L {params.ef_search}"
        )
    return ", ".join(words)


def _check(params: Params, x: F32) -> None:
    if params.codec.startswith("pq") and params.family in {"pq", "ivf"}:
        subquantizers(params.codec, x.shape[1])
    elif params.codec not in _CODECS[params.family]:
        good = sorted(_CODECS[params.family]) + ["pq<m>x4fs"] * (params.family in {"pq", "ivf"})
        raise ParameterError(
            f"family {params.family!r} has no codec {params.codec!r}: it takes {', '.join(good)}"
        )
    if params.opq and not params.codec.startswith("pq"):
        raise ParameterError(
            f"an OPQ rotation goes with a pq codec, not with {params.codec!r}: set opq=False"
        )
    if params.family == "ivf" and not params.nlist:
        raise ParameterError("family 'ivf' needs nlist, the number of lists (4 sqrt(n) is a start)")
    if params.graph_degree is not None and params.graph_degree < 2:
        raise ParameterError(f"graph_degree {params.graph_degree} is no graph: take 16")
    if x.ndim != 2 or x.dtype != np.float32 or not len(x):
        raise ParameterError(
            f"vectors must be a non-empty (n, d) float32 array, this is {x.dtype} {x.shape}: see `knn.space`"
        )


def _inside(index: Any) -> Any:
    """The index under refinement and rotation."""
    import faiss

    while isinstance(index, faiss.IndexRefine | faiss.IndexPreTransform):
        inner = index.base_index if isinstance(index, faiss.IndexRefine) else index.index
        index = faiss.downcast_index(inner)
    return index


__all__ = [
    "Built",
    "build",
    "factory_code",
    "faiss_threads",
    "label",
    "memory",
    "search",
    "search_parameters",
]
