"""The catalog: versions, many writers, deferred rows that keep their order, damaged and full files."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Catalog, Workspace, schema, upsert

PUT = "insert into settings values (:k, :v) on conflict (key) do update set value = :v"


def settings(catalog: Catalog) -> dict[str, str]:
    return {r["key"]: r["value"] for r in catalog.query("select * from settings")}


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def catalog(ws: Workspace) -> Catalog:
    return ws.catalog


# ---------------------------------------------------------------- versions


def test_a_new_file_gets_every_table(catalog: Catalog) -> None:
    tables = {r["name"] for r in catalog.query("select name from sqlite_master where type = 'table'")}
    assert set(schema.TABLES) <= tables
    assert catalog.query("pragma user_version") == [{"user_version": schema.VERSION}]


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog(path).close()
    with sqlite3.connect(path) as con:
        con.execute(f"pragma user_version = {schema.VERSION + 1}")
    con.close()
    with pytest.raises(
        WorkspaceError, match=rf"newer aios-workbench \(catalog version {schema.VERSION + 1}.*upgrade"
    ):
        Catalog(path)


def columns(catalog: Catalog) -> dict[str, list[Any]]:
    """Every table's columns with type, default and null-ness, and every index."""
    tables = catalog.query("select name, type from sqlite_master where name not like 'sqlite%' order by name")
    return {
        t["name"]: sorted(
            (r["name"], r.get("type"), r.get("dflt_value"), r.get("notnull"))
            for r in catalog.query(f"pragma {t['type']}_info('{t['name']}')")
        )
        for t in tables
    }


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_a_catalog_of_every_older_version_becomes_what_a_new_one_is(tmp_path: Path, version: int) -> None:
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as con:
        con.executescript((Path(__file__).parent / f"catalog_v{version}.sql").read_text())
        con.execute(
            "insert into runs (run_id, workflow, status, spec_hash, created_at) values ('r', 'w', 'x', 's', 1)"
        )
        con.execute("insert into metrics (run_id, step, name, value, at) values ('r', 's', 'cost', 2.5, 1)")
        con.execute(f"pragma user_version = {version}")
    con.close()
    moved, new = Catalog(old), Catalog(tmp_path / "new.db")
    assert columns(moved) == columns(new)
    assert moved.query("pragma user_version") == [{"user_version": schema.VERSION}]
    assert moved.query("select run_id, environment, notebook from runs") == [
        {"run_id": "r", "environment": None, "notebook": None}
    ]
    assert moved.query("select value, kpi from metrics") == [{"value": 2.5, "kpi": 0}]
    moved.close()
    new.close()


def test_an_older_file_is_migrated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.db"
    old = Catalog(path)
    old.write(PUT, k="kept", v="1")
    old.close()
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {
        schema.VERSION - 2: "create table one (x integer);\ncreate table two (x text default 'a;b');",
        schema.VERSION - 1: "alter table one add column y integer;",
    })  # fmt: skip
    for _ in range(2):
        new = Catalog(path)
        assert new.query("select x, y from one") == []
        assert settings(new) == {"kept": "1"}
        new.close()


def test_a_migration_that_fails_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.db"
    Catalog(path).close()
    before = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", before + 1)
    monkeypatch.setattr(
        schema, "MIGRATIONS", {before: "create table one (x integer);\nalter table none add column y;"}
    )
    with pytest.raises(WorkspaceError, match="none"):
        Catalog(path)
    monkeypatch.undo()
    again = Catalog(path)
    assert again.query("select name from sqlite_master where name = 'one'") == []
    again.close()


def test_processes_that_open_a_new_folder_together_all_get_it(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom aios_workbench.workspace import Workspace\n"
        "sys.stdin.readline()\nw = Workspace(Path(sys.argv[1]))\nw.catalog.query('select * from runs')\nw.close()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / ".aios")]
    several = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for p in several:
        assert p.stdin is not None
        p.stdin.write("go\n")
        p.stdin.flush()
    assert [p.communicate()[1] for p in several] == [""] * 4
    assert [p.returncode for p in several] == [0] * 4


# ---------------------------------------------------------------- many writers

WRITER = """
import sys
from pathlib import Path
from aios_workbench.workspace import Catalog
catalog, me = Catalog(Path(sys.argv[1])), int(sys.argv[2])
for i in range(60):
    catalog.event("mine", f"run-{me}", None, n=i)
    with catalog.transaction() as con:
        n = int(con.execute("select value from settings where key = 'counter'").fetchone()[0])
        con.execute("update settings set value = ? where key = 'counter'", (str(n + 1),))
catalog.close()
"""


def test_four_processes_write_at_once_and_nothing_is_lost(catalog: Catalog) -> None:
    catalog.write(PUT, k="counter", v="0")
    several = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(catalog.path), str(i)], stderr=subprocess.PIPE, text=True
        )
        for i in range(4)
    ]
    assert [p.communicate()[1] for p in several] == [""] * 4
    assert settings(catalog) == {"counter": "240"}
    for i in range(4):
        rows = catalog.query("select data from events where run_id = :r order by seq", r=f"run-{i}")
        assert [r["data"] for r in rows] == [f'{{"n":{n}}}' for n in range(60)]


def test_a_failed_transaction_leaves_nothing_behind(catalog: Catalog) -> None:
    def half() -> None:
        with catalog.transaction() as con:
            con.execute(PUT, {"k": "a", "v": "1"})
            raise KeyError("stop")

    with pytest.raises(KeyError):
        half()
    assert settings(catalog) == {}
    catalog.write(PUT, k="b", v="1")
    assert settings(catalog) == {"b": "1"}


def test_a_killed_writer_leaves_no_half_transaction(catalog: Catalog) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom aios_workbench.workspace import Catalog\n"
        "c = Catalog(Path(sys.argv[1]))\nwith c.transaction() as con:\n"
        "    con.execute(\"insert into settings values ('half', '1')\")\n    print('in', flush=True)\n"
        "    time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(catalog.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    catalog.write(PUT, k="after", v="1")
    assert settings(catalog) == {"after": "1"}


def test_every_thread_has_a_connection_and_close_ends_all(catalog: Catalog) -> None:
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(id(catalog.connection()))) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(seen) == 5
    catalog.close()
    catalog.close()
    with pytest.raises(WorkspaceError, match="closed"):
        catalog.query("select 1")


def test_connections_of_threads_that_have_ended_are_closed(catalog: Catalog) -> None:
    for _ in range(50):
        thread = threading.Thread(target=catalog.query, args=("select 1",))
        thread.start()
        thread.join()
    assert catalog.connections <= 3  # this thread's, the writer's, and that of the last thread


def test_a_transaction_inside_of_one_is_refused_and_the_outer_is_undone(catalog: Catalog) -> None:
    def nested() -> None:
        with catalog.transaction() as con:
            con.execute(PUT, {"k": "outer", "v": "1"})
            catalog.write(PUT, k="inner", v="1")

    with pytest.raises(WorkspaceError, match="inside of a transaction"):
        nested()
    assert settings(catalog) == {}


# ---------------------------------------------------------------- deferred rows


def test_deferred_rows_come_in_order_and_the_newest_of_a_key_wins(catalog: Catalog) -> None:
    for i in range(50):
        catalog.defer(PUT, {"k": "status", "v": str(i)}, key="status")
        catalog.event("tick", None, None, n=i)
    catalog.flush()
    assert settings(catalog) == {"status": "49"}
    assert [r["data"] for r in catalog.query("select data from events order by seq")] == [
        f'{{"n":{i}}}' for i in range(50)
    ]


def test_a_replaced_row_moves_behind_what_came_between(catalog: Catalog) -> None:
    catalog.defer(PUT, {"k": "x", "v": "started"}, key="a")
    catalog.defer("update settings set value = value || '+' where key = 'x'", {}, key="b")
    catalog.defer(PUT, {"k": "x", "v": "ended"}, key="a")
    catalog.flush()
    assert settings(catalog)["x"] == "ended"


def test_deferred_rows_store_themselves(catalog: Catalog) -> None:
    catalog.defer(PUT, {"k": "a", "v": "1"})
    other = Catalog(catalog.path)
    until(lambda: settings(other) == {"a": "1"})
    other.close()


def test_listeners_hear_only_what_is_stored_and_a_broken_one_stops_nobody(catalog: Catalog) -> None:
    heard: list[str] = []

    def broken(_events: list[dict[str, Any]]) -> None:
        raise ValueError("screen is gone")

    catalog.listen(broken)
    undo = catalog.listen(lambda events: heard.extend(e["kind"] for e in events))
    catalog.event("one")
    catalog.flush()
    until(lambda: heard == ["one"])
    undo()
    undo()
    catalog.event("two")
    catalog.flush()
    assert heard == ["one"]


@pytest.fixture
def locked(catalog: Catalog) -> Iterator[sqlite3.Connection]:
    """Another process's transaction that does not end."""
    con = sqlite3.connect(catalog.path, isolation_level=None)
    con.execute("begin immediate")
    yield con
    con.close()


def test_rows_survive_a_locked_database_in_order(catalog: Catalog, locked: sqlite3.Connection) -> None:
    catalog.connection().execute("pragma busy_timeout = 10")
    for i in range(3):
        catalog.defer(PUT, {"k": "x", "v": str(i)})
    catalog.defer(PUT, {"k": "state", "v": "early"}, key="state")
    catalog.flush()
    assert settings(catalog) == {}
    catalog.defer(PUT, {"k": "x", "v": "last"})
    catalog.defer(PUT, {"k": "state", "v": "late"}, key="state")
    locked.execute("rollback")
    until(lambda: (catalog.flush(), settings(catalog))[1] == {"x": "last", "state": "late"})
    assert catalog.deferred_error is None


def test_one_row_that_cannot_be_stored_does_not_hold_up_the_others(catalog: Catalog) -> None:
    catalog.defer(PUT, {"k": "before", "v": "1"})
    catalog.defer(PUT, {"k": "poison", "v": "\ud800"})  # SQLite takes no lone surrogate
    catalog.defer("insert into nowhere values (1)", {})
    catalog.event("step", "run", "a\ud800b", message="\udfff")
    catalog.defer(PUT, {"k": "after", "v": "1"})
    until(lambda: (catalog.flush(), {"before", "after"} <= settings(catalog).keys())[1], seconds=5)


def test_close_stores_what_is_queued(catalog: Catalog) -> None:
    catalog.defer(PUT, {"k": "a", "v": "1"})
    catalog.close()
    other = Catalog(catalog.path)
    assert settings(other) == {"a": "1"}
    other.close()


@pytest.mark.parametrize("keys", [("a",), ("a", "b")])
def test_upsert_inserts_then_updates(catalog: Catalog, keys: tuple[str, ...]) -> None:
    catalog.write(f'create table t (a, b, "values", primary key ({", ".join(keys)}))')
    for value in (1, 2):
        row = {"a": 1, "b": 1, "values": value}
        catalog.write(upsert("t", row, keys), **row)
    assert catalog.query("select * from t") == [{"a": 1, "b": 1, "values": 2}]


def test_data_version_changes_with_others_commits_only(catalog: Catalog) -> None:
    before = catalog.data_version()
    catalog.write(PUT, k="own", v="1")
    assert catalog.data_version() == before
    other = Catalog(catalog.path)
    other.write(PUT, k="theirs", v="1")
    other.close()
    assert catalog.data_version() != before
