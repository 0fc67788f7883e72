"""SQL counts exactly as the tables do, whatever the numbers, types and windows."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aios_workbench.drift import scan as scanning
from aios_workbench.drift.columntables import EmbeddingTable, TextTable, TimeTable
from aios_workbench.drift.counttable import BUCKETS, CountTable, bucket
from aios_workbench.drift.plan import ColumnPlan, Plan, plan
from aios_workbench.drift.scan import scan
from aios_workbench.drift.sources import Source, open_source
from aios_workbench.drift.tables import Grid, NumberTable
from aios_workbench.drift.windows import split
from aios_workbench.errors import DriftInputError

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(-10, 10), st.integers(-5, 5).map(float),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, 1e154, -1e200, math.inf, -math.inf, math.nan]),
)  # fmt: skip
GRIDS = st.builds(
    Grid,
    st.one_of(st.just(0.0), st.floats(-1e6, 1e6)),
    st.one_of(st.just(1.0), st.floats(1e-6, 1e6)),
    st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e3, 1e3)), max_size=4, unique=True).map(
        lambda a: tuple(sorted(v + 0.0 for v in a))
    ),
)


def counted(values: object, grid: Grid, *, by_value: bool, type_: object = None) -> NumberTable:
    source = open_source(pa.table({"x": pa.array(values, type_)}))  # type: ignore[arg-type]
    how = Plan(columns={"x": ColumnPlan(kind="numeric", type="DOUBLE", grid=grid, by_value=by_value)})
    table = scan(source, how)[1][""]["x"]
    assert isinstance(table, NumberTable)
    return table


def same(found: NumberTable, wanted: NumberTable) -> None:
    assert found.by_value == wanted.by_value
    assert found.keys.tolist() == wanted.keys.tolist()
    assert found.counts.tolist() == wanted.counts.tolist()
    assert (found.nulls, found.infinite, found.total) == (wanted.nulls, wanted.infinite, wanted.total)
    near = np.abs(wanted.sums) < 1e270  # beyond, z is cut off, sooner or later
    np.testing.assert_allclose(found.sums[near], wanted.sums[near], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal([found.minimum, found.maximum], [wanted.minimum, wanted.maximum])


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.one_of(st.none(), NUMBERS), max_size=40), grid=GRIDS, by_value=st.booleans())
@example(values=[1.7e308, -1.7e308, math.nan, None], grid=Grid(0.0, 1e-6), by_value=False)
@example(values=[0.0, -0.0, 1.0], grid=Grid(0.0, 1.0, (0.0,)), by_value=False)
def test_numbers_are_in_the_cells_that_the_grid_says(
    values: list[float | None], grid: Grid, by_value: bool
) -> None:
    x = np.array([math.nan if v is None else v for v in values], np.float64)
    found = counted(values, grid, by_value=by_value, type_=pa.float64())
    same(found, NumberTable.of(x, grid, by_value=by_value))


@pytest.mark.parametrize("by_value", [True, False])
@pytest.mark.parametrize("shape", ["normal", "zeros", "skewed", "far", "constant", "ties", "wide"])
def test_many_numbers(shape: str, by_value: bool) -> None:
    r = np.random.default_rng(0)
    x = {
        "normal": r.normal(3, 2, 5_000),
        "zeros": np.where(r.random(5_000) < 0.6, 0.0, r.gamma(2, 2, 5_000)),
        "skewed": r.lognormal(0, 3, 5_000),
        "far": r.normal(1e9, 1e-3, 5_000),
        "constant": np.full(5_000, 1e9),
        "ties": np.round(r.normal(0, 10, 5_000)),
        "wide": r.standard_cauchy(5_000) ** 3,
    }[shape]
    grid = Grid(0.0, 1.0, (0.0,))
    found = counted(x, grid, by_value=by_value)
    wanted = NumberTable.of(x, grid, by_value=by_value)
    same(found, wanted)
    assert found.mean == pytest.approx(x.mean(), rel=1e-9)
    assert found.std == pytest.approx(x.std(), rel=1e-9, abs=1e-12 * abs(x.mean()))


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2, None, -3], pa.int8()),
        ([2**62, -(2**62), 7], pa.int64()),
        ([2**64 - 1, 0, 1], pa.uint64()),
        ([1.1, None, -2.5], pa.float32()),
        ([Decimal("1.10"), Decimal("-99999.99"), None], pa.decimal128(18, 2)),
        ([True, False, None], pa.bool_()),
        ([dt.time(1, 2, 3), None, dt.time(23)], pa.time64("us")),
        ([dt.timedelta(seconds=5), None, dt.timedelta(days=2)], pa.duration("us")),
    ],
    ids=str,
)
@pytest.mark.parametrize("by_value", [True, False])
def test_every_type_of_number(values: list[object], type_: pa.DataType, by_value: bool) -> None:
    def number(v: object) -> float:
        if isinstance(v, dt.time):
            return v.hour * 3600 + v.minute * 60 + v.second
        return v.total_seconds() if isinstance(v, dt.timedelta) else float(np.float64(v))  # type: ignore[arg-type]

    grid = Grid(0.5, 2.0, (1.0,))
    x = [
        math.nan if v is None else float(np.float32(v)) if type_ == pa.float32() else number(v)
        for v in values
    ]
    same(counted(values, grid, by_value=by_value, type_=type_), NumberTable.of(x, grid, by_value=by_value))


def test_hugeint_and_numbers_in_texts() -> None:
    con = duckdb.connect()
    huge = open_source("select * from (values (170141183460469231731687303715884105727::hugeint), (1), (null)) t(x)",
                       con=con)  # fmt: skip
    how = Plan(columns={"x": ColumnPlan(kind="numeric", type="HUGEINT", grid=Grid(0.0, 1.0))})
    table = scan(huge, how)[1][""]["x"]
    assert isinstance(table, NumberTable)
    same(table, NumberTable.of([float(2**127 - 1), 1.0, math.nan], Grid(0.0, 1.0), by_value=False))
    texts = open_source(pd.DataFrame({"x": ["1.5", "no number", None]}))
    table = scan(texts, how)[1][""]["x"]
    assert (table.rows, table.nulls) == (1, 2)


def test_too_many_values_are_counted_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.drift import scan_numbers

    monkeypatch.setattr(scan_numbers, "MOST_VALUES", 100)
    assert counted(np.arange(100.0), Grid(0.0, 1.0), by_value=True).by_value
    assert not counted(np.arange(101.0), Grid(0.0, 1.0), by_value=True).by_value


TEXTS = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["'", '"', "🦆", "a\0b", "", " ", "null", "x" * 300])
)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(TEXTS, max_size=30), window=st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_texts_are_counted_by_window(values: list[str | None], window: list[int]) -> None:
    values = [None if v is None or any(0xD800 <= ord(c) < 0xE000 for c in v) else v for v in values]
    by = window[: len(values)]
    table = pa.table({"v": pa.array(values, pa.string()), "w": pa.array(by, pa.int64())})
    source = open_source(table)
    how = Plan(columns={"v": ColumnPlan(kind="categorical", type="VARCHAR")})
    rows, tables = scan(source, how, split(source, how, "w"))
    assert rows == {str(k): n for k, n in sorted(Counter(by).items())}
    for w in rows:
        mine = [v for v, b in zip(values, by, strict=True) if str(b) == w]
        found, wanted = tables[w]["v"], CountTable.of(mine)
        assert isinstance(found, CountTable)
        assert (found.values, found.counts.tolist(), found.nulls, found.distinct) == (
            wanted.values, wanted.counts.tolist(), wanted.nulls, wanted.distinct,
        )  # fmt: skip


def test_texts_that_explode_share_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST_TEXTS", 50)
    values = [f"v{i}" for i in range(500)] + ["often"] * 300 + ["it's"] * 20 + [None] * 3
    source = open_source(pd.DataFrame({"v": values}))
    table = scan(source, Plan(columns={"v": ColumnPlan(kind="categorical", type="VARCHAR")}))[1][""]["v"]
    assert isinstance(table, CountTable)
    assert dict(zip(table.values, table.counts.tolist(), strict=True)) == {"often": 300, "it's": 20}
    wanted = np.zeros(BUCKETS, np.int64)
    for i in range(500):
        wanted[bucket(f"v{i}")] += 1
    assert table.buckets.tolist() == wanted.tolist()
    assert (table.nulls, table.rows) == (3, 820)
    assert abs(table.distinct - 502) < 60


def window_parts(source: Source, how: Plan, by: str) -> None:
    """Windows add up to the whole, whatever the column."""
    whole = scan(source, how)[1][""]
    rows, parts = scan(source, how, split(source, how, by))
    assert sum(rows.values()) == source.rows
    for column, table in whole.items():
        together = None
        for tables in parts.values():
            part = tables[column]
            together = part if together is None else together.merged(part)  # type: ignore[arg-type]
        assert together is not None
        assert (together.total, together.nulls) == (table.total, table.nulls)
        if isinstance(table, NumberTable):
            assert isinstance(together, NumberTable)
            same(together, table)
            assert together.std == pytest.approx(table.std)
        elif isinstance(table, CountTable) and table.exact:
            assert together.values == table.values  # type: ignore[union-attr]


@pytest.mark.parametrize("by", ["city", "member", "day", "week", "month", "quarter", "year"])
def test_windows_add_up(by: str, frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    source = open_source(frames[0])
    window_parts(source, plan(source), by)


def test_windows_are_named_in_order(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame = frames[0].assign(when=frames[0]["when"].where(frames[0]["id"] > 5))
    source = open_source(frame)
    rows, _ = scan(source, plan(source), split(source, plan(source), "month"))
    assert list(rows) == ["2026-01", "2026-02", "2026-03", "(none)"]
    assert rows["(none)"] == 6
    quarters = scan(source, plan(source), split(source, plan(source), "quarter"))[0]
    assert list(quarters) == ["2026-Q1", "(none)"]


def test_wrong_windows_are_told(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    source = open_source(frames[0])
    how = plan(source)
    with pytest.raises(DriftInputError, match="did you mean 'month'"):
        split(source, how, "mont")
    with pytest.raises(DriftInputError, match="more than 1,000 windows"):
        scan(source, how, split(source, how, "id"))
    with pytest.raises(DriftInputError, match=r"'city' of .* is VARCHAR"):
        split(source, how, "day", "city")
    plain = open_source(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(DriftInputError, match="no column of times; name the one"):
        split(plain, plan(plain), "day")


def test_times_texts_and_vectors() -> None:
    late = dt.datetime(2026, 1, 11, 23, 59, tzinfo=dt.UTC)
    frame = pa.table({
        "at": pa.array([dt.datetime(2026, 1, 5, 7, tzinfo=dt.UTC), late, None], pa.timestamp("us", "UTC")),
        "day": pa.array([dt.date(2026, 1, 5), None, dt.date(1969, 12, 31)]),
        "words": ["one two", "", None],
        "vector": pa.array([[3.0, 4.0], None, [1.0]], pa.list_(pa.float32())),
    })  # fmt: skip
    source = open_source(frame)
    kinds = {"at": "datetime", "day": "datetime", "words": "text", "vector": "embedding"}
    tables = scan(source, plan(source, kinds=kinds))[1][""]
    at, day, words, vector = (tables[c] for c in kinds)
    assert isinstance(at, TimeTable)
    assert np.argwhere(at.cells).tolist() == [[0, 7], [6, 23]]
    assert (at.minimum, at.nulls) == (dt.datetime(2026, 1, 5, 7, tzinfo=dt.UTC).timestamp(), 1)
    assert isinstance(day, TimeTable)
    assert (day.rows, day.nulls, day.minimum) == (2, 1, -86_400.0)
    assert isinstance(words, TextTable)
    assert (words.lengths.keys.tolist(), words.words.keys.tolist(), words.nulls) == (
        [0.0, 7.0],
        [0.0, 2.0],
        1,
    )
    assert isinstance(vector, EmbeddingTable)
    assert (vector.norms.minimum, vector.norms.maximum, vector.dimensions.values) == (1.0, 5.0, ("1", "2"))


def test_a_column_that_is_gone_or_of_another_type_is_left_out() -> None:
    reference = open_source(
        pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2], "c": pd.to_datetime(["2026", "2027"])})
    )
    how = plan(reference)
    current = open_source(pd.DataFrame({"b": [[1], [2]], "c": ["x", "y"]}))
    assert scan(current, how)[1][""] == {}


def test_progress_is_told_to_the_end(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    said: list[tuple[float, str]] = []
    source = open_source(frames[0], name="claims")
    scan(source, plan(source), progress=lambda f, t: said.append((f, t)))
    assert [f for f, _ in said] == sorted(f for f, _ in said)
    assert said[-1] == (1.0, "claims")
    assert any("income" in t for _, t in said)


def test_no_rows() -> None:
    source = open_source(pd.DataFrame({"x": pd.Series([], dtype=float), "s": pd.Series([], dtype=str)}))
    how = plan(source)
    tables = scan(source, how)[1][""]
    assert tables["x"].total == tables["s"].total == 0
    assert isinstance(tables["x"], NumberTable)
    assert math.isnan(tables["x"].mean)
