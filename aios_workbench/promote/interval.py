"""When a job with an interval is due: every so many seconds of real time since an anchor. No clock in here."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from aios_workbench.errors import JobError
from aios_workbench.promote.schedule import Upcoming, readable_instant, zone
from aios_workbench.promote.spec_parts import readable
from aios_workbench.workflow.durations import format_duration

_YEARS = 50 * 365.25 * 86_400.0
#: Python's calendar ends with the year 9999; a day earlier no zone's offset leads beyond it.
_LAST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC).timestamp()
_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Interval:
    """Every so many seconds, counted from an anchor: elapsed real time, whatever the clocks of a zone do.

    Parameters
    ----------
    every : float
        Seconds, at least 1.
    starting : float, optional
        The anchor and first tick, epoch seconds. Without it ticks are counted from 1970-01-01 00:00 UTC, so that
        "1h" is at every full hour there and does not depend on when the job was promoted.
    timezone : str
        IANA name of the zone that previews are written in; it moves no tick.

    Raises
    ------
    JobError
        When the interval is too short, or there is no such zone.

    Examples
    --------
    >>> Interval(900.0).next_after(1_700_000_000.0)
    1700000100.0
    >>> Interval(900.0, starting=1_700_000_000.0).upcoming(1_690_000_000.0, 2)
    [1700000000.0, 1700000900.0]
    """

    every: float
    starting: float | None = None
    timezone: str = field(default="UTC", compare=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.every) and self.every >= 1):
            raise JobError(f"an interval of {self.every:g} s is too short; give at least 1 s, such as '15m'")
        zone(self.timezone)

    def _tick(self, number: int) -> float:
        return (self.starting or 0.0) + number * self.every

    def _number_after(self, instant: float) -> int:
        """Return the number of the first tick later than `instant`; the same tick is always the same float."""
        number = math.floor((instant - (self.starting or 0.0)) / self.every)
        while self._tick(number) > instant:
            number -= 1
        while self._tick(number) <= instant:
            number += 1
        return number if self.starting is None else max(number, 0)

    def after(self, instant: float) -> Iterator[float]:
        """Give the ticks later than `instant` (epoch seconds), in order."""
        for number in itertools.count(self._number_after(instant)):
            at = self._tick(number)
            if at - instant > _YEARS or at > _LAST:
                return
            yield at
            instant = at

    def next_after(self, instant: float) -> float | None:
        """Return the first tick later than `instant`, or None when there is none in 50 years."""
        return next(self.after(instant), None)

    def between(self, first: float, last: float, limit: int) -> tuple[list[float], bool]:
        """Return the newest `limit` ticks in [first, last], oldest first, and whether older ones were left out."""
        start = self._number_after(math.nextafter(first, -math.inf))
        end = self._number_after(last)  # the first one too late
        kept = range(max(start, end - limit), end)
        return [self._tick(number) for number in kept], end - start > limit

    def upcoming(self, instant: float, count: int = 10) -> list[float]:
        """Return the next `count` ticks after `instant`."""
        return list(itertools.islice(self.after(instant), count))

    def preview(self, instant: float, count: int = 10) -> list[Upcoming]:
        """Return the next `count` ticks after `instant`, and where the zone's clock moves between two of them.

        Examples
        --------
        >>> before = 1774738800.0  # 2026-03-29 00:00 in Berlin, two hours before its clocks go forward
        >>> for line in Interval(7200.0, timezone="Europe/Berlin").preview(before, 2):
        ...     print(line.local, "|", line.note)
        Sun 2026-03-29 01:00 +01:00 | None
        Sun 2026-03-29 04:00 +02:00 | the clock has gone forward by 1 h 0 min; 2h have passed all the same
        """
        tz = zone(self.timezone)
        lines: list[Upcoming] = []
        before: dt.timedelta | None = None
        for at in self.upcoming(instant, count):
            offset = dt.datetime.fromtimestamp(at, tz).utcoffset()
            assert offset is not None
            note = None if before is None or before == offset else self._moved(offset - before)
            lines.append(Upcoming.of(at, tz, note=note))
            before = offset
        return lines

    def _moved(self, by: dt.timedelta) -> str:
        direction = "forward" if by > dt.timedelta() else "back"
        shift = format_duration(abs(by.total_seconds()))
        return f"the clock has gone {direction} by {shift}; {readable(self.every)} have passed all the same"

    def describe(self) -> str:
        """Return the interval in words.

        Examples
        --------
        >>> Interval(900.0).describe(), Interval(86400.0, 1769835600.0, "Europe/Berlin").describe()
        ('Every 15 minutes', 'Every day from 2026-01-31 06:00 +01:00 (Europe/Berlin)')
        """
        said = f"Every {_words(self.every)}"
        if self.starting is None:
            return said
        return f"{said} from {readable_instant(self.starting, zone(self.timezone))} ({self.timezone})"


def _words(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 else f"{count:,} {unit}s"
    return f"{seconds:g} seconds"
