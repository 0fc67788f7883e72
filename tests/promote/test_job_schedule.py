from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import cron_model
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.errors import JobError
from aios_workbench.promote.schedule import Schedule

BERLIN = ZoneInfo("Europe/Berlin")


def walls(cron: str, day: str, zone: str = "Europe/Berlin") -> list[str]:
    """The ticks of one local day, as wall times with their offset."""
    start = dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    end = (start.replace(tzinfo=None) + dt.timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    found, _ = Schedule(cron, zone).between(start.timestamp(), end.timestamp() - 1, 5000)
    return [dt.datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M%z") for at in found]


@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        ("30 2 * * *", "2026-03-28", ["02:30+0100"]),
        # 02:00 becomes 03:00: a fixed time that does not exist runs as soon as the gap is over, once
        ("30 2 * * *", "2026-03-29", ["03:00+0200"]),
        ("0,15,30 2 * * *", "2026-03-29", ["03:00+0200"]),
        ("0 2-3 * * *", "2026-03-29", ["03:00+0200"]),
        # a wildcard does not run in the gap
        ("*/30 2 * * *", "2026-03-29", []),
        # 03:00 becomes 02:00: a fixed time runs at the first of the two
        ("30 2 * * *", "2026-10-25", ["02:30+0200"]),
        ("0 3 * * *", "2026-10-25", ["03:00+0100"]),
        # a wildcard follows real time through both hours
        ("*/30 2 * * *", "2026-10-25", ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"]),
    ],
)
def test_daylight_saving(cron: str, day: str, expected: list[str]) -> None:
    assert walls(cron, day) == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)])
def test_hourly_follows_real_time(day: str, hours: int) -> None:
    assert len(walls("0 * * * *", day)) == hours


def test_next_inside_the_repeated_hour_is_never_in_the_past() -> None:
    second_0210 = dt.datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1).timestamp()
    at = Schedule("30 2 * * *", "Europe/Berlin").next_after(second_0210)
    assert dt.datetime.fromtimestamp(at, BERLIN).isoformat() == "2026-10-26T02:30:00+01:00"


def test_a_skipped_midnight_is_nobodys_even_hour() -> None:
    before = dt.datetime(2018, 11, 3, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=-3))).timestamp()
    at = Schedule("0 */2 * * *", "America/Sao_Paulo").next_after(before)
    assert at == dt.datetime(2018, 11, 4, 2, tzinfo=dt.timezone(dt.timedelta(hours=-2))).timestamp()


@given(cron=cron_model.crons, moment=cron_model.moments(), minutes=st.integers(1, 2880))
@settings(max_examples=150, deadline=None)
def test_same_as_looking_at_every_minute(cron: str, moment: tuple[str, float], minutes: int) -> None:
    zone, start = moment
    end = start + 60 * minutes
    found, cut = Schedule(cron, zone).between(start, end, 10_000)
    assert not cut
    assert found == cron_model.ticks(cron, zone, start, end)


@given(cron=cron_model.crons, moment=cron_model.moments(), cuts=st.lists(st.integers(1, 2880), max_size=5))
@settings(max_examples=60, deadline=None)
def test_ticks_do_not_depend_on_where_one_starts(
    cron: str, moment: tuple[str, float], cuts: list[int]
) -> None:
    zone, start = moment
    schedule, end = Schedule(cron, zone), start + 2880 * 60
    whole, _ = schedule.between(start, end, 10_000)
    edges = [start, *(start + 60 * c for c in sorted(set(cuts))), end + 60]
    pieces = [t for a, b in itertools.pairwise(edges) for t in schedule.between(a, b - 1, 10_000)[0]]
    assert pieces == [t for t in whole if t < edges[-1]]


@given(cron=cron_model.crons, start=st.integers(0, 2_000_000_000))
@settings(max_examples=60, deadline=None)
def test_always_later_where_the_clock_moves_by_half_an_hour(cron: str, start: int) -> None:
    found = Schedule(cron, "Australia/Lord_Howe").upcoming(start, 5)
    assert found == sorted(set(found))
    assert all(at > start for at in found)


def test_a_year_of_minutes_is_not_walked_through() -> None:
    now = 1_790_000_040.0
    found, cut = Schedule("* * * * *").between(now - 365 * 86_400, now, 100)
    assert cut
    assert found == [now - 60 * n for n in reversed(range(100))]


def test_the_window_grows_until_it_holds_enough() -> None:
    start = dt.datetime(2016, 1, 1, tzinfo=dt.UTC).timestamp()
    end = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    found, cut = Schedule("0 0 29 2 *").between(start, end, 100)
    assert [dt.datetime.fromtimestamp(at, dt.UTC).year for at in found] == [2016, 2020, 2024]
    assert not cut


@pytest.mark.parametrize(
    ("cron", "zone", "says"),
    [
        ("0 6 * *", "UTC", "4 fields, not 5"),
        ("0 0 6 * * *", "UTC", "6 fields, not 5"),
        ("60 6 * * *", "UTC", "bad minute field"),
        ("0 24 * * *", "UTC", "bad hour field"),
        ("0 6 * * MOON", "UTC", "bad day-of-week field"),
        ("0 0 30 2 *", "UTC", "bad day-of-month field"),
        ("0 6 * * *", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("0 6 * * *", "../../etc/passwd", "no time zone"),
        ("0 6 * * *", "", "no time zone"),
    ],
)
def test_errors_name_the_field(cron: str, zone: str, says: str) -> None:
    with pytest.raises(JobError) as caught:
        Schedule(cron, zone)
    assert says in str(caught.value)
