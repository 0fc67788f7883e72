"""Whether a run that is due waits, is skipped or takes another's place: `overlap` and `concurrency` of its job.

Decided and written in one transaction, the caller's, so that any number of workers agree.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from aios_workbench.promote import alarms, rollout
from aios_workbench.promote.records import load_error
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, Workspace, dumps

#: With ``overlap: queue``, how many runs of a job may wait; a run beyond them is skipped, and that is told.
QUEUE_LIMIT = 100
#: So many runs skipped in a row because others were still going are told.
OVERLAPS_TOLD = 5
#: What starts a run without anybody asking for that very run: these wait for each other, in their order.
AUTOMATIC = ("schedule", "missed", "event", "after")

_COLUMNS = (
    "job_run_id", "job_id", "version", "tick_at", "trigger", "status", "params", "queued_at", "ended_at", "error",
    "cause", "logical_at", "role", "rollout_id", "backfill_id", "resumed_from",
)  # fmt: skip
_INSERT = (
    f"insert into job_runs ({', '.join(_COLUMNS)}) values ({', '.join(f':{c}' for c in _COLUMNS)}) "  # noqa: S608
    "on conflict do nothing"
)
#: A job's own runs: those of a backfill or of a version on trial in the shadow take nobody's place.
COUNTED = "backfill_id is null and coalesce(role, '') <> 'shadow'"


def admit(
    con: Session, job: dict[str, Any], spec: JobSpec, row: dict[str, Any], now: float, *, waits: bool = False
) -> list[dict[str, Any]]:
    """Record a run that a tick, an event or another job starts: queued, or skipped with the reason.

    While fewer than `spec.concurrency` runs of the job are going or waiting, the run is queued. Otherwise "forbid"
    records it as skipped; "queue" lets it wait, with `QUEUE_LIMIT` others at most; "replace" lets it wait and makes
    room: from the oldest on, runs that wait are recorded as skipped and runs that go are asked to cancel, until
    fewer than `concurrency` are left. Runs that a person asked for are not replaced. Ticks made up for under
    ``missed: all`` neither replace nor are replaced.

    Parameters
    ----------
    con : Session
        The transaction in which it is decided that the run is due.
    job : dict
        The row of `jobs`, read in this transaction.
    row : dict
        Columns of `job_runs`; `trigger`, and `tick_at` or `cause` (unique in the job: what is recorded already is
        not recorded again). With another `status` than "queued", and an `error`, it is recorded as it is.
    waits : bool
        True for a run that is not given up because others are going, such as a tick that is made up for.

    Returns
    -------
    list of dict
        Rows that are new or changed, the new one first; hand them to `tell_runs` after the transaction. Empty when
        the run had been recorded before.

    Examples
    --------
    >>> with ws.catalog.transaction() as con:  # doctest: +SKIP
    ...     changed = admit(con, job, spec, {"trigger": "event", "cause": "event:7"}, time.time())
    >>> tell_runs(ws, changed)  # doctest: +SKIP
    """
    run = {
        **dict.fromkeys(_COLUMNS), "job_run_id": f"jr-{uuid.uuid4().hex[:12]}", "job_id": job["job_id"],
        "version": job["version"], "status": "queued", "params": dumps(spec.parameters), "queued_at": now, **row,
    }  # fmt: skip
    others = _open(con, run)
    reason = _refused(spec, others, waits=waits) if run["status"] == "queued" else None
    if reason is not None:
        run |= {"status": "skipped", "ended_at": now}
        run["error"] = dumps({"type": "Skipped", "why": "overlap", "message": reason})
    if not con.execute(_INSERT, run).rowcount:
        return []
    if reason is not None:
        _count_overlaps(con, job, run, now)
    if run["status"] != "queued":
        return [run]
    rollout.choose(con, job, run)
    alarms.end(con, job["job_id"], "overlap", now)
    replaces = spec.overlap == "replace" and not (waits and spec.missed == "all")
    return [run, *(_replace(con, spec, run, others, now) if replaces else ())]


def tell_runs(ws: Workspace, rows: list[dict[str, Any]]) -> None:
    """Tell the live panel of runs that are new or changed; after the transaction."""
    for row in rows:
        ws.catalog.event(
            "job.run", job_id=row["job_id"], job_run_id=row["job_run_id"], status=row["status"],
            tick_at=row["tick_at"], attempt=row.get("attempt", 0),
        )  # fmt: skip


def is_automatic(row: dict[str, Any]) -> bool:
    """Whether a run was started by the schedule, an event or another job."""
    return row["tick_at"] is not None or row["trigger"] in AUTOMATIC


def _open(con: Session, run: dict[str, Any]) -> list[dict[str, Any]]:
    found = con.execute(
        f"select * from job_runs where job_id = :job_id and status in ('queued', 'running') and {COUNTED} "  # noqa: S608
        "order by coalesce(tick_at, queued_at), queued_at",
        run,
    )
    return [dict(row) for row in found.fetchall()]


def _refused(spec: JobSpec, others: list[dict[str, Any]], *, waits: bool) -> str | None:
    if waits or len(others) < spec.concurrency:
        return None
    if spec.overlap == "forbid":
        count = len(others)
        return f"overlap: {'the previous run was' if count == 1 else f'{count} runs were'} still going"
    waiting = sum(other["status"] == "queued" for other in others)
    if spec.overlap == "queue" and waiting >= QUEUE_LIMIT:
        return f"overlap: {waiting} runs of the job wait already"
    return None


def _replace(
    con: Session, spec: JobSpec, run: dict[str, Any], others: list[dict[str, Any]], now: float
) -> list[dict[str, Any]]:
    left = [other for other in others if "cancel" not in load_error(other)]
    changed: list[dict[str, Any]] = []
    for other in left:
        if len(left) - len(changed) < spec.concurrency:
            break
        if not is_automatic(other) or (other["trigger"] == "missed" and spec.missed == "all"):
            continue
        due = dt.datetime.fromtimestamp(run["tick_at"] or run["queued_at"], dt.UTC)
        why = {
            "type": "Replaced",
            "message": f"replaced by {run['job_run_id']}, due {due:%Y-%m-%d %H:%M} UTC",
        }
        if other["status"] == "queued":
            other |= {"status": "cancelled" if other["attempt"] else "skipped", "ended_at": now}
        else:
            why["cancel"] = "the scheduler (overlap: replace)"
        other["error"] = dumps({**load_error(other), **why})
        con.execute(
            "update job_runs set status = :status, ended_at = :ended_at, error = :error "
            "where job_run_id = :job_run_id",
            other,
        )
        changed.append(other)
    return changed


def _count_overlaps(con: Session, job: dict[str, Any], run: dict[str, Any], now: float) -> None:
    """Raise an alarm when the newest runs of a job were all skipped because others were going."""
    newest = con.execute(
        f"select status, error from job_runs where job_id = :job_id and {COUNTED} and trigger <> 'manual' and "  # noqa: S608
        "status <> 'running' order by queued_at desc, tick_at desc limit :count",
        {**run, "count": OVERLAPS_TOLD},
    ).fetchall()
    if len(newest) < OVERLAPS_TOLD or not all(
        row["status"] == "skipped" and load_error(row).get("why") == "overlap" for row in newest
    ):
        return
    reason = load_error(run)["message"].partition(": ")[2]
    body = (
        f"{OVERLAPS_TOLD} runs in a row were skipped: {reason}.\n\nA run takes longer than the time between two of "
        "them, or it hangs: give the job a `timeout`, a longer interval, or another `overlap`."
    )
    alarms.tell_once(con, job, "overlap", now, "keeps being skipped", body, run_id=run["job_run_id"])
