"""One thread per workspace that brings live widgets up to date, whoever moved their run."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from typing import Any, Protocol

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace

#: How often another process's commits are looked for.
POLL_SECONDS = 0.2
#: The least time between two updates of a screen: at most 20 a second.
UPDATE_SECONDS = 0.05
#: A run whose process died commits nothing more: look at the clock as well.
HONESTY_SECONDS = 2.0


class Feed(Protocol):
    """Something that shows a run."""

    @property
    def live(self) -> bool:
        """True while its run can still move."""

    def concerns(self, events: list[dict[str, Any]]) -> bool:
        """True when one of these events of this process is about what it shows."""

    def refresh(self) -> None:
        """Read the state and show it."""


class Watcher:
    """Refreshes feeds after every commit; ends its thread when none is live.

    In-process events wake it at once; other processes' commits show in SQLite's `data_version`, a poll of
    microseconds. Feeds are held weakly: a widget that is gone needs nothing to be said.
    """

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self._feeds: weakref.WeakSet[Any] = weakref.WeakSet()
        self._due: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._unlisten = ws.catalog.listen(self._heard)

    @property
    def alive(self) -> bool:
        """True while the thread runs."""
        return self._thread is not None

    def add(self, feed: Feed) -> None:
        """Keep a feed up to date until it is removed or gone."""
        with self._lock:
            self._feeds.add(feed)
        self.poke(feed)

    def remove(self, feed: Feed) -> None:
        """Forget a feed."""
        with self._lock:
            self._feeds.discard(feed)
            self._due.discard(feed)
        self._wake.set()

    def poke(self, feed: Feed) -> None:
        """Refresh a feed soon, live or not."""
        with self._lock:
            self._due.add(feed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="aios-screens", daemon=True)
                self._thread.start()
        self._wake.set()

    def _heard(self, events: list[dict[str, Any]]) -> None:
        for feed in self._snapshot():
            if feed.concerns(events):
                self.poke(feed)

    def _snapshot(self) -> list[Any]:
        with self._lock:
            return list(self._feeds)

    def _run(self) -> None:
        version, honest = -1, time.monotonic()
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()  # before reading: what is stored from here on sets it again
            try:
                now = self.ws.catalog.data_version()
            except (WorkspaceError, AttributeError):  # closed
                now = version
            with self._lock:
                due, self._due = set(self._due), weakref.WeakSet()
            if now != version or time.monotonic() - honest > HONESTY_SECONDS:
                version, honest = now, time.monotonic()
                due |= {f for f in self._snapshot() if f.live}
            for feed in due:
                with contextlib.suppress(Exception):  # one broken screen must not stop the others
                    feed.refresh()
            del due
            with self._lock:
                if not self._due and not any(f.live for f in self._feeds):
                    self._thread = None
                    return
            feed = None  # the loop must not be what keeps a widget alive
            time.sleep(UPDATE_SECONDS)


_watchers: weakref.WeakKeyDictionary[Workspace, Watcher] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def watcher(ws: Workspace) -> Watcher:
    """Return this process's watcher of a workspace."""
    with _lock:
        found = _watchers.get(ws)
        if found is None:
            found = _watchers[ws] = Watcher(ws)
        return found
