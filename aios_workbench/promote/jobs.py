"""Promote a notebook to a job, and look after the jobs: all of it audited, all of it told to the live panel."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

from aios_workbench.errors import ConflictError, WorkspaceError
from aios_workbench.govern import audit_within
from aios_workbench.promote.bundle import discard, make_bundle
from aios_workbench.promote.checks import checked_spec
from aios_workbench.promote.records import RUNNING, Job, bundle_folder, job_folder, job_row, public, tell
from aios_workbench.promote.runs import history
from aios_workbench.promote.sharing import share
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace, dumps


def promote(ws: Workspace, notebook: str | Path, spec: JobSpec, by: str, *, now: float | None = None) -> Job:
    """Make a notebook a job, or the next version of the job with that name.

    The notebook and the modules beside it are copied: what runs is what was promoted. Promoting again with
    nothing changed keeps the version.

    Parameters
    ----------
    notebook : str or Path
        The file; `spec.notebook` is set to it.
    by : str
        Who promotes, for the audit trail.
    now : float, optional
        Epoch seconds; the clock's if not given.

    Returns
    -------
    Job
        `changed` is False when there was nothing new.

    Raises
    ------
    JobError
        Listing what keeps the notebook from being promoted.
    ParameterError, NotFoundError, WorkspaceError
        For wrong parameters, a missing file, an unusable disk.

    Examples
    --------
    >>> spec = JobSpec(name="claims", notebook="claims.ipynb", schedule="0 6 * * *", timezone="Europe/Berlin")
    >>> promote(workspace(), "claims.ipynb", spec, by="ada").version  # doctest: +SKIP
    1
    """
    now = time.time() if now is None else now
    path = Path(notebook).expanduser().resolve()
    spec = spec.model_copy(update={"notebook": _relative(ws, path)})
    spec, _ = checked_spec(path, spec)
    bundle = make_bundle(path, spec)
    with ws.catalog.transaction() as con:
        found = con.execute("select * from jobs where name = :name", {"name": spec.name}).fetchone()
        old = dict(found) if found else None
        job_id = old["job_id"] if old else f"job-{uuid.uuid4().hex[:12]}"
        newest = con.execute(
            "select max(version) from job_versions where job_id = :id", {"id": job_id}
        ).fetchone()[0]
        if old is not None and _hash_of(con, job_id, old["version"]) == bundle.hash:
            return Job.from_row(old, changed=False)
        version = (newest or 0) + 1
        row = {
            "job_id": job_id, "name": spec.name, "version": version, "status": old["status"] if old else "active",
            "spec": dumps(spec.to_dict()), "created_at": old["created_at"] if old else now,
            "created_by": old["created_by"] if old else by, "updated_at": now,
            "next_tick_at": _next_tick(spec, old, now),
        }  # fmt: skip
        folder = bundle_folder(ws, job_id, version)
        try:
            discard(folder)  # left by a promotion that was killed before it was recorded
            bundle.write(folder, job=spec.name, version=version, source=str(path), created_by=by)
            share(ws, folder, job_id, version)
        except OSError as e:
            discard(folder)
            raise WorkspaceError(
                f"cannot write the bundle {folder}: {e}; free some disk space and promote again"
            ) from e
        con.execute(
            "insert into jobs (job_id, name, version, status, spec, created_at, created_by, updated_at, next_tick_at) "
            "values (:job_id, :name, :version, :status, :spec, :created_at, :created_by, :updated_at, :next_tick_at) "
            "on conflict (job_id) do update set version = :version, spec = :spec, updated_at = :updated_at, "
            "next_tick_at = :next_tick_at",
            row,
        )
        con.execute(
            "insert into job_versions (job_id, version, spec, bundle_hash, created_at, created_by) "
            "values (:job_id, :version, :spec, :hash, :updated_at, :by)",
            {**row, "hash": bundle.hash, "by": by},
        )
        audit_within(
            con, by, "job.promote", spec.name, job_id=job_id, version=version, bundle_hash=bundle.hash
        )
    tell(ws, "job.promoted", job_id, job=spec.name, version=version)
    return Job.from_row(row)


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
    with ws.catalog.transaction() as con:
        row = job_row(ws, job)
        values = {"id": row["job_id"], "running": RUNNING}
        going = con.execute(
            "select job_run_id from job_runs where job_id = :id and status = :running", values
        ).fetchone()
        if going:
            raise ConflictError(f"job {row['name']!r} is running; `aios jobs cancel {going[0]}` first")
        for table in ("job_runs", "job_versions", "jobs"):
            con.execute(f"delete from {table} where job_id = :id", values)  # noqa: S608 - names from this line
        audit_within(con, by, "job.remove", row["name"], job_id=row["job_id"], version=row["version"])
    discard(job_folder(ws, row["job_id"]))
    tell(ws, "job.removed", row["job_id"], job=row["name"])


def _switch(ws: Workspace, job: str, by: str, status: str, now: float) -> Job:
    with ws.catalog.transaction() as con:
        row = job_row(ws, job)
        if row["status"] != status:
            spec = JobSpec.from_dict(json.loads(row["spec"]))
            row |= {"status": status, "updated_at": now}
            row["next_tick_at"] = _next_tick(spec, {**row, "spec": "{}"}, now)
            con.execute(
                "update jobs set status = :status, updated_at = :updated_at, next_tick_at = :next_tick_at "
                "where job_id = :job_id",
                row,
            )
            if status == "paused":
                con.execute(
                    "update job_runs set status = 'skipped', ended_at = :now, error = :error "
                    "where job_id = :id and status = 'queued' and attempt = 0 and tick_at is not null",
                    {
                        "id": row["job_id"],
                        "now": now,
                        "error": dumps({"type": "Skipped", "message": "the job was paused"}),
                    },
                )
            audit_within(con, by, "job.pause" if status == "paused" else "job.resume", row["name"])
    tell(ws, f"job.{status}", row["job_id"], job=row["name"])
    return Job.from_row(row)


def _next_tick(spec: JobSpec, old: dict[str, Any] | None, now: float) -> float | None:
    if spec.ticks is None or (old is not None and old["status"] == "paused"):
        return None
    if old is not None and old["next_tick_at"] is not None:
        before = json.loads(old["spec"])
        if (before.get("schedule"), before.get("timezone")) == (spec.schedule, spec.timezone):
            return float(old["next_tick_at"])  # a tick that is due now is not lost by promoting a fix
    return spec.ticks.next_after(now)


def _hash_of(con: Any, job_id: str, version: int) -> str | None:
    found = con.execute(
        "select bundle_hash from job_versions where job_id = :id and version = :version",
        {"id": job_id, "version": version},
    ).fetchone()
    return found[0] if found else None


def _relative(ws: Workspace, path: Path) -> str:
    return path.relative_to(ws.project).as_posix() if path.is_relative_to(ws.project) else str(path)
