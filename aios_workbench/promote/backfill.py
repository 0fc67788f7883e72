"""Ticks of the past, run on purpose: bounded, previewed, beside the schedule and never in its way.

A backfill writes one queued row of `job_runs` for each tick, at once and in the order they are to run in, under a cause
of its own ("backfill:<id>:<tick>"): whatever worker takes them, and whichever dies, each is there exactly once. Workers
take at most `concurrency` of them at a time, and none while the backfill is paused (`claims.take`).
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError, JobError, NotFoundError, hint
from aios_workbench.govern import audit_within
from aios_workbench.promote import permits
from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.records import QUEUED, RUNNING, bundle_folder, job_row, load_error, tell
from aios_workbench.promote.schedule import zone
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, Workspace, dumps

#: The most ticks of one backfill, unless told otherwise.
LIMIT = 1000
_MOST = 100_000
_GOING = ("running", "paused")
#: Rows are taken in the order of `queued_at`; a float of this century tells microseconds apart.
_STEP = 1e-6
Instant = float | str | dt.datetime | dt.date


def preview(
    ws: Workspace, job: str, start: Instant, end: Instant, *, again: bool = False, limit: int = LIMIT,
    now: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the ticks of a job from `start` up to, but not including, `end`, and whether each would run.

    Parameters
    ----------
    job : str
        Id or name.
    start, end : float, str, date or datetime
        Epoch seconds, or "2026-01-31" or "2026-01-31T06:00" on the clock of the job's zone. Ticks nobody has decided
        about yet are left to the schedule.
    again : bool
        Whether ticks that have succeeded, or are about to run, run once more.
    limit : int
        The most ticks there may be.

    Returns
    -------
    dict
        `ticks`, oldest first, each with `at` (epoch seconds), `local` (on the zone's clock) and `done`; `total`, how
        many would run; `limit`; `until`, where it stops (epoch seconds).

    Raises
    ------
    JobError
        When the job has no schedule, the times are none, or there are more than `limit` ticks.

    Examples
    --------
    >>> backfill.preview(ws, "claims", "2026-01-01", "2026-02-01")["total"]  # doctest: +SKIP
    31
    """
    row = job_row(ws, job)
    found = _ticks(row, start, end, limit, time.time() if now is None else now)
    done = set() if again else _done(ws.catalog.query(_DONE, job_id=row["job_id"]))
    tz = zone(_spec(row).timezone)
    ticks = [
        {"at": at, "local": f"{dt.datetime.fromtimestamp(at, tz):%Y-%m-%d %H:%M %z}", "done": at in done}
        for at in found["ticks"]
    ]
    return {
        "ticks": ticks, "total": sum(not t["done"] for t in ticks), "limit": limit, "until": found["until"],
    }  # fmt: skip


def start(
    ws: Workspace, job: str, start: Instant, end: Instant, by: str, *, concurrency: int = 1, newest_first: bool = False,
    parameters: Mapping[str, Any] | None = None, again: bool = False, limit: int = LIMIT, now: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Queue a run for each tick that `preview` shows, of the job's version of now.

    Parameters
    ----------
    concurrency : int
        How many of its runs may go on side by side, beside those of the schedule.
    newest_first : bool
        Whether the newest tick runs first.
    parameters : mapping, optional
        Values for these runs; the job's own stand for the others.

    Returns
    -------
    dict
        As `list_backfills` gives it.

    Raises
    ------
    JobError, ConflictError
        As for `preview`; for parameters that do not fit; when no tick is left to run.
    """
    if not 1 <= concurrency <= 100:
        raise JobError(f"a backfill runs 1 to 100 ticks at a time, not {concurrency}")
    now = time.time() if now is None else now
    row = job_row(ws, job)
    permits.require(ws, by, "job.backfill", row)
    permits.begun(row)
    spec = _spec(row)
    params = dict(spec.parameters)
    if parameters:
        known = NotebookParameters.of(bundle_folder(ws, row["job_id"], row["version"]) / NOTEBOOK)
        params |= known.coerce(parameters)
        known.require(params)
    found = _ticks(row, start, end, limit, now)
    made = {
        "backfill_id": f"bf-{uuid.uuid4().hex[:12]}", "job_id": row["job_id"], "version": row["version"],
        "starts_at": found["start"], "ends_at": found["until"], "concurrency": concurrency,
        "newest_first": int(newest_first), "params": dumps(params), "status": "running", "created_at": now,
        "created_by": by,
    }  # fmt: skip
    with ws.catalog.transaction() as con:
        done = set() if again else _done([dict(r) for r in con.execute(_DONE, {"job_id": row["job_id"]})])
        ticks = [at for at in found["ticks"] if at not in done]
        if not ticks:
            raise ConflictError(
                f"nothing to run: each of the {len(found['ticks'])} ticks of {row['name']!r} in that time has "
                "succeeded or is about to run; --again runs them once more"
            )
        con.execute(_INSERT, {**made, "total": len(ticks)})
        con.executemany(
            _INSERT_RUN, _rows(made, ticks[::-1] if newest_first else ticks, now)
        )  # in the order they are to run in
        audit_within(
            con, by, "job.backfill", row["name"], backfill_id=made["backfill_id"], ticks=len(ticks),
            starts_at=found["start"], ends_at=found["until"], again=again, parameters=sorted(parameters or {}),
        )  # fmt: skip
    _tell(ws, made)
    return get(ws, str(made["backfill_id"]))


def _rows(made: dict[str, Any], ticks: list[float], now: float) -> list[dict[str, Any]]:
    return [
        {
            "id": f"jr-{uuid.uuid4().hex[:12]}", "job_id": made["job_id"], "version": made["version"],
            "params": made["params"], "queued_at": now + number * _STEP, "at": at, "backfill": made["backfill_id"],
            "cause": f"backfill:{made['backfill_id']}:{at:.0f}",
        }
        for number, at in enumerate(ticks)
    ]  # fmt: skip


_INSERT = (
    "insert into backfills (backfill_id, job_id, version, starts_at, ends_at, concurrency, newest_first, params, "
    "total, status, created_at, created_by) values (:backfill_id, :job_id, :version, :starts_at, :ends_at, "
    ":concurrency, :newest_first, :params, :total, :status, :created_at, :created_by)"
)
_INSERT_RUN = (
    "insert into job_runs (job_run_id, job_id, version, trigger, status, params, queued_at, cause, logical_at, "
    "backfill_id) values (:id, :job_id, :version, 'backfill', 'queued', :params, :queued_at, :cause, :at, :backfill)"
)
_DONE = (
    "select tick_at, logical_at from job_runs where job_id = :job_id and role is null "
    "and status in ('succeeded', 'queued', 'running')"
)


def _done(rows: list[dict[str, Any]]) -> set[float]:
    return {r["tick_at"] if r["logical_at"] is None else r["logical_at"] for r in rows}


def _spec(row: Mapping[str, Any]) -> JobSpec:
    return JobSpec.from_dict(json.loads(row["spec"]))


def _ticks(row: dict[str, Any], start: Instant, end: Instant, limit: int, now: float) -> dict[str, Any]:
    spec, name = _spec(row), row["name"]
    ticks = spec.ticks
    if ticks is None:
        raise JobError(
            f"job {name!r} has no schedule, so it has no ticks to go back over; `aios jobs run {name}` runs it"
        )
    if not 1 <= limit <= _MOST:
        raise JobError(f"the limit of a backfill is 1 to {_MOST:,} ticks, not {limit}")
    tz = zone(spec.timezone)
    first, until = instant(start, tz), instant(end, tz)
    if until <= first:
        raise JobError(f"a backfill goes from an earlier to a later time; {end} is not later than {start}")
    # What is due and not decided yet is the schedule's: it would run twice.
    until = min(until, now if row["next_tick_at"] is None else min(now, row["next_tick_at"]))
    found = list(
        itertools.islice(itertools.takewhile(lambda at: at < until, ticks.after(first - 0.5)), limit + 1)
    )
    if len(found) > limit:
        raise JobError(
            f"there are more than {limit:,} ticks of {name!r} in that time; take a shorter one, or say --limit if you "
            "mean it"
        )
    if not found:
        raise JobError(
            f"job {name!r} ({ticks.describe()}) had no tick from {_words(first, tz)} to {_words(until, tz)}; "
            f"`aios jobs preview {name} --from …` shows when it has"
        )
    return {"ticks": found, "start": first, "until": until}


def instant(value: Instant, tz: dt.tzinfo) -> float:
    """Return an instant as epoch seconds; without an offset it is read on the clock of `tz`.

    Examples
    --------
    >>> instant("2026-01-31", dt.UTC), instant("1970-01-01T01:00+01:00", dt.UTC)
    (1769817600.0, 0.0)
    """
    if isinstance(value, int | float):
        return float(value)
    try:
        found = dt.datetime.fromisoformat(value.isoformat() if isinstance(value, dt.date) else value)
        return (found if found.tzinfo else found.replace(tzinfo=tz)).timestamp()
    except (ValueError, OverflowError):
        raise JobError(f"{value!r} is no time; write 2026-01-31 or 2026-01-31T06:00") from None


def _words(at: float, tz: dt.tzinfo) -> str:
    return f"{dt.datetime.fromtimestamp(at, tz):%Y-%m-%d %H:%M}"


def list_backfills(ws: Workspace, job: str | None = None) -> list[dict[str, Any]]:
    """Return the backfills of a job, or of all, newest first.

    Returns
    -------
    list of dict
        The columns of `backfills` with the job's name as `job`, `params` read, and of their runs how many are `queued`,
        `running`, `succeeded`, `failed` (with those that took too long) and `cancelled`; `share`, of them that ended.
    """
    job_id = None if job is None else job_row(ws, job)["job_id"]
    rows = ws.catalog.query(
        "select b.*, j.name as job from backfills b join jobs j on j.job_id = b.job_id "
        "where (:job_id is null or b.job_id = :job_id) order by b.created_at desc",
        job_id=job_id,
    )
    counts = ws.catalog.query(
        "select backfill_id, status, count(*) as n from job_runs where backfill_id is not null "
        "and (:job_id is null or job_id = :job_id) and resumed_from is null group by backfill_id, status",
        job_id=job_id,
    )
    return [_public(row, [c for c in counts if c["backfill_id"] == row["backfill_id"]]) for row in rows]


def _public(row: dict[str, Any], counts: list[dict[str, Any]]) -> dict[str, Any]:
    by = {c["status"]: int(c["n"]) for c in counts}
    by["failed"] = by.get("failed", 0) + by.pop("timeout", 0)
    states = {s: by.get(s, 0) for s in (QUEUED, RUNNING, "succeeded", "failed", "cancelled")}
    ended = row["total"] - states[QUEUED] - states[RUNNING]
    return {
        **row, "newest_first": bool(row["newest_first"]), "params": json.loads(row["params"]), **states,
        "share": ended / row["total"],
    }  # fmt: skip


def get(ws: Workspace, backfill_id: str) -> dict[str, Any]:
    """Return one backfill as `list_backfills` does.

    Raises
    ------
    NotFoundError
        Naming the nearest.
    """
    found = list_backfills(ws)
    for row in found:
        if row["backfill_id"] == backfill_id:
            return row
    raise NotFoundError(
        f"no backfill {backfill_id!r}{hint(backfill_id, [r['backfill_id'] for r in found])}; `aios jobs backfills` "
        "lists them"
    )


def pause(ws: Workspace, backfill_id: str, by: str) -> dict[str, Any]:
    """Start no more of its runs; those that run go on."""
    return _switch(ws, backfill_id, by, "paused")


def resume(ws: Workspace, backfill_id: str, by: str) -> dict[str, Any]:
    """Go on with a paused one."""
    return _switch(ws, backfill_id, by, "running")


def _switch(ws: Workspace, backfill_id: str, by: str, status: str) -> dict[str, Any]:
    permits.require(ws, by, "job.backfill", job_row(ws, get(ws, backfill_id)["job_id"]))
    with ws.catalog.transaction() as con:
        row = get(ws, backfill_id)
        _still_going(row)
        if row["status"] != status:
            con.execute(
                "update backfills set status = :status where backfill_id = :id",
                {"id": backfill_id, "status": status},
            )
            action = "job.backfill.pause" if status == "paused" else "job.backfill.resume"
            audit_within(con, by, action, row["job"], backfill_id=backfill_id)
    _tell(ws, {**row, "status": status})
    return get(ws, backfill_id)


def _still_going(row: dict[str, Any]) -> None:
    if row["status"] not in _GOING:
        raise ConflictError(f"backfill {row['backfill_id']} has ended ({row['status']}); start another one")


def cancel(ws: Workspace, backfill_id: str, by: str) -> dict[str, Any]:
    """Stop a backfill: what waits never runs, what runs is told to stop.

    Raises
    ------
    NotFoundError, ConflictError
        For an unknown one, or one that has ended.
    """
    now = time.time()
    permits.require(ws, by, "job.backfill", job_row(ws, get(ws, backfill_id)["job_id"]))
    with ws.catalog.transaction() as con:
        row = get(ws, backfill_id)
        _still_going(row)
        runs = con.execute(
            "select * from job_runs where backfill_id = :id and status in ('queued', 'running')",
            {"id": backfill_id},
        ).fetchall()
        for run in map(dict, runs):
            error = {
                **load_error(run), "type": "Cancelled", "message": f"backfill cancelled by {by}", "cancel": by,
            }  # fmt: skip
            over = run["status"] == QUEUED
            con.execute(
                "update job_runs set error = :error, status = :status, ended_at = :ended where job_run_id = :id",
                {"id": run["job_run_id"], "error": dumps(error), "ended": now if over else None,
                 "status": "cancelled" if over else RUNNING},
            )  # fmt: skip
        con.execute(
            "update backfills set status = 'cancelled', ended_at = :now where backfill_id = :id",
            {"id": backfill_id, "now": now},
        )
        audit_within(con, by, "job.backfill.cancel", row["job"], backfill_id=backfill_id, runs=len(runs))
    _tell(ws, {**row, "status": "cancelled"})
    return get(ws, backfill_id)


def settle(con: Session, run: Mapping[str, Any], now: float) -> str | None:
    """Say how a backfill ended when `run`, just written as ended, was the last of it; in the same transaction.

    A tick whose failed run was taken up again, and then succeeded, has succeeded. Returns the new status, or None when
    the run is of no backfill, or not the last.
    """
    if run.get("backfill_id") is None:
        return None
    values = {"id": run["backfill_id"], "now": now}
    left = con.execute(
        "select logical_at from job_runs where backfill_id = :id group by logical_at "
        "having max(case when status in ('queued', 'running') then 1 else 0 end) = 1 limit 1",
        values,
    ).fetchone()
    if left is not None:
        return None
    bad = con.execute(
        "select logical_at from job_runs where backfill_id = :id group by logical_at "
        "having max(case when status = 'succeeded' then 1 else 0 end) = 0 limit 1",
        values,
    ).fetchone()
    values["status"] = "succeeded" if bad is None else "failed"
    changed = con.execute(
        "update backfills set status = :status, ended_at = :now where backfill_id = :id and status <> 'cancelled'",
        values,
    ).rowcount
    return str(values["status"]) if changed else None


def _tell(ws: Workspace, row: Mapping[str, Any]) -> None:
    tell(ws, "job.backfill", row["job_id"], backfill_id=row["backfill_id"], status=row["status"])
