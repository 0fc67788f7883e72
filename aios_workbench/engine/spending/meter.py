"""Counts what nobody has to report: attempts and seconds, of steps that have a budget. Others have no meter."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aios_workbench.engine.spending.ledger import Purse, by_step, exceeded
from aios_workbench.errors import BudgetExceeded, StepTimeout, WorkspaceError
from aios_workbench.workflow.budgets import ATTEMPTS, BUSY, SECONDS
from aios_workbench.workspace import Workspace

T = TypeVar("T")


@dataclass
class Clock:
    """Time in which at least one is at work; with `gaps` from the first one's start on. No wall clock is asked."""

    gaps: bool = False
    _active: int = 0
    _mark: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """One more is at work."""
        with self._lock:
            if self._mark is None or (not self._active and not self.gaps):
                self._mark = time.monotonic()
            self._active += 1

    def stop(self) -> float:
        """Return the seconds nobody has taken so far; one less is at work."""
        with self._lock:
            now = time.monotonic()
            taken, self._mark = self._running(now), now
            self._active -= 1
            return taken

    def running(self) -> float:
        """Return the seconds nobody has taken so far."""
        with self._lock:
            return self._running(time.monotonic())

    def _running(self, now: float) -> float:
        if self._mark is None or (not self._active and not self.gaps):
            return 0.0
        return now - self._mark


@dataclass
class Meter:
    """Lets the attempts of one step begin while its budgets last, and counts them."""

    ws: Workspace
    purse: Purse
    run: Clock
    step: Clock = field(default_factory=lambda: Clock(gaps=True))
    stands_in: bool = False  # a fallback may answer for a step that has spent all of its own

    def around(self, timeout: float | None, call: Callable[[float | None], T]) -> T:
        """Make an attempt: `call` gets its timeout, shortened to the seconds that are left.

        Raises
        ------
        BudgetExceeded
            Before it begins, or when the seconds are used up meanwhile.
        """
        left = self._seconds_left()
        if left is not None and left[0] <= 0:
            raise self._late(left[1], left[2])
        self.purse.enter(self.ws, {ATTEMPTS: 1.0}, but="step" if self.stands_in else "")
        began = time.monotonic()
        self.step.start()
        self.run.start()
        short = left is not None and (timeout is None or left[0] < timeout)
        try:
            return call(left[0] if left is not None and short else timeout)
        except StepTimeout:
            if left is None or not short:
                raise
            late = left[1], left[2]
        finally:
            self._count(time.monotonic() - began)
        raise self._late(*late)

    def _count(self, busy: float) -> None:
        name = self.purse.step
        amounts = {(name, BUSY): busy, (name, SECONDS): self.step.stop(), ("", SECONDS): self.run.stop()}
        try:
            self.purse.add(self.ws, amounts)
        except WorkspaceError:  # locked or full: what the step did counts more than its seconds
            logging.getLogger("aios_workbench").warning("not counted: %s", amounts, exc_info=True)

    def _seconds_left(self) -> tuple[float, str, str] | None:
        """Return the least seconds that are left, with the scope and unit; None when no budget has any."""
        found = []
        for scope, limits in self.purse.budget.scopes():
            for unit in (SECONDS, BUSY):
                if unit in limits:
                    left = self.purse.left(self.ws, unit, scope)
                    running = 0.0 if unit == BUSY else (self.step if scope == "step" else self.run).running()
                    found.append((left - running, scope, unit))
        return min(found, default=None)

    def _late(self, scope: str, unit: str) -> BudgetExceeded:
        limit = getattr(self.purse.budget, scope)[unit]
        left = self.purse.left(self.ws, unit, scope)
        steps = by_step(self.ws, self.purse, scope, unit)
        return exceeded(self.purse, scope, unit, limit, max(limit, limit - left), steps)
