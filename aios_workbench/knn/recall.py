"""Recall over ties, how sure it is, and how many queries it takes to be sure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.knn.choice import Z

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIE = 1e-6


def recall_at_k(
    rows: NDArray[Any], truth_rows: NDArray[Any], truth_squared: NDArray[Any], x: Any, queries: Any, k: int
) -> NDArray[np.float64]:
    """recall@k of each query: the share of its `k` nearest that were found.

    A row as near as the k-th true neighbour is one of them, whatever its number: duplicates and rounding decide
    nothing. No row counts twice. With fewer than `k` vectors, the share of all.

    Parameters
    ----------
    rows
        (q, >= k) found rows, -1 where nothing was found.
    truth_rows, truth_squared
        (q, >= k) exact neighbours and their squared distances, as from `exact_search`.
    x, queries
        What the rows and the answers are of.
    k
        Neighbours that count.

    Examples
    --------
    >>> x = np.array([[1.0], [-1.0], [3.0]], np.float32)
    >>> found, truth = np.array([[1, 2]]), np.array([[0, 2]])
    >>> recall_at_k(found, truth, np.array([[1.0, 9.0]]), x, np.zeros((1, 1), np.float32), 1).tolist()
    [1.0]
    """
    rows, truth_rows, truth_squared = rows[:, :k], truth_rows[:, :k], truth_squared[:, :k]
    there = (truth_rows >= 0).sum(1)
    hit = np.zeros(rows.shape, bool)
    for column in range(rows.shape[1]):
        hit[:, column] = (rows[:, column, None] == truth_rows).any(1)
    # a row found twice is one neighbour
    order = np.argsort(rows, axis=1, kind="stable")
    ranked = np.take_along_axis(rows, order, 1)
    again = np.zeros(rows.shape, bool)
    np.put_along_axis(again, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], 1)
    hit &= (rows >= 0) & ~again
    q, c = np.nonzero(~hit & (rows >= 0) & ~again)
    if len(q):
        away = np.asarray(x[rows[q, c]], np.float64) - np.asarray(queries[q], np.float64)
        squared = np.einsum("ij,ij->i", away, away)
        kth = truth_squared[q, np.maximum(there[q] - 1, 0)]
        hit[q, c] = squared <= kth + _TIE * np.abs(kth)
    counted: NDArray[np.float64] = np.minimum(hit.sum(1), there) / np.maximum(there, 1)
    return counted


def interval(recalls: NDArray[Any], *, k: int = 10) -> tuple[float, float]:
    """95 % bounds of the mean recall of all queries, from a sample of them.

    Wilson's interval with as many trials as the spread between queries is worth: one neighbour missed by each
    is less certain than all missed by a few would suggest. With no miss at all, as if a next query missed one.

    Examples
    --------
    >>> low, high = interval(np.array([1.0, 0.9, 1.0, 0.8] * 50))
    >>> round(low, 3), round(high, 3)
    (0.913, 0.936)
    """
    q = len(recalls)
    if not q:
        return 0.0, 1.0
    mean = float(np.mean(recalls))
    more = np.append(recalls, [1 - 1 / k])
    middle, spread = float(more.mean()), float(more.var())
    worth = min(max(middle * (1 - middle) / max(spread, 1e-12), 1.0), k) * q
    near = mean + Z**2 / (2 * worth)
    half = Z * math.sqrt(mean * (1 - mean) / worth + (Z / (2 * worth)) ** 2)
    scale = 1 + Z**2 / worth
    return min(max(0.0, (near - half) / scale), mean), max(min(1.0, (near + half) / scale), mean)


def queries_needed(target: float) -> int:
    """Queries for a recall near `target` to be known to a quarter of its distance from 1.

    A query's neighbours are missed together: with k = 10 the variance between queries was measured at about a
    quarter of that of single yes-or-no trials.

    Examples
    --------
    >>> queries_needed(0.95), queries_needed(0.99)
    (76, 396)
    """
    target = min(target, 0.9999)
    return math.ceil(round(4 * target / (1 - target), 6))


def enough_queries(target: float, n: int) -> bool:
    """True when `n` queries can tell a recall near `target`.

    Examples
    --------
    >>> enough_queries(0.95, 100), enough_queries(0.999, 500)
    (True, False)
    """
    return n >= queries_needed(target)
