"""In a thread of this process: nothing to start, everything shared; a timeout can only give up waiting."""

from __future__ import annotations

import contextvars
import threading
import time

from aios_workbench.engine.executors.base import Call, Cancelled
from aios_workbench.errors import AiosError, StepTimeout
from aios_workbench.workspace import Artifact


class Threads:
    """Calls the function in the thread the step was given; with a timeout, in another one that can be left behind."""

    def run(self, call: Call) -> Artifact:
        """Call the function; see `Executor`."""
        try:
            return call.here() if call.timeout is None else _within(call, call.timeout)
        finally:
            _keep(call)


def _keep(call: Call) -> None:
    """Store what the attempt kept; that it cannot be stored is no reason for the step to fail."""
    job, ctx = call.job, call.context
    job.kept = None
    if ctx._kept is not None:
        try:
            job.kept = call.put(ctx._kept)
        except AiosError as e:
            ctx.log(f"what the step kept is lost: {e}")


def _within(call: Call, timeout: float) -> Artifact:
    job, ctx = call.job, call.context
    done: list[Artifact] = []
    failed: list[BaseException] = []
    finished = threading.Event()

    def work() -> None:
        try:
            done.append(call.here())
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
                "background and its result is dropped. Raise timeout=, make long loops look at "
                'aios.context().cancelled, or give the step executor="process", which can be stopped'
            )
    if failed:
        raise failed[0]
    return done[0]
