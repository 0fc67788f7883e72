"""Runs of jobs, as people ask for them: history, run now, cancel."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError
from aios_workbench.govern import audit_within
from aios_workbench.promote import permits, rollout
from aios_workbench.promote.backfill import settle
from aios_workbench.promote.bundle import NOTEBOOK, discard
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.records import (
    DONE,
    QUEUED,
    RUNNING,
    bundle_folder,
    job_row,
    load_error,
    public,
    run_row,
    tell,
)
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace, dumps


def history(
    ws: Workspace, job: str | None = None, limit: int = 50, before: float | None = None
) -> list[dict[str, Any]]:
    """Return job runs, newest first, skipped ones too.

    Parameters
    ----------
    job : str, optional
        Id or name; all jobs if not given.
    before : float, optional
        Only runs due earlier than this, for paging.

    Returns
    -------
    list of dict
        The columns of `job_runs` with the job's name as `job`, JSON columns read, `duration` in seconds,
        `reason` (why skipped or failed), `folder` and `files` as absolute paths.
    """
    job_id = None if job is None else job_row(ws, job)["job_id"]
    rows = ws.catalog.query(
        "select r.*, j.name as job from job_runs r left join jobs j on j.job_id = r.job_id "
        "where (:job_id is null or r.job_id = :job_id) "
        "and (:before is null or coalesce(r.tick_at, r.queued_at) < :before) "
        "order by coalesce(r.tick_at, r.queued_at) desc, r.queued_at desc limit :limit",
        job_id=job_id, before=before, limit=limit,
    )  # fmt: skip
    return [public(ws, row) for row in rows]


def get_run(ws: Workspace, job_run_id: str) -> dict[str, Any]:
    """Return one job run as `history` does, with the ids of the workflow runs it started as `runs`.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    row = run_row(ws, job_run_id)
    runs = ws.catalog.query(
        "select run_id from runs where job_run_id = :id order by created_at", id=job_run_id
    )
    job = ws.catalog.one("select name from jobs where job_id = :id", id=row["job_id"])
    return {**public(ws, row), "job": job["name"] if job else None, "runs": [r["run_id"] for r in runs]}


def trigger(
    ws: Workspace, job: str, by: str, parameters: Mapping[str, Any] | None = None, *, cause: str | None = None
) -> str:
    """Run a job now, or as soon as its current run has ended; paused jobs too.

    Parameters
    ----------
    parameters : mapping, optional
        Values that replace the job's own for this run; text is converted by type.
    cause : str, optional
        What calls for this run, in the caller's words; the job runs once for it.

    Returns
    -------
    str
        The id of the job run. A worker takes it up.

    Raises
    ------
    NotFoundError, ParameterError
        For an unknown job, or parameters that do not fit.
    DeniedError
        When the policy says no.
    ConflictError
        When the job has run for this cause already, or its first version waits for approval.
    """
    row = job_row(ws, job)
    permits.require(ws, by, "job.trigger", row)
    permits.begun(row)
    spec = JobSpec.from_dict(json.loads(row["spec"]))
    known = NotebookParameters.of(bundle_folder(ws, row["job_id"], row["version"]) / NOTEBOOK)
    params = {**spec.parameters, **known.coerce(parameters or {})}
    known.require(params)
    run_id = f"jr-{uuid.uuid4().hex[:12]}"
    with ws.catalog.transaction() as con:
        run = {
            "job_run_id": run_id, "job_id": row["job_id"], "version": row["version"], "status": QUEUED,
            "params": dumps(params), "queued_at": time.time(), "cause": cause,
        }  # fmt: skip
        started = con.execute(
            "insert into job_runs (job_run_id, job_id, version, trigger, status, params, queued_at, cause) "
            "values (:job_run_id, :job_id, :version, 'manual', :status, :params, :queued_at, :cause) "
            "on conflict (job_id, cause) where cause is not null do nothing",
            run,
        )
        if not started.rowcount:
            raise ConflictError(
                f"job {row['name']!r} has run for {cause!r} already; `aios jobs history` lists it"
            )
        rollout.choose(con, row, run)
        audit_within(
            con, by, "job.trigger", row["name"], job_run_id=run_id, parameters=sorted(parameters or {})
        )
    tell(ws, "job.run", row["job_id"], job=row["name"], job_run_id=run_id, status=QUEUED)
    return run_id


def cancel(ws: Workspace, job_run_id: str, by: str) -> dict[str, Any]:
    """Stop a job run: at once when it waits, within about a second when it runs.

    Raises
    ------
    NotFoundError, ConflictError
        For an unknown run, or one that has ended.
    """
    asked = run_row(ws, job_run_id)
    permits.require(ws, by, "job.cancel", job_row(ws, asked["job_id"]), version=asked["version"])
    with ws.catalog.transaction() as con:
        row = run_row(ws, job_run_id)
        error = {**load_error(row), "type": "Cancelled", "message": f"cancelled by {by}", "cancel": by}
        now = time.time()
        values = {"id": job_run_id, "error": dumps(error), "now": now}
        if row["status"] == QUEUED:
            con.execute(
                "update job_runs set status = 'cancelled', error = :error, ended_at = :now where job_run_id = :id",
                values,
            )
            settle(con, row, now)
        elif row["status"] == RUNNING:
            con.execute("update job_runs set error = :error where job_run_id = :id", values)
        else:
            raise ConflictError(
                f"job run {job_run_id} has ended ({row['status']}); there is nothing to cancel"
            )
        audit_within(con, by, "job.cancel", job_run_id)
    tell(ws, "job.run", row["job_id"], job_run_id=job_run_id, status="cancelling")
    return get_run(ws, job_run_id)


def forget(ws: Workspace, job_run_id: str, by: str) -> None:
    """Delete a run's files and take it off the lists that can be cleared; its row, and so the history, stays.

    Raises
    ------
    NotFoundError
        For an unknown run.
    """
    row = run_row(ws, job_run_id)
    permits.require(ws, by, "job.remove", job_row(ws, row["job_id"]), version=row["version"])
    if row["folder"] and row["status"] in DONE:
        discard(ws.root / row["folder"])
    with ws.catalog.transaction() as con:
        con.execute(
            "update job_runs set forgotten_by = :by where job_run_id = :id", {"by": by, "id": job_run_id}
        )
        audit_within(con, by, "job.run.forget", job_run_id)
    tell(ws, "job.run", row["job_id"], job_run_id=job_run_id, status=row["status"])
