"""The attempts of a step: retries with backoff, then fallbacks; each is written down."""

from __future__ import annotations

import random
import time
from typing import Any

from aios_workbench.engine.calls import Cancelled, run_function
from aios_workbench.engine.failures import describe, plain
from aios_workbench.engine.job import Job
from aios_workbench.engine.records import (
    CANCELLED,
    SUCCEEDED,
    Record,
    reference,
    tell_attempt,
    tell_running,
)
from aios_workbench.errors import StepTimeout

MAX_BACKOFF = 60.0


def make_attempts(job: Job, record: Record) -> None:
    """Try the step until an attempt succeeds, its retries are used up or the run is cancelled; then its fallbacks."""
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
        except Cancelled:
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
        except Cancelled:
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
