"""K-means by matrix products, and coarse quantizers nested in one another.

One run at the finest number of lists, in two levels (O(n sqrt(lists)) instead of O(n lists)); every coarser number
of lists clusters the fine centroids, which is nearly free, so that their trade-offs are known from one training.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Check = Callable[[], None]

_POINTS_PER_LIST = 24  # more changes recall by less than its error; fewer leaves lists empty
_BLOCK = 4096


def sample(x: F32, count: int, seed: int) -> F32:
    """`count` rows of `x` without repetition (all, when there are no more), in their order: memory maps like that."""
    if count >= len(x):
        return np.ascontiguousarray(x, np.float32)
    rows = np.sort(np.random.default_rng(seed).choice(len(x), count, replace=False))
    return np.ascontiguousarray(x[rows], np.float32)


def assign(x: F32, centroids: F32, *, threads: int = 1, check: Check | None = None) -> I64:
    """Nearest centroid of each vector, by squared L2.

    Parameters
    ----------
    x
        (n, d) vectors.
    centroids
        (lists, d).
    threads
        Blocks worked on at once.
    check
        Called between blocks; may raise to stop.

    Examples
    --------
    >>> points = np.array([[0.0], [0.2], [5.0]], np.float32)
    >>> assign(points, np.array([[0.0], [4.0]], np.float32)).tolist()
    [0, 0, 1]
    """
    half = np.einsum("ij,ij->i", centroids, centroids) / 2
    turned = np.ascontiguousarray(centroids.T)
    out = np.empty(len(x), np.int64)

    def block(start: int) -> None:
        if check is not None:
            check()
        score = x[start : start + _BLOCK] @ turned
        score -= half
        out[start : start + _BLOCK] = score.argmax(1)

    _each(block, range(0, len(x), _BLOCK), threads)
    return out


def lloyd(
    x: F32, centroids: F32, rounds: int, *, seed: int = 0, threads: int = 1, check: Check | None = None
) -> F32:
    """`rounds` of Lloyd's iteration; an empty cluster takes half of a big one."""
    from scipy import sparse

    n, k = len(x), len(centroids)
    rng = np.random.default_rng(seed)
    ones, rows = np.ones(n, np.float32), np.arange(n)
    centroids = centroids.copy()
    for _ in range(rounds):
        of = assign(x, centroids, threads=threads, check=check)
        counts = np.bincount(of, minlength=k)
        sums = sparse.csr_matrix((ones, (of, rows)), shape=(k, n)) @ x
        filled = counts > 0
        centroids[filled] = sums[filled] / counts[filled, None]
        empty = np.flatnonzero(~filled)
        big = np.argsort(-counts, kind="stable")[: len(empty)]
        nudge = 1e-3 * np.sign(rng.standard_normal((len(empty), x.shape[1]))).astype(np.float32)
        centroids[empty] = centroids[big] * (1 + nudge)
        centroids[big] *= 1 - nudge
    return np.ascontiguousarray(centroids, np.float32)


def finest(n: int) -> int:
    """The largest number of lists worth a look for `n` vectors: a power of two near 4 sqrt(n), 40 vectors a list.

    Examples
    --------
    >>> finest(200_000), finest(1_000_000), finest(100)
    (2048, 4096, 2)
    """
    most = max(1, n // 40)
    return 1 << max(0, min(round(math.log2(4 * math.sqrt(max(n, 1)))), int(math.log2(max(most, 1)))))


def cluster(x: F32, k: int, *, seed: int = 0, threads: int = 1, check: Check | None = None) -> F32:
    """K-means of `x` into `k` centroids in two levels, on a sample of 24 vectors a centroid, then one full round."""
    points = sample(x, k * _POINTS_PER_LIST, seed)
    k = min(k, len(points))
    rng = np.random.default_rng(seed)
    if k <= 16:
        first = points[rng.choice(len(points), k, replace=False)]
        return lloyd(points, first, 8, seed=seed, threads=threads, check=check)
    upper = math.isqrt(k)
    first = points[rng.choice(len(points), upper, replace=False)]
    first = lloyd(points, first, 6, seed=seed, threads=threads, check=check)
    of = assign(points, first, threads=threads, check=check)
    shares = _shares(np.bincount(of, minlength=upper), k)
    parts: list[Any] = [None] * upper

    def split(c: int) -> None:
        if check is not None:
            check()
        own, want = points[of == c], int(shares[c])
        mine = np.random.default_rng((seed, c))
        if want == 0 or len(own) <= want:
            parts[c] = own
            return
        parts[c] = lloyd(own, own[mine.choice(len(own), want, replace=False)], 6, seed=seed)

    _each(split, range(upper), threads)
    centroids = np.concatenate(parts)
    if len(centroids) < k:  # clusters smaller than their share
        more = points[rng.choice(len(points), k - len(centroids), replace=False)]
        centroids = np.concatenate([centroids, more])
    return lloyd(points, centroids, 1, seed=seed, threads=threads, check=check)


def coarsen(centroids: F32, weights: NDArray[np.float64], k: int, *, seed: int = 0) -> F32:
    """Weighted k-means of fine centroids into `k` coarse ones."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    some = weights if np.count_nonzero(weights) >= k else weights + 1
    coarse = centroids[rng.choice(len(centroids), k, replace=False, p=some / some.sum())].copy()
    for _ in range(8):
        of = assign(centroids, coarse)
        member = sparse.csr_matrix((weights, (of, np.arange(len(centroids)))), shape=(k, len(centroids)))
        total = np.asarray(member.sum(1)).ravel()
        filled = total > 0
        coarse[filled] = (member @ centroids)[filled] / total[filled, None]
    return np.ascontiguousarray(coarse, np.float32)


class Nested:
    """Coarse quantizers of one data set, each computed once.

    The centroids for a number of lists are a function of the vectors, that number and the seed alone, so an index
    built later from its parameters has the very lists that were measured.
    """

    def __init__(self, x: F32, *, seed: int = 0, threads: int = 1, check: Check | None = None) -> None:
        self.x, self.seed, self.threads, self.check = x, seed, threads, check
        self._centroids: dict[int, F32] = {}
        self._of: dict[int, I64] = {}
        self._weights: NDArray[np.float64] | None = None

    def centroids(self, lists: int) -> F32:
        """(lists, d) centroids; fewer when there are fewer vectors."""
        lists = max(1, min(lists, len(self.x)))
        fine = finest(len(self.x))
        if lists not in self._centroids:
            if lists < fine and fine % lists == 0:
                if self._weights is None:
                    self._weights = np.bincount(self.assigned(fine), minlength=fine).astype(np.float64)
                self._centroids[lists] = coarsen(self.centroids(fine), self._weights, lists, seed=self.seed)
            else:
                self._centroids[lists] = cluster(
                    self.x, lists, seed=self.seed, threads=self.threads, check=self.check
                )
        return self._centroids[lists]

    def assigned(self, lists: int) -> I64:
        """List of each vector."""
        lists = max(1, min(lists, len(self.x)))
        if lists not in self._of:
            self._of[lists] = assign(self.x, self.centroids(lists), threads=self.threads, check=self.check)
        return self._of[lists]

    def nearly_assigned(self, lists: int) -> I64:
        """List of each vector by way of its fine list: at no cost, right for all but vectors between two lists."""
        fine = finest(len(self.x))
        if lists in self._of or lists >= fine or fine % lists:
            return self.assigned(lists)
        return assign(self.centroids(fine), self.centroids(lists))[self.assigned(fine)]


def _shares(counts: I64, k: int) -> I64:
    """`k` divided in proportion to `counts`, at least one each where there is anything (largest remainders)."""
    ideal = counts / counts.sum() * k
    shares = np.where(counts > 0, np.maximum(1, np.floor(ideal)), 0).astype(np.int64)
    while shares.sum() < k:
        shares[np.argmax(ideal - shares)] += 1
    while shares.sum() > k:
        shares[np.argmax(shares)] -= 1
    return shares


def _each(work: Callable[[int], None], items: range, threads: int) -> None:
    """Do `work` for each item, `threads` at once; BLAS itself stays on one thread, so the count is what was asked."""
    with threadpool_limits(1, user_api="blas"):
        if threads <= 1 or len(items) <= 1:
            for item in items:
                work(item)
            return
        with ThreadPoolExecutor(threads) as pool:
            pending = [pool.submit(work, item) for item in items]
            try:
                for one in pending:
                    one.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
