"""The catalog: one SQLite database that every process of a workspace reads and writes.

Two ways to write. `write` and `transaction` return when the row is stored: for decisions, claims and
anything another process acts on. `defer` hands the row to a writer thread that stores what has gathered
in one transaction, milliseconds later: for progress that can be rebuilt from the journal.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import schema

Row = dict[str, Any]
FLUSH_SECONDS = 0.02


def dumps(value: object) -> str:
    """Return compact JSON; what JSON does not know becomes its `str`."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    if text.isascii() or _encodes(text):
        return text
    return json.dumps(
        value, separators=(",", ":"), default=str
    )  # a lone surrogate: SQLite takes it escaped only


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Catalog:
    """Tables of a workspace; safe to use from any thread of a process.

    Parameters
    ----------
    path : Path
        The database file. Created, or migrated, on first use.
    durability : {"normal", "full"}
        SQLite's `synchronous`. Either survives `kill -9`; only "full" survives a power cut.

    Raises
    ------
    WorkspaceError
        When the file cannot be opened, is not a catalog, or was written by a newer version.
    """

    def __init__(self, path: Path, durability: str = "normal") -> None:
        self.path = path
        self._sync = {"normal": "NORMAL", "full": "FULL"}[durability]
        self._local = threading.local()
        self._all: list[tuple[sqlite3.Connection, threading.RLock]] = []
        self._lock = threading.Lock()
        self._pending: dict[Any, tuple[str, Mapping[str, Any]]] = {}
        self._order = 0
        self._wake = threading.Event()
        self._flushing = threading.Lock()
        self._closed = False
        self._listeners: list[Callable[[list[Row]], None]] = []
        self._events: list[Row] = []
        self._stored: list[Row] = []
        self._thread: threading.Thread | None = None
        self.deferred_error: Exception | None = None
        self._migrate()

    # -- reading and direct writing

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        con: sqlite3.Connection | None = getattr(self._local, "con", None)
        if con is None:
            if self._closed:
                raise WorkspaceError(f"the catalog {self.path} is closed; open the workspace again")
            try:
                con = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
                con.row_factory = sqlite3.Row
                use_wal(con)
                for pragma in (f"synchronous={self._sync}", "temp_store=MEMORY"):
                    con.execute(f"pragma {pragma}")
            except sqlite3.Error as e:
                raise _explain(e, self.path) from e
            self._local.con, self._local.busy = con, threading.RLock()
            with self._lock:
                self._all.append((con, self._local.busy))
        return con

    @contextlib.contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection, which `close` leaves alone until it is given back."""
        con = self.connection()
        with self._local.busy:
            yield con

    def query(self, sql: str, **params: Any) -> list[Row]:
        """Return the rows of a select, as dicts. Parameters are written `:name`."""
        try:
            with self._held() as con:
                return [dict(r) for r in con.execute(sql, params)]
        except sqlite3.Error as e:
            raise _explain(e, self.path) from e

    def one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""
        rows = self.query(sql, **params)
        return rows[0] if rows else None

    def write(self, sql: str, **params: Any) -> int:
        """Run one statement, stored on return; give the number of rows it touched."""
        with self.transaction() as con:
            return con.execute(sql, params).rowcount

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements, all or none; other writers wait."""
        with self._held() as con:
            try:
                con.execute("begin immediate")
                try:
                    yield con
                except BaseException:
                    if con.in_transaction:  # a full disk has rolled back already
                        con.execute("rollback")
                    raise
                con.execute("commit")
            except sqlite3.Error as e:
                with contextlib.suppress(sqlite3.Error):  # closed meanwhile
                    if con.in_transaction:
                        con.execute("rollback")
                raise _explain(e, self.path) from e

    # -- deferred writing

    def defer(self, sql: str, params: Mapping[str, Any], key: object = None) -> None:
        """Queue a statement. A later one with the same `key` takes its place."""
        with self._lock:
            self._order += 1
            if key is None:
                key = self._order
            else:
                self._pending.pop(key, None)  # the newer one also moves to the end
            self._pending[key] = (sql, params)
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def event(self, kind: str, run_id: str | None = None, step: str | None = None, **data: Any) -> None:
        """Record something that happened and tell this process's listeners."""
        row = {"run_id": run_id, "step": step, "kind": kind, "at": time.time(), "data": data}
        with self._lock:
            self._order += 1
            self._pending[self._order] = (_INSERT_EVENT, {**row, "data": dumps(data)})
            self._events.append(row)
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Store what is queued. Errors stay in `deferred_error` and the rows are kept for the next try."""
        with self._flushing:
            with self._lock:
                batch, self._pending = self._pending, {}
                events, self._events = self._events, []
            if batch:
                try:
                    with self.transaction() as con:
                        for sql, params in batch.values():
                            _store(con, sql, params)
                    self.deferred_error = None
                except Exception as e:  # noqa: BLE001 - kept, and tried again
                    self.deferred_error = e
                    with self._lock:
                        for key, item in self._pending.items():
                            batch.pop(key, None)
                            batch[key] = item
                        self._pending = batch
                        self._events = events + self._events
                    return
            if events:
                with self._lock:
                    self._stored += events
                self._wake.set()

    def _tell(self) -> None:
        """Call the listeners: on the writer's thread, with no lock held, so that they may do as they like."""
        with self._lock:
            events, self._stored = self._stored, []
        if events:
            for listener in list(self._listeners):
                with contextlib.suppress(Exception):  # a broken screen must not stop the engine
                    listener(events)

    def listen(self, listener: Callable[[list[Row]], None]) -> Callable[[], None]:
        """Call `listener(events)` after each flush with this process's own events; returns the undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._loop, name="aios-catalog", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            self.flush()
            self._tell()
            # Gather what arrives meanwhile; after an error (disk full, locked) try again more slowly.
            time.sleep(1.0 if self.deferred_error else FLUSH_SECONDS)
            if self.deferred_error:
                self._wake.set()

    def close(self) -> None:
        """Store what is queued and close every connection."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        self._wake.set()
        with self._lock:
            connections, self._all = self._all, []
        for con, busy in connections:
            # Closing a connection under another thread's statement would crash the interpreter.
            if busy.acquire(timeout=30):
                with contextlib.suppress(sqlite3.Error):
                    con.close()
                busy.release()
        self._local = threading.local()

    def data_version(self) -> int:
        """Return a number that changes when another connection has committed. Costs microseconds."""
        try:
            with self._held() as con:
                return int(con.execute("pragma data_version").fetchone()[0])
        except sqlite3.Error as e:
            raise _explain(e, self.path) from e

    def _migrate(self) -> None:
        con = self.connection()
        try:
            version = con.execute("pragma user_version").fetchone()[0]
            if version == schema.VERSION:
                return
            con.execute("begin immediate")
            version = con.execute("pragma user_version").fetchone()[0]  # another process may have been first
            if version > schema.VERSION:
                con.execute("rollback")
                raise WorkspaceError(
                    f"{self.path} was written by a newer aios-workbench (catalog version {version}, this "
                    f"one knows {schema.VERSION}); upgrade aios-workbench, or choose another AIOS_HOME"
                )
            scripts = (
                [schema.CREATE]
                if version == 0
                else [schema.MIGRATIONS[v] for v in range(version, schema.VERSION)]
            )
            for statement in _statements("\n".join(scripts)):
                con.execute(statement)
            con.execute(f"pragma user_version = {schema.VERSION}")
            con.execute("commit")
        except sqlite3.Error as e:
            if con.in_transaction:
                con.execute("rollback")
            raise _explain(e, self.path) from e


_COALESCED = frozenset(("step", "progress", "log"))
_INSERT_EVENT = "insert into events (run_id, step, kind, at, data) values (:run_id, :step, :kind, :at, :data)"


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


def upsert(table: str, row: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return the SQL that inserts `row` or, where `keys` exist, updates the other columns."""
    names = ", ".join(f'"{c}"' for c in row)
    values = ", ".join(f":{c}" for c in row)
    sets = ", ".join(f'"{c}" = excluded."{c}"' for c in row if c not in keys)
    conflict = f"on conflict ({', '.join(keys)}) do update set {sets}"
    return f"insert into {table} ({names}) values ({values}) {conflict}"  # noqa: S608 - names of our own


#: One statement is wrong, not the database: SQLITE_ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE.
_STATEMENT_ERRORS = frozenset((1, 18, 19, 20, 21, 25))


def _store(con: sqlite3.Connection, sql: str, params: Mapping[str, Any]) -> None:
    """Store one deferred row; one that can never be stored is logged and left out, so that the others can."""
    try:
        try:
            con.execute(sql, params)
        except UnicodeEncodeError:
            readable = {
                k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v
                for k, v in params.items()
            }
            con.execute(sql, readable)
    except (sqlite3.Error, OverflowError, TypeError) as e:
        if isinstance(e, sqlite3.Error) and getattr(e, "sqlite_errorcode", 1) & 0xFF not in _STATEMENT_ERRORS:
            raise
        logging.getLogger("aios_workbench").exception("not stored (%.200s)", sql)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _explain(e: sqlite3.Error, path: Path) -> WorkspaceError:
    text = str(e)
    if "full" in text:
        return WorkspaceError(f"no space left for {path} ({text}); free some disk space, or run `aios gc`")
    if "locked" in text or "busy" in text:
        return WorkspaceError(f"{path} stayed locked for 30 s ({text}); is another process stuck in it?")
    if "not a database" in text or "malformed" in text:
        return WorkspaceError(f"{path} is damaged ({text}); restore it, or move the workspace folder away")
    if "unable to open" in text or "readonly" in text:
        return WorkspaceError(
            f"{path} cannot be opened for writing ({text}); check the folder, or set AIOS_HOME"
        )
    return WorkspaceError(f"{path}: {text}")
