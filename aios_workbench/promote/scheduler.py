"""The embedded scheduler: every worker has one, and together they start each tick exactly once."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from aios_workbench.errors import AiosError
from aios_workbench.promote import alerts, claims, lateness, retention, rollout
from aios_workbench.promote.taking import waiting
from aios_workbench.promote.triggers import fire
from aios_workbench.workspace import Workspace

log = logging.getLogger(__name__)

#: Longest sleep: a clock that jumps is noticed this soon.
_DOZE = 3.0
#: How often the catalog is asked whether anything was written (a pragma, microseconds).
_GLANCE = 0.4
_BACK_OFF = 5.0
#: How often a worker makes sure that nothing waits for a time that a wrong clock made up: another worker, dead
#: since, may have been the only one to see that clock.
_REARM = 60.0
#: How often it looks for what is late.
_WATCH = 2.0
#: How often it looks for files that have grown old; the first time some minutes after its start.
_SWEEP, _FIRST_SWEEP = 3600.0, 300.0


class Stopper(Protocol):
    """What `run_forever` needs of a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether to stop."""

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep, unless told to stop."""


class Scheduler:
    """Claims due ticks, starts waiting runs, takes up those of dead workers.

    Parameters
    ----------
    executor_id : str
        This process's id, for which `alive` answers True everywhere while it lives.
    slots : int
        How many job runs this worker runs at a time. A kernel each.
    clock : callable
        Returns epoch seconds; tests give their own.
    alive : callable, optional
        Whether the process with an executor id lives; the engine's leases if not given.

    Examples
    --------
    >>> scheduler = Scheduler(workspace(), lease.executor_id)  # doctest: +SKIP
    >>> scheduler.run_forever(threading.Event())  # doctest: +SKIP
    """

    def __init__(
        self, ws: Workspace, executor_id: str, *, slots: int = 2,
        clock: Callable[[], float] = time.time, alive: Callable[[str], bool] | None = None,
    ) -> None:  # fmt: skip
        self.ws = ws
        self.executor_id = executor_id
        self.slots = slots
        self._clock = clock
        self._alive = alive or self._leased
        self._active: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._free = threading.Event()
        self._last_now: float | None = None
        self._watched: float | None = None
        self._swept = time.monotonic() - _SWEEP + _FIRST_SWEEP
        self._rearmed = 0.0
        self._alerts = alerts.Teller(ws, clock)

    @property
    def active(self) -> list[str]:
        """The job runs this worker is running."""
        with self._lock:
            return list(self._active)

    @property
    def idle(self) -> bool:
        """True when nothing runs here and nothing waits to."""
        return not self.active and not waiting(self.ws)

    def tick(self, now: float) -> list[str]:
        """Claim all ticks due at `now`, for every job; returns the ids of the job runs recorded, skipped ones too.

        A worker that starts, or whose clock went back, first makes sure that no job waits for a tick further
        ahead than its next one; then from time to time.
        """
        set_back = self._last_now is None or now < self._last_now
        if set_back or time.monotonic() - self._rearmed > _REARM:
            claims.rearm(self.ws, now)
            self._rearmed = time.monotonic()
        self._last_now = now
        return [row["job_run_id"] for row in claims.claim_ticks(self.ws, now)]

    def step(self, now: float) -> float:
        """Do all that can be done at `now`; returns the seconds until there may be more to do."""
        self.tick(now)
        fire(self.ws, now)
        claims.adopt(self.ws, self._alive, self.active, self.executor_id, now)
        while len(self.active) < self.slots and not self._stopping.is_set():
            last = self.slots > 1 and len(self.active) + 1 == self.slots
            run = claims.take(self.ws, self.executor_id, now, spare=not last)
            if run is None:
                break
            self._start(run)
        if self._watched is None or abs(now - self._watched) >= _WATCH:
            self._watched = now
            lateness.watch(self.ws, now)
        if time.monotonic() - self._swept > _SWEEP:
            self._swept = time.monotonic()
            threading.Thread(target=self._sweep, args=(now,), name="aios-sweep", daemon=True).start()
        rollout.step(self.ws, now)
        self._alerts.poke(now)
        return self._until_next(now)

    def run_forever(self, stop: Stopper) -> None:
        """Work until `stop` is set; then interrupt what runs, put it back in the queue and return.

        An error of the catalog (locked, disk full) is logged and tried again; a worker does not die of it.
        """
        seen: int | None = None
        due = 0.0
        while not stop.is_set():
            try:
                version = self.ws.catalog.data_version()
                if version != seen or time.monotonic() >= due or self._free.is_set():
                    seen = version
                    self._free.clear()
                    due = time.monotonic() + min(self.step(self._clock()), _DOZE)
            except AiosError:
                log.exception("the scheduler could not work; trying again in %.0f s", _BACK_OFF)
                due = time.monotonic() + _BACK_OFF
                stop.wait(_BACK_OFF)
            stop.wait(max(0.01, min(_GLANCE, due - time.monotonic())))
        self.stop()

    def stop(self, timeout: float = 20.0) -> None:
        """Interrupt the runs of this worker and put them back in the queue; resumed by whoever lives."""
        self._stopping.set()
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = list(self._active.values())
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._alerts.wait(max(0.0, deadline - time.monotonic()))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until what this worker runs now has ended; False when that took longer than `timeout` seconds."""
        with self._lock:
            threads = list(self._active.values())
        for thread in threads:
            thread.join(timeout)
        return not self.active

    def _start(self, run: dict[str, Any]) -> None:
        name = f"aios-{run['job_run_id']}"
        name_of_writer = contextvars.copy_context()  # in whose name the thread writes
        thread = threading.Thread(target=name_of_writer.run, args=(self._run, run), name=name, daemon=True)
        with self._lock:
            self._active[run["job_run_id"]] = thread
        thread.start()

    def _run(self, run: dict[str, Any]) -> None:
        try:
            from aios_workbench.promote.runner import cancel_workflows, execute

            outcome = execute(self.ws, run, _Watch(self.ws, run, self._stopping))
            if outcome.status == "stopped":
                claims.give_back(self.ws, run)
                return
            status = claims.finish(
                self.ws, run, outcome.status, outcome.error, self._clock(), final=outcome.final
            )
            if status in ("cancelled", "timeout"):
                cancel_workflows(self.ws, run["job_run_id"])
            rollout.after_run(self.ws, run, self._clock())
            retention.keep_files(self.ws, run["job_id"], self._clock())
        except Exception:  # the run stays RUNNING under this living worker: `adopt` puts it back in the queue
            log.exception("job run %s", run["job_run_id"])
        finally:
            with self._lock:
                del self._active[run["job_run_id"]]
            self._free.set()

    def _sweep(self, now: float) -> None:
        try:
            retention.sweep(self.ws, now)
        except Exception:  # the catalog is locked or closed, the disk full: it is tried again in an hour
            log.exception("old files of job runs could not be deleted")

    def _until_next(self, now: float) -> float:
        row = self.ws.catalog.one("select min(next_tick_at) as at from jobs where status = 'active'")
        times = [row["at"]] if row and row["at"] is not None else []
        queued = self.ws.catalog.query("select * from job_runs where status = 'queued'")
        times += [at for r in queued if (at := claims.retry_at(r, now)) is not None]
        if (due := alerts.next_at(self.ws)) is not None and due > now:
            times.append(due)
        return max(0.0, min(times, default=now + _DOZE) - now)

    def _leased(self, executor_id: str) -> bool:
        from aios_workbench.engine import leases

        return leases.alive(self.ws, executor_id)


class _Watch:
    """Tells a run when to end early; reads the catalog only when something was written to it."""

    def __init__(self, ws: Workspace, run: dict[str, Any], stopping: threading.Event) -> None:
        self._ws, self._run, self._stopping = ws, run, stopping
        self._seen: int | None = None
        self._cancelled = False

    def __call__(self) -> Any:
        with contextlib.suppress(AiosError):  # locked, disk full: no reason to stop a notebook
            version = self._ws.catalog.data_version()
            if version != self._seen:
                self._cancelled = claims.cancel_asked(self._ws, self._run)
                self._seen = version
        if self._cancelled:
            return "cancel"
        return "stop" if self._stopping.is_set() else None
