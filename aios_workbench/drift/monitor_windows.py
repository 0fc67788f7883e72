"""Where a batch goes: windows of time, of so many rows, of one batch each."""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from dataclasses import dataclass
from typing import Any

from aios_workbench.drift.seasons import ANCHOR, DAY
from aios_workbench.errors import DriftInputError

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}
#: Lengths of windows that are told by the rows' own time column; to tell seasons, not to place rows.
LENGTHS = {
    "hour": 3600.0,
    "day": DAY,
    "week": 7 * DAY,
    "month": 31 * DAY,
    "quarter": 92 * DAY,
    "year": 366 * DAY,
}


@dataclass(frozen=True)
class Windows:
    """How batches are gathered: `seconds` long, `rows` rows, by a unit of the rows' own time, or (none) each alone."""

    seconds: float | None = None
    rows: int | None = None
    by: str | None = None

    @property
    def timed(self) -> bool:
        """True when windows are stretches of time: a batch may come late to one."""
        return self.seconds is not None or self.by is not None

    @property
    def length(self) -> float | None:
        """Seconds of a window of time, about."""
        return LENGTHS[self.by] if self.by is not None else self.seconds


@dataclass(frozen=True)
class Place:
    """A window: its name, and from when (up to and not with) when, in epoch seconds."""

    window: str
    starts_at: float
    ends_at: float | None = None


def windows_of(window: str | int | dt.timedelta | None, by: str | None) -> Windows:
    """Return how batches are gathered.

    Raises
    ------
    DriftInputError
        For what is no window.

    Examples
    --------
    >>> windows_of("7d", None).seconds / DAY, windows_of(500, None).rows
    (7.0, 500)
    """
    if by is not None:
        if window is not None:
            raise DriftInputError(f"window={window!r} and by={by!r} are two ways to say the same; give one")
        if by not in LENGTHS:
            raise DriftInputError(f"by is {by!r}; a monitor's windows go by {', '.join(LENGTHS)}")
        return Windows(by=by)
    if window is None:
        return Windows()
    if isinstance(window, int) and not isinstance(window, bool):
        if window < 1:
            raise DriftInputError(f"window is {window} rows; give 1 or more")
        return Windows(rows=window)
    if isinstance(window, dt.timedelta):
        seconds = window.total_seconds()
    else:
        read = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", str(window))
        if read is None or read[2] not in _UNITS:
            raise DriftInputError(
                f"window is {window!r}; give a length such as '7d', '12h' or '30min', a number of rows, or None for "
                "each batch alone"
            )
        seconds = float(read[1]) * _UNITS[read[2]]
    if not 1 <= seconds < 100 * 366 * DAY:
        raise DriftInputError(f"window is {window!r}; it is at least a second long")
    return Windows(seconds=seconds)


def moment(at: Any) -> float:
    """Return a moment in epoch seconds; now for None. Without a time zone it is taken as UTC.

    Raises
    ------
    DriftInputError
        For what is no moment.

    Examples
    --------
    >>> moment("2026-01-02") == moment(dt.date(2026, 1, 2)) == moment(1767312000)
    True
    """
    if at is None:
        return time.time()
    if isinstance(at, str):
        try:
            at = dt.datetime.fromisoformat(at)
        except ValueError as e:
            raise DriftInputError(f"at is {at!r}, which is no date or time: {e}") from e
    if hasattr(at, "to_pydatetime"):
        at = at.to_pydatetime(warn=False)
    if isinstance(at, dt.datetime):
        return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
    if isinstance(at, dt.date):
        return dt.datetime(at.year, at.month, at.day, tzinfo=dt.UTC).timestamp()
    try:
        seconds = float(at)
    except (TypeError, ValueError) as e:
        raise DriftInputError(f"at is {at!r}; give a date, a time, or epoch seconds") from e
    if not math.isfinite(seconds) or not -6e10 < seconds < 2.5e11:
        raise DriftInputError(f"at is {at!r}, which is no moment a calendar has; give epoch seconds")
    return seconds


def place(at: float, seconds: float) -> Place:
    """Return the window of a length that a moment lies in; windows of whole weeks begin on a Monday (UTC).

    Examples
    --------
    >>> place(moment("2026-11-21T22:00"), 7 * DAY).window, place(moment("2026-11-21T22:40"), 1800.0).window
    ('2026-11-16', '2026-11-21T22:30')
    """
    starts = math.floor((at - ANCHOR) / seconds) * seconds + ANCHOR
    return Place(named(starts), starts, starts + seconds)


def named(starts: float) -> str:
    """Return the name of a window by its start."""
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=starts)
    if start.microsecond:
        return start.isoformat().removesuffix("+00:00")
    if start.second:
        return start.strftime("%Y-%m-%dT%H:%M:%S")
    return start.strftime("%Y-%m-%dT%H:%M" if start.hour or start.minute else "%Y-%m-%d")


def place_named(window: str, by: str) -> Place | None:
    """Return where a window lies that rows were put into by their own time; None for rows without one.

    Examples
    --------
    >>> place_named("2026-11", "month").starts_at == moment("2026-11-01")
    True
    """
    try:
        starts = _start(window)
    except ValueError:
        return None
    return Place(window, starts.timestamp(), _following(starts, by).timestamp())


def _start(window: str) -> dt.datetime:
    quarter = re.fullmatch(r"(\d+)-?Q([1-4])", window)
    if quarter:
        return dt.datetime(int(quarter[1]), 3 * int(quarter[2]) - 2, 1, tzinfo=dt.UTC)
    if re.fullmatch(r"\d{4}", window):
        return dt.datetime(int(window), 1, 1, tzinfo=dt.UTC)
    if re.fullmatch(r"\d{4}-\d\d", window):
        return dt.datetime(int(window[:4]), int(window[5:]), 1, tzinfo=dt.UTC)
    return dt.datetime.fromisoformat(window).replace(tzinfo=dt.UTC)


def _following(starts: dt.datetime, by: str) -> dt.datetime:
    months = {"month": 1, "quarter": 3, "year": 12}.get(by)
    if months is None:
        return starts + dt.timedelta(seconds=LENGTHS[by])
    years, month = divmod(starts.month - 1 + months, 12)
    return starts.replace(year=starts.year + years, month=month + 1)
