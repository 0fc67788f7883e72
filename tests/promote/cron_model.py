"""Cron by brute force: every minute of a stretch of time is looked at. Slow, and simple enough to be believed."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from aios_workbench.promote.schedule import zone

_LOWEST, _HIGHEST = (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)


def ticks(cron: str, timezone: str, first: float, last: float) -> list[float]:
    """Return the ticks in [first, last]; first and last are whole minutes."""
    tz = zone(timezone)
    minute, hour, *_ = cron.split()
    if timezone == "UTC" or minute.startswith("*") or hour.startswith("*"):
        instants = (first + 60 * n for n in range(int((last - first) // 60) + 1))
        return [at for at in instants if _matches(cron, dt.datetime.fromtimestamp(at, tz))]
    # A fixed time of day: once for each wall time, in the gap as soon as there is a wall time again.
    wall = dt.datetime.fromtimestamp(first, tz).replace(tzinfo=None) - dt.timedelta(hours=3)
    end = dt.datetime.fromtimestamp(last, tz).replace(tzinfo=None) + dt.timedelta(hours=3)
    found = set()
    while wall <= end:
        if _matches(cron, wall):
            real, longest = wall, dt.timedelta(hours=3)
            while _imaginary(real, tz):
                real += dt.timedelta(minutes=1)
            start = wall
            while start < real and _imaginary(start - dt.timedelta(minutes=1), tz):
                start -= dt.timedelta(minutes=1)
            if real - start > longest:
                wall += dt.timedelta(minutes=1)
                continue  # Debian's cron: not daylight saving, but a clock that was corrected
            found.add(real.replace(tzinfo=tz, fold=0).timestamp())
        wall += dt.timedelta(minutes=1)
    return sorted(at for at in found if first <= at <= last)


def _imaginary(wall: dt.datetime, tz: dt.tzinfo) -> bool:
    there = wall.replace(tzinfo=tz)
    return there.astimezone(dt.UTC).astimezone(tz).replace(tzinfo=None) != wall


def _matches(cron: str, wall: dt.datetime) -> bool:
    minute, hour, day, month, weekday = (_values(f, i) for i, f in enumerate(cron.split()))
    if wall.minute not in minute or wall.hour not in hour or wall.month not in month:
        return False
    by_day = wall.day in day
    by_weekday = bool({wall.isoweekday(), wall.isoweekday() % 7} & weekday)
    either = not cron.split()[2].startswith("*") and not cron.split()[4].startswith("*")
    return (by_day or by_weekday) if either else (by_day and by_weekday)


def _values(text: str, field: int) -> set[int]:
    everything = range(_LOWEST[field], _HIGHEST[field] + 1)
    out: set[int] = set()
    for part in text.split(","):
        if part == "*":
            out |= set(everything)
        elif part.startswith("*/"):
            out |= set(everything[:: int(part[2:])])
        elif "-" in part:
            a, b = part.split("-")
            out |= set(range(int(a), int(b) + 1))
        else:
            out.add(int(part))
    return out


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        one.map(str),
        st.integers(2, 15).map(lambda n: f"*/{n}"),
        st.lists(one, min_size=2, max_size=4, unique=True).map(lambda v: ",".join(map(str, v))),
        st.tuples(one, one).map(lambda v: f"{min(v)}-{max(v)}"),
    )


crons = st.tuples(
    _field(0, 59),
    _field(0, 23),
    st.one_of(st.just("*"), _field(1, 28)),
    st.just("*"),
    st.one_of(st.just("*"), _field(0, 6)),
).map(" ".join)

#: Whole minutes around which clocks change (or, in Kolkata, do not).
_CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "America/Sao_Paulo": ("2018-11-04T03:00", "2018-02-18T02:00"),
    "Asia/Kolkata": ("2026-01-01T00:00", "2026-07-01T00:00"),
    "Australia/Lord_Howe": ("2026-10-03T15:30", "2026-04-04T15:00"),  # by half an hour
    "Pacific/Chatham": ("2026-09-26T14:00", "2026-04-04T14:00"),  # from +12:45 to +13:45
    "America/Santiago": ("2026-09-06T04:00", "2026-04-05T03:00"),  # skips and repeats midnight
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00"),  # the same
    "Asia/Beirut": ("2026-03-28T22:00", "2026-10-24T21:00"),  # the same
    "America/St_Johns": ("2010-03-14T03:31", "2010-11-07T02:31"),  # a minute past midnight, so over it twice
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),  # by two hours
    "America/Nuuk": ("2026-03-29T01:00", "2026-10-25T01:00"),  # an hour before midnight
    "Africa/Casablanca": ("2026-02-15T02:00", "2026-03-22T02:00"),  # back for Ramadan
    "Pacific/Apia": ("2011-12-30T10:00", "2012-03-31T14:00"),  # the first: a whole day is left out
    "Pacific/Kwajalein": (
        "1993-08-21T12:00",
        "1969-09-30T13:00",
    ),  # the same; the second: 23 hours are repeated
    "UTC": ("2026-03-29T01:00", "2026-12-31T23:00"),
}


@st.composite
def moments(draw: st.DrawFn, zones: tuple[str, ...] = tuple(sorted(_CHANGES))) -> tuple[str, float]:
    """A zone, and a minute at most a day before or after its clocks change."""
    timezone = draw(st.sampled_from(zones))
    change = dt.datetime.fromisoformat(draw(st.sampled_from(_CHANGES[timezone]))).replace(tzinfo=dt.UTC)
    return timezone, change.timestamp() + 60 * draw(st.integers(-1440, 1440))
