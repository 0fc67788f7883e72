"""The audit trail: nothing can be changed, cut out or added unseen; many processes may write at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aios_workbench import govern
from aios_workbench.workspace.home import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path / ".aios")
    yield space
    space.close()


def fill(ws: Workspace, n: int = 5) -> None:
    for i in range(n):
        govern.audit(ws, "ada", "gate.approve", f"run-{i}/review", number=i)


def test_an_empty_and_a_whole_chain_verify(ws: Workspace) -> None:
    assert govern.head(ws) == (0, govern.GENESIS)
    assert govern.verify(ws) is None
    fill(ws)
    assert govern.verify(ws) is None
    rows = ws.catalog.query("select * from audit order by seq")
    assert rows[0]["prev"] == govern.GENESIS
    assert [r["prev"] for r in rows[1:]] == [r["hash"] for r in rows[:-1]]
    assert govern.head(ws) == (5, rows[-1]["hash"])


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "detail", "prev", "hash"])
def test_changing_any_column_is_seen(ws: Workspace, column: str) -> None:
    fill(ws)
    ws.catalog.write(f"update audit set {column} = :v where seq = 3", v=1.5 if column == "at" else "mallory")
    broken = govern.verify(ws)
    assert broken is not None
    assert broken["seq"] == 3


@pytest.mark.parametrize(
    ("sql", "seq", "says"),
    [
        ("delete from audit where seq = 1", 2, "missing"),
        ("delete from audit where seq in (2, 3)", 4, "2 to 3 are missing"),
        ("delete from audit where seq = 5", 5, "5 to 5 are missing"),
        ("delete from audit", 1, "1 to 5 are missing"),
        ("update audit set subject = x'00ff' where seq = 2", 2, "changed"),
    ],
)
def test_cutting_out_rows_is_seen(ws: Workspace, sql: str, seq: int, says: str) -> None:
    fill(ws)
    ws.catalog.write(sql)
    broken = govern.verify(ws)
    assert broken is not None
    assert broken["seq"] == seq
    assert says in broken["problem"]


def test_swapped_and_forged_rows_are_seen(ws: Workspace) -> None:
    fill(ws)
    with ws.catalog.transaction() as con:
        con.execute("update audit set seq = 99 where seq = 2")
        con.execute("update audit set seq = 2 where seq = 3")
        con.execute("update audit set seq = 3 where seq = 99")
    broken = govern.verify(ws)
    assert broken is not None
    assert broken["seq"] == 2


def test_a_rewritten_chain_is_seen_with_an_anchor(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    anchor = govern.head(ws)
    with ws.catalog.transaction() as con:
        con.execute("delete from audit")
        con.execute("delete from sqlite_sequence where name = 'audit'")
    fill(ws, 3)
    assert govern.verify(ws) is None, "a whole new chain looks whole"
    assert govern.verify(ws, anchor) is not None, "but it is not the one whose head was noted"
    fill(ws, 4)
    broken = govern.verify(ws, anchor)
    assert broken is not None
    assert broken["seq"] == 5


def test_within_a_transaction_deed_and_record_go_together(ws: Workspace) -> None:
    with pytest.raises(RuntimeError), ws.catalog.transaction() as con:  # noqa: PT012 - the point of it
        con.execute("insert into settings values ('a', 'b')")
        govern.audit_within(con, "ada", "settings.write", "a")
        raise RuntimeError
    assert ws.catalog.query("select * from audit") == []
    with ws.catalog.transaction() as con:
        first = govern.audit_within(con, "ada", "settings.write", "a")
        second = govern.audit_within(con, "ada", "settings.write", "b")
    assert first != second
    assert govern.verify(ws) is None


class Hostile:
    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


@pytest.mark.parametrize(
    "value",
    [
        "'; drop table audit; --", "\ud800 lone", "nul \0 byte", "\u202e\u0000", '<img src=x onerror="x">',
        "ü" * 100_000, float("nan"), float("inf"), 10**400, {"deep": {1: [{2, 1}, (3,), b"\xff"]}}, None,
        Hostile(), "", "\n",
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Hostile) else ascii(v)[:20],
)  # fmt: skip
def test_hostile_values_are_stored_and_verify(ws: Workspace, value: Any) -> None:
    text = value if isinstance(value, str) else "x"
    govern.audit(ws, text, text, text, value=value, actor="may be a detail", ws=1, subject=2)
    govern.audit(ws, "ada", "after", "it")
    assert govern.verify(ws) is None
    assert len(ws.catalog.query("select * from audit")) == 2


def test_a_recursive_detail_is_cut_off(ws: Workspace) -> None:
    loop: list[Any] = []
    loop.append(loop)
    govern.audit(ws, "ada", "a", "b", loop=loop)
    assert govern.verify(ws) is None


def _append(root: str, n: int) -> None:
    space = Workspace(Path(root))
    for i in range(n):
        govern.audit(space, f"p{multiprocessing.current_process().pid}", "write", str(i))
    space.close()


def test_four_processes_append_one_chain(ws: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(str(ws.root), 50)) for _ in range(4)]
    for p in processes:
        p.start()
    for p in processes:
        p.join(60)
    assert [p.exitcode for p in processes] == [0, 0, 0, 0]
    assert govern.verify(ws) is None
    counts = ws.catalog.query("select actor, count(*) as n from audit group by actor")
    assert [r["n"] for r in counts] == [50] * 4


def test_a_locked_or_lost_database_is_a_workspace_error(ws: Workspace) -> None:
    from aios_workbench.errors import WorkspaceError

    ws.catalog.write("drop table audit")
    with pytest.raises(WorkspaceError):
        govern.audit(ws, "ada", "a", "b")
    with pytest.raises(sqlite3.Error):
        govern.audit_within(ws.catalog.connection(), "ada", "a", "b")


def test_actor_prefers_the_hub_then_our_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "hub")
    monkeypatch.setenv("AIOS_USER", "own")
    assert govern.actor() == "hub"
    monkeypatch.setenv("JUPYTERHUB_USER", " ")
    assert govern.actor() == "own"
    monkeypatch.delenv("AIOS_USER")
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    assert govern.actor() == "me"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert govern.actor().startswith(("uid-", "unknown"))
