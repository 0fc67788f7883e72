"""One step, once: cache, inputs, attempts, output.

Runs in a thread that the journal has given to the step; returns a record, never raises for a user's error.
"""

from __future__ import annotations

from collections.abc import Callable

from aios_workbench.engine.attempts import make_attempts
from aios_workbench.engine.caching import cache_key, find_cached
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import Job
from aios_workbench.engine.looping import run_loop
from aios_workbench.engine.mapping import run_map
from aios_workbench.engine.mapping.stream import run_spool
from aios_workbench.engine.on_error import settle
from aios_workbench.engine.records import FAILED, SUCCEEDED, Record, reference, tell_step
from aios_workbench.workspace import Artifact


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
        _way(job)(job, record)
        if job.answered is not None and record.status == SUCCEEDED:
            record.cached, record.message = True, job.answered
    except Exception as e:  # noqa: BLE001 - storing the output failed, an input is damaged
        record.status, record.error = FAILED, describe(e, spec.name)
    if not spec.over and spec.on_error != "fail":
        settle(job, record)
    record.kept = None if job.kept is None else reference(job.kept)
    record.ended_at = job.now()
    tell_step(catalog, job.run_id, job.leg, record)
    return record


def _way(job: Job) -> Callable[[Job, Record], None]:
    if job.spec.over:
        return run_map
    if job.spec.bound:
        return run_loop
    return make_attempts if job.spool is None else run_spool


def wanted(job: Job, inputs: dict[str, Artifact]) -> bool:
    """Evaluate a step's `when`; an error in it is the step's error."""
    return bool(job.load(job.spec.when or {})(**job.values(inputs)))
