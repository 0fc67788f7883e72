"""A schedule in another's words fires at the same instants."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import shutil
import subprocess

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from target_kit import nightly, plan_of

from aios_workbench.errors import JobError
from aios_workbench.promote.schedule import Schedule
from aios_workbench.promote.targets import NAMES, cron, get

START = dt.datetime(2026, 2, 27, 12, 0, tzinfo=dt.UTC)
FIXED = (
    "UTC",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "America/Bogota",
)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high)
    pair = st.tuples(one, one).map(lambda ab: f"{min(ab)}-{max(ab)}")
    return st.lists(one.map(str) | pair, min_size=1, max_size=3).map(",".join)


minutes = numbers(0, 59) | st.just("*") | st.sampled_from(["*/15", "5-59/20"])
hours = numbers(0, 23) | st.just("*") | st.just("*/6")
weekdays = numbers(0, 6) | st.just("*") | st.sampled_from(["MON-FRI", "7", "sun,3"])
days = st.just("*") | numbers(1, 28) | st.just("*/2")
months = st.just("*") | numbers(1, 12)


def ticks(lines: list[str], count: int = 40) -> list[dt.datetime]:
    runs = [itertools.islice(CronSim(line, START), count) for line in lines]
    return sorted({t.replace(tzinfo=dt.UTC) for run in runs for t in run})[:count]


@given(minutes, hours, weekdays, st.sampled_from(FIXED))
@settings(max_examples=300, deadline=None)
def test_utc_fires_at_the_same_instants(minute: str, hour: str, weekday: str, zone: str) -> None:
    schedule = Schedule(f"{minute} {hour} * * {weekday}", zone)
    found = ticks(cron.in_utc(schedule, "x"), 20)
    expected = [dt.datetime.fromtimestamp(t, dt.UTC) for t in schedule.upcoming(START.timestamp(), 20)]
    assert found == expected


@pytest.mark.parametrize(
    ("schedule", "word"),
    [
        (Schedule("0 6 * * *", "Europe/Berlin"), "twice a year"),
        (Schedule("0 2 1 * *", "Asia/Kolkata"), "another day"),
    ],
)
def test_what_utc_cannot_say_is_refused(schedule: Schedule, word: str) -> None:
    for target in ("github", "kfp"):
        spec = nightly(target, schedule=schedule.cron, timezone=schedule.timezone)
        with pytest.raises(JobError, match=word):
            get(target).render(plan_of(target, spec))


def test_a_day_of_the_month_stays_where_utc_has_the_same() -> None:
    assert cron.in_utc(Schedule("0 12 1 * *", "Asia/Tokyo"), "x") == ["0 3 1 * *"]


@given(minutes, hours, days, months, weekdays)
@settings(max_examples=60, deadline=None)
def test_systemd_says_when(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    """systemd's own answer, in UTC, for all expressions of a timer together."""
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd-analyze is not installed; .ci/run installs it"
    schedule = Schedule(f"{minute} {hour} {day} {month} {weekday}")
    expected = schedule.upcoming(START.timestamp(), 6)
    base = START.strftime("%Y-%m-%d %H:%M:%S UTC")
    found: set[float] = set()
    for expression in cron.on_calendar(schedule):
        command = [tool, "calendar", "--iterations=6", f"--base-time={base}", expression]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}
        )
        for stamp in re.findall(
            r"(?:Next elapse|Iteration #\d+|Iter\. #\d+): \w+ ([\d-]+ [\d:]+) UTC", done.stdout
        ):
            found.add(dt.datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC).timestamp())
    assert sorted(found)[: len(expected)] == expected


@given(minutes, hours, days, months, weekdays)
@settings(max_examples=200, deadline=None)
def test_aws_says_the_same(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    schedule = Schedule(f"{minute} {hour} {day} {month} {weekday}")
    if day == "*/2" and weekday != "*":  # cron: both at once
        with pytest.raises(JobError, match="at once"):
            cron.aws(schedule)
        return
    lines = []
    for expression in cron.aws(schedule):
        minute_, hour_, day_, month_, weekday_, year = (
            expression.removeprefix("cron(").removesuffix(")").split()
        )
        assert year == "*"
        assert (day_ == "?") != (weekday_ == "?")
        lines.append(f"{minute_} {hour_} {day_.replace('?', '*')} {month_} {weekday_.replace('?', '*')}")
    expected = [dt.datetime.fromtimestamp(t, dt.UTC) for t in schedule.upcoming(START.timestamp(), 20)]
    assert ticks(lines, 20) == expected


@pytest.mark.parametrize("target", NAMES)
def test_days_only_our_cron_knows_are_refused(target: str) -> None:
    for line in ("0 6 L * *", "0 6 * * 1#2", "0 6 * * 5L"):
        with pytest.raises(JobError, match=r"`L`"):
            get(target).render(plan_of(target, nightly(target, schedule=line, timezone="UTC")))


@pytest.mark.parametrize("target", NAMES)
def test_a_job_without_a_schedule(target: str) -> None:
    plan = plan_of(target, nightly(target, schedule=None))
    if target in ("argo", "kubernetes", "systemd", "crontab"):
        with pytest.raises(JobError, match="--schedule"):
            get(target).render(plan)
    else:
        assert get(target).render(plan)
