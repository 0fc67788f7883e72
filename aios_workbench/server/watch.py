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


class Watcher:
    """Polls one catalog on a thread of its own while somebody listens.

    Parameters
    ----------
    ws : Workspace
        Whose catalog.
    emit : callable
        Called on the watcher's thread with `{workspace, seq, runs, kinds}`.
    """

    def __init__(
        self, ws: Workspace, emit: Emit, *, poll: float = POLL_SECONDS, lease: float = LEASE_SECONDS
    ) -> None:
        self._ws = ws
        self._emit = emit
        self._poll = poll
        self._lease = lease
        self._until = 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """True while the catalog is polled."""
        return self._thread is not None and self._thread.is_alive()

    def touch(self) -> None:
        """Keep watching for another lease."""
        with self._lock:
            self._until = time.monotonic() + self._lease
            if not self.alive and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, name="aios-watch", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End now."""
        self._stop.set()

    def _watch(self) -> None:
        try:
            catalog = self._ws.catalog
            version = catalog.data_version()
            last = last_seq(self._ws)
            while not self._stop.wait(self._poll) and time.monotonic() < self._until:
                now = catalog.data_version()
                if now == version:
                    continue
                version = now
                news = catalog.query(
                    "select seq, run_id, kind from events where seq > :last order by seq limit 5000",
                    last=last,
                )
                last = news[-1]["seq"] if news else last
                runs = list(dict.fromkeys(r["run_id"] for r in news if r["run_id"]))[-_MAX_RUNS:]
                kinds = sorted({r["kind"] for r in news})
                self._emit({"workspace": str(self._ws.root), "seq": last, "runs": runs, "kinds": kinds})
        except (WorkspaceError, sqlite3.Error):
            return  # closed, deleted or moved: the next request finds the new one and starts a new watcher
        except RuntimeError:
            return  # the server's loop is closed: it is shutting down


class Watchers:
    """One watcher per workspace in use."""

    def __init__(self, emit: Callable[[dict[str, Any]], object], *, poll: float = POLL_SECONDS) -> None:
        self._emit = emit
        self._poll = poll
        self._all: dict[Path, tuple[Workspace, Watcher]] = {}

    def touch(self, ws: Workspace) -> None:
        """Watch `ws` for a while longer. Call on the server's loop."""
        held = self._all.get(ws.root)
        if held is None or held[0] is not ws:
            if held is not None:
                held[1].stop()
            loop = asyncio.get_running_loop()
            # jupyter_events emits on the loop only; from a thread it raises.
            watcher = Watcher(ws, lambda data: _hand_over(loop, self._emit, data), poll=self._poll)
            held = self._all[ws.root] = (ws, watcher)
        held[1].touch()

    def stop(self) -> None:
        """End all."""
        for _, watcher in self._all.values():
            watcher.stop()
        self._all.clear()


def last_seq(ws: Workspace) -> int:
    """Return the number of the newest event."""
    row = ws.catalog.one("select max(seq) as seq from events")
    return int(row["seq"] or 0) if row else 0


def _hand_over(
    loop: asyncio.AbstractEventLoop, emit: Callable[[dict[str, Any]], object], data: dict[str, Any]
) -> None:
    loop.call_soon_threadsafe(emit, data)
