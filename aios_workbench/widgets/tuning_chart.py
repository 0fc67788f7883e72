"""Recall against throughput as a still picture: SVG from pure Python, the same bytes for the same tuning."""

from __future__ import annotations

import math

from aios_workbench.knn.models import Family
from aios_workbench.widgets.svg import FONT, Scale, figure, log_ticks, scaled, text
from aios_workbench.widgets.tuning_protocol import TuningPoint, TuningView

#: A recall as near to 1 as the picture tells apart.
_NEAREST = 5e-4
_TICKS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)

#: Family -> name, colour on white (3:1 at least, told apart by colour-blind readers), path of its mark.
LOOKS: dict[Family, tuple[str, str, str]] = {
    "flat": ("exact", "#3d444d", "M-1.1-.4H-.4V-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1z"),
    "ivf": ("IVF", "#0072b2", "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z"),
    "pq": ("PQ scan", "#b35900", "M-.9-.9H.9V.9H-.9z"),
    "hnsw": ("HNSW", "#00795a", "M0-1.15L1.1.85H-1.1z"),
    "nsg": ("NSG", "#a3317f", "M0 1.15L1.1-.85H-1.1z"),
    "rabitq": ("RaBitQ", "#8a6d00", "M0-1.25L1.1 0L0 1.25L-1.1 0z"),
    "binary": ("binary", "#5b4fc4", "M-.55-1H.55L1.1 0L.55 1H-.55L-1.1 0z"),
}


def nines(recall: float) -> float:
    """Return the place of a recall on a scale that spreads 0.9 to 1: equal steps from 0.9 to 0.99 to 0.999.

    Examples
    --------
    >>> [round(nines(r), 2) for r in (0.9, 0.99, 0.999)]
    [1.0, 2.0, 3.0]
    """
    return -math.log10(max(1 - recall, _NEAREST))


def size_of(point: TuningPoint, largest: float) -> float:
    """Return the radius of a point's mark: its area grows with memory."""
    return 3.2 + 5.3 * math.sqrt(min(1.0, point.bytes_per_vector / max(largest, 1e-9)))


def recall_text(recall: float) -> str:
    """Return a recall with as many digits as it takes to see how far from 1 it is."""
    return f"{recall:.4f}" if recall > 0.99 else f"{recall:.3f}"


def chart(view: TuningView, *, width: float = 760, height: float = 400) -> str:
    """Return the scatter as an `<svg>` element: self-contained, all text escaped."""
    left, right, top, bottom = 66.0, 16.0, 14.0, 80.0
    points = [p for p in view.points if p.qps > 0]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="{FONT}" font-size="11.5">'
        f"<title>{text(summary(view))}</title>"
        '<rect width="100%" height="100%" rx="8" fill="#ffffff"/>'
    )
    if not points:
        return (
            f'{head}<text x="20" y="34" font-size="13" fill="#57606a">Nothing is measured yet.</text></svg>'
        )
    x = scaled(
        [nines(p.recall) for p in points] + [nines(view.constraints.recall)], left, width - right, 0.12
    )
    y_log = scaled([math.log10(p.qps) for p in points], height - bottom, top, 0.08)
    largest = max(p.bytes_per_vector for p in points)
    parts = [head, _axes(points, x, y_log, (left, right, top, bottom, width, height), view)]
    by_id = {p.id: p for p in points}
    front = sorted((by_id[i] for i in view.front if i in by_id), key=lambda p: p.recall)
    if len(front) > 1:
        line = " ".join(f"{x(nines(p.recall)):.1f},{y_log(math.log10(p.qps)):.1f}" for p in front)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#6e7781" stroke-width="1.4"/>')
    ranked = sorted(points, key=lambda p: (p.id in view.front, p.id == view.chosen))
    parts += [_mark(p, x, y_log, size_of(p, largest), view) for p in ranked]
    parts.append(_legend(points, left, height - 30))
    return "".join([*parts, "</svg>"])


def summary(view: TuningView) -> str:
    """Return a tuning in one line."""
    p = view.problem
    said = f"index for {p.rows:,} x {p.dimensions} vectors, recall@{p.k} of {view.constraints.recall:g} asked for"
    chosen = next((c for c in view.points if c.id == view.chosen), None)
    if chosen is None:
        tail = (
            "nothing measured holds it" if view.points and view.status != "running" else "nothing chosen yet"
        )
    else:
        tail = f"{chosen.label}: recall {recall_text(chosen.recall)}, {figure(chosen.qps)} queries/s"
    return f"{said}; {view.status}; {len(view.points)} measured; {tail}"


def _axes(
    points: list[TuningPoint], x: Scale, y: Scale, box: tuple[float, ...], view: TuningView
) -> str:  # fmt: skip
    left, right, top, bottom, width, height = box
    base = height - bottom
    out = ['<g stroke="#d8dee4" stroke-width="1">']
    labels = []
    last = -1e9
    for tick in _TICKS:
        at = x(nines(tick))
        if left - 1 <= at <= width - right + 1 and at - last > 34:
            last = at
            out.append(f'<path d="M{at:.1f} {top}V{base}"/>')
            labels.append(f'<text x="{at:.1f}" y="{base + 16:.1f}" text-anchor="middle">{tick:g}</text>')
    qps = [p.qps for p in points]
    for tick in log_ticks(min(qps) / 1.3, max(qps) * 1.3):
        at = y(math.log10(tick))
        if top - 1 <= at <= base + 1:
            out.append(f'<path d="M{left} {at:.1f}H{width - right}"/>')
            labels.append(
                f'<text x="{left - 7}" y="{at + 4:.1f}" text-anchor="end">{text(figure(tick))}</text>'
            )
    labels.append(
        f'<text x="{(left + width - right) / 2:.1f}" y="{base + 32:.1f}" text-anchor="middle">'
        f"recall@{view.problem.k}</text>"
        f'<text transform="translate(13 {(top + base) / 2:.1f}) rotate(-90)" text-anchor="middle">'
        "queries/s a core</text>"
    )
    target = x(nines(view.constraints.recall))
    exact = max((p for p in points if p.family == "flat" and not p.part), key=lambda p: p.qps, default=None)
    lines = (
        f'<path d="M{target:.1f} {top}V{base}" stroke="#0550ae" stroke-width="1.4" stroke-dasharray="6 4"/>'
        f'<text x="{target + 4:.1f}" y="{top + 11:.1f}" fill="#0550ae">target {view.constraints.recall:g}</text>'
    )
    if exact is not None:
        at = y(math.log10(exact.qps))
        lines += (
            f'<path d="M{left} {at:.1f}H{width - right}" stroke="#3d444d" stroke-dasharray="2 3"/>'
            f'<text x="{left + 5}" y="{at - 5:.1f}" fill="#3d444d">exact: {text(figure(exact.qps))}/s</text>'
        )
    return f'{"".join(out)}</g><g fill="#57606a">{"".join(labels)}</g>{lines}'


def _mark(p: TuningPoint, x: Scale, y: Scale, radius: float, view: TuningView) -> str:
    _, colour, path = LOOKS[p.family]
    cx, cy = x(nines(p.recall)), y(math.log10(p.qps))
    solid = p.id in view.front and not p.part
    bars = ""
    if solid and p.qps_low > 0:
        bars = (
            f'<path d="M{x(nines(p.recall_low)):.1f} {cy:.1f}H{x(nines(p.recall_high)):.1f}'
            f'M{cx:.1f} {y(math.log10(p.qps_low)):.1f}V{y(math.log10(max(p.qps_high, p.qps_low))):.1f}" '
            f'stroke="{colour}" opacity="0.55"/>'
        )
    ring = (
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius + 5:.1f}" fill="none" stroke="#0550ae" stroke-width="2"/>'
        if p.id == view.chosen
        else ""
    )
    look = (
        f'fill="{colour}" fill-opacity="0.85"'
        if solid
        else 'fill="#ffffff" fill-opacity="0.5" opacity="0.75"'
    )
    return (
        f'{bars}{ring}<path d="{path}" transform="translate({cx:.1f} {cy:.1f}) scale({radius:.2f})" {look} '
        f'stroke="{colour}" stroke-width="1.2" vector-effect="non-scaling-stroke">'
        f"<title>{text(p.label)}: recall {recall_text(p.recall)}, {text(figure(p.qps))} queries/s</title></path>"
    )


def _legend(points: list[TuningPoint], left: float, y: float) -> str:
    out, at = [], left
    present = {p.family for p in points}
    for family, (name, colour, path) in LOOKS.items():
        if family in present:
            out.append(
                f'<path d="{path}" transform="translate({at + 6:.0f} {y - 4:.0f}) scale(5)" fill="{colour}"/>'
                f'<text x="{at + 16:.0f}" y="{y:.0f}">{name}</text>'
            )
            at += 30 + 7 * len(name)
    out.append(
        f'<text x="{left:.0f}" y="{y + 19:.0f}" fill="#57606a">Area: memory. Filled: on the front. Ring: chosen.</text>'
    )
    return f'<g fill="#1f2328">{"".join(out)}</g>'
