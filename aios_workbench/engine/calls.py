"""One call of one function: its inputs loaded, its log captured, its output checked and stored."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.context import Context, current
from aios_workbench.engine.job import UNDO, Job
from aios_workbench.errors import AiosError, GateRejected, StepTimeout
from aios_workbench.workspace import Artifact


class Cancelled(BaseException):
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
        job.ws, job.run_id, job.workflow, job.spec.name, attempt, job_run_id=job.job_run_id, part=job.part,
        _cancelled=stop, _purpose=job.purpose,
    )  # fmt: skip
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
    return job.ws.artifacts.put(None if job.purpose == UNDO else value)


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
            raise Cancelled
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
