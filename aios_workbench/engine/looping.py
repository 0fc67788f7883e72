"""A loop: the same function again and again, each state stored, until its condition holds or its bound is reached."""

from __future__ import annotations

import inspect
import time
from typing import Any

from aios_workbench.engine.attempts import make_attempts
from aios_workbench.engine.failures import plain
from aios_workbench.engine.job import Job
from aios_workbench.engine.records import FAILED, SUCCEEDED, Record, reference, tell_progress
from aios_workbench.errors import AiosError
from aios_workbench.workflow import digest
from aios_workbench.workspace import Artifact, upsert

#: A row may only stand in for work when code and inputs are the same.
_FIND = "select * from loop_iterations where run_id = :r and step = :s and key = :k order by iteration desc limit 50"


def run_loop(job: Job, record: Record) -> None:
    """Iterate from the last state that is stored; the record is the outcome of the loop."""
    spec = job.spec
    key = digest([spec.code_hash, {n: a.hash for n, a in (job.inputs | job.until).items()}])
    done, state, met = _stored(job, key)
    while not met and done < spec.bound:
        if state is not None:
            job.inputs = {**job.inputs, spec.state: state}
        job.part = done + 1
        began, before = time.time(), record.attempts
        record.status, record.output = FAILED, None  # what the attempts do not say otherwise
        make_attempts(job, record)
        if record.status != SUCCEEDED or record.artifact is None:
            return
        job.again = True  # the attempts of the next iteration are numbered on
        done, state = done + 1, record.artifact
        met = _met(job, state)
        _store(job, key, done, state, met=met, attempts=record.attempts - before, began=began)
        fraction = 1.0 if met else done / spec.bound
        tell_progress(
            job.ws.catalog, job.run_id, spec.name, fraction, f"iteration {done} of at most {spec.bound}"
        )
    _conclude(record, job, done, state, met=met)


def _conclude(record: Record, job: Job, done: int, state: Artifact | None, *, met: bool) -> None:
    spec, times = job.spec, f"{done} iteration{'s' if done != 1 else ''}"
    if not met and spec.until is not None and spec.on_bound == "fail":
        record.status, record.output = FAILED, None
        record.error = plain("LoopBoundReached", (
            f"the condition of loop '{spec.name}' does not hold after {times}, its bound; every state is in "
            f"run['{spec.name}'].iterations. Raise max=, or go on with the last state: on_bound=\"continue\""
        ), spec.name)  # fmt: skip
        return
    record.status, record.error = SUCCEEDED, None
    record.output = None if state is None else reference(state)
    ended = "until its condition held" if met else "to its bound"
    record.message = f"{times}, {ended}"


def _met(job: Job, state: Artifact) -> bool:
    if job.spec.until is None:
        return False
    until = job.really_load(job.spec.until)
    values = job.values(job.until)
    free = [n for n in inspect.signature(until).parameters if n not in values]
    name = job.spec.state if job.spec.state in free else free[0]
    return bool(until(**values, **job.values({name: state})))


def _stored(job: Job, key: str) -> tuple[int, Artifact | None, bool]:
    """Return the last iteration whose state is there and unharmed."""
    catalog = job.ws.catalog
    catalog.flush()
    for row in catalog.query(_FIND, r=job.run_id, s=job.spec.name, k=key):
        try:
            state = job.ws.artifacts.find(row["output"])
        except AiosError:
            continue
        if job.ws.artifacts.intact(state):
            return row["iteration"], state, bool(row["met"])
    return 0, None, False


def _store(job: Job, key: str, done: int, state: Artifact, *, met: bool, attempts: int, began: float) -> None:
    row: dict[str, Any] = {
        "run_id": job.run_id, "step": job.spec.name, "iteration": done, "key": key, "output": state.hash,
        "met": int(met), "attempts": attempts, "started_at": began, "ended_at": time.time(),
    }  # fmt: skip
    job.ws.catalog.defer(upsert("loop_iterations", row, ("run_id", "step", "iteration")), row)
    job.ws.catalog.flush()  # together with the description of the state: an iteration is not done before that
