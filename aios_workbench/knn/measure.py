"""Times of searches: CPU seconds of one thread, which other work on the machine does not lengthen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.knn.build import search
from aios_workbench.knn.models import Params
from aios_workbench.knn.parts import faiss_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aios_workbench.knn.kmeans import F32


@dataclass(frozen=True)
class Batch:
    """A batch search: found rows, and CPU seconds a query in each of its pieces."""

    rows: NDArray[np.int64]
    seconds: NDArray[np.float64]

    @property
    def cost(self) -> float:
        """CPU seconds a query: the median piece."""
        return typical(self.seconds)


def batch(built: Any, params: Params, queries: F32, k: int, *, pieces: int = 1) -> Batch:
    """Search all `queries` on one thread, in `pieces` whose spread is the error of the time.

    Examples
    --------
    >>> from aios_workbench.knn.build import build
    >>> x = np.arange(32, dtype=np.float32).reshape(16, 2)
    >>> params = Params(family="flat")
    >>> batch(build(params, x, threads=1), params, x, 1).rows.ravel().tolist() == list(range(16))
    True
    """
    rows, seconds = [], []
    with faiss_threads(1):
        for part in np.array_split(queries, max(1, min(pieces, len(queries)))):
            start = time.thread_time()
            rows.append(search(built, params, part, k)[1])
            seconds.append((time.thread_time() - start) / len(part))
    return Batch(np.concatenate(rows), np.array(seconds))


def singles(built: Any, params: Params, queries: F32, k: int, *, most_seconds: float) -> NDArray[np.float64]:
    """CPU milliseconds of queries asked one at a time on one thread, as many as fit into `most_seconds`."""
    taken: list[float] = []
    total = 0.0
    with faiss_threads(1):
        for i in range(3):  # the first ones fill caches
            search(built, params, queries[i % len(queries)][None], k)
        for i in range(len(queries)):
            one = np.ascontiguousarray(queries[i : i + 1])
            start = time.thread_time_ns()
            search(built, params, one, k)
            taken.append((time.thread_time_ns() - start) * 1e-6)
            total += taken[-1] * 1e-3
            if total > most_seconds and len(taken) >= 5:
                break
    return np.array(taken)


def typical(seconds: NDArray[np.float64]) -> float:
    """The median, and never 0: a thread's clock may stand still over the shortest searches.

    Examples
    --------
    >>> typical(np.array([0.0, 0.0, 2e-6]))
    1e-09
    """
    return max(float(np.median(seconds)), 1e-9)


def bounds(seconds: NDArray[np.float64]) -> tuple[float, float]:
    """Queries a second at the 95 % bounds of the mean of `seconds` a query (one piece: 10 % either way)."""
    mean = typical(seconds)
    error = float(np.std(seconds, ddof=1) / np.sqrt(len(seconds))) if len(seconds) > 1 else 0.05 * mean
    half = min(2 * error, 0.5 * mean)
    return 1 / (mean + half), 1 / (mean - half)
