"""The attempts of a step: its own function with retries, then its fallbacks; each is written down.

Around every call: the cap on the run's attempts, the circuit breaker, a second call beside a slow one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aios_workbench.engine import breakers
from aios_workbench.engine.allowance import claim
from aios_workbench.engine.calls import Cancelled, run_function
from aios_workbench.engine.failures import brief, describe, plain
from aios_workbench.engine.hedging import race
from aios_workbench.engine.job import Job
from aios_workbench.engine.records import CANCELLED, SUCCEEDED, Record, reference, tell_attempt, tell_running
from aios_workbench.engine.retrying import judge, unworthy
from aios_workbench.errors import AttemptsExhausted, BreakerOpen, BudgetExceeded, StepTimeout
from aios_workbench.workflow.budgets import BUSY, SECONDS
from aios_workbench.workspace import Artifact

#: Errors that end the whole series: no retry, no fallback and no `on_error` makes up for them.
FINAL = (AttemptsExhausted, BudgetExceeded)


class Call(Protocol):
    """What makes an attempt; `run_function` does, and so does what runs a batch of a map."""

    def __call__(  # noqa: D102 - the class says it
        self, job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], attempt: int,
        timeout: float | None, /,
    ) -> Artifact: ...  # fmt: skip


def make_attempts(job: Job, record: Record, call: Call = run_function) -> None:
    """Try the step until an attempt succeeds or nothing is left to try, and say in the record how it ended."""
    series = _Series(job, record, call)
    try:
        if not series.own():
            series.fallbacks()
    except Cancelled:
        record.status, record.error = CANCELLED, None
    except FINAL as e:
        before = "" if record.error is None else f". Before that: {brief(record.error)}"
        record.error = plain(type(e).__name__, f"{e}{before}", job.spec.name)
        if isinstance(e, BudgetExceeded):
            record.error["budget"] = e.to_dict()


@dataclass
class _Row:
    """An attempt's row in the catalog."""

    job: Job
    number: int
    kind: str
    name: str | None
    began: float
    status: str = "running"
    error: dict[str, Any] | None = None
    message: str | None = None
    ended: float | None = None

    def tell(self, status: str, *, error: dict[str, Any] | None = None, message: str | None = None) -> None:
        """Write how it is; what it ended with is its last word."""
        if self.ended is not None:
            return
        self.status, self.error, self.message = status, error, message or self.message
        self.ended = None if status == "running" else self.job.now()
        self._write()

    def note(self, message: str | None) -> None:
        """Add what was decided after its end."""
        if message is not None:
            self.message = message
            self._write()

    def _write(self) -> None:
        job = self.job
        tell_attempt(
            job.ws.catalog, job.run_id, job.spec.name, self.number, self.status, self.began, executor=job.executor,
            ended_at=self.ended, error=self.error, kind=self.kind, name=self.name, message=self.message,
        )  # fmt: skip


class _Series:
    """All attempts of one step in one leg, numbered on from those before."""

    def __init__(self, job: Job, record: Record, call: Call) -> None:
        self.job, self.record, self.call = job, record, call
        self.number = attempts_before(job)
        self.functions: dict[str, Callable[..., Any]] = {}
        self.tried: list[str] = []  # which fallbacks failed, and why

    def own(self) -> bool:
        """Call the step's own function until it answers or its policy gives up; True when it has answered."""
        job, spec, catalog = self.job, self.job.spec, self.job.ws.catalog
        for made in range(1, spec.retries + 2):
            try:
                way = self._enter()
                self._guarded(way)
            except BudgetExceeded as e:
                if e.scope != "step" or e.unit in (SECONDS, BUSY):
                    raise
                self.record.error = self.last.error  # its own: a fallback that costs nothing may still answer
                return False
            except (Cancelled, *FINAL):
                raise
            except BreakerOpen as e:
                self._refused(e)
                return False
            except BaseException as e:  # noqa: BLE001 - sys.exit() in a cell must not take the engine along
                self.record.error = self.last.error
                verdict = judge(spec, e, made)
                self.last.note(verdict.why)
            else:
                self.record.message = self.last.message
                return True
            if not verdict.retry:
                break
            tell_running(catalog, job.run_id, spec.name, "retrying", self.number, self._started())
            job.cancelled.wait(verdict.wait)
        return False

    def fallbacks(self) -> None:
        """Ask the fallbacks in order; the first that answers decides, and the record says which.

        When none does, the step's own error is the record's: that is what a person has to look into.
        """
        spec, record = self.job.spec, self.record
        because = brief(record.error)
        if self.job.meter is not None:
            self.job.meter.stands_in = True
        for artifact, name in zip(spec.fallbacks, spec.fallback_names, strict=True):
            try:
                output = self._begin_and_call(artifact, "fallback", name)
            except (Cancelled, *FINAL):
                raise
            except BaseException:  # noqa: BLE001 - the same
                self.tried.append(f"'{name}' failed too: {brief(self.last.error)}")
                continue
            self._answered(output)
            record.answered_by = name
            record.cache_key = None  # a stand-in's answer must not be taken for the step's own next time
            record.message = "; ".join([f"fallback '{name}' answered after {because}", *self.tried])
            return
        if self.tried:
            record.message = "no fallback answered: " + "; ".join(self.tried)

    # -- one attempt

    def _enter(self) -> breakers.Pass | None:
        if self.job.cancelled.is_set():
            raise Cancelled
        spec, job = self.job.spec, self.job
        if spec.breaker is None:
            return None
        return breakers.enter(
            job.ws, spec.breaker, job.executor, run_id=job.run_id, step=spec.name, timeout=spec.timeout
        )

    def _guarded(self, way: breakers.Pass | None) -> None:
        """Make an attempt and tell the breaker what came of it."""
        try:
            output = self._begin_and_call(
                self.job.spec.fn or {}, "step", None, hedge=way is None or way.probe is None
            )
        except BaseException as e:
            if way is not None:
                if isinstance(e, (Cancelled, *FINAL)) or unworthy(self.job.spec, e) is not None:
                    way.released()
                else:
                    way.failed(self.last.error or {})
            raise
        if way is not None:
            way.succeeded()
        self._answered(output)

    def _begin_and_call(
        self, artifact: dict[str, Any], kind: str, name: str | None, *, hedge: bool = False
    ) -> Artifact:
        if self.job.cancelled.is_set():
            raise Cancelled
        claim(self.job)
        row = self._begin(kind, name)
        spec = self.job.spec
        tell_running(self.job.ws.catalog, self.job.run_id, spec.name, "running", row.number, self._started())
        if spec.hedge is None or not hedge:
            return self._call(self.job, artifact, row)
        return self._hedged(artifact, row, spec.hedge)

    def _begin(self, kind: str, name: str | None) -> _Row:
        self.number += 1
        self.record.attempts = self.number
        self.last = _Row(self.job, self.number, kind, name, self.job.now())
        self.last.tell("running")
        return self.last

    def _call(self, job: Job, artifact: dict[str, Any], row: _Row) -> Artifact:
        """Call a function once and close the attempt's row."""
        function = None
        try:
            function = self._load(artifact)
            output = self.call(job, function, job.inputs, row.number, job.spec.timeout)
        except Cancelled:
            row.tell("cancelled")
            raise
        except StepTimeout as e:
            row.tell("timeout", error=plain("StepTimeout", str(e), job.spec.name))
            raise
        except BaseException as e:
            row.tell("failed", error=describe(e, job.spec.name, function, job.spec))
            raise
        row.tell(SUCCEEDED)
        return output

    def _hedged(self, artifact: dict[str, Any], row: _Row, after: float) -> Artifact:
        rows, jobs = [row], [replace(self.job, kept=None)]

        def calling(which: int) -> Callable[[threading.Event], Artifact]:
            def go(stop: threading.Event) -> Artifact:
                jobs[which].cancelled = stop
                return self._call(jobs[which], artifact, rows[which])

            return go

        def second() -> Callable[[threading.Event], Artifact] | None:
            try:
                claim(self.job)
            except AttemptsExhausted as e:
                row.note(f"no second call beside it: {e}")
                return None
            rows.append(self._begin("hedge", None))
            jobs.append(replace(self.job, kept=None))
            return calling(1)

        try:
            winner, output = race(calling(0), second, after, self.job.cancelled, f"aios:{self.job.spec.name}")
        except BaseException:
            self.job.kept = jobs[-1].kept
            raise
        self.job.kept = jobs[winner].kept
        for i, other in enumerate(rows):
            if i != winner:
                other.tell("cancelled", message=f"attempt {rows[winner].number} answered first")
        self.last = rows[winner]
        if len(rows) > 1:
            self.last.note(f"answered first of two calls; the second began after {after:g} s")
        return output

    def _load(self, artifact: dict[str, Any]) -> Callable[..., Any]:
        key = str(artifact.get("hash"))
        if key not in self.functions:
            self.functions[key] = self.job.load(artifact)
        return self.functions[key]

    def _answered(self, output: Artifact) -> None:
        self.record.output = reference(output)
        self.record.status, self.record.error = SUCCEEDED, None

    def _refused(self, e: BreakerOpen) -> None:
        before = "" if self.record.error is None else f" (its own last error: {brief(self.record.error)})"
        self.record.error = plain("BreakerOpen", f"{e}{before}", self.job.spec.name)

    def _started(self) -> float:
        return self.record.started_at or self.last.began


def attempts_before(job: Job) -> int:
    """Attempts of earlier legs and of a process that died: numbers go on, nothing is overwritten."""
    if not job.again:
        return 0
    job.ws.catalog.flush()
    row = job.ws.catalog.one(
        "select max(attempt) as n from attempts where run_id = :r and step = :s",
        r=job.run_id,
        s=job.spec.name,
    )
    return int(row["n"] or 0) if row else 0
