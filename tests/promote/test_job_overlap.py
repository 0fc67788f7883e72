"""How the runs of a job follow each other: overlap, concurrency, order, fairness."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from job_helpers import add_job, job_runs

from aios_workbench.promote import alerts, claims, runs
from aios_workbench.promote.admission import OVERLAPS_TOLD, QUEUE_LIMIT
from aios_workbench.promote.records import load_error, load_spec
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    import pytest

HOUR, MINUTES = 3600.0, 60.0
T0 = 1_800_000_000.0


def tick(ws: Workspace, now: float) -> None:
    claims.claim_ticks(ws, now)


def take(ws: Workspace, now: float, **options: Any) -> dict[str, Any]:
    run = claims.take(ws, "worker-1", now, **options)
    assert run is not None
    return run


def done(ws: Workspace, run: dict[str, Any], now: float, status: str = "succeeded") -> str | None:
    return claims.finish(ws, run, status, None, now)


def words(ws: Workspace, job_id: str) -> list[str]:
    return [r["status"] for r in job_runs(ws, job_id)]


def start(ws: Workspace, job_id: str, now: float, **row: Any) -> list[dict[str, Any]]:
    """Admit a run of a job, as a trigger does."""
    with ws.catalog.transaction() as con:
        job = dict(con.execute("select * from jobs where job_id = :id", {"id": job_id}).fetchone())
        spec = load_spec(job["spec"])
        assert spec is not None
        return claims.admit(con, job, spec, {"trigger": "event", **row}, now)


def insert(ws: Workspace, job_id: str, run_id: str, at: float, **more: Any) -> None:
    row = {"job_run_id": run_id, "job_id": job_id, "version": 1, "trigger": "manual", "status": "queued",
           "queued_at": at, **more}  # fmt: skip
    columns = ", ".join(row)
    ws.catalog.write(
        f"insert into job_runs ({columns}) values ({', '.join(f':{c}' for c in row)})",
        **row,
    )


def test_forbid_counts_what_goes_and_what_waits(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, concurrency=2)
    for hour in (1, 2, 3):
        tick(ws, T0 + hour * HOUR)
        if hour == 1:
            take(ws, T0 + HOUR)
    assert words(ws, job) == ["running", "queued", "skipped"]
    assert runs.history(ws, job)[0]["reason"] == "overlap: 2 runs were still going"


def test_queued_ticks_wait_and_run_in_their_order(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="queue")
    for hour in (1, 2, 3):
        tick(ws, T0 + hour * HOUR)
    order = []
    for _ in range(3):
        run = take(ws, T0 + 3 * HOUR)
        assert claims.take(ws, "worker-2", T0 + 3 * HOUR) is None
        order.append((run["tick_at"] - T0) / HOUR)
        done(ws, run, T0 + 3 * HOUR)
    assert order == [1, 2, 3]
    assert words(ws, job) == ["succeeded"] * 3


def test_side_by_side_up_to_concurrency(ws: Workspace) -> None:
    add_job(ws, "0 * * * *", T0, overlap="queue", concurrency=3)
    for hour in range(1, 6):
        tick(ws, T0 + hour * HOUR)
    now = T0 + 5 * HOUR
    going = [take(ws, now) for _ in range(3)]
    assert [(r["tick_at"] - T0) / HOUR for r in going] == [1, 2, 3]
    assert claims.take(ws, "worker-2", now) is None
    done(ws, going[1], now)
    assert take(ws, now)["tick_at"] == T0 + 4 * HOUR
    assert claims.take(ws, "worker-2", now) is None


def test_a_queue_is_bounded_and_that_is_told(ws: Workspace) -> None:
    job = add_job(ws, None, T0, overlap="queue", alerts=["$OPS"])
    for n in range(QUEUE_LIMIT + OVERLAPS_TOLD + 3):
        assert len(start(ws, job, T0 + n, cause=f"event:{n}")) == 1
        assert start(ws, job, T0 + n, cause=f"event:{n}") == []  # recorded already
    assert words(ws, job).count("queued") == QUEUE_LIMIT
    assert (
        runs.history(ws, job, limit=1)[0]["reason"] == f"overlap: {QUEUE_LIMIT} runs of the job wait already"
    )
    told: list[tuple[str, str]] = []
    assert alerts.tell(ws, T0 + 999, lambda _, subject, body: told.append((subject, body))) == 1
    assert told[0][0] == f"{job} keeps being skipped"
    assert (
        f"{OVERLAPS_TOLD} runs in a row were skipped: {QUEUE_LIMIT} runs of the job wait already"
        in told[0][1]
    )


def test_overlaps_are_told_again_only_after_a_run(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    tick(ws, T0 + HOUR)
    run, now = take(ws, T0 + HOUR), T0 + HOUR
    counts = []
    for hour in range(2, 3 * OVERLAPS_TOLD):
        now = T0 + hour * HOUR
        tick(ws, now)
        counts.append(len(ws.catalog.query("select 1 from job_alerts")))
    assert counts == [0] * (OVERLAPS_TOLD - 1) + [1] * (2 * OVERLAPS_TOLD - 1)
    done(ws, run, now)
    tick(ws, now := now + HOUR)
    run = take(ws, now)
    for _ in range(OVERLAPS_TOLD):
        tick(ws, now := now + HOUR)
    assert len(ws.catalog.query("select 1 from job_alerts")) == 2
    assert [r["ended_at"] for r in ws.catalog.query("select * from job_alarms")] == [None]
    assert words(ws, job).count("skipped") == 3 * OVERLAPS_TOLD - 2 + OVERLAPS_TOLD


def test_replace_cancels_the_oldest_and_says_by_what(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="replace")
    tick(ws, T0 + HOUR)
    first = take(ws, T0 + HOUR)
    tick(ws, T0 + 2 * HOUR)
    assert claims.cancel_asked(ws, first)
    assert claims.take(ws, "worker-2", T0 + 2 * HOUR) is None  # until the first is gone
    tick(ws, T0 + 3 * HOUR)
    assert words(ws, job) == ["running", "skipped", "queued"]
    assert done(ws, first, T0 + 3 * HOUR, "failed") == "cancelled"
    newest, middle, oldest = runs.history(ws, job)
    assert oldest["reason"] == f"replaced by {middle['job_run_id']}, due 2027-01-15 10:00 UTC"
    assert middle["reason"] == f"replaced by {newest['job_run_id']}, due 2027-01-15 11:00 UTC"
    assert take(ws, T0 + 3 * HOUR)["job_run_id"] == newest["job_run_id"]


def test_replaced_while_waiting_for_its_retry_it_is_cancelled(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="replace", retries=3, retry_delay="3h")
    tick(ws, T0 + HOUR)
    assert done(ws, take(ws, T0 + HOUR), T0 + HOUR, "failed") == "queued"
    tick(ws, T0 + 2 * HOUR)
    assert words(ws, job) == ["cancelled", "queued"]


def test_replace_leaves_alone_what_a_person_asked_for_and_what_is_made_up_for(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="replace", missed="all")
    insert(ws, job, "mine", T0)
    mine = take(ws, T0)
    tick(ws, T0 + 2.5 * HOUR)
    tick(ws, T0 + 3 * HOUR)
    tick(ws, T0 + 4 * HOUR)
    assert words(ws, job).count("running") == 1
    assert not claims.cancel_asked(ws, mine)
    by_hour = [(r["tick_at"] - T0, r["status"]) for r in job_runs(ws, job) if r["tick_at"]]
    assert by_hour == [(HOUR, "queued"), (2 * HOUR, "queued"), (3 * HOUR, "skipped"), (4 * HOUR, "queued")]


def test_a_tick_that_stands_for_missed_ones_replaces_too(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="replace")
    tick(ws, T0 + HOUR)
    hangs = take(ws, T0 + HOUR)
    tick(ws, T0 + 4.5 * HOUR)  # no worker lived meanwhile
    assert claims.cancel_asked(ws, hangs)
    assert words(ws, job) == ["running", "skipped", "skipped", "queued"]


def test_replace_with_two_places_replaces_the_older(ws: Workspace) -> None:
    add_job(ws, "0 * * * *", T0, overlap="replace", concurrency=2)
    going = []
    for hour in (1, 2):
        tick(ws, T0 + hour * HOUR)
        going.append(take(ws, T0 + hour * HOUR))
    tick(ws, T0 + 3 * HOUR)
    assert [claims.cancel_asked(ws, run) for run in going] == [True, False]


def test_made_up_ticks_run_one_after_another_whatever_the_concurrency(ws: Workspace) -> None:
    add_job(ws, "0 * * * *", T0, missed="all", concurrency=4)
    now = T0 + 3 * HOUR  # two missed, one on time
    tick(ws, now)
    first = take(ws, now)
    assert claims.take(ws, "worker-2", now) is None
    done(ws, first, now)
    second = take(ws, now)
    assert (second["tick_at"] - T0) / HOUR == 2
    assert take(ws, now)["tick_at"] == now  # beside the last of them


def test_a_retry_keeps_its_place_for_ticks_but_not_for_people(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="queue", concurrency=2, retries=1, retry_delay="5h")
    for hour in (1, 2, 3):
        tick(ws, T0 + hour * HOUR)
    now = T0 + 3 * HOUR
    done(ws, take(ws, now), now, "failed")
    assert take(ws, now)["tick_at"] == T0 + 2 * HOUR
    assert claims.take(ws, "worker-1", now) is None  # one goes, one keeps its place
    insert(ws, job, "mine", now)
    assert take(ws, now)["job_run_id"] == "mine"


def fill(ws: Workspace, job: str, concurrency: int, status: str = "running") -> None:
    ws.catalog.write(
        "insert into backfills (backfill_id, job_id, version, starts_at, ends_at, concurrency, total, "
        "status, created_at, created_by) values ('b', :job, 1, 0, 1, :c, 5, :status, :at, 'ada')",
        job=job, c=concurrency, status=status, at=T0,
    )  # fmt: skip
    for n in range(5):
        at = T0 - 5 + n / 1000
        insert(ws, job, f"b{n}", at, backfill_id="b", logical_at=T0 - 10 * HOUR - n, trigger="backfill")


def test_a_backfill_has_places_of_its_own_and_blocks_nothing(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    fill(ws, job, 2)
    assert [take(ws, T0)["job_run_id"] for _ in range(2)] == ["b0", "b1"]
    assert claims.take(ws, "worker-1", T0) is None
    tick(ws, T0 + HOUR)
    assert words(ws, job).count("skipped") == 0
    assert take(ws, T0 + HOUR)["tick_at"] == T0 + HOUR
    assert claims.take(ws, "worker-1", T0 + HOUR) is None


def test_a_paused_backfill_waits_for_nothing(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    fill(ws, job, 2, "paused")
    assert claims.take(ws, "worker-1", T0) is None
    assert Scheduler(ws, "worker-1", alive=lambda _: True).idle
    tick(ws, T0 + HOUR)
    assert take(ws, T0 + HOUR)["tick_at"] == T0 + HOUR


def test_ticks_go_before_backfills_and_keep_a_slot(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(ws, "0 * * * *", T0)
    fill(ws, job, 5)
    assert claims.take(ws, "worker-1", T0, spare=False) is None
    worker = Scheduler(ws, "worker-1", slots=3, alive=lambda _: True)
    started: list[str] = []

    def begin(run: dict[str, Any]) -> None:
        started.append(run["job_run_id"])
        worker._active[run["job_run_id"]] = threading.Thread()

    monkeypatch.setattr(worker, "_start", begin)
    worker.step(T0)
    assert started == ["b0", "b1"]
    worker.step(T0 + HOUR)
    assert len(started) == 3
    assert not started[2].startswith("b")


def test_shadows_count_for_nothing(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    insert(ws, job, "shadow", T0, role="shadow", trigger="shadow", cause="shadow:1")
    assert take(ws, T0)["job_run_id"] == "shadow"
    tick(ws, T0 + HOUR)
    assert take(ws, T0 + HOUR)["tick_at"] == T0 + HOUR


def test_a_job_with_a_thousand_waiting_runs_starves_nobody(ws: Workspace) -> None:
    busy = add_job(ws, None, T0, concurrency=100)
    with ws.catalog.transaction() as con:
        con.executemany(
            "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at) "
            "values (:id, :job, 1, 'manual', 'queued', :at)",
            [{"id": f"busy-{n}", "job": busy, "at": T0 + n / 1000} for n in range(1000)],
        )
    others = [add_job(ws, None, T0) for _ in range(3)]
    for job in others:
        insert(ws, job, f"run of {job}", T0 + 2)
    now, order = T0 + 3, []
    for _ in range(8):  # one slot: each ends before the next is taken
        now += 1
        run = take(ws, now)
        order.append(run["job_id"])
        done(ws, run, now)
    assert set(order[:4]) == {busy, *others}
    assert set(order[4:]) == {busy}


def test_many_workers_never_exceed_concurrency(ws: Workspace) -> None:
    """Four threads claim, take and finish as fast as they can: each event once, at most two side by side."""
    job = add_job(ws, None, T0, overlap="queue", concurrency=2)
    most: list[int] = []
    ran: list[str] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        for n in range(15):
            start(ws, job, T0 + n, cause=f"event:{n}")
            run = claims.take(ws, name, T0 + n)
            if run is None:
                continue
            going = ws.catalog.query("select 1 from job_runs where status = 'running'")
            with lock:
                most.append(len(going))
                ran.append(run["job_run_id"])
            assert claims.finish(ws, run, "succeeded", None, T0 + n) == "succeeded"

    threads = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= max(most) <= 2
    assert len(ran) == len(set(ran)) == words(ws, job).count("succeeded")
    assert len(words(ws, job)) == 15


def test_pausing_and_cancelling_say_so_in_the_run(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, overlap="replace")
    tick(ws, T0 + HOUR)
    first = take(ws, T0 + HOUR)
    tick(ws, T0 + 2 * HOUR)
    (row,) = ws.catalog.query("select * from job_runs where job_run_id = :id", id=first["job_run_id"])
    assert load_error(row)["cancel"] == "the scheduler (overlap: replace)"
    assert claims.adopt(ws, lambda _: False, [], "worker-2", T0 + 2 * HOUR) == [first["job_run_id"]]
    assert words(ws, job) == ["cancelled", "queued"]
