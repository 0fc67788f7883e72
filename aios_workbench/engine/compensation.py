"""What finished steps did is undone when their run fails: the last to finish first, each once.

The order and the reason are one journal entry, every undone step is another: a process that goes on with the run
does not begin again, and does not change its mind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dbos import DBOS

from aios_workbench.engine import joins
from aios_workbench.engine.attempts import attempts_before
from aios_workbench.engine.calls import run_function
from aios_workbench.engine.failures import brief, describe, plain
from aios_workbench.engine.job import UNDO, Job
from aios_workbench.engine.records import (
    COMPENSATED,
    FAILED,
    SUCCEEDED,
    Record,
    tell_attempt,
)
from aios_workbench.engine.retrying import backoff
from aios_workbench.errors import StepTimeout
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Artifact, dumps

MakeJob = Callable[[StepSpec], Job]


class Compensation:
    """What one leg of a run may have to undo. Made before anything runs: it takes its place in the journal."""

    def __init__(self, spec: WorkflowSpec) -> None:
        self.spec = spec
        steps = [s for s in spec.steps if s.compensate is not None]
        self._plan = DBOS.reserve_step() if steps else None
        self._reserved = {s.name: DBOS.reserve_step() for s in steps}

    async def go(
        self, records: dict[str, Record], job: MakeJob, tell: Callable[[Record], None], *, cancelled: bool
    ) -> None:
        """Undo what has to be undone and say so in the records."""
        if self._plan is None or not self._order(records):
            return
        if not cancelled and not self._failed(records):
            return
        plan = await self._plan.run_async({"name": "compensate"}, self._decide, records, job, cancelled)
        for step in plan["steps"]:
            done = await self._reserved[step].run_async(
                {"name": f"undo {step}"}, undo, job(self.spec.step(step)), records[step], plan["because"]
            )
            note(records[step], done)
            tell(records[step])

    def _failed(self, records: Mapping[str, Record]) -> list[str]:
        made_up = joins.made_up(self.spec, records)
        return [r.step for r in records.values() if r.status == FAILED and r.step not in made_up]

    def _order(self, records: Mapping[str, Record]) -> list[str]:
        """Return which steps have had an effect, the last to finish first.

        An output from the cache or from another run was made by somebody else: it is not ours to undo.
        """
        ends: dict[str, float] = {}
        for step in (
            self.spec.steps
        ):  # never before what it needed, though the clock may have been set back meanwhile
            ends[step.name] = max([records[step.name].ended_at or 0.0, *(ends[n] for n in step.upstream)])
        done = [
            (ends[n], i, n) for i, n in enumerate(self._reserved)
            if records[n].status == SUCCEEDED and not records[n].cached
        ]  # fmt: skip
        return [n for _, _, n in sorted(done, reverse=True)]

    def _decide(self, records: Mapping[str, Record], job: MakeJob, cancelled: bool) -> dict[str, Any]:
        failed = self._failed(records)
        because = "the run was cancelled" if cancelled else f"'{failed[0]}' failed"
        if cancelled and not self.spec.compensate_on_cancel:
            return {"because": because, "steps": []}
        order = self._order(records)
        for position, step in enumerate(order):
            _tell(job(self.spec.step(step)), "pending", because, position=position)
        return {"because": because, "steps": order}


def note(record: Record, done: Mapping[str, Any]) -> None:
    """Write into a step's record what came of undoing it."""
    if done["error"] is None:
        record.status = COMPENSATED
        record.message = f"undone by '{done['function']}' because {done['because']}"
    else:  # what it did is still there: it counts as finished, and a person has to look
        said = brief(done["error"])
        record.message = f"could not be undone, '{done['function']}' failed: {said}"
    record.undo = dict(done)


def undo(job: Job, record: Record, because: str) -> dict[str, Any]:
    """Undo one step: as many tries as the step itself has, no error stops the others."""
    spec = job.spec
    job = replace(
        job,
        again=True,  # the step's own attempts are before these
        spec=replace(spec, check=None),
        purpose=UNDO,
        cancelled=threading.Event(),
        inputs=_arguments(job, record),
    )
    done = {"function": spec.compensate_name, "because": because, "started_at": time.time(), "error": None}
    _tell(job, "running", because)
    number = attempts_before(job)
    for made in range(1, spec.retries + 2):
        done["error"] = _try(job, number + made)
        done["attempts"] = made
        if done["error"] is None:
            break
        if made <= spec.retries:
            time.sleep(backoff(spec.backoff, made))
    done["ended_at"] = time.time()
    _tell(
        job, COMPENSATED if done["error"] is None else FAILED, because, started_at=done["started_at"],
        ended_at=done["ended_at"], attempts=done["attempts"], error=dumps(done["error"]) if done["error"] else None,
    )  # fmt: skip
    return done


def _try(job: Job, number: int) -> dict[str, Any] | None:
    """Call the undo function once; return its error."""
    catalog, spec, began = job.ws.catalog, job.spec, time.time()
    row = (catalog, job.run_id, spec.name, number)
    kind: dict[str, Any] = {"executor": job.executor, "kind": "compensation", "name": spec.compensate_name}
    tell_attempt(*row, "running", began, **kind)
    function, status, error = None, SUCCEEDED, None
    try:
        function = job.load(spec.compensate or {})
        run_function(job, function, job.inputs, number, spec.timeout)
    except StepTimeout as e:
        status, error = "timeout", plain("StepTimeout", str(e), spec.name)
    except BaseException as e:  # noqa: BLE001 - sys.exit() in a cell must not take the engine along
        status, error = FAILED, describe(e, spec.name, function, spec)
    tell_attempt(*row, status, began, ended_at=time.time(), error=error, **kind)
    return error


def _arguments(job: Job, record: Record) -> dict[str, Artifact]:
    """Return what the undo function gets: inputs by their names, and the output under what else it takes."""
    spec = job.spec
    given = {
        name: record.artifact if name in spec.compensate_output else job.inputs.get(name)
        for name in spec.compensate_takes
    }
    return {name: artifact for name, artifact in given.items() if artifact is not None}


def _tell(job: Job, status: str, because: str, **columns: Any) -> None:
    """Write how far the undoing of a step is: stored on return, it is what a person looks at after a crash."""
    row = {
        "run_id": job.run_id, "leg": job.leg, "step": job.spec.name, "function": job.spec.compensate_name,
        "status": status, "because": because, **columns,
    }  # fmt: skip
    row = {"position": 0, **row}
    job.ws.catalog.write(_upsert(row), **row)
    job.ws.catalog.event("compensation", job.run_id, job.spec.name, status=status, because=because)


def _upsert(row: Mapping[str, Any]) -> str:
    """Insert a row, or change what it says: its place in the order stays as it was planned."""
    names = ", ".join(row)
    sets = ", ".join(f"{c} = excluded.{c}" for c in row if c not in ("run_id", "leg", "step", "position"))
    return (
        f"insert into compensations ({names}) values ({', '.join(f':{c}' for c in row)}) "  # noqa: S608 - our names
        f"on conflict (run_id, leg, step) do update set {sets}"
    )
