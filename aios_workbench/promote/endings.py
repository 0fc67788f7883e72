"""What is told when a run has ended: that it failed, that its data drifted, that the job works again."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from aios_workbench.promote import alarms, alerts
from aios_workbench.promote.admission import COUNTED
from aios_workbench.promote.excerpts import Excerpt
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Session

#: Of a traceback the last lines are told.
_LINES = 12
_BAD = ("failed", "timeout")
_NOTHING = Excerpt()


def queue(
    con: Session, run: dict[str, Any], status: str, error: dict[str, Any] | None, now: float,
    excerpt: Excerpt = _NOTHING,
) -> None:  # fmt: skip
    """Write what is to be told of a run that has ended, in the transaction that ends it.

    Each failure is told, and the first success after it; of a backfill's runs only the first failure; of a version on
    trial in the shadow nothing.
    """
    job = con.execute("select name from jobs where job_id = :job_id", run).fetchone()
    if job is None or run["role"] == "shadow":
        return
    alarms.drop(con, run["job_id"], "late", run["job_run_id"])
    name, told = job[0], []
    counts = run["backfill_id"] is None
    if status in _BAD:
        source = f"run/{run['job_run_id']}" if counts else f"backfill/{run['backfill_id']}"
        row = _failing(con, run, now) if counts else 0
        told.append((source, status, *_failure(name, run, status, error or {}, excerpt, row)))
    elif status == "succeeded" and counts:
        told += _recovered(con, name, run, now)
    drifted = con.execute(
        "select seq, data from events where kind = 'drift.alert' and (json_extract(data, '$.job_run_id') = :id or "
        "run_id in (select run_id from runs where job_run_id = :id)) order by seq",
        {"id": run["job_run_id"]},
    )
    for seq, data in drifted.fetchall():
        found = json.loads(data)
        subject = f"{name}: drift, monitor {found['monitor']}"
        told.append((f"event/{seq}", "drift", subject, f"{found['message']}\nRun {run['job_run_id']}"))
    for source, kind, subject, body in told:
        alerts.put(con, run, source, kind, subject, body, now, run_id=run["job_run_id"])


def _failing(con: Session, run: dict[str, Any], now: float) -> int:
    """Return how many runs of the job have failed in a row, this one included."""
    alarms.begin(con, run["job_id"], "failing", now)
    alarms.mark_told(con, run["job_id"], "failing", now)
    return _failures(con, run)


def _failures(con: Session, run: dict[str, Any]) -> int:
    row = con.execute(
        f"select count(*) from job_runs r where job_id = :job_id and status in ('failed', 'timeout') and {COUNTED} "  # noqa: S608
        "and job_run_id <> :job_run_id and ended_at >= (select since from job_alarms a where a.job_id = r.job_id "
        "and a.kind = 'failing' and a.subject = '')",
        run,
    ).fetchone()
    return int(row[0]) + (run["status"] in _BAD)


def _recovered(con: Session, name: str, run: dict[str, Any], now: float) -> list[tuple[str, str, str, str]]:
    failures = _failures(con, run)
    since = alarms.end(con, run["job_id"], "failing", now)
    absent = alarms.end(con, run["job_id"], "absent", now)
    if since is None and absent is None:
        return []
    why = []
    if since is not None:
        count = f"{failures} failed runs" if failures > 1 else "a failed run"
        why.append(f"after {count}, the first at {clock(since)}")
    if absent is not None:
        why.append(f"that none had for too long was noticed at {clock(absent)}")
    body = f"Run {run['job_run_id']}, version {run['version']}, has succeeded: {'; '.join(why)}."
    return [(f"recovered/{run['job_run_id']}", "recovered", f"{name} works again", body)]


def clock(at: float) -> str:
    """Return an instant for people."""
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M} UTC"


def _failure(
    name: str, run: dict[str, Any], status: str, error: dict[str, Any], excerpt: Excerpt, row: int
) -> tuple[str, str]:
    words = "took too long" if status == "timeout" else "failed"
    trace = "\n".join(str(error.get("traceback") or "").rstrip().splitlines()[-_LINES:])
    facts = [f"Run {run['job_run_id']}, version {run['version']}, attempt {run['attempt']}"]
    if run["tick_at"] is not None:
        facts.append(f"due {clock(run['tick_at'])}")
    if run["started_at"] is not None and run["ended_at"] is not None:
        facts.append(f"ended after {format_duration(max(0.0, run['ended_at'] - run['started_at']))}")
    if run["backfill_id"] is not None:
        facts.append(f"of backfill {run['backfill_id']}, of which only the first failure is told")
    parts = [
        f"{error.get('type', 'Error')}: {error.get('message', '')}",
        f"{excerpt.place}:\n{excerpt.source}" if excerpt.source else excerpt.place,
        trace,
        f"Log, its last lines:\n{excerpt.log}" if excerpt.log else "",
        ", ".join(facts) + ".",
        f"`aios jobs logs {run['job_run_id']}` shows its log.",
    ]
    in_a_row = f", {row} in a row" if row > 1 else ""
    return f"{name} {words}{in_a_row}", "\n\n".join(p for p in parts if p)
