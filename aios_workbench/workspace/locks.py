"""Which processes are alive, as anybody may ask.

On one machine each holds an advisory lock on a file of its own. The kernel of the operating system drops the lock when
the process dies, however it dies, and keeps it while the process is merely stopped. That alone decides; the file's
time only tells roughly when it was last there.

A team's machines see no locks of each other. There each process holds a lease: a row in `executors` whose time it
renews, always in the database server's time. Whose lease has run out is dead, a stopped process too: it is fenced,
so that what it still writes when it comes back does not count. The lock is kept as well, because it tells at once
of a death on the same machine.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from aios_workbench.errors import ParameterError
from aios_workbench.workspace.home import Workspace

LEASE_SECONDS = 15.0


def lease_seconds() -> float:
    """Return how long a process may be silent before it is taken for dead: AIOS_LEASE_SECONDS, 15 if not set.

    Raises
    ------
    ParameterError
        When the setting is no number of seconds, or less than one.
    """
    text = os.environ.get("AIOS_LEASE_SECONDS", "")
    try:
        seconds = float(text) if text else LEASE_SECONDS
    except ValueError:
        seconds = 0.0
    if not 1.0 <= seconds <= 3600.0:
        raise ParameterError(
            f"AIOS_LEASE_SECONDS is {text!r}; give seconds from 1 to 3600, more than any pause of a process or "
            "the network, the same on all machines"
        )
    return seconds


def lock_file(ws: Workspace, executor_id: str) -> Path:
    """Return where a process's lock lies."""
    return ws.root / "executors" / f"{executor_id}.lock"


def alive(ws: Workspace, executor_id: str | None) -> bool:
    """True while the process with this id lives (running or stopped; in a team: running)."""
    if not executor_id:
        return False
    held = locked(ws, executor_id)
    if not ws.shared or held is False:
        return bool(held)
    return bool(
        ws.catalog.query(
            "select 1 from executors where executor_id = :id and fenced = 0 and ended_at is null "
            "and seen_at > aios_now() - :lease",
            id=executor_id, lease=lease_seconds(),
        )
    )  # fmt: skip


def locked(ws: Workspace, executor_id: str) -> bool | None:
    """Return whether a process holds its lock; None when this machine has no lock of it."""
    try:
        with lock_file(ws, executor_id).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def known(ws: Workspace) -> list[str]:
    """Return the ids of the processes that have not said good-bye, dead or alive."""
    if not ws.shared:
        return sorted(path.stem for path in (ws.root / "executors").glob("*.lock"))
    rows = ws.catalog.query(
        "select executor_id from executors where fenced = 0 and ended_at is null order by started_at"
    )
    return [row["executor_id"] for row in rows]


def living(ws: Workspace) -> list[str]:
    """Return the ids of all living processes."""
    return [name for name in known(ws) if alive(ws, name)]


def last_seen(ws: Workspace, executor_id: str | None) -> float | None:
    """Return when a process last said that it lives, to a few seconds; None when nothing of it is left."""
    if not executor_id:
        return None
    if ws.shared:
        row = ws.catalog.one("select seen_at from executors where executor_id = :id", id=executor_id)
        return row["seen_at"] if row else None
    try:
        return lock_file(ws, executor_id).stat().st_mtime
    except OSError:
        return None
