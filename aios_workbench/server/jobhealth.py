"""How all jobs do, and what starts them, in words."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from aios_workbench.server.jobparts import landed
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec

_BAD = ("failed", "timeout")


def health(ws: Workspace) -> dict[str, dict[str, Any]]:
    """Return how each job does, by id."""
    found = landed("health")
    return found.health(ws) if found else _simple(ws)


def triggers(spec: JobSpec) -> str:
    """Return everything that starts a job, in words."""
    found = landed("triggers")
    if found:
        return str(found.describe(spec))
    return spec.ticks.describe() if spec.ticks else "only when triggered"


def _simple(ws: Workspace) -> dict[str, dict[str, Any]]:
    rows = ws.catalog.query(
        "select job_id, status, ended_at, started_at from job_runs where status in ('succeeded', 'failed', 'timeout') "
        "order by queued_at desc limit 5000"
    )
    by_job: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_job.setdefault(row["job_id"], []).append(row)
    return {
        job["job_id"]: _of(job["status"], by_job.get(job["job_id"], []))
        for job in ws.catalog.query("select job_id, status from jobs")
    }


def _of(status: str, ended: list[dict[str, Any]]) -> dict[str, Any]:
    good = [r for r in ended if r["status"] == "succeeded"]
    took = [r["ended_at"] - r["started_at"] for r in good if r["started_at"] and r["ended_at"]]
    state, why = "healthy", "the last run succeeded"
    if status in ("paused", "waiting"):
        state, why = status, "it fires no ticks"
    elif not ended:
        state, why = "new", "it has not run yet"
    elif ended[0]["status"] in _BAD:
        state, why = "failing", "the last run failed"
    return {
        "state": state,
        "why": why,
        "success_share": len(good) / len(ended) if ended else None,
        "median_seconds": statistics.median(took) if took else None,
        "last_success_at": good[0]["ended_at"] if good else None,
        "alarms": [],
    }
