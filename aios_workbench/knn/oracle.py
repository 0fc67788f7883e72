"""What every nprobe of an inverted-list index would find and scan, with no index and no search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aios_workbench.knn.kmeans import F32, I64


@dataclass(frozen=True)
class Curve:
    """Per nprobe (index 0 is one list): recall of an index with exact codes, its error, and codes scanned a query."""

    lists: int
    recall: NDArray[np.float64]
    error: NDArray[np.float64]
    scanned: NDArray[np.float64]

    def nprobe(self, target: float, *, sure: bool = True) -> int:
        """The smallest nprobe whose recall (with `sure`: less one standard error) reaches `target`."""
        reached = self.recall - self.error * sure >= target
        return int(np.argmax(reached)) + 1 if reached.any() else self.lists


def ivf_curve(centroids: F32, of: I64, queries: F32, truth_rows: NDArray[Any], k: int) -> Curve:
    """Recall and codes scanned for every nprobe.

    A true neighbour is found from the nprobe on that is its list's rank among the lists near the query; so the
    ranks of all true neighbours are the whole curve.

    Parameters
    ----------
    centroids
        (lists, d).
    of
        (n,) list of each vector.
    queries
        (q, d).
    truth_rows
        (q, >= k) exact neighbours; -1 where there are fewer.
    k
        Neighbours that count.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [9.0]], np.float32)
    >>> curve = ivf_curve(x[[0, 2]], np.array([0, 0, 1]), x[:1], np.array([[0, 1, 2]]), 3)
    >>> curve.recall.round(2).tolist(), curve.scanned.tolist()
    ([0.67, 1.0], [2.0, 3.0])
    """
    lists, q = len(centroids), len(queries)
    half = np.einsum("ij,ij->i", centroids, centroids) / 2
    order = np.argsort(half - queries @ centroids.T, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(lists), order.shape), 1)
    truth = truth_rows[:, :k]
    there = truth >= 0
    ranks = np.take_along_axis(rank, of[np.maximum(truth, 0)], 1)
    cells = (np.arange(q)[:, None] * lists + ranks)[there]
    found = np.bincount(cells, minlength=q * lists).reshape(q, lists).cumsum(1)
    recalls = found / np.maximum(there.sum(1), 1)[:, None]
    sizes = np.bincount(of, minlength=lists)
    scanned = np.cumsum(sizes[order].mean(0))
    return Curve(lists, recalls.mean(0), recalls.std(0) / np.sqrt(q), scanned)
