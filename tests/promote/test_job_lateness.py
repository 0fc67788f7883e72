"""Late runs, absent jobs, recoveries: told once, whatever the clock and the workers do."""

from __future__ import annotations

import json
import threading
from typing import Any

import nbformat
import pytest
from job_helpers import add_job, job_runs

from aios_workbench.promote import alerts, claims, jobs, lateness
from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.records import job_folder, run_folder
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.workspace import Workspace

HOUR = 3600.0
T0 = 1_800_000_000.0  # 2027-01-15 08:00 UTC


def look(ws: Workspace, now: float) -> list[str]:
    """Look twice, a minute apart, and return the subjects of what is told."""
    lateness.watch(ws, now)
    lateness.watch(ws, now + 60)
    return tell(ws, now + 60)


def tell(ws: Workspace, now: float) -> list[str]:
    return [subject for subject, _ in messages(ws, now)]


def messages(ws: Workspace, now: float) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    alerts.tell(ws, now, lambda _, subject, body: told.append((subject, body)))
    return told


def run_once(ws: Workspace, now: float, status: str = "succeeded", error: Any = None) -> dict[str, Any]:
    claims.claim_ticks(ws, now)
    run = claims.take(ws, "worker-1", now)
    assert run is not None
    assert claims.finish(ws, run, status, error, now) == status
    return run


def test_a_late_run_is_told_once(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, late_after="30m", alerts=["$OPS"])
    now = T0 + HOUR
    claims.claim_ticks(ws, now)
    run = claims.take(ws, "worker-1", now + 60)
    assert run is not None
    assert look(ws, now + 1700) == []
    lateness.watch(ws, now + 1801)
    assert tell(ws, now + 1801) == []  # noticed: the clock may be wrong
    lateness.watch(ws, now + 1832)
    ((subject, body),) = messages(ws, now + 1832)
    assert subject == f"{job} is late"
    assert (
        f"Run {run['job_run_id']}, due 2027-01-15 09:00 UTC, has not ended after 30 min 32 s, more than the 30m given"
        in body
    )
    assert "runs since 2027-01-15 09:01 UTC, attempt 1, on worker-1" in body
    assert look(ws, now + 3000) == []
    claims.finish(ws, run, "succeeded", None, now + 3100)
    assert look(ws, now + 3200) == []
    assert ws.catalog.query("select * from job_alarms") == []


def test_a_run_no_worker_has_a_slot_for_is_late_too(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, late_after="10m", alerts=["$OPS"])
    claims.claim_ticks(ws, T0 + HOUR)
    assert look(ws, T0 + HOUR + 700) == [f"{job} is late"]
    (alert,) = ws.catalog.query("select body from job_alerts")
    assert "it waits: for a free slot of a worker" in alert["body"]


def test_many_late_runs_are_one_message(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, late_after="10m", overlap="queue", alerts=["$OPS"])
    for hour in range(1, 6):
        claims.claim_ticks(ws, T0 + hour * HOUR)
    assert look(ws, T0 + 6 * HOUR) == [f"{job} is late: 5 runs"]
    (alert,) = ws.catalog.query("select body from job_alerts")
    assert alert["body"].count("has not ended") == 5


@pytest.mark.parametrize(
    ("missed", "words"),
    [("latest", "the newest due one runs now"), ("skip", "none of them runs any more")],
)
def test_ticks_nobody_claimed_are_told_at_the_next_start(ws: Workspace, missed: str, words: str) -> None:
    job = add_job(ws, "0 * * * *", T0, late_after="10m", missed=missed, alerts=["$OPS"])
    now = T0 + 5.5 * HOUR
    claims.claim_ticks(ws, now)
    run = claims.take(ws, "worker-1", now)
    if run is not None:
        claims.finish(ws, run, "succeeded", None, now + 1)
    lateness.watch(ws, now + 31)
    ((subject, body),) = messages(ws, now + 31)
    assert subject == f"{job} is late"
    assert body.startswith(
        "5 ticks, 2027-01-15 09:00 UTC to 2027-01-15 13:00 UTC, have passed while no worker"
    )
    assert words in body
    assert look(ws, now + 100) == []


def test_a_long_absence_of_workers_is_one_message(ws: Workspace) -> None:
    job = add_job(ws, "* * * * *", T0, late_after="10m", missed="all", catch_up=3, alerts=["$OPS"])
    claims.claim_ticks(ws, T0 + 50 * HOUR)
    lateness.watch(ws, T0 + 50 * HOUR + 31)
    ((subject, body),) = messages(ws, T0 + 50 * HOUR + 31)
    assert subject == f"{job} is late"
    assert body.startswith("99 ticks or more, 2027-01-17 08:21 UTC to")
    assert "the newest 3 run now, one after another" in body


def test_absence_is_told_once_and_so_is_its_end(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, absent_after="3h", alerts=["$OPS"])
    run_once(ws, T0 + HOUR)
    assert look(ws, T0 + 3.9 * HOUR) == []
    assert look(ws, T0 + 4.1 * HOUR) == [f"{job} has not succeeded for too long"]
    assert look(ws, T0 + 9 * HOUR) == []
    run_once(ws, T0 + 9.5 * HOUR)
    ((subject, body),) = messages(ws, T0 + 9.5 * HOUR)
    assert subject == f"{job} works again"
    assert "that none had for too long was noticed at 2027-01-15 12:06 UTC" in body
    assert look(ws, T0 + 12 * HOUR) == []
    assert look(ws, T0 + 13 * HOUR) == [f"{job} has not succeeded for too long"]


def test_absence_counts_from_promotion_and_not_while_paused(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, absent_after="3h", alerts=["$OPS"])
    assert look(ws, T0 + 2.9 * HOUR) == []
    jobs.pause(ws, job, "ada")
    assert look(ws, T0 + 50 * HOUR) == []
    jobs.resume(ws, job, "ada", now=T0 + 50 * HOUR)
    assert look(ws, T0 + 52 * HOUR) == []
    assert look(ws, T0 + 53.1 * HOUR) == [f"{job} has not succeeded for too long"]
    jobs.pause(ws, job, "ada")
    assert look(ws, T0 + 60 * HOUR) == []
    assert [a["ended_at"] is None for a in ws.catalog.query("select * from job_alarms")] == [False]


def test_a_clock_that_jumps_tells_little(ws: Workspace) -> None:
    """A moment ahead tells nothing; a minute ahead tells each job once; back again, all is as it was."""
    names = [
        add_job(ws, "0 * * * *", T0, late_after="1h", absent_after="2h", alerts=["$OPS"]) for _ in range(3)
    ]
    claims.claim_ticks(ws, T0 + HOUR)
    year = 8760 * HOUR
    worker = Scheduler(ws, "worker-1", slots=0, alive=lambda _: True)
    worker.step(T0 + HOUR + year)  # and at once back
    worker.step(T0 + HOUR + 10)
    assert ws.catalog.query("select * from job_alarms") == []
    assert ws.catalog.query("select * from job_alerts") == []
    for seconds in range(0, 200, 10):
        lateness.watch(ws, T0 + HOUR + year + seconds)
    told = ws.catalog.query("select job_id, kind from job_alerts")
    assert sorted((a["job_id"], a["kind"]) for a in told) == sorted(
        (n, k) for n in names for k in ("absent", "late")
    )
    lateness.watch(ws, T0 + HOUR + 20)
    assert ws.catalog.query("select * from job_alarms where ended_at is null") == []
    assert look(ws, T0 + HOUR + 100) == []


def test_many_workers_tell_once(ws: Workspace) -> None:
    add_job(ws, "0 * * * *", T0, late_after="10m", absent_after="1h", alerts=["$OPS"])
    claims.claim_ticks(ws, T0 + HOUR)
    at_once = threading.Barrier(3)

    def work() -> None:
        at_once.wait()
        for n in range(10):
            lateness.watch(ws, T0 + 2 * HOUR + 10 * n)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r["kind"] for r in ws.catalog.query("select kind from job_alerts")) == ["absent", "late"]


def test_failures_in_a_row_are_counted_and_the_first_success_is_told(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    for hour in (1, 2, 3):
        run_once(ws, T0 + hour * HOUR, "failed", {"type": "ValueError", "message": "no"})
    run_once(ws, T0 + 4 * HOUR)
    run_once(ws, T0 + 5 * HOUR)
    told = messages(ws, T0 + 5 * HOUR)
    assert [subject for subject, _ in told] == [
        f"{job} failed", f"{job} failed, 2 in a row", f"{job} failed, 3 in a row", f"{job} works again",
    ]  # fmt: skip
    assert "after 3 failed runs, the first at 2027-01-15 09:00 UTC" in told[3][1]
    run_once(ws, T0 + 6 * HOUR, "timeout", {"type": "Timeout", "message": "took longer than 1h"})
    assert tell(ws, T0 + 6 * HOUR) == [f"{job} took too long"]


def test_of_a_backfill_the_first_failure_is_told_and_of_a_shadow_none(ws: Workspace) -> None:
    job = add_job(ws, None, T0, alerts=["$OPS"])
    rows = [("b1", "b", None), ("b2", "b", None), ("s1", None, "shadow")]
    for run_id, backfill, role in rows:
        ws.catalog.write(
            "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at, backfill_id, role) "
            "values (:id, :job, 1, 'backfill', 'running', :at, :b, :role)",
            id=run_id, job=job, at=T0, b=backfill, role=role,
        )  # fmt: skip
        ws.catalog.write(
            "update job_runs set owner = 'worker-1', attempt = 1 where job_run_id = :id", id=run_id
        )
        (row,) = ws.catalog.query("select * from job_runs where job_run_id = :id", id=run_id)
        claims.finish(ws, row, "failed", {"type": "ValueError", "message": "no"}, T0 + 60)
    ((subject, body),) = messages(ws, T0 + 61)
    assert subject == f"{job} failed"
    assert "of backfill b, of which only the first failure is told" in body
    assert ws.catalog.query("select * from job_alarms") == []


def failing_run(ws: Workspace, job: str, log: str) -> dict[str, Any]:
    """A run whose bundle and log are there, as a worker leaves them."""
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# Claims"),
        nbformat.v4.new_code_cell("import os"),
        nbformat.v4.new_code_cell("rows = []\nassert rows, 'no rows'\nprint(rows)"),
    ]
    bundle = job_folder(ws, job) / "v1"
    bundle.mkdir(parents=True)
    nbformat.write(book, bundle / NOTEBOOK)
    claims.claim_ticks(ws, T0 + HOUR)
    run = claims.take(ws, "worker-1", T0 + HOUR)
    assert run is not None
    folder = run_folder(ws, job, run["job_run_id"])
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text(log)
    return run


TRACE = (
    "AssertionError    Traceback\nCell In[2], line 2\n----> 2 assert rows, 'no rows'\nAssertionError: no rows"
)
LOG = (
    "[2027-01-15 09:00:00] cell 2 (1 of 2)\n[2027-01-15 09:00:01] cell 3 (2 of 2)\n"
    f"read 0 rows for ada@example.com\npassword = 'hunter2-and-more'\n{TRACE}\n[2027-01-15 09:00:02] cell 3 failed"
)


def test_a_failure_tells_cell_line_and_log_without_personal_data_and_secrets(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    run = failing_run(ws, job, LOG)
    error = {"type": "AssertionError", "message": "no rows", "traceback": TRACE, "cell": 3}
    claims.finish(ws, run, "failed", error, T0 + HOUR + 2)
    ((_, body),) = messages(ws, T0 + HOUR + 3)
    for part in ("Cell 3, line 2:", "→   2  assert rows, 'no rows'", "    1  rows = []", "read 0 rows for email_",
                 "cell 3 failed", "[line left out: Secret Keyword]", "due 2027-01-15 09:00 UTC, ended"):  # fmt: skip
        assert part in body, body
    assert body.count("Traceback") == 1
    for secret in ("ada@example.com", "hunter2"):
        assert secret not in body


def test_a_run_that_took_too_long_tells_the_cell_it_was_in(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    run = failing_run(ws, job, LOG.partition("read 0")[0])
    claims.finish(ws, run, "timeout", {"type": "Timeout", "message": "took longer than 1h"}, T0 + 2 * HOUR)
    ((_, body),) = messages(ws, T0 + 2 * HOUR)
    assert "Cell 3:\n" in body
    assert "rows = []" in body


def test_a_failure_is_told_though_its_files_are_gone(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    run_once(ws, T0 + HOUR, "failed", {"type": "ValueError", "message": "no", "cell": 99})
    ((_, body),) = messages(ws, T0 + HOUR)
    assert "Cell 99" in body
    assert json.loads(job_runs(ws, job)[0]["error"])["cell"] == 99
