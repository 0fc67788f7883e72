"""All rows of an explanation as still pictures: importance, beeswarm, and both under one head with the checks."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aios_workbench.explain.names import one_line, signed
from aios_workbench.widgets.explain_canvas import SHADES, Canvas, shade
from aios_workbench.widgets.explain_pack import unpack
from aios_workbench.widgets.svg import figure, scaled, ticks

if TYPE_CHECKING:
    from aios_workbench.explain.models import Check, Column
    from aios_workbench.widgets.explain_pages import GlobalPage, ImportanceBar, Swarm

_ROW, _LABEL, _WIDTH = 30.0, 190.0, 780.0
_MOST = 12
#: 95 % of a normal distribution lie within so many standard errors.
Z95 = 1.96
#: Level -> word and the mark before it: told by shape and word as well as by colour.
LEVELS = {"ok": "holds", "warn": "look", "fail": "does not hold", "skipped": "not made"}
_MARKS = {
    "ok": [(2.0, 7.5), (5.5, 11.0), (12.0, 3.0)], "warn": [(7.0, 1.5), (13.0, 12.5), (1.0, 12.5), (7.0, 1.5)],
    "fail": [(2.0, 2.0), (7.0, 7.0), (12.0, 2.0), (7.0, 7.0), (12.0, 12.0), (7.0, 7.0), (2.0, 12.0)],
    "skipped": [(2.0, 7.0), (12.0, 7.0)],
}  # fmt: skip


def importance(page: GlobalPage, columns: Sequence[Column], unit: str, *, most: int = _MOST) -> Canvas:
    """Draw how much each column counts, by SHAP (filled) and by LIME (outlined), with 95 % intervals."""
    shown = page.importance[:most]
    c = Canvas(
        _WIDTH,
        46 + max(len(shown), 1) * _ROW + 34,
        f"Importance of columns: mean absolute part in the {unit}",
    )
    c.text(16, 24, "Importance", size=14, bold=True)
    c.text(_WIDTH - 16, 24, f"mean absolute part in the {unit}", 60, ink="quiet", anchor="end")
    for i, bar in enumerate(shown):
        c.text(16, 46 + i * _ROW + 18, name_of(columns, bar.at), 23)
    _bars(c, shown, _LABEL, _WIDTH - 90, 46.0)
    if not shown:
        c.text(16, 64, "Nothing was explained.", ink="quiet")
    left_out(c, len(page.importance) - len(shown), any(b.lime is not None for b in shown))
    return c


def left_out(c: Canvas, more: int, lime: bool) -> None:
    """Write below a picture what is drawn how, and how many columns are not drawn."""
    legend = "filled: SHAP · outlined: LIME · line: 95 % interval" if lime else "line: 95 % interval"
    c.text(
        16,
        c.height - 12,
        legend + (f" · {more:,} more columns" if more > 0 else ""),
        110,
        ink="quiet",
        size=11,
    )


def _bars(c: Canvas, shown: Sequence[ImportanceBar], left: float, right: float, top: float) -> None:
    most = max([max(b.value + Z95 * (b.error or 0), b.lime or 0) for b in shown] + [1e-12])
    x = scaled([0.0, most], left, right, 0.0, least=1e-12)
    for i, b in enumerate(shown):
        y = top + i * _ROW
        both = b.lime is not None
        c.rect(left, y + (5 if both else 8), x(b.value) - left, 10 if both else 14, "size")
        whisker(c, x, b.value, b.error, y + (10 if both else 15), least=0.0)
        if b.lime is not None:
            c.rect(left, y + 17, x(b.lime) - left, 6, "lime", hollow=True)
        c.text(
            min(x(b.value + Z95 * (b.error or 0)) + 6, right + 6),
            y + 14 + (0 if both else 5),
            figure(b.value),
            10,
            size=11,
        )


def whisker(
    c: Canvas, x: object, value: float, error: float | None, y: float, *, least: float | None = None
) -> None:
    """Draw a 95 % interval."""
    if not error or not callable(x):
        return
    low = value - Z95 * error
    ends = [x(low if least is None else max(low, least)), x(value + Z95 * error)]
    c.line([(ends[0], y), (ends[1], y)], "text", width=1.2)
    for end in ends:
        c.line([(end, y - 3), (end, y + 3)], "text", width=1.2)


def beeswarm(
    swarm: Swarm, columns: Sequence[Column], unit: str, *, most: int = _MOST, rows: int = 400
) -> Canvas:
    """Draw each row's contribution of each column as a dot; its colour is the column's value."""
    shown = swarm.columns[:most]
    c = Canvas(
        _WIDTH,
        46 + max(len(shown), 1) * _ROW + 58,
        f"Contributions of columns to the {unit}, a dot for each row",
    )
    c.text(16, 24, "Contributions", size=14, bold=True)
    c.text(_WIDTH - 16, 24, f"part in the {unit}, a dot for each row", 60, ink="quiet", anchor="end")
    for i, at in enumerate(shown):
        c.text(16, 46 + i * _ROW + 18, name_of(columns, at), 23)
    _dots(c, swarm, columns, shown, (_LABEL, _WIDTH - 20, 46.0), rows)
    _shades(c, 16, c.height - 16)
    return c


def _dots(
    c: Canvas,
    swarm: Swarm,
    columns: Sequence[Column],
    shown: Sequence[int],
    place: tuple[float, float, float],
    rows: int,
) -> None:
    left, right, top = place
    n = swarm.rows.length
    bottom = top + len(shown) * _ROW
    low, high = min(swarm.x.low, 0.0), max(swarm.x.high, 0.0)
    x = scaled([low, high], left, right, 0.03, least=1e-12)
    c.line([(x(0), top - 2), (x(0), bottom + 4)], "line", width=1.5)
    if not n:
        return
    for t in ticks(low, high, 5):
        c.text(x(t), bottom + 18, figure(t), 10, ink="quiet", anchor="middle", size=11)
    values, codes, offsets = unpack(swarm.x), unpack(swarm.colour), unpack(swarm.offset)
    step = max(1, n // rows)
    for i, at in enumerate(shown):
        inks: dict[str, list[tuple[float, float]]] = {}
        category = columns[at].kind in ("categorical", "text")
        middle = top + i * _ROW + _ROW / 2 - 1
        c.line([(left, middle), (right, middle)], "line", width=0.5)
        for r in range(i * n, (i + 1) * n, step):
            code = codes[r] if math.isfinite(codes[r]) else 255
            inks.setdefault(shade(code, category=category), []).append(
                (x(values[r]), middle + offsets[r] / 127 * (_ROW / 2 - 3))
            )
        for ink in sorted(inks):
            c.dots(inks[ink], ink, size=4)


def _shades(c: Canvas, x: float, y: float) -> None:
    c.text(x, y, "low value", 20, ink="quiet", size=11)
    for i in range(SHADES):
        c.rect(x + 58 + i * 12, y - 9, 12, 10, f"shade{i}")
    c.text(
        x + 64 + SHADES * 12,
        y,
        "high value · a category has a colour for each value · grey: missing or another",
        90,
        ink="quiet",
        size=11,
    )


def checks(found: Sequence[Check], *, width: float = _WIDTH, most: int = 12) -> Canvas:
    """Draw the checks as a list: mark, title, what was found."""
    order = ("fail", "warn", "skipped", "ok")
    shown = sorted(found, key=lambda k: order.index(k.level))[:most]
    said = [textwrap.wrap(one_line(k.words, 300), int((width - 280) / 6.8))[:3] or [""] for k in shown]
    c = Canvas(width, 14 + sum(4 + 16 * len(lines) for lines in said) + 20 * (not shown), "Checks")
    y = 14.0
    for k, lines in zip(shown, said, strict=True):
        mark(c, k.level, 16, y - 10)
        c.text(38, y + 2, f"{k.title}: {LEVELS[k.level]}", 40, ink=k.level, bold=k.level == "fail")
        for line in lines:
            c.text(270, y + 2, line, ink="quiet", size=11.5)
            y += 16
        y += 4
    if not shown:
        c.text(16, 14, "No checks were made.", ink="quiet")
    return c


def mark(c: Canvas, level: str, x: float, y: float) -> None:
    """Draw a level's mark in a box of 14 by 14."""
    c.line([(x + a, y + b) for a, b in _MARKS[level]], level, width=2)


def stacked(title: str, sub: str, parts: Sequence[Canvas]) -> Canvas:
    """Return pictures below each other under one head."""
    c = Canvas(max([_WIDTH, *(p.width for p in parts)]), 62 + sum(p.height for p in parts), title)
    c.text(16, 27, title, 80, size=15, bold=True)
    c.text(16, 46, sub, 116, ink="quiet")
    y = 56.0
    for part in parts:
        c.put(part, 0, y)
        y += part.height
    return c


def name_of(columns: Sequence[Column], at: int) -> str:
    """Return a column's name on one line, as a label."""
    return one_line(columns[at].name, 200) if at < len(columns) else f"column {at}"


def part(value: float) -> str:
    """Return a contribution with its sign, with a real minus.

    Examples
    --------
    >>> part(-0.1234) == chr(0x2212) + "0.123", part(2.0)
    (True, '+2')
    """
    return signed(value).replace("-", "\N{MINUS SIGN}")
