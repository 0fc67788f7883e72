"""Which of the runs that wait may start next.

Each job has its lines. Runs that the schedule, an event or another job started go in the order in which they were
due, up to `concurrency` of the job's runs side by side; one that waits for its retry keeps its place among them. Ticks
that are made up for go one after another even so: a machine that comes back shall not be given all of them at once,
and what goes on from where the last run ended relies on the order. A run that a person asked for waits for a free
place, not for its turn. The runs of a backfill have a line and places of their own, and so have shadows.

Between jobs: the one with the fewest runs going, then the one that started a run the longest ago, so that a thousand
runs waiting in one job starve nobody. Backfills and shadows come after everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.admission import is_automatic, tell_runs
from aios_workbench.promote.records import load_error, load_spec
from aios_workbench.workspace import Session, Workspace

Row = dict[str, Any]


def take(ws: Workspace, owner: str, now: float, *, spare: bool = True) -> Row | None:
    """Take the next run that may start; None when there is none.

    Parameters
    ----------
    owner : str
        The executor that will run it.
    spare : bool
        False when this is the worker's last free slot of several: no run of a backfill and no shadow takes it.
    """
    if not waiting(ws):
        return None
    with ws.catalog.transaction() as con:
        row = _next(con, now, spare=spare)
        if row is None:
            return None
        row |= {
            "status": "running", "owner": owner, "attempt": row["attempt"] + 1,
            "started_at": row["started_at"] or now, "folder": f"jobs/{row['job_id']}/runs/{row['job_run_id']}",
        }  # fmt: skip
        con.execute(
            "update job_runs set status = :status, owner = :owner, attempt = :attempt, "
            "started_at = :started_at, folder = :folder where job_run_id = :job_run_id",
            row,
        )
    tell_runs(ws, [row])
    return row


def waiting(ws: Workspace) -> bool:
    """Whether any run waits that is not of a paused backfill."""
    return ws.catalog.one(_ANY) is not None


_ANY = (
    "select 1 from job_runs r left join backfills b on b.backfill_id = r.backfill_id "
    "where r.status = 'queued' and coalesce(b.status, 'running') <> 'paused' limit 1"
)


def retry_at(row: Row, now: float) -> float | None:
    """Return when a queued run may start again, or None when it may now.

    Further ahead than its delay means that the clock was set back: it does not wait for that.
    """
    error = load_error(row)
    at = float(error.get("retry_at", 0.0))
    return at if now < at <= now + float(error.get("retry_delay", 0.0)) else None


def startable(rows: list[Row], places: Mapping[tuple[str, str], int], now: float) -> list[Row]:
    """Return the head of every line that has a free place, of rows that run or wait, in the order they are due.

    Parameters
    ----------
    places : mapping
        How many runs of a line (see `line_of`) may go side by side; 1 where it is not said.
    """
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault(line_of(row), []).append(row)
    return [row for line, members in lines.items() for row in _heads(members, places.get(line, 1), now)]


def line_of(row: Row) -> tuple[str, str]:
    """Return the kind of line a run stands in, and whose it is."""
    if row["backfill_id"] is not None:
        return "backfill", row["backfill_id"]
    return ("shadow" if row["role"] == "shadow" else "job"), row["job_id"]


def _heads(members: list[Row], limit: int, now: float) -> list[Row]:
    running = [row for row in members if row["status"] == "running"]
    taken, making_up = len(running), any(row["trigger"] == "missed" for row in running)
    found: list[Row] = []
    if taken >= limit:
        return found
    for row in members:
        if row["status"] == "running":
            continue
        in_turn = row["backfill_id"] is not None or is_automatic(row)
        made_up = row["trigger"] == "missed"
        if retry_at(row, now) is not None:
            taken, making_up = taken + in_turn, making_up or made_up
        elif not in_turn:
            found.append(row)
        elif taken >= limit or (made_up and making_up):
            limit = -1  # nobody behind it comes before it
        else:
            found.append(row)
            limit = -1
    return found


def _next(con: Session, now: float, *, spare: bool) -> Row | None:
    rows = [dict(row) for row in con.execute(_OPEN).fetchall()]
    jobs = {row["job_id"]: dict(row) for row in con.execute(_WAITING).fetchall()}
    fills = con.execute(_BACKFILLS).fetchall()
    places = {
        ("backfill", row["backfill_id"]): int(row["concurrency"]) if row["status"] == "running" else 0
        for row in fills
    }
    for job_id, job in jobs.items():
        spec = load_spec(job["spec"])
        places |= dict.fromkeys((("job", job_id), ("shadow", job_id)), spec.concurrency if spec else 1)
    rows.sort(key=_order)
    heads = startable([row for row in rows if row["job_id"] in jobs], places, now)
    found = [row for row in heads if spare or line_of(row)[0] == "job"]
    going = Counter(row["job_id"] for row in rows if row["status"] == "running")

    def turn(row: Row) -> tuple[Any, ...]:
        last = min(jobs[row["job_id"]]["started"] or 0.0, now)  # a clock that was ahead starves nobody
        return line_of(row)[0] != "job", going[row["job_id"]], last, _order(row)

    return min(found, key=turn, default=None)


def _order(row: Row) -> tuple[float, float, str]:
    return row["tick_at"] or row["queued_at"], row["queued_at"], row["job_run_id"]


_OPEN = "select * from job_runs where status in ('queued', 'running')"
_BACKFILLS = (
    "select * from backfills where backfill_id in (select backfill_id from job_runs where status = 'queued')"
)
_WAITING = (
    "select j.job_id, j.spec, (select max(r.started_at) from job_runs r where r.job_id = j.job_id) as started "
    "from jobs j where j.job_id in (select job_id from job_runs where status = 'queued')"
)
