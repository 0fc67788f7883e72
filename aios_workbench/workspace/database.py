"""What the catalog asks of a database: SQLite (`sqlite.py`) for one machine, PostgreSQL (`postgres.py`) for a team.

All SQL of the package is written once, in SQLite's words and with named parameters `:name`; `portable.py` says it
in PostgreSQL's.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from aios_workbench.errors import WorkspaceError


class Cursor(Protocol):
    """The rows of a statement; each row is read by name and by number, like `sqlite3.Row`."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement touched."""

    def fetchone(self) -> Any:
        """Return the next row, None behind the last."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Session(Protocol):
    """A connection inside a transaction; `sqlite3.Connection` is one."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        """Run one statement for each of several sets of parameters."""


class Database(Protocol):
    """One kind of database, and where it is."""

    #: what it raises, besides our own errors
    errors: ClassVar[tuple[type[Exception], ...]]
    #: seen by processes on other machines: who lives is said by leases in it, not by locks of this machine
    shared: ClassVar[bool]

    @property
    def place(self) -> str:
        """Where it is, for messages; without a password."""

    def open(self) -> Any:
        """Return a new connection."""

    def close(self, con: Any) -> None:
        """End a connection."""

    def begin(self, con: Any) -> None:
        """Start a transaction that no other writer's overlaps."""

    def fenced(self, con: Any, writers: Collection[str]) -> set[str]:
        """Return those of some executors that were taken for dead: nothing they write counts any more."""

    def commit(self, con: Any) -> None:
        """Store the transaction, and let `version` say that something was."""

    def rollback(self, con: Any) -> None:
        """Undo the transaction, if there still is one."""

    def version(self, con: Any) -> int:
        """Return a number that changes when another connection has committed."""

    def usable(self, con: Any) -> bool:
        """False when the connection has ended, or is in the middle of something."""

    def is_wrong(self, e: Exception) -> bool:
        """True when one statement is wrong, not the database."""

    def store(self, con: Any, batch: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Store deferred rows in the open transaction; one that can never be stored is logged and left out."""

    def explain(self, e: Exception) -> WorkspaceError:
        """Return the error to raise in place of the database's own."""

    def last_number(self, con: Any, table: str) -> int:
        """Return the highest number that an autoincrement column of a table ever gave out."""

    def columns(self, con: Any, table: str) -> list[tuple[str, str]]:
        """Return name and type (SQLite's word for it) of a table's columns, in order."""

    def now(self, con: Any) -> float:
        """Return the time that leases are counted in: the machine's own for one machine, the server's for many."""

    def migrate(self, con: Any) -> None:
        """Create the tables, or bring those of an older version up to date."""


class PerThread:
    """One connection per thread; those of threads that have ended are closed when a new one is opened.

    SQLite's way: `data_version` tells of other connections, and opening a file costs microseconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._local = threading.local()
        self._all: list[tuple[threading.Thread, Any, threading.RLock]] = []
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> Any:
        """Return this thread's connection, which `close` leaves alone until it is given back."""
        con = self.current()
        self._local.busy.acquire()
        return con

    def give(self, con: Any) -> None:  # noqa: ARG002 - the thread keeps it
        """Say that nothing runs on it now."""
        self._local.busy.release()

    def current(self) -> Any:
        """Return this thread's connection."""
        con = getattr(self._local, "con", None)
        if con is not None:
            return con
        if self._closed:
            raise closed(self._database)
        con = self._database.open()
        self._local.con, self._local.busy = con, threading.RLock()
        with self._lock:
            ended = [entry for entry in self._all if not entry[0].is_alive()]
            self._all = [entry for entry in self._all if entry[0].is_alive()]
            self._all.append((threading.current_thread(), con, self._local.busy))
        for _, old, _ in ended:
            self._database.close(old)
        return con

    def close(self) -> None:
        """End every connection, each when its thread has ended what it does."""
        self._closed = True
        with self._lock:
            connections, self._all = self._all, []
        for _, con, busy in connections:
            # Closing a connection under another thread's statement would crash the interpreter.
            if busy.acquire(timeout=30):
                self._database.close(con)
                busy.release()
        self._local = threading.local()

    @property
    def size(self) -> int:
        """How many connections are open."""
        return len(self._all)


class Pooled:
    """Connections shared by all threads: a server has few. A thread keeps one while it is inside a transaction."""

    IDLE = 4

    def __init__(self, database: Database) -> None:
        self._database = database
        self._local = threading.local()
        self._idle: list[Any] = []
        self._out = 0
        self._back = threading.Condition()
        self._closed = False

    def take(self) -> Any:
        """Return the connection this thread has taken already, else one that is idle, else a new one."""
        held = getattr(self._local, "held", None)
        if held is not None:
            self._local.depth += 1
            return held
        with self._back:
            if self._closed:
                raise closed(self._database)
            con = self._idle.pop() if self._idle else None
            self._out += 1
        try:
            con = con if con is not None else self._database.open()
        except BaseException:
            with self._back:
                self._out -= 1
            raise
        self._local.held, self._local.depth = con, 1
        return con

    def give(self, con: Any) -> None:
        """Give it back; one that has ended, or one too many, is closed."""
        self._local.depth -= 1
        if self._local.depth:
            return
        self._local.held = None
        with self._back:
            self._out -= 1
            keep = not self._closed and self._database.usable(con) and len(self._idle) < self.IDLE
            if keep:
                self._idle.append(con)
            self._back.notify_all()
        if not keep:
            self._database.close(con)

    def current(self) -> Any:
        """Return the connection this thread has taken; outside of a transaction there is none to return."""
        con = self.take()
        self.give(con)
        return con

    def close(self) -> None:
        """End every connection; those in use when they are given back."""
        own = 1 if getattr(self._local, "held", None) is not None else 0
        with self._back:
            self._closed = True
            idle, self._idle = self._idle, []
            self._back.wait_for(lambda: self._out <= own, timeout=30)
        for con in idle:
            self._database.close(con)

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._out + len(self._idle)


def closed(database: Database) -> WorkspaceError:
    """Return what is raised when a closed catalog is asked."""
    return WorkspaceError(f"the catalog {database.place} is closed; open the workspace again")
