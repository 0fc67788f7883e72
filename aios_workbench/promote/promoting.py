"""From a notebook to a version of a job.

The files are stored first, by hash; then one transaction makes the version and lets the job run it; then its folder
is laid out. Killed before the transaction, nothing has happened; after it, whoever needs the folder makes it.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, WorkspaceError
from aios_workbench.govern import audit_within
from aios_workbench.promote import approvals, gates, objects, permits, provenance, rollout, sharing
from aios_workbench.promote.bundle import Bundle, make_bundle
from aios_workbench.promote.checks import Finding, checked_spec
from aios_workbench.promote.digests import Told
from aios_workbench.promote.pointing import next_tick, point
from aios_workbench.promote.records import Job, job_folder, tell
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers import arm, check_circle
from aios_workbench.workspace import Session, Workspace, dumps

_ENVIRONMENT = ("requirements.lock", "environment.json")


@dataclass(frozen=True)
class Candidate:
    """A notebook that could be promoted as it is: checked, gathered, nothing stored yet."""

    path: Path
    spec: JobSpec
    bundle: Bundle
    findings: list[Finding]


def candidate(ws: Workspace, notebook: str | Path, spec: JobSpec, told: Told | None = None) -> Candidate:
    """Check and gather a notebook, and change nothing.

    Raises
    ------
    JobError
        Listing what keeps the notebook from being promoted.
    ParameterError, NotFoundError
        For wrong parameters, a missing file.
    """
    path = Path(notebook).expanduser().resolve()
    spec = spec.model_copy(update={"notebook": relative(ws, path)})
    spec, findings = checked_spec(path, spec)
    return Candidate(path, spec, make_bundle(path, spec, told), findings)


def promote(
    ws: Workspace, notebook: str | Path, spec: JobSpec, by: str, *, now: float | None = None, note: str | None = None,
    activate: bool = True, told: Told | None = None, trial: dict[str, Any] | None = None,
) -> Job:  # fmt: skip
    """Make a notebook a job, or the next version of the job with that name.

    The notebook and the modules beside it are copied: what runs is what was promoted. Promoting again with
    nothing changed keeps the version. Content that an older approved version has is that version again: the job is
    pointed at it and no new one is made. A version that has to be approved waits, and the job goes on with the one
    it has; a new job then has no ticks yet.

    Parameters
    ----------
    notebook : str or Path
        The file; `spec.notebook` is set to it.
    by : str
        Who promotes, for the audit trail.
    now : float, optional
        Epoch seconds; the clock's if not given.
    note : str, optional
        What is new, for people.
    activate : bool
        False makes the version and lets the job go on with the one it has.
    trial : dict, optional
        Put the version on trial beside the one that runs: `mode`, `share` and `rules` of `promote.rollout.start`. The
        first version of a job has nothing to be tried beside.
    told : function, optional
        Told how far the reading of large data files is; see `promote.digests.file_sha256`.

    Returns
    -------
    Job
        `changed` is False when there was nothing new; `promoted` is the version that was made or found.

    Raises
    ------
    JobError
        Listing what keeps the notebook from being promoted.
    DeniedError
        When the workspace's policy does not let `by` promote it.
    ConflictError
        While another version of the job is on trial.
    ParameterError, NotFoundError, WorkspaceError
        For wrong parameters, a missing file, an unusable disk.

    Examples
    --------
    >>> spec = JobSpec(name="claims", notebook="claims.ipynb", schedule="0 6 * * *", timezone="Europe/Berlin")
    >>> promote(workspace(), "claims.ipynb", spec, by="ada").version  # doctest: +SKIP
    1
    """
    now = time.time() if now is None else now
    if note is not None and len(note) > _NOTE_LIMIT:
        raise JobError(f"the note has {len(note):,} characters; at most {_NOTE_LIMIT:,} are kept")
    asked = None if trial is None else rollout.checked(**trial)
    _permit(ws, spec.name, by, asked)
    made = candidate(ws, notebook, spec, told)
    if (same := _unchanged(ws, made)) is not None:
        objects.put(ws, made.bundle.files)  # what was damaged since is whole again
        return same
    held = gates.require(ws, made.path, made.spec)
    statement = provenance.collect(made.path, made.spec, made.bundle, made.findings, by, now, held)
    objects.put(ws, made.bundle.files)
    with ws.catalog.transaction() as con:
        job, version = record(
            con, made, statement, by, now, note, activate=activate and asked is None, asked=asked
        )
    if version is not None:
        with contextlib.suppress(WorkspaceError):  # it is stored: whoever runs it lays it out
            folder = job_folder(ws, job.job_id) / f"v{version['version']}"
            sharing.unpack(ws, folder, {**version, "name": job.name}, made.bundle)
    if job.changed:
        tell(ws, "job.promoted", job.job_id, job=job.name, version=job.promoted)
    return job


_NOTE_LIMIT = 2000


def _permit(ws: Workspace, name: str, by: str, asked: dict[str, Any] | None) -> None:
    row = ws.catalog.one("select * from jobs where name = :name", name=name)
    if row is None:
        permits.require_new(ws, by, name)
        return
    permits.require(ws, by, "job.promote", row)
    if asked is not None:
        rollout.permit(ws, by, row, asked)


def _unchanged(ws: Workspace, made: Candidate) -> Job | None:
    row = ws.catalog.one(
        "select j.*, v.bundle_hash from jobs j join job_versions v on v.job_id = j.job_id and v.version = j.version "
        "where j.name = :name",
        name=made.spec.name,
    )
    if row is None or row.pop("bundle_hash") != made.bundle.hash:
        return None
    return Job.from_row(row, changed=False, promoted=row["version"])


def record(
    con: Session, made: Candidate, statement: dict[str, Any], by: str, now: float, note: str | None,
    *, activate: bool, asked: dict[str, Any] | None = None,
) -> tuple[Job, dict[str, Any] | None]:  # fmt: skip
    """Make the version, unless it is there; returns the job, and the row of a version that is new."""
    found = con.execute("select * from jobs where name = :name", {"name": made.spec.name}).fetchone()
    old = dict(found) if found else None
    check_circle(con, made.spec)
    if (
        old is not None
        and (known := _known(con, old, made, by, now, note, asked, activate=activate)) is not None
    ):
        return known, None
    if old is not None:
        rollout.refuse(con, old)
    job = old or {
        "job_id": f"job-{uuid.uuid4().hex[:12]}", "name": made.spec.name, "version": 1, "status": "active",
        "spec": dumps(made.spec.to_dict()), "created_at": now, "created_by": by, "updated_at": now,
        "next_tick_at": None, "rollout_id": None,
    }  # fmt: skip
    newest = con.execute("select max(version) from job_versions where job_id = :job_id", job).fetchone()[0]
    number = (newest or 0) + 1
    about = provenance.of_version(statement, job["job_id"], number, note)
    version = {
        "job_id": job["job_id"], "version": number, "spec": dumps(made.spec.to_dict()),
        "bundle_hash": made.bundle.hash, "created_at": now, "created_by": by, "note": note,
        "status": approvals.first_status(con, job, made.spec, by), "environment": _environment(made.bundle),
        "provenance": dumps(about),
    }  # fmt: skip
    con.execute(
        "insert into job_versions (job_id, version, spec, bundle_hash, created_at, created_by, note, status, "
        "environment, provenance) values (:job_id, :version, :spec, :bundle_hash, :created_at, :created_by, :note, "
        ":status, :environment, :provenance)",
        version,
    )
    waits = version["status"] != "approved"
    if old is None:
        job |= {"status": "waiting" if waits else "active"}
        job["next_tick_at"] = next_tick(made.spec, job, now)
        con.execute(
            "insert into jobs (job_id, name, version, status, spec, created_at, created_by, updated_at, next_tick_at) "
            "values (:job_id, :name, :version, :status, :spec, :created_at, :created_by, :updated_at, :next_tick_at)",
            job,
        )
        arm(con, job["job_id"], made.spec, None, now)
    elif activate and not waits:
        job = point(con, old, version, now)
    approvals.supersede(con, job["job_id"], number)
    audit_within(
        con, by, "job.promote", job["name"], job_id=job["job_id"], version=number, bundle_hash=made.bundle.hash,
        status=version["status"], note=note,
    )  # fmt: skip
    if asked is not None and old is not None and old["status"] != "waiting":
        rollout.begin(con, old, number, by, asked, now)
        job = {**old, "rollout_id": None if waits else rollout.going(con, old["job_id"])}
    if waits:
        approvals.ask(con, job, number, now)
    return Job.from_row(job, promoted=number), version


def _known(
    con: Session, job: dict[str, Any], made: Candidate, by: str, now: float, note: str | None,
    asked: dict[str, Any] | None, *, activate: bool,
) -> Job | None:  # fmt: skip
    """Return the job when a version has this content already, pointed at it if it may run."""
    rows = [
        dict(row)
        for row in con.execute(
            "select * from job_versions where job_id = :job_id and bundle_hash = :hash order by version desc",
            {"job_id": job["job_id"], "hash": made.bundle.hash},
        )
    ]
    current = [r for r in rows if r["version"] == job["version"]]
    if current or (rows and rows[0]["status"] == "waiting"):
        return Job.from_row(job, changed=False, promoted=(current or rows)[0]["version"])
    again = next((r for r in rows if r["status"] == "approved"), None)
    if again is None:
        return None  # or rejected: it is put before the people anew
    rollout.refuse(con, job)
    permits.require_within(con, by, "job.rollback", job, version=again["version"])
    if asked is not None:
        rollout.begin(con, job, again["version"], by, asked, now)
    if activate:
        job = point(con, job, again, now)
    audit_within(
        con, by, "job.promote", job["name"], job_id=job["job_id"], version=again["version"], again=True,
        bundle_hash=made.bundle.hash, note=note,
    )  # fmt: skip
    return Job.from_row(job, promoted=again["version"], again=True)


def _environment(bundle: Bundle) -> str | None:
    hashes = bundle.hashes
    return next((hashes[name] for name in _ENVIRONMENT if name in hashes), None)


def relative(ws: Workspace, path: Path) -> str:
    """Return a notebook's path as a job keeps it: from the project folder on, where it lies in it."""
    return path.relative_to(ws.project).as_posix() if path.is_relative_to(ws.project) else str(path)
