"""The catalog's database on one machine: a file that SQLite keeps."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import schema

#: One statement is wrong, not the database: SQLITE_ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE.
_STATEMENT_ERRORS = frozenset((1, 18, 19, 20, 21, 25))


class Sqlite:
    """A file; `durability` is SQLite's `synchronous`."""

    errors: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)
    shared: ClassVar[bool] = False

    def __init__(self, path: Path, durability: str = "normal") -> None:
        self.path = path
        self._sync = {"normal": "NORMAL", "full": "FULL"}[durability]

    @property
    def place(self) -> str:
        """The file."""
        return str(self.path)

    def open(self) -> sqlite3.Connection:
        """Return a new connection."""
        try:
            con = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            con.row_factory = sqlite3.Row
            use_wal(con)
            for pragma in (f"synchronous={self._sync}", "temp_store=MEMORY"):
                con.execute(f"pragma {pragma}")
        except sqlite3.Error as e:
            raise self.explain(e) from e
        return con

    def close(self, con: sqlite3.Connection) -> None:
        """End a connection."""
        with contextlib.suppress(sqlite3.Error):
            con.close()

    def begin(self, con: sqlite3.Connection) -> None:
        """Start a transaction and take the write lock."""
        con.execute("begin immediate")

    def fenced(self, con: sqlite3.Connection, writers: Collection[str]) -> set[str]:  # noqa: ARG002
        """Nobody is: a process that is stopped keeps the lock on its file, and is not taken for dead."""
        return set()

    def commit(self, con: sqlite3.Connection) -> None:
        """Store the transaction."""
        con.execute("commit")

    def rollback(self, con: sqlite3.Connection) -> None:
        """Undo the transaction; a full disk, or `close`, has done so already."""
        with contextlib.suppress(sqlite3.Error):
            if con.in_transaction:
                con.execute("rollback")

    def version(self, con: sqlite3.Connection) -> int:
        """Return a number that changes when another connection has committed. Costs microseconds."""
        return int(con.execute("pragma data_version").fetchone()[0])

    def usable(self, con: sqlite3.Connection) -> bool:  # noqa: ARG002 - a file does not hang up
        """A connection to a file does not end by itself."""
        return True

    def is_wrong(self, e: Exception) -> bool:
        """True when one statement is wrong, not the database."""
        return not isinstance(e, sqlite3.Error) or (
            getattr(e, "sqlite_errorcode", 1) & 0xFF in _STATEMENT_ERRORS
        )

    def store(self, con: sqlite3.Connection, batch: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Store deferred rows; one that can never be stored is logged and left out, so that the others can."""
        for sql, params in batch:
            try:
                try:
                    con.execute(sql, params)
                except UnicodeEncodeError:
                    con.execute(sql, readable(params))
            except (sqlite3.Error, OverflowError, TypeError) as e:
                if not self.is_wrong(e):
                    raise
                logging.getLogger("aios_workbench").exception("not stored (%.200s)", sql)

    def last_number(self, con: sqlite3.Connection, table: str) -> int:
        """Return the highest number given out: SQLite remembers it, so rows cut off the end are missed."""
        row = con.execute("select seq from sqlite_sequence where name = ?", (table,)).fetchone()
        return int(row[0]) if row else 0

    def columns(self, con: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
        """Return name and type of a table's columns."""
        return [(r["name"], r["type"].lower()) for r in con.execute(f"pragma table_info({table})")]

    def now(self, con: sqlite3.Connection) -> float:  # noqa: ARG002 - one machine, one clock
        """Return this machine's time."""
        return time.time()

    def migrate(self, con: sqlite3.Connection) -> None:
        """Create the tables, or bring those of an older version up to date."""
        try:
            version = con.execute("pragma user_version").fetchone()[0]
            if version == schema.VERSION:
                return
            con.execute("begin immediate")
            version = con.execute("pragma user_version").fetchone()[0]  # another process may have been first
            if version > schema.VERSION:
                con.execute("rollback")
                raise newer(self.place, version, "choose another AIOS_HOME")
            for statement in statements(scripts(version)):
                con.execute(statement)
            con.execute(f"pragma user_version = {schema.VERSION}")
            con.execute("commit")
        except sqlite3.Error as e:
            if con.in_transaction:
                con.execute("rollback")
            raise self.explain(e) from e

    def explain(self, e: Exception) -> WorkspaceError:
        """Return the error to raise in place of SQLite's own."""
        text, path = str(e), self.path
        if "full" in text:
            return WorkspaceError(
                f"no space left for {path} ({text}); free some disk space, or run `aios gc`"
            )
        if "locked" in text or "busy" in text:
            return WorkspaceError(f"{path} stayed locked for 30 s ({text}); is another process stuck in it?")
        if "not a database" in text or "malformed" in text:
            return WorkspaceError(
                f"{path} is damaged ({text}); restore it, or move the workspace folder away"
            )
        if "unable to open" in text or "readonly" in text:
            return WorkspaceError(
                f"{path} cannot be opened for writing ({text}); check the folder, or set AIOS_HOME"
            )
        return WorkspaceError(f"{path}: {text}")


def use_wal(con: sqlite3.Connection) -> None:
    """Switch a database to WAL, waiting for others who do the same: SQLite's busy timeout does not cover it."""
    deadline = time.monotonic() + 30
    while True:
        try:
            con.execute("pragma journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def readable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters whose texts UTF-8 can hold: a lone surrogate becomes a question mark."""
    return {k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in params.items()}


def scripts(version: int) -> str:
    """Return what takes a catalog of a version (0: none yet) to this program's."""
    if version == 0:
        return schema.CREATE
    return "\n".join(schema.MIGRATIONS[v] for v in range(version, schema.VERSION))


def newer(place: str, version: int, otherwise: str) -> WorkspaceError:
    """Return what is raised for a catalog of a version that this program does not know."""
    return WorkspaceError(
        f"{place} was written by a newer aios-workbench (catalog version {version}, this one knows "
        f"{schema.VERSION}); upgrade aios-workbench, or {otherwise}"
    )


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
