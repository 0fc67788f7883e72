"""Which processes are alive, as anybody may ask: each holds an advisory lock on a file of its own.

The kernel of the operating system drops the lock when the process dies, however it dies, and keeps it while
the process is merely stopped. That alone decides; the file's time only tells roughly when it was last there.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from aios_workbench.workspace.home import Workspace


def lock_file(ws: Workspace, executor_id: str) -> Path:
    """Return where a process's lock lies."""
    return ws.root / "executors" / f"{executor_id}.lock"


def alive(ws: Workspace, executor_id: str | None) -> bool:
    """True while the process with this id lives (running or stopped)."""
    if not executor_id:
        return False
    try:
        with lock_file(ws, executor_id).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def last_seen(ws: Workspace, executor_id: str | None) -> float | None:
    """Return when a process last said that it lives, to a few seconds; None when nothing of it is left."""
    if not executor_id:
        return None
    try:
        return lock_file(ws, executor_id).stat().st_mtime
    except OSError:
        return None
