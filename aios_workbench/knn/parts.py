"""Pieces of indexes over one data set, each made once and shared: lists, codebooks, rotations, graphs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ParameterError
from aios_workbench.knn.kmeans import F32, Nested, finest, sample
from aios_workbench.knn.models import Params

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TRAIN = 8192  # a 4-bit codebook has 16 words a part: more vectors do not change it
_CHUNK_BYTES = 32 << 20
_GRAPH_KNN = 64
_EXACT_GRAPH = 20_000
#: Vectors added to a graph at once; a power of two.
GRAPH_CHUNK = 4096


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """Run faiss on `count` threads inside: its setting belongs to the calling thread, so it is set each time."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class Parts:
    """What indexes over `x` are put together from.

    Parameters
    ----------
    x
        (n, inner) float32, squared L2.
    seed
        Of every random choice.
    threads
        For training, assignment and adding.
    check
        Called between pieces of work; may raise to stop.
    """

    def __init__(
        self, x: F32, *, seed: int = 0, threads: int = 1, check: Callable[[], None] | None = None
    ) -> None:
        self.x, self.seed, self.threads = x, seed, threads
        self.n, self.inner = x.shape
        self.check = check or (lambda: None)
        self.lists = Nested(x, seed=seed, threads=threads, check=check)
        self._flat: Any = None
        self._rotation: Any = None
        self._codebooks: dict[tuple[str, bool], Any] = {}
        self._flat_codes: dict[tuple[str, bool], Any] = {}
        self._graphs: dict[tuple[int, int], Any] = {}
        self.graph_seconds: dict[tuple[int, int], float] = {}

    # -------------------------------------------------------------- pieces

    def training(self, at_least: int) -> F32:
        """Vectors to train on; repeated when there are fewer than an encoder insists on."""
        points = sample(self.x, _TRAIN, self.seed)
        times = -(-at_least // len(points))
        return np.tile(points, (times, 1)) if times > 1 else points

    def flat(self) -> Any:
        """The exact index, also what refinement reads."""
        if self._flat is None:
            import faiss

            self._flat = faiss.IndexFlatL2(self.inner)
            self.fill(self._flat)
        return self._flat

    def rotation(self) -> Any:
        """An OPQ rotation."""
        if self._rotation is None:
            import faiss

            m = next(m for m in (self.inner // 2, self.inner // 4, self.inner) if m and self.inner % m == 0)
            opq = faiss.OPQMatrix(self.inner, m)
            opq.niter, opq.niter_pq, opq.niter_pq_0 = 8, 4, 10
            quantizer = faiss.ProductQuantizer(self.inner, m, 4)
            _plain_training(quantizer.cp, self.seed)
            opq.pq = quantizer
            opq.train(self.training(max(256, self.inner)))  # fewer than d crash it
            self._rotation = opq
        return self._rotation

    def flat_codes(self, codec: str, *, opq: bool = False) -> Any:
        """All vectors encoded one after the other by `codec`, scanned in full by a search."""
        import faiss

        key = (codec, opq)
        if key not in self._flat_codes:
            d = self.inner
            if codec == "rabitq":
                index = faiss.IndexRaBitQFastScan(d, faiss.METRIC_L2)
            elif codec == "bits":
                index = faiss.IndexLSH(d, d, True, True)  # noqa: FBT003 -- rotate, learn thresholds
            elif codec in {"fp16", "sq8"}:
                index = faiss.IndexScalarQuantizer(d, scalar(codec))
            else:
                index = faiss.IndexPQFastScan(d, subquantizers(codec, d), 4)
                _plain_training(index.pq.cp, self.seed)
            index.train(self._rotated(self.training(256), opq))
            self.fill(index, opq=opq)
            self._flat_codes[key] = index
        return self._flat_codes[key]

    def graph(self, degree: int, construction: int, upto: int | None = None) -> Any:
        """An HNSW graph over the first `upto` vectors; a later call with more goes on from there."""
        import faiss

        key = (degree, construction)
        index = self._graphs.get(key)
        if index is None:
            index = self._graphs[key] = faiss.IndexHNSWFlat(self.inner, degree)
            index.hnsw.efConstruction = construction
            index.hnsw.rng = faiss.RandomGenerator(self.seed + 12345)
            self.graph_seconds[key] = 0.0
        start = time.process_time()
        # about a quarter of a second; never by the clock, or the same seed would make another graph
        work = degree * construction * max(self.inner, 32) / (16 * 60 * 128)
        size = GRAPH_CHUNK >> min(4, max(0, round(math.log2(work))))
        self._add(index, self.n if upto is None else upto, size)
        self.graph_seconds[key] += time.process_time() - start
        return index

    def graph_size(self, degree: int, construction: int) -> int:
        """How many vectors a graph has so far."""
        index = self._graphs.get((degree, construction))
        return 0 if index is None else int(index.ntotal)

    def drop_graph(self, degree: int, construction: int) -> None:
        """Free a graph that lost."""
        self._graphs.pop((degree, construction), None)

    def fill(self, index: Any, *, opq: bool = False) -> None:
        """Add the vectors `index` does not have yet, in pieces between which a stop is heard."""
        self._add(index, self.n, max(256, _CHUNK_BYTES // (4 * self.inner)), opq=opq)

    def _add(self, index: Any, upto: int, size: int, *, opq: bool = False) -> None:
        while index.ntotal < upto:
            self.check()
            at = index.ntotal
            index.add(self._rotated(np.ascontiguousarray(self.x[at : min(at + size, upto)]), opq))

    def _rotated(self, x: F32, opq: bool) -> F32:
        turned: F32 = self.rotation().apply(x) if opq else x
        return turned

    # -------------------------------------------------------------- indexes

    def index(self, params: Params) -> Any:
        """A faiss index as `params` say; pieces made before are used again."""
        import faiss

        with faiss_threads(self.threads):
            makers = {"ivf": self._ivf, "hnsw": self._hnsw, "nsg": self._nsg}
            base = makers.get(params.family, self._stored)(params)
            if params.opq:
                base = _holding(faiss.IndexPreTransform(self.rotation(), base), self.rotation(), base)
                base.own_fields = False
            if not params.refine or base is self._flat:
                return base
            refined = faiss.IndexRefine(base, self.flat())
            refined.own_fields = refined.own_refine_index = False
            return _holding(refined, base, self.flat())

    def _stored(self, params: Params) -> Any:
        return self.flat() if params.codec == "flat" else self.flat_codes(params.codec, opq=params.opq)

    def _ivf(self, params: Params) -> Any:
        import faiss

        d, codec = self.inner, params.codec
        centroids = self._rotated(self.lists.centroids(params.nlist or 1), params.opq)
        of = self.lists.assigned(params.nlist or 1)
        coarse = faiss.IndexFlatL2(d)
        coarse.add(centroids)
        lists = len(centroids)
        if codec == "flat":
            index = faiss.IndexIVFFlat(coarse, d, lists, faiss.METRIC_L2)
        elif codec in {"fp16", "sq8"}:
            index = faiss.IndexIVFScalarQuantizer(coarse, d, lists, scalar(codec), faiss.METRIC_L2, True)  # noqa: FBT003
        elif codec == "rabitq":
            index = faiss.IndexIVFRaBitQ(coarse, d, lists, faiss.METRIC_L2)
        else:
            # made as a plain IVFPQ and converted below: add_core on a fast-scan IVF corrupts the heap (faiss 1.15)
            index = faiss.IndexIVFPQ(coarse, d, lists, subquantizers(codec, d), 4, faiss.METRIC_L2)
            index.by_residual = False
        index.own_fields = False
        if codec.startswith("pq"):
            index.pq = self.flat_codes(codec, opq=params.opq).pq
        elif codec != "flat":
            rows = np.sort(
                np.random.default_rng(self.seed).choice(self.n, min(self.n, 2 * _TRAIN), replace=False)
            )
            points, theirs = np.ascontiguousarray(self.x[rows]), np.ascontiguousarray(of[rows])
            index.train_encoder(len(rows), faiss.swig_ptr(points), faiss.swig_ptr(theirs))
        index.is_trained = True
        self._add_assigned(index, of, opq=params.opq)
        if codec.startswith("pq") or codec == "rabitq":
            plain = index
            convert = faiss.IndexIVFRaBitQFastScan if codec == "rabitq" else faiss.IndexIVFPQFastScan
            index = convert(plain, 32)
            index.own_fields = False
        return _holding(index, coarse)

    def _add_assigned(self, index: Any, of: NDArray[np.int64], *, opq: bool) -> None:
        import faiss

        size = max(256, _CHUNK_BYTES // (4 * self.inner))
        for at in range(0, self.n, size):
            self.check()
            block = self._rotated(np.ascontiguousarray(self.x[at : at + size]), opq)
            theirs = np.ascontiguousarray(of[at : at + size])
            index.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(theirs))

    def _hnsw(self, params: Params) -> Any:
        import faiss

        degree, construction = params.graph_degree or 16, params.ef_construction or 60
        plain = self.graph(degree, construction)
        if params.codec == "flat":
            return plain
        coded = faiss.IndexHNSWSQ(self.inner, scalar(params.codec), degree)
        storage = faiss.downcast_index(coded.storage)
        storage.train(self.training(1))
        self.fill(storage)
        coded.hnsw = plain.hnsw  # copies the links
        coded.ntotal, coded.is_trained = plain.ntotal, True
        return coded

    def _nsg(self, params: Params) -> Any:
        import faiss

        if self.n <= 2 * _GRAPH_KNN:
            raise ParameterError(
                f"an NSG graph needs more than {2 * _GRAPH_KNN} vectors, these are {self.n}: take family 'flat'"
            )
        rows, kth = self.neighbours(_GRAPH_KNN)
        if np.median(kth) <= 0:
            raise ParameterError(
                "an NSG graph needs vectors that differ; most of these have 64 copies: take family 'flat' or 'ivf'"
            )
        index = faiss.IndexNSGFlat(self.inner, params.graph_degree or 32)
        index.build(np.ascontiguousarray(self.x), rows)
        return index

    def neighbours(self, k: int) -> tuple[NDArray[np.int64], F32]:
        """Nearest `k` others of each vector, by its own lists when there are many, and the last one's distance.

        faiss would make this graph itself: by all n^2 distances, or by a descent that never ends on duplicates.
        """
        import faiss

        index = self.flat()
        if self.n > _EXACT_GRAPH:
            index = self._ivf(Params(family="ivf", codec="fp16", nlist=finest(self.n)))
            index.nprobe = 8
        faiss.cvar.distance_compute_blas_threshold = 1
        rows, kth = np.empty((self.n, k), np.int64), np.empty(self.n, np.float32)
        for at in range(0, self.n, 512):
            self.check()
            d, i = index.search(np.ascontiguousarray(self.x[at : at + 512]), k + 1)
            own = np.arange(at, at + len(i))[:, None] == i
            own[~own.any(1), -1] = True  # duplicates crowded it out: the last goes
            own &= own.cumsum(1) == 1
            rows[at : at + 512] = i[~own].reshape(len(i), k)
            kth[at : at + 512] = d[:, -1]
        return rows, kth


def scalar(codec: str) -> Any:
    """Faiss's name of a scalar quantizer."""
    import faiss

    return faiss.ScalarQuantizer.QT_fp16 if codec == "fp16" else faiss.ScalarQuantizer.QT_8bit


def subquantizers(codec: str, inner: int) -> int:
    """The m of `pq<m>x4fs`."""
    digits = codec.removeprefix("pq").removesuffix("x4fs")
    if not (codec.startswith("pq") and codec.endswith("x4fs") and digits.isdigit()):
        raise ParameterError(
            f"unknown codec {codec!r}: there are flat, fp16, sq8, rabitq, bits and pq<m>x4fs, e.g. pq32x4fs"
        )
    m = int(digits)
    if m < 1 or inner % m:
        fits = [k for k in range(1, inner + 1) if inner % k == 0]
        raise ParameterError(f"codec {codec!r} cannot split {inner} dimensions evenly: m is one of {fits}")
    return m


def _plain_training(clustering: Any, seed: int) -> None:
    clustering.niter, clustering.seed = 10, seed + 1
    clustering.min_points_per_centroid = 1  # few vectors are no news to us: faiss need not print it


def _holding(index: Any, *parts: Any) -> Any:
    """Keep Python alive to what `index` only points at."""
    index.referenced_objects = list(parts)
    return index
