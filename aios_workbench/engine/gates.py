"""Human gates: a question stored in the catalog, answered there by anyone from anywhere.

The decision is a row, written in one transaction; the run only waits for that row. So a gate holds no
thread, survives every process, and whoever decides needs no connection to the process that runs.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from typing import Any

from aios_workbench.engine.calls import run_function
from aios_workbench.engine.decisions import POLICY, decide
from aios_workbench.engine.failures import describe, plain
from aios_workbench.engine.job import Job
from aios_workbench.engine.records import (
    CANCELLED,
    FAILED,
    SUCCEEDED,
    Record,
    reference,
    tell_running,
    tell_step,
)
from aios_workbench.errors import NotFoundError
from aios_workbench.workflow import Decision
from aios_workbench.workspace import Artifact, Workspace, dumps


def prepare(job: Job, policy: Any) -> Record | None:
    """Evaluate `when` and the question; return the record when nobody has to be asked.

    Runs in a thread. Safe to repeat after a crash: a question that was asked is not asked again.
    """
    spec, catalog = job.spec, job.ws.catalog
    record = Record(spec.name, FAILED, attempts=1, started_at=time.time())
    record.inputs = {n: a.hash for n, a in job.inputs.items()}
    try:
        row = _row(job)
        if row is None:
            tell_running(catalog, job.run_id, spec.name, "running", 1, record.started_at or 0)
            _ask(job, run_function(job, job.load(spec.fn or {}), job.inputs, 1, None))
            row = _row(job)
        chosen = _policy_for(policy, spec.name)
        if row is not None and row["status"] == "waiting" and chosen is not None:
            decide(
                job.ws, job.run_id, spec.name, approved=chosen["decision"] == "approve",
                by=POLICY, auto=True, values=chosen.get("values"),
                reason=chosen.get("reason") or "decided by the run's gate policy",
            )  # fmt: skip
            row = _row(job)
        if row is not None and row["status"] != "waiting":
            return finish(job, record, row)
    except Exception as e:  # noqa: BLE001 - the user's function, or a policy that does not fit
        record.error, record.ended_at = describe(e, spec.name), time.time()
        tell_step(catalog, job.run_id, job.leg, record)
        return record
    tell_running(catalog, job.run_id, spec.name, "waiting", 1, record.started_at or 0)
    return None


def pass_by(job: Job) -> Record:
    """Approve a gate that nobody has to look at."""
    decision = Decision(
        approved=True, by="not needed", at=dt.datetime.now(dt.UTC), auto=True, reason="`when` was false"
    )
    record = Record(
        job.spec.name, SUCCEEDED, reference(job.ws.artifacts.put(decision)),
        started_at=time.time(), ended_at=time.time(),
        message="not needed: `when` was false", inputs={n: a.hash for n, a in job.inputs.items()},
    )  # fmt: skip
    tell_step(job.ws.catalog, job.run_id, job.leg, record)
    return record


async def wait(job: Job, wake: asyncio.Event, cancelled: asyncio.Future[None]) -> Record:
    """Wait for the decision without holding a thread; `wake` is set whenever one may have come."""
    catalog, spec = job.ws.catalog, job.spec
    record = Record(spec.name, FAILED, attempts=1, inputs={n: a.hash for n, a in job.inputs.items()})
    while True:
        wake.clear()
        row = _row(job)
        if row is None:
            raise NotFoundError(f"gate '{spec.name}' of run {job.run_id} vanished from the catalog")
        record.started_at = row["requested_at"]
        if row["status"] != "waiting":
            return await asyncio.to_thread(finish, job, record, row)
        if cancelled.done():
            _close(job.ws, job.run_id, spec.name, "cancelled")
            record.status = CANCELLED
            record.ended_at = time.time()
            tell_step(catalog, job.run_id, job.leg, record)
            return record
        left = None if row["deadline_at"] is None else row["deadline_at"] - time.time()
        if left is not None and left <= 0:
            _close(job.ws, job.run_id, spec.name, "expired")
            continue
        woken = asyncio.ensure_future(wake.wait())
        await asyncio.wait(
            (woken, cancelled),
            timeout=None if left is None else min(left, 3600),
            return_when=asyncio.FIRST_COMPLETED,
        )
        woken.cancel()


def finish(job: Job, record: Record, row: dict[str, Any]) -> Record:
    """Turn a decided gate into a step's outcome."""
    spec = job.spec
    record.ended_at = row["decided_at"] or time.time()
    approved = row["status"] == "approved"
    reason = f": {row['reason']}" if row["reason"] else ""
    if row["status"] == "expired":
        record.error = plain("GateExpired", f"gate '{spec.name}': nobody decided in time", spec.name)
    elif row["status"] == "cancelled":
        record.status = CANCELLED
    elif not approved and spec.on_reject == "fail":
        record.error = plain(
            "GateRejected", f"gate '{spec.name}' was rejected by {row['decided_by']}{reason}", spec.name
        )
    else:
        decision = Decision(
            approved, by=row["decided_by"], at=dt.datetime.fromtimestamp(row["decided_at"], dt.UTC),
            reason=row["reason"],
            values=json.loads(row["values"] or "{}"), auto=row["decided_by"] == POLICY,
            data=job.ws.artifacts.get(job.ws.artifacts.find(row["data"])) if row["data"] else None,
        )  # fmt: skip
        record.output, record.status = reference(job.ws.artifacts.put(decision)), SUCCEEDED
        record.message = f"{row['status']} by {row['decided_by']}{reason}"
    tell_step(job.ws.catalog, job.run_id, job.leg, record)
    return record


def _policy_for(policies: dict[str, Any], gate: str) -> dict[str, Any] | None:
    chosen = policies.get(gate, policies.get("*"))
    return None if chosen is None or chosen["decision"] == "wait" else chosen


def _ask(job: Job, shown: Artifact) -> None:
    now = time.time()
    job.ws.catalog.flush()
    job.ws.catalog.write(
        "insert into gates (run_id, step, status, form, data, requested_at, deadline_at) "
        "values (:r, :s, 'waiting', :form, :data, :now, :deadline) on conflict (run_id, step) do nothing",
        r=job.run_id, s=job.spec.name, form=dumps(job.spec.form) if job.spec.form else None, data=shown.hash, now=now,
        deadline=None if job.spec.timeout is None else now + job.spec.timeout,
    )  # fmt: skip
    job.ws.catalog.event("gate", job.run_id, job.spec.name, status="waiting")


def _row(job: Job) -> dict[str, Any] | None:
    return job.ws.catalog.one(
        "select * from gates where run_id = :r and step = :s", r=job.run_id, s=job.spec.name
    )


def _close(ws: Workspace, run_id: str, step: str, status: str) -> None:
    ws.catalog.write(
        "update gates set status = :status, decided_at = :now where run_id = :r and step = :s and status = 'waiting'",
        status=status, now=time.time(), r=run_id, s=step,
    )  # fmt: skip
    ws.catalog.event("gate", run_id, step, status=status)
