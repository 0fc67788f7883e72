"""`aios.sql`: the recorded state as tables, read-only, with times one can compare."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
import pytest

from aios_workbench.errors import ConflictError, ParameterError
from aios_workbench.workspace import Workspace, schema
from aios_workbench.workspace.sql import query_output, sql


def add_run(ws: Workspace, run_id: str, created_at: float) -> None:
    ws.catalog.write(
        "insert into runs (run_id, workflow, status, spec_hash, created_at) values (:r, 'w', 'succeeded', 'h', :t)",
        r=run_id, t=created_at,
    )  # fmt: skip


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_table_can_be_read_empty(ws: Workspace, table: str) -> None:
    frame = sql(f"select * from {table}", ws)
    stored = [r["name"] for r in ws.catalog.query(f"pragma table_info({table})")]
    assert frame.columns.tolist() == stored
    assert len(frame) == 0


def test_times_are_timestamps_in_utc_to_the_microsecond(ws: Workspace) -> None:
    add_run(ws, "a", 1_767_225_600.123456)
    add_run(ws, "b", 0.0)
    frame = sql("select run_id, created_at, ended_at from runs order by created_at desc", ws)
    assert frame["created_at"].tolist() == [
        pd.Timestamp("2026-01-01 00:00:00.123456"),
        pd.Timestamp("1970-01-01"),
    ]
    assert frame["ended_at"].isna().all()
    assert len(sql("select * from runs where created_at > timestamp '2025-01-01'", ws)) == 1


def test_rows_still_queued_are_seen(ws: Workspace) -> None:
    ws.catalog.event("step", "r", "s", status="failed")
    assert json.loads(sql("select data from events", ws)["data"][0]) == {"status": "failed"}


def test_joins_subqueries_and_names_in_quotes(ws: Workspace) -> None:
    add_run(ws, "a", time.time())
    frame = sql('with r as (select * from runs) select count(*) as n from r join "runs" using (run_id)', ws)
    assert frame["n"][0] == 1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select * from run", "did you mean 'runs'"),
        ("select * from stpes join runs using (run_id)", "did you mean 'steps'"),
        ("select wrong from runs", "wrong"),
        ("selec 1", "syntax"),
        ("", "aios.sql"),
        ("select * from signals", "tables: runs, steps"),
    ],
)
def test_a_wrong_statement_says_why_and_names_the_nearest_table(ws: Workspace, query: str, says: str) -> None:
    with pytest.raises(ParameterError) as e:
        sql(query, ws)
    assert says in str(e.value)


@pytest.mark.parametrize(
    "query",
    [
        "delete from runs", "update runs set status = 'x'", "drop table runs", "insert into runs (run_id) values ('x')",
        "create table runs2 as select * from runs", "truncate runs", "select 1; delete from runs",
        "copy runs to '{out}'", "attach '{out}'", "select * from read_csv('/etc/passwd')",
        "export database '{out}'", "install httpfs", "pragma database_list", "select * from '/etc/passwd'",
        "set enable_external_access = true", "copy (select 1) to '{out}' (format parquet)", "select getenv('HOME')",
    ],
)  # fmt: skip
def test_no_statement_alters_anything_or_reads_other_files(ws: Workspace, tmp_path: Path, query: str) -> None:
    add_run(ws, "a", 1.0)
    out = tmp_path / "out"
    try:
        result = sql(query.format(out=out), ws)
    except ParameterError:
        result = pd.DataFrame()
    assert not out.exists()
    assert not any("root:" in str(v) for v in result.to_numpy().ravel())
    assert ws.catalog.query("select run_id, status from runs") == [{"run_id": "a", "status": "succeeded"}]
    assert sql("select count(*) as n from runs", ws)["n"][0] == 1


def test_an_output_is_a_table_without_loading_it(ws: Workspace) -> None:
    artifact = ws.artifacts.put(pd.DataFrame({"<b>": [1, 2, 3], "city": ["x", "y", "x"]}))
    found = query_output(ws, artifact, 'select city, sum("<b>") as n from output group by city order by city')
    assert found.to_dict("list") == {"city": ["x", "y"], "n": [4, 2]}
    with pytest.raises(ParameterError, match="sql on this output"):
        query_output(ws, artifact, "select nothing from output")
    with pytest.raises(ConflictError, match="not a table"):
        query_output(ws, ws.artifacts.put([1]), "select 1")


def test_querying_an_output_leaves_the_blob_alone(ws: Workspace, tmp_path: Path) -> None:
    artifact = ws.artifacts.put(pd.DataFrame({"a": [1]}))
    path = ws.artifacts.path(artifact)
    for query in (f"copy (select 2 as a) to '{path}'", f"copy (select 2 as a) to '{tmp_path / 'x'}'"):
        with pytest.raises(ParameterError):
            query_output(ws, artifact, query)
    assert ws.artifacts.get(artifact).to_dict("list") == {"a": [1]}
    assert not (tmp_path / "x").exists()
