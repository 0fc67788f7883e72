"""The versions of a job, inside a transaction, and the one that runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.pointing import point
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session

#: A version in one of these states does not run, whoever asks.
HELD = ("waiting", "rejected", "superseded")


def version_row(con: Session, job_id: str, version: int) -> dict[str, Any] | None:
    """Return the row of a version, inside a transaction."""
    found = con.execute(
        "select * from job_versions where job_id = :id and version = :version",
        {"id": job_id, "version": version},
    ).fetchone()
    return dict(found) if found else None


def spec_of(con: Session, job_id: str, version: int) -> JobSpec | None:
    """Return what a version's `job.yaml` says."""
    found = version_row(con, job_id, version)
    return JobSpec.from_dict(json.loads(found["spec"])) if found else None


def activate(con: Session, job: Mapping[str, Any], version: int, now: float) -> dict[str, Any]:
    """Point a job at one of its versions, in the caller's transaction; returns the job's new row."""
    found = version_row(con, job["job_id"], version)
    assert found is not None
    return point(con, dict(job), found, now)
