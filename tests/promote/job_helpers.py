"""Jobs that need no notebook, and waiting for what other threads and processes do."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from aios_workbench.promote import claims
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace, dumps

_numbers = itertools.count()


def add_job(ws: Workspace, schedule: str | None, now: float, timezone: str = "UTC", **options: Any) -> str:
    """Insert a job that has no bundle: for what is decided before anything runs."""
    job_id = f"job-{next(_numbers)}"
    spec = JobSpec(name=job_id, notebook="none.ipynb", schedule=schedule, timezone=timezone, **options)
    row = {
        "id": job_id, "now": now, "spec": dumps(spec.to_dict()),
        "next": spec.ticks.next_after(now) if spec.ticks else None,
    }  # fmt: skip
    with ws.catalog.transaction() as con:
        con.execute(
            "insert into jobs (job_id, name, version, status, spec, created_at, updated_at, next_tick_at) "
            "values (:id, :id, 1, 'active', :spec, :now, :now, :next)",
            row,
        )
        con.execute(
            "insert into job_versions (job_id, version, spec, bundle_hash, created_at) "
            "values (:id, 1, :spec, '-', :now)",
            row,
        )
    return job_id


def job_runs(ws: Workspace, job_id: str) -> list[dict[str, Any]]:
    return ws.catalog.query("select * from job_runs where job_id = :id order by tick_at", id=job_id)


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 100.0) -> Any:
    """Wait for other threads and processes; never the assertion of a test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:.0f} s for {what}")


def end_run(ws: Workspace, job_id: str, status: str = "succeeded", now: float = 0.0, **columns: Any) -> str:
    """Let a run of a job begin and end, without a notebook; returns its id."""
    row = {
        "job_run_id": f"jr-{next(_numbers)}", "job_id": job_id, "version": 1, "trigger": "manual",
        "status": "running", "attempt": 1, "owner": "worker-1", "queued_at": now, "started_at": now, **columns,
    }  # fmt: skip
    names = ", ".join(row)
    ws.catalog.write(f"insert into job_runs ({names}) values ({', '.join(f':{n}' for n in row)})", **row)
    assert claims.finish(ws, row, status, {"type": "Error", "message": "-"}, now) == status
    return str(row["job_run_id"])
