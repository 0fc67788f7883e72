"""What is told when a run has ended: that it failed, that its data drifted, that the job works again."""

from __future__ import annotations

import json
from typing import Any

from aios_workbench.promote import alerts
from aios_workbench.workspace import Session

#: Of a traceback the last lines are told.
_LINES = 12
_BAD = ("failed", "timeout")


def queue(con: Session, run: dict[str, Any], status: str, error: dict[str, Any] | None, now: float) -> None:
    """Write what is to be told of a run that has ended, in the transaction that ends it."""
    job = con.execute("select name from jobs where job_id = :job_id", run).fetchone()
    if job is None:
        return
    name, told = job[0], []
    if status in _BAD:
        told.append((f"run/{run['job_run_id']}", status, *_failure(name, run, status, error or {})))
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


def _failure(name: str, run: dict[str, Any], status: str, error: dict[str, Any]) -> tuple[str, str]:
    words = "took too long" if status == "timeout" else "failed"
    trace = "\n".join(str(error.get("traceback") or "").rstrip().splitlines()[-_LINES:])
    parts = [
        f"{error.get('type', 'Error')}: {error.get('message', '')}",
        f"Run {run['job_run_id']}, version {run['version']}, attempt {run['attempt']}.",
        trace,
        f"`aios jobs logs {run['job_run_id']}` shows its log.",
    ]
    return f"{name} {words}", "\n\n".join(p for p in parts if p)
