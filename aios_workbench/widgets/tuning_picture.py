"""What is left of a tuning's widget without a kernel, without scripts, or in a terminal."""

from __future__ import annotations

import base64

from aios_workbench.widgets.svg import figure, text
from aios_workbench.widgets.tuning_chart import chart, recall_text, summary
from aios_workbench.widgets.tuning_protocol import TuningPoint, TuningView

_MAX_ROWS = 30
HEADS = ("index", "recall", "queries/s", "p95", "memory/vector", "build")


def bundle(view: TuningView) -> dict[str, str]:
    """Return `text/html` and `text/plain` for a display bundle."""
    return {"text/html": html(view), "text/plain": plain(view)}


def html(view: TuningView) -> str:
    """Return plain tags and one `<img>` with a data URI: all that JupyterLab's sanitizer lets through."""
    picture = base64.b64encode(chart(view).encode()).decode()
    said = text(summary(view))
    front = front_of(view)
    rows = "".join(
        f"<tr>{''.join(f'<td>{text(c)}</td>' for c in cells(p, view))}</tr>" for p in front[:_MAX_ROWS]
    )
    heads = "".join(f"<th>{h}</th>" for h in HEADS)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f'<div><p>{said}</p><img alt="{said}" src="data:image/svg+xml;base64,{picture}">{table}</div>'


def plain(view: TuningView) -> str:
    """Return the tuning as text: a line on it, then the front, best recall first."""
    lines = [summary(view)]
    if view.error:
        lines.append(f"  {view.error}")
    front = front_of(view)[:_MAX_ROWS]
    room = min(48, max((len(p.label) for p in front), default=0))
    for p in front:
        name, recall, qps, p95, memory, build = cells(p, view)
        lines.append(
            f"  {name:<{room}}  recall {recall}  {qps:>7}/s  p95 {p95:>8}  {memory:>7}/vector  build {build}"
        )
    return "\n".join(lines)


def front_of(view: TuningView) -> list[TuningPoint]:
    """Return the points nothing measured is better than in everything, best recall first."""
    front = set(view.front)
    return sorted((p for p in view.points if p.id in front), key=lambda p: (-p.recall, -p.qps))


def cells(point: TuningPoint, view: TuningView) -> tuple[str, str, str, str, str, str]:
    """Return a point's row of a table."""
    mark = "▶ " if point.id == view.chosen else ""
    return (
        mark + point.label + (f" (trial on {point.vectors:,})" if point.part else ""),
        recall_text(point.recall) + f" ± {max(0.0, (point.recall_high - point.recall_low) / 2):.3f}",
        figure(point.qps),
        "" if point.p95_ms is None else f"{figure(point.p95_ms)} ms",
        f"{figure(point.bytes_per_vector)} B",
        f"{figure(point.build_seconds)} s",
    )
