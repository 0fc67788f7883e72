"""How every job does, at a glance: a handful of queries for all of them together."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.admission import COUNTED
from aios_workbench.promote.endings import clock
from aios_workbench.promote.lateness import absent_since, due_at
from aios_workbench.promote.plan import GRACE_SECONDS
from aios_workbench.promote.records import load_error, load_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers.upstream import absent
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Workspace

#: So many of the newest runs that ended are counted.
RECENT = 20
_WHY = 200
STATES = ("waiting", "paused", "absent", "failing", "late", "new", "healthy")

Row = dict[str, Any]


def health(ws: Workspace, now: float | None = None) -> dict[str, dict[str, Any]]:
    """Return how every job does, by id.

    It is computed from what is recorded, so it is right with no worker alive, too; that a due tick is not taken by any
    is lateness. Runs of backfills, of versions on trial in the shadow, skipped and cancelled runs do not count.

    Parameters
    ----------
    now : float, optional
        Epoch seconds; the clock's if not given.

    Returns
    -------
    dict
        By `job_id`: `state`, the first that holds of "waiting" (for approval), "paused", "absent" (no success for
        `absent_after`), "failing" (its last run failed), "late", "new" (nothing has ended yet), "healthy"; `why`, a
        sentence; `success_share` of the newest 20 runs that ended, 0 to 1, and `median_seconds` of those that
        succeeded, both None without any; `last_success_at`, epoch seconds; `alarms` that stand, each with `kind`,
        `subject` (a run, or "") and `since`.

    Examples
    --------
    >>> {job_id: found["state"] for job_id, found in health(ws).items()}  # doctest: +SKIP
    {'job-1f2e3d4c5b6a': 'healthy'}
    """
    now = time.time() if now is None else now
    jobs = ws.catalog.query(_JOBS, now=now)
    recent, going, alarms = (_by_job(ws.catalog.query(sql)) for sql in (_RECENT, _OPEN, _ALARMS))
    statuses = {job["name"]: job["status"] for job in jobs}
    found = {}
    for job in jobs:
        of = found[job["job_id"]] = _of(job, recent, going, alarms, now)
        if of["state"] in ("new", "healthy") and (spec := load_spec(job["spec"])) is not None:
            of["why"] = "; ".join([of["why"], *absent(spec, statuses)])[:_WHY]
    return found


_JOBS = (
    "select j.job_id, j.name, j.version, j.status, j.spec, j.created_at, j.updated_at, j.next_tick_at, "  # noqa: S608
    "(select r.ended_at from job_runs r where r.job_id = j.job_id and r.status = 'succeeded' and r.ended_at <= :now "
    f"and {COUNTED} order by r.ended_at desc limit 1) as success from jobs j"
)
_ENDED = f"r.status in ('succeeded', 'failed', 'timeout') and {COUNTED}"
# The edge first, then everything from it on: an index range for each job. SQLite keeps to the order of a cross join.
_RECENT = (
    "with edge as materialized (select j.job_id, coalesce((select r.queued_at from job_runs r "  # noqa: S608
    "where r.job_id = j.job_id and "
    f"{_ENDED} order by r.queued_at desc limit 1 offset {RECENT - 1}), 0) as at from jobs j) "
    "select r.job_id, r.status, r.error, r.started_at, r.ended_at from edge cross join job_runs r "
    f"where r.job_id = edge.job_id and r.queued_at >= edge.at and {_ENDED} order by r.ended_at desc, r.queued_at desc"
)
_OPEN = f"select * from job_runs r where r.status in ('queued', 'running') and {COUNTED}"  # noqa: S608
_ALARMS = "select job_id, kind, subject, since from job_alarms where ended_at is null order by since"


def _by_job(rows: list[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["job_id"]].append(row)
    return found


def _of(
    job: Row, recent: Mapping[str, list[Row]], going: Mapping[str, list[Row]], alarms: Mapping[str, list[Row]],
    now: float,
) -> dict[str, Any]:  # fmt: skip
    job_id = job["job_id"]
    ended = recent.get(job_id, [])[:RECENT]
    good = [row for row in ended if row["status"] == "succeeded"]
    took = [row["ended_at"] - row["started_at"] for row in good if row["started_at"] is not None]
    state, why = _state(job, ended, going.get(job_id, []), now)
    return {
        "state": state, "why": why[:_WHY],
        "success_share": len(good) / len(ended) if ended else None,
        "median_seconds": statistics.median(took) if took else None,
        "last_success_at": job["success"],
        "alarms": [{key: row[key] for key in ("kind", "subject", "since")} for row in alarms.get(job_id, [])],
    }  # fmt: skip


def _state(job: Row, ended: list[Row], going: list[Row], now: float) -> tuple[str, str]:
    if job["status"] == "waiting":
        return "waiting", f"version {job['version']} waits for approval"
    if job["status"] == "paused":
        return "paused", f"paused since {clock(job['updated_at'])}"
    spec = load_spec(job["spec"])
    if spec is None:
        return "failing", "its description cannot be read; promote its notebook again"
    for state, why in (
        ("absent", _absent(job, spec, now)),
        ("failing", _failing(ended)),
        ("late", _late(job, spec, going, now)),
    ):
        if why:
            return state, why
    if not ended:
        return "new", "no run of it has ended yet"
    return "healthy", f"its last run succeeded, {_ago(ended[0]['ended_at'], now)}"


def _absent(job: Row, spec: JobSpec, now: float) -> str:
    since = absent_since(job, job["success"], now)
    if spec.absent_after is None or now - since <= spec.absent_after:
        return ""
    return f"no run has succeeded for {format_duration(now - since)}"


def _failing(ended: list[Row]) -> str:
    count = next((n for n, row in enumerate(ended) if row["status"] == "succeeded"), len(ended))
    if not count:
        return ""
    error = load_error(ended[0])
    runs = "the last run" if count == 1 else f"the last {count} runs"
    words = "took too long" if ended[0]["status"] == "timeout" else "failed"
    return f"{runs} {words}: {error.get('type', 'Error')}: {error.get('message', '')}".replace("\n", " ")


def _late(job: Row, spec: JobSpec, going: list[Row], now: float) -> str:
    for row in sorted(going, key=due_at):
        if spec.late_after is not None and now - due_at(row) > spec.late_after:
            return f"{row['job_run_id']} has not ended {format_duration(now - due_at(row))} after it was due"
    if job["next_tick_at"] is not None and now - job["next_tick_at"] > GRACE_SECONDS:
        return f"no worker has taken its tick of {clock(job['next_tick_at'])}: none lives"
    return ""


def _ago(at: float, now: float) -> str:
    return f"{format_duration(max(0.0, now - at))} ago"
