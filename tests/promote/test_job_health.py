"""Health of all jobs, from what is recorded."""

from __future__ import annotations

from typing import Any

import pytest
from job_helpers import add_job

from aios_workbench.promote import claims, jobs, lateness
from aios_workbench.promote.health import RECENT, STATES, health
from aios_workbench.workspace import Workspace, dumps

HOUR = 3600.0
T0 = 1_800_000_000.0


def ended(ws: Workspace, job: str, *statuses: str, start: float = T0, **more: Any) -> None:
    """Add runs that ended an hour after each other, each a minute longer than the one before."""
    with ws.catalog.transaction() as con:
        for n, status in enumerate(statuses):
            at = start + n * HOUR
            row = {
                "job_run_id": f"{job}-{start:.0f}-{n}", "job_id": job, "version": 1, "trigger": "schedule",
                "status": status, "queued_at": at, "started_at": at, "ended_at": at + 60 * (n + 1),
                "error": dumps({"type": "ValueError", "message": "no\nrows"}) if status == "failed" else None, **more,
            }  # fmt: skip
            con.execute(
                f"insert into job_runs ({', '.join(row)}) values ({', '.join(f':{c}' for c in row)})", row
            )


def state(ws: Workspace, job: str, now: float) -> tuple[str, str]:
    found = health(ws, now)[job]
    assert found["state"] in STATES
    return found["state"], found["why"]


def test_from_new_to_healthy_to_failing(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    assert health(ws, T0)[job] == {
        "state": "new", "why": "no run of it has ended yet", "success_share": None, "median_seconds": None,
        "last_success_at": None, "alarms": [],
    }  # fmt: skip
    ended(ws, job, "succeeded", "succeeded", "succeeded")
    ws.catalog.write("update jobs set next_tick_at = :at", at=T0 + 9 * HOUR)
    found = health(ws, T0 + 4 * HOUR)[job]
    assert (found["state"], found["success_share"], found["median_seconds"]) == ("healthy", 1.0, 120.0)
    assert found["last_success_at"] == T0 + 2 * HOUR + 180
    assert found["why"] == "its last run succeeded, 1 h 57 min ago"
    ended(ws, job, "failed", "failed", "skipped", "cancelled", start=T0 + 3 * HOUR)
    found = health(ws, T0 + 8 * HOUR)[job]
    assert (found["state"], found["success_share"]) == ("failing", 0.6)
    assert found["why"] == "the last 2 runs failed: ValueError: no rows"


def test_backfills_and_shadows_do_not_count(ws: Workspace) -> None:
    job = add_job(ws, None, T0)
    ended(ws, job, "failed", "failed", backfill_id="b")
    ended(ws, job, "failed", start=T0 + 9 * HOUR, role="shadow")
    assert state(ws, job, T0 + 20 * HOUR)[0] == "new"


def test_only_the_newest_runs_count(ws: Workspace) -> None:
    job = add_job(ws, None, T0)
    ended(ws, job, *["failed"] * 30, *["succeeded"] * (RECENT - 5), *["failed"] * 5)
    assert health(ws, T0 + 99 * HOUR)[job]["success_share"] == (RECENT - 5) / RECENT


def test_late_by_its_own_word_or_because_no_worker_lives(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, late_after="10m")
    assert state(ws, job, T0 + HOUR + 30)[0] == "new"
    assert state(ws, job, T0 + HOUR + 90) == (
        "late", "no worker has taken its tick of 2027-01-15 09:00 UTC: none lives",
    )  # fmt: skip
    claims.claim_ticks(ws, T0 + HOUR)
    assert state(ws, job, T0 + HOUR + 590)[0] == "new"
    late, why = state(ws, job, T0 + HOUR + 700)
    assert late == "late"
    assert why.endswith("has not ended 11 min 40 s after it was due")
    lateness.watch(ws, T0 + HOUR + 700)
    (alarm,) = health(ws, T0 + HOUR + 700)[job]["alarms"]
    assert (alarm["kind"], alarm["since"]) == ("late", T0 + HOUR + 700)


def test_absent_paused_and_waiting(ws: Workspace) -> None:
    job = add_job(ws, None, T0, absent_after="2h")
    ended(ws, job, "succeeded", "failed")
    assert state(ws, job, T0 + 2 * HOUR)[0] == "failing"
    assert state(ws, job, T0 + 3 * HOUR) == ("absent", "no run has succeeded for 2 h 59 min")
    jobs.pause(ws, job, "ada")
    assert state(ws, job, T0 + 3 * HOUR)[0] == "paused"
    ws.catalog.write("update jobs set status = 'waiting'")
    assert state(ws, job, T0 + 3 * HOUR) == ("waiting", "version 1 waits for approval")


@pytest.mark.parametrize("spec", ["{}", "no json"])
def test_a_broken_job_hides_no_other(ws: Workspace, spec: str) -> None:
    broken, good = add_job(ws, None, T0), add_job(ws, None, T0)
    ws.catalog.write("update jobs set spec = :s where job_id = :id", s=spec, id=broken)
    assert state(ws, broken, T0) == ("failing", "its description cannot be read; promote its notebook again")
    assert state(ws, good, T0)[0] == "new"


def test_two_hundred_jobs_take_four_questions(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(200):
        job = add_job(ws, None, T0)
    ended(ws, job, "succeeded")
    asked: list[str] = []
    query = ws.catalog.query

    def count(sql: str, **values: Any) -> list[dict[str, Any]]:
        asked.append(sql)
        return query(sql, **values)

    monkeypatch.setattr(ws.catalog, "query", count)
    assert len(health(ws, T0 + HOUR)) == 200
    assert len(asked) == 4
