"""Which version of a job runs: a pointer, moved by promotions, approvals, rollouts and rollbacks alike."""

from __future__ import annotations

import json
from typing import Any

from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers import arm
from aios_workbench.workspace import Session

#: A tick that is due is kept while none of these changes.
_WHEN = ("schedule", "every", "starting", "timezone")


def point(
    con: Session, job: dict[str, Any], version: dict[str, Any], now: float, status: str | None = None
) -> dict[str, Any]:
    """Let a job run a version from its next run on; returns its new row of `jobs`.

    What is queued or running stays with the version it was started with.

    Parameters
    ----------
    job, version : dict
        Rows of `jobs` and `job_versions`.
    now : float
        Epoch seconds.
    status : {"active", "paused"}, optional
        The job's status from now on; as it is if not given, but a job that waited for its first approval is active.
    """
    status = status or ("active" if job["status"] == "waiting" else job["status"])
    spec = JobSpec.from_dict(json.loads(version["spec"]))
    row = {
        **job, "version": version["version"], "spec": version["spec"], "status": status, "updated_at": now,
        "next_tick_at": next_tick(spec, {**job, "status": status}, now),
    }  # fmt: skip
    con.execute(
        "update jobs set version = :version, spec = :spec, status = :status, updated_at = :updated_at, "
        "next_tick_at = :next_tick_at where job_id = :job_id",
        row,
    )
    listened = job["status"] == status == "active"
    arm(con, job["job_id"], spec, JobSpec.from_dict(json.loads(job["spec"])) if listened else None, now)
    return row


def next_tick(spec: JobSpec, job: dict[str, Any] | None, now: float) -> float | None:
    """Return when a job with this spec is due next; None for one that is not active, or has no schedule.

    Parameters
    ----------
    job : dict, optional
        The row of `jobs` as it was, if there was one.
    """
    if spec.ticks is None or (job is not None and job["status"] != "active"):
        return None
    if job is not None and job["next_tick_at"] is not None:
        before = JobSpec.from_dict(json.loads(job["spec"])) if job["spec"] != "{}" else None
        if before is not None and all(getattr(before, name) == getattr(spec, name) for name in _WHEN):
            return float(job["next_tick_at"])  # a tick that is due now is not lost by promoting a fix
    return spec.ticks.next_after(now)
