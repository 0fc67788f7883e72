"""Two columns of numbers in the same cells: what distances between them are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aios_workbench.drift.tables import Floats, Ints, NumberTable, together

#: A single value with this share of either side's rows stands alone among bins.
ATOM = 0.05
#: A column of at most this many different values is compared value by value (evidently's rule as well).
FEW_VALUES = 20


@dataclass(frozen=True)
class Cells:
    """Counts of two columns in the same cells, ascending; each cell from `left` to `right`, the same for a value.

    Cells do not overlap; between two of them neither side has a row. `sum_a` and `sum_b` are the sums of what each
    value lies below its cell's right end: from them the integral of F_a - F_b over the cell is exact. All lengths are
    in `unit`, counted from `origin`.
    """

    a: Ints
    b: Ints
    left: Floats
    right: Floats
    sum_a: Floats
    sum_b: Floats
    origin: float
    unit: float
    by_value: bool

    @cached_property
    def rows(self) -> tuple[int, int]:
        """Rows of both sides."""
        return int(self.a.sum()), int(self.b.sum())

    @cached_property
    def shares(self) -> tuple[Floats, Floats]:
        """Shares of each side's rows."""
        return self.a / self.rows[0], self.b / self.rows[1]

    @cached_property
    def gaps(self) -> Floats:
        """F_a - F_b before the first cell, between cells, and after the last; from whole numbers, so a tie is a tie."""
        n, m = self.rows
        at = np.cumsum(self.a) / n - np.cumsum(self.b) / m
        at[-1] = 0.0
        return np.concatenate([[0.0], at])

    @cached_property
    def points(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which cells are a single value."""
        is_point: np.ndarray[tuple[int], np.dtype[np.bool_]] = self.left == self.right
        return is_point


def cells(a: NumberTable, b: NumberTable) -> Cells:
    """Bring two tables into the same cells. Both must have rows.

    Examples
    --------
    >>> both = cells(NumberTable.of([1.0, 2.0]), NumberTable.of([2.0, 3.0]))
    >>> both.a.tolist(), both.b.tolist()
    ([1, 1, 0], [0, 1, 1])
    """
    a, b = together(a, b)
    keys, at = np.unique(np.concatenate([a.keys, b.keys]), return_inverse=True)
    at_a, at_b = at[: len(a.keys)], at[len(a.keys) :]
    count_a, count_b = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    count_a[at_a], count_b[at_b] = a.counts, b.counts
    nothing = np.zeros(len(keys))
    if a.by_value:
        values = keys.astype(np.float64)
        unit = float(max(abs(values[0]), abs(values[-1]))) or 1.0
        edges = values / unit
        return Cells(count_a, count_b, edges, edges, nothing, nothing, 0.0, unit, by_value=True)
    low, high = float(np.fmin(a.minimum, b.minimum)), float(np.fmax(a.maximum, b.maximum))
    left, right = a.grid.edges(keys.astype(np.int64))
    origin, unit = a.grid.centre, a.grid.scale
    left = (np.clip(left, low, high) - origin) / unit
    right = (np.clip(right, low, high) - origin) / unit
    sum_a, sum_b = nothing.copy(), nothing.copy()
    sum_a[at_a], sum_b[at_b] = a.sums, b.sums
    # never outside the cell, whatever rounding does to a sum
    sum_a = np.clip(count_a * right - sum_a, 0, count_a * (right - left))
    sum_b = np.clip(count_b * right - sum_b, 0, count_b * (right - left))
    return Cells(count_a, count_b, left, right, sum_a, sum_b, origin, unit, by_value=False)


def bins(both: Cells, parts: int = 10) -> Ints:
    """Return where to cut the cells into bins: at the reference's quantiles, with frequent values on their own.

    A column of few different values has a bin for each. The result are indices of cells that begin a bin, the first
    is 0: as `numpy.add.reduceat` takes them.
    """
    k = len(both.a)
    if both.by_value and k <= FEW_VALUES:
        return np.arange(k)
    share_a, share_b = both.shares
    upto = np.cumsum(both.a) / both.rows[0]
    # a quantile is the first value with at least that share of rows at or below it; it ends its bin
    cuts = np.searchsorted(upto, np.arange(1, parts) / parts - 1e-12) + 1
    alone = np.flatnonzero(both.points & (np.maximum(share_a, share_b) >= ATOM))
    cuts = np.unique(np.concatenate([[0], cuts, alone, alone + 1]))
    return cuts[cuts < k]


def binned(both: Cells, parts: int = 10) -> tuple[Ints, Ints]:
    """Return both sides' counts in `bins`."""
    at = bins(both, parts)
    return np.add.reduceat(both.a, at), np.add.reduceat(both.b, at)
