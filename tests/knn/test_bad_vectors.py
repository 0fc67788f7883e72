"""Every bad input the issue names, in every container: a clear error, or a repair that is said."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aios_workbench.errors import KnnInputError, ParameterError, WorkspaceError
from aios_workbench.knn import notices
from aios_workbench.knn.vectors import Vectors

Open = Callable[..., Vectors]
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
ROWS = [list(map(float, row)) for row in X]
NAN = float("nan")


def spoilt(value: float, *rows: int) -> np.ndarray:
    x = X.copy()
    x[list(rows)] = value
    return x


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nan in an array": (spoilt(NAN, 3, 5), {}, r"vectors: rows 3, 5 \(counted from 0\) are NaN"),
    "nan in a series": (pd.Series([ROWS[0], [NAN] * 4]), {}, "row 1 .* missing or NaN"),
    "infinite": (spoilt(np.inf, 29), {}, "row 29 .* NaN or infinite"),
    "zero under cosine": (spoilt(0, 8), {"metric": "cosine"}, "row 8 .* zero under cosine"),
    "ragged series": (pd.Series([*ROWS, [1.0]]), {}, "row 30 .* not of 4 numbers"),
    "ragged Arrow": (pa.array([*ROWS, [1.0]]), {}, "'vector': row 30 .* not of 4 numbers"),
    "missing in Arrow": (pa.array([ROWS[0], None]), {}, "'vector': row 1 .* missing; leave such rows out"),
    "hole in a list": (pa.array([ROWS[0], [1.0, None, 2.0, 3.0]]), {}, "row 1 .* a number of the list is missing"),
    "None in a series": (pd.Series([ROWS[0], None]), {}, "row 1 .* missing"),
    "texts without embed": (["a", "b"], {}, "embed="),
    "series of texts": (pd.Series(["a", "b"], name="t"), {}, "'t' is .*string.*embed="),
    "empty array": (X[:0], {}, "no vectors: the source has no rows"),
    "empty list": ([], {}, "no vectors: the source"),
    "empty table": (pa.table({"e": pa.array([], pa.list_(pa.float32()))}), {}, "no vectors"),
    "nothing": (None, {}, "cannot be read from NoneType"),
    "a dict": ({"a": 1}, {}, "cannot be read from dict"),
    "a function": (len, {}, "cannot be read from"),
    "three axes": (np.ones((2, 2, 2)), {}, "shape"),
    "two columns": (pd.DataFrame({"a": ROWS, "b": ROWS}), {}, "2 columns of vectors, 'a', 'b'; choose one"),
    "no such column": (pd.DataFrame({"image": ROWS}), {"column": "imagf"}, "no column 'imagf'; did you mean 'image'"),
    "no vectors in a table": (pd.DataFrame({"a": ["x"], "b": [1]}), {}, r"no column holds vectors: a .*, b \(int64\)"),
    "no file": ("nowhere.parquet", {}, "no file 'nowhere.parquet'"),
    "bad SQL": ("select nothing from nowhere", {}, "SQL that should give vectors does not run: .*nowhere"),
    "SQL that fails late": (
        "select case when i = 20000 then error('spilt') else [1.0, i] end as e from range(30000) t(i)", {}, "spilt",
    ),
    "one dimension under cosine": (X[:, :1], {"metric": "cosine"}, "by their sign alone"),
    "tiny": (X * np.float32(1e-30), {}, "squares of such numbers vanish"),
    "queries of another size": (X, {"queries": np.ones((2, 3))}, "queries have 3 dimensions, but this space has 4"),
    "nan in queries": (X, {"queries": spoilt(NAN, 2)}, "queries: row 2 .* NaN"),
    "no queries": (X, {"queries": X[:0]}, "queries: there are none"),
    "queries that are no file": (X, {"queries": "nowhere.npy"}, "queries: there is no file"),
    "embed that is none": (["a"], {"embed": "model"}, "embed is str; give a function"),
    "numbers with embed": ([1, 2], {"embed": len}, "row 0 is int, not a text"),
    "limit of a stream": (pa.table({"e": ROWS}).to_reader(), {"limit": 5}, "a stream .* does not tell"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_input_is_told_clearly_and_leaves_nothing(case: str, opened: Open, tmp_path: Path) -> None:
    source, options, said = BAD[case]
    with pytest.raises(KnnInputError, match=said):
        opened(source, **options)
    assert [f.name for f in tmp_path.rglob("*.partial")] == []


def test_a_wrong_option_is_told(opened: Open) -> None:
    with pytest.raises(ParameterError, match="did you mean 'cosine'"):
        opened(X, metric="cosinus")
    with pytest.raises(ParameterError, match="limit is 0"):
        opened(X, limit=0)


@pytest.mark.parametrize(
    "name", ["frame", "ids", "source", "queries", "sql", "folder", "self", "relation", "e"]
)
def test_sql_may_name_the_data_frames_of_whoever_wrote_it(name: str, opened: Open) -> None:
    """Our own functions have variables of such names; DuckDB looks at the nearest first."""
    scope: dict[str, Any] = {"opened": opened, "table": pd.DataFrame({"v": ROWS, "id": range(30)})}
    sql = f"select * from {name} where id < 12"
    exec(f"def cell():\n    {name} = table\n    return opened({sql!r}).n", scope)
    assert scope["cell"]() == 12


GLOBAL = pa.table({"e": ROWS})


def test_sql_may_name_arrow_tables_relations_and_tables(opened: Open) -> None:
    assert opened("from GLOBAL limit 4").n == 4
    own = duckdb.connect().from_arrow(GLOBAL).limit(7)
    assert own is not None
    assert opened("from own").n == 7
    assert opened('select GLOBAL.* from "GLOBAL", own limit 6').n == 6
    duckdb.sql("create or replace temp table elsewhere as select * from GLOBAL")
    duckdb.sql("create or replace table lasting as select * from GLOBAL limit 3")
    try:
        assert opened("from elsewhere").n == 30
        assert opened("from lasting").n == 3
        lasting = pd.DataFrame({"e": ROWS})
        assert opened("from lasting").n < len(lasting)  # a table wins, as in DuckDB itself
    finally:
        duckdb.sql("drop table elsewhere")
        duckdb.sql("drop table lasting")


def test_a_query_runs_once(opened: Open) -> None:
    duckdb.sql("create or replace sequence runs")
    try:
        # counting its rows first, only to say how far reading has come, would run it twice
        found = opened("select [nextval('runs'), 1.0] as e from range(100)")
        assert found.inner[:, 0].min() == 1.0
    finally:
        duckdb.sql("drop sequence runs")


def test_a_full_disk_is_told(opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from aios_workbench.knn import spool

    class Full(spool.Spool):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self._file.close()
            self._file = Path("/dev/full").open("w+b", buffering=0)  # noqa: SIM115 - closed by the class

    monkeypatch.setattr("aios_workbench.knn.vectors.Spool", Full)
    with pytest.raises(WorkspaceError, match=r"no more fit .*No space left.* limit="):
        opened(X)
    assert list(tmp_path.rglob("*.partial")) == []


def test_what_a_killed_process_left_is_swept(opened: Open, tmp_path: Path) -> None:
    old, new = tmp_path / "vectors" / ".old.partial", tmp_path / "vectors" / ".new.partial"
    old.parent.mkdir()
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    opened(X)
    assert (old.exists(), new.exists()) == (False, True)


def test_files_that_are_not_what_they_are_called(opened: Open, tmp_path: Path) -> None:
    for name, said in (("x.parquet", "is not a Parquet file"), ("x.npy", "is not an array of numbers")):
        (tmp_path / name).write_bytes(b"PAR1 nothing")
        with pytest.raises(KnnInputError, match=said):
            opened(tmp_path / name)
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(KnnInputError, match="is not an array of numbers"):
        opened(tmp_path / "pickled.npy")


def test_files_with_other_columns_are_told(opened: Open, tmp_path: Path) -> None:
    pq.write_table(pa.table({"e": ROWS}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"f": ROWS}), tmp_path / "b.parquet")
    with pytest.raises(KnnInputError, match=r"b\.parquet has other columns than a.parquet.*union_by_name"):
        opened(tmp_path)


def test_rows_are_counted_over_blocks_and_files(opened: Open, tmp_path: Path) -> None:
    good = pa.table({"e": pa.array([[1.0, 2.0]] * 9000)})
    pq.write_table(good, tmp_path / "a.parquet")
    pq.write_table(pa.table({"e": pa.array([[1.0, 2.0], [1.0, NAN]])}), tmp_path / "b.parquet")
    with pytest.raises(KnnInputError, match=r"row 9,001 .* NaN"):
        opened(tmp_path)
    pq.write_table(pa.table({"e": pa.array([[1.0, 2.0], [1.0]])}), tmp_path / "b.parquet")
    with pytest.raises(KnnInputError, match=r"row 9,00[01] .* not of"):
        opened(tmp_path)
    pq.write_table(pa.table({"e": pa.array([[1.0, 2.0, 3.0]])}), tmp_path / "b.parquet")
    with pytest.raises(KnnInputError, match=r"from row 9,000 .* they have 3 dimensions, before it 2"):
        opened(tmp_path)


# ---------------------------------------------------------------- samples of what is larger than memory


def test_a_file_is_read_in_blocks(opened: Open, tmp_path: Path) -> None:
    """One row group of 61 MB; no more than a few blocks are ever held."""
    rows, d = 60_000, 256
    x = np.random.default_rng(0).normal(size=(rows, d)).astype(np.float32)
    table = pa.table({"e": pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), d)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=rows, use_dictionary=False)
    del table
    pool, before = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        found = opened(tmp_path / "x.parquet")
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)
    np.testing.assert_array_equal(found.inner[::1000], x[::1000])
    assert pool.max_memory() < 0.6 * x.nbytes
    assert python < 0.9 * x.nbytes


@pytest.mark.parametrize("kind", ["array", "parquet", "sql"])
def test_a_limit_takes_a_random_sample_with_all_that_belongs_to_it(
    kind: str, opened: Open, tmp_path: Path
) -> None:
    x = np.arange(40_000, dtype=np.float32).reshape(20_000, 2)
    names = [f"n{i}" for i in range(20_000)]
    table = pa.table({"sku": names, "e": pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), 2)})
    pq.write_table(table, tmp_path / "x.parquet")
    sources: dict[str, tuple[Any, dict[str, Any]]] = {
        "array": (x, {"ids": names, "metadata": {"sku": names}}),
        "parquet": (tmp_path / "x.parquet", {"ids": "sku"}),
        "sql": (f"select * from '{tmp_path / 'x.parquet'}'", {"ids": "sku"}),
    }
    source, options = sources[kind]
    v = opened(source, limit=500, seed=3, **options)
    assert v.n == len(v.ids) == 500
    assert v.repairs[0] == "a random sample of 500 of 20,000 vectors was taken"
    rows = np.array([int(i[1:]) for i in v.ids])
    np.testing.assert_array_equal(v.inner, x[rows])
    assert abs(rows.mean() - 10_000) < 1500
    if v.metadata is not None:
        assert v.metadata.column("sku").to_pylist() == v.ids.tolist()
    assert opened(source, limit=20_000, **options).n == 20_000
    if kind == "array":
        assert opened(x, limit=500, seed=3).ids.tolist() == rows.tolist()


# ---------------------------------------------------------------- what is said and not refused


def test_copies_are_counted_and_said(opened: Open) -> None:
    found = opened(np.concatenate([X, X[:3]])).repairs
    assert found == ["3 vectors are copies of another; neighbours equally near count as hits alike"]
    r = np.random.default_rng(0)
    few = r.integers(0, 3, (2000, 3)).astype(np.float32)
    assert notices.copies(few) == 2000 - len(np.unique(few, axis=0))
    signs = np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32)
    assert notices.copies(signs) == 1


SAID: dict[str, tuple[Any, dict[str, Any], str]] = {
    "one dimension": (X[:, :1], {}, "one dimension are searched, but sorting"),
    "a column of numbers": (pd.Series([1.0, 2.0, 4.0]), {}, "one dimension"),
    "far away": (
        X + np.float32(1e5),
        {},
        "farther from the origin than from one another.*subtract their mean",
    ),
    "a few long ones": (np.vstack([X, 1e4 * X[:1]]), {"metric": "ip"}, "metric='cosine' meant"),
    "a zero": (spoilt(0, 4), {}, "1 vector is zero"),
    "yes and no": (X > 0, {}, "bool values are held as float32"),
}


@pytest.mark.parametrize("case", SAID)
def test_what_should_be_known_is_said(case: str, opened: Open) -> None:
    source, options, said = SAID[case]
    found = opened(source, **options).repairs
    assert any(pd.Series([r]).str.contains(said).item() for r in found), found
    assert opened(X).repairs == []
