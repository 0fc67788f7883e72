"""The durable engine's journal: DBOS's tables in a file, or in a schema beside the catalog's in a team's database."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from aios_workbench.workspace import Workspace, use_wal

APP = "aios-workbench"
WORKFLOW = "aios.run"
#: Part of a journal's format: a run started by one version is only resumed by the same.
VERSION = "1"
QUEUE = "aios"  # adopted runs: any living process may take them
WORKER_QUEUE = "aios-workers"  # runs put there for a worker


def journal_engine(ws: Workspace) -> Any:
    """Return the SQLAlchemy engine for the journal; DBOS alone would use DELETE and FULL."""
    return _file_engine(ws) if ws.address is None else _team_engine(ws.address)


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
    import sqlalchemy as sa

    # The journal decides what is done again: it is stored before anybody goes on, whatever the catalog is allowed.
    # A server's connections are few, and shared by all machines: no more than ten a process.
    return sa.create_engine(
        address.sqlalchemy, pool_size=4, max_overflow=6, pool_pre_ping=True,
        connect_args={
            "options": "-c idle_in_transaction_session_timeout=10s",
            "application_name": "aios-journal", "connect_timeout": 10,
            "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
        },
    )  # fmt: skip


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
            own.dispose()


def client(ws: Workspace, engine: Any) -> Any:
    """Return a client of the journal, which needs no engine in this process."""
    from dbos import DBOSClient

    return DBOSClient(
        system_database_engine=engine, dbos_system_schema=journal_schema(ws), application_name=APP
    )


def enqueue(ws: Workspace, run_id: str, leg: int, seed: dict[str, dict[str, Any]], queue: str) -> None:
    """Put a leg of a run into a queue; needs no engine in this process."""
    from dbos import DBOS, EnqueueOptions

    engine = journal_engine(ws)
    if not there(ws, engine):  # no process has launched the engine here yet
        if ws.address is None:
            DBOS.migrate(f"sqlite:///{ws.journal}")
        else:
            DBOS.migrate(ws.address.sqlalchemy, schema=ws.address.journal)
    speaker = client(ws, engine)
    try:
        options: EnqueueOptions = {
            "queue_name": queue, "workflow_name": WORKFLOW, "app_version": VERSION,
            "workflow_id": leg_id(run_id, leg),
        }  # fmt: skip
        speaker.enqueue(options, run_id, leg, seed)
    finally:
        speaker.destroy()
        engine.dispose()


def leg_id(run_id: str, leg: int) -> str:
    """Return the journal's name for a leg of a run."""
    return f"{run_id}.{leg}"
