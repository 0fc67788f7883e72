"""Tells the browser that a workspace changed, whoever changed it: a kernel, a worker, the CLI."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace

POLL_SECONDS = 0.25
#: A client asks for a snapshot at least once a minute, so a watcher nobody needs ends soon after.
LEASE_SECONDS = 150.0
_MAX_RUNS = 100

Emit = Callable[[dict[str, Any]], None]
Find = Callable[[Path], Workspace | None]


class Watcher:
    """Polls one workspace folder on a thread of its own while somebody listens.

    The folder need not be there yet: the first run of a new user is the one they want to see.

    Parameters
    ----------
    root : Path
        The workspace folder.
    find : callable
        Returns the workspace in a folder, or None while there is none; another object when it was made anew.
    emit : callable
        Called on the watcher's thread with `{workspace, seq, runs, kinds}`.
    """

    def __init__(
        self, root: Path, find: Find, emit: Emit, *, poll: float = POLL_SECONDS, lease: float = LEASE_SECONDS
    ) -> None:
        self.root = root
        self._find = find
        self._emit = emit
        self._poll = poll
        self._lease = lease
        self._until = 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """True while the folder is polled."""
        return self._thread is not None and self._thread.is_alive()

    def touch(self) -> None:
        """Keep watching for another lease."""
        with self._lock:
            self._until = time.monotonic() + self._lease
            if not self.alive and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, name="aios-watch", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End now; on return the workspace is no longer looked at."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    def _watch(self) -> None:
        seen: Workspace | None = None
        version = last = 0
        first = True
        while True:
            try:
                ws = self._find(self.root)
                if ws is not None and ws is not seen:
                    version, last = ws.catalog.data_version(), last_seq(ws)
                    if not first:
                        self._emit(_message(self.root, last, []))  # it has come into being
                elif ws is not None and (now := ws.catalog.data_version()) != version:
                    version = now
                    news = ws.catalog.query(_NEWS, last=last)
                    last = news[-1]["seq"] if news else last
                    self._emit(_message(self.root, last, news))
                seen, first = ws, False
            except (WorkspaceError, sqlite3.Error):
                seen = None  # closed, deleted, damaged: look again
            except RuntimeError:
                return  # the server's loop is closed: it is shutting down
            if self._stop.wait(self._poll) or time.monotonic() >= self._until:
                return


class Watchers:
    """One watcher per workspace folder in use."""

    def __init__(
        self, find: Find, emit: Callable[[dict[str, Any]], object], *, poll: float = POLL_SECONDS
    ) -> None:
        self._find = find
        self._emit = emit
        self._poll = poll
        self._all: dict[Path, Watcher] = {}

    def touch(self, root: Path) -> None:
        """Watch `root` for a while longer. Call on the server's loop."""
        watcher = self._all.get(root)
        if watcher is None:
            loop = asyncio.get_running_loop()

            def emit(data: dict[str, Any]) -> None:
                # jupyter_events emits on the loop only; from a thread it raises.
                loop.call_soon_threadsafe(self._emit, data)

            watcher = self._all[root] = Watcher(root, self._find, emit, poll=self._poll)
        watcher.touch()

    def stop(self) -> None:
        """End all."""
        for watcher in self._all.values():
            watcher.stop()
        self._all.clear()


_NEWS = "select seq, run_id, kind from events where seq > :last order by seq limit 5000"


def _message(root: Path, seq: int, news: list[dict[str, Any]]) -> dict[str, Any]:
    runs = list(dict.fromkeys(r["run_id"] for r in news if r["run_id"]))[-_MAX_RUNS:]
    return {"workspace": str(root), "seq": seq, "runs": runs, "kinds": sorted({r["kind"] for r in news})}


def last_seq(ws: Workspace) -> int:
    """Return the number of the newest event."""
    row = ws.catalog.one("select max(seq) as seq from events")
    return int(row["seq"] or 0) if row else 0
