"""Counts of a column: what a scan leaves of it. Additive over files, windows and workers.

A number is counted by its value while a column has few of them, else in the cells of a `Grid`. The grid is chosen once
(from the reference) and travels with the counts, so counts on one grid add up exactly. A cell keeps the count and the
sum of its numbers: from both, distances between distributions are bounded, not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.counttable import CountTable, Ints

__all__ = ["CountTable", "Floats", "Grid", "Ints", "NumberTable", "combined", "together"]

Floats = npt.NDArray[np.float64]

#: Bins on each side of the centre.
BINS = 2048
#: Parts a bin can be cut into by atoms; more than twice the atoms there can be.
PARTS = 64
#: Atoms of a grid.
MOST_ATOMS = 16
#: A z beyond is taken for this: it is in the outermost bin either way, and its sum stays finite.
FAR = 1e280
#: A column with more different numbers than this is counted in cells.
MOST_VALUES = 10_000


@dataclass(frozen=True)
class Grid:
    """Cells of the number line: bins of z/(1+|z|) with z = (x - centre) / scale, fine in the middle, open at the ends.

    An atom, a value that many rows have, is a cell of its own and cuts its bin in two.

    Examples
    --------
    >>> grid = Grid(0.0, 1.0, (0.0,))
    >>> left, right = grid.edges(grid.cells(np.array([-0.1, 0.0, 0.1])))
    >>> bool(left[1] == right[1] == 0.0)
    True
    """

    centre: float
    scale: float
    atoms: tuple[float, ...] = ()

    def cells(self, values: Floats) -> Ints:
        """Return the cell of each finite value; cells are in the order of their values."""
        z = self.z(values)
        bins = np.minimum(np.floor(BINS * (z / (1 + np.abs(z)))), BINS - 1).astype(np.int64)
        part = np.zeros(len(values), np.int64)
        for atom in self.atoms:
            part += (values >= atom).astype(np.int64) + (values > atom)
        cells: Ints = bins * PARTS + part
        return cells

    def z(self, values: Floats) -> Floats:
        """Return the values in the grid's units."""
        with np.errstate(over="ignore"):
            found: Floats = np.clip((values - self.centre) / self.scale, -FAR, FAR)
        return found

    def edges(self, cells: Ints) -> tuple[Floats, Floats]:
        """Return where each cell begins and ends; the same for an atom, infinite for the outermost."""
        bins, part = np.divmod(cells, PARTS)
        u = np.stack([bins, bins + 1]) / BINS
        with np.errstate(divide="ignore", over="ignore"):
            left, right = self.centre + self.scale * (u / (1 - np.abs(u)))
        if self.atoms:
            # part 2i: between atom i-1 and atom i; part 2i+1: atom i itself
            cuts = np.array([-np.inf, *sorted(self.atoms), np.inf])
            low, high = cuts[(part + 1) // 2], cuts[part // 2 + 1]
            left, right = np.maximum(left, low), np.minimum(right, high)
            left = np.where(part % 2 == 1, low, left)
            right = np.where(part % 2 == 1, low, right)
        return left, np.maximum(left, right)


@dataclass(frozen=True)
class NumberTable:
    """A column of numbers, counted.

    `keys` are its different values, or on a `grid` its occupied cells; ascending. `sums` are sums of z in the cells.
    `mean` and `m2` (sum of squared deviations) are of the finite values.
    """

    keys: npt.NDArray[np.generic]
    counts: Ints
    sums: Floats
    grid: Grid
    by_value: bool
    nulls: int = 0
    infinite: tuple[int, int] = (0, 0)  # below, above
    minimum: float = math.nan
    maximum: float = math.nan
    mean: float = math.nan
    m2: float = 0.0

    @cached_property
    def rows(self) -> int:
        """Rows with a finite value."""
        return int(self.counts.sum())

    @property
    def total(self) -> int:
        """All rows."""
        return self.rows + self.nulls + sum(self.infinite)

    @property
    def std(self) -> float:
        """Standard deviation of the finite values (of all, not of a sample)."""
        return math.sqrt(max(self.m2, 0.0) / self.rows) if self.rows else math.nan

    @classmethod
    def of(
        cls, values: npt.ArrayLike, grid: Grid | None = None, *, by_value: bool | None = None, nulls: int = 0
    ) -> NumberTable:
        """Count an array; NaN is null. Without `by_value`: by value while there are few different ones.

        Examples
        --------
        >>> NumberTable.of([1.0, 1.0, 2.0, np.nan]).counts.tolist()
        [2, 1]
        """
        x = np.asarray(values, np.float64).ravel()
        missing = np.isnan(x)
        below, above = int(np.isneginf(x).sum()), int(np.isposinf(x).sum())
        x = x[np.isfinite(x)]
        distinct, counts = np.unique(x, return_counts=True)
        grid = grid or Grid(*_middle(x))
        with np.errstate(over="ignore"):
            mean = float(x.mean()) if len(x) else math.nan
            m2 = float(((x - mean) ** 2).sum()) if len(x) else 0.0
        sums = counts * grid.z(distinct)
        table = cls(
            distinct, counts.astype(np.int64), sums, grid, by_value=True, nulls=nulls + int(missing.sum()),
            infinite=(below, above), minimum=float(x.min()) if len(x) else math.nan,
            maximum=float(x.max()) if len(x) else math.nan, mean=mean, m2=m2,
        )  # fmt: skip
        few = len(distinct) <= MOST_VALUES if by_value is None else by_value
        return table if few else table.on_grid()

    def on_grid(self, grid: Grid | None = None) -> NumberTable:
        """Return the same in cells. A table that is in cells already has only its own grid."""
        grid = grid or self.grid
        if not self.by_value:
            if grid != self.grid:
                raise ValueError("counts in cells cannot be moved to another grid")
            return self
        values = self.keys.astype(np.float64)
        cells, at = np.unique(grid.cells(values), return_inverse=True)
        counts = np.zeros(len(cells), np.int64)
        np.add.at(counts, at, self.counts)
        sums = np.zeros(len(cells))
        np.add.at(sums, at, self.counts * grid.z(values))
        return replace(self, keys=cells, counts=counts, sums=sums, grid=grid, by_value=False)

    def edges(self) -> tuple[Floats, Floats]:
        """Return where each key begins and ends: the same where it is a single value."""
        if self.by_value:
            values = self.keys.astype(np.float64)
            return values, values
        left, right = self.grid.edges(self.keys.astype(np.int64))
        right = np.minimum(right, self.maximum)
        # a number too small beside the scale lies a rounding error outside of its cell
        return np.minimum(np.maximum(left, self.minimum), right), right

    def merged(self, other: NumberTable) -> NumberTable:
        """Return the counts of both; exactly what one scan over both would have counted.

        Raises
        ------
        ValueError
            When they are in cells of different grids.
        """
        return combined([self, other])


def together(a: NumberTable, b: NumberTable) -> tuple[NumberTable, NumberTable]:
    """Return both counted alike: by value if both are, else in the cells of one grid.

    Raises
    ------
    ValueError
        When they are in cells of different grids.
    """
    if a.by_value and b.by_value:
        if a.grid == b.grid:
            return a, b
        values = b.keys.astype(np.float64)
        return a, replace(b, grid=a.grid, sums=b.counts * a.grid.z(values))
    grid = a.grid if not a.by_value else b.grid
    return a.on_grid(grid), b.on_grid(grid)


def combined(tables: Sequence[NumberTable]) -> NumberTable:
    """Return the counts of all; exactly what one scan over everything would have counted.

    Raises
    ------
    ValueError
        When some are in cells of different grids.

    Examples
    --------
    >>> combined([NumberTable.of([1.0]), NumberTable.of([1.0, 4.0])]).mean
    2.0
    """
    first = next((t for t in tables if not t.by_value), tables[0])
    parts = [together(first, t)[1] for t in tables]
    keys, at = np.unique(np.concatenate([t.keys for t in parts]), return_inverse=True)
    counts, sums = np.zeros(len(keys), np.int64), np.zeros(len(keys))
    np.add.at(counts, at, np.concatenate([t.counts for t in parts]))
    np.add.at(sums, at, np.concatenate([t.sums for t in parts]))
    n, mean, m2 = 0, math.nan, 0.0
    for t in parts:
        if not n:
            n, mean, m2 = t.rows, t.mean, t.m2
        elif m := t.rows:  # Chan, Golub and LeVeque 1979
            with np.errstate(over="ignore", invalid="ignore"):
                delta = np.float64(t.mean) - np.float64(mean)
                mean, m2 = (
                    float(mean + delta * m / (n + m)),
                    float(m2 + t.m2 + delta * delta * n * m / (n + m)),
                )
            n += m
    made = replace(
        first, keys=keys, counts=counts, sums=sums, nulls=sum(t.nulls for t in parts), mean=mean, m2=m2,
        infinite=(sum(t.infinite[0] for t in parts), sum(t.infinite[1] for t in parts)),
        minimum=float(np.fmin.reduce([t.minimum for t in parts])),
        maximum=float(np.fmax.reduce([t.maximum for t in parts])),
    )  # fmt: skip
    return made.on_grid() if made.by_value and len(keys) > MOST_VALUES else made


def _middle(x: Floats) -> tuple[float, float]:
    """Return a centre and a scale: the median, and the spread of the middle four fifths."""
    if not len(x):
        return 0.0, 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
        low, mid, high = np.quantile(x, [0.1, 0.5, 0.9])
        scale = (high / 2.56 - low / 2.56) or float(np.std(x)) or 1.0
    scale = float(scale) if math.isfinite(scale) and scale > 0 else 1.0
    return float(mid) if math.isfinite(mid) else 0.0, scale
