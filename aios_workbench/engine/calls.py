"""One call of one function: its inputs loaded, its log captured, its output checked and stored."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.context import Context, current
from aios_workbench.engine.effects import once
from aios_workbench.engine.executors.base import Call, Cancelled, executor
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import UNDO, Job
from aios_workbench.engine.records import tell_peak
from aios_workbench.errors import GateRejected, RemoteError
from aios_workbench.govern.secrets import Mask, resolve
from aios_workbench.workspace import Artifact

__all__ = ["Cancelled", "call_here", "run_function"]


def run_function(
    job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], attempt: int, timeout: float | None
) -> Artifact:
    """Let the step's executor call a function, its output captured; return the stored result.

    Raises
    ------
    StepTimeout
        In a thread it goes on and its result is dropped: Python cannot stop a thread. A process is killed.
    BudgetExceeded
        Before the call, or in it.
    """
    if job.meter is None or job.purpose == UNDO:  # what has to be undone is, whatever it costs
        return _run(job, function, inputs, attempt, timeout)
    return job.meter.around(timeout, lambda left: _run(job, function, inputs, attempt, left))


def _run(
    job: Job, function: Callable[..., Any], inputs: dict[str, Artifact], attempt: int, timeout: float | None
) -> Artifact:
    made = executor(job.spec.executor)
    secrets = _secrets(job)
    mask = Mask({job.spec.secrets[p]: value for p, value in secrets.items()})
    ctx = Context(
        job.ws, job.run_id, job.workflow, job.spec.name, attempt, job_run_id=job.job_run_id, part=job.part,
        _purpose=job.purpose, _purse=job.purse,
    )  # fmt: skip
    if secrets:
        ctx._mask = mask.text
    if timeout is None:
        ctx._cancelled = job.cancelled
    capture.install()  # again: %%capture or redirect_stdout may have put another stream in our place
    log = capture.StepLog(job.ws, ctx)
    ctx._log = lambda text: log.record("INFO", text)
    tokens = current.set(ctx), capture.sink.set(log)
    try:
        call = Call(job, function, inputs, attempt, timeout, ctx, log, secrets, call_here)
        return once(job, attempt, lambda: made.run(call))
    except BaseException as e:
        if secrets:
            _describe_masked(e, job, function, mask)
        raise
    finally:
        log.close()
        if job.peak is not None:
            tell_peak(job.ws.catalog, job.run_id, job.spec.name, attempt, job.peak, executor=job.executor)
        current.reset(tokens[0])
        capture.sink.reset(tokens[1])


def _secrets(job: Job) -> dict[str, str]:
    """Return the secrets this call gets, by parameter."""
    wanted = job.spec.secrets
    if job.purpose == UNDO:
        wanted = {p: name for p, name in wanted.items() if p in job.spec.compensate_takes}
    return {parameter: resolve(name) for parameter, name in wanted.items()}


def _describe_masked(error: BaseException, job: Job, function: Callable[..., Any], mask: Mask) -> None:
    """Say what went wrong before anybody else does, without the secrets."""
    described = mask.data(describe(error, job.spec.name, function, job.spec))
    with contextlib.suppress(AttributeError, TypeError):
        error.aios_described = described  # type: ignore[attr-defined]
        return
    stand_in: Any = type(type(error).__name__, (RemoteError,), {})(described["message"])
    stand_in.aios_described = described
    raise stand_in from None


def call_here(call: Call) -> Artifact:
    """Load the inputs, call the function in this thread, store what it returns."""
    job, ctx = call.job, call.context
    arguments = job.values(call.inputs)
    ctx.params = {n: arguments[n] for n in job.spec.params if n in arguments}
    value = call.function(**arguments, **call.secrets)
    if inspect.isawaitable(value):
        value = asyncio.run(_settle(value))
    if job.spec.check is not None:
        _check(job, value, ctx)
    return call.put(None if job.purpose == UNDO else value)


def _check(job: Job, value: Any, ctx: Context) -> None:
    """Let the step's check look at its value; what it finds is kept, unless it kept something itself."""
    found = job.really_load(job.spec.check or {})(value)
    if found is False:
        raise GateRejected(
            f"the value of step '{job.spec.name}' did not pass its gate '{job.spec.check_name}', which returned False"
        )
    if ctx._kept is None and found is not None and found is not True:
        ctx.keep(found)


async def _settle(awaitable: Any) -> Any:
    return await awaitable
