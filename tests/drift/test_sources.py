"""Rows are read from wherever they lie, and what cannot be read is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aios_workbench.drift import _sampling
from aios_workbench.drift.sources import Source, open_source, quoted
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import mixed

Write = Callable[..., Path]


def test_frames_are_read_where_they_lie() -> None:
    frame = pd.DataFrame({"x": np.arange(1000.0)})
    source = open_source(frame)
    assert source._table is not None
    where = source._table.column("x").chunk(0).buffers()[1].address
    assert where == frame["x"].to_numpy().__array_interface__["data"][0]
    for other in (
        pl.from_pandas(frame),
        pl.from_pandas(frame).lazy(),
        pa.table({"x": np.arange(1000.0)}),
        frame["x"],
    ):
        assert open_source(other).rows == 1000


def test_a_stream_is_read_once_and_a_source_is_itself() -> None:
    table = pa.table({"x": [1, 2, 3]})
    source = open_source(table.to_reader())
    assert (source.rows, source.sample(3)["x"].sum()) == (3, 6)
    assert open_source(source) is source


def test_files(tmp_path: Path, parquet: Write) -> None:
    a, b = mixed(300, seed=1), mixed(300, seed=2)
    first, second = parquet(a, "one"), parquet(b, "two")
    assert open_source(first).rows == open_source(str(first)).rows == 300
    assert open_source(tmp_path / "*.parquet").rows == open_source(tmp_path).rows == 600
    both = open_source([first, second])
    assert (both.rows, both.name) == (600, "2 files")
    a.to_csv(tmp_path / "rows.csv", index=False)
    assert open_source(tmp_path / "rows.csv").columns["when"] == "TIMESTAMP"


def test_files_of_other_columns_are_one_table_by_name(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"b": ["y"], "c": [2.5]}).to_parquet(tmp_path / "2.parquet")
    source = open_source(tmp_path)
    assert source.columns == {"a": "BIGINT", "b": "VARCHAR", "c": "DOUBLE"}
    assert sorted(source.sample(9)["b"]) == ["x", "y"]
    assert len(source.sample(1)) == 1


def test_csv_whose_first_rows_mislead(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("x\n" + "1\n" * 30_000 + "none at all\n")
    source = open_source(path)
    assert (source.rows, source.columns) == (30_001, {"x": "VARCHAR"})
    assert any("guessed again" in n for n in source.notes)


def test_sql_and_relations_leave_the_connection_alone() -> None:
    con = duckdb.connect()
    con.execute("create table t as select i, i % 3 as k from range(3000) r(i)")
    con.execute("set memory_limit = '1GB'")
    for x in (
        con.table("t"),
        con.sql("select * from t where k = 1"),
        con.sql("select k, count(*) n from t group by k"),
    ):
        source = open_source(x, memory_limit="100MB", threads=1)
        assert source.rows == len(x.fetchall())
        assert len(source.sample(2)) == 2
        source.scan(f"select count(*) from {source.relation_sql}").fetchall()
    assert open_source("from t", con=con).rows == 3000
    assert con.execute("select table_name from duckdb_tables()").fetchall() == [("t",)]
    assert con.execute("select view_name from duckdb_views() where not internal").fetchall() == []
    assert con.execute("select current_setting('memory_limit')").fetchall() == [("953.6 MiB",)]


def test_sql_names_the_frames_of_whoever_calls() -> None:
    source = pd.DataFrame({"x": [1, 2, 3]})  # a name that our own code uses too
    assert len(source) == 3
    assert open_source("select * from source where x > 1").rows == 2


def test_a_join_is_run_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    con = duckdb.connect()

    def count(x: int) -> int:
        with runs.open("a") as file:
            file.write("x")
        return x

    con.create_function("counted", count, [int], int, side_effects=True)  # type: ignore[list-item]
    source = open_source("select distinct counted(i::int) as i from range(50) r(i)", con=con)
    for _ in range(3):
        source.scan(f"select sum(i) from {source.relation_sql}").fetchall()
    assert len(runs.read_text()) == 50


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ("nowhere.parquet", "there is no file 'nowhere.parquet'"),
        ("nowhere/*.csv", "there is no file"),
        ("select * from nowhere_at_all", "does not run: Catalog Error"),
        ("select 1 +", "does not run: Parser Error"),
        (7, "cannot be read from int"),
        (None, "cannot be read from NoneType"),
        ([], "cannot be read from list"),
        (pd.DataFrame(), "has no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns called 'a'"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_told(x: object, words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        open_source(x)


def test_damaged_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "text.parquet").write_text("not parquet at all, but long enough to be looked at")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DriftInputError, match=r"empty.parquet is empty \(0 bytes\)"):
        open_source(tmp_path / "empty.parquet")
    with pytest.raises(DriftInputError, match=r"text.parquet cannot be read"):
        open_source(tmp_path / "text.parquet")
    with pytest.raises(DriftInputError, match="no Parquet or CSV file in it"):
        open_source(tmp_path / "folder")
    mixed(50).to_csv(tmp_path / "rows.csv")
    with pytest.raises(DriftInputError, match="mixes CSV and Parquet"):
        open_source([tmp_path / "rows.csv", tmp_path / "text.parquet"])


def test_mixed_objects_and_unusual_types_are_texts() -> None:
    frame = pd.DataFrame({
        "mixed": [1, "x", None, 2.5], "month": pd.period_range("2026-01", periods=4, freq="M"),
        "range": pd.interval_range(0, 4), "nothing": [None] * 4, "bytes": [b"a", b"b", None, b"\xff"],
        "cat": pd.Categorical(["u", "v", "u", None]), "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
    })  # fmt: skip
    source = open_source(frame)
    assert source.columns["mixed"] == source.columns["month"] == source.columns["range"] == "VARCHAR"
    assert sorted(str(v) for v in source.sample(4)["mixed"].dropna()) == ["1", "2.5", "x"]
    assert len([n for n in source.notes if "mixed or unusual" in n]) == 3
    assert source.sample(4)["nullable"].isna().sum() == 1


def draws(source: Source, n: int = 50, times: int = 300) -> np.ndarray:
    return np.bincount(
        np.concatenate([source.sample(n, s)["i"] for s in range(times)]), minlength=source.rows
    )


@pytest.mark.parametrize("kind", ["frame", "parquet", "files", "relation"])
def test_samples_are_uniform_and_the_same_for_a_seed(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"i": np.arange(1000), "name": [f"n{i}" for i in range(1000)]})
    if kind == "files":
        for i in range(3):
            frame.iloc[i::3].to_parquet(tmp_path / f"{i}.parquet", row_group_size=100)
    else:
        frame.to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    con = duckdb.connect()
    con.execute("set threads = 1")
    sources = {"frame": frame, "relation": con.from_df(frame)}
    source = open_source(sources.get(kind, tmp_path))
    pd.testing.assert_frame_equal(source.sample(50, 3), source.sample(50, 3))
    assert not source.sample(50, 3).equals(source.sample(50, 4))
    times = draws(source, times=60)
    # each row is drawn 60 · 50/1000 = 3 times on average: chi-square over 10 stretches of rows
    by_part = times.reshape(10, 100).sum(1)
    assert ((by_part - 300) ** 2 / 300).sum() < 30
    assert (source.sample(50)["name"] == "n" + source.sample(50)["i"].astype(str)).all()


def test_much_parquet_is_sampled_from_row_groups_all_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sampling, "MANY_ROWS", 1_000)
    monkeypatch.setattr(_sampling, "GROUPS", 10)
    pd.DataFrame({"i": np.arange(5_000)}).to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    source = open_source(tmp_path / "rows.parquet")
    found = source.sample(200, 1)["i"]
    assert len(found) == found.nunique() == 200
    assert (np.bincount(found // 500, minlength=10) == 20).all()
    assert sum(source.sample(200, s)["i"].mean() for s in range(40)) / 40 == pytest.approx(2_499.5, rel=0.03)


def test_samples_of_some_rows_and_columns(parquet: Write) -> None:
    source = open_source(parquet(mixed(2_000)))
    found = source.sample(100, 0, columns=["city", "age"], where="age > 60 and city = 'Bonn'")
    assert list(found) == ["city", "age"]
    assert found["age"].min() > 60
    assert set(found["city"]) == {"Bonn"}
    with pytest.raises(DriftInputError, match=r"cannot be read: .*agee"):
        source.sample(10, where="agee > 1")
    with pytest.raises(DriftInputError, match="did you mean 'city'"):
        source.sample(10, columns=["citi"])


def test_names_that_differ_in_case_keep_their_values(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "A": [30, 40], "": [5, 6]})
    pq.write_table(table, tmp_path / "rows.parquet")
    for x in (table, tmp_path / "rows.parquet", table.to_reader()):
        source = open_source(x)
        assert list(source.columns) == ["a", "A", ""]
        sums = [source.scan(f"select sum({source.quoted(c)}) from {source.relation_sql}").fetchall()[0][0]
                for c in source.columns]  # fmt: skip
        assert sums == [3, 70, 11]
        assert source.sample(2)["A"].tolist() == [30, 40]


def test_steps_of_a_run_and_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    from aios_workbench.errors import CorruptArtifactError
    from aios_workbench.workspace import workspace

    ws = workspace()
    stored = ws.artifacts.put(mixed(100))
    assert open_source(stored).rows == 100
    assert open_source(ws.artifacts.put(np.eye(3))).columns == {"0": "DOUBLE", "1": "DOUBLE", "2": "DOUBLE"}

    from aios_workbench.engine.steps import StepView

    step = StepView(ws, "r1", "load")
    monkeypatch.setattr(step, "_artifact", lambda: stored)
    assert open_source(step).name == "r1: load"
    with ws.artifacts.path(stored).open("r+b") as file:
        file.seek(40)
        file.write(b"damage")
    ws.artifacts._seen.clear()
    ws.artifacts._cache.clear()
    with pytest.raises(CorruptArtifactError):
        open_source(stored)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_mlflow_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.create_experiment("drift", artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("drift")
    mixed(100).to_parquet(tmp_path / "rows.parquet")
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "rows.parquet"), "data")
    assert open_source(f"runs:/{run.info.run_id}/data/rows.parquet").rows == 100
    with pytest.raises(DriftInputError, match="cannot be fetched from MLflow"):
        open_source(f"runs:/{run.info.run_id}/nothing.parquet")


def test_quoting_is_undone_by_duckdb() -> None:
    for name in ('a"b', "select", "🦆", "new\nline", "x" * 200):
        assert duckdb.sql(f"select 1 as {quoted(name)}").columns == [name]
