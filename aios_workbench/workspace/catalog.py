"""The catalog: one database that every process of a workspace reads and writes.

Two ways to write. `write` and `transaction` return when the row is stored: for decisions, claims and
anything another process acts on. `defer` hands the row to a writer thread that stores what has gathered
in one transaction, milliseconds later: for progress that can be rebuilt from the journal.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from aios_workbench.errors import FencedError, UnreachableError, WorkspaceError
from aios_workbench.workspace.database import Database, PerThread, Pooled, Session
from aios_workbench.workspace.sqlite import Sqlite, use_wal

__all__ = ["Catalog", "Session", "dumps", "upsert", "use_wal", "writer"]

Row = dict[str, Any]
T = TypeVar("T")
FLUSH_SECONDS = 0.02
#: How long reads, and writes that have not begun, wait for a database that cannot be reached.
PATIENCE_SECONDS = 30.0

#: In whose name this code writes: the id of an executor, None for a person. Where leases are kept in the database
#: (a team's), what a process whose lease was given to another still writes in its own name is refused.
writer: contextvars.ContextVar[str | None] = contextvars.ContextVar("aios_writer", default=None)


def dumps(value: object) -> str:
    """Return compact JSON; what JSON does not know becomes its `str`."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    if text.isascii() or _encodes(text):
        return text
    return json.dumps(
        value, separators=(",", ":"), default=str
    )  # a lone surrogate: a database takes it escaped only


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
    place : Path or Database
        The database file, created or migrated on first use; or another database.
    durability : {"normal", "full"}
        SQLite's `synchronous`. Either survives `kill -9`; only "full" survives a power cut.

    Raises
    ------
    WorkspaceError
        When it cannot be opened, is not a catalog, or was written by a newer version.
    """

    def __init__(self, place: Path | Database, durability: str = "normal") -> None:
        self.database: Database = Sqlite(place, durability) if isinstance(place, Path) else place
        self.path = Path(getattr(self.database, "path", ""))
        self._connections = Pooled(self.database) if self.database.shared else PerThread(self.database)
        self._lock = threading.Lock()
        self._pending: dict[Any, tuple[str, Mapping[str, Any], str | None]] = {}
        self._order = 0
        self._wake = threading.Event()
        self._flushing = threading.Lock()
        self._closed = False
        self._listeners: list[Callable[[list[Row]], None]] = []
        self._events: list[Row] = []
        self._stored: list[Row] = []
        self._thread: threading.Thread | None = None
        self.deferred_error: Exception | None = None
        self._local = threading.local()
        self._patience = 3.0  # an address that is wrong shall not take half a minute to say so
        try:
            self.ask(self.database.migrate)
        except BaseException:
            self._connections.close()
            raise
        self._patience = PATIENCE_SECONDS

    @property
    def place(self) -> str:
        """Where the catalog is, for messages."""
        return self.database.place

    @property
    def shared(self) -> bool:
        """True for a team's: other machines see it, so who lives is said by leases in it."""
        return self.database.shared

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._connections.size

    # -- reading and direct writing

    def connection(self) -> Any:
        """Return this thread's connection."""
        return self._connections.current()

    def ask(self, question: Callable[[Any], T]) -> T:
        """Ask the database something, again where its server hung up or does not answer yet; for reads.

        Inside of a transaction, or after half a minute, that is an error.
        """
        deadline, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                return self._asked(question)
            except UnreachableError:
                if self._inside or self._closed or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _asked(self, question: Callable[[Any], T]) -> T:
        con = self._connections.take()
        try:
            return question(con)
        except self.database.errors as e:
            raise self.database.explain(e) from e
        finally:
            self._connections.give(con)

    @property
    def _inside(self) -> bool:
        """True in a thread that has a transaction open."""
        return getattr(self._local, "inside", False)

    def query(self, sql: str, **params: Any) -> list[Row]:
        """Return the rows of a select, as dicts. Parameters are written `:name`."""
        return self.ask(lambda con: [dict(r) for r in con.execute(sql, params)])

    def one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""
        rows = self.query(sql, **params)
        return rows[0] if rows else None

    def write(self, sql: str, **params: Any) -> int:
        """Run one statement, stored on return; give the number of rows it touched."""
        return self.write_all([(sql, params)])[0]

    def write_all(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[int]:
        """Run statements, all or none, stored on return; give the numbers of rows they touched."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with self.transaction() as con:
                    return [con.execute(sql, params).rowcount for sql, params in statements]
            except UnreachableError as e:
                if not e.again or self._inside or time.monotonic() > deadline:
                    raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """Several statements, all or none; other writers wait.

        Raises
        ------
        WorkspaceError
            When it could not be stored, or when the database went away before it said so.
        FencedError
            When this process was taken for dead and its work was given to another.
        """
        with self._transaction(writer.get()) as con:
            yield con

    @contextlib.contextmanager
    def _transaction(self, name: str | None) -> Iterator[Any]:
        con = self._begin(name)
        self._local.inside = True
        try:
            try:
                yield con
            except BaseException:
                self.database.rollback(con)
                raise
            self._commit(con)
        except self.database.errors as e:
            self.database.rollback(con)
            raise self.database.explain(e) from e
        finally:
            self._local.inside = False
            self._connections.give(con)

    def _begin(self, name: str | None) -> Any:
        """Take a connection and start a transaction on it; nothing is written yet, so it may be tried again."""
        if self._inside:
            raise WorkspaceError(f"{self.place}: a transaction inside of a transaction of the same thread")

        def begin(con: Any) -> Any:
            self.database.begin(con)
            try:
                self._check(con, name)
                return self._connections.take()  # the same one: it stays this thread's until it is given back
            except BaseException:
                self.database.rollback(con)
                raise

        return self.ask(begin)

    def _check(self, con: Any, name: str | None) -> None:
        if name is not None and self.database.fenced(con, [name]):
            raise FencedError(
                f"{name} was silent for longer than its lease (it was stopped, or cut off) and its work was given to "
                "another process: what it still says does not count"
            )

    def _commit(self, con: Any) -> None:
        try:
            self.database.commit(con)
        except self.database.errors as e:
            told = self.database.explain(e)
            if isinstance(
                told, UnreachableError
            ):  # it may have been stored: doing it again could do it twice
                raise UnreachableError(
                    f"{told}. It hung up while the last change was being stored: look whether it was",
                    again=False,
                ) from e
            raise

    # -- deferred writing

    def defer(self, sql: str, params: Mapping[str, Any], key: object = None, *, always: bool = False) -> None:
        """Queue a statement. A later one with the same `key` takes its place. `always`: whoever is fenced."""
        with self._lock:
            self._order += 1
            if key is None:
                key = self._order
            else:
                self._pending.pop(key, None)  # the newer one also moves to the end
            self._pending[key] = (sql, params, None if always else writer.get())
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def event(self, kind: str, run_id: str | None = None, step: str | None = None, **data: Any) -> None:
        """Record something that happened and tell this process's listeners."""
        row = {"run_id": run_id, "step": step, "kind": kind, "at": time.time(), "data": data}
        with self._lock:
            self._order += 1
            self._pending[self._order] = (_INSERT_EVENT, {**row, "data": dumps(data)}, writer.get())
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
                    with self._transaction(None) as con:
                        names = {by for *_, by in batch.values() if by is not None}
                        fenced = self.database.fenced(con, names) if names else set()
                        self.database.store(con, [(s, p) for s, p, by in batch.values() if by not in fenced])
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
        self._connections.close()

    def data_version(self) -> int:
        """Return a number that changes when another connection has committed; cheap enough to be asked often."""
        return self.ask(self.database.version)

    def now(self) -> float:
        """Return the time that leases are counted in: a team's machines need not agree on theirs."""
        return self.ask(self.database.now)

    def last_number(self, table: str) -> int:
        """Return the highest number an autoincrement column of a table ever gave out, of deleted rows too."""
        return self.ask(lambda con: self.database.last_number(con, table))

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return name and type of a table's columns."""
        return self.ask(lambda con: self.database.columns(con, table))


_INSERT_EVENT = "insert into events (run_id, step, kind, at, data) values (:run_id, :step, :kind, :at, :data)"


def upsert(table: str, row: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return the SQL that inserts `row` or, where `keys` exist, updates the other columns."""
    names = ", ".join(f'"{c}"' for c in row)
    values = ", ".join(f":{c}" for c in row)
    sets = ", ".join(f'"{c}" = excluded."{c}"' for c in row if c not in keys)
    conflict = f"on conflict ({', '.join(keys)}) do update set {sets}"
    return f"insert into {table} ({names}) values ({values}) {conflict}"  # noqa: S608 - names of our own
