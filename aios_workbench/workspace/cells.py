"""Values of a table as the browser gets them: plain JSON, short, and nothing lost without saying so."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any

MAX_CELL = 500

_SAFE = 2**53  # above it a browser's number is no longer the same integer


def cell(value: Any) -> Any:
    """Return a value as JSON has it: whole numbers beyond 2**53, NaN and everything special as text.

    Examples
    --------
    >>> [cell(v) for v in (1.5, 2**60, float("nan"), None, b"x")]
    [1.5, '1152921504606846976', 'NaN', None, "b'x'"]
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if (
        isinstance(value, decimal.Decimal)
        and value == value.to_integral_value()
        and value.as_tuple().exponent == 0
    ):
        return cell(int(value))  # DuckDB's sums of integers
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def number(value: Any) -> float | None:
    """Return a finite float, or None."""
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None
