"""Which version a run gets while another one is on trial."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.activation import spec_of
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, dumps


def choose(con: Session, job: Mapping[str, Any], row: dict[str, Any]) -> int:
    """Give a run that was recorded just now its version, and its shadow if it gets one; in the same transaction.

    Nothing happens while no version of the job is on trial. Runs of a backfill, skipped ones and those that resume
    another have no part in it: they keep the version they were recorded with.

    Parameters
    ----------
    job : mapping
        The row of `jobs`, read in this transaction.
    row : dict
        The row of `job_runs`, inserted already; changed with it.

    Returns
    -------
    int
        The version the run has now.
    """
    version = int(row["version"])
    if (
        not job.get("rollout_id")
        or row.get("backfill_id")
        or row.get("resumed_from")
        or row["status"] != "queued"
    ):
        return version
    found = con.execute(
        "select * from rollouts where rollout_id = :rollout_id and status = 'running'", dict(job)
    ).fetchone()
    if found is None or version != found["base_version"]:
        return version
    trial = dict(found)
    drawn = share_of(trial["rollout_id"], _key(row)) < trial["share"]
    params = (
        swap(con, trial, row["params"], trial["base_version"], trial["version"]) if drawn else row["params"]
    )
    if drawn and trial["mode"] == "canary":
        row |= {"version": trial["version"], "role": "canary", "params": params}
    else:
        row["role"] = "base"
    row["rollout_id"] = trial["rollout_id"]
    con.execute(
        "update job_runs set version = :version, role = :role, rollout_id = :rollout_id, params = :params "
        "where job_run_id = :job_run_id",
        {name: row[name] for name in ("version", "role", "rollout_id", "params", "job_run_id")},
    )
    if drawn and trial["mode"] == "shadow":
        shadow = {
            "job_run_id": f"jr-{uuid.uuid4().hex[:12]}", "job_id": job["job_id"], "version": trial["version"],
            "params": params, "queued_at": row["queued_at"], "cause": f"shadow:{row['job_run_id']}",
            "logical_at": row.get("logical_at") or row.get("tick_at"), "rollout_id": trial["rollout_id"],
        }  # fmt: skip
        con.execute(_SHADOW, shadow)
    return int(row["version"])


_SHADOW = (
    "insert into job_runs (job_run_id, job_id, version, trigger, status, params, queued_at, cause, logical_at, role, "
    "rollout_id) values (:job_run_id, :job_id, :version, 'shadow', 'queued', :params, :queued_at, :cause, :logical_at, "
    "'shadow', :rollout_id) on conflict do nothing"
)


def share_of(rollout_id: str, key: str) -> float:
    """Return where a run falls in [0, 1): evenly spread, and the same for whoever asks.

    Examples
    --------
    >>> 0 <= share_of("ro-1", "tick:1800000000.0") < 1
    True
    """
    return int.from_bytes(hashlib.sha256(f"{rollout_id}/{key}".encode()).digest()[:7], "big") / 2**56


def _key(row: Mapping[str, Any]) -> str:
    if row.get("tick_at") is not None:
        return f"tick:{float(row['tick_at'])!r}"
    return str(row.get("cause") or row["job_run_id"])


def swap(con: Session, trial: Mapping[str, Any], params: str, old: int, new: int) -> str:
    """Return the parameters of a run of one version for the other: what its `job.yaml` says, and what was given."""
    before, after = (spec_of(con, trial["job_id"], version) or _NONE for version in (old, new))
    given = {
        name: value
        for name, value in json.loads(params).items()
        if name not in before.parameters or before.parameters[name] != value
    }
    return dumps({**after.parameters, **given})


_NONE = JobSpec(name="-", notebook="-")
