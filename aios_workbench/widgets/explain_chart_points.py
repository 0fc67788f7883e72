"""Points and pairs of an explanation as still pictures: dependence, SHAP against LIME, the heat map of interactions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aios_workbench.explain.names import one_line
from aios_workbench.widgets.explain_canvas import SHADES, Canvas, shade
from aios_workbench.widgets.explain_chart import name_of
from aios_workbench.widgets.explain_pack import unpack
from aios_workbench.widgets.svg import figure, scaled, ticks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.models import Column
    from aios_workbench.widgets.explain_pages import (
        AgreementPage,
        AxisInfo,
        DependencePage,
        InteractionsPage,
        Packed,
        Scatter,
    )
    from aios_workbench.widgets.svg import Scale

    Floats = npt.NDArray[np.float64]

_WIDTH, _HEIGHT = 620.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 76.0, 596.0, 58.0, 340.0
_MOST = 1500


def dependence(page: DependencePage) -> Canvas:
    """Draw each row's contribution of a column over its value, with the mean and its 95 % interval."""
    s = page.scatter
    c = _points(s, f"{s.y_axis.title} by {s.x_axis.title}")
    x, y = _scale(s.x, s.x_axis, _LEFT, _RIGHT), _scale(s.y, s.y_axis, _BOTTOM, _TOP)
    known = [p for p in page.curve if p.low is not None and p.high is not None]
    if s.x_axis.values or len(known) < 2:
        for p in known:
            c.line([(x(p.x), y(p.low or 0)), (x(p.x), y(p.high or 0))], "text", width=2.5)
            c.line([(x(p.x) - 9, y(p.y)), (x(p.x) + 9, y(p.y))], "text", width=2.5)
        return c
    ends = [(x(p.x), y(p.high or 0)) for p in known] + [(x(p.x), y(p.low or 0)) for p in reversed(known)]
    c.area(ends, "text", faint=True)
    c.line([(x(p.x), y(p.y)) for p in known], "text", width=2)
    return c


def scatter(s: Scatter) -> Canvas:
    """Draw a point for each row."""
    return _points(s, f"{s.y_axis.title} by {s.x_axis.title}")


def agreement(page: AgreementPage) -> Canvas:
    """Draw LIME's contributions over SHAP's: what lies off the diagonal is what they disagree on."""
    c = Canvas(_WIDTH, _HEIGHT, "SHAP against LIME, a dot for each column of each row")
    a = page.agreement
    figures = () if a is None else (("rank", a.rank), ("overlap", a.overlap), ("sign", a.sign))
    told = " · ".join(f"{said} {figure(v)}" for said, v in figures if v is not None)
    c.text(16, 24, "SHAP against LIME", size=14, bold=True)
    c.text(
        16,
        44,
        f"medians over {a.rows if a else 0:,} rows: {told}" if told else "a dot for each column of each row",
        90,
        ink="quiet",
    )
    x = scaled([page.shap.low, page.shap.high, 0.0], _LEFT, _RIGHT, 0.03, least=1e-12)
    y = scaled([page.lime.low, page.lime.high, 0.0], _BOTTOM, _TOP, 0.03, least=1e-12)
    _frame(
        c,
        x,
        y,
        [min(page.shap.low, 0), max(page.shap.high, 0)],
        [min(page.lime.low, 0), max(page.lime.high, 0)],
    )
    ends = (max(page.shap.low, page.lime.low), min(page.shap.high, page.lime.high))
    c.line([(x(v), y(v)) for v in ends], "quiet", dashed=True)
    shap, lime = unpack(page.shap), unpack(page.lime)
    step = max(1, len(shap) // _MOST)
    same: list[tuple[float, float]] = []
    other: list[tuple[float, float]] = []
    for u, v in zip(shap[::step], lime[::step], strict=True):
        if math.isfinite(u) and math.isfinite(v):
            (other if u * v < 0 else same).append((x(u), y(v)))
    c.dots(same, "down", size=4)
    for u, v in other:  # another sign: a cross, not only another colour
        c.line([(u - 3, v - 3), (u + 3, v + 3)], "up", width=1.4)
        c.line([(u - 3, v + 3), (u + 3, v - 3)], "up", width=1.4)
    c.text((_LEFT + _RIGHT) / 2, _HEIGHT - 26, "SHAP", anchor="middle")
    c.text(16, (_TOP + _BOTTOM) / 2, "LIME", 20)
    c.text(
        16,
        _HEIGHT - 8,
        "dot: same sign · cross: opposite sign · dashed: both the same",
        90,
        ink="quiet",
        size=11,
    )
    return c


def interactions(page: InteractionsPage, columns: Sequence[Column]) -> Canvas:
    """Draw how strongly pairs of columns act together: the stronger, the larger and darker the square."""
    m = len(page.columns)
    cell = max(18.0, min(46.0, 440 / max(m, 1)))
    c = Canvas(200 + m * cell + 20, 62 + m * cell + 110, "Interactions of columns")
    c.text(16, 24, "Interactions", size=14, bold=True)
    c.text(16, 44, f"{page.method}, {page.rows:,} rows{', exact' * page.exact}", 60, ink="quiet")
    most = max(
        [v for i, line in enumerate(page.strength) for j, v in enumerate(line) if v is not None and i != j]
        + [1e-12]
    )
    for i in range(m):
        c.text(188, 62 + (i + 0.5) * cell + 4, name_of(columns, page.columns[i]), 26, anchor="end")
        for j in range(m):
            v = page.strength[i][j]
            x, y = 200 + j * cell, 62 + i * cell
            c.rect(x, y, cell - 2, cell - 2, "line", hollow=True)
            if v is not None and i != j:
                share = min(max(v, 0) / most, 1.0)
                side = (cell - 2) * (0.15 + 0.85 * share**0.5) if v > 0 else 0.0
                c.rect(
                    x + (cell - 2 - side) / 2,
                    y + (cell - 2 - side) / 2,
                    side,
                    side,
                    f"shade{round(share * (SHADES - 1))}",
                )
        c.text(
            200 + (i + 0.5) * cell,
            62 + m * cell + 16 + (i % 3) * 15,
            one_line(name_of(columns, page.columns[i]), 18),
            18,
            ink="quiet",
            anchor="middle",
            size=10.5,
        )
    c.text(
        16,
        c.height - 12,
        f"largest: {figure(most)}" if most > 1e-12 else "no interaction was found",
        60,
        ink="quiet",
        size=11,
    )
    return c


def _points(s: Scatter, title: str) -> Canvas:
    c = Canvas(_WIDTH, _HEIGHT, title)
    c.text(16, 24, title, 70, size=14, bold=True)
    said = f"{s.rows.length:,} of {s.of:,} rows" if s.rows.length < s.of else f"{s.of:,} rows"
    c.text(16, 44, said + (f" · colour: {s.colour_axis.title}" if s.colour_axis else ""), 90, ink="quiet")
    x, y = _scale(s.x, s.x_axis, _LEFT, _RIGHT), _scale(s.y, s.y_axis, _BOTTOM, _TOP)
    _frame(c, x, y, [s.x.low, s.x.high], [s.y.low, s.y.high], s.x_axis, s.y_axis)
    u, v = unpack(s.x), unpack(s.y)
    category = s.colour_axis is not None and s.colour_axis.kind in ("categorical", "text")
    inks = ["down"] * len(u)
    if s.colour is not None:
        found = unpack(s.colour)
        span = s.colour.high - s.colour.low
        codes = found if category else (found - s.colour.low) / span * 254 if span > 0 else found * 0 + 127
        inks = [shade(k if math.isfinite(k) else 255, category=category) for k in codes]
    groups: dict[str, list[tuple[float, float]]] = {}
    for i in range(0, len(u), max(1, len(u) // _MOST)):
        at = (x(u[i]) if math.isfinite(u[i]) else _LEFT, y(v[i]) if math.isfinite(v[i]) else _BOTTOM)
        groups.setdefault(inks[i] if math.isfinite(u[i]) else "none", []).append(at)
    for ink in sorted(groups):
        c.dots(groups[ink], ink, size=4.5)
    c.text((_LEFT + _RIGHT) / 2, _HEIGHT - 26, s.x_axis.title, 60, anchor="middle")
    return c


def _scale(packed: Packed, info: AxisInfo, start: float, end: float) -> Scale:
    ends = [packed.low, packed.high]
    if info.values:
        ends = [-0.5, max(len(info.values) - 0.5, packed.high + 0.5)]
    return scaled(ends, start, end, 0.03, least=max(abs(packed.low), 1.0) * 1e-9)


def _frame(
    c: Canvas, x: Scale, y: Scale, across: Sequence[float], up: Sequence[float], x_info: AxisInfo | None = None,
    y_info: AxisInfo | None = None,
) -> None:  # fmt: skip
    c.line([(_LEFT - 4, _TOP), (_LEFT - 4, _BOTTOM + 4), (_RIGHT, _BOTTOM + 4)], "line")
    for at, said in _labels(across, x_info):
        c.text(x(at), _BOTTOM + 20, said, 12, ink="quiet", anchor="middle", size=10.5)
    for at, said in _labels(up, y_info):
        c.text(_LEFT - 10, y(at) + 4, said, 10, ink="quiet", anchor="end", size=10.5)
    if min(up) < 0 < max(up):
        c.line([(_LEFT, y(0)), (_RIGHT, y(0))], "line", dashed=True)


def _labels(ends: Sequence[float], info: AxisInfo | None) -> list[tuple[float, str]]:
    if info is not None and info.values:
        step = -(-len(info.values) // 8)
        return [(float(i), one_line(v, 12)) for i, v in enumerate(info.values)][::step]
    if info is not None and info.kind == "datetime":
        import datetime as dt

        start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        places = [ends[0], (ends[0] + ends[1]) / 2, ends[1]]
        return [(t, f"{start + dt.timedelta(seconds=t):%Y-%m-%d}") for t in places if abs(t) < 6e10]
    if info is not None and info.kind == "boolean":
        return [(0.0, "False"), (1.0, "True")]
    return [(t, figure(t)) for t in ticks(min(ends), max(ends), 5)]
