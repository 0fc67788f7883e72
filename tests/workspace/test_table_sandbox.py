"""What a person types reads one table and nothing else, and ends in time and within memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stored import FRAME, ask

from aios_workbench.errors import ParameterError
from aios_workbench.workspace import Workspace, source
from aios_workbench.workspace.models import TableQuery
from aios_workbench.workspace.sql import query_output
from aios_workbench.workspace.tables import sql_page, table


@pytest.mark.parametrize(
    "where",
    [
        "n > 1; drop table output",
        "1=1) union select * from output --",
        "n in (select n from output)",
        "n > 1 limit 1",
        "exists (from read_text('/etc/passwd'))",
        "n = (select count(*) from read_csv('/etc/passwd'))",
        "n > 1 group by n",
        "n > 1 order by n",
        "(",
        "n >",
        "'",
        "n > ?",
        "n > 1 /*",
        "row_number() over () = 1",
        "n = $1",
        "wrong > 1",
        "from output",
        "1=1 -- \n; attach 'x'",
        "read_text('/etc/passwd') is not null",
        "getenv('HOME') is not null",
        "n",
        "count(*) > 1",
    ],
)
def test_where_takes_a_condition_and_nothing_else(ws: Workspace, where: str) -> None:
    if where == "n":  # a number counts as a condition, as in SQL
        assert ask(ws, FRAME, where=where).matched == 4
        return
    with pytest.raises(ParameterError, match=r"where|sql on this output"):
        ask(ws, FRAME, where=where)


@pytest.mark.parametrize(
    "where", ["n > 1 -- why", "n >= 2 and s is not null or x > 0", "(n = 2) or (s like 'A%')", "output.n = 2"]
)
def test_where_in_sql_and_filters_together(ws: Workspace, where: str) -> None:
    artifact = ws.artifacts.put(FRAME)
    page = ask(ws, artifact, where=where, filters=[{"column": "b", "op": "=", "value": True}])
    assert len(query_output(ws, artifact, page.sql)) == page.matched == len(page.rows)


ESCAPES = [
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from glob('/**')",
    "copy (select 1) to '{out}'",
    "attach '{out}'",
    "pragma database_list",
    "set enable_external_access = true",
    "reset lock_configuration",
    "install httpfs",
    "load httpfs",
    "select getenv('HOME')",
    "select 1; select 2",
    "create table x as select 1",
    "insert into output values (1)",
    "delete from output",
    "call enable_profiling()",
    "select * from enable_profiling()",
    "export database '{out}'",
    "select * from read_parquet('{other}')",
    "select * from query('copy (select 1) to ''{out}''')",
    "select * from ws",
    "",
    "copy (select 2 as n) to '{own}'",
    "select * from read_csv('http://127.0.0.1:1/x')",
    "explain analyze select 1",
    "set memory_limit='1TB'",
    "select * from which_secret('x', 'y')",
    "use x",
    "checkpoint",
    "prepare p as select 1",
    "select \ud800",
    "vacuum",
    "  ;  ",
]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("how", [sql_page, query_output])
def test_sql_reads_this_output_and_nothing_else(ws: Workspace, tmp_path: Path, how: Any, escape: str) -> None:
    other, own = ws.artifacts.put(pd.DataFrame({"secret": [1]})), ws.artifacts.put(FRAME)
    out = tmp_path / "out"
    query = escape.format(out=out, other=ws.artifacts.path(other), own=ws.artifacts.path(own))
    with pytest.raises(ParameterError):
        how(ws, own, query)
    assert not out.exists()
    assert table(ws, own, TableQuery()).total == 4


def test_sql_page_is_cut_and_says_so(ws: Workspace) -> None:
    artifact = ws.artifacts.put(FRAME)
    page = sql_page(
        ws, artifact, "select n, t, sum(n) over () as all_, [n] as l from output order by n;", 2, "step"
    )
    assert [r[:3] for r in page.rows] == [[1, "2025-12-31T23:00:00+00:00", 8], [2, None, 8]]
    assert (page.truncated, page.total, page.columns[2].type) == (True, None, "HUGEINT")
    endless = sql_page(ws, artifact, "select range as i from range(100_000_000_000)", 3)
    assert endless.rows == [[0], [1], [2]]
    twice = sql_page(ws, artifact, "select n, n from output limit 1")
    assert (twice.rows, [c.name for c in twice.columns], twice.total) == ([[3, 3]], ["n", "n"], 1)


def test_a_query_that_takes_too_long_is_stopped(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = ws.artifacts.put(FRAME)
    slow = "select count(*) from range(10_000_000) a, range(1_000_000) b where (a.range * b.range) % 7 = 3"
    monkeypatch.setattr(source.open_source.__wrapped__, "__defaults__", (0.2, source.MEMORY))  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match=r"longer than 0\.2 s and was stopped"):
        sql_page(ws, artifact, slow)
    monkeypatch.undo()
    assert ask(ws, artifact).total == 4


def test_what_does_not_fit_in_memory_is_refused_or_spilled(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MORE_MEMORY", "30MB")
    artifact = ws.artifacts.put(FRAME)
    page = sql_page(ws, artifact, "select range as n from range(3_000_000) order by hash(range) desc", 2)
    assert len(page.rows) == 2
    with pytest.raises(ParameterError, match="memory"):
        sql_page(ws, artifact, "select list(range) as l from range(100_000_000)")
    assert list((ws.root / "tmp").iterdir()) == []
