"""A failed run of a job, taken up again: a new run of the same version with the same parameters.

Its notebook runs from the top in a fresh kernel, but each workflow in it goes on where the failed run left it: the
steps that had finished are not executed again, gates that were answered stay answered (`engine.continuing`). What a
cell does outside of any workflow is done again.

Not named `resume`: importing a module of that name would put it in the place of the package's function.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError
from aios_workbench.govern import audit_within
from aios_workbench.promote import permits
from aios_workbench.promote.records import DONE, QUEUED, job_row, run_row, tell
from aios_workbench.workspace import Session, Workspace

#: How far back a chain of runs that continue each other is followed.
_LONGEST = 100
_WRONG = frozenset(("failed", "timeout", "cancelled"))


def resumable(ws: Workspace, row: Mapping[str, Any]) -> str | None:
    """Return why a run cannot be taken up again, or None when it can.

    Parameters
    ----------
    row : mapping
        The row of `job_runs`.

    Examples
    --------
    >>> resumable(ws, {"job_run_id": "jr-1", "status": "succeeded", "role": None})  # doctest: +SKIP
    'it has succeeded'
    """
    if row["status"] not in _WRONG:
        return _why_not(row)
    if row["role"] == "shadow":
        return "it ran in the shadow of another version, whose outcome counts"
    version = ws.catalog.one(
        "select status from job_versions where job_id = :job and version = :version",
        job=row["job_id"], version=row["version"],
    )  # fmt: skip
    if version is None or version["status"] == "rejected":
        what = "gone" if version is None else "rejected since"
        return f"version {row['version']} of the job is {what}; `aios jobs run` runs the one it has now"
    made_good = ws.catalog.one(
        "select job_run_id from job_runs where resumed_from = :id and status = 'succeeded'",
        id=row["job_run_id"],
    )
    return f"it was made good by {made_good['job_run_id']}" if made_good else None


def _why_not(row: Mapping[str, Any]) -> str:
    if row["status"] == "succeeded":
        return "it has succeeded"
    if row["status"] == "skipped":
        return "it was skipped, so there is nothing to go on from; `aios jobs run` runs the job"
    return f"it is {row['status']}"


def resume_run(ws: Workspace, job_run_id: str, by: str, *, from_start: bool = False) -> str:
    """Queue a run that goes on with a failed one; returns its id.

    Asked twice, it is the same run. One that was taken up before, and failed again, is taken up where that one ended.
    It stands for the same instant, and for the same tick of a backfill.

    Parameters
    ----------
    from_start : bool
        Do everything anew, finished steps too.

    Raises
    ------
    NotFoundError, ConflictError
        For an unknown run, or one of which `resumable` says why not.

    Examples
    --------
    >>> resume_run(ws, "jr-0a1b2c3d4e5f", "ada")  # doctest: +SKIP
    'jr-9f8e7d6c5b4a'
    """
    asked = run_row(ws, job_run_id)
    permits.require(ws, by, "job.trigger", job_row(ws, asked["job_id"]), version=asked["version"])
    with ws.catalog.transaction() as con:
        row = _latest(con, run_row(ws, job_run_id))
        if row["status"] not in DONE and row["job_run_id"] != job_run_id:
            return str(row["job_run_id"])  # somebody was first
        if (why := resumable(ws, row)) is not None:
            raise ConflictError(f"job run {row['job_run_id']} cannot be taken up again: {why}")
        if going := _started_anew(con, row["job_run_id"]):
            return going
        made = _insert(con, row, from_start=from_start)
        job = con.execute("select name, version from jobs where job_id = :job_id", row).fetchone()
        audit_within(
            con, by, "job.retry", job[0], job_run_id=made, resumed_from=row["job_run_id"], from_start=from_start,
            version=row["version"], newest_version=job[1],
        )  # fmt: skip
    tell(ws, "job.run", row["job_id"], job=job[0], job_run_id=made, status=QUEUED)
    return made


def _latest(con: Session, row: dict[str, Any]) -> dict[str, Any]:
    """Return the last run of those that continue this one."""
    for _ in range(_LONGEST):
        found = con.execute(
            "select * from job_runs where resumed_from = :job_run_id order by queued_at desc limit 1", row
        ).fetchone()
        if found is None:
            break
        row = dict(found)
    return row


def _started_anew(con: Session, job_run_id: str) -> str | None:
    found = con.execute(
        "select job_run_id from job_runs where cause like :cause and status in ('queued', 'running') limit 1",
        {"cause": f"again:{job_run_id}:%"},
    ).fetchone()
    return None if found is None else str(found[0])


def _insert(con: Session, row: dict[str, Any], *, from_start: bool) -> str:
    kind = "again" if from_start else "resume"
    count = con.execute(
        "select count(*) from job_runs where cause like :cause", {"cause": f"{kind}:{row['job_run_id']}:%"}
    ).fetchone()[0]
    new = {
        **row, "id": f"jr-{uuid.uuid4().hex[:12]}", "now": time.time(),
        "from": None if from_start else row["job_run_id"], "cause": f"{kind}:{row['job_run_id']}:{count}",
        "at": next(row[n] for n in ("logical_at", "tick_at", "queued_at") if row[n] is not None),
        "backfill": _reopened(con, row["backfill_id"]),
    }  # fmt: skip
    con.execute(
        "insert into job_runs (job_run_id, job_id, version, trigger, status, params, queued_at, cause, logical_at, "
        "backfill_id, resumed_from) values (:id, :job_id, :version, 'retry', 'queued', :params, :now, :cause, :at, "
        ":backfill, :from)",
        new,
    )
    return str(new["id"])


def _reopened(con: Session, backfill_id: str | None) -> str | None:
    """Return the backfill the new run belongs to: one that was cancelled stays so."""
    if backfill_id is None:
        return None
    con.execute(
        "update backfills set status = 'running', ended_at = null where backfill_id = :id and status = 'failed'",
        {"id": backfill_id},
    )
    found = con.execute(
        "select 1 from backfills where backfill_id = :id and status <> 'cancelled'", {"id": backfill_id}
    ).fetchone()
    return None if found is None else backfill_id


def chain(ws: Workspace, run: Mapping[str, Any]) -> list[str]:
    """Return the runs that a run continues, the newest first."""
    found: list[str] = []
    before = run.get("resumed_from")
    while before is not None and before not in found and len(found) < _LONGEST:
        found.append(before)
        row = ws.catalog.one("select resumed_from from job_runs where job_run_id = :id", id=before)
        before = None if row is None else row["resumed_from"]
    return found
