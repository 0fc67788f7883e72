"""Exact neighbours by blocked matrix products: what every recall is measured against."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aios_workbench.knn.kmeans import F32

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

_BLOCK = 4096  # rows: with 256 queries the products take 4 MB and stay in the cache
_QUERIES = 256
_SPARE = 8  # candidates beyond k that float32 may have put in the wrong order


def exact_search(
    x: F32, queries: F32, k: int, *, threads: int = 1, check: Callable[[], None] | None = None
) -> tuple[F64, I64]:
    """The `k` nearest vectors of each query, by squared L2; of equally near ones the first rows.

    Scores are float32 matrix products of centred vectors; what comes near the k-th is computed again in float64.

    Parameters
    ----------
    x
        (n, d) float32; a memory map is read once, in blocks.
    queries
        (q, d) float32.
    k
        How many. Where there are fewer vectors, rows are -1 and distances infinite.
    threads
        Groups of queries worked on at once.
    check
        Called between blocks; may raise to stop.

    Returns
    -------
    tuple
        Squared distances (q, k), float64 and rising, and row numbers (q, k).

    Examples
    --------
    >>> x = np.array([[0.0], [3.0], [5.0]], np.float32)
    >>> distances, rows = exact_search(x, np.array([[4.5]], np.float32), 2)
    >>> distances.tolist(), rows.tolist()
    ([[0.25, 2.25]], [[2, 1]])
    """
    from threadpoolctl import threadpool_limits

    n, q = len(x), len(queries)
    distances, rows = np.full((q, k), np.inf), np.full((q, k), -1, np.int64)
    if not q or not n:
        return distances, rows
    # far from the origin |a|^2 - 2ab + |b|^2 cancels: what is near the middle keeps its digits
    middle = np.asarray(x[: min(n, 2048)], np.float64).mean(0).astype(np.float32)
    some = max(1, min(_QUERIES * 2, -(-q // threads)))

    def part(at: int) -> None:
        mine = slice(at, at + some)
        found = _nearest(x, queries[mine], min(n, k + _SPARE), middle, check or (lambda: None))
        d, i = _again(x, queries[mine], found, min(k, n))
        distances[mine, : min(k, n)], rows[mine, : min(k, n)] = d, i

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        pending = [pool.submit(part, at) for at in range(0, q, some)]
        try:
            for one in pending:
                one.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return distances, rows


def _nearest(x: F32, queries: F32, k: int, middle: F32, check: Callable[[], None]) -> I64:
    """(q, k) rows of the smallest scores, in no order."""
    q, d = queries.shape
    left = np.ones((q, d + 1), np.float32)
    left[:, :d] = -2 * (queries - middle)
    right = np.empty((_BLOCK, d + 1), np.float32)
    out = np.empty((q, _BLOCK), np.float32)
    scores, rows = np.empty((q, 0), np.float32), np.empty((q, 0), np.int64)
    bound = np.full(q, np.inf, np.float32)
    pending: list[tuple[I64, I64, F32]] = []
    waiting = 0
    for at in range(0, len(x), _BLOCK):
        check()
        size = min(_BLOCK, len(x) - at)
        block = right[:size]
        np.subtract(x[at : at + size], middle, out=block[:, :d])
        np.einsum("ij,ij->i", block[:, :d], block[:, :d], out=block[:, d])
        score = out if size == _BLOCK else np.empty((q, size), np.float32)
        np.dot(left, block.T, out=score)
        if rows.shape[1] < k:  # until there are k of each
            scores = np.concatenate([scores, score], 1)
            rows = np.concatenate([rows, np.broadcast_to(np.arange(at, at + size), (q, size))], 1)
            scores, rows = _smallest(scores, rows, k)
            bound = scores.max(1) if rows.shape[1] == k else bound
            continue
        hits = np.flatnonzero(score < bound[:, None])
        if len(hits):
            of = hits // size
            pending.append((of, hits - of * size + at, score.ravel()[hits]))
            waiting += len(hits)
        if waiting > 4 * q:
            scores, rows = _merged(scores, rows, pending, k)
            bound, pending, waiting = scores.max(1), [], 0
    if pending:
        scores, rows = _merged(scores, rows, pending, k)
    return rows


def _merged(scores: F32, rows: I64, pending: list[tuple[I64, I64, F32]], k: int) -> tuple[F32, I64]:
    """The best `k` of what was kept and of scattered candidates (query, row, score)."""
    of, row, score = (np.concatenate([p[i] for p in pending]) for i in range(3))
    order = np.argsort(of, kind="stable")
    of, row, score = of[order], row[order], score[order]
    counts = np.bincount(of, minlength=len(rows))
    place = np.arange(len(of)) - (np.cumsum(counts) - counts)[of]
    more_scores = np.full((len(rows), counts.max()), np.inf, np.float32)
    more_rows = np.zeros(more_scores.shape, np.int64)
    more_scores[of, place], more_rows[of, place] = score, row
    return _smallest(np.concatenate([scores, more_scores], 1), np.concatenate([rows, more_rows], 1), k)


def _smallest(scores: F32, rows: I64, k: int) -> tuple[F32, I64]:
    if scores.shape[1] <= k:
        return scores, rows
    best = np.argpartition(scores, k - 1, axis=1)[:, :k]
    return np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)


def _again(x: F32, queries: F32, rows: I64, k: int) -> tuple[F64, I64]:
    """Of the candidate `rows` the nearest `k`, computed in float64 and sorted."""
    distances, best = np.empty((len(rows), k)), np.empty((len(rows), k), np.int64)
    for at in range(0, len(rows), 64):
        these = np.sort(rows[at : at + 64], axis=1)
        away = np.asarray(x[these.ravel()], np.float64).reshape(*these.shape, -1)
        away -= queries[at : at + 64, None].astype(np.float64)
        squared = np.einsum("ijk,ijk->ij", away, away)
        order = np.argsort(squared, axis=1, kind="stable")[:, :k]
        distances[at : at + 64] = np.take_along_axis(squared, order, 1)
        best[at : at + 64] = np.take_along_axis(these, order, 1)
    return distances, best
