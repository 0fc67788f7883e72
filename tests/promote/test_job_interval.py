from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cron_model
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from job_helpers import add_job, job_runs

from aios_workbench import promote
from aios_workbench.errors import JobError
from aios_workbench.promote.interval import Interval
from aios_workbench.promote.plan import plan, rearmed
from aios_workbench.promote.schedule import Schedule
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.targets import cron
from aios_workbench.workspace import Workspace

HOUR = 3600.0
T0 = 1_800_000_000.0
#: whole seconds, fractions that binary has none of, years
EVERY = st.one_of(st.integers(1, 100_000).map(float), st.sampled_from([1.1, 1.5, 7.3, 90.7, 86_400.5, 3e7]))
ANCHOR = st.one_of(st.none(), st.integers(-100_000, 2_000_000_000).map(float), st.floats(1e9, 2e9))
INSTANT = st.one_of(st.integers(10**9, 2_100_000_000).map(float), st.floats(1e9, 2.1e9))


def model(every: float, anchor: float | None, first: float, last: float) -> list[float]:
    """The ticks in [first, last], one number after the other."""
    begin = anchor or 0.0
    low = math.floor((first - begin) / every) - 2
    high = math.ceil((last - begin) / every) + 2
    numbers = range(low if anchor is None else max(low, 0), high + 1)
    return [begin + n * every for n in numbers if first <= begin + n * every <= last]


@given(every=EVERY, anchor=ANCHOR, start=INSTANT, spans=st.floats(0, 40), limit=st.integers(1, 30))
@settings(max_examples=300, deadline=None)
def test_same_as_counting(every: float, anchor: float | None, start: float, spans: float, limit: int) -> None:
    interval, end = Interval(every, anchor), start + spans * every
    expected = model(every, anchor, start, end)
    assert interval.between(start, end, 100) == (expected, False)
    assert interval.between(start, end, limit) == (expected[-limit:], len(expected) > limit)
    later = model(every, anchor, start, max(start, anchor or 0.0) + 4 * every)
    assert interval.upcoming(start, 3) == [at for at in later if at > start][:3]
    assert interval.next_after(start) == next(at for at in later if at > start)


@given(every=EVERY, anchor=ANCHOR, start=INSTANT, steps=st.lists(st.floats(0.01, 9.0), max_size=9))
@settings(max_examples=100, deadline=None)
def test_ticks_do_not_depend_on_where_one_looks_from(
    every: float, anchor: float | None, start: float, steps: list[float]
) -> None:
    """A tick is the same float from wherever it is found: it is the key that makes it run once."""
    interval = Interval(every, anchor)
    edges = list(itertools.accumulate(steps, lambda at, step: at + step * every, initial=start))
    whole, _ = interval.between(math.nextafter(start, math.inf), edges[-1], 1000)
    walked: list[float] = []
    for now, after in itertools.pairwise(edges):
        while (at := interval.next_after(walked[-1] if walked else now)) is not None and at <= after:
            walked.append(at)
    assert walked == whole


def test_no_clock_of_a_zone_moves_it() -> None:
    """Two hours on either side of a change of the clock are two hours; a schedule of that zone is not."""
    before = dt.datetime(2026, 3, 28, 22, tzinfo=dt.UTC).timestamp()
    found = Interval(2 * HOUR, timezone="Europe/Berlin").upcoming(before, 6)
    assert {b - a for a, b in itertools.pairwise(found)} == {2 * HOUR}
    lines = Interval(6 * HOUR, timezone="Europe/Berlin").preview(before, 3)
    assert [line.local[4:] for line in lines] == [
        "2026-03-29 01:00 +01:00", "2026-03-29 08:00 +02:00", "2026-03-29 14:00 +02:00",
    ]  # fmt: skip
    assert [line.note for line in lines] == [
        None, "the clock has gone forward by 1 h 0 min; 6h have passed all the same", None,
    ]  # fmt: skip
    autumn = dt.datetime(2026, 10, 24, 20, tzinfo=dt.UTC).timestamp()
    (said,) = [
        line.note for line in Interval(86_400.0, timezone="Europe/Berlin").preview(autumn, 3) if line.note
    ]
    assert said.startswith("the clock has gone back by 1 h")


@pytest.mark.parametrize(
    ("every", "words"),
    [(1, "Every second"), (60, "Every minute"), (5400, "Every 90 minutes"), (86_400, "Every day"),
     (1.5, "Every 1.5 seconds"), (1_209_600, "Every 2 weeks"), (7_200, "Every 2 hours")],
)  # fmt: skip
def test_words(every: float, words: str) -> None:
    assert Interval(float(every)).describe() == words


def test_not_every_interval_can_be() -> None:
    with pytest.raises(JobError, match="too short"):
        Interval(0.5)
    with pytest.raises(JobError, match="did you mean 'Europe/Berlin'"):
        Interval(60.0, timezone="Europe/Berln")
    assert Interval(51 * 366 * 86_400.0, T0).next_after(T0) is None
    assert Interval(60.0, starting=T0 + 51 * 366 * 86_400).preview(T0) == []
    assert Interval(3e11, starting=0.0).upcoming(T0, 5) == []


def test_missed_ticks_and_a_clock_that_jumps() -> None:
    interval = Interval(HOUR, T0)
    for missed, runs in (("skip", [0, 0, 0]), ("latest", [0, 0, 1]), ("all", [1, 1, 1])):
        found = plan(interval, T0, T0 + 2.5 * HOUR, missed=missed, catch_up=24)
        assert [(t.at - T0) / HOUR for t in found.ticks] == [0, 1, 2]
        assert [int(t.runs) for t in found.ticks] == runs
        assert found.next_tick_at == T0 + 3 * HOUR
    assert rearmed(interval, T0 + 9000 * HOUR, T0 + 90.0) == T0 + HOUR  # back from a year ahead
    assert rearmed(interval, T0 + HOUR, T0 + 2.5 * HOUR) == T0 + HOUR  # what is due stays due
    assert rearmed(interval, None, T0 - HOUR) == T0


def test_a_schedule_starts_no_earlier() -> None:
    spec = JobSpec(
        name="j", notebook="-", schedule="0 6 * * *", timezone="Europe/Berlin", starting="2026-03-29"
    )
    ticks = spec.ticks
    assert isinstance(ticks, Schedule)
    assert [line.local for line in ticks.preview(0.0, 2)] == [
        "Sun 2026-03-29 06:00 +02:00", "Mon 2026-03-30 06:00 +02:00",
    ]  # fmt: skip
    first = ticks.next_after(0.0)
    assert ticks.between(0.0, first + 86_400, 10) == ([first, first + 86_400], False)
    assert ticks.describe() == "At 06:00 every day from 2026-03-29 00:00 +01:00 (Europe/Berlin)"
    at_once = Schedule("0 6 * * *", "Europe/Berlin", first)
    assert at_once.next_after(0.0) == first  # a tick at that very instant is one


@given(cron_text=cron_model.crons, moment=cron_model.moments(), wait=st.integers(0, 3000))
@settings(max_examples=60, deadline=None)
def test_what_starts_later_is_the_rest(cron_text: str, moment: tuple[str, float], wait: int) -> None:
    zone, begin = moment
    start, end = begin + 60 * wait, begin + 2880 * 60
    whole, _ = Schedule(cron_text, zone).between(begin, end, 10_000)
    late, _ = Schedule(cron_text, zone, start).between(begin, end, 10_000)
    assert late == [at for at in whole if at >= start]


def test_the_ticks_of_a_job() -> None:
    spec = JobSpec(name="j", notebook="-", every="15m", starting="2026-01-31T06:00", timezone="Europe/Berlin")
    assert spec.ticks == Interval(900.0, 1_769_835_600.0)
    assert spec.ticks.timezone == "Europe/Berlin"
    assert JobSpec(name="j", notebook="-").ticks is None
    assert not JobSpec(name="j", notebook="-").starts_itself
    assert JobSpec(name="j", notebook="-", after=[{"job": "other"}]).starts_itself


@pytest.mark.parametrize("minutes", [1, 5, 7, 15, 45, 60, 90, 120, 300, 360, 720, 1440, 2880, 10_080])
@pytest.mark.parametrize("start", [None, 0.0, 21_600.0, 86_400.0 * 3 + 4_200.0, 420.0])
def test_in_the_cron_of_other_schedulers(minutes: int, start: float | None) -> None:
    """Where it can be said in cron it means the same instants; where not, that is said."""
    interval = Interval(60.0 * minutes, start)
    text = cron.of_interval(interval)
    if text is None:
        with pytest.raises(JobError, match="no cron expression fires every"):
            cron.plain(interval, "Airflow")
        assert minutes in (7, 45, 90, 300, 2880) or 1440 % minutes
    else:
        assert Schedule(text).upcoming(T0, 60) == interval.upcoming(T0, 60)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),  # which worker looks
        st.one_of(
            st.integers(1, 200), st.integers(60, 20_000), st.integers(-10_000, -1)
        ),  # seconds on, or back
        st.booleans(),  # whether runs that wait are finished first
    ),
    min_size=1,
    max_size=8,
)


@given(
    every=st.sampled_from([90.0, 600.0, 3600.0, 5400.5]), anchor=st.sampled_from([None, T0 - 77.0, T0 + 4000.0]),
    missed=st.sampled_from(["skip", "latest", "all"]), steps=STEPS,
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_clock_any_worker_each_tick_once(
    ws: Workspace, every: float, anchor: float | None, missed: str, steps: list[tuple[int, int, bool]]
) -> None:
    """Two workers, one clock that jumps both ways: no tick runs twice, none is invented, none is forgotten."""
    starting = None if anchor is None else dt.datetime.fromtimestamp(anchor, dt.UTC).isoformat()
    job = add_job(ws, None, T0, every=every, starting=starting, missed=missed, catch_up=5)
    workers = [Scheduler(ws, f"worker-{n}", alive=lambda _: True) for n in range(2)]
    now = latest = earliest = T0
    fired: list[float] = []
    for worker, seconds, finish in steps:
        if finish:
            done = "update job_runs set status = 'succeeded' where job_id = :id and status = 'queued'"
            ws.catalog.write(done, id=job)
        now += seconds
        latest, earliest = max(latest, now), min(earliest, now)
        ids = workers[worker].tick(now)
        fired += [
            r["tick_at"] for r in job_runs(ws, job) if r["job_run_id"] in ids and r["status"] != "skipped"
        ]
    for worker in workers:  # both have seen the clock as it is in the end
        worker.tick(now)
    due = [at for at in model(every, anchor, T0, latest) if at > T0]
    recorded = {r["tick_at"] for r in job_runs(ws, job)}
    assert len(fired) == len(set(fired))
    assert recorded <= set(model(every, anchor, earliest, latest))
    if len(due) <= 100:  # beyond that the oldest of one absence are not listed
        assert recorded >= {at for at in due if at <= now}
    assert not [r for r in job_runs(ws, job) if r["status"] == "skipped" and r["tick_at"] > now + 60]
    assert promote.get(ws, job).next_tick_at == Interval(every, anchor).next_after(now)


def test_promoting_a_fix_keeps_a_due_tick(ws: Workspace, write: Callable[..., Path]) -> None:
    def promoted(source: str, **options: Any) -> promote.Job:
        spec = JobSpec(name="j", notebook="-", **options)
        return promote.promote(ws, write("nb.ipynb", source), spec, "ada", now=T0 + 2 * HOUR)

    first = promote.promote(
        ws, write("nb.ipynb", "0"), JobSpec(name="j", notebook="-", every="1h"), "ada", now=T0
    )
    assert first.next_tick_at == T0 + HOUR
    assert promoted("1", every="60m").next_tick_at == T0 + HOUR  # due since an hour, no worker lives
    assert promoted("1", every="90m").next_tick_at == Interval(5400.0).next_after(T0 + 2 * HOUR)


def test_targets_read_cron() -> None:
    from aios_workbench.promote.targets.plan import _in_cron

    spec = JobSpec(name="j", notebook="-", every="6h", timezone="Europe/Berlin")
    told = _in_cron(spec)
    assert (told.schedule, told.every, told.timezone) == ("0 0,6,12,18 * * *", None, "UTC")
    odd = JobSpec(name="j", notebook="-", every="7m")
    assert _in_cron(odd) == odd
