"""Columns of a drift report as still pictures: SVG from pure Python, the same bytes for the same report."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

from aios_workbench.drift.models import ColumnDrift, Histogram, ReportData, Verdict
from aios_workbench.drift.names import words
from aios_workbench.widgets.drift_view import WORST, cut, main_statistic, short, spark
from aios_workbench.widgets.svg import FONT, figure, fitted, scaled, text, ticks

#: Verdict -> word, colour on white (4.5:1 at least), path of its mark in a box of 14 by 14; `drifted` is filled.
LOOKS: dict[Verdict, tuple[str, str, str]] = {
    "drifted": ("drifted", "#a40e26", "M7 1.2L13.2 12.6H.8z"),
    "small": ("small shift", "#8a4600", "M7 2.2L12.2 11.8H1.8z"),
    "stable": ("stable", "#116329", "M2 7.5l3.5 3.5L12 3.5"),
    "few": ("not enough data", "#57606a", "M2.5 7h.01M7 7h.01M11.5 7h.01"),
    "skipped": ("not compared", "#57606a", "M2.5 7h9"),
}
#: Classes of what is drawn: the reference is an outline, the current side is filled.
CSS = """
.dr-a{fill:none;stroke:#8250df;stroke-width:1.6}.dr-b{fill:#0969da;fill-opacity:.42;stroke:none}
.dr-as{stroke:#8250df;stroke-width:2.4}.dr-bs{stroke:#0969da;stroke-width:4;stroke-opacity:.6}
.dr-line{stroke:#d0d7de;fill:none}.dr-limit{stroke:#0550ae;stroke-dasharray:5 3;fill:none}
.dr-quiet{fill:#57606a}.dr-text{fill:#1f2328}.dr-path{fill:none;stroke:#57606a;stroke-width:1.4}
.dr-drifted{color:#a40e26}.dr-small{color:#8a4600}.dr-stable{color:#116329}.dr-few,.dr-skipped{color:#57606a}
"""
DARK = """@media (prefers-color-scheme: dark){
.dr-a{stroke:#d2a8ff}.dr-b{fill:#58a6ff}.dr-as{stroke:#d2a8ff}.dr-bs{stroke:#58a6ff}
.dr-line{stroke:#5b636d}.dr-limit{stroke:#79b8ff}.dr-quiet{fill:#a9b3be}.dr-text{fill:#f0f3f6}.dr-path{stroke:#a9b3be}
.dr-drifted{color:#ff9a94}.dr-small{color:#f0a35e}.dr-stable{color:#6fdd8b}.dr-few,.dr-skipped{color:#a9b3be}}
"""
_ROW, _HEAD, _WIDTH = 30.0, 64.0, 780.0
_MOST_ROWS = 16


def ranked(columns: Sequence[ColumnDrift]) -> list[ColumnDrift]:
    """Return columns with what a person has to know about first."""
    return sorted(columns, key=lambda c: (WORST.index(c.verdict), -(c.effect or 0.0)))


def mark(verdict: Verdict, x: float, y: float, size: float = 1.0) -> str:
    """Return a verdict's mark: told by shape and colour."""
    path = LOOKS[verdict][2]
    grown = "" if size == 1 else f" scale({size:g})"
    fill = "currentColor" if verdict == "drifted" else "none"
    return (
        f'<path class="dr-{verdict}" d="{path}" transform="translate({x:.1f} {y:.1f}){grown}" fill="{fill}" '
        'stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def told(c: ColumnDrift, data: ReportData) -> str:
    """Return a column's main statistic, as ``PSI 0.41``."""
    name = main_statistic(c, data.rules)
    return "" if name is None else f"{words(name)} {figure(c.statistics[name].value)}"


def number(value: float | None) -> str:
    """Return a figure; nothing for what is none."""
    return "" if value is None or not math.isfinite(value) else figure(value)


def p_text(p: float | None) -> str:
    """Return a p-value as people write it.

    Examples
    --------
    >>> p_text(1e-30), p_text(0.0312), p_text(None)
    ('< 0.0001', '0.031', '')
    """
    return "" if p is None or math.isnan(p) else "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def shown_value(c: ColumnDrift, value: float | None) -> str:
    """Return a number of a column as people read it: a time as a date."""
    if value is None or not math.isfinite(value):
        return ""
    if c.kind != "datetime":
        return figure(value)
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=value)
    except OverflowError:
        return figure(value)
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"


def overview(data: ReportData) -> str:
    """Return the whole report as one `<svg>` element: the columns that matter most, self-contained."""
    shown = ranked(data.columns)[:_MOST_ROWS]
    height = _HEAD + max(1, len(shown)) * _ROW + 34
    largest = max([c.effect or 0.0 for c in shown if math.isfinite(c.effect or 0.0)] + [0.2])
    more = len(data.columns) - len(shown)
    legend = "outline: reference · filled: current · bar: effect · dashed: threshold"
    inside = [
        f'<style>{CSS}</style><rect width="100%" height="100%" rx="8" fill="#ffffff"/>',
        f'<g font-size="15" font-weight="600">{_said(16, 26, data.summary, 84, kind="text")}</g>',
        _said(16, 45, sides(data), 116),
        *(_line(c, data, _HEAD + i * _ROW, largest) for i, c in enumerate(shown)),
        "" if shown else _said(16, _HEAD + 16, "No columns to compare.", 40),
        _said(16, height - 12, legend + (f" · {more:,} more columns" if more else ""), 120),
    ]
    return _framed(data.summary, _WIDTH, height, "".join(inside), size=12)


def sides(data: ReportData) -> str:
    """Return what was compared with what, in a line."""
    return " against ".join(f"{s.name} ({s.rows:,} rows)" for s in (data.reference, data.current))


def _line(c: ColumnDrift, data: ReportData, y: float, largest: float) -> str:
    out = [mark(c.verdict, 16, y + 8), _said(38, y + 19, c.name or "(no name)", 30, kind="text")]
    out.append(_small(c, 262, y + _ROW - 7))
    if c.effect is not None and math.isfinite(c.effect):
        x = scaled([0.0, largest], 400, 560, 0.0, least=1e-9)
        bar = f'd="M400 {y + 15:.1f}H{x(max(c.effect, 0)):.1f}" stroke="currentColor" stroke-width="9"'
        out.append(f'<path class="dr-{c.verdict}" {bar}/>')
        if c.threshold is not None and c.threshold <= largest:
            out.append(f'<path class="dr-limit" d="M{x(c.threshold):.1f} {y + 5:.1f}v20"/>')
        out.append(_said(570, y + 19, figure(c.effect), 8, kind="text"))
    out.append(_said(620, y + 19, told(c, data) or LOOKS[c.verdict][0], 24))
    return f"<g><title>{text(cut(c.name, 200))}: {LOOKS[c.verdict][0]}</title>{''.join(out)}</g>"


def _small(c: ColumnDrift, left: float, base: float) -> str:
    drawn = spark(c)
    if drawn is None:
        return ""
    n = max(len(drawn.reference), 1)
    step = 120 / (max(n, 6) if drawn.values else n)
    bars = "".join(
        f'<rect class="dr-b" x="{left + i * step:.1f}" y="{base - v * 0.2:.1f}" '
        f'width="{max(1, step - 0.6):.1f}" height="{v * 0.2:.1f}"/>'
        for i, v in enumerate(drawn.current)
        if v
    )
    line = "".join(
        f"L{left + i * step:.1f} {base - v * 0.2:.1f}H{left + (i + 1) * step:.1f}"
        for i, v in enumerate(drawn.reference)
    )
    return f'{bars}<path class="dr-a" d="M{left} {base:.1f}{line}V{base:.1f}" stroke-width="1.1"/>'


def distribution(c: ColumnDrift, *, width: float = 420, height: float = 170) -> str:
    """Return both sides of a column over each other; empty where there is nothing to draw."""
    if c.histogram is not None and len(c.histogram.edges) > 1:
        return _histogram(c, c.histogram, width, height)
    return _categories(c, width)


def _histogram(c: ColumnDrift, h: Histogram, width: float, height: float) -> str:
    left, right, top, base = 8.0, width - 8, 8.0, height - 22
    low, high = h.edges[0], h.edges[-1]
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    x = scaled([low, high, *h.atoms], left, right, 0.0, least=max(abs(low), 1.0) * 1e-9)
    # Bins are as high as they are dense: they may differ in width. The densest is as high as its share.
    widths = [max(b - a, 1e-300) for a, b in zip(h.edges, h.edges[1:], strict=False)]
    both = [[s / w for s, w in zip(side, widths, strict=False)] for side in (h.reference, h.current)]
    densest = _most(v for s in both for v in s)
    share = _most([*h.reference, *h.current])
    tallest = max(share, _most([*h.reference_atoms, *h.current_atoms]) if h.atoms else 0.0)
    room = (base - top) / tallest
    paths = []
    for heights in both:
        at = "".join(
            f"L{x(h.edges[i]):.1f} {base - v / densest * share * room:.1f}H{x(h.edges[i + 1]):.1f}"
            for i, v in enumerate(heights)
        )
        paths.append(f"M{x(low):.1f} {base:.1f}{at}V{base:.1f}")
    spikes = "".join(
        f'<path class="dr-{kind}s" d="M{x(value) + beside:.1f} {base:.1f}V{base - s * room:.1f}"/>'
        for value, a, b in zip(h.atoms, h.reference_atoms, h.current_atoms, strict=False)
        for kind, beside, s in (("b", 2, b), ("a", -1, a))
    )
    labels = "".join(
        _said(min(max(x(t), 14), right - 10), base + 15, shown_value(c, t), 20, anchor="middle")
        for t in _places(c, low, high)
    )
    return _framed(
        f"Distribution of {cut(c.name, 200)}: from {shown_value(c, low)} to {shown_value(c, high)}", width, height,
        f'<path class="dr-b" d="{paths[1]}"/><path class="dr-a" d="{paths[0]}"/>{spikes}'
        f'<path class="dr-line" d="M{left} {base:.1f}H{right}"/>{labels}',
    )  # fmt: skip


def _most(values: Iterable[float]) -> float:
    return max((v for v in values if math.isfinite(v)), default=0.0) or 1.0


def _places(c: ColumnDrift, low: float, high: float) -> list[float]:
    if c.kind == "datetime":
        return [low, (low + high) / 2, high]
    return ticks(low, high, 5)


def _categories(c: ColumnDrift, width: float) -> str:
    if c.categories is None or not c.categories.values:
        return ""
    shown = c.categories.values[:12]
    totals = [max(1, s.rows - s.nulls) if s is not None else 1 for s in (c.reference, c.current)]
    shares = [(v.reference / totals[0], v.current / totals[1]) for v in shown]
    room = (width - 250) / _most(v for s in shares for v in s)
    out = []
    for i, (v, (a, b)) in enumerate(zip(shown, shares, strict=True)):
        y = 6 + i * 22.0
        out += [
            _said(4, y + 13, "all others" if v.rest else v.label or "(empty)", 20, kind="text"),
            f'<rect class="dr-a" x="140" y="{y + 1}" width="{a * room:.1f}" height="7"/>',
            f'<rect class="dr-b" x="140" y="{y + 9}" width="{b * room:.1f}" height="7"/>',
            _said(width - 100, y + 13, f"{figure(100 * a)} → {figure(100 * b)} %", 30),
        ]
    return _framed(f"Values of {cut(c.name, 200)}", width, 12 + 22 * len(shown), "".join(out))


def over_time(c: ColumnDrift, *, width: float = 420, height: float = 130) -> str:
    """Return a column's effect by window against its threshold; empty where there are no two windows."""
    known = [(i, w) for i, w in enumerate(c.windows) if w.effect is not None and math.isfinite(w.effect)]
    if len(known) < 2:
        return ""
    left, right, top, base = 36.0, width - 10, 8.0, height - 22
    x = scaled([0, len(c.windows) - 1], left + 6, right - 6, 0.0, least=1e-9)
    most = max([w.effect or 0.0 for _, w in known] + [c.threshold or 0.0, 0.05])
    y = scaled([0.0, most * 1.05], base, top, 0.0, least=1e-9)
    places = [(x(i), y(w.effect or 0.0), w.verdict) for i, w in known]
    marks = "".join(mark(verdict, at - 4.9, to - 4.9, 0.7) for at, to, verdict in places[-60:])
    limit = ""
    if c.threshold is not None:
        limit = f'<path class="dr-limit" d="M{left} {y(c.threshold):.1f}H{right}"/>'
    ends = (("start", left, c.windows[0].window), ("end", right, c.windows[-1].window))
    labels = [_said(at, base + 16, name, 22, anchor=anchor) for anchor, at, name in ends]
    labels += [_said(left - 4, y(t) + 4, figure(t), 8, anchor="end") for t in ticks(0, most, 3)]
    line = "L".join(f"{at:.1f} {to:.1f}" for at, to, _ in places)
    return _framed(
        f"Effect of {cut(c.name, 200)} by window", width, height,
        f'<path class="dr-line" d="M{left} {base}H{right}"/>{limit}<path class="dr-path" d="M{line}"/>'
        f"{marks}{''.join(labels)}",
    )  # fmt: skip


def interval(value: float, low: float | None, high: float | None) -> str:
    """Return a figure with what holds it, as ``0.41 [0.40, 0.42]``."""
    if low is None or high is None or short(low) == short(high):
        return number(value)
    return f"{figure(value)} [{figure(low)}, {figure(high)}]"


def _framed(title: str, width: float, height: float, inside: str, *, size: int = 11) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="{FONT}" font-size="{size}">'
        f"<title>{text(title)}</title>{inside}</svg>"
    )


def _said(x: float, y: float, said: str, letters: int, *, kind: str = "quiet", anchor: str = "start") -> str:
    """Write text at a place, cut to a width."""
    at = f'x="{x:.1f}" y="{y:.1f}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
    return f'<text class="dr-{kind}" {at}>{text(fitted(said, letters))}</text>'
