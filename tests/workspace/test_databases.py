"""The catalog on both databases: one SQL, one behaviour; and what only a server can do: hang up, and fence."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg_server
import pytest
from databases import fresh, on_both

from aios_workbench import govern
from aios_workbench.errors import FencedError, ParameterError, UnreachableError, WorkspaceError
from aios_workbench.workspace import Workspace, dumps, schema, upsert, writer
from aios_workbench.workspace.postgres import Address
from aios_workbench.workspace.sql import sql

PUT = "insert into settings values (:k, :v) on conflict (key) do update set value = :v"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both(metafunc, (__name__,))


@pytest.fixture
def space(tmp_path: Path, database: str) -> Iterator[Workspace]:
    made = Workspace(tmp_path / ".aios", database=fresh(database))
    yield made
    made.close()


def settings(ws: Workspace) -> dict[str, str]:
    return {r["key"]: r["value"] for r in ws.catalog.query("select * from settings")}


# ---------------------------------------------------------------- one SQL


def test_it_is_where_it_was_asked_to_be(space: Workspace, database: str) -> None:
    assert space.shared == bool(database)
    assert (space.root / "catalog.db").exists() != bool(database)


def test_every_table_has_the_columns_of_the_schema_in_its_order(space: Workspace, tmp_path: Path) -> None:
    plain = Workspace(tmp_path / "plain", database="")
    for table in (*schema.TABLES, "signals", "specs", "settings"):
        assert space.catalog.columns(table) == plain.catalog.columns(table), table
    plain.close()


def test_rows_come_back_as_they_were_given(space: Workspace) -> None:
    row = {
        "run_id": "r", "workflow": "w 'x' \"y\" %s :z ? 100%", "status": "queued", "spec_hash": "s", "user": "ana",
        "created_at": 1732288245.1234567, "leg": 2**40, "error": None, "cwd": "ä\N{SNOWMAN}",
    }  # fmt: skip
    space.catalog.write(upsert("runs", row, ("run_id",)), **row)
    found = space.catalog.one(
        "select * from runs where user = :u and workflow = :w", u="ana", w=row["workflow"]
    )
    assert found is not None
    assert {k: found[k] for k in row} == row
    assert "rowid" not in found
    assert space.catalog.one("select count(*) as n, sum(leg) as s, max(created_at) as m from runs") == {
        "n": 1, "s": 2**40, "m": row["created_at"],
    }  # fmt: skip


def test_functions_that_sqlite_brings(space: Workspace) -> None:
    ask = space.catalog.one
    assert ask("select instr('haystack', :n) as at", n="st") == {"at": 4}
    assert ask("select json_extract(:d, '$.a') as v", d=dumps({"a": "x\0"[:1]})) == {"v": "x"}
    assert ask("select cast(json_extract(:d, '$[1]') as integer) as v", d="[7,8]") == {"v": 8}
    assert space.catalog.query("select value from json_each(:l)", l='["b","a"]') == [
        {"value": "b"},
        {"value": "a"},
    ]
    assert ask("select 1 = 1 as yes, 1 = 2 as no") == {"yes": 1, "no": 0}


def test_rows_come_in_the_order_they_were_written(space: Workspace) -> None:
    for name in ("c", "a", "b"):
        space.catalog.write(
            "insert into metrics (run_id, step, name, value, at) values ('r', 's', :n, 1, 1) "
            "on conflict (run_id, step, name) do update set value = 2", n=name,
        )  # fmt: skip
    rows = space.catalog.query("select name from metrics where run_id = 'r' order by rowid")
    assert [r["name"] for r in rows] == ["c", "a", "b"]


def test_a_transaction_is_all_or_nothing_and_sees_itself(space: Workspace) -> None:
    def half() -> None:
        with space.catalog.transaction() as con:
            con.execute(PUT, {"k": "a", "v": "1"})
            assert settings(space) == {"a": "1"}
            con.executemany(PUT, [{"k": "b", "v": "1"}, {"k": "c", "v": "1"}])
            assert con.execute("update settings set value = '2' where key <> 'a'").rowcount == 2
            raise KeyError("stop")

    with pytest.raises(KeyError):
        half()
    assert settings(space) == {}
    with pytest.raises(WorkspaceError, match="nowhere"):
        space.catalog.write("insert into nowhere values (1)")
    space.catalog.write(PUT, k="after", v="1")
    assert settings(space) == {"after": "1"}


WRITER = """
import sys
from pathlib import Path
from aios_workbench.workspace import Workspace
ws, me = Workspace(Path(sys.argv[1])), sys.argv[2]
for i in range(40):
    ws.catalog.event("mine", f"run-{me}", None, n=i)
    with ws.catalog.transaction() as con:
        n = int(con.execute("select value from settings where key = 'counter'").fetchone()[0])
        con.execute("update settings set value = :v where key = 'counter'", {"v": str(n + 1)})
ws.close()
"""


def test_three_processes_count_together_and_no_reader_misses_an_event(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that asks for what is behind the last number it saw gets everything, whoever commits first."""
    monkeypatch.setenv("AIOS_DATABASE_URL", space.address.text if space.address else "")
    space.catalog.write(PUT, k="counter", v="0")
    several = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(space.root), str(i)], stderr=subprocess.PIPE, text=True
        )
        for i in range(3)
    ]
    seen: list[tuple[str, str]] = []
    last = 0
    while (len(seen) < 120 and any(p.poll() is None for p in several)) or last == 0:
        rows = space.catalog.query("select seq, run_id, data from events where seq > :s order by seq", s=last)
        seen += [(r["run_id"], r["data"]) for r in rows]
        last = rows[-1]["seq"] if rows else last
    assert [p.communicate()[1] for p in several] == [""] * 3
    rows = space.catalog.query("select run_id, data from events where seq > :s order by seq", s=last)
    seen += [(r["run_id"], r["data"]) for r in rows]
    assert settings(space) == {"counter": "120"}
    for i in range(3):
        assert [d for r, d in seen if r == f"run-{i}"] == [f'{{"n":{n}}}' for n in range(40)]


def test_one_row_that_cannot_be_stored_does_not_hold_up_the_others(
    space: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    space.catalog.defer(PUT, {"k": "before", "v": "1"})
    space.catalog.defer("insert into nowhere values (1)", {})
    space.catalog.defer(PUT, {"k": "half", "v": "\ud800"})
    space.catalog.event("step", "run", "a\ud800b", message="\udfff")
    space.catalog.defer(PUT, {"k": "after", "v": "1"})
    space.catalog.flush()
    assert {"before", "after"} <= settings(space).keys()
    assert space.catalog.deferred_error is None
    assert any("nowhere" in r.message for r in caplog.records)


def test_a_text_with_a_nul_is_stored_and_the_trail_stays_whole(space: Workspace) -> None:
    space.catalog.write(PUT, k="nul", v="a\0b")
    assert settings(space)["nul"] in ("a\0b", "a\N{SYMBOL FOR NULL}b")
    for i in range(3):
        govern.audit(space, "ana\0", "thing.do", f"s\0{i}", note="x\0y")
    assert govern.verify(space) is None
    row = space.catalog.one("select actor, detail from audit where seq = 3")
    assert row == {"actor": "ana\N{SYMBOL FOR NULL}", "detail": '{"note":"x\\u2400y"}'}


def test_the_trail_has_no_gap_after_a_rollback_and_a_cut_end_is_missed(space: Workspace) -> None:
    def undone() -> None:
        with space.catalog.transaction() as con:
            govern.audit_within(con, "ana", "thing.do", "undone")
            raise KeyError

    for i in range(3):
        govern.audit(space, "ana", "thing.do", str(i))
        with pytest.raises(KeyError):
            undone()
    assert govern.verify(space) is None
    space.catalog.write("delete from audit where seq = 3")
    problem = govern.verify(space)
    assert problem == {"seq": 3, "problem": "rows 3 to 3 are missing"}


def test_data_version_changes_with_others_commits(space: Workspace) -> None:
    before = space.catalog.data_version()
    assert space.catalog.data_version() == before
    other = Workspace(space.root, database=space.address.text if space.address else "")
    other.catalog.write(PUT, k="theirs", v="1")
    assert space.catalog.data_version() != before
    other.close()


def test_connections_do_not_grow_with_threads(space: Workspace) -> None:
    for _ in range(30):
        thread = threading.Thread(target=space.catalog.query, args=("select 1",))
        thread.start()
        thread.join()
    assert space.catalog.connections <= 4


def test_sql_over_the_tables(space: Workspace) -> None:
    space.catalog.event("one", "r", None)
    found = sql(
        "select kind, typeof(\"at\") as t from events union all select 'jobs', count(*)::varchar from jobs",
        space,
    )
    assert found.to_dict("list") == {"kind": ["one", "jobs"], "t": ["TIMESTAMP", "0"]}


def test_processes_that_open_it_together_all_get_it(space: Workspace, database: str, tmp_path: Path) -> None:
    address = fresh(database)
    code = (
        "import sys\nfrom pathlib import Path\nfrom aios_workbench.workspace import Workspace\nsys.stdin.readline()\n"
        "w = Workspace(Path(sys.argv[1]), database=sys.argv[2])\nw.catalog.query('select * from runs')\nw.close()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "new"), address]
    several = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [p.communicate("go\n")[1] for p in several] == [""] * 3


# ---------------------------------------------------------------- what only a server can do


@pytest.fixture
def server() -> Iterator[pg_server.Cluster]:
    with pg_server.cluster() as made:
        yield made


def test_a_server_that_is_restarted_loses_nothing_that_was_said(
    tmp_path: Path, server: pg_server.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace(tmp_path / ".aios", database=server.schema("restart"))
    ws.catalog.write(PUT, k="before", v="1")
    server.stop()
    ws.catalog.defer(PUT, {"k": "deferred", "v": "1"})
    monkeypatch.setattr(ws.catalog, "_patience", 0.2)
    with pytest.raises(UnreachableError, match=r"cannot be reached.*AIOS_DATABASE_URL"):
        ws.catalog.query("select 1")
    with pytest.raises(UnreachableError):
        ws.catalog.write(PUT, k="refused", v="1")
    monkeypatch.setattr(ws.catalog, "_patience", 60.0)
    answers: list[Any] = []
    asks = [
        threading.Thread(target=lambda: answers.append(ws.catalog.query("select 1 as one"))),
        threading.Thread(target=lambda: answers.append(ws.catalog.write(PUT, k="late", v="1"))),
    ]
    for ask in asks:
        ask.start()
    server.start()
    for ask in asks:
        ask.join()
    assert sorted(map(str, answers)) == ["1", "[{'one': 1}]"]
    ws.catalog.flush()
    end = time.monotonic() + 60
    while settings(ws) != {"before": "1", "deferred": "1", "late": "1"}:
        assert time.monotonic() < end, settings(ws)
        time.sleep(0.05)
    ws.close()


def test_what_a_fenced_process_writes_does_not_count(
    tmp_path: Path, postgres_server: pg_server.Cluster
) -> None:
    ws = Workspace(tmp_path / ".aios", database=fresh(postgres_server.schema("x")))
    ws.catalog.write(
        "insert into executors (executor_id, kind, pid, host, started_at, seen_at) values ('e', 'w', 1, 'h', 1, 1)"
    )
    token = writer.set("e")
    ws.catalog.write(PUT, k="in time", v="1")
    ws.catalog.defer(PUT, {"k": "deferred in time, stored late", "v": "1"})
    ws.catalog.flush()
    writer.reset(token)
    ws.catalog.write("update executors set fenced = 1")
    token = writer.set("e")
    ws.catalog.defer(PUT, {"k": "late", "v": "1"})
    ws.catalog.defer(PUT, {"k": "always", "v": "1"}, always=True)
    with pytest.raises(FencedError, match="was given to another process"):
        ws.catalog.write(PUT, k="late too", v="1")
    ws.catalog.flush()
    writer.reset(token)
    assert set(settings(ws)) == {"in time", "deferred in time, stored late", "always"}
    ws.close()


def test_a_newer_schema_is_refused(tmp_path: Path, postgres_server: pg_server.Cluster) -> None:
    address = fresh(postgres_server.schema("x"))
    old = Workspace(tmp_path / ".aios", database=address)
    old.catalog.write("update aios_state set version = :v", v=schema.VERSION + 1)
    old.close()
    with pytest.raises(WorkspaceError, match=r"newer aios-workbench.*another schema"):
        Workspace(tmp_path / "again", database=address)


def test_an_older_schema_is_migrated(
    tmp_path: Path, postgres_server: pg_server.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = fresh(postgres_server.schema("x"))
    old = Workspace(tmp_path / ".aios", database=address)
    old.catalog.write(PUT, k="kept", v="1")
    old.close()
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", {
        schema.VERSION - 1: "create table two (seq integer primary key autoincrement, x real);\n"
        "alter table settings add column y integer;",
    })  # fmt: skip
    for _ in range(2):
        new = Workspace(tmp_path / "again", database=address)
        assert new.catalog.columns("two") == [("seq", "integer"), ("x", "real")]
        assert new.catalog.one("select value, y from settings") == {"value": "1", "y": None}
        new.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mysql://h/db", "begins with 'mysql'"),
        ("postgresql://h/db?schema=Bad-Name", "names the schema"),
        ("postgresql://h/db?schema=pg_mine", "not beginning with pg_"),
    ],
)
def test_an_address_that_cannot_work_is_refused(text: str, why: str) -> None:
    with pytest.raises(ParameterError, match=why):
        Address.parse(text)


def test_an_address_keeps_its_password_to_itself() -> None:
    address = Address.parse("postgresql://ana:s3cret@db:5432/team?sslmode=require&schema=claims")
    assert "s3cret" not in str(address)
    assert address.text == "postgresql://ana:s3cret@db:5432/team?sslmode=require&schema=claims"
    assert (address.schema, address.journal) == ("claims", "claims_journal")
