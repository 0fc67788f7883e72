from __future__ import annotations

import dataclasses
from typing import Any

import cron_model
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from job_helpers import add_job, job_runs

from aios_workbench.promote import claims, jobs, runs
from aios_workbench.promote.records import load_error
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.workspace import Workspace, dumps

HOUR = 3600.0
T0 = 1_800_000_000.0


def scheduler(ws: Workspace, name: str = "worker-1", **options: Any) -> Scheduler:
    return Scheduler(ws, name, alive=options.pop("alive", lambda _: True), **options)


def words(ws: Workspace, job_id: str) -> list[str]:
    return [r["status"] for r in job_runs(ws, job_id)]


def done(ws: Workspace, run: dict[str, Any] | None, now: float) -> None:
    assert run is not None
    assert claims.finish(ws, run, "succeeded", None, now) == "succeeded"


def test_a_tick_becomes_a_run(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, parameters={"n": 1})
    s = scheduler(ws)
    assert s.tick(T0 + HOUR - 1) == []
    (run_id,) = s.tick(T0 + HOUR)
    assert s.tick(T0 + HOUR + 5) == []
    (row,) = job_runs(ws, job)
    assert (row["job_run_id"], row["tick_at"], row["status"], row["trigger"], row["version"], row["params"]) == (
        run_id, T0 + HOUR, "queued", "schedule", 1, '{"n":1}',
    )  # fmt: skip
    assert jobs.get(ws, job).next_tick_at == T0 + 2 * HOUR


def test_two_workers_one_tick(ws: Workspace) -> None:
    add_job(ws, "0 * * * *", T0)
    first, second = scheduler(ws), scheduler(ws, "worker-2")
    assert len(first.tick(T0 + HOUR)) + len(second.tick(T0 + HOUR)) == 1
    assert claims.take(ws, "worker-1", T0 + HOUR) is not None
    assert claims.take(ws, "worker-2", T0 + HOUR) is None


def test_overlap_is_recorded(ws: Workspace) -> None:
    job = add_job(ws, "*/5 * * * *", T0)
    s = scheduler(ws)
    s.tick(T0 + 300)
    run = claims.take(ws, "worker-1", T0 + 300)
    s.tick(T0 + 600)
    done(ws, run, T0 + 601)
    s.tick(T0 + 900)
    assert words(ws, job) == ["succeeded", "skipped", "queued"]
    assert runs.history(ws, job)[1]["reason"] == "overlap: the previous run was still going"


def test_missed_ticks_are_made_up_for_in_turn(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, missed="all", catch_up=3)
    s = scheduler(ws)
    s.tick(T0 + 5.5 * HOUR)
    assert words(ws, job) == ["skipped"] * 2 + ["queued"] * 3
    now, order = T0 + 5.5 * HOUR, []
    while run := claims.take(ws, "worker-1", now):
        assert claims.take(ws, "worker-2", now) is None  # one at a time
        order.append((run["tick_at"] - T0) / HOUR)
        done(ws, run, now)
    assert order == [3, 4, 5]


def test_paused_jobs_fire_nothing_and_make_up_for_nothing(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, missed="all")
    s = scheduler(ws)
    s.tick(T0 + HOUR)
    assert jobs.pause(ws, job, "ada").next_tick_at is None
    assert words(ws, job) == ["skipped"]  # it had not started yet
    assert s.tick(T0 + 10 * HOUR) == []
    resumed = jobs.resume(ws, job, "ada", now=T0 + 10.5 * HOUR)
    assert resumed.next_tick_at == T0 + 11 * HOUR
    assert s.tick(T0 + 10.9 * HOUR) == []
    assert len(s.tick(T0 + 11 * HOUR)) == 1


def test_clock_set_back_fires_nothing_twice_and_does_not_stop_the_job(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    s = scheduler(ws)
    now = T0 + HOUR
    s.tick(now)
    done(ws, claims.take(ws, "worker-1", now), now)
    assert s.tick(now - 1800) == []  # half an hour back
    assert s.tick(now) == []  # the same tick again
    s.tick(T0 + 8760 * HOUR)  # a year ahead, by mistake
    done(ws, claims.take(ws, "worker-1", now), now)
    assert s.tick(T0 + 1.5 * HOUR) == []  # and back
    assert len(s.tick(T0 + 2 * HOUR)) == 1
    fired = [r["tick_at"] for r in job_runs(ws, job) if r["status"] != "skipped"]
    assert [(at - T0) / HOUR for at in fired] == [1, 2, 8760]


def test_ticks_a_wrong_clock_missed_are_due_again(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, missed="latest")
    s = scheduler(ws)
    s.tick(T0 + 6.5 * HOUR)  # six hours ahead, by mistake: five ticks missed, one stands for them
    done(ws, claims.take(ws, "worker-1", T0), T0)
    s.tick(T0 + 0.6 * HOUR)  # and back
    now = T0
    for hour in range(1, 9):
        now = T0 + hour * HOUR
        s.tick(now)
        if run := claims.take(ws, "worker-1", now):
            done(ws, run, now)
    assert [(r["tick_at"] - T0) / HOUR for r in job_runs(ws, job)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert words(ws, job) == ["succeeded"] * 8


def test_the_only_worker_that_saw_a_wrong_clock_may_die(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job(ws, "0 * * * *", T0)
    steady = scheduler(ws, "worker-2")
    steady.tick(T0 + 1)
    scheduler(ws).tick(T0 + 8760 * HOUR)
    monkeypatch.setattr("aios_workbench.promote.scheduler._REARM", -1.0)
    steady.tick(T0 + 2)
    assert jobs.get(ws, job).next_tick_at == T0 + HOUR


def test_a_starting_worker_notices_that_the_clock_was_ahead(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0 + 8760 * HOUR)
    scheduler(ws).tick(T0)
    assert jobs.get(ws, job).next_tick_at == T0 + HOUR


GENERATE = (Phase.explicit, Phase.generate, Phase.shrink)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),  # which worker looks
        st.one_of(
            st.integers(1, 120), st.integers(60, 20_000), st.integers(-10_000, -1)
        ),  # seconds on, or back
        st.booleans(),  # whether runs that wait are finished first
    ),
    min_size=1,
    max_size=8,
)


@given(
    cron=cron_model.crons,
    moment=cron_model.moments(),
    missed=st.sampled_from(["skip", "latest", "all"]),
    steps=STEPS,
)
@settings(
    max_examples=40,
    deadline=None,
    phases=GENERATE,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_clock_any_worker_each_tick_once(
    ws: Workspace, cron: str, moment: tuple[str, float], missed: str, steps: list[tuple[int, int, bool]]
) -> None:
    """Two workers, one clock that jumps both ways: no tick runs twice, none is invented, none is forgotten."""
    zone, start = moment
    job = add_job(ws, cron, start, zone, missed=missed, catch_up=5)
    workers = scheduler(ws), scheduler(ws, "worker-2")
    now = latest = earliest = start
    fired: list[float] = []
    for worker, seconds, finish in steps:
        if finish:
            ws.catalog.write(
                "update job_runs set status = 'succeeded' where job_id = :id and status = 'queued'", id=job
            )
        now += seconds
        latest, earliest = max(latest, now), min(earliest, now)
        ids = workers[worker].tick(now)
        made = [r for r in job_runs(ws, job) if r["job_run_id"] in ids]
        fired += [r["tick_at"] for r in made if r["status"] != "skipped"]
    for worker in workers:  # both have seen the clock as it is in the end
        worker.tick(now)
    expected = cron_model.ticks(cron, zone, start + 60, latest)
    assert len(fired) == len(set(fired))
    recorded = [r["tick_at"] for r in job_runs(ws, job)]
    assert set(recorded) <= {*expected, *cron_model.ticks(cron, zone, earliest // 60 * 60, start)}
    if len(expected) <= 100:  # beyond that the oldest of one absence are not listed
        assert set(recorded) >= {at for at in expected if at <= now}
    made_up = [r for r in job_runs(ws, job) if r["status"] == "skipped" and r["tick_at"] > now + 60]
    assert not made_up, "ticks to come are written down as missed"


def run_now(ws: Workspace, job: str, run_id: str, at: float = T0) -> None:
    ws.catalog.write(
        "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at) "
        "values (:id, :job, 1, 'manual', 'queued', :at)",
        id=run_id, job=job, at=at,
    )  # fmt: skip


def test_retries_wait_their_delay_and_end(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=2, retry_delay="10m")
    run_now(ws, job, "a")
    now, statuses = T0, []
    for _ in range(3):
        run = claims.take(ws, "worker-1", now)
        assert run is not None
        statuses.append(claims.finish(ws, run, "failed", {"type": "ValueError", "message": "no"}, now))
        assert claims.take(ws, "worker-1", now + 599) is None
        now += 600
    assert statuses == ["queued", "queued", "failed"]
    (row,) = job_runs(ws, job)
    assert row["attempt"] == 3
    assert load_error(row)["failures"] == 3
    assert claims.take(ws, "worker-1", now + 10**6) is None


def test_a_retry_does_not_wait_for_a_clock_set_back(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=1, retry_delay="10m")
    run_now(ws, job, "a")
    claims.finish(ws, claims.take(ws, "worker-1", T0) or {}, "failed", {}, T0)
    assert claims.take(ws, "worker-1", T0 - 10 * HOUR) is not None


def test_what_cannot_get_better_is_not_tried_again(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=5)
    run_now(ws, job, "a")
    run = claims.take(ws, "worker-1", T0)
    assert run is not None
    assert claims.finish(ws, run, "failed", {"type": "JobError"}, T0, final=True) == "failed"


def test_run_now_does_not_wait_for_a_retry_but_ticks_do(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, retries=1, retry_delay="2h", missed="all")
    s = scheduler(ws)
    s.tick(T0 + 2.5 * HOUR)
    first = claims.take(ws, "worker-1", T0 + 2.5 * HOUR)
    assert first is not None
    claims.finish(ws, first, "failed", {}, T0 + 2.5 * HOUR)
    assert claims.take(ws, "worker-1", T0 + 2.5 * HOUR) is None  # the second tick stays behind the first
    run_now(ws, job, "now", T0 + 2.6 * HOUR)
    manual = claims.take(ws, "worker-1", T0 + 2.6 * HOUR)
    assert manual is not None
    assert manual["job_run_id"] == "now"
    done(ws, manual, T0 + 2.7 * HOUR)
    again = claims.take(ws, "worker-1", T0 + 4.5 * HOUR)
    assert again is not None
    assert again["job_run_id"] == first["job_run_id"]


def test_run_now_waits_for_the_run_that_is_going(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    scheduler(ws).tick(T0 + HOUR)
    first = claims.take(ws, "worker-1", T0 + HOUR)
    run_now(ws, job, "now", T0 + HOUR)
    assert claims.take(ws, "worker-2", T0 + HOUR) is None
    done(ws, first, T0 + HOUR)
    assert claims.take(ws, "worker-2", T0 + HOUR) is not None


def test_a_dead_workers_run_is_taken_up_as_the_next_attempt(ws: Workspace) -> None:
    job = add_job(ws, None, T0)
    run_now(ws, job, "a")
    claims.take(ws, "worker-1", T0)
    assert claims.adopt(ws, lambda _: True, [], "worker-2", T0) == []
    assert claims.adopt(ws, lambda _: False, [], "worker-2", T0) == ["a"]
    again = claims.take(ws, "worker-2", T0)
    assert again is not None
    assert (again["job_run_id"], again["attempt"], again["owner"]) == ("a", 2, "worker-2")
    # the first worker was only thought dead: what it says no longer counts
    assert claims.finish(ws, {**again, "owner": "worker-1", "attempt": 1}, "failed", {}, T0) is None
    assert claims.cancel_asked(ws, {**again, "owner": "worker-1", "attempt": 1})
    done(ws, again, T0)


def test_a_run_that_kills_its_workers_is_given_up(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=50)
    run_now(ws, job, "a")
    for _ in range(claims.LOST_LIMIT + 1):
        assert claims.take(ws, "worker-1", T0) is not None
        claims.adopt(ws, lambda _: False, [], "worker-2", T0)
    (row,) = job_runs(ws, job)
    assert row["status"] == "failed"
    assert "its worker died 4 times" in load_error(row)["message"]
    assert claims.take(ws, "worker-1", T0) is None


def test_a_worker_takes_up_its_own_run_that_lost_its_thread(ws: Workspace) -> None:
    job = add_job(ws, None, T0)
    run_now(ws, job, "a")
    claims.take(ws, "worker-1", T0)
    assert claims.adopt(ws, lambda _: True, ["a"], "worker-1", T0) == []
    assert claims.adopt(ws, lambda _: True, [], "worker-1", T0) == ["a"]


def test_given_back_costs_nothing(ws: Workspace) -> None:
    job = add_job(ws, None, T0)
    run_now(ws, job, "a")
    for _ in range(10):
        run = claims.take(ws, "worker-1", T0)
        assert run is not None
        claims.give_back(ws, run)
    assert words(ws, job) == ["queued"]


def test_cancel_waiting_running_and_orphaned(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=3)
    for name in ("waiting", "running", "orphaned"):
        run_now(ws, job, name)
    runs.cancel(ws, "waiting", "ada")
    assert runs.get_run(ws, "waiting")["status"] == "cancelled"
    run = claims.take(ws, "worker-1", T0)
    assert run is not None
    assert not claims.cancel_asked(ws, run)
    runs.cancel(ws, run["job_run_id"], "ada")
    assert runs.get_run(ws, run["job_run_id"])["status"] == "running"  # until its kernel is gone
    assert claims.cancel_asked(ws, run)
    assert claims.finish(ws, run, "cancelled", None, T0) == "cancelled"
    orphan = claims.take(ws, "worker-1", T0)
    assert orphan is not None
    runs.cancel(ws, orphan["job_run_id"], "ada")
    claims.adopt(ws, lambda _: False, [], "worker-2", T0)
    assert sorted(words(ws, job)) == ["cancelled"] * 3
    assert runs.get_run(ws, orphan["job_run_id"])["reason"] == "cancelled by ada"


def test_a_failure_after_a_cancel_is_a_cancel(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retries=3)
    run_now(ws, job, "a")
    run = claims.take(ws, "worker-1", T0)
    assert run is not None
    runs.cancel(ws, "a", "ada")
    assert claims.finish(ws, run, "failed", {"type": "KeyboardInterrupt"}, T0) == "cancelled"


def test_step_says_when_to_look_again(ws: Workspace) -> None:
    s = scheduler(ws)
    assert s.step(T0) == pytest.approx(3.0)
    add_job(ws, "0 * * * *", T0)
    assert s.step(T0 + HOUR - 1.5) == pytest.approx(1.5)
    job = add_job(ws, None, T0, retries=1, retry_delay="1s")
    run_now(ws, job, "a")
    claims.finish(ws, claims.take(ws, "worker-1", T0) or {}, "failed", {}, T0)
    assert s._until_next(T0) == pytest.approx(1.0)


def test_a_broken_row_does_not_stop_the_others(ws: Workspace) -> None:
    broken = add_job(ws, "0 * * * *", T0)
    ws.catalog.write("update jobs set spec = :s where job_id = :id", s=dumps({"name": "x"}), id=broken)
    good = add_job(ws, "0 * * * *", T0)
    scheduler(ws).tick(T0 + HOUR)
    assert words(ws, good) == ["queued"]


def test_rows_are_told_to_the_live_panel(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    scheduler(ws).tick(T0 + HOUR)
    ws.catalog.flush()
    (event,) = ws.catalog.query("select * from events where kind = 'job.run'")
    assert job in event["data"]
    assert dataclasses.is_dataclass(jobs.get(ws, job))
