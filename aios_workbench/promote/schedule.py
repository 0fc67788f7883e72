"""When a job is due: a cron expression read in an IANA time zone. No clock in here; every instant is given.

Daylight saving follows Debian's cron, on the wall clock of the job's zone:

* A job at a fixed time (minute and hour fields without ``*``) runs once a day, always. A time the clock skips
  (02:30 when 02:00 becomes 03:00) runs at the first instant after the gap; a time the clock shows twice runs
  at the first of the two. A day that a zone leaves out altogether (30 December 2011 in Samoa) has no run.
* A job with a wildcard (``*/15 * * * *``, ``0 * * * *``) follows real time: it does not run in the gap, and
  runs through both of the repeated hours.

`cronsim` reads the fields and knows the days; the hours are our own (`wallclock`), because cronsim goes through
them in steps of an hour and so goes astray where a clock moves by half of one, or skips midnight.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import itertools
import math
import zoneinfo
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cronsim import CronSim, CronSimError

from aios_workbench.errors import JobError, hint
from aios_workbench.promote import wallclock
from aios_workbench.promote.wallclock import Moment

_DAY = 86_400.0
_YEARS = 50


@dataclass(frozen=True)
class Upcoming:
    """A line of a preview: a run to come, or runs that the clock leaves out.

    Attributes
    ----------
    at : float
        When, epoch seconds.
    local, utc : str
        The same on the wall clock of the schedule's zone, with its offset, and in UTC.
    runs : bool
        False when the line only says what is left out.
    note : str or None
        What a change of the clock does to this run.
    """

    at: float
    local: str
    utc: str
    runs: bool = True
    note: str | None = None

    @classmethod
    def of(cls, at: float, tz: dt.tzinfo, *, runs: bool = True, note: str | None = None) -> Upcoming:
        """Write an instant down."""
        wall = dt.datetime.fromtimestamp(at, tz)
        utc = f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M}"
        return cls(at, f"{wall:%a} {readable_instant(at, tz)}", utc, runs, note)

    def to_dict(self) -> dict[str, object]:
        """Return plain data."""
        return dict(vars(self))


def readable_instant(at: float, tz: dt.tzinfo) -> str:
    """Return an instant on a zone's clock, with its offset.

    Examples
    --------
    >>> readable_instant(0.0, zone("Europe/Berlin"))
    '1970-01-01 01:00 +01:00'
    """
    text = dt.datetime.fromtimestamp(at, tz).isoformat(" ", "minutes")
    return f"{text[:16]} {text[16:]}"


@dataclass(frozen=True)
class Schedule:
    """A cron expression and its zone.

    Parameters
    ----------
    cron : str
        Five fields: minute, hour, day of month, month, day of week.
    timezone : str
        An IANA name such as ``"Europe/Berlin"``.
    starting : float, optional
        No tick comes before this instant, epoch seconds.

    Raises
    ------
    JobError
        When either cannot be read.

    Examples
    --------
    >>> Schedule("0 6 * * *", "Europe/Berlin").next_after(1_700_000_000.0)
    1700024400.0
    """

    cron: str
    timezone: str = "UTC"
    starting: float | None = None

    def __post_init__(self) -> None:
        fields = self.cron.split()
        if len(fields) != 5:
            raise JobError(
                f"schedule {self.cron!r} has {len(fields)} fields, not 5: minute, hour, day of month, month, day of "
                "week; for example '0 6 * * *' is every day at 06:00"
            )
        zone(self.timezone)
        try:
            _parsed(self.cron)
        except CronSimError as e:
            raise JobError(
                f"schedule {self.cron!r}: {str(e).lower()} field; fields are minute (0-59), hour (0-23), day of month "
                "(1-31), month (1-12 or JAN-DEC), day of week (0-7 or SUN-SAT), each *, a number, a-b, */n or a list"
            ) from None

    def after(self, instant: float) -> Iterator[float]:
        """Give the ticks later than `instant` (epoch seconds), in order."""
        return (moment.at for moment in self._moments(instant) if moment.runs)

    def _moments(self, instant: float) -> Iterator[Moment]:
        tz = zone(self.timezone)
        sim = _parsed(self.cron)
        if self.starting is not None:
            instant = max(instant, math.nextafter(self.starting, -math.inf))
        fixed = not any(field.startswith("*") for field in self.cron.split()[:2])
        minutes = [60 * h + m for h in sorted(sim.hours) for m in sorted(sim.minutes)]
        held: list[Moment] = []  # of days on end near which the clock moves: they may interleave
        yesterday = dt.datetime.fromtimestamp(instant, tz).date() - dt.timedelta(days=1)
        for day in _days(sim, yesterday):
            if wallclock.is_quiet(day, tz):
                yield from _in_order(held, instant)
                held = []
                yield from wallclock.quiet(day, minutes, tz, instant)
            else:
                held += wallclock.unquiet(day, minutes, tz, fixed=fixed)
        yield from _in_order(held, instant)

    def next_after(self, instant: float) -> float | None:
        """Return the first tick later than `instant`, or None when there is none in 50 years."""
        return next(self.after(instant), None)

    def between(self, first: float, last: float, limit: int) -> tuple[list[float], bool]:
        """Return the newest `limit` ticks in [first, last], oldest first, and whether older ones were left out.

        A worker that was off for a year must not walk through half a million minutes: the window grows back
        from `last` until it holds enough.
        """
        first = first if self.starting is None else max(first, self.starting)
        window = _DAY
        while True:
            start = max(first, last - window)
            kept: deque[float] = deque(maxlen=limit)
            count = 0
            for tick in self.after(start - 0.5):
                if tick > last:
                    break
                kept.append(tick)
                count += 1
            if start <= first or count > limit:
                return list(kept), count > limit
            window *= 8

    def upcoming(self, instant: float, count: int = 10) -> list[float]:
        """Return the next `count` ticks after `instant`."""
        return list(itertools.islice(self.after(instant), count))

    def preview(self, instant: float, count: int = 10) -> list[Upcoming]:
        """Return the next `count` ticks after `instant` in words, and between them what the clock leaves out.

        Examples
        --------
        >>> before = 1774738800.0  # 2026-03-29 00:00 in Berlin, two hours before its clocks go forward
        >>> for line in Schedule("30 2 * * *", "Europe/Berlin").preview(before, 2):
        ...     print(line.local, "|", line.utc, "|", line.note)
        Sun 2026-03-29 03:00 +02:00 | 2026-03-29 01:00 | instead of 02:30: the clock goes from 02:00 to 03:00
        Mon 2026-03-30 02:30 +02:00 | 2026-03-30 00:30 | None
        """
        tz = zone(self.timezone)
        lines: list[Upcoming] = []
        for moment in self._moments(instant):
            if not count:
                break
            count -= moment.runs
            lines.append(Upcoming.of(moment.at, tz, runs=moment.runs, note=moment.note))
        return lines

    def describe(self) -> str:
        """Return the schedule in words.

        Examples
        --------
        >>> Schedule("0 6 * * *", "Europe/Berlin").describe()
        'At 06:00 every day (Europe/Berlin)'
        """
        since = (
            "" if self.starting is None else f" from {readable_instant(self.starting, zone(self.timezone))}"
        )
        return f"{_parsed(self.cron).explain()}{since} ({self.timezone})"


@functools.lru_cache(maxsize=1024)
def _parsed(cron: str) -> CronSim:
    return CronSim(cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))


def _days(sim: CronSim, first: dt.date) -> Iterator[dt.date]:
    """Give the days that fit, from `first` until there has been none in 50 years."""
    latest = first.year
    for year in range(first.year, dt.MAXYEAR):
        for month in sorted(sim.months):
            for number in range(1, calendar.monthrange(year, month)[1] + 1):
                day = dt.date(year, month, number)
                if day >= first and sim.match_day(day):
                    latest = year
                    yield day
        if year > latest + _YEARS:
            return


def _in_order(moments: Iterable[Moment], after: float) -> Iterator[Moment]:
    """Give each moment once; of a tick that another one was moved to, the one that says so."""
    once: dict[tuple[float, bool], Moment] = {}
    for moment in moments:
        key = (moment.at, moment.runs)
        if moment.at > after and (key not in once or once[key].note is None):
            once[key] = moment
    yield from (once[key] for key in sorted(once))


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(name: str) -> dt.tzinfo:
    """Return the time zone of an IANA name.

    Raises
    ------
    JobError
        When there is no such zone, naming the nearest one.
    """
    if name == "UTC":
        return dt.UTC  # where no tzdata is installed, too
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise JobError(
            f"no time zone {name!r}{hint(name, _zones())} (an IANA name, such as 'Europe/Berlin' or 'UTC')"
        ) from None
