"""What pictures drawn in Python share: text that is safe in XML, figures, axes. The same bytes for the same data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

FONT = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"

Scale = Callable[[float], float]


def text(value: str) -> str:
    """Escape, and leave out what XML cannot hold.

    Examples
    --------
    >>> text('a < "b"' + chr(0))
    'a &lt; &quot;b&quot;'
    """
    kept = (
        c
        for c in value
        if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )
    return escape("".join(kept))


def fitted(said: str, letters: int) -> str:
    """Cut a text to a width; a wide character (Chinese, emoji) takes the room of two.

    Examples
    --------
    >>> fitted("a long name", 6)
    'a lon…'
    """
    room = letters
    for i, c in enumerate(said):
        room -= 2 if ord(c) >= 0x1100 else 1
        if room < 0:
            return said[: max(i - 1, 1)] + "…"
    return said


def figure(value: float) -> str:
    """Return a number with three digits that count.

    Examples
    --------
    >>> figure(15365.2), figure(0.1234), figure(4.5), figure(1.5e-16)
    ('15,400', '0.123', '4.5', '1.5e-16')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if abs(value) < 1e-6:
        return f"{value:.3g}"  # nobody counts zeros
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.0f}" if digits <= 0 else f"{rounded:,.{digits}f}".rstrip("0").rstrip(".")


def scaled(values: Sequence[float], start: float, end: float, margin: float, least: float = 0.3) -> Scale:
    """Return the place on an axis from `start` to `end` that has some room at both ends.

    Examples
    --------
    >>> [scaled([0.0, 1.0], 0, 120, 0.1)(v) for v in (0.0, 1.0)]
    [10.0, 110.0]
    """
    low, high = min(values), max(values)
    room = max(high - low, least) * margin
    low, high = low - room, max(high, low + least) + room
    return lambda v: start + (v - low) / (high - low) * (end - start)


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high` for a log scale, seven at most."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(found) <= 7:
            return found
    return found[:: -(-len(found) // 7)]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, at most `most` and a few.

    Examples
    --------
    >>> ticks(0, 9)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return [low] if math.isfinite(low) else []
    raw = (high - low) / most
    if raw <= 0 or not math.isfinite(raw):
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999), raw)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)] if last - first < 50 else [low, high]
