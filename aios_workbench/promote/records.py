"""Rows of `jobs` and `job_runs` as other layers see them."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError, JobError, NotFoundError, WorkspaceError, hint
from aios_workbench.govern import audit
from aios_workbench.promote.sharing import mend, unpack
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers.words import describe
from aios_workbench.workspace import Workspace

log = logging.getLogger(__name__)

QUEUED, RUNNING = "queued", "running"
#: job runs that will not change any more
DONE = frozenset(("succeeded", "failed", "skipped", "cancelled", "timeout"))
#: what a run leaves in its folder
FILES = ("executed.ipynb", "report.html", "params.json", "log.txt")


@dataclass(frozen=True)
class Job:
    """A promoted notebook.

    Attributes
    ----------
    status : {"active", "paused", "waiting"}
        "waiting": its first version is not approved yet.
    next_tick_at : float or None
        Epoch seconds; None when paused or without a schedule.
    changed : bool
        False when a promotion found nothing new and kept the version.
    promoted : int or None
        The version that a promotion made, or found to be the same content. Another than `version` while it waits for
        approval, or for its rollout.
    again : bool
        True when a promotion went back to an older version of the same content.
    """

    job_id: str
    name: str
    version: int
    status: str
    spec: JobSpec
    created_at: float
    created_by: str | None
    updated_at: float
    next_tick_at: float | None
    rollout_id: str | None = None
    last_run: dict[str, Any] | None = None
    changed: bool = True
    promoted: int | None = None
    again: bool = False

    @classmethod
    def from_row(cls, row: dict[str, Any], **extra: Any) -> Job:
        """Build from a row of `jobs`."""
        spec = JobSpec.from_dict(json.loads(row["spec"]))
        return cls(**{**row, "spec": spec, **extra})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, with what starts it in words."""
        return {
            "job_id": self.job_id, "name": self.name, "version": self.version, "status": self.status,
            "spec": self.spec.to_dict(), "schedule": describe(self.spec),
            "created_at": self.created_at, "created_by": self.created_by, "updated_at": self.updated_at,
            "next_tick_at": self.next_tick_at, "last_run": self.last_run,
        }  # fmt: skip


def job_folder(ws: Workspace, job_id: str) -> Path:
    """Return where a job's versions and runs lie."""
    return ws.root / "jobs" / job_id


def bundle_folder(ws: Workspace, job_id: str, version: int) -> Path:
    """Return where a version's bundle lies; one that is not on this machine is fetched or rebuilt first.

    Who runs it verifies it, or asks `intact_bundle`.
    """
    folder = job_folder(ws, job_id) / f"v{version}"
    if not folder.exists() and (row := version_row(ws, job_id, version)) is not None:
        with contextlib.suppress(JobError, WorkspaceError):  # whoever verifies it says that it is gone
            unpack(ws, folder, row)
    return folder


def intact_bundle(ws: Workspace, job_id: str, version: int) -> tuple[Path, str | None]:
    """Return where a version's bundle lies, exactly as it was promoted, and what was wrong with it.

    A folder that somebody changed is restored from the stored objects, which is audited.

    Raises
    ------
    JobError
        When there is no such version, or neither folder nor objects are whole.
    """
    row = version_row(ws, job_id, version)
    if row is None:
        raise JobError(f"version {version} of the job is gone")
    folder = job_folder(ws, job_id) / f"v{version}"
    wrong = mend(ws, folder, row) if folder.exists() else None
    if not folder.exists():
        mend(ws, folder, row)
    if wrong is not None:
        audit(ws, "aios", "job.restore", row["name"], job_id=job_id, version=version, why=wrong)
    return folder, wrong


def find_version(ws: Workspace, job: dict[str, Any], version: int) -> dict[str, Any]:
    """Return a version's row of `job_versions` with the job's `name`.

    Parameters
    ----------
    job : dict
        The row of `jobs`.

    Raises
    ------
    NotFoundError
        Naming the newest there are.
    """
    row = version_row(ws, job["job_id"], version)
    if row is None:
        rows = ws.catalog.query(
            "select version from job_versions where job_id = :id order by version", id=job["job_id"]
        )
        known = ", ".join(str(r["version"]) for r in rows[-10:])
        raise NotFoundError(f"job {job['name']!r} has no version {version} (there is: {known})")
    return row


def version_row(ws: Workspace, job_id: str, version: int) -> dict[str, Any] | None:
    """Return a version's row of `job_versions` with the job's `name`; None when there is none."""
    return ws.catalog.one(
        "select v.*, j.name from job_versions v join jobs j on j.job_id = v.job_id "
        "where v.job_id = :job_id and v.version = :version",
        job_id=job_id, version=version,
    )  # fmt: skip


def run_folder(ws: Workspace, job_id: str, job_run_id: str) -> Path:
    """Return where a run's files lie."""
    return job_folder(ws, job_id) / "runs" / job_run_id


def job_row(ws: Workspace, job: str) -> dict[str, Any]:
    """Return the row of a job by id or name.

    Raises
    ------
    NotFoundError
        Naming the nearest job.
    """
    row = ws.catalog.one(
        "select * from jobs where job_id = :job or name = :job order by job_id = :job desc", job=job
    )
    if row is None:
        names = [r["name"] for r in ws.catalog.query("select name from jobs order by name")]
        known = ", ".join(names[:10]) or "none; `aios promote <notebook>` makes one"
        raise NotFoundError(f"no job {job!r}{hint(job, names)} (there is: {known})")
    return row


def run_row(ws: Workspace, job_run_id: str) -> dict[str, Any]:
    """Return the row of a job run.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    row = ws.catalog.one("select * from job_runs where job_run_id = :id", id=job_run_id)
    if row is None:
        raise NotFoundError(f"no job run {job_run_id!r}; `aios jobs history <job>` lists them")
    return row


def public(ws: Workspace, row: dict[str, Any]) -> dict[str, Any]:
    """Return a job run for people: JSON columns read, its folder absolute, its files by name."""
    folder = ws.root / row["folder"] if row["folder"] else None
    error = load_error(row)
    ended = row["ended_at"]
    return {
        **row,
        "params": json.loads(row["params"]),
        "error": error or None,
        "reason": error.get("message"),
        "duration": ended - row["started_at"] if ended and row["started_at"] else None,
        "folder": str(folder) if folder else None,
        "files": {name: str(folder / name) for name in FILES if (folder / name).exists()} if folder else {},
    }


def load_error(row: dict[str, Any]) -> dict[str, Any]:
    """Return a job run's `error` column: what went wrong, and how often so far."""
    return dict(json.loads(row["error"])) if row["error"] else {}


@functools.lru_cache(maxsize=1024)
def load_spec(text: str) -> JobSpec | None:
    """Read a stored spec; one that cannot be read is logged once, and stops its own job only."""
    try:
        return JobSpec.from_dict(json.loads(text))
    except (AiosError, ValueError):
        log.exception("a job cannot be scheduled; promote its notebook again")
        return None


def tell(ws: Workspace, kind: str, job_id: str, **data: Any) -> None:
    """Record an event for the live panel, at once: a command ends right after this."""
    ws.catalog.event(kind, job_id=job_id, **data)
    ws.catalog.flush()
