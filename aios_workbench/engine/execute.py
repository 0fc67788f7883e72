"""One step, once: cache, inputs, attempts with backoff, timeout, fallbacks, output.

Runs in a thread that the journal has given to the step; returns a record, never raises for a user's error.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dis
import functools
import hashlib
import importlib
import inspect
import pickle
import random
import sys
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.context import Context, current
from aios_workbench.engine.failures import describe, plain, remember_source
from aios_workbench.engine.records import (
    CANCELLED,
    FAILED,
    SUCCEEDED,
    Record,
    reference,
    tell_attempt,
    tell_running,
    tell_step,
)
from aios_workbench.errors import AiosError, GateRejected, StepTimeout
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Artifact, Workspace, importing

MAX_BACKOFF = 60.0


@dataclass
class Job:
    """All that is needed to execute one step of one run."""

    ws: Workspace
    executor: str
    run_id: str
    leg: int
    workflow: str
    spec: StepSpec
    inputs: dict[str, Artifact]  # by function parameter: outputs of other steps, and workflow parameters
    job_run_id: str | None = None
    again: bool = False  # a process before this one may have tried
    cancelled: threading.Event = field(default_factory=threading.Event)
    kept: Artifact | None = None  # of the last attempt

    def load(self, artifact: dict[str, Any]) -> Callable[..., Any]:
        """Return a stored function."""
        blob = self.ws.artifacts.read(Artifact.from_dict(artifact))
        with importing:
            function: Callable[..., Any] = pickle.loads(blob)  # noqa: S301 - own workspace, verified
            import_ahead(function)
        remember_source(function, self.spec)
        return function

    def values(self, names: dict[str, Artifact]) -> dict[str, Any]:
        """Return loaded values; every step gets copies of its own."""
        return {name: self.ws.artifacts.get(artifact) for name, artifact in names.items()}


def import_ahead(function: Callable[..., Any]) -> None:
    """Import what a function imports, one function at a time; see `importing`.

    What cannot be imported is left to the function: it may be optional, and its error belongs into the step.
    """
    code = getattr(function, "__code__", None)
    for name in imported_modules(code) if code is not None else ():
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


@functools.lru_cache(maxsize=4096)
def imported_modules(code: types.CodeType) -> tuple[str, ...]:
    """Return the modules a function's import statements name, those of its inner functions too."""
    found = [i.argval for i in dis.get_instructions(code) if i.opname == "IMPORT_NAME" and i.argval]
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found += imported_modules(const)
    return tuple(dict.fromkeys(found))


def cache_key(spec: StepSpec, inputs: dict[str, Artifact]) -> str:
    """Return the identity of a result: code, inputs and parameters by content."""
    parts = [spec.code_hash, *(f"{name}={inputs[name].hash}" for name in sorted(inputs))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def find_cached(ws: Workspace, key: str) -> Artifact | None:
    """Return an earlier output for this key whose blob is there and unharmed."""
    ws.catalog.flush()
    for row in ws.catalog.query(
        "select output from steps where cache_key = :k and status = 'succeeded' and output is not null "
        "order by ended_at desc limit 5", k=key,
    ):  # fmt: skip
        try:
            artifact = ws.artifacts.find(row["output"])
        except AiosError:
            continue
        if ws.artifacts.intact(artifact):
            return artifact
    return None


def execute(job: Job) -> Record:
    """Execute a step to its end and tell the catalog on the way."""
    spec, catalog = job.spec, job.ws.catalog
    started = time.time()
    record = Record(spec.name, FAILED, started_at=started, inputs={n: a.hash for n, a in job.inputs.items()})
    try:
        if spec.cache:
            record.cache_key = cache_key(spec, job.inputs)
            found = find_cached(job.ws, record.cache_key)
            if found is not None:
                record.status, record.output, record.cached = SUCCEEDED, reference(found), True
                record.ended_at = time.time()
                tell_step(catalog, job.run_id, job.leg, record)
                return record
        _attempts(job, record)
    except Exception as e:  # noqa: BLE001 - storing the output failed, an input is damaged
        record.status, record.error = FAILED, describe(e, spec.name)
    record.kept = None if job.kept is None else reference(job.kept)
    record.ended_at = time.time()
    tell_step(catalog, job.run_id, job.leg, record)
    return record


def wanted(job: Job, inputs: dict[str, Artifact]) -> bool:
    """Evaluate a step's `when`; an error in it is the step's error."""
    return bool(job.load(job.spec.when or {})(**job.values(inputs)))


def _attempts(job: Job, record: Record) -> None:
    spec, catalog = job.spec, job.ws.catalog
    first = _attempts_before(job) + 1
    total = spec.retries + 1
    function = None
    for n in range(1, total + 1):
        if job.cancelled.is_set():
            record.status, record.error = CANCELLED, None
            return
        record.attempts = attempt = first + n - 1
        began = time.time()
        tell_running(catalog, job.run_id, spec.name, "running", attempt, record.started_at or began)
        tell_attempt(catalog, job.run_id, spec.name, attempt, "running", began, executor=job.executor)
        error: dict[str, Any]
        try:
            if function is None:
                function = job.load(spec.fn or {})
            output = run_function(job, function, job.inputs, attempt, spec.timeout)
        except _Cancelled:
            record.status, record.error = CANCELLED, None
            tell_attempt(
                catalog,
                job.run_id,
                spec.name,
                attempt,
                "cancelled",
                began,
                executor=job.executor,
                ended_at=time.time(),
            )
            return
        except StepTimeout as e:
            status, error = "timeout", plain("StepTimeout", str(e), spec.name)
        except BaseException as e:  # noqa: BLE001 - sys.exit() in a cell must not take the engine along
            status, error = "failed", describe(e, spec.name, function, spec)
        else:
            record.output = reference(output)
            record.status, record.error = SUCCEEDED, None
            tell_attempt(
                catalog,
                job.run_id,
                spec.name,
                attempt,
                SUCCEEDED,
                began,
                executor=job.executor,
                ended_at=time.time(),
            )
            return
        record.error = error
        tell_attempt(
            catalog,
            job.run_id,
            spec.name,
            attempt,
            status,
            began,
            executor=job.executor,
            ended_at=time.time(),
            error=error,
        )
        if n < total:
            tell_running(catalog, job.run_id, spec.name, "retrying", attempt, record.started_at or began)
            job.cancelled.wait(backoff(spec.backoff, n))
    _fall_back(job, record)


def _fall_back(job: Job, record: Record) -> None:
    """Ask the fallbacks in order; the first that answers decides, and the record says which."""
    for artifact, name in zip(job.spec.fallbacks, job.spec.fallback_names, strict=True):
        if job.cancelled.is_set():
            record.status = CANCELLED
            return
        function = None
        try:
            function = job.load(artifact)
            output = run_function(job, function, job.inputs, record.attempts, job.spec.timeout)
        except _Cancelled:
            record.status = CANCELLED
            return
        except BaseException as e:  # noqa: BLE001 - the same
            record.error = describe(e, job.spec.name, function, job.spec)
            continue
        because = record.error or {}
        record.output, record.status, record.answered_by = reference(output), SUCCEEDED, name
        record.cache_key = None  # a stand-in's answer must not be taken for the step's own next time
        record.message = (
            f"fallback '{name}' answered after {because.get('type')}: {because.get('message', '')[:200]}"
        )
        return


def backoff(first: float, attempt: int) -> float:
    """Return seconds to wait after the given failed attempt: exponential, at most 60 s, plus up to 25 % jitter."""
    return float(min(MAX_BACKOFF, first * 2 ** min(attempt - 1, 30)) * (1 + 0.25 * random.random()))  # noqa: S311


class _Cancelled(BaseException):
    """The run was cancelled while the function was executing."""


def run_function(
    job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], attempt: int, timeout: float | None
) -> Artifact:
    """Call a function with its inputs loaded and its output captured; return the stored result.

    Raises
    ------
    StepTimeout
        The thread goes on and its result is dropped: Python cannot stop a thread.
    """
    stop = job.cancelled if timeout is None else threading.Event()
    ctx = Context(
        job.ws, job.run_id, job.workflow, job.spec.name, attempt, job_run_id=job.job_run_id, _cancelled=stop
    )
    capture.install()  # again: %%capture or redirect_stdout may have put another stream in our place
    log = capture.StepLog(job.ws, ctx)
    ctx._log = lambda text: log.record("INFO", text)
    tokens = current.set(ctx), capture.sink.set(log)
    try:
        if timeout is None:
            return _call(job, function, inputs, ctx)
        return _call_with_timeout(job, function, inputs, ctx, timeout)
    finally:
        _keep(job, ctx)
        log.close()
        current.reset(tokens[0])
        capture.sink.reset(tokens[1])


def _call(job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], ctx: Context) -> Artifact:
    arguments = job.values(inputs)
    ctx.params = {n: arguments[n] for n in job.spec.params if n in arguments}
    value = function(**arguments)
    if inspect.isawaitable(value):
        value = asyncio.run(_settle(value))
    if job.spec.check is not None:
        _check(job, value, ctx)
    return job.ws.artifacts.put(value)


def _check(job: Job, value: Any, ctx: Context) -> None:
    """Let the step's check look at its value; what it finds is kept, unless it kept something itself."""
    found = job.load(job.spec.check or {})(value)
    if found is False:
        raise GateRejected(
            f"the value of step '{job.spec.name}' did not pass its gate '{job.spec.check_name}', which returned False"
        )
    if ctx._kept is None and found is not None and found is not True:
        ctx.keep(found)


def _keep(job: Job, ctx: Context) -> None:
    """Store what the attempt kept; that it cannot be stored is no reason for the step to fail."""
    job.kept = None
    if ctx._kept is not None:
        try:
            job.kept = job.ws.artifacts.put(ctx._kept)
        except AiosError as e:
            ctx.log(f"what the step kept is lost: {e}")


async def _settle(awaitable: Any) -> Any:
    return await awaitable


def _call_with_timeout(
    job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], ctx: Context, timeout: float
) -> Artifact:
    done: list[Artifact] = []
    failed: list[BaseException] = []
    finished = threading.Event()

    def work() -> None:
        try:
            done.append(_call(job, function, inputs, ctx))
        except BaseException as e:  # noqa: BLE001 - raised again in the thread that waits
            failed.append(e)
        finally:
            finished.set()

    state = contextvars.copy_context()
    threading.Thread(target=state.run, args=(work,), name=f"aios:{job.spec.name}", daemon=True).start()
    deadline = time.monotonic() + timeout
    while not finished.wait(min(0.1, max(0.0, deadline - time.monotonic()))):
        if job.cancelled.is_set():
            ctx._cancelled.set()
            raise _Cancelled
        if time.monotonic() >= deadline:
            ctx._cancelled.set()
            raise StepTimeout(
                f"step '{job.spec.name}' took longer than its timeout of {timeout:g} s; its thread goes on in the "
                "background and its result is dropped. Raise timeout=, or make long loops look at "
                "aios.context().cancelled"
            )
    if failed:
        raise failed[0]
    return done[0]


def _attempts_before(job: Job) -> int:
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
