"""Queries that end when nobody waits for their answer any more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

#: DuckDB forgets an interrupt that comes between two statements: it is said again until the query has ended.
_AGAIN = 0.05


class Stop:
    """Ends what one question runs in DuckDB, from another thread.

    Examples
    --------
    >>> stop = Stop()
    >>> with stoppable(stop):
    ...     pass  # tables.table(…) here ends with a ConflictError once another thread calls stop.stop()
    >>> stop.stop()
    >>> stop.stopped
    True
    """

    def __init__(self) -> None:
        self.stopped = False
        self._lock = threading.Lock()
        self._running: list[Any] = []
        self._idle = threading.Event()

    def stop(self) -> None:
        """End the query that runs, and let no other begin."""
        with self._lock:
            if self.stopped:
                return
            self.stopped = True
            busy = bool(self._running)
        if busy:
            threading.Thread(target=self._insist, name="aios-stop", daemon=True).start()

    @contextlib.contextmanager
    def running(self, con: Any) -> Iterator[None]:
        """Say that a connection is busy; it is interrupted only until this ends."""
        with self._lock:
            self._idle.clear()
            self._running.append(con)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(con)
                if not self._running:
                    self._idle.set()

    def _insist(self) -> None:
        while True:
            with self._lock:
                for con in self._running:
                    con.interrupt()
            if self._idle.wait(_AGAIN):
                return


_current: ContextVar[Stop | None] = ContextVar("aios_stop", default=None)


def current() -> Stop | None:
    """Return what may stop the queries of this thread, if anything."""
    return _current.get()


@contextlib.contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """Let `stop` end the queries made in this block."""
    token = _current.set(stop)
    try:
        yield
    finally:
        _current.reset(token)
