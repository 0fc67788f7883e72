"""Handles to runs: what `wf.run()` returns and what `aios.run(id)` finds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from aios_workbench.engine import again, continuing, control, runtime, submit
from aios_workbench.engine.aftermath import Aftermath
from aios_workbench.engine.flow import queue
from aios_workbench.engine.inspection import Inspection, history
from aios_workbench.engine.records import RUN_TERMINAL
from aios_workbench.engine.spending import spent
from aios_workbench.engine.steps import StepError, StepView
from aios_workbench.errors import (
    AttemptsExhausted,
    BreakerOpen,
    BudgetExceeded,
    ConflictError,
    EffectInDoubt,
    GateExpired,
    GateRejected,
    LoopBoundReached,
    MapFailed,
    MemoryCapExceeded,
    NotFoundError,
    RunCancelled,
    RunError,
    SecretExposed,
    SecretMissing,
    StepFailed,
    StepKilled,
    StepTimeout,
    hint,
)
from aios_workbench.govern import actor
from aios_workbench.workflow import Workflow, WorkflowSpec, mermaid
from aios_workbench.workspace import Artifact, Workspace, workspace

_ERRORS: dict[str, type[RunError]] = {
    "BudgetExceeded": BudgetExceeded,
    "GateRejected": GateRejected, "GateExpired": GateExpired, "StepTimeout": StepTimeout,
    "BreakerOpen": BreakerOpen, "AttemptsExhausted": AttemptsExhausted,
    "LoopBoundReached": LoopBoundReached, "MapFailed": MapFailed,
    "StepKilled": StepKilled, "MemoryCapExceeded": MemoryCapExceeded, "SecretMissing": SecretMissing,
    "SecretExposed": SecretExposed, "EffectInDoubt": EffectInDoubt,
}  # fmt: skip


class Run(Aftermath, Inspection):
    """A run of a workflow, in this process or any other.

    Examples
    --------
    >>> run = aios.run("claims-triage-261120-060000-1a2b3c")  # doctest: +SKIP
    >>> run["score"].output.head()  # doctest: +SKIP
    """

    def __init__(self, ws: Workspace, run_id: str, workflow: Workflow | None = None) -> None:
        self._ws, self.id, self.definition = ws, run_id, workflow
        self._spec: WorkflowSpec | None = None  # never changes

    @property
    def workspace(self) -> Workspace:
        """Where the run lives."""
        return self._ws

    @property
    def row(self) -> dict[str, Any]:
        """The run's row of the catalog."""
        return control.read_run(self._ws, self.id)

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return str(self.row["workflow"])

    @property
    def spec(self) -> WorkflowSpec:
        """The graph and code the run is pinned to."""
        if self._spec is None:
            self._spec = submit.read_spec(self._ws, self.row)
        return self._spec

    @property
    def params(self) -> dict[str, Any]:
        """The parameters it was given, defaults included."""
        refs = json.loads(self.row["param_refs"])
        return {n: self._ws.artifacts.get(Artifact.from_dict({**a, "meta": {}})) for n, a in refs.items()}

    @property
    def status(self) -> str:
        """queued, running, waiting, succeeded, failed, cancelled, or interrupted (its process died)."""
        return control.run_status(self._ws, self.id)

    @property
    def error(self) -> StepError | None:
        """The first failed step's error."""
        error = self.row["error"]
        return StepError(json.loads(error)) if error else None

    @property
    def message(self) -> str | None:
        """What else there is to know of how it ended: steps it went on without, what was undone."""
        said: str | None = self.row["message"]
        return said

    @property
    def metrics(self) -> dict[str, Any]:
        """What steps recorded with `aios.context().metric(…)`."""
        self._ws.catalog.flush()
        rows = self._ws.catalog.query(
            "select name, value, text from metrics where run_id = :r order by rowid", r=self.id
        )
        return {r["name"]: r["value"] if r["value"] is not None else r["text"] for r in rows}

    @property
    def outputs(self) -> dict[str, Any]:
        """Outputs of the steps nothing depends on."""
        used = {name for step in self.spec.steps for name in step.upstream}
        done = submit.finished(self._ws, self.row)
        found = {
            s.name: done[s.name].artifact for s in self.spec.steps if s.name not in used and s.name in done
        }
        return {n: self._ws.artifacts.get(a) for n, a in found.items() if a is not None}

    @property
    def partial(self) -> dict[str, Any]:
        """Outputs of all steps that have finished so far, however the run ended."""
        done = submit.finished(self._ws, self.row)
        found = {s.name: done[s.name].artifact for s in self.spec.steps if s.name in done}
        return {n: self._ws.artifacts.get(a) for n, a in found.items() if a is not None}

    @property
    def spent(self) -> dict[str, float]:
        """What its steps have spent, by unit: all attempts, those that failed too."""
        return spent(self._ws, self.id)

    def __getitem__(self, step: str) -> StepView:
        names = [s.name for s in self.spec.steps]
        if step not in names:
            raise NotFoundError(
                f"run {self.id} has no step '{step}'{hint(step, names)} (it has: {', '.join(names)})"
            )
        return StepView(self._ws, self.id, step)

    def __iter__(self) -> Iterator[str]:
        return iter([s.name for s in self.spec.steps])

    # -- waiting

    def wait(self, timeout: float | None = None, *, until: str | None = None) -> str:
        """Wait until the run is over; return its status. Interrupting stops the waiting, not the run.

        Parameters
        ----------
        until : str, optional
            Return on this status already, for instance ``"waiting"`` for a person at a gate.

        Raises
        ------
        TimeoutError
            After `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            status = self.status
            if status in RUN_TERMINAL or status == until:
                return status
            left = 0.25 if deadline is None else min(0.25, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"run {self.id} is still {status} after {timeout:g} s; it goes on")
            engine = runtime.running()
            if engine is not None and engine.ws is self._ws:
                with engine.changed:
                    engine.changed.wait(left)
            else:
                time.sleep(left)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the run and return its result: the last step's output, or a dict when it has several ends.

        Raises
        ------
        StepFailed
            Showing the step's own traceback.
        GateRejected, GateExpired, StepTimeout, RunCancelled
            When that is how it ended.
        TimeoutError
            After `timeout` seconds; the run goes on.
        """
        status = self.wait(timeout)
        if status == "succeeded":
            outputs = self.outputs
            return next(iter(outputs.values())) if len(outputs) == 1 else outputs
        if status == "cancelled":
            raise RunCancelled(f"run {self.id} was cancelled; run.resume() goes on from its finished steps")
        error = self.error
        if error is None:
            raise RunError(f"run {self.id} failed; see `aios show {self.id}`")
        step = json.loads(self.row["error"]).get("step", "")
        message = f"step '{step}' of run {self.id}: {error.type}: {error.message}"
        kind = _ERRORS.get(error.type)
        if kind is BudgetExceeded:
            raise BudgetExceeded(message, **json.loads(self.row["error"]).get("budget", {}))
        if kind is not None:
            raise kind(message)
        raise StepFailed(message, traceback=error.traceback, step=step, error_type=error.type)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Any:
        # A thread of our own: the loop's default executor may be busy, or not ours to use.
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def work() -> None:
            try:
                value, error = self.result(), None
            except BaseException as e:  # noqa: BLE001 - handed to whoever awaits
                value, error = None, e

            def tell() -> None:
                if not future.done():
                    if error is not None:
                        future.set_exception(error)
                    else:
                        future.set_result(value)

            with contextlib.suppress(RuntimeError):  # the loop was closed before the run ended
                loop.call_soon_threadsafe(tell)

        threading.Thread(target=work, name="aios-await", daemon=True).start()
        return await future

    # -- acting

    def cancel(self) -> None:
        """Cancel the run. Finished steps are kept: `resume()` goes on from them."""
        control.cancel(self._ws, self.id, by=actor())
        engine = runtime.running()
        if engine is not None:
            engine.cancel(self.id)

    def resume(self) -> Run:
        """Go on with a failed, cancelled or interrupted run in this process, with the code it started with.

        Finished steps are kept, but not those that were undone (`compensate`) and what is behind them. A run whose
        workflow has `max_attempts` may make as many again.
        """
        return self._resume(allow_more=True)

    def _resume(self, *, allow_more: bool) -> Run:
        engine = runtime.start(self._ws)
        status = self.status
        row = self.row  # read after its status: an adoption in between is seen in it
        if status == "interrupted":
            engine.adopt_now()
        elif row["status"] in RUN_TERMINAL:
            leg, seed = control.prepare_resume(
                self._ws, self.id, by=actor(), owner=engine.executor_id, allow_more=allow_more
            )
            engine.begin(self.id, leg, seed)
        elif not row["adoptions"]:  # one that was adopted just now goes on already
            raise ConflictError(f"run {self.id} cannot be resumed: it is {row['status']}")
        return self

    def rerun(self, from_: str | None = None, **params: Any) -> Run:
        """Start a new run that reuses what need not be done again.

        Redone are `from_`, everything behind it, steps whose code or parameters changed since this run and
        what is behind those, and steps that had not succeeded. Without `from_` only the changed part.

        Parameters
        ----------
        from_ : str, optional
            The step to start from.
        **params
            Parameters to change.

        Returns
        -------
        Run
            The new run. In the notebook that defined the workflow it uses the code as it is now.
        """
        plan = again.plan(self, params)
        if from_ is not None:
            plan.dirty.add(plan.spec.step(from_).name)
        return again.start(self, plan, from_)

    def redrive(self, step: str) -> Run:
        """Do the open dead letters of a map again, in a new run that takes over everything else.

        Their results take the places of the others in the map's result; what failed again is a dead letter of the
        new run. Every step behind the map is done again, with the mended result; all others are reused. In the
        notebook that defined the workflow the map's function is called as it is now, for those items only.

        Parameters
        ----------
        step : str
            The map.

        Returns
        -------
        Run
            The new run.

        Raises
        ------
        ConflictError
            When the run is not over, nothing is open, or the map's inputs are others than in this run.
        """
        return again.redrive(self, step)

    def approve(
        self,
        gate: str,
        values: Mapping[str, Any] | None = None,
        *,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Approve a waiting gate, with its form's values."""
        self._decide(gate, values, reason, by, approved=True)

    def reject(self, gate: str, reason: str | None = None, *, by: str | None = None) -> None:
        """Reject a waiting gate."""
        self._decide(gate, None, reason, by, approved=False)

    def _decide(
        self,
        gate: str,
        values: Mapping[str, Any] | None,
        reason: str | None,
        by: str | None,
        *,
        approved: bool,
    ) -> None:
        control.decide(
            self._ws, self.id, gate, approved=approved, by=by or actor(), values=values, reason=reason
        )
        engine = runtime.running()
        if engine is not None:
            engine.poke()

    def to_mermaid(self, direction: str = "LR") -> str:
        """Return the graph with the states the steps have now, as Mermaid text.

        Parameters
        ----------
        direction : {"LR", "TB", "RL", "BT"}
            Where the arrows point.

        Examples
        --------
        >>> import aios_workbench as aios
        >>> wf = aios.Workflow("drawn")
        >>> @wf.step
        ... def load():
        ...     return 1
        >>> run = wf.run()
        >>> _ = run.wait()
        >>> print(run.to_mermaid().splitlines()[1])
          s0["load<br/>succeeded"]
        """
        self._ws.catalog.flush()
        rows = self._ws.catalog.query("select step, status from steps where run_id = :r", r=self.id)
        return mermaid(self.spec.steps, {r["step"]: r["status"] for r in rows}, direction)

    def __repr__(self) -> str:
        said = self.message
        return f"<Run {self.id}: {self.status}{f' ({said})' if said else ''}>"


def _resumed_by_somebody(run: Run) -> None:
    """Let a run go on that had ended; others that call with the same key at this moment may be first."""
    try:
        run._resume(allow_more=False)  # nobody has said that it may cost more
    except ConflictError as e:
        if type(e) is not ConflictError:  # a full queue, a process taken for dead
            raise


def _gone_on(run: Run) -> Run:
    """Return a run that was started before, and goes on if it has not succeeded."""
    if run.status in ("failed", "cancelled", "interrupted"):
        _resumed_by_somebody(run)
    return run


class EngineRunner:
    """Runs workflows on this process's engine."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}
        self._counting = threading.Lock()

    def start(
        self, workflow: Workflow, params: Mapping[str, Any], gates: Mapping[str, Any] | None, key: str | None,
        flow: Mapping[str, Any] | None = None,
    ) -> Run:  # fmt: skip
        """Write the run down, start it, return its handle."""
        ws = workspace()
        values = workflow.validate(params)
        spec = submit.compile_workflow(ws, workflow)
        if gates is None:
            gates = {n: p for n, p in json.loads(os.environ.get("AIOS_GATES", "{}")).items()
                     if n == "*" or any(s.name == n and s.kind == "gate" for s in spec.steps)}  # fmt: skip
        job_run = os.environ.get("AIOS_JOB_RUN")
        call = self._next_call(workflow.name) if key is None and job_run else None
        engine = runtime.start(ws)
        run_id = submit.new_run_id(workflow.name, key if call is None else f"{job_run}:{call}")
        refs = submit.store_params(ws, values)
        before = None if call is None else continuing.find(ws, spec, refs, call, run_id)
        if before is not None and before.whole:
            workflow.last_spec = spec
            continuing.take_over(ws, before.run_id)
            return _gone_on(Run(ws, before.run_id, workflow))
        seed = {} if before is None else before.seed
        new = queue.written(ws, spec, flow or {}, lambda **own: submit.write_run(
            ws, spec, values, refs, run_id=run_id, policy=gates, source="job" if job_run else engine.kind,
            owner=engine.executor_id, parent=None if before is None else before.run_id, seed=seed,
            action="run.continue", **own,
        ))  # fmt: skip
        workflow.last_spec = spec
        run = Run(ws, run_id, workflow)
        if new:
            engine.begin(run_id, 0, {n: r.to_dict() for n, r in seed.items()})
            return run
        continuing.take_over(ws, run_id)  # one with a key of its own
        return _gone_on(run)

    def _next_call(self, workflow: str) -> str:
        """Return what names a run in a job that says nothing itself: which call it is, of its notebook or a step."""
        inside = os.environ.get("AIOS_STEP_KEY", "")
        with self._counting:
            self._calls[workflow] = self._calls.get(workflow, 0) + 1
            return f"{inside}{'/' if inside else ''}{self._calls[workflow]}"

    def runs(self, workflow: str, limit: int) -> list[Run]:
        """Return earlier runs, newest first."""
        return find_runs(workflow, limit=limit)

    def history(self, workflow: str, limit: int) -> Any:
        """Return what the workflow's runs say about it."""
        return history(workflow, limit=limit)


def find_runs(workflow: str | None = None, *, status: str | None = None, limit: int = 50) -> list[Run]:
    """Return runs of this workspace, newest first."""
    ws = workspace()
    return [
        Run(ws, r["run_id"]) for r in control.list_runs(ws, workflow=workflow, status=status, limit=limit)
    ]


def find_run(run_id: str) -> Run:
    """Return a run by its id, or by the unambiguous start of it.

    Raises
    ------
    NotFoundError
        With the nearest ids.
    """
    ws = workspace()
    rows = ws.catalog.query(
        "select run_id from runs where substr(run_id, 1, :n) = :p limit 2", n=len(run_id), p=run_id
    )
    if len(rows) == 1:
        return Run(ws, rows[0]["run_id"])
    control.read_run(ws, run_id)
    return Run(ws, run_id)
