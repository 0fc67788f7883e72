"""Who runs what: every change of a job run's state, each one transaction, safe among any number of workers.

queued ── take ──> running ── finish ──> succeeded | failed | timeout | cancelled
^                   │
├── finish (retry) ─┤
├── give back ──────┤   the worker was told to stop
└── adopt ──────────┘   the worker died
"""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Callable, Collection
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.promote import alerts, backfill
from aios_workbench.promote.plan import GRACE_SECONDS, plan, rearmed
from aios_workbench.promote.records import load_error
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, Workspace, dumps

log = logging.getLogger(__name__)

#: How often a run may lose its worker before it is taken for the cause.
LOST_LIMIT = 3


def claim_ticks(ws: Workspace, now: float) -> list[dict[str, Any]]:
    """Record every tick that is due, once over all workers; returns the new rows of `job_runs`.

    A tick is claimed by inserting its row under the unique index (job_id, tick_at), in the transaction that reads
    the job's status, version and running runs. Two workers at the same instant: the second finds `next_tick_at`
    moved on. A clock that was set back: the row is there already, nothing is inserted.
    """
    due = "select * from jobs where status = 'active' and next_tick_at <= :now order by next_tick_at"
    if not ws.catalog.query(due, now=now):
        return []  # most of the time, without taking the write lock
    claimed: list[dict[str, Any]] = []
    with ws.catalog.transaction() as con:
        for job in [dict(row) for row in con.execute(due, {"now": now})]:
            claimed += _claim(con, job, now)
    for row in claimed:
        _tell(ws, row)
    return claimed


def _claim(con: Session, job: dict[str, Any], now: float) -> list[dict[str, Any]]:
    spec = _spec(job["spec"])
    if spec is None or spec.ticks is None:
        return []
    busy = con.execute(
        "select 1 from job_runs where job_id = :job_id and status in ('queued', 'running') limit 1", job
    ).fetchone()
    decided = plan(
        spec.ticks,
        job["next_tick_at"],
        now,
        missed=spec.missed,
        catch_up=spec.catch_up,
        busy=busy is not None,
    )
    rows = []
    for tick in decided.ticks:
        row = {
            "job_run_id": f"jr-{uuid.uuid4().hex[:12]}", "job_id": job["job_id"], "version": job["version"],
            "tick_at": tick.at, "trigger": "missed" if tick.late else "schedule",
            "status": "queued" if tick.runs else "skipped", "params": dumps(spec.parameters), "queued_at": now,
            "ended_at": None if tick.runs else now,
            "error": None if tick.runs else dumps({"type": "Skipped", "message": tick.reason}),
        }  # fmt: skip
        if con.execute(_INSERT, row).rowcount:
            rows.append(row)
    con.execute(
        "update jobs set next_tick_at = :next where job_id = :id",
        {"next": decided.next_tick_at, "id": job["job_id"]},
    )
    return rows


_INSERT = (
    "insert into job_runs (job_run_id, job_id, version, tick_at, trigger, status, params, queued_at, ended_at, error) "
    "values (:job_run_id, :job_id, :version, :tick_at, :trigger, :status, :params, :queued_at, :ended_at, :error) "
    "on conflict (job_id, tick_at) where tick_at is not null do nothing"
)


def rearm(ws: Workspace, now: float) -> None:
    """Undo what a clock that was ahead, and was set back, has left: nothing may wait for a time it made up.

    No job waits for a tick further ahead than its next one. A tick still to come that was written down as missed
    will be due like any other; one that ran stays, so that it does not run twice. No alert waits for years.
    """
    alerts.rearm(ws, now)
    if (
        not _early(ws.catalog.query(_ACTIVE), now)
        and ws.catalog.one(_MADE_UP, at=now + GRACE_SECONDS) is None
    ):
        return
    with ws.catalog.transaction() as con:
        for job_id, at in _early([dict(row) for row in con.execute(_ACTIVE)], now):
            con.execute("update jobs set next_tick_at = :at where job_id = :id", {"at": at, "id": job_id})
        con.execute(
            "delete from job_runs where status = 'skipped' and tick_at > :at", {"at": now + GRACE_SECONDS}
        )


_ACTIVE = "select job_id, spec, next_tick_at from jobs where status = 'active'"
_MADE_UP = "select 1 from job_runs where status = 'skipped' and tick_at > :at limit 1"


def _early(jobs: list[dict[str, Any]], now: float) -> list[tuple[str, float | None]]:
    """Return the jobs that have a tick before the one they wait for, and that tick."""
    found = []
    for row in jobs:
        spec = _spec(row["spec"])
        if spec is not None and spec.ticks is not None:
            again = rearmed(spec.ticks, row["next_tick_at"], now)
            if again != row["next_tick_at"]:
                found.append((row["job_id"], again))
    return found


@functools.lru_cache(maxsize=1024)
def _spec(text: str) -> JobSpec | None:
    """Read a stored spec; one that cannot be read is logged once, and stops its own job only."""
    try:
        return JobSpec.from_dict(json.loads(text))
    except (AiosError, ValueError):
        log.exception("a job cannot be scheduled; promote its notebook again")
        return None


def take(ws: Workspace, owner: str, now: float) -> dict[str, Any] | None:
    """Take the next run that may start; None when there is none.

    A job runs one at a time. Its ticks run in their order, a run that waits for its retry included; a run somebody
    triggered does not wait for those.
    """
    if ws.catalog.one("select 1 from job_runs where status = 'queued' limit 1") is None:
        return None
    with ws.catalog.transaction() as con:
        rows = con.execute(
            "select * from job_runs where status in ('queued', 'running') "
            "order by status = 'queued', coalesce(tick_at, queued_at), queued_at"
        ).fetchall()
        blocked: set[str] = set()
        for row in map(dict, rows):
            waits = retry_at(row, now) is not None
            scheduled = row["tick_at"] is not None
            if row["status"] == "running":
                blocked |= {row["job_id"], f"{row['job_id']}/ticks"}
            elif row["job_id"] in blocked or (scheduled and f"{row['job_id']}/ticks" in blocked):
                continue
            elif waits:
                blocked.add(f"{row['job_id']}/ticks" if scheduled else row["job_run_id"])
            else:
                row |= {
                    "status": "running", "owner": owner, "attempt": row["attempt"] + 1,
                    "started_at": row["started_at"] or now, "folder": f"jobs/{row['job_id']}/runs/{row['job_run_id']}",
                }  # fmt: skip
                con.execute(
                    "update job_runs set status = :status, owner = :owner, attempt = :attempt, "
                    "started_at = :started_at, folder = :folder where job_run_id = :job_run_id",
                    row,
                )
                break
        else:
            return None
    _tell(ws, row)
    return row


def retry_at(row: dict[str, Any], now: float) -> float | None:
    """Return when a queued run may start again, or None when it may now.

    Further ahead than its delay means that the clock was set back: it does not wait for that.
    """
    error = load_error(row)
    at = float(error.get("retry_at", 0.0))
    return at if now < at <= now + float(error.get("retry_delay", 0.0)) else None


def finish(
    ws: Workspace,
    run: dict[str, Any],
    status: str,
    error: dict[str, Any] | None,
    now: float,
    *,
    final: bool = False,
) -> str | None:
    """Record how an attempt ended: the end of the run, or its retry. Returns the run's new status.

    None when the run is no longer this worker's: somebody took it for dead, or the job was removed.
    """
    with ws.catalog.transaction() as con:
        row = _mine(con, run)
        if row is None:
            return None
        before, spec = load_error(row), _spec_of(con, row)
        failures = int(before.get("failures", 0))
        told = {**(error or {}), "failures": failures + 1, "lost": before.get("lost", 0)}
        if status == "succeeded":
            row |= {"status": status, "error": None, "ended_at": now}
        elif status == "cancelled" or "cancel" in before:
            row |= {"status": "cancelled", "error": dumps(before), "ended_at": now}
        elif failures < spec.retries and not final:
            told |= {"retry_at": now + spec.retry_delay, "retry_delay": spec.retry_delay}
            row |= {"status": "queued", "error": dumps(told), "owner": None}
        else:
            row |= {"status": status, "error": dumps(told), "ended_at": now}
        _store(con, row)
        if row["ended_at"] is not None:
            alerts.queue(con, row, row["status"], told, now)
            backfill.settle(con, row, now)
    _tell(ws, row)
    return str(row["status"])


def give_back(ws: Workspace, run: dict[str, Any]) -> None:
    """Put a run back in the queue because this worker stops; it costs the run nothing."""
    with ws.catalog.transaction() as con:
        row = _mine(con, run)
        if row is None:
            return
        row |= {"status": "queued", "owner": None}
        _store(con, row)
    _tell(ws, row)


def adopt(
    ws: Workspace, alive: Callable[[str], bool], own: Collection[str], owner: str, now: float
) -> list[str]:
    """Put the runs of dead workers back in the queue; returns their ids.

    Parameters
    ----------
    alive : callable
        Whether the process with an executor id lives.
    own : collection of str
        The ids of the job runs that `owner`, this process, is running.
    """
    running = ws.catalog.query("select * from job_runs where status = 'running'")
    lives = {o: alive(o) for o in {r["owner"] for r in running} if o and o != owner}
    dead = [
        r
        for r in running
        if (r["job_run_id"] not in own if r["owner"] == owner else not lives.get(r["owner"]))
    ]
    adopted = []
    for run in dead:
        with ws.catalog.transaction() as con:
            row = _mine(con, run)
            if row is None:
                continue
            before = load_error(row)
            lost = int(before.get("lost", 0)) + 1
            if "cancel" in before:
                row |= {"status": "cancelled", "ended_at": now}
            elif lost > LOST_LIMIT:
                message = f"its worker died {lost} times while it ran; it may exhaust the machine's memory"
                row |= {"status": "failed", "ended_at": now}
                row["error"] = dumps({**before, "type": "WorkerLost", "message": message, "lost": lost})
                alerts.queue(con, row, "failed", {"type": "WorkerLost", "message": message}, now)
            else:
                row |= {"status": "queued", "owner": None, "error": dumps({**before, "lost": lost})}
            _store(con, row)
            if row["ended_at"] is not None:
                backfill.settle(con, row, now)
        adopted.append(run["job_run_id"])
        _tell(ws, row)
    return adopted


def cancel_asked(ws: Workspace, run: dict[str, Any]) -> bool:
    """True when this attempt shall stop: somebody cancelled the run, or it is no longer this worker's."""
    row = ws.catalog.one("select * from job_runs where job_run_id = :id", id=run["job_run_id"])
    if (
        row is None
        or row["status"] != "running"
        or (row["owner"], row["attempt"]) != (run["owner"], run["attempt"])
    ):
        return True
    return "cancel" in load_error(row)


def _mine(con: Session, run: dict[str, Any]) -> dict[str, Any] | None:
    row = con.execute(
        "select * from job_runs where job_run_id = :job_run_id and status = 'running' and owner = :owner "
        "and attempt = :attempt",
        run,
    ).fetchone()
    return dict(row) if row else None


def _spec_of(con: Session, row: dict[str, Any]) -> JobSpec:
    found = con.execute(
        "select spec from job_versions where job_id = :job_id and version = :version", row
    ).fetchone()
    return JobSpec.from_dict(json.loads(found[0]))


def _store(con: Session, row: dict[str, Any]) -> None:
    con.execute(
        "update job_runs set status = :status, owner = :owner, error = :error, ended_at = :ended_at "
        "where job_run_id = :job_run_id",
        row,
    )


def _tell(ws: Workspace, row: dict[str, Any]) -> None:
    ws.catalog.event(
        "job.run", job_id=row["job_id"], job_run_id=row["job_run_id"], status=row["status"],
        tick_at=row["tick_at"], attempt=row.get("attempt", 0),
    )  # fmt: skip
