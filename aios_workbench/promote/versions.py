"""Versions of a job: which there are, what differs, and going back to one."""

from __future__ import annotations

import json
import time
from typing import Any

from aios_workbench.errors import ConflictError, JobError, NotFoundError
from aios_workbench.govern import audit_within
from aios_workbench.promote import objects, permits, provenance, rollout
from aios_workbench.promote.diff import diff
from aios_workbench.promote.differing import differs
from aios_workbench.promote.pointing import point
from aios_workbench.promote.records import Job, find_version, intact_bundle, job_folder, job_row, tell
from aios_workbench.promote.verifying import MANIFEST
from aios_workbench.workspace import Workspace

__all__ = ["diff", "differs", "rollback", "statement", "versions"]


def versions(ws: Workspace, job: str) -> list[dict[str, Any]]:
    """Return the versions of a job, newest first.

    Returns
    -------
    list of dict
        `version`, `status` ("approved", "waiting", "rejected"), `created_at`, `created_by`, `note`, `bundle_hash`,
        `current` (the job runs it), `runs` (how many it has had), `files` (path -> SHA-256; empty when the list of a
        damaged version is lost).

    Raises
    ------
    NotFoundError
        Naming the nearest job.

    Examples
    --------
    >>> [v["version"] for v in versions(workspace(), "claims")]  # doctest: +SKIP
    [3, 2, 1]
    """
    row = job_row(ws, job)
    rows = ws.catalog.query(
        "select version, status, created_at, created_by, note, bundle_hash, (select count(*) from job_runs r "
        "where r.job_id = v.job_id and r.version = v.version and r.status <> 'skipped') as runs "
        "from job_versions v where job_id = :id order by version desc",
        id=row["job_id"],
    )
    return [
        {**r, "current": r["version"] == row["version"], "files": _files(ws, row["job_id"], r)} for r in rows
    ]


def rollback(
    ws: Workspace, job: str, version: int | None, by: str, reason: str | None = None, *, now: float | None = None
) -> Job:  # fmt: skip
    """Let a job run an earlier version again: that one exactly, with its own schedule and options.

    Its next run is made of it. What is queued or running stays with the version it was started with. Nothing is
    deleted: `rollback` to the newer version goes forward again.

    Parameters
    ----------
    version : int or None
        Which; None is the newest approved one before the current.
    by : str
        Who, for the audit trail.
    reason : str, optional
        Why, for the audit trail.

    Returns
    -------
    Job
        `changed` is False when the job ran that version already.

    Raises
    ------
    NotFoundError
        For an unknown job or version.
    ConflictError
        When the version was not approved, or a rollout is going on.
    DeniedError
        When the workspace's policy does not let `by` do that.
    JobError
        When its bundle is damaged beyond repair.

    Examples
    --------
    >>> rollback(workspace(), "claims", 6, by="ada", reason="7 misses half of the claims").version  # doctest: +SKIP
    6
    """
    now = time.time() if now is None else now
    row = job_row(ws, job)
    wanted = _choose(ws, row, version)
    permits.require(ws, by, "job.rollback", row, version=wanted["version"])
    if wanted["version"] == row["version"]:
        return Job.from_row(row, changed=False, promoted=row["version"])
    intact_bundle(ws, row["job_id"], wanted["version"])  # before the job is touched: it must be able to run
    with ws.catalog.transaction() as con:
        row = job_row(ws, row["job_id"])
        rollout.refuse(con, row)
        found = _choose(ws, row, wanted["version"])
        if found["version"] == row["version"]:
            return Job.from_row(row, changed=False, promoted=row["version"])
        before, row = row["version"], point(con, row, found, now)
        audit_within(
            con, by, "job.rollback", row["name"], job_id=row["job_id"], version=row["version"], before=before,
            bundle_hash=found["bundle_hash"], reason=reason,
        )  # fmt: skip
    tell(ws, "job.rolled_back", row["job_id"], job=row["name"], version=row["version"], before=before)
    return Job.from_row(row, promoted=row["version"], again=True)


def statement(ws: Workspace, job: str, version: int | None = None) -> dict[str, Any]:
    """Return where a version comes from, with who agreed to it: an in-toto statement with SLSA provenance.

    Parameters
    ----------
    version : int, optional
        The one the job runs if not given.

    Raises
    ------
    NotFoundError
        For an unknown job or version, and for one that was promoted before there was provenance.
    """
    row = job_row(ws, job)
    found = find_version(ws, row, row["version"] if version is None else version)
    if not found["provenance"]:
        raise NotFoundError(
            f"version {found['version']} of job {row['name']!r} was promoted before there was provenance; promote it "
            "again"
        )
    given = ws.catalog.query(
        "select actor, decision, reason, at from approvals where job_id = :job_id and version = :version order by at",
        job_id=row["job_id"], version=found["version"],
    )  # fmt: skip
    return provenance.with_approvals(json.loads(found["provenance"]), given)


def _choose(ws: Workspace, job: dict[str, Any], version: int | None) -> dict[str, Any]:
    if version is None:
        found = ws.catalog.one(
            "select * from job_versions where job_id = :id and version < :version and status = 'approved' "
            "order by version desc limit 1",
            id=job["job_id"], version=job["version"],
        )  # fmt: skip
        if found is None:
            raise ConflictError(
                f"job {job['name']!r} runs version {job['version']}, and no approved one is older: "
                f"`aios jobs versions {job['name']}` lists all"
            )
        return found
    row = find_version(ws, job, version)
    if row["status"] != "approved":
        raise ConflictError(
            f"version {version} of job {job['name']!r} is {row['status']}, and only an approved version runs; "
            f"`aios jobs versions {job['name']}` lists all"
        )
    return row


def _files(ws: Workspace, job_id: str, version: dict[str, Any]) -> dict[str, str]:
    try:
        return objects.listed(ws, version["bundle_hash"])
    except (JobError, ValueError):
        pass
    try:  # of before there were objects
        path = job_folder(ws, job_id) / f"v{version['version']}" / MANIFEST
        listed = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: str(entry["sha256"]) for name, entry in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
