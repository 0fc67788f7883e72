"""The one durable workflow: walks any graph, journals every step's outcome with DBOS.

Step functions are never registered with DBOS: the graph names them by content. Step ids are reserved in
topological order before anything runs, so that a replay meets the same ids however the steps interleave.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from aios_workbench.engine import gates, joins, run_hooks, submit
from aios_workbench.engine.compensation import Compensation
from aios_workbench.engine.execute import execute, wanted
from aios_workbench.engine.failures import describe, plain
from aios_workbench.engine.flow import Admission, Passage
from aios_workbench.engine.job import Job
from aios_workbench.engine.journal import WORKFLOW, place
from aios_workbench.engine.mapping.stream import Streams
from aios_workbench.engine.on_error import settle
from aios_workbench.engine.outcome import outcome
from aios_workbench.engine.records import CANCELLED, FAILED, SKIPPED, SUCCEEDED, Record, tell_run, tell_step
from aios_workbench.engine.spending import Budget, Clock, Meter, Purse
from aios_workbench.errors import FencedError, ParameterError, UnreachableError, WorkspaceError
from aios_workbench.observe import environment
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Artifact, Catalog, Workspace, writer

CANCEL_GRACE = 0.3


@dataclass
class Active:
    """A run that this process is executing."""

    run_id: str
    leg: int
    loop: asyncio.AbstractEventLoop
    cancelled: asyncio.Future[None]
    stop: threading.Event = field(default_factory=threading.Event)
    wakes: dict[str, asyncio.Event] = field(default_factory=dict)
    working: set[asyncio.Task[None]] = field(default_factory=set)
    busy: int = 0
    status: str = "running"
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: tuple[float, float] | None = None  # by the wall clock and by one that nobody sets

    def now(self) -> float:
        """Return seconds since the epoch, as far from the start as it took, even when the clock was set meanwhile."""
        return time.time() if self.started is None else self.started[0] + time.monotonic() - self.started[1]

    def cancel(self) -> None:
        """Stop starting steps and tell those that run; from any thread."""
        self.stop.set()
        self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if not self.cancelled.done():
            self.cancelled.set_result(None)
            self.loop.call_later(CANCEL_GRACE, lambda: [task.cancel() for task in self.working])

    def wake(self, step: str | None) -> None:
        """Let a waiting gate look again; from any thread."""
        for name, event in list(self.wakes.items()):
            if step is None or name == step:
                self.loop.call_soon_threadsafe(event.set)


@dataclass
class Host:
    """What the durable workflow needs from the process it runs in; set by `runtime`."""

    ws: Workspace
    executor: str
    active: dict[str, Active] = field(default_factory=dict)
    ended: Callable[[], None] = lambda: None
    sure: Callable[[], None] = lambda: None  # raises when the process was taken for dead
    admission: Admission = field(init=False)

    def __post_init__(self) -> None:
        self.admission = Admission(self.ws, self.executor)


_host: Host | None = None


def set_host(host: Host | None) -> None:
    """Say for which workspace this process executes runs."""
    global _host  # noqa: PLW0603 - DBOS too serves one application per process
    _host = host


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=1_000_000)  # adoptions are counted by us: see runtime
async def run_graph(run_id: str, leg: int, seed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Execute one leg of a run: all steps that are not in `seed`; return every step's record."""
    host = _host
    if host is None:
        raise RuntimeError("no workspace is being served by this process")
    writer.set(host.executor)  # of all that follows, in tasks and threads too
    walk = await _opened(host, run_id, leg, seed)
    if walk is None:
        return {}
    host.active[run_id] = walk.active
    try:
        await walk.passage.enter()
        return await walk.go()
    finally:
        await asyncio.to_thread(walk.passage.leave)
        host.active.pop(run_id, None)


async def _opened(host: Host, run_id: str, leg: int, seed: dict[str, dict[str, Any]]) -> _Walk | None:
    while True:
        try:
            return await asyncio.to_thread(_Walk.open, host, run_id, leg, seed, asyncio.get_running_loop())
        except UnreachableError:  # a run does not fail because its database is being restarted
            await asyncio.sleep(1.0)


class _Walk:
    """One walk over one graph."""

    def __init__(
        self, host: Host, run: dict[str, Any], spec: WorkflowSpec, seed: dict[str, Record], active: Active
    ) -> None:
        self.ended, self.sure = host.ended, host.sure
        self.ws, self.executor, self.run, self.spec, self.active = host.ws, host.executor, run, spec, active
        self.leg: int = run["leg"]
        self.records: dict[str, Record] = dict(seed)
        self.refs = {
            n: Artifact.from_dict({**a, "meta": {}}) for n, a in json.loads(run["param_refs"]).items()
        }
        self.policy = json.loads(run["gate_policy"])
        self.passage = Passage(host.admission, run, spec, active.cancelled)
        self.budget = None if run["budget"] is None else json.loads(run["budget"])
        self.clock = Clock()
        self.streams: Streams
        self.executed: set[str] = set()  # by this walk; what else comes back is a replay from the journal

    @classmethod
    def open(
        cls,
        host: Host,
        run_id: str,
        leg: int,
        seed: dict[str, dict[str, Any]],
        loop: asyncio.AbstractEventLoop,
    ) -> _Walk | None:
        """Read the run and take it; None when it was cancelled or superseded meanwhile."""
        catalog = host.ws.catalog
        run = catalog.one("select * from runs where run_id = :r", r=run_id)
        if run is None or run["leg"] != leg or run["status"] in (SUCCEEDED, FAILED, CANCELLED):
            return None
        stored = catalog.one("select spec from specs where spec_hash = :h", h=run["spec_hash"])
        active = Active(run_id, leg, loop, loop.create_future())
        cancelled = catalog.query("select data from signals where run_id = :r and kind = 'cancel'", r=run_id)
        if any(json.loads(s["data"]).get("leg") == leg for s in cancelled):
            active.cancel()
        spec = WorkflowSpec.from_dict(json.loads(stored["spec"] if stored else "{}"))
        if spec.max_active is None:
            _begin(catalog, run, active, host.executor)
        else:  # it is queued until others of its workflow have ended
            catalog.write("update runs set owner = :o where run_id = :r", o=host.executor, r=run_id)
        if run["environment"] is None:
            environment.note(host.ws, run_id, run["cwd"])
        return cls(host, run, spec, {n: Record.from_dict(r) for n, r in seed.items()}, active)

    async def go(self) -> dict[str, Any]:
        if self.spec.max_active is not None and not self.active.stop.is_set():
            await asyncio.to_thread(
                _begin, self.ws.catalog, self.run, self.active, self.executor, message=None
            )
        todo = [s for s in self.spec.steps if s.name not in self.records]
        reserved = {s.name: DBOS.reserve_step() for s in todo}
        undo = Compensation(self.spec)
        self.streams = Streams(self.spec)
        tasks: dict[str, asyncio.Task[None]] = {}
        starting = asyncio.create_task(asyncio.to_thread(self._starting))  # steps do not wait for it
        for step in todo:
            tasks[step.name] = asyncio.create_task(self._one(step, reserved[step.name], tasks))
        await asyncio.gather(*tasks.values())
        await starting
        await undo.go(self.records, self._job, self._tell, cancelled=self.active.stop.is_set())
        await asyncio.to_thread(self._conclude)
        return {n: r.to_dict() for n, r in self.records.items()}

    def _starting(self) -> None:
        if run_hooks.START in self.spec.hooks and not self.active.stop.is_set():
            with contextlib.suppress(WorkspaceError):
                run_hooks.call(self.ws, self.executor, self.run["run_id"], run_hooks.START, "running")

    def _conclude(self) -> None:
        """Write the run's last word; while that is impossible (disk full, locked) it is not over."""
        while True:
            try:
                self._say_how_it_ended()
            except WorkspaceError:
                time.sleep(1.0)
            else:
                return self.ended()

    def _say_how_it_ended(self) -> None:
        ended = outcome(
            (self.records[s.name] for s in self.spec.steps), cancelled=self.active.stop.is_set(),
            made_up=joins.made_up(self.spec, self.records),
        )  # fmt: skip
        run_hooks.ended(self.ws, self.executor, self.run, ended.status, ended.error)
        tell_run(
            self.ws.catalog, self.run["run_id"], ended.status, ended.error, message=ended.message,
            ended_at=self.active.now(),
        )  # fmt: skip

    async def _one(self, step: StepSpec, reserved: Any, tasks: dict[str, asyncio.Task[None]]) -> None:
        await self._due(step, tasks)
        record = self._not_runnable(step)
        if record is not None and record.status == CANCELLED and self.run["adoptions"]:
            # Cancelled now, but the process before may have finished it: the journal's word counts.
            record = Record.from_dict(await reserved.run_async({"name": step.name}, record.to_dict))
        if record is None:
            try:
                data = await (
                    self._ask(step, reserved) if step.kind == "gate" else self._work(step, reserved)
                )
                record = Record.from_dict(data)
                if self.active.wakes:  # the last busy step has ended: what is left is a person's decision
                    with contextlib.suppress(WorkspaceError):
                        await self._note()
                if step.name in self.executed:
                    self.records[step.name] = record
                    return
            except FencedError:
                raise  # another process executes this run now: here it is simply over
            except SQLAlchemyError as e:  # disk full, locked
                why = plain("JournalError", (
                    f"what '{step.name}' did could not be written to {place(self.ws)} "
                    f"({getattr(e, 'orig', None) or e}); free some disk space, then resume the run"
                ), step.name)  # fmt: skip
                record = Record(step.name, FAILED, error=why, ended_at=time.time())
            except Exception as e:  # noqa: BLE001 - a `when` of the user's
                record = Record(step.name, FAILED, error=describe(e, step.name), ended_at=time.time())
        self.records[step.name] = record
        await self._tell_again(record)

    async def _tell_again(self, record: Record) -> None:
        """Tell what was skipped, or replayed: the process that died may not have told the catalog."""
        with contextlib.suppress(WorkspaceError):
            for stored in record.stored:
                await asyncio.to_thread(self.ws.artifacts.restore, stored)
        self._tell(record)

    async def _due(self, step: StepSpec, tasks: dict[str, asyncio.Task[None]]) -> None:
        """Wait until a step's turn has come: what it waits for is over, or yields what it goes over."""
        source = self.streams.source(step, self.records)
        for name in step.upstream:
            if name in tasks and name != source:
                await tasks[name]
        if source is not None:
            await self.streams.of[source].begun(step.name, tasks[source])
            if source not in self.records:
                self.streams.reading[step.name] = self.streams.of[source]

    def _tell(self, record: Record) -> None:
        tell_step(self.ws.catalog, self.run["run_id"], self.leg, record)

    def _not_runnable(self, step: StepSpec) -> Record | None:
        if self.active.stop.is_set():
            return Record(step.name, CANCELLED)
        stream = self.streams.reading.get(step.name)
        being_made = {} if stream is None else {stream.producer: Record(stream.producer, SUCCEEDED)}
        return joins.hindered(step, being_made | self.records)

    async def _work(self, step: StepSpec, reserved: Any) -> dict[str, Any]:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        async with contextlib.AsyncExitStack() as stack:
            if not step.limits and step.name not in self.streams.reading:  # it shares the slot of what yields
                await stack.enter_async_context(self.passage.slot(step))
            if self.active.stop.is_set() and not self.run["adoptions"]:
                return Record(step.name, CANCELLED).to_dict()
            self.active.busy += 1
            try:
                await self._note()
                if step.limits:
                    return dict(await reserved.run_async({"name": step.name}, self._limited, step))
                self.active.working.add(task)
                return dict(await reserved.run_async({"name": step.name}, self._execute, step))
            except asyncio.CancelledError:
                if not self.active.stop.is_set():
                    raise  # not ours: the process is going down
                # A thread cannot be stopped. Whoever looks at context().cancelled has ended in time; the result
                # of one that does not is journaled when it comes, and a resumed run takes it from there.
                task.uncancel()
                self.executed.discard(step.name)
                return Record(step.name, CANCELLED, ended_at=time.time()).to_dict()
            finally:
                self.active.working.discard(task)
                self.active.busy -= 1

    async def _limited(self, step: StepSpec) -> dict[str, Any]:
        """Execute a step that shares resources: within the journal, so that a replay asks for none."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        loop = self.active.loop

        def work() -> dict[str, Any]:
            loop.call_soon_threadsafe(self.active.working.add, task)
            return self._execute(step)

        try:
            done = await self.passage.limited(step, work)
        except ParameterError as e:
            return Record(step.name, FAILED, error=describe(e, step.name), ended_at=time.time()).to_dict()
        return done or Record(step.name, CANCELLED, ended_at=time.time()).to_dict()

    def _execute(self, step: StepSpec) -> dict[str, Any]:
        self.sure()
        self.executed.add(step.name)
        job = self._job(step)
        if job.again and (known := submit.finished(self.ws, self.run, step.name)):
            return known[step.name].to_dict()  # the journal is lost, or its writer died on the way to it
        record = self._passed_by(step, job)
        if record is None:
            return execute(job).to_dict()
        self._tell(record)
        return record.to_dict()

    def _passed_by(self, step: StepSpec, job: Job) -> Record | None:
        """Return the record of a step whose `when` is false, or fails; None when it is to be executed."""
        try:
            if step.when is None or wanted(job, self._inputs(step, "when")):
                return None
        except Exception as e:  # noqa: BLE001 - the user's function
            record = Record(step.name, FAILED, error=describe(e, step.name), ended_at=time.time())
            settle(job, record) if step.on_error != "fail" and not step.over else None
            return record
        return Record(step.name, SKIPPED, message="not run: its `when` was false", ended_at=time.time())

    async def _ask(self, step: StepSpec, reserved: Any) -> dict[str, Any]:
        return dict(await reserved.run_async({"name": step.name}, self._gate, step))

    async def _gate(self, step: StepSpec) -> dict[str, Any]:
        self.executed.add(step.name)
        job = self._job(step)
        async with self.passage.slot(step):
            self.active.busy += 1
            try:
                record = await asyncio.to_thread(self._prepare, step, job)
            finally:
                self.active.busy -= 1
        if record is None:
            wake = self.active.wakes[step.name] = asyncio.Event()
            await self._note()
            try:
                record = await gates.wait(job, wake, self.active.cancelled)
            finally:
                del self.active.wakes[step.name]
                await self._note()
        return record.to_dict()

    def _prepare(self, step: StepSpec, job: Job) -> Record | None:
        self.sure()
        if step.when is not None and not wanted(job, self._inputs(step, "when")):
            return gates.pass_by(job)
        return gates.prepare(job, self.policy)

    def _job(self, step: StepSpec) -> Job:
        run_id, budget = self.run["run_id"], Budget.of(self.spec, step, self.budget)
        purse = Purse(self.executor, self.spec.name, run_id, step.name, self.spec.zone, budget)
        return Job(
            self.ws, self.executor, self.run["run_id"], self.leg, self.spec.name, step,
            stream=self.streams.reading.get(step.name), spool=self.streams.of.get(step.name),
            inputs=self._inputs(step, "fn"), until=self._inputs(step, "until"), job_run_id=self.run["job_run_id"],
            again=self.leg > 0 or self.run["adoptions"] > 0, cancelled=self.active.stop,
            capped=self.run["attempts_allowed"] is not None, purse=purse,
            meter=Meter(self.ws, purse, self.clock) if purse.budget else None,
        )  # fmt: skip

    def _inputs(self, step: StepSpec, which: str) -> dict[str, Artifact]:
        """Return the stored inputs of one of a step's functions, by the function's parameters."""
        return joins.inputs_of(self.ws, step, which, self.refs, self.records)

    async def _note(self) -> None:
        """Keep the run's own word: it waits when all that is left to happen is a person's decision.

        One word after the other: written side by side, an earlier one could be stored last, and stay.
        """
        async with self.active.telling:
            status = "waiting" if self.active.wakes and not self.active.busy else "running"
            if status != self.active.status:
                before, self.active.status = self.active.status, status
                try:
                    await asyncio.to_thread(tell_run, self.ws.catalog, self.run["run_id"], status)
                except UnreachableError:
                    self.active.status = before  # said with the next change: no reason to fail a step


def _begin(catalog: Catalog, run: dict[str, Any], active: Active, executor: str, **more: Any) -> None:
    """Say that a run is active."""
    active.started = time.time(), time.monotonic()
    if run["started_at"] is not None:  # by a process before this one, whose monotonic clock is not ours
        active.started = None
    tell_run(
        catalog, run["run_id"], "running", owner=executor,
        started_at=active.started[0] if active.started else run["started_at"], **more,
    )  # fmt: skip
