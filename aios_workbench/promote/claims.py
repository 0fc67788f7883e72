"""Who runs what: every change of a job run's state, each one transaction, safe among any number of workers.

skipped <── admit (overlap) ── due ── admit ──> queued
queued ── take ──> running ── finish ──> succeeded | failed | timeout | cancelled
^ │                 │
│ └── replaced ──> skipped (it had not begun) | cancelled (it waited for its retry)
├── finish (retry) ─┤
├── give back ──────┤   the worker was told to stop
└── adopt ──────────┘   the worker died

A running one that is cancelled or replaced goes on until its worker has seen it: `cancel` stands in its error.
`admission.py` holds admit, `taking.py` take.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from aios_workbench.promote import alarms, alerts, backfill, endings, events
from aios_workbench.promote.admission import admit, tell_runs
from aios_workbench.promote.excerpts import Excerpt, excerpt
from aios_workbench.promote.plan import GRACE_SECONDS, plan, rearmed
from aios_workbench.promote.records import load_error, load_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.taking import retry_at, take
from aios_workbench.workspace import Session, Workspace, dumps

__all__ = [
    "LOST_LIMIT",
    "admit",
    "adopt",
    "cancel_asked",
    "claim_ticks",
    "finish",
    "give_back",
    "rearm",
    "retry_at",
    "take",
    "tell_runs",
]  # fmt: skip

#: How often a run may lose its worker before it is taken for the cause.
LOST_LIMIT = 3


def claim_ticks(ws: Workspace, now: float) -> list[dict[str, Any]]:
    """Record every tick that is due, once over all workers; returns the new rows of `job_runs`.

    A tick is claimed by inserting its row under the unique index (job_id, tick_at), in the transaction that reads
    the job's status, version and open runs. Two workers at the same instant: the second finds `next_tick_at`
    moved on. A clock that was set back: the row is there already, nothing is inserted.
    """
    due = "select * from jobs where status = 'active' and next_tick_at <= :now order by next_tick_at"
    if not ws.catalog.query(due, now=now):
        return []  # most of the time, without taking the write lock
    claimed: list[dict[str, Any]] = []
    with ws.catalog.transaction() as con:
        for job in [dict(row) for row in con.execute(due, {"now": now})]:
            claimed += _claim(con, job, now)
    tell_runs(ws, claimed)
    return claimed


def _claim(con: Session, job: dict[str, Any], now: float) -> list[dict[str, Any]]:
    spec = load_spec(job["spec"])
    if spec is None or spec.ticks is None:
        return []
    decided = plan(spec.ticks, job["next_tick_at"], now, missed=spec.missed, catch_up=spec.catch_up)
    rows = []
    for tick in decided.ticks:
        row = {"tick_at": tick.at, "trigger": "missed" if tick.late else "schedule"}
        if not tick.runs:
            error = dumps({"type": "Skipped", "why": "missed", "message": tick.reason})
            row |= {"status": "skipped", "ended_at": now, "error": error}
        rows += admit(con, job, spec, row, now, waits=tick.waits)
    _note_absence(con, job, spec, rows, now, cut=decided.cut)
    con.execute(
        "update jobs set next_tick_at = :next where job_id = :id",
        {"next": decided.next_tick_at, "id": job["job_id"]},
    )
    return rows


def _note_absence(
    con: Session, job: dict[str, Any], spec: JobSpec, rows: list[dict[str, Any]], now: float, *, cut: bool
) -> None:
    """Leave it to `lateness.watch` to tell of ticks that passed while no worker lived."""
    late = [row["tick_at"] for row in rows if row["trigger"] == "missed"]
    if spec.late_after is not None and late and now - min(late) > spec.late_after:
        subject = f"missed:{min(late):.0f}:{max(late):.0f}:{len(late)}{'+' if cut else ''}"
        alarms.begin(con, job["job_id"], "late", now, subject)


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
        spec = load_spec(row["spec"])
        if spec is not None and spec.ticks is not None:
            again = rearmed(spec.ticks, row["next_tick_at"], now)
            if again != row["next_tick_at"]:
                found.append((row["job_id"], again))
    return found


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
    seen = excerpt(ws, run, error or {}) if status in ("failed", "timeout") else Excerpt()
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
            endings.queue(con, row, row["status"], told, now, seen)
            events.job_ended(con, row, now)
            backfill.settle(con, row, now)
    tell_runs(ws, [row])
    return str(row["status"])


def give_back(ws: Workspace, run: dict[str, Any]) -> None:
    """Put a run back in the queue because this worker stops; it costs the run nothing."""
    with ws.catalog.transaction() as con:
        row = _mine(con, run)
        if row is None:
            return
        row |= {"status": "queued", "owner": None}
        _store(con, row)
    tell_runs(ws, [row])


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
        given_up = int(load_error(run).get("lost", 0)) >= LOST_LIMIT
        seen = excerpt(ws, run, {}) if given_up else Excerpt()
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
            else:
                row |= {"status": "queued", "owner": None, "error": dumps({**before, "lost": lost})}
            _store(con, row)
            if row["ended_at"] is not None:
                endings.queue(con, row, row["status"], load_error(row), now, seen)
                events.job_ended(con, row, now)
                backfill.settle(con, row, now)
        adopted.append(run["job_run_id"])
        tell_runs(ws, [row])
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
