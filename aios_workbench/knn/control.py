"""What a strategy asks while it works: go on, wait, or stop; how much time and memory is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from aios_workbench.knn.models import Constraints


class Stop(BaseException):
    """The strategy has to end: a person asked for it, or the time is over. What was emitted is kept.

    No `Exception`, so that a strategy which survives a family that fails does not survive this.
    """


class Control:
    """Handed to a strategy; the worker's other threads set it.

    Parameters
    ----------
    budget : float
        Seconds; what is spent paused does not count.
    constraints : Constraints, optional
        What is asked for now: a person may change it while the strategy works.
    memory_limit : int, optional
        Bytes the whole process may take; the worker is ended above it.
    clock : callable
        Seconds, monotonic.

    Examples
    --------
    >>> control = Control(60)
    >>> control.check()
    >>> control.left <= 60
    True
    >>> control.stop()
    >>> control.check()
    Traceback (most recent call last):
    aios_workbench.knn.control.Stop: stopped
    """

    def __init__(
        self, budget: float = float("inf"), constraints: Constraints | None = None, memory_limit: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.budget = budget
        self.constraints = constraints or Constraints()
        self.memory_limit = memory_limit
        self._clock = clock
        self._began = clock()
        self._away = 0.0
        self._paused_at: float | None = None
        self._changed = threading.Condition()
        self.stopped = False
        #: Called with "paused" when `check` begins to wait, and with "running" when it goes on.
        self.on_pause: Callable[[str], None] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start without the pauses."""
        with self._changed:
            now = self._clock() if self._paused_at is None else self._paused_at
            return now - self._began - self._away

    @property
    def left(self) -> float:
        """Seconds of the budget that are left, at least 0."""
        return max(0.0, self.budget - self.elapsed)

    @property
    def paused(self) -> bool:
        """True while somebody wants a pause."""
        return self._paused_at is not None

    def check(self) -> None:
        """Wait while paused; return when there is time to go on.

        Raises
        ------
        Stop
            When somebody asked to stop, or the budget is spent.
        """
        if self.paused and not self.stopped:
            if self.on_pause:
                self.on_pause("paused")
            with self._changed:
                self._changed.wait_for(lambda: self.stopped or not self.paused)
            if self.on_pause and not self.stopped:
                self.on_pause("running")
        if self.stopped:
            raise Stop("stopped")
        if self.left <= 0:
            raise Stop("the time is over")

    def pause(self) -> None:
        """Let the next `check` wait; time stands still from now on."""
        with self._changed:
            if self._paused_at is None:
                self._paused_at = self._clock()

    def resume(self) -> None:
        """End a pause."""
        with self._changed:
            if self._paused_at is not None:
                self._away += self._clock() - self._paused_at
                self._paused_at = None
                self._changed.notify_all()

    def stop(self) -> None:
        """Let the next `check` raise, also one that waits."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()
