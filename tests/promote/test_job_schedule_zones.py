"""Zones that move by odd amounts at odd times, leap days, and cronsim as a witness where it is right."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from zoneinfo import ZoneInfo

import cron_model
import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aios_workbench.promote import wallclock
from aios_workbench.promote.schedule import Schedule


def stamp(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def shown(cron: str, zone: str, first: str, last: str) -> list[str]:
    """The ticks from one UTC time until before another, as wall times with their offset."""
    found, _ = Schedule(cron, zone).between(stamp(first), stamp(last) - 1, 5000)
    return [dt.datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%d %H:%M%z") for at in found]


@pytest.mark.parametrize(
    ("zone", "cron", "first", "last", "expected"),
    [
        # 02:00 becomes 02:30, and later 02:00 becomes 01:30
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T13:00", "2026-10-04T13:00", ["04 02:30+1100"]),
        ("Australia/Lord_Howe", "0 * * * *", "2026-10-03T14:00", "2026-10-03T17:00",
         ["04 01:00+1030", "04 03:00+1100"]),
        ("Australia/Lord_Howe", "*/30 * * * *", "2026-04-04T14:00", "2026-04-04T16:00",
         ["05 01:00+1100", "05 01:30+1100", "05 01:30+1030", "05 02:00+1030"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T13:00", "2026-04-05T13:00", ["05 01:45+1100"]),
        ("Pacific/Chatham", "0 3 * * *", "2026-09-26T12:00", "2026-09-27T12:00", ["27 03:45+1345"]),
        # midnight is not there: a job at midnight runs at one, every day once
        ("America/Santiago", "0 0 * * *", "2026-09-05T00:00", "2026-09-08T00:00",
         ["05 00:00-0400", "06 01:00-0300", "07 00:00-0300"]),
        ("Africa/Cairo", "0 0 * * FRI", "2026-04-20T00:00", "2026-04-28T00:00", ["24 01:00+0300"]),
        ("Asia/Beirut", "30 0 * * *", "2026-03-28T00:00", "2026-03-29T21:00", ["29 01:00+0300"]),
        # the hour before midnight is there twice
        ("America/Santiago", "30 23 * * *", "2026-04-05T00:00", "2026-04-06T00:00", ["04 23:30-0300"]),
        ("Africa/Cairo", "30 */23 * * *", "2026-10-29T12:00", "2026-10-30T00:00",
         ["29 23:30+0300", "29 23:30+0200", "30 00:30+0200"]),
        # 00:01 becomes 23:01 of the day before, so that midnight is there twice as well
        ("America/St_Johns", "0 0 * * *", "2010-11-07T00:00", "2010-11-08T00:00", ["07 00:00-0230"]),
        ("America/St_Johns", "0 */12 * * *", "2010-11-07T00:00", "2010-11-08T00:00",
         ["07 00:00-0230", "07 00:00-0330", "07 12:00-0330"]),
        # 30 December 2011 was left out: a correction, no daylight saving, and nothing stands for that day
        ("Pacific/Apia", "0 6 * * *", "2011-12-29T00:00", "2012-01-01T00:00", ["29 06:00-1000", "31 06:00+1400",
                                                                              "01 06:00+1400"]),
        ("Pacific/Apia", "0 6 30 12 *", "2011-12-01T00:00", "2013-01-01T00:00", ["30 06:00+1400"]),
        ("Pacific/Apia", "0 */8 * * *", "2011-12-30T00:00", "2011-12-30T20:00", ["29 16:00-1000", "31 00:00+1400",
                                                                                "31 08:00+1400"]),
    ],
)  # fmt: skip
def test_odd_zones(zone: str, cron: str, first: str, last: str, expected: list[str]) -> None:
    assert shown(cron, zone, first, last) == expected


_ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})


def transitions(zone: str, year: int) -> list[float]:
    """The instants of a year at which a zone's clock moves, by looking at every hour."""
    tz, start = ZoneInfo(zone), int(stamp(f"{year}-01-01"))
    offsets = [
        (at, dt.datetime.fromtimestamp(at, tz).utcoffset()) for at in range(start, start + 366 * 86_400, 3600)
    ]
    return [b for (_, one), (b, other) in itertools.pairwise(offsets) if one != other]


@given(zone=st.sampled_from(_ZONES), year=st.integers(1972, 2037), cron=cron_model.crons, data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_zone_near_any_change(zone: str, year: int, cron: str, data: st.DataObject) -> None:
    moves = transitions(zone, year)
    assume(moves)
    at = data.draw(st.sampled_from(moves)) // 3600 * 3600
    # offsets of whole minutes only: the model goes from minute to minute
    near = [dt.datetime.fromtimestamp(at + d, ZoneInfo(zone)).utcoffset() for d in (-86_400, 86_400)]
    assume(all(o is not None and o.total_seconds() % 60 == 0 for o in near))
    start = at - 60 * data.draw(st.integers(0, 1440))
    end = start + 60 * data.draw(st.integers(600, 2880))
    found, _ = Schedule(cron, zone).between(start, end, 10_000)
    assert found == cron_model.ticks(cron, zone, start, end)


@given(cron=cron_model.crons, start=st.integers(0, 4_000_000_000))
@settings(max_examples=100, deadline=None)
def test_same_as_cronsim_where_clocks_never_move(cron: str, start: int) -> None:
    sim = CronSim(cron, dt.datetime.fromtimestamp(start, dt.UTC))
    expected = [tick.timestamp() for tick in itertools.islice(sim, 20)]
    assert Schedule(cron).upcoming(start, 20) == expected


_WHOLE_HOURS = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")


@given(
    cron=cron_model.crons.filter(lambda c: not any(f.startswith("*") for f in c.split()[:2])),
    moment=cron_model.moments(_WHOLE_HOURS),
)
@settings(max_examples=60, deadline=None)
def test_same_as_cronsim_at_fixed_times_where_clocks_move_by_whole_hours(
    cron: str, moment: tuple[str, float]
) -> None:
    zone, start = moment
    # a day earlier: cronsim forgets, when it is started inside of a gap, what was moved to the gap's end
    sim = CronSim(cron, dt.datetime.fromtimestamp(start - 86_400, ZoneInfo(zone)))
    expected = sorted({tick.timestamp() for tick in itertools.islice(sim, 100)})
    found = Schedule(cron, zone).upcoming(start, 20)
    assert found == [at for at in expected if at > start][:20]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 0 29 2 *", "Europe/Berlin", "2096-03-01", "2104-02-29T00:00:00+01:00"),  # 2100 is no leap year
        ("0 0 29 2 *", "UTC", "2026-03-01", "2028-02-29T00:00:00+00:00"),
        ("0 0 29 2 MON", "UTC", "2027-02-23", "2028-02-07T00:00:00+00:00"),  # either, as cron has it
        ("30 23 L 2 *", "Asia/Tokyo", "2028-01-01", "2028-02-29T23:30:00+09:00"),
        ("0 0 */29 2 MON", "UTC", "2026-01-01", "2027-02-01T00:00:00+00:00"),
    ],
)
def test_leap_days(cron: str, zone: str, after: str, expected: str) -> None:
    at = Schedule(cron, zone).next_after(stamp(after))
    assert at is not None
    assert dt.datetime.fromtimestamp(at, ZoneInfo(zone)).isoformat() == expected


def test_a_day_that_comes_once_in_40_years_is_waited_for() -> None:
    leap_mondays = Schedule("0 0 */28 2 MON#5").upcoming(stamp("2026-01-01"), 3)
    assert [dt.datetime.fromtimestamp(at, dt.UTC).isoformat()[:10] for at in leap_mondays] == [
        "2044-02-29", "2072-02-29", "2112-02-29"
    ]  # fmt: skip


def test_what_never_comes_ends_after_50_years() -> None:
    assert Schedule("0 0 */30 2 MON#5").upcoming(stamp("2026-01-01"), 1) == []
    assert Schedule("0 0 */30 2 MON#5").preview(stamp("2026-01-01"), 1) == []


def lines(cron: str, zone: str, after: str, count: int) -> list[tuple[str, str, bool, str | None]]:
    return [(u.local, u.utc, u.runs, u.note) for u in Schedule(cron, zone).preview(stamp(after), count)]


def test_a_preview_says_what_the_clock_does() -> None:
    assert lines("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == [
        (
            "Sun 2026-10-25 02:30 +02:00",
            "2026-10-25 00:30",
            True,
            "the clock shows 02:30 twice: runs at the first",
        ),
        ("Mon 2026-10-26 02:30 +01:00", "2026-10-26 01:30", True, None),
    ]
    assert lines("0,30 1-2 * * *", "Europe/Berlin", "2026-03-28T12:00", 3)[2] == (
        "Sun 2026-03-29 03:00 +02:00", "2026-03-29 01:00", True,
        "instead of 02:00, 02:30: the clock goes from 02:00 to 03:00",
    )  # fmt: skip
    assert lines("*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 1) == [
        ("Sun 2026-03-29 03:00 +02:00", "2026-03-29 01:00", False,
         "the clock goes from 02:00 to 03:00: 4 runs (02:00, 02:15, 02:30, …) left out"),
        ("Mon 2026-03-30 02:00 +02:00", "2026-03-30 00:00", True, None),
    ]  # fmt: skip
    assert [note for *_, note in lines("*/30 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00", 3)] == [
        "the first 01:30 of two", "the second 01:30 of two", None
    ]  # fmt: skip
    assert lines("0 6 * * *", "Pacific/Apia", "2011-12-29T17:00", 1)[0] == (
        "Sat 2011-12-31 00:00 +14:00", "2011-12-30 10:00", False,
        "the clock goes from 2011-12-30 00:00 to 2011-12-31 00:00: 1 run (06:00) left out",
    )  # fmt: skip


@given(cron=cron_model.crons, moment=cron_model.moments())
@settings(max_examples=60, deadline=None)
def test_a_preview_runs_what_the_schedule_runs(cron: str, moment: tuple[str, float]) -> None:
    zone, start = moment
    schedule = Schedule(cron, zone)
    found = schedule.preview(start, 15)
    assert [u.at for u in found if u.runs] == schedule.upcoming(start, 15)
    assert [u.at for u in found] == sorted(u.at for u in found)
    assert all(u.note for u in found if not u.runs)


def test_a_time_that_is_not_there_lies_in_a_gap() -> None:
    there = wallclock.gap(dt.datetime(2026, 10, 4, 2, 15), ZoneInfo("Australia/Lord_Howe"))  # noqa: DTZ001
    assert there.at == stamp("2026-10-03T15:30")
    assert str(there) == "the clock goes from 02:00 to 02:30"
