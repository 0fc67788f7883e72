"""What a backfill covers, in which order, how it ends: no kernel, a clock of our own."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from job_helpers import add_job, job_runs

import aios_workbench as aios
from aios_workbench.errors import ConflictError, JobError, NotFoundError
from aios_workbench.promote import backfill, claims, logical, runs
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.workspace import Workspace

HOUR = 3600.0
T0 = 1_800_000_000.0  # on the hour


def start(ws: Workspace, job: str, hours: int, **options: Any) -> dict[str, Any]:
    return backfill.start(ws, job, T0 - hours * HOUR, T0, "ada", now=T0 + 1, **options)


def rows(ws: Workspace, found: dict[str, Any]) -> list[dict[str, Any]]:
    return ws.catalog.query(
        "select * from job_runs where backfill_id = :id order by queued_at", id=found["backfill_id"]
    )


def test_preview_says_what_is_done(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0 - 5 * HOUR, timezone="Europe/Berlin")
    s = Scheduler(ws, "w", alive=lambda _: True)
    s.tick(T0 - 3 * HOUR)
    run = claims.take(ws, "w", T0)
    assert run is not None
    claims.finish(ws, run, "succeeded", None, T0)
    s.tick(T0 + 1)
    shown = backfill.preview(ws, job, T0 - 5 * HOUR, T0 + 9 * HOUR, now=T0 + 1)
    assert [(t["at"] - T0) / HOUR for t in shown["ticks"]] == [-5, -4, -3, -2, -1, 0]
    assert [t["done"] for t in shown["ticks"]].count(True) == 2  # one succeeded, one is about to run
    assert (shown["total"], shown["limit"]) == (4, 1000)
    assert shown["ticks"][2]["local"] == "2027-01-15 06:00 +0100"
    assert backfill.preview(ws, job, T0 - 5 * HOUR, T0, now=T0 + 1, again=True)["total"] == 5


def test_dates_are_midnight_in_the_jobs_zone_and_the_end_is_left_out(ws: Workspace) -> None:
    job = add_job(ws, "0 0 * * *", T0, timezone="Asia/Tokyo")
    shown = backfill.preview(ws, job, "2026-01-01", "2026-02-01", now=T0)
    assert [t["local"] for t in shown["ticks"]][::30] == ["2026-01-01 00:00 +0900", "2026-01-31 00:00 +0900"]


def test_a_tick_the_schedule_has_not_decided_is_left_to_it(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0 - 2.5 * HOUR)  # no worker has looked since
    with pytest.raises(JobError, match="had no tick from"):
        backfill.preview(ws, job, T0 - 2 * HOUR, T0, now=T0)
    assert backfill.preview(ws, job, T0 - 4 * HOUR, T0, now=T0)["total"] == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limit": 3}, "more than 3 ticks"),
        ({"limit": 0}, "limit of a backfill"),
        ({"concurrency": 0}, "1 to 100 ticks at a time"),
    ],
)
def test_refused(ws: Workspace, options: dict[str, Any], says: str) -> None:
    job = add_job(ws, "0 * * * *", T0)
    with pytest.raises(JobError, match=says):
        start(ws, job, 4, **options)
    assert job_runs(ws, job) == []


def test_refused_times_and_jobs(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    with pytest.raises(JobError, match="not later than"):
        backfill.preview(ws, job, T0, T0)
    with pytest.raises(JobError, match="'yesterday' is no time"):
        backfill.preview(ws, job, "yesterday", T0)
    with pytest.raises(JobError, match="has no schedule"):
        backfill.preview(ws, add_job(ws, None, T0), 0.0, T0)
    with pytest.raises(NotFoundError, match="no backfill 'bf-1'"):
        backfill.cancel(ws, "bf-1", "ada")


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_stand_in_the_order_they_run_in(ws: Workspace, newest_first: bool) -> None:
    job = add_job(ws, "0 * * * *", T0, parameters={"n": 1})
    found = start(ws, job, 4, newest_first=newest_first)
    made = rows(ws, found)
    order = [-4, -3, -2, -1]
    assert [(r["logical_at"] - T0) / HOUR for r in made] == (order[::-1] if newest_first else order)
    assert {(r["trigger"], r["tick_at"], r["version"], r["params"]) for r in made} == {
        ("backfill", None, 1, '{"n":1}')
    }
    assert made[0]["cause"] == f"backfill:{found['backfill_id']}:{made[0]['logical_at']:.0f}"
    assert (found["queued"], found["total"], found["share"], found["newest_first"]) == (
        4,
        4,
        0.0,
        newest_first,
    )
    (noted,) = ws.catalog.query("select * from audit where action = 'job.backfill'")
    assert (noted["actor"], noted["subject"], json.loads(noted["detail"])["ticks"]) == ("ada", job, 4)


def test_a_second_click_finds_nothing_to_do(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    said: list[Any] = []

    def click() -> None:
        try:
            said.append(start(ws, job, 3)["total"])
        except ConflictError as e:
            said.append(str(e))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for c in clicks:
        c.start()
    for c in clicks:
        c.join()
    assert len(job_runs(ws, job)) == 3
    assert [s for s in said if s == 3] == [3]
    assert sum("--again" in str(s) for s in said) == 3
    assert start(ws, job, 3, again=True)["total"] == 3


def test_it_ends_with_its_last_run(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    found = start(ws, job, 2)
    for n, status in enumerate(("failed", "succeeded")):
        (run,) = rows(ws, found)[n : n + 1]
        with ws.catalog.transaction() as con:
            con.execute(
                "update job_runs set status = :s where job_run_id = :id",
                {"s": status, "id": run["job_run_id"]},
            )
            assert backfill.settle(con, run, T0 + 5) == (None if n == 0 else "failed")
    (told,) = backfill.list_backfills(ws, job)
    assert (told["status"], told["ended_at"], told["failed"], told["succeeded"], told["share"]) == (
        "failed", T0 + 5, 1, 1, 1.0,
    )  # fmt: skip
    with pytest.raises(ConflictError, match=r"has ended \(failed\)"):
        backfill.cancel(ws, found["backfill_id"], "ada")


def test_a_failed_tick_is_due_again_for_the_next_one(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    ws.catalog.write("update job_runs set status = 'failed' where job_run_id = :id",
                     id=rows(ws, start(ws, job, 2))[0]["job_run_id"])  # fmt: skip
    assert [t["done"] for t in backfill.preview(ws, job, T0 - 2 * HOUR, T0, now=T0 + 1)["ticks"]] == [
        False,
        True,
    ]


def test_cancel(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    found = start(ws, job, 3)
    going = claims.take(ws, "w", T0 + 2)
    assert going is not None
    told = backfill.cancel(ws, found["backfill_id"], "bob")
    assert (told["status"], told["cancelled"], told["running"]) == ("cancelled", 2, 1)
    assert claims.cancel_asked(ws, going)
    assert claims.finish(ws, going, "failed", None, T0 + 3) == "cancelled"
    assert backfill.get(ws, found["backfill_id"])["status"] == "cancelled"
    assert runs.history(ws, job)[0]["reason"] == "backfill cancelled by bob"


def test_pause_and_resume_are_audited(ws: Workspace) -> None:
    found = start(ws, add_job(ws, "0 * * * *", T0), 2)
    assert backfill.pause(ws, found["backfill_id"], "ada")["status"] == "paused"
    assert backfill.resume(ws, found["backfill_id"], "bob")["status"] == "running"
    told = ws.catalog.query("select actor, action from audit where action like 'job.backfill.%' order by seq")
    assert [tuple(t.values()) for t in told] == [
        ("ada", "job.backfill.pause"),
        ("bob", "job.backfill.resume"),
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"logical_at": T0 - HOUR, "tick_at": None, "queued_at": T0}, "2027-01-15T08:00:00+01:00"),
        ({"logical_at": None, "tick_at": T0 - HOUR, "queued_at": T0}, "2027-01-15T08:00:00+01:00"),
        ({"logical_at": None, "tick_at": None, "queued_at": T0}, "2027-01-15T09:00:00+01:00"),
    ],
)
def test_a_run_is_told_what_it_stands_for(
    row: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert logical.text(row, "Europe/Berlin") == says
    monkeypatch.setenv("AIOS_LOGICAL_TIME", says)
    assert aios.logical_time().timestamp() == (row["logical_at"] or row["tick_at"] or row["queued_at"])
