"""A cron expression in the words of others: in UTC, as systemd's calendar, as AWS's six fields."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable

from cronsim import CronSim

from aios_workbench.errors import JobError
from aios_workbench.promote.interval import Interval
from aios_workbench.promote.schedule import Schedule, zone
from aios_workbench.promote.spec_parts import readable

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
#: Two years either way show every rule a zone has; a zone that changed its offset once, long ago, is fixed today.
_YEARS = range(2025, 2031)


def of_interval(interval: Interval) -> str | None:
    """Return the cron expression that fires at the same instants in UTC; None where there is none.

    Examples
    --------
    >>> of_interval(Interval(900.0)), of_interval(Interval(86400.0, 21600.0)), of_interval(Interval(2700.0))
    ('*/15 * * * *', '0 6 * * *', None)
    """
    minutes, first = interval.every / 60, (interval.starting or 0.0) / 60
    if minutes % 1 or first % 1:
        return None
    size, start = int(minutes), int(first)
    if size < 60:
        if 60 % size:
            return None
        past = _list(range(start % size, 60, size))
        return f"{'*' if size == 1 else past if start % size else f'*/{size}'} * * * *"
    if size <= 1440 and 1440 % size == 0 and size % 60 == 0:
        hours = _list(range(start % size // 60, 24, size // 60))
        return f"{start % 60} {'*' if size == 60 else hours} * * *"
    if size == 10_080:  # 1970 began on a Thursday, 4
        return f"{start % 60} {start % 1440 // 60} * * {(start // 1440 + 4) % 7}"
    return None


def _cron(ticks: Schedule | Interval, target: str) -> Schedule:
    if isinstance(ticks, Schedule):
        return ticks
    raise JobError(
        f"{target} reads cron, and no cron expression fires every {readable(ticks.every)} at the same instants as the "
        "job's interval; give --schedule, or an interval that divides an hour or a day, such as 15m or 6h"
    )


def fixed_offset(timezone: str) -> dt.timedelta | None:
    """Return a zone's distance from UTC, or None where it changes over the year.

    Examples
    --------
    >>> fixed_offset("Asia/Kolkata"), fixed_offset("Europe/Berlin")
    (datetime.timedelta(seconds=19800), None)
    """
    there = zone(timezone)
    days = (
        dt.datetime(year, month, day, tzinfo=dt.UTC)
        for year in _YEARS
        for month in range(1, 13)
        for day in (1, 15)
    )
    offsets = {day.astimezone(there).utcoffset() for day in days}
    return offsets.pop() if len(offsets) == 1 else None


def in_utc(ticks: Schedule | Interval, target: str) -> list[str]:
    """Return cron expressions that fire at the same instants when they are read in UTC.

    Raises
    ------
    JobError
        When there are none: the zone has daylight saving, or the day of the month would move.

    Examples
    --------
    >>> in_utc(Schedule("30 2 * * 1", "Asia/Kolkata"), "GitHub Actions")
    ['0 21 * * 0']
    """
    schedule = _cron(ticks, target)
    offset = fixed_offset(schedule.timezone)
    if offset is None:
        raise JobError(
            f"{target} reads schedules in UTC only, and {schedule.timezone} moves against UTC twice a year: "
            f"{schedule.cron!r} would run an hour off for half of it. Give --timezone UTC, a zone of fixed offset, or "
            "a target that knows zones (aios targets)"
        )
    shift = int(offset.total_seconds() // 60)
    fields = schedule.cron.split()
    if shift == 0 or (fields[1] == "*" and shift % 60 == 0 and fields[2:] == ["*", "*", "*"]):
        return [schedule.cron]
    return _shifted(schedule, shift, target)


def _shifted(schedule: Schedule, shift: int, target: str) -> list[str]:
    sim = CronSim(schedule.cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    day, month, weekday = schedule.cron.split()[2:]
    groups: dict[tuple[int, tuple[int, ...]], set[int]] = defaultdict(set)
    minutes_of: dict[tuple[int, int], set[int]] = defaultdict(set)
    for hour in sim.hours:
        for minute in sim.minutes:
            moved = hour * 60 + minute - shift
            minutes_of[moved // 1440, moved % 1440 // 60].add(moved % 60)
    for (days, hour), minutes in minutes_of.items():
        groups[days, tuple(sorted(minutes))].add(hour)
    moving = {days for days, _ in groups} - {0}
    if moving and (day != "*" or month != "*"):
        raise JobError(
            f"{target} reads schedules in UTC only; in UTC {schedule.cron!r} of {schedule.timezone} falls on another "
            "day of the month, which no cron expression says. Give --timezone UTC, or a target that knows zones"
        )
    lines = []
    for (days, past), hours in sorted(groups.items()):
        days_of_week = weekday if days == 0 or weekday == "*" else _moved(_weekdays(sim), days)
        lines.append(f"{_list(past)} {_list(sorted(hours))} {day} {month} {days_of_week}")
    return lines


def _moved(weekdays: Iterable[int], days: int) -> str:
    return _list(sorted({(day + days) % 7 for day in weekdays}))


def _weekdays(sim: CronSim) -> list[int]:
    found = set()
    for day in sim.weekdays:
        if not isinstance(day, int):
            raise JobError(
                "a schedule with `L` or `#` in its day of week cannot be moved to UTC; give --timezone UTC"
            )
        found.add(day % 7)
    return sorted(found)


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def plain(ticks: Schedule | Interval, target: str) -> str:
    """Return the expression if it has only what all readers of cron know.

    Raises
    ------
    JobError
        For ``L``, ``#`` or ``W``, and for an interval.
    """
    schedule = _cron(ticks, target)
    day, weekday = schedule.cron.split()[2], schedule.cron.split()[4]
    if "L" in day.upper() or re.search(r"#|\d[lL]|^[lL]$", weekday):
        raise JobError(
            f"{target} does not know `L` and `#` as in {schedule.cron!r}; write the days as numbers, or promote to the "
            "embedded scheduler"
        )
    return schedule.cron


def on_calendar(ticks: Schedule | Interval) -> list[str]:
    """Return systemd's calendar expressions; several stand for "or", as cron's two fields for days do.

    Examples
    --------
    >>> on_calendar(Schedule("*/15 6-8 * * 1-5", "Europe/Berlin"))
    ['Mon,Tue,Wed,Thu,Fri *-*-* 06,07,08:00,15,30,45:00 Europe/Berlin']
    """
    schedule = _cron(ticks, "systemd")
    cron = plain(schedule, "systemd")
    sim = CronSim(cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    _, _, day, month, weekday = cron.split()
    months = "*" if month == "*" else ",".join(f"{m:02}" for m in sorted(sim.months))
    clock = f"{_clock(sim.hours, 24)}:{_clock(sim.minutes, 60)}:00 {schedule.timezone}"
    days = ",".join(f"{d:02}" for d in sorted(sim.days))
    names = ",".join(_WEEKDAYS[d] for d in sorted(_weekdays(sim), key=lambda d: d or 7))
    by_day, by_name = f"*-{months}-{days} {clock}", f"{names} *-{months}-* {clock}"
    if day.startswith("*") and weekday.startswith("*"):
        both = "" if weekday == "*" else f"{names} "
        return [f"{both}*-{months}-{'*' if day == '*' else days} {clock}"]
    if weekday == "*":
        return [by_day]
    if day == "*":
        return [by_name]
    if day.startswith("*") or weekday.startswith("*"):  # cron: a field that begins with a star means "and"
        return [f"{names} {by_day}"]
    return [by_day, by_name]


def _clock(values: Iterable[int], size: int) -> str:
    found = sorted(values)
    return "*" if len(found) == size else ",".join(f"{v:02}" for v in found)


def aws(ticks: Schedule | Interval) -> list[str]:
    """Return EventBridge Scheduler's expressions: six fields, one of the two for days is `?`.

    Examples
    --------
    >>> aws(Schedule("0 6 * * 1-5")), aws(Schedule("0 6 1,15 * *"))
    (['cron(0 6 ? * MON,TUE,WED,THU,FRI *)'], ['cron(0 6 1,15 * ? *)'])
    """
    schedule = _cron(ticks, "EventBridge Scheduler")
    cron = plain(schedule, "EventBridge Scheduler")
    sim = CronSim(cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    minute, hour, day, month, weekday = cron.split()
    minute, hour = _aws(minute, sim.minutes), _aws(hour, sim.hours)
    month = "*" if month == "*" else _list(sorted(sim.months))
    days = _list(sorted(sim.days))
    names = ",".join(_WEEKDAYS[d].upper() for d in sorted(_weekdays(sim), key=lambda d: d or 7))
    by_day, by_name = (
        f"cron({minute} {hour} {days} {month} ? *)",
        f"cron({minute} {hour} ? {month} {names} *)",
    )
    if day == "*" and weekday == "*":
        return [f"cron({minute} {hour} * {month} ? *)"]
    if weekday == "*":
        return [by_day]
    if day == "*":
        return [by_name]
    if day.startswith("*") or weekday.startswith("*"):
        raise JobError(
            f"EventBridge Scheduler cannot say a day of the month and a day of the week at once ({schedule.cron!r}); "
            "give one of the two"
        )
    return [by_day, by_name]


def _aws(field: str, values: Iterable[int]) -> str:
    return "*" if field == "*" else _list(sorted(values))
