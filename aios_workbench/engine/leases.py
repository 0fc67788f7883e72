"""Which processes are alive: each holds an advisory lock on a file of its own.

The kernel of the operating system drops the lock when the process dies, however it dies, and keeps it while
the process is merely stopped: no heartbeat to miss, no clock to trust.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.locks import alive, last_seen, lock_file

__all__ = ["Lease", "alive", "inherit", "last_seen", "left_behind", "lock_file", "workers_alive"]


class Lease:
    """The sign of life of this process. Keep it as long as the process works for the workspace."""

    def __init__(self, ws: Workspace, kind: str) -> None:
        self.executor_id = f"{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.path = lock_file(ws, self.executor_id)
        self._ws = ws
        temporary = self.path.with_suffix(".new")
        try:
            # Locked under another name first: a file that can be seen is never unlocked while its owner lives.
            self._file: IO[str] | None = temporary.open("w", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.write(f"{os.getpid()}\n")
            self._file.flush()
            temporary.rename(self.path)
        except OSError as e:
            raise WorkspaceError(
                f"cannot create {self.path}: {e}; is {ws.root} on a disk that allows locks?"
            ) from e
        ws.catalog.write(
            "insert into executors (executor_id, kind, pid, host, started_at) values (:id, :kind, :pid, :host, :now)",
            id=self.executor_id, kind=kind, pid=os.getpid(), host=socket.gethostname(), now=time.time(),
        )  # fmt: skip

    def beat(self) -> None:
        """Leave a trace of when this process was last there. Nothing is decided by it; see `last_seen`."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def release(self) -> None:
        """Say that this process has stopped working for the workspace."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with contextlib.suppress(Exception):  # before the lock is given up: whoever inherits it asks who died
            self._ws.catalog.write(
                "update executors set ended_at = :now where executor_id = :id",
                now=time.time(),
                id=self.executor_id,
            )
        file.close()  # unlocked, not removed: whoever finds it takes up what this process leaves unfinished


@contextlib.contextmanager
def inherit(path: Path) -> Iterator[bool]:
    """Take over a dead process's lock; yields True for exactly one of all who try at the same time."""
    try:
        file = path.open(encoding="utf-8")
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        # Someone may have inherited and removed it between our open and our lock.
        yield path.exists()


def left_behind(ws: Workspace, own: str) -> list[Path]:
    """Return the lock files of other processes, alive or not."""
    return [p for p in (ws.root / "executors").glob("*.lock") if p.stem != own]


def workers_alive(ws: Workspace) -> list[str]:
    """Return the ids of living worker processes."""
    names = [p.stem for p in (ws.root / "executors").glob("worker-*.lock")]
    return [n for n in names if alive(ws, n)]
