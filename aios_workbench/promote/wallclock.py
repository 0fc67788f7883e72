"""What the clock on the wall shows in a zone: times that are there twice, times that are not, and what follows.

Everything is asked of `zoneinfo`; a zone may move by any amount at any time of day. Lord Howe moves by half an
hour, Santiago, Cairo and Beirut at midnight, St. John's at a minute past it, and Samoa left out a whole day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

#: Debian's cron takes a clock that moves by more for corrected: what was left out is not made up for.
LONGEST_SHIFT = 3 * 3600.0

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive here
_MARGIN = dt.timedelta(hours=3)
_DAY = dt.timedelta(days=1)
_SAMPLES = 5


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A tick, or, with `runs` False, an instant at which the clock left ticks out."""

    at: float
    runs: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Wall times from `start` until before `end` that a clock leaves out at the instant `at`."""

    at: float
    start: dt.datetime
    end: dt.datetime

    def __str__(self) -> str:
        form = "%H:%M" if self.start.date() == self.end.date() else "%Y-%m-%d %H:%M"
        return f"the clock goes from {self.start:{form}} to {self.end:{form}}"


def instants(wall: dt.datetime, tz: dt.tzinfo) -> list[float]:
    """Return when a wall time is shown: once, twice, or never.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> len(instants(dt.datetime(2026, 10, 25, 2, 30), ZoneInfo("Europe/Berlin")))
    2
    """
    found = {wall.replace(tzinfo=tz, fold=fold).timestamp() for fold in (0, 1)}
    return sorted(at for at in found if _shown(at, tz) == wall)


def gap(wall: dt.datetime, tz: dt.tzinfo) -> Gap:
    """Return the gap in which a wall time lies that is never shown."""
    # Read with the offset of after the gap it lies before the gap, and the other way round (PEP 495).
    before, after = sorted(int(wall.replace(tzinfo=tz, fold=fold).timestamp()) for fold in (0, 1))
    old = _offset(before, tz)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, tz) == old:
            before = middle
        else:
            after = middle
    return Gap(float(after), _shown(before, tz) + dt.timedelta(seconds=1), _shown(after, tz))


def is_quiet(day: dt.date, tz: dt.tzinfo) -> bool:
    """True when the clock keeps its offset from shortly before a day until shortly after it."""
    start = dt.datetime.combine(day, dt.time()) - _MARGIN
    step = (_DAY + 2 * _MARGIN) / (_SAMPLES - 1)
    return len({(start + n * step).replace(tzinfo=tz).utcoffset() for n in range(_SAMPLES)}) == 1


def quiet(day: dt.date, minutes: list[int], tz: dt.tzinfo, after: float) -> Iterator[Moment]:
    """Give the ticks of a quiet day later than `after`; `minutes` are those of the day, ascending."""
    start = dt.datetime.combine(day, dt.time(), tz).timestamp()
    for minute in minutes:
        if (at := start + 60 * minute) > after:
            yield Moment(at)


def unquiet(day: dt.date, minutes: list[int], tz: dt.tzinfo, *, fixed: bool) -> Iterator[Moment]:
    """Give the ticks of a day on which, or near which, the clock moves; in no order, some perhaps twice."""
    missing: dict[Gap, list[dt.datetime]] = defaultdict(list)
    midnight = dt.datetime.combine(day, dt.time())
    for minute in minutes:
        wall = midnight + dt.timedelta(minutes=minute)
        shown = instants(wall, tz)
        if not shown:
            missing[gap(wall, tz)].append(wall)
        elif len(shown) == 1:
            yield Moment(shown[0])
        elif fixed:
            yield Moment(shown[0], note=f"the clock shows {wall:%H:%M} twice: runs at the first")
        else:
            yield Moment(shown[0], note=f"the first {wall:%H:%M} of two")
            yield Moment(shown[1], note=f"the second {wall:%H:%M} of two")
    for there, walls in missing.items():
        yield _instead(there, walls, fixed=fixed)


def _instead(there: Gap, walls: list[dt.datetime], *, fixed: bool) -> Moment:
    named = ", ".join(f"{w:%H:%M}" for w in walls[:3]) + (", …" if len(walls) > 3 else "")
    if fixed and (there.end - there.start).total_seconds() <= LONGEST_SHIFT:
        return Moment(there.at, note=f"instead of {named}: {there}")
    runs = "1 run" if len(walls) == 1 else f"{len(walls)} runs"
    return Moment(there.at, runs=False, note=f"{there}: {runs} ({named}) left out")


def _shown(at: float, tz: dt.tzinfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, tz).replace(tzinfo=None, fold=0)


def _offset(at: float, tz: dt.tzinfo) -> dt.timedelta | None:
    return dt.datetime.fromtimestamp(at, tz).utcoffset()
