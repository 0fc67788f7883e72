"""Durations: what people write, what they get, what is refused."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import ParameterError
from aios_workbench.workflow import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30), ("250ms", 0.25), ("5m", 300), ("5min", 300), ("2h", 7200), ("2d", 172_800), ("1w", 604_800),
        ("1h 30m", 5400), ("1h30m", 5400), (" 1.5h ", 5400), ("90", 90), ("0.5", 0.5), (90, 90), (0.25, 0.25),
        (dt.timedelta(minutes=2), 120), ("1d 2h 3m 4s 5ms", 93_784.005),
    ],
)  # fmt: skip
def test_reads_what_people_write(written: object, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "soon", "1x", "1h and 2m", "-5s", "h", "1,5h", "5 s x", 0, -1, "0s", math.nan, math.inf, True, None,
        dt.timedelta(0), [5], b"5s", "1e400", 1e400,
    ],
)  # fmt: skip
def test_refuses_what_is_no_positive_duration(written: object) -> None:
    with pytest.raises(ParameterError, match="duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""), (0, "0 ms"), (0.9994, "999 ms"), (0.9999, "1.0 s"), (1, "1.0 s"), (59.94, "59.9 s"),
        (59.99, "1 min 0 s"), (60, "1 min 0 s"), (3599.9, "59 min 59 s"), (3600, "1 h 0 min"),
        (47 * 3600, "47 h 0 min"),
        (48 * 3600, "2 d 0 h"), (90_000_000, "1041 d 16 h"),
    ],
)  # fmt: skip
def test_shows_a_short_reading(seconds: float | None, shown: str) -> None:
    assert format_duration(seconds) == shown


@given(st.integers(0, 50), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}d {hours}h {minutes}m {seconds}s"
    assert (
        parse_duration(text)
        == dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    )
