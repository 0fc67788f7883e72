"""Look after the jobs: all of it audited, all of it told to the live panel."""

from __future__ import annotations

import json
import time

from aios_workbench.errors import ConflictError
from aios_workbench.govern import audit_within
from aios_workbench.promote import permits
from aios_workbench.promote.bundle import discard
from aios_workbench.promote.pointing import next_tick
from aios_workbench.promote.promoting import promote
from aios_workbench.promote.records import RUNNING, Job, job_folder, job_row, public, tell
from aios_workbench.promote.runs import history
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers import arm, dependents
from aios_workbench.workspace import Workspace, dumps

__all__ = ["get", "list_jobs", "pause", "promote", "remove", "resume"]


def list_jobs(ws: Workspace) -> list[Job]:
    """Return all jobs by name, each with its last run."""
    rows = ws.catalog.query("select * from jobs order by name")
    last = ws.catalog.query(
        "select * from job_runs where job_run_id in (select (select job_run_id from job_runs r where r.job_id = "
        "j.job_id order by coalesce(tick_at, queued_at) desc, queued_at desc limit 1) from jobs j)"
    )
    names = {row["job_id"]: row["name"] for row in rows}
    by_job = {row["job_id"]: {**public(ws, row), "job": names[row["job_id"]]} for row in last}
    return [Job.from_row(row, last_run=by_job.get(row["job_id"])) for row in rows]


def get(ws: Workspace, job: str) -> Job:
    """Return a job by id or name.

    Raises
    ------
    NotFoundError
        Naming the nearest job.
    """
    row = job_row(ws, job)
    last = history(ws, row["job_id"], limit=1)
    return Job.from_row(row, last_run=last[0] if last else None)


def pause(ws: Workspace, job: str, by: str) -> Job:
    """Fire no more ticks. What runs goes on; what waits for its turn is recorded as skipped."""
    return _switch(ws, job, by, "paused", time.time())


def resume(ws: Workspace, job: str, by: str, *, now: float | None = None) -> Job:
    """Fire ticks again, from the next one on: those of the pause are not made up for."""
    return _switch(ws, job, by, "active", time.time() if now is None else now)


def remove(ws: Workspace, job: str, by: str) -> None:
    """Delete a job, its versions, its history and their files. The audit trail keeps that it was there.

    Raises
    ------
    ConflictError
        While one of its runs is going.
    """
    permits.require(ws, by, "job.remove", job_row(ws, job))
    with ws.catalog.transaction() as con:
        row = job_row(ws, job)
        values = {"id": row["job_id"], "running": RUNNING}
        going = con.execute(
            "select job_run_id from job_runs where job_id = :id and status = :running", values
        ).fetchone()
        if going:
            raise ConflictError(f"job {row['name']!r} is running; `aios jobs cancel {going[0]}` first")
        con.execute(
            "delete from job_cells where job_run_id in (select job_run_id from job_runs where job_id = :id)",
            values,
        )
        for table in (
            "job_runs", "job_alarms", "job_sources", "backfills", "job_versions", "approvals", "rollouts", "jobs",
        ):  # fmt: skip
            con.execute(f"delete from {table} where job_id = :id", values)  # noqa: S608 - names from this line
        audit_within(
            con, by, "job.remove", row["name"], job_id=row["job_id"], version=row["version"],
            starts_no_more=dependents(con, row["name"]),
        )  # fmt: skip
    discard(job_folder(ws, row["job_id"]))
    tell(ws, "job.removed", row["job_id"], job=row["name"])


def _switch(ws: Workspace, job: str, by: str, status: str, now: float) -> Job:
    permits.require(ws, by, "job.pause" if status == "paused" else "job.resume", job_row(ws, job))
    with ws.catalog.transaction() as con:
        row = job_row(ws, job)
        permits.begun(row)
        if row["status"] != status:
            spec = JobSpec.from_dict(json.loads(row["spec"]))
            row |= {"status": status, "updated_at": now}
            row["next_tick_at"] = next_tick(spec, {**row, "next_tick_at": None}, now)
            con.execute(
                "update jobs set status = :status, updated_at = :updated_at, next_tick_at = :next_tick_at "
                "where job_id = :job_id",
                row,
            )
            if status == "active":
                arm(con, row["job_id"], spec, None, now)
            if status == "paused":
                con.execute(
                    "update job_runs set status = 'skipped', ended_at = :now, error = :error "
                    "where job_id = :id and status = 'queued' and attempt = 0 "
                    "and (tick_at is not null or trigger in ('event', 'after'))",
                    {
                        "id": row["job_id"],
                        "now": now,
                        "error": dumps({"type": "Skipped", "message": "the job was paused"}),
                    },
                )
            audit_within(con, by, "job.pause" if status == "paused" else "job.resume", row["name"])
    tell(ws, f"job.{status}", row["job_id"], job=row["name"])
    return Job.from_row(row)
