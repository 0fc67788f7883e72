"""The sign of life of this process: a lock that the operating system drops with it, and in a team a lease.

A lock needs no heartbeat and trusts no clock, but only this machine sees it. A lease is a row whose time the process
renews, in the database server's time; whoever finds it run out takes the work over, and fences the process: from
then on nothing counts that it writes in its own name, neither into the catalog nor into the journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from aios_workbench.errors import FencedError, UnreachableError, WorkspaceError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.locks import alive, last_seen, lease_seconds, living, lock_file, locked

__all__ = [
    "Lease",
    "alive",
    "claim",
    "inherit",
    "last_seen",
    "left_behind",
    "lock_file",
    "orphaned",
    "workers_alive",
]

_BEATS = 5  # within a lease: four may be lost


class Lease:
    """The sign of life of this process. Keep it as long as the process works for the workspace.

    Parameters
    ----------
    fenced : callable
        Told once, from another thread, that the process was taken for dead.
    """

    def __init__(self, ws: Workspace, kind: str, fenced: Callable[[], None] = lambda: None) -> None:
        self.executor_id = f"{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.path = lock_file(ws, self.executor_id)
        self._ws, self._fenced = ws, fenced
        self._seconds = lease_seconds()
        self._beaten = _clock()
        self._steady_from = 0.0
        self._ended = threading.Event()
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
        seen = "aios_now()" if ws.shared else "null"
        ws.catalog.write(
            "insert into executors (executor_id, kind, pid, host, started_at, seen_at) "  # noqa: S608 - one of two texts
            f"values (:id, :kind, :pid, :host, :now, {seen})",
            id=self.executor_id, kind=kind, pid=os.getpid(), host=socket.gethostname(), now=time.time(),
        )  # fmt: skip
        if ws.shared:
            threading.Thread(target=self._keep, name="aios-lease", daemon=True).start()

    @property
    def steady(self) -> bool:
        """False for one lease after the database was away: others too had no chance to renew theirs."""
        return _clock() >= self._steady_from

    def beat(self) -> None:
        """Leave a trace of when this process was last there; a team's processes are alive by it.

        Raises
        ------
        FencedError
            When the process was taken for dead.
        WorkspaceError
            When the database cannot be reached.
        """
        with contextlib.suppress(OSError):
            os.utime(self.path)
        if not self._ws.shared:
            return
        before = _clock()
        # Not a transaction of the catalog's: a sign of life does not wait for writers.
        renewed = self._ws.catalog.ask(lambda con: con.execute(_RENEW, {"id": self.executor_id}).rowcount)
        if not renewed:
            self._ended.set()
            raise FencedError(
                f"{self.executor_id} was silent for longer than its lease of {self._seconds:g} s, and its work was "
                "given to another process; this one starts anew with the next run"
            )
        if _clock() - self._beaten > self._seconds / 2:
            self._steady_from = _clock() + self._seconds
        self._beaten = before

    def sure(self) -> None:
        """Make sure that this process is not taken for dead before it does something that others can see.

        Raises
        ------
        FencedError
            When it was: it may have been stopped for longer than its lease.
        """
        while self._ws.shared and _clock() - self._beaten > self._seconds / 2:
            try:
                self.beat()
            except UnreachableError:  # then nobody else can take the work either: wait for the server
                time.sleep(0.5)

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds / _BEATS):
            try:
                self.beat()
            except FencedError:
                logging.getLogger("aios_workbench").warning("%s was fenced", self.executor_id)
                self._fenced()
            except Exception:  # the server is away: tried again until the lease is gone, and after
                logging.getLogger("aios_workbench").debug("lease", exc_info=True)

    def release(self) -> None:
        """Say that this process has stopped working for the workspace."""
        self._ended.set()
        if self._file is None:
            return
        file, self._file = self._file, None
        with contextlib.suppress(Exception):  # before the lock is given up: whoever inherits it asks who died
            self._ws.catalog.write(
                "update executors set ended_at = :now where executor_id = :id and ended_at is null",
                now=time.time(),
                id=self.executor_id,
            )
        file.close()  # unlocked, not removed: whoever finds it takes up what this process leaves unfinished


def _clock() -> float:
    """Return seconds that go on while the machine sleeps, where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


_RENEW = (
    "update executors set seen_at = aios_now() where executor_id = :id and fenced = 0 and ended_at is null"
)


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


def orphaned(ws: Workspace, own: str) -> list[str]:
    """Return the ids of a team's dead processes that nobody has dealt with, or that own unfinished runs."""
    rows = ws.catalog.query(
        "select executor_id, case when fenced = 1 or ended_at is not null or seen_at < aios_now() - :lease "
        "then 1 else 0 end as silent from executors where executor_id <> :own and "
        "((fenced = 0 and ended_at is null) or executor_id in (select owner from runs where owner is not null and "
        "status not in ('succeeded', 'failed', 'cancelled')))",
        own=own, lease=lease_seconds(),
    )  # fmt: skip
    return [r["executor_id"] for r in rows if r["silent"] or locked(ws, r["executor_id"]) is False]


@contextlib.contextmanager
def claim(ws: Workspace, dead: str, own: str) -> Iterator[bool]:
    """Fence a team's dead process and take what it left; yields True for exactly one of all who try.

    An adopter that dies itself loses the claim with its lease.
    """
    gone = locked(ws, dead) is False
    mine = ws.catalog.write(
        "update executors set fenced = 1, adopter = :own "
        "where executor_id = :dead and (fenced = 1 or ended_at is not null or :gone = 1 "
        "or seen_at < aios_now() - :lease) and (adopter is null or adopter = :own or adopter not in "
        "(select executor_id from executors where fenced = 0 and ended_at is null and seen_at >= aios_now() - :lease))",
        own=own, dead=dead, gone=int(gone), lease=lease_seconds(),
    )  # fmt: skip
    yield bool(mine)
    if mine:
        ws.catalog.write(
            "update executors set adopter = null where executor_id = :dead and adopter = :own",
            dead=dead,
            own=own,
        )


def workers_alive(ws: Workspace) -> list[str]:
    """Return the ids of living worker processes."""
    return [name for name in living(ws) if name.startswith("worker-")]
