"""One step, once: cache, inputs, attempts, output.

Runs in a thread that the journal has given to the step; returns a record, never raises for a user's error.
"""

from __future__ import annotations

from typing import Any

from aios_workbench.engine.attempts import FINAL, make_attempts
from aios_workbench.engine.caching import cache_key, find_cached
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import Job
from aios_workbench.engine.looping import run_loop
from aios_workbench.engine.mapping import run_map
from aios_workbench.engine.mapping.store import OPEN, REDRIVEN
from aios_workbench.engine.records import FAILED, SKIPPED, SUCCEEDED, Record, reference, tell_step
from aios_workbench.workspace import Artifact, upsert


def execute(job: Job) -> Record:
    """Execute a step to its end and tell the catalog on the way."""
    spec, catalog = job.spec, job.ws.catalog
    started = job.now()
    record = Record(spec.name, FAILED, started_at=started, inputs={n: a.hash for n, a in job.inputs.items()})
    try:
        if spec.cache:
            record.cache_key = cache_key(spec, job.inputs)
            found = find_cached(job.ws, record.cache_key)
            if found is not None:
                record.status, record.output, record.cached = SUCCEEDED, reference(found), True
                record.ended_at = job.now()
                tell_step(catalog, job.run_id, job.leg, record)
                return record
        (run_map if spec.over else run_loop if spec.bound else make_attempts)(job, record)
        if job.answered is not None and record.status == SUCCEEDED:
            record.cached, record.message = True, job.answered
    except Exception as e:  # noqa: BLE001 - storing the output failed, an input is damaged
        record.status, record.error = FAILED, describe(e, spec.name)
    if not spec.over and spec.on_error != "fail":
        go_on_without(job, record)
    record.kept = None if job.kept is None else reference(job.kept)
    record.ended_at = job.now()
    tell_step(catalog, job.run_id, job.leg, record)
    return record


def go_on_without(job: Job, record: Record) -> None:
    """Turn a failure into a step that was skipped; keep a dead letter of it where the step's `on_error` says so."""
    spec, error = job.spec, record.error or {}
    if spec.on_error == "dead_letter" and record.status == SUCCEEDED and job.again:
        job.ws.catalog.write(
            "update dead_letters set status = :redriven, redriven_by = :r where run_id = :r and step = :s "
            "and status = :open", redriven=REDRIVEN, open=OPEN, r=job.run_id, s=spec.name,
        )  # fmt: skip
    if record.status != FAILED or error.get("type") in {cls.__name__ for cls in FINAL}:
        return
    if spec.on_error == "dead_letter":
        _keep_letter(job, record, error)
    tried = "" if not record.message else f"; {record.message}"
    record.status = SKIPPED
    why = f"{error.get('type')}: {str(error.get('message', ''))[:200]}{tried}"
    record.message = f"skipped after {why} (on_error='{spec.on_error}')"


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


def wanted(job: Job, inputs: dict[str, Artifact]) -> bool:
    """Evaluate a step's `when`; an error in it is the step's error."""
    return bool(job.load(job.spec.when or {})(**job.values(inputs)))
