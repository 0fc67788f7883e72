"""What a run does without a step that has failed: its option `on_error`. Maps settle their items themselves."""

from __future__ import annotations

from typing import Any

from aios_workbench.engine.attempts import FINAL
from aios_workbench.engine.failures import brief, describe
from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.store import OPEN, REDRIVEN
from aios_workbench.engine.records import FAILED, SKIPPED, SUCCEEDED, Record
from aios_workbench.errors import AiosError
from aios_workbench.workspace import upsert


def settle(job: Job, record: Record) -> None:
    """Turn a failure into a step that was skipped; keep a dead letter of it, or strike the one it had."""
    try:
        if record.status == SUCCEEDED:
            _strike_letter(job)
        elif record.status == FAILED:
            _go_on_without(job, record)
    except AiosError as e:  # the letter cannot be written: then the failure must not pass unseen
        record.status, record.error = FAILED, describe(e, job.spec.name)


def _go_on_without(job: Job, record: Record) -> None:
    spec, error = job.spec, record.error or {}
    if error.get("type") in {cls.__name__ for cls in FINAL}:
        return
    if spec.on_error == "dead_letter":
        _keep_letter(job, record, error)
    tried = "" if not record.message else f"; {record.message}"
    why = f"{brief(error)}{tried}"
    record.status, record.message = SKIPPED, f"skipped after {why} (on_error='{spec.on_error}')"


def _strike_letter(job: Job) -> None:
    """Say that what an earlier leg of the run, or the run this one repeats, went on without is done now."""
    if job.spec.on_error == "dead_letter":
        job.ws.catalog.write(
            "update dead_letters set status = :redriven, redriven_by = :r where step = :s and status = :open "
            "and (run_id = :r or run_id in (select parent_run_id from runs where run_id = :r))",
            redriven=REDRIVEN, open=OPEN, r=job.run_id, s=job.spec.name,
        )  # fmt: skip


def _keep_letter(job: Job, record: Record, error: dict[str, Any]) -> None:
    """Store the step's failure as its letter number 0: what went wrong, and references to what it was called with."""
    inputs = {name: artifact.hash for name, artifact in job.inputs.items()}
    kinds = ", ".join(f"{name}: {artifact.type}" for name, artifact in job.inputs.items())
    row = {
        "run_id": job.run_id, "step": job.spec.name, "item": 0, "status": OPEN, "type": str(error.get("type")),
        "reason": str(error.get("message", ""))[:10_000], "traceback": str(error.get("traceback", "")),
        "attempts": record.attempts, "value": kinds[:500], "artifact": job.ws.artifacts.put(inputs).hash,
        "at": job.now(), "redriven_by": None,
    }  # fmt: skip
    job.ws.catalog.flush()  # the description of what is stored comes before what refers to it
    job.ws.catalog.write(upsert("dead_letters", row, ("run_id", "step", "item")), **row)
