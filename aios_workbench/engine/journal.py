"""The durable engine's journal: DBOS's tables in a file, or in a schema beside the catalog's in a team's database."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
import weakref
from collections.abc import Iterator
from typing import Any

from aios_workbench.errors import FencedError, UnreachableError
from aios_workbench.workspace import Workspace, use_wal, writer

APP = "aios-workbench"
WORKFLOW = "aios.run"
#: Part of a journal's format: a run started by one version is only resumed by the same.
VERSION = "1"
_AWAY_SECONDS = 600.0
QUEUE = "aios"  # adopted runs: any living process may take them
WORKER_QUEUE = "aios-workers"  # runs put there for a worker


def journal_engine(ws: Workspace, executor: str | None = None) -> Any:
    """Return the SQLAlchemy engine for the journal; DBOS alone would use DELETE and FULL.

    Parameters
    ----------
    executor : str, optional
        In whose name it writes; the code's that asks if not given. Where that process is fenced, it cannot.
    """
    if ws.address is None:
        return _file_engine(ws)
    engine = _team_engine(ws.address)
    name = executor or writer.get()
    if name is not None:
        _fence(engine, ws.address.schema, name)
    return engine


def _file_engine(ws: Workspace) -> Any:
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{ws.journal}", pool_size=20, max_overflow=20)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        if sqlite3.sqlite_version_info < (3, 42):
            # On Python 3.12+ DBOS asks for unixepoch('subsec'), which an older SQLite answers with null.
            connection.create_function("unixepoch", -1, _unixepoch)
        use_wal(connection)
        full = "FULL" if ws.durability == "full" else "NORMAL"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", f"synchronous={full}"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _team_engine(address: Any) -> Any:
    import psycopg
    import sqlalchemy as sa

    from aios_workbench.workspace.postgres import Postgres

    server = Postgres(address)
    made: weakref.WeakSet[Any] = weakref.WeakSet()

    def connect() -> Any:
        """Wait for a server that is being restarted: DBOS would take some of these errors for the step's."""
        deadline = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                made.add(con := psycopg.connect(
                    address.url, connect_timeout=10, application_name="aios-journal",
                    options="-c idle_in_transaction_session_timeout=10s",
                    keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
                ))  # fmt: skip
                return con
            except psycopg.OperationalError as e:
                if not isinstance(server.explain(e), UnreachableError) or time.monotonic() > deadline:
                    raise
            time.sleep(0.3)

    # The journal decides what is done again: each outcome is stored before anybody goes on, as the server's
    # `synchronous_commit` has it. Its connections are few, and shared by all machines: no more than ten a process.
    engine = sa.create_engine(
        address.sqlalchemy, creator=connect, pool_size=4, max_overflow=6, pool_pre_ping=True
    )
    _made[engine] = made
    return engine


_made: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()


def close(engine: Any) -> None:
    """End all connections of a journal, those that threads of DBOS did not give back too."""
    engine.dispose()
    for connection in list(_made.get(engine, ())):
        with contextlib.suppress(Exception):
            connection.close()


_CHANGES = re.compile(
    r"\b(insert\s+into|update|delete\s+from)\s+\S*\b(workflow_status|operation_outputs)\b", re.IGNORECASE
)


def _fence(engine: Any, schema: str, name: str) -> None:
    """Let nothing be journaled in the name of a process that was taken for dead.

    DBOS itself refuses a step's outcome once another process has the run. This is for the time before: between the
    end of a lease and the adopter's taking up. The row is locked until the outcome is stored, so neither slips by.
    """
    import sqlalchemy as sa

    held = f'select 1 from "{schema}".executors where executor_id = %s and fenced = 0 for share'  # noqa: S608

    @sa.event.listens_for(engine, "before_cursor_execute")
    def check(_con: Any, cursor: Any, sql: str, _params: Any, _context: Any, _many: bool) -> None:
        if not _CHANGES.search(sql):
            return
        cursor.execute(held, (name,))
        if cursor.fetchone() is None:
            raise FencedError(
                f"{name} was taken for dead and its work given to another: nothing more is journaled"
            )


def _unixepoch(*modifiers: str) -> float:
    return time.time() if "subsec" in modifiers else int(time.time())


def journal_schema(ws: Workspace) -> str:
    """Return the name of the journal's schema; a file has none."""
    return "dbos" if ws.address is None else ws.address.journal


def place(ws: Workspace) -> str:
    """Return where the journal is, for messages."""
    return str(ws.journal) if ws.address is None else f"{ws.address} (journal in {ws.address.journal})"


def there(ws: Workspace, engine: Any = None) -> bool:
    """True when the journal has its tables: an engine was launched here, or a run was put into a queue."""
    if ws.address is None and not ws.journal.exists():
        return False
    import sqlalchemy as sa

    own = engine or journal_engine(ws)
    try:
        with own.connect() as con:
            schema = None if ws.address is None else ws.address.journal
            return bool(sa.inspect(con).has_table("workflow_status", schema=schema))
    finally:
        if engine is None:
            close(own)


@contextlib.contextmanager
def client(ws: Workspace, engine: Any) -> Iterator[Any]:
    """Give a client of the journal, which needs no engine in this process; the journal is closed with it."""
    from dbos import DBOSClient

    made = DBOSClient(
        system_database_engine=engine, dbos_system_schema=journal_schema(ws), application_name=APP
    )
    try:
        yield made
    finally:
        made.destroy()
        close(engine)


def enqueue(ws: Workspace, run_id: str, leg: int, seed: dict[str, dict[str, Any]], queue: str) -> None:
    """Put a leg of a run into a queue; needs no engine in this process."""
    from dbos import DBOS, EnqueueOptions

    engine = journal_engine(ws)
    if not there(ws, engine):  # no process has launched the engine here yet
        if ws.address is None:
            DBOS.migrate(f"sqlite:///{ws.journal}")
        else:
            DBOS.migrate(ws.address.sqlalchemy, schema=ws.address.journal)
    options: EnqueueOptions = {
        "queue_name": queue, "workflow_name": WORKFLOW, "app_version": VERSION, "workflow_id": leg_id(run_id, leg),
    }  # fmt: skip
    with client(ws, engine) as speaker:
        speaker.enqueue(options, run_id, leg, seed)


def leg_id(run_id: str, leg: int) -> str:
    """Return the journal's name for a leg of a run."""
    return f"{run_id}.{leg}"
