"""One row of an explanation as still pictures: waterfall, force, and SHAP beside LIME on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aios_workbench.explain.names import one_line
from aios_workbench.widgets.explain_canvas import Canvas
from aios_workbench.widgets.explain_chart import name_of, part, whisker
from aios_workbench.widgets.svg import figure, scaled, ticks

if TYPE_CHECKING:
    from aios_workbench.explain.models import Column
    from aios_workbench.widgets.explain_pages import Bar, RowPage

_ROW, _WIDTH, _LEFT, _RIGHT = 26.0, 780.0, 270.0, 690.0
_MOST = 10


def waterfall(page: RowPage, columns: Sequence[Column], unit: str, *, most: int = _MOST) -> Canvas:
    """Draw how the columns lead from the base to the prediction, the least important first, so read from below."""
    bars, rest, left = _shown(page, most)
    steps: list[tuple[str, float, float | None]] = [(_said(b, columns), b.shap, b.error) for b in bars]
    if left:
        steps.append((f"{left:,} other columns", rest, None))
    c = Canvas(
        _WIDTH,
        62 + (len(steps) + 2) * _ROW + 30,
        f"From {figure(page.base)} to {figure(page.prediction)}: {unit} of row {page.label}",
    )
    _head(
        c,
        f"Row {page.label}: {unit} {figure(page.prediction)}",
        f"from the base {figure(page.base)}, step by step (SHAP)",
    )
    # from the bottom: base, then the small ones, then the large ones, then the prediction
    at, places = page.base, []
    for said, value, error in reversed(steps):
        places.append((said, at, at + value, error))
        at += value
    every = [page.base, page.prediction, *(v for p in places for v in p[1:3])]
    x = scaled(every, _LEFT, _RIGHT, 0.06, least=1e-12)
    top = 62.0
    for i, (said, a, b, error) in enumerate(reversed(places)):
        y = top + (i + 1) * _ROW
        c.text(_LEFT - 16, y + 16, said, 36, anchor="end")
        _arrow(c, x(a), x(b), y + 4, 15)
        whisker(c, x, b, error, y + 11.5)
        right = max(x(a), x(b), x(b + 1.96 * (error or 0)))
        c.text(right + 6, y + 16, part(b - a), 12, ink=_ink(b - a), size=11.5)
        c.line([(x(a), y + 19), (x(a), y + _ROW + 4)], "quiet", dashed=True)
    _level(c, x(page.prediction), top, "prediction", figure(page.prediction))
    _level(c, x(page.base), top + (len(places) + 1) * _ROW, "base", figure(page.base))
    _axis(c, every, x, c.height - 12)
    return c


def force(page: RowPage, columns: Sequence[Column], unit: str, *, most: int = 8) -> Canvas:
    """Draw what pushes up and what pushes down against each other; they meet at the prediction."""
    bars, rest, left = _shown(page, most)
    parts = [(_said(b, columns), b.shap) for b in bars] + ([(f"{left:,} others", rest)] if left else [])
    up = [p for p in parts if p[1] > 0]
    down = [p for p in parts if p[1] < 0]
    start = page.prediction - sum(v for _, v in up)
    end = page.prediction - sum(v for _, v in down)
    c = Canvas(_WIDTH, 190, f"What pushes row {page.label} up and down: {unit}")
    _head(
        c,
        f"Row {page.label}: {unit} {figure(page.prediction)}",
        "what pushes it up, from the left, against what pushes it down",
    )
    x = scaled([start, end, page.base, page.prediction], 24, _WIDTH - 24, 0.03, least=1e-12)
    for side, sign in ((up, 1), (down, -1)):
        at = page.prediction
        ink = "up" if sign > 0 else "down"
        for i, (said, value) in enumerate(side):
            to = at - value
            _block(c, x(at), x(to), 84, 26, ink)
            if abs(x(to) - x(at)) > 46:
                room = int(abs(x(to) - x(at)) / 6.6)
                c.text((x(at) + x(to)) / 2, 126 + (i % 2) * 14, said, room, ink=ink, anchor="middle", size=11)
            at = to
    c.line([(x(page.prediction), 76), (x(page.prediction), 118)], "text", width=2)
    c.text(x(page.prediction), 72, figure(page.prediction), 12, anchor="middle", bold=True)
    c.line([(x(page.base), 80), (x(page.base), 114)], "quiet", dashed=True)
    c.text(x(page.base), 156, f"base {figure(page.base)}", 20, ink="quiet", anchor="middle", size=11)
    _axis(c, [start, end, page.base, page.prediction], x, c.height - 12)
    return c


def compare(page: RowPage, columns: Sequence[Column], unit: str, *, most: int = _MOST) -> Canvas:
    """Draw SHAP's and LIME's contributions on one axis; where they disagree, a mark and a word say so."""
    bars, rest, left = _shown(page, most)
    c = Canvas(
        _WIDTH, 62 + max(len(bars), 1) * 34 + 52, f"SHAP and LIME for row {page.label}: part in the {unit}"
    )
    fit = "" if page.lime_r2 is None else f" · LIME's local fit R² {figure(page.lime_r2)}"
    _head(c, f"Row {page.label}: SHAP and LIME", f"part in the {unit}{fit}")
    every = [0.0, *(v for b in bars for v in _ends(b))]
    x = scaled(every, _LEFT + 44, _RIGHT - 60, 0.03, least=1e-12)
    bottom = 62.0 + max(len(bars), 1) * 34
    c.line([(x(0), 58), (x(0), bottom)], "line", width=1.5)
    for i, b in enumerate(bars):
        y = 62 + i * 34.0
        if b.agrees is False:
            c.rect(6, y - 2, _WIDTH - 12, 32, "warn", hollow=True)
            c.text(_WIDTH - 14, y + 18, "≠ disagree", 12, ink="warn", anchor="end", bold=True, size=11)
        c.text(_LEFT - 16, y + 18, _said(b, columns), 36, anchor="end")
        ink = _ink(b.shap)
        c.rect(min(x(0), x(b.shap)), y + 3, abs(x(b.shap) - x(0)), 11, ink)
        whisker(c, x, b.shap, b.error, y + 8.5)
        c.text(
            _beside(x, b.shap, b.error),
            y + 12,
            part(b.shap),
            10,
            ink=ink,
            size=10.5,
            anchor="start" if b.shap >= 0 else "end",
        )
        if b.lime is not None:
            c.rect(min(x(0), x(b.lime)), y + 17, abs(x(b.lime) - x(0)), 9, "lime", hollow=True)
            whisker(c, x, b.lime, b.lime_error, y + 21.5)
            c.text(
                _beside(x, b.lime, b.lime_error),
                y + 26,
                part(b.lime),
                10,
                ink="lime",
                size=10.5,
                anchor="start" if b.lime >= 0 else "end",
            )
    none = not any(b.lime is not None for b in bars)
    legend = "filled: SHAP · outlined: LIME · line: 95 % interval"
    said = "LIME did not explain this row." if none else legend
    c.text(
        16,
        c.height - 12,
        said + (f" · {left:,} other columns: {part(rest)}" if left else ""),
        110,
        ink="quiet",
        size=11,
    )
    _axis(c, every, x, bottom + 16)
    return c


def _shown(page: RowPage, most: int) -> tuple[list[Bar], float, int]:
    shown = page.bars[:most]
    others = page.bars[most:]
    return shown, page.rest + sum(b.shap for b in others), page.left + len(others)


def _said(b: Bar, columns: Sequence[Column]) -> str:
    name = name_of(columns, b.at)
    return f"{one_line(name, 24)} = {one_line(b.value, 40)}" if b.value else name


def _ink(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else "quiet"


def _ends(b: Bar) -> list[float]:
    out = [b.shap - 1.96 * (b.error or 0), b.shap + 1.96 * (b.error or 0)]
    if b.lime is not None:
        out += [b.lime - 1.96 * (b.lime_error or 0), b.lime + 1.96 * (b.lime_error or 0)]
    return out


def _beside(x: object, value: float, error: float | None) -> float:
    assert callable(x)
    sign = 1 if value >= 0 else -1
    found: float = x(value + sign * 1.96 * (error or 0)) + sign * 5
    return found


def _head(c: Canvas, title: str, sub: str) -> None:
    c.text(16, 24, title, 84, size=14, bold=True)
    c.text(16, 44, sub, 116, ink="quiet")


def _arrow(c: Canvas, a: float, b: float, y: float, h: float) -> None:
    """Draw a bar that points where it goes: the sign is a shape as well as a colour."""
    tip = min(7.0, abs(b - a)) * (1 if b >= a else -1)
    c.area([(a, y), (b - tip, y), (b, y + h / 2), (b - tip, y + h), (a, y + h)], "up" if b >= a else "down")


def _block(c: Canvas, end: float, start: float, y: float, h: float, ink: str) -> None:
    """Draw a block whose point touches the next one's notch."""
    tip = min(6.0, abs(end - start) / 2) * (1 if end >= start else -1)
    c.area(
        [
            (start, y),
            (end - tip, y),
            (end, y + h / 2),
            (end - tip, y + h),
            (start, y + h),
            (start + tip, y + h / 2),
        ],
        ink,
    )


def _level(c: Canvas, x: float, y: float, said: str, value: str) -> None:
    c.text(_LEFT - 16, y + 16, said, 36, anchor="end", bold=True)
    c.line([(x, y + 2), (x, y + 22)], "text", width=2.5)
    c.text(x + 8, y + 16, value, 14, bold=True)


def _axis(c: Canvas, values: Sequence[float], x: object, y: float) -> None:
    assert callable(x)
    for t in ticks(min(values), max(values), 5):
        c.text(x(t), y, figure(t), 10, ink="quiet", anchor="middle", size=11)
