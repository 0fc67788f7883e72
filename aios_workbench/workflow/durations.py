"""Durations as people write them."""

from __future__ import annotations

import datetime as dt
import math
import re

from aios_workbench.errors import ParameterError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)\s*")


def parse_duration(value: str | float | dt.timedelta) -> float:
    """Return seconds.

    Parameters
    ----------
    value : str, float or timedelta
        Seconds, or text such as ``"30s"``, ``"1h 30m"``, ``"2d"``, ``"250ms"``.

    Raises
    ------
    ParameterError
        When the text is not a duration, or it is not a positive finite number.

    Examples
    --------
    >>> parse_duration("1h 30m")
    5400.0
    """
    if isinstance(value, dt.timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        seconds = _parse_text(value)
    else:
        raise ParameterError(
            f"{value!r} is not a duration; write seconds or text such as '30s', '1h 30m', '2d'"
        )
    if not math.isfinite(seconds) or seconds <= 0:
        raise ParameterError(f"a duration must be positive and finite, not {value!r}")
    return seconds


def _parse_text(text: str) -> float:
    stripped = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        return float(stripped)
    total, at = 0.0, 0
    while at < len(stripped):
        part = _PART.match(stripped, at)
        if part is None:
            break
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if not stripped or at < len(stripped):
        raise ParameterError(f"{text!r} is not a duration; write for example '30s', '5m', '1h 30m', '2d'")
    return total


def format_duration(seconds: float | None) -> str:
    """Return a short reading of a duration in seconds.

    Examples
    --------
    >>> format_duration(0.0123), format_duration(75), format_duration(7260), format_duration(None)
    ('12 ms', '1 min 15 s', '2 h 1 min', '')
    """
    if seconds is None:
        return ""
    if seconds < 0.9995:  # what would round to the next unit is shown in it
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds + 0.05), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
