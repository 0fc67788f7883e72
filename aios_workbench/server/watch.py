"""Tells the browser that a workspace changed, whoever changed it: a kernel, a worker, the CLI."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aios_workbench.errors import WorkspaceError
from aios_workbench.server import jobviews
from aios_workbench.workspace import Workspace

POLL_SECONDS = 0.25
#: How long a folder is watched after somebody asked about it while no page listens.
LEASE_SECONDS = 60.0
#: A run whose process died commits nothing more: look whether owners live.
HONESTY_SECONDS = 2.0
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
        Called on the watcher's thread with `{workspace, seq, after, runs, kinds}`.
    listening : callable
        True while some page is connected: then nobody has to ask again to keep the news coming.
    """

    def __init__(
        self, root: Path, find: Find, emit: Emit, listening: Callable[[], bool] = lambda: False,
        *, poll: float = POLL_SECONDS, lease: float = LEASE_SECONDS,
    ) -> None:  # fmt: skip
        self.root = root
        self._find = find
        self._emit = emit
        self._listening = listening
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
        look: _Look | None = None
        first = True
        while True:
            try:
                ws = self._find(self.root)
                if ws is None:
                    look = None
                elif look is None or look.ws is not ws:
                    look = _Look(self.root, ws)
                    if not first:
                        self._emit(_message(self.root, 0, look.last, []))  # it has come into being
                else:
                    for message in look.news():
                        self._emit(message)
                first = False
            except WorkspaceError:
                look = None  # closed, deleted, damaged: look again
            except RuntimeError:
                return  # the server's loop is closed: it is shutting down
            if self._stop.wait(self._poll) or self._over():
                return

    def _over(self) -> bool:
        """True when nobody needs this any more; a page that listens needs it for as long as it does."""
        if time.monotonic() < self._until:
            return False
        if not self._listening():
            return True
        self._until = time.monotonic() + self._lease
        return False


class _Look:
    """What was seen of a workspace, and what is new since."""

    def __init__(self, root: Path, ws: Workspace) -> None:
        self.root, self.ws = root, ws
        self.version, self.last = ws.catalog.data_version(), last_seq(ws)
        self.dead, self.workers, self.honest = orphans(ws), jobviews.workers(ws), time.monotonic()

    def news(self) -> Iterator[dict[str, Any]]:
        """Yield a message for what was committed, and one for runs whose process has died or was replaced."""
        now = self.ws.catalog.data_version()
        if now != self.version:
            rows = self.ws.catalog.query(_NEWS, last=self.last)
            after, self.last = self.last, rows[-1]["seq"] if rows else self.last
            self.version = now
            yield _message(self.root, after, self.last, rows)
        if time.monotonic() - self.honest >= HONESTY_SECONDS:
            before = self.dead, self.workers
            self.dead, self.workers, self.honest = (
                orphans(self.ws),
                jobviews.workers(self.ws),
                time.monotonic(),
            )
            if (self.dead, self.workers) != before:
                moved = [{"run_id": run, "kind": "owner"} for run in sorted(self.dead ^ before[0])]
                yield _message(self.root, self.last, self.last, moved or [{"run_id": None, "kind": "worker"}])


class Watchers:
    """One watcher per workspace folder in use."""

    def __init__(
        self, find: Find, emit: Callable[[dict[str, Any]], object],
        listening: Callable[[], bool] = lambda: False, *, poll: float = POLL_SECONDS,
    ) -> None:  # fmt: skip
        self._find = find
        self._emit = emit
        self._listening = listening
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

            watcher = self._all[root] = Watcher(root, self._find, emit, self._listening, poll=self._poll)
        watcher.touch()

    def stop(self) -> None:
        """End all."""
        for watcher in self._all.values():
            watcher.stop()
        self._all.clear()


_NEWS = "select seq, run_id, kind from events where seq > :last order by seq limit 5000"


def _message(root: Path, after: int, seq: int, news: list[dict[str, Any]]) -> dict[str, Any]:
    runs = list(dict.fromkeys(r["run_id"] for r in news if r["run_id"]))[-_MAX_RUNS:]
    kinds = sorted({r["kind"] for r in news})
    return {"workspace": str(root), "seq": seq, "after": after, "runs": runs, "kinds": kinds}


def orphans(ws: Workspace) -> set[str]:
    """Return the runs whose process is gone while they were going on: no event can tell of that."""
    from aios_workbench.workspace.locks import alive

    rows = ws.catalog.query(
        "select run_id, owner from runs where status in ('running', 'waiting') order by created_at desc limit 500"
    )
    living: dict[str | None, bool] = {}
    for row in rows:
        if row["owner"] not in living:
            living[row["owner"]] = alive(ws, row["owner"])
    return {r["run_id"] for r in rows if not living[r["owner"]]}


def listening(logger: Any, schema: str) -> bool:
    """True while a page is connected to Jupyter's event socket.

    jupyter_events has no public way to ask; should the attributes go, pages are served by the lease alone.
    """
    names = ("_modified_listeners", "_unmodified_listeners")
    return any(bool(getattr(logger, name, {}).get(schema)) for name in names)


def last_seq(ws: Workspace) -> int:
    """Return the number of the newest event."""
    row = ws.catalog.one("select max(seq) as seq from events")
    return int(row["seq"] or 0) if row else 0
