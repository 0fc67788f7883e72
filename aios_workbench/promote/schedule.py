"""When a job is due: a cron expression read in an IANA time zone. No clock in here; every instant is given.

Daylight saving follows Debian's cron (by `cronsim`), on the wall clock of the job's zone:

* A job at a fixed time (minute and hour fields without ``*``) runs once a day, always. A time the clock skips
  (02:30 when 02:00 becomes 03:00) runs at the first instant after the gap; a time the clock shows twice runs
  at the first of the two.
* A job with a wildcard (``*/15 * * * *``, ``0 * * * *``) follows real time: it does not run in the gap, and
  runs through both of the repeated hours.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cronsim import CronSim, CronSimError

from aios_workbench.errors import JobError, hint

_DAY = 86_400.0


@dataclass(frozen=True)
class Schedule:
    """A cron expression and its zone.

    Parameters
    ----------
    cron : str
        Five fields: minute, hour, day of month, month, day of week.
    timezone : str
        An IANA name such as ``"Europe/Berlin"``.

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

    def __post_init__(self) -> None:
        fields = self.cron.split()
        if len(fields) != 5:
            raise JobError(
                f"schedule {self.cron!r} has {len(fields)} fields, not 5: minute, hour, day of month, month, day of "
                "week; for example '0 6 * * *' is every day at 06:00"
            )
        zone(self.timezone)
        try:
            CronSim(self.cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
        except CronSimError as e:
            raise JobError(
                f"schedule {self.cron!r}: {str(e).lower()} field; fields are minute (0-59), hour (0-23), day of month "
                "(1-31), month (1-12 or JAN-DEC), day of week (0-7 or SUN-SAT), each *, a number, a-b, */n or a list"
            ) from None

    def after(self, instant: float) -> Iterator[float]:
        """Give the ticks later than `instant` (epoch seconds), in order."""
        # Started inside a repeated hour, cronsim may first name the same wall time of the earlier one.
        last = instant
        sim = CronSim(self.cron, dt.datetime.fromtimestamp(instant, zone(self.timezone)))
        fixed = sim.fixup_tz is not None
        for tick in sim:
            at = tick.timestamp()
            # Where the clock skips midnight, cronsim starts the day at a time that is not there: what stands
            # at that instant instead must fit as well.
            real = dt.datetime.fromtimestamp(at, tick.tzinfo)
            if not fixed and not (real.hour in sim.hours and real.minute in sim.minutes):
                continue
            if at > last:
                last = at
                yield at

    def next_after(self, instant: float) -> float | None:
        """Return the first tick later than `instant`, or None when there is none in 50 years."""
        return next(self.after(instant), None)

    def between(self, first: float, last: float, limit: int) -> tuple[list[float], bool]:
        """Return the newest `limit` ticks in [first, last], oldest first, and whether older ones were left out.

        A worker that was off for a year must not walk through half a million minutes: the window grows back
        from `last` until it holds enough.
        """
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
        ticks = self.after(instant)
        return [tick for _, tick in zip(range(count), ticks, strict=False)]

    def describe(self) -> str:
        """Return the schedule in words.

        Examples
        --------
        >>> Schedule("0 6 * * *", "Europe/Berlin").describe()
        'At 06:00 every day (Europe/Berlin)'
        """
        return f"{CronSim(self.cron, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)).explain()} ({self.timezone})"


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
        return dt.UTC  # cronsim's shortcut for UTC looks for this very object
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise JobError(
            f"no time zone {name!r}{hint(name, _zones())} (an IANA name, such as 'Europe/Berlin' or 'UTC')"
        ) from None
