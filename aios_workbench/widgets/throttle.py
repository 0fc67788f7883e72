"""Calls that come too fast, thinned out without losing the last one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable


class Throttle:
    """Passes on the first call at once and at most one every `seconds` after it; the last is never lost.

    Parameters
    ----------
    act : callable
        What is called, never by two threads at a time. Its errors end nothing.
    seconds : float
        The least time between two calls.

    Examples
    --------
    >>> seen = []
    >>> throttle = Throttle(lambda: seen.append(1), 0.01)
    >>> for _ in range(100):
    ...     throttle()
    >>> throttle.flush()
    >>> 1 <= len(seen) < 100
    True
    """

    def __init__(self, act: Callable[[], object], seconds: float) -> None:
        self._act, self._seconds = act, seconds
        self._guard, self._acting = threading.Lock(), threading.Lock()
        self._timer: threading.Timer | None = None
        self._last = -seconds
        self._closed = False

    def __call__(self) -> None:
        """Act now, or as soon as it is time."""
        with self._guard:
            if self._closed or self._timer is not None:
                return
            # From a thread of its own in any case: who tells us news must not wait for a screen.
            wait = max(0.0, self._last + self._seconds - time.monotonic())
            self._timer = threading.Timer(wait, self._due)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Act on what was called for; returns when that is done."""
        with self._guard:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._run()
        with self._acting:
            pass

    def close(self) -> None:
        """Never act again."""
        with self._guard:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _due(self) -> None:
        with self._guard:
            if self._closed or self._timer is None:
                return
            self._timer = None  # before reading: what is called for from here on is acted on again
            self._last = time.monotonic()
        self._run()

    def _run(self) -> None:
        with self._acting, contextlib.suppress(Exception):
            self._act()
