"""How a rollout begins and ends: each one transaction, so that a process killed at any point leaves it whole."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.govern import audit_within
from aios_workbench.promote import alerts
from aios_workbench.promote.activation import activate, version_row
from aios_workbench.promote.rollout.routing import swap
from aios_workbench.workspace import Session, dumps

#: Who acts when the rules do.
AUTOMATIC = "rollout rules"


def begin(
    con: Session, job: Mapping[str, Any], version: int, by: str, asked: Mapping[str, Any], now: float
) -> str:
    """Record a rollout in the caller's transaction; returns its id. See `start`; `asked` is from `checked`."""
    refuse(con, job)
    row = version_row(con, job["job_id"], version)
    name = job["name"]
    if row is None:
        raise NotFoundError(f"job {name!r} has no version {version}; `aios jobs versions {name}` lists them")
    if version == job["version"]:
        raise ConflictError(f"version {version} of {name!r} is the one that runs; there is nothing to try")
    if row["status"] in ("rejected", "superseded"):
        raise ConflictError(f"version {version} of {name!r} was {row['status']}; promote the notebook again")
    if job["status"] == "waiting":
        raise ConflictError(
            f"no version of {name!r} runs yet, so there is nothing to compare with; approve the first one"
        )
    waits = row["status"] == "waiting"
    trial = {
        **asked, "rollout_id": f"ro-{uuid.uuid4().hex[:12]}", "job_id": job["job_id"], "base_version": job["version"],
        "version": version, "status": "waiting" if waits else "running", "started_at": now, "started_by": by,
    }  # fmt: skip
    con.execute(
        "update rollouts set status = 'superseded', ended_at = :now where job_id = :job_id and status = 'waiting'",
        {"job_id": job["job_id"], "now": now},
    )
    con.execute(
        "insert into rollouts (rollout_id, job_id, base_version, version, mode, share, rules, status, started_at, "
        "started_by) values (:rollout_id, :job_id, :base_version, :version, :mode, :share, :rules, :status, "
        ":started_at, :started_by)",
        trial,
    )
    if not waits:
        _run(con, trial)
    audit_within(
        con, by, "job.rollout", name, job_id=job["job_id"], version=version, base_version=job["version"],
        mode=asked["mode"], share=asked["share"], rules=json.loads(asked["rules"]), waits=waits,
    )  # fmt: skip
    return str(trial["rollout_id"])


def begin_waiting(con: Session, job: Mapping[str, Any], version: int, now: float) -> bool:
    """Begin the rollout that waited for a version's approval, in the approval's transaction; False if none did."""
    found = con.execute(
        "select * from rollouts where job_id = :id and version = :version and status = 'waiting'",
        {"id": job["job_id"], "version": version},
    ).fetchone()
    if found is None or job["status"] == "waiting":
        return False
    trial = {**dict(found), "base_version": job["version"], "now": now}
    con.execute(
        "update rollouts set status = 'running', started_at = :now, base_version = :base_version "
        "where rollout_id = :rollout_id",
        trial,
    )
    _run(con, trial)
    return True


def _run(con: Session, trial: Mapping[str, Any]) -> None:
    con.execute("update jobs set rollout_id = :rollout_id where job_id = :job_id", dict(trial))


def going(con: Session, job_id: str) -> str | None:
    """Return the id of a job's rollout, inside a transaction."""
    found = con.execute("select rollout_id from jobs where job_id = :id", {"id": job_id}).fetchone()
    return None if found is None else found[0]


def refuse(con: Session, job: Mapping[str, Any]) -> None:
    """Let nothing change which version runs while another one is on trial.

    Raises
    ------
    ConflictError
        Saying which, and how to end it.
    """
    if job.get("rollout_id"):
        found = con.execute("select * from rollouts where rollout_id = :rollout_id", dict(job)).fetchone()
        version = found["version"] if found else "?"
        raise ConflictError(
            f"version {version} of {job['name']!r} is on trial; `aios jobs rollout promote {job['name']}` or "
            f"`aios jobs rollout abort {job['name']}` ends that first"
        )


def end(con: Session, trial: Mapping[str, Any], word: str, reason: str, by: str, now: float) -> bool:
    """End a rollout in the caller's transaction; False when somebody else has.

    Rolled back, the runs of the new version that have not begun get the other one; its shadows are given up either
    way. What runs goes on to its end.
    """
    ended = {"id": trial["rollout_id"], "status": word, "reason": reason, "now": now, "by": by}
    if not con.execute(
        "update rollouts set status = :status, reason = :reason, ended_at = :now, ended_by = :by "
        "where rollout_id = :id and status in ('running', 'waiting')",
        ended,
    ).rowcount:
        return False
    con.execute(
        "update jobs set rollout_id = null where job_id = :job and rollout_id = :id",
        {"job": trial["job_id"], "id": trial["rollout_id"]},
    )
    job = dict(con.execute("select * from jobs where job_id = :job_id", dict(trial)).fetchone())
    _give_up(con, trial, dumps({"type": "Skipped", "message": f"the rollout ended: {reason}"}), now)
    if word == "promoted":
        job = activate(con, job, trial["version"], now)
    else:
        _turn_back(con, trial)
    what = {"version": trial["version"], "base_version": trial["base_version"], "reason": reason}
    audit_within(
        con, by, f"job.rollout.{word}", job["name"], job_id=job["job_id"], mode=trial["mode"], **what
    )
    if by == AUTOMATIC:
        words = f"version {trial['version']} was {word.replace('_', ' ')}"
        body = f"{reason}\n\n`aios jobs rollout status {job['name']}` shows what was seen."
        alerts.put(
            con, job, f"rollout/{trial['rollout_id']}", "rollout", f"{job['name']}: {words}", body, now
        )
    return True


def _give_up(con: Session, trial: Mapping[str, Any], error: str, now: float) -> None:
    con.execute(
        "update job_runs set status = 'skipped', ended_at = :now, error = :error "
        "where rollout_id = :id and role = 'shadow' and status = 'queued'",
        {"id": trial["rollout_id"], "now": now, "error": error},
    )


def _turn_back(con: Session, trial: Mapping[str, Any]) -> None:
    con.execute(
        "update job_versions set status = 'rolled_back' where job_id = :job_id and version = :version "
        "and status = 'approved'",
        dict(trial),
    )
    rows = con.execute(
        "select job_run_id, params from job_runs where rollout_id = :rollout_id and role = 'canary' "
        "and status = 'queued'",
        dict(trial),
    ).fetchall()
    for run_id, params in rows:
        again = {
            "id": run_id, "version": trial["base_version"],
            "params": swap(con, trial, params, trial["version"], trial["base_version"]),
        }  # fmt: skip
        con.execute(
            "update job_runs set version = :version, params = :params, role = 'turned back' where job_run_id = :id",
            again,
        )
