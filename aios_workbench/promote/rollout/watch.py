"""Watch what is on trial: keep what runs gave, judge, act. Whoever comes first acts; doing it again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.activation import spec_of
from aios_workbench.promote.reading import reading
from aios_workbench.promote.records import tell
from aios_workbench.promote.rollout import life
from aios_workbench.promote.rollout.judge import Judgement, Seen, judge
from aios_workbench.promote.rollout.outputs import compare, given
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.promote.spec_parts import Slo
from aios_workbench.workspace import Session, Workspace, dumps

_ENDED = "status in ('succeeded', 'failed', 'timeout')"
#: How many of the base's runs from before the rollout its share of bad ones is estimated with.
_BEFORE = 50
#: What this process judged last of each rollout: how many of its runs had ended, how many were compared.
_judged: dict[tuple[str, str], tuple[int, int]] = {}


def after_run(ws: Workspace, row: Mapping[str, Any], now: float) -> None:
    """Look at a rollout after one of its runs; nothing to do for a run that has no part in one.

    Parameters
    ----------
    row : mapping
        The row of `job_runs`, or the run as it was taken.
    """
    if row.get("rollout_id"):
        _look(ws, str(row["rollout_id"]), now)


def step(ws: Workspace, now: float) -> list[str]:
    """Look at every rollout, for what a worker that was killed did not get to; returns those that ended."""
    going = ws.catalog.query("select rollout_id from rollouts where status = 'running'")
    return [row["rollout_id"] for row in going if _look(ws, row["rollout_id"], now)]


def _look(ws: Workspace, rollout_id: str, now: float) -> bool:
    """Compare what is to be compared and judge; True when that ended the rollout."""
    trial = ws.catalog.one(
        "select * from rollouts where rollout_id = :id and status = 'running'", id=rollout_id
    )
    if trial is None:
        return False
    if trial["mode"] == "shadow":
        _keep(ws, trial, Rules(**json.loads(trial["rules"])))
    state = _state(ws, rollout_id)
    if _judged.get((str(ws.root), rollout_id)) == state:
        return False
    ended = _act(ws, trial, judgement(ws, trial), now)
    _judged[str(ws.root), rollout_id] = state
    return ended


def _state(ws: Workspace, rollout_id: str) -> tuple[int, int]:
    row = ws.catalog.one(
        f"select count(*) as ended, count(outputs) as compared from job_runs where rollout_id = :id and {_ENDED}",  # noqa: S608
        id=rollout_id,
    )
    return (int(row["ended"]), int(row["compared"])) if row else (0, 0)


def _act(ws: Workspace, trial: Mapping[str, Any], found: Judgement, now: float) -> bool:
    with ws.catalog.transaction() as con:
        job = con.execute("select * from jobs where job_id = :job_id", dict(trial)).fetchone()
        if job is None:
            return False
        word, reason = None, found.reason
        if job["version"] != trial["base_version"]:
            word, reason = (
                "aborted",
                f"version {job['version']} took the place of version {trial['base_version']}",
            )
        elif found.decision is not None:
            word = {"promote": "promoted", "roll_back": "rolled_back"}[found.decision]
        if word is None or not life.end(con, trial, word, reason, life.AUTOMATIC, now):
            return False
    tell(
        ws,
        "job.rollout",
        trial["job_id"],
        job=job["name"],
        version=trial["version"],
        status=word,
        reason=reason,
    )
    return True


def judgement(ws: Workspace, trial: Mapping[str, Any]) -> Judgement:
    """Judge a rollout by what has ended of it."""
    rows = ws.catalog.query(
        f"select job_run_id, role, status, started_at, ended_at, cause, outputs from job_runs "  # noqa: S608
        f"where rollout_id = :id and role in ('base', 'canary', 'shadow') and {_ENDED} order by ended_at, job_run_id",
        id=trial["rollout_id"],
    )
    slo = _promise(reading(ws), trial)
    within = slo.within if slo else None
    before = ws.catalog.query(
        f"select status, started_at, ended_at from job_runs where job_id = :job and version = :version and {_ENDED} "  # noqa: S608
        "and rollout_id is null and backfill_id is null and ended_at <= :at order by ended_at desc limit :n",
        job=trial["job_id"], version=trial["base_version"], at=trial["started_at"], n=_BEFORE,
    )  # fmt: skip
    bad = sum(r["status"] != "succeeded" or (within is not None and _seconds(r) > within) for r in before)
    rules = Rules(**json.loads(trial["rules"]))
    return judge([_seen(row) for row in rows], rules, slo, trial, (bad, len(before)))


def _seen(row: Mapping[str, Any]) -> Seen:
    said = json.loads(row["outputs"] or "{}").get("differences") if row["role"] == "shadow" else None
    pair = str(row["cause"]).partition(":")[2] if row["role"] == "shadow" else row["job_run_id"]
    return Seen(
        row["job_run_id"],
        row["role"],
        row["status"],
        _seconds(row),
        pair,
        None if said is None else tuple(said),
    )


def _seconds(row: Mapping[str, Any]) -> float:
    return max(0.0, (row["ended_at"] or 0.0) - (row["started_at"] or row["ended_at"] or 0.0))


def _promise(con: Session, trial: Mapping[str, Any]) -> Slo | None:
    """Return the stricter of what the two versions promise: the new one cannot loosen it for itself."""
    specs = [spec_of(con, trial["job_id"], trial[name]) for name in ("base_version", "version")]
    slos = [spec.slo for spec in specs if spec is not None and spec.slo is not None]
    if not slos:
        return None
    failures = [s.failures for s in slos if s.failures is not None]
    within = [s.within for s in slos if s.within is not None]
    return Slo(failures=min(failures, default=None), within=min(within, default=None))


def _keep(ws: Workspace, trial: Mapping[str, Any], rules: Rules) -> None:
    """Keep what runs gave that have ended, and compare each with its counterpart once both are kept.

    What one gave lies in the catalog until the other's is there: the two may have run on different machines.
    """
    if rules.compare == "none":
        return
    rows = ws.catalog.query(
        f"select * from job_runs where rollout_id = :id and outputs is null and {_ENDED} and (role = 'shadow' or "  # noqa: S608
        "exists (select 1 from job_runs s where s.job_id = job_runs.job_id and s.cause = 'shadow:' || "
        "job_runs.job_run_id and s.status not in ('skipped', 'cancelled')))",
        id=trial["rollout_id"],
    )
    for row in rows:
        found = given(ws, row, rules)
        if found is not None:
            with ws.catalog.transaction() as con:
                con.execute(
                    "update job_runs set outputs = :outputs where job_run_id = :id and outputs is null",
                    {"id": row["job_run_id"], "outputs": dumps(found)},
                )
                _compare(con, row, rules)


def _compare(con: Session, row: Mapping[str, Any], rules: Rules) -> None:
    run_id = row["cause"].partition(":")[2] if row["role"] == "shadow" else row["job_run_id"]
    rows = con.execute(
        "select job_run_id, role, outputs from job_runs where job_id = :job and (job_run_id = :run or cause = :cause)",
        {"job": row["job_id"], "run": run_id, "cause": f"shadow:{run_id}"},
    ).fetchall()
    kept = {r["role"]: (r["job_run_id"], json.loads(r["outputs"])) for r in rows if r["outputs"]}
    if kept.keys() != {"base", "shadow"} or any("compared_with" in said for _, said in kept.values()):
        return
    (own_id, own), (shadow_id, shadow) = kept["base"], kept["shadow"]
    said = {"compared_with": own_id, "differences": compare(own, shadow, rules)}
    for name, value in ((shadow_id, said), (own_id, {"compared_with": shadow_id})):
        con.execute(
            "update job_runs set outputs = :outputs where job_run_id = :id",
            {"id": name, "outputs": dumps(value)},
        )
