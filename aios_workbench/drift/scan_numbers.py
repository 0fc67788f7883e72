"""A column of numbers, counted by SQL exactly as `NumberTable.of` would: by value, or in the cells of a grid."""

# ruff: noqa: S608 - statements are put together from quoted names and numbers

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.sources import Source, number
from aios_workbench.drift.tables import BINS, FAR, MOST_VALUES, PARTS, Floats, Grid, Ints, NumberTable
from aios_workbench.drift.windows import Split
from aios_workbench.errors import DriftInputError

#: Where the variance is a smaller part of the mean square, rounding would show in it.
UNSURE = 1e-5


class Answer:
    """What SQL counted: of each column its values and where they are NULL (None: nowhere), sorted by window."""

    def __init__(self, columns: Mapping[str, tuple[Any, Any]], codes: Ints, named: Sequence[str]) -> None:
        self._columns, self.codes, self._named = columns, codes, named

    @classmethod
    def sorted(cls, columns: Mapping[str, tuple[Any, Any]], codes: Ints, named: Sequence[str]) -> Answer:
        """Build it from rows in any order."""
        order = np.argsort(codes, kind="stable")
        return cls(
            {n: (v[order], None if m is None else m[order]) for n, (v, m) in columns.items()},
            codes[order],
            named,
        )

    def parts(self) -> Iterator[tuple[str, Answer]]:
        """Give each window's name and its rows; those of windows without any are none."""
        cuts = np.searchsorted(self.codes, np.arange(len(self._named) + 1))
        for name, start, stop in zip(self._named, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            mine = slice(start, stop)
            columns = {n: (v[mine], None if m is None else m[mine]) for n, (v, m) in self._columns.items()}
            yield name, Answer(columns, self.codes[mine], self._named)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][0]

    @property
    def windows(self) -> list[str]:
        """The window of each row."""
        return [self._named[i] for i in self.codes.tolist()]

    def floats(self, name: str) -> Floats:
        """Return a column with NaN for NULL."""
        values, null = self._columns[name]
        found: Floats = values.astype(np.float64)
        if null is not None:
            found[null] = np.nan
        return found

    def nulls(self, name: str) -> npt.NDArray[np.bool_]:
        """Return where a column is NULL."""
        values, null = self._columns[name]
        found: npt.NDArray[np.bool_] = np.zeros(len(values), np.bool_) if null is None else null
        return found

    def texts(self, name: str) -> list[str | None]:
        """Return a column of texts with None for NULL."""
        return [v if isinstance(v, str) else None for v in self[name].tolist()]


class Scan:
    """A source, its windows, and how SQL is asked about both."""

    def on(self, source: Source) -> Scan:
        """Return the same asked of a twin of the source."""
        found = copy.copy(self)
        found.source = source
        return found

    def __init__(self, source: Source, of: Split | None, names: Mapping[Any, str]) -> None:
        self.source, self.of = source, of
        self.named = list(dict.fromkeys(names.values()))
        self._at = {key: self.named.index(name) for key, name in names.items()}

    def run(
        self,
        wanted: str,
        selected: str,
        *,
        inner: Sequence[str] = (),
        where: str = "",
        limit: int | None = None,
    ) -> Answer | None:
        """Return `wanted` of `selected`, grouped by window and by whatever in it is no aggregate.

        `inner` are lists of columns to be computed first, each from those before. None when there are more rows than
        `limit`.
        """
        base = self.source.relation_sql
        window = "" if self.of is None else f"{self.of.sql} as w, "
        for i, computed in enumerate(inner):
            base = f"(select {'*, ' if i else window}{computed} from {base})"
        first = "" if self.of is None else "w, "
        grouped = (
            f"select {first if inner else window}{selected} from {base}"
            f"{f' where {where}' if where else ''} group by all{'' if limit is None else f' limit {limit + 1}'}"
        )
        got = self.source.scan(f"select {first}{wanted} from ({grouped})")
        if self.of is None:
            columns = {n: _unmasked(v) for n, v in got.fetchnumpy().items()}
            size = len(next(iter(columns.values()))[0])
            if limit is not None and size > limit:
                return None
            return Answer(columns, np.zeros(size, np.int64), self.named)
        table = got.to_arrow_table()
        if limit is not None and table.num_rows > limit:
            return None
        columns = {n: _plain(table.column(n)) for n in table.column_names[1:]}
        return Answer.sorted(columns, self._codes(table.column(0)), self.named)

    def _codes(self, windows: Any) -> Ints:
        import pyarrow as pa

        coded = windows.combine_chunks()
        coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
        none = self._at.get(None, 0)
        at = np.array([self._at.get(k, none) for k in coded.dictionary.to_pylist()] + [none], np.int64)
        indices = coded.indices.fill_null(len(at) - 1)
        found: Ints = at[indices.to_numpy(zero_copy_only=False).astype(np.int64)]
        return found


def _unmasked(values: Any) -> tuple[Any, Any]:
    """Take a column of `fetchnumpy` apart; texts have None where they are NULL."""
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values), None
    null = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if not null.any():
        return data, None
    if data.dtype == object:
        data = data.copy()
        data[null] = None
    return data, null


def _plain(column: Any) -> tuple[Any, Any]:
    """Take an Arrow column apart."""
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist() or [], dtype=object), None
    if not column.null_count:
        return column.to_numpy(), None
    return column.fill_null(0).to_numpy(), column.is_null().to_numpy()


def number_tables(task: Scan, x: str, grid: Grid, *, by_value: bool) -> dict[str, NumberTable]:
    """Count SQL's number `x`, window by window; by value while it has few."""
    if by_value:
        found = task.run("x::double as x, n", f"{x} as x, count(*) as n", limit=MOST_VALUES * len(task.named))
        if found is not None:
            return {
                name: _by_value(part.floats("x"), part["n"].astype(np.int64), grid)
                for name, part in found.parts()
            }
    return _in_cells(task, x, grid)


def _by_value(values: Floats, counts: Ints, grid: Grid) -> NumberTable:
    """Build the table of one window from its values; NaN is null."""
    null = np.isnan(values)
    nulls = int(counts[null].sum())
    values, counts = values[~null], counts[~null]
    below, above = (int(counts[values == v].sum()) for v in (-math.inf, math.inf))
    finite = np.isfinite(values)
    x, at = np.unique(values[finite] + 0.0, return_inverse=True)  # + 0.0: no negative zero
    n = np.zeros(len(x), np.int64)
    np.add.at(n, at, counts[finite])
    rows = int(n.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((x * (n / rows)).sum()) if rows else math.nan
        m2 = float((n * (x - mean) ** 2).sum()) if rows else 0.0
    table = NumberTable(
        x, n, n * grid.z(x), grid, by_value=True, nulls=nulls, infinite=(below, above),
        minimum=float(x[0]) if rows else math.nan, maximum=float(x[-1]) if rows else math.nan, mean=mean, m2=m2,
    )  # fmt: skip
    return table if len(x) <= MOST_VALUES else table.on_grid()


def _cell_sql(grid: Grid) -> tuple[str, str]:
    """Return SQL of z, given x, and of the bin with its part, given both. NaN where z is not finite."""
    z = f"((x - {number(grid.centre)}) / {number(grid.scale)})"
    cell = f"floor({float(BINS)!r}::double * (z / (1 + abs(z))))"
    parts = [f"(x >= {number(a)})::integer + (x > {number(a)})::integer" for a in grid.atoms]
    return z, f"({cell} * {PARTS} + {' + '.join(parts)})" if parts else f"({cell} * {PARTS})"


def _in_cells(task: Scan, x: str, grid: Grid) -> dict[str, NumberTable]:
    z, cell = _cell_sql(grid)
    found = task.run(
        "c, n, s, q, low, high",
        f"{cell} as c, count(*) as n, sum(z) as s, sum(z * z) as q, min(x) as low, max(x) as high",
        inner=[f"{x}::double as x", f"{z} as z"],
    )
    assert found is not None
    # NaN, infinite, or so far off that z overflows; all of one kind are missing values, else look closer
    odd = np.isnan(found.floats("c")) & ~found.nulls("c")
    some = bool((odd & ~np.isnan(found.floats("low"))).any())
    strange = _strange(task, x, cell, z) if some else {}
    tables = {}
    for name, part in found.parts():
        tables[name] = cells = _Cells.of(part, grid, missing=not some)
        if name in strange:
            cells.add(*strange[name])
    spread = _spread(task, x) if any(c.unsure for c in tables.values()) else {}
    return {name: cells.table(spread.get(name)) for name, cells in tables.items()}


def _strange(task: Scan, x: str, cell: str, z: str) -> dict[str, tuple[Floats, Ints]]:
    """Return the values that have no z, with how many rows have each."""
    found = task.run(
        "x, n", "x, count(*) as n", inner=[f"{x}::double as x", f"{z} as z"],
        where=f"x is not null and isnan({cell})",
    )  # fmt: skip
    assert found is not None
    return {name: (part.floats("x"), part["n"].astype(np.int64)) for name, part in found.parts()}


def _spread(task: Scan, x: str) -> dict[str, tuple[float, float]]:
    """Return mean and population variance, computed in a way that loses nothing to a far-off centre."""
    finite = f"case when isfinite({x}::double) then {x}::double end"
    try:
        found = task.run("m, v", "avg(x) as m, var_pop(x) as v", inner=[f"{finite} as x"])
    except DriftInputError:  # too large to be squared
        return {}
    assert found is not None
    return dict(
        zip(
            found.windows,
            zip(found.floats("m").tolist(), found.floats("v").tolist(), strict=True),
            strict=True,
        )
    )


@dataclass
class _Cells:
    """The cells of one window on their way to a table."""

    keys: Ints
    counts: Ints
    sums: Floats
    squares: float
    low: float
    high: float
    grid: Grid
    nulls: int = 0
    infinite: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, found: Answer, grid: Grid, *, missing: bool) -> _Cells:
        """Read one window's answer; without `missing`, numbers that have no cell are left to `add`."""
        at, counts, null = found.floats("c"), found["n"].astype(np.int64), found.nulls("c")
        mine = ~np.isnan(at)
        keys = at[mine].astype(np.int64)
        # z/(1+|z|) is 1 for a large z: its bin would be one too many
        beyond = np.maximum(keys // PARTS - (BINS - 1), 0)
        low, high = found.floats("low")[mine], found.floats("high")[mine]
        return cls(
            keys - beyond * PARTS, counts[mine], found.floats("s")[mine], float(found.floats("q")[mine].sum()),
            float(low.min()) if len(low) else math.nan, float(high.max()) if len(high) else math.nan, grid,
            nulls=int(counts[~mine if missing else null].sum()),
        )  # fmt: skip

    def add(self, values: Floats, counts: Ints) -> None:
        """Add values that were counted one by one."""
        self.nulls += int(counts[np.isnan(values)].sum())
        self.infinite = (
            int(counts[np.isneginf(values)].sum()), int(counts[np.isposinf(values)].sum())
        )  # fmt: skip
        x, n = values[np.isfinite(values)], counts[np.isfinite(values)]
        if len(x):
            self.keys = np.concatenate([self.keys, self.grid.cells(x)])
            self.counts = np.concatenate([self.counts, n])
            self.sums = np.concatenate([self.sums, n * self.grid.z(x)])
            self.squares = math.inf
            self.low, self.high = float(np.fmin(self.low, x.min())), float(np.fmax(self.high, x.max()))

    @property
    def _mean(self) -> float:
        rows = int(self.counts.sum())
        return float((np.clip(self.sums, -FAR * self.counts, FAR * self.counts) / max(rows, 1)).sum())

    @property
    def unsure(self) -> bool:
        """True when sums of squares do not tell the spread: they overflow, or the mean is far from the centre."""
        rows = int(self.counts.sum())
        with np.errstate(over="ignore", invalid="ignore"):
            moved = rows * np.float64(self._mean) ** 2
            left = self.squares - moved
        return bool(rows) and not (np.isfinite(left) and left > UNSURE * moved)

    def table(self, spread: tuple[float, float] | None) -> NumberTable:
        """Return the table; `spread` is mean and variance where they had to be computed apart."""
        keys, at = np.unique(self.keys, return_inverse=True)
        counts, sums = np.zeros(len(keys), np.int64), np.zeros(len(keys))
        np.add.at(counts, at, self.counts)
        np.add.at(sums, at, np.clip(self.sums, -FAR * self.counts, FAR * self.counts))
        rows, grid = int(counts.sum()), self.grid
        mean, m2 = math.nan, 0.0
        if rows and spread is not None and self.unsure:
            mean, m2 = spread[0], spread[1] * rows
        elif rows:
            with np.errstate(over="ignore", invalid="ignore"):
                mean = float(grid.centre + grid.scale * np.float64(self._mean))
                m2 = float(grid.scale * (grid.scale * (self.squares - rows * np.float64(self._mean) ** 2)))
            m2 = max(m2, 0.0) if not math.isnan(m2) else math.inf
        return NumberTable(
            keys, counts, sums, grid, by_value=False, nulls=self.nulls, infinite=self.infinite,
            minimum=self.low, maximum=self.high, mean=mean, m2=m2,
        )  # fmt: skip
