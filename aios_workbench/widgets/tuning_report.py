"""A tuning as one HTML file that needs nothing else: no kernel, no network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aios_workbench.knn.choice import describe
from aios_workbench.widgets.tuning_chart import LOOKS, chart, figure, recall_text, summary, text
from aios_workbench.widgets.tuning_picture import HEADS, cells, front_of
from aios_workbench.widgets.tuning_protocol import TuningPoint, TuningView
from aios_workbench.widgets.tuning_view import view as view_of

_CSS = """
:root { color-scheme: light dark }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  background: Canvas; color: CanvasText }
h1 { font-size: 1.5rem } h2 { margin-top: 2rem; font-size: 1.15rem } svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: 3px 10px; border-bottom: 1px solid #8886; text-align: left; vertical-align: top }
td:not(:first-child) { white-space: nowrap } td.wide { white-space: normal }
div.scroll { overflow-x: auto }
pre { padding: 10px 12px; border: 1px solid #8886; border-radius: 6px; overflow-x: auto }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px } dd { margin: 0; overflow-wrap: anywhere }
dt { opacity: .75 } tr[data-chosen] { font-weight: 650 }
"""


def html(tuning: Any) -> str:
    """Return a tuning as an HTML document.

    Parameters
    ----------
    tuning : Tuning
        What `aios.knn.tune` gives, in any state.

    Returns
    -------
    str
        Self-contained. All text is escaped; there is no script.
    """
    view = view_of(tuning.state, cost_of=tuning.cost_of)
    chosen = next((p for p in view.points if p.id == view.chosen), None)
    code = ""
    if chosen is not None:
        code = f"<h2>Build it</h2><pre>{text(str(tuning.code(chosen.id)))}</pre>"
    title = text(f"Index for {view.problem.source or 'vectors'}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_CSS}</style></head><body><h1>{title}</h1><p>{text(summary(view))}.</p>"
        f"{_problem(view)}{_notes(view)}<h2>Recall and speed</h2>{chart(view, width=900, height=460)}"
        f"{_chosen(chosen)}{_costs(view)}"
        f"{_points('The front: nothing measured is better in everything', front_of(view), view)}{code}"
        f"{_points('Everything measured', view.points, view)}{_pruned(view)}</body></html>\n"
    )


def save_report(tuning: Any, path: str | Path) -> Path:
    """Write a tuning's report to an HTML file; return its path."""
    path = Path(path)
    path.write_text(html(tuning), encoding="utf-8")
    return path


def _problem(view: TuningView) -> str:
    p = view.problem
    where = "given" if p.queries_given else "held-out rows"
    return _facts(
        ("vectors", f"{p.rows:,} x {p.dimensions}, {p.metric}"),
        ("asked for", describe(view.constraints)),
        ("queries", f"{p.tuning_queries} to search with, {p.held_out_queries} to verify with ({where})"),
        (
            "spent",
            f"{figure(view.elapsed)} s of {p.budget_seconds:g} s, {p.threads} thread(s), seed {p.seed}",
        ),
        ("machine", p.machine),
        *(("repaired", r) for r in p.repairs),
    )


def _chosen(point: TuningPoint | None) -> str:
    if point is None:
        return ""
    verified = ""
    if point.verified is not None:
        verified = f", {recall_text(point.verified)} on queries the search never used"
    times = [f"{n} {figure(v)} ms" for n, v in _times(point) if v is not None]
    return "<h2>Chosen</h2>" + _facts(
        ("index", point.label),
        (
            "recall",
            (
                f"{recall_text(point.recall)} ({recall_text(point.recall_low)} to "
                f"{recall_text(point.recall_high)}, 95 %){verified}"
            ),
        ),
        (
            "throughput",
            f"{figure(point.qps)} queries/s ({figure(point.qps_low)} to {figure(point.qps_high)})",
        ),
        ("one query", ", ".join(times)),
        ("memory", f"{figure(point.bytes_per_vector)} bytes a vector"),
        ("build", f"{figure(point.build_seconds)} s of CPU"),
    )


def _times(p: TuningPoint) -> tuple[tuple[str, float | None], ...]:
    return ("p50", p.p50_ms), ("p95", p.p95_ms), ("p99", p.p99_ms)


def _notes(view: TuningView) -> str:
    said = [*([f"Failed: {view.error}"] if view.error else []), *view.notes]
    return f"<ul>{''.join(f'<li>{text(n)}</li>' for n in said)}</ul>" if said else ""


def _costs(view: TuningView) -> str:
    labels = {p.id: p.label for p in view.points}
    rows = [
        (
            f"{c.recall:g}",
            labels.get(c.point or "", "not reached"),
            "" if c.qps is None else figure(c.qps),
            "" if c.p95_ms is None else f"{figure(c.p95_ms)} ms",
            "" if c.slower is None else f"{figure(c.slower)}x",
        )
        for c in view.costs
    ]
    return _table("What a recall costs", ("recall", "index", "queries/s", "p95", "time of the chosen"), rows)


def _points(title: str, points: list[TuningPoint], view: TuningView) -> str:
    return _table(
        title,
        ("family", *HEADS),
        [(LOOKS[p.family][0], *cells(p, view)) for p in points],
        [p.id == view.chosen for p in points],
    )


def _pruned(view: TuningView) -> str:
    return _table("Not tried further", ("index", "why"), [(p.label, p.reason) for p in view.pruned], wide={1})


def _facts(*items: tuple[str, str]) -> str:
    return f"<dl>{''.join(f'<dt>{text(n)}</dt><dd>{text(v)}</dd>' for n, v in items if v)}</dl>"


def _table(
    title: str,
    heads: Iterable[str],
    rows: Sequence[tuple[str, ...]],
    chosen: list[bool] | None = None,
    wide: set[int] | None = None,
) -> str:
    if not rows:
        return ""
    body = "".join(
        f"<tr{' data-chosen' if chosen and chosen[i] else ''}>"
        + "".join(
            f"<td{' class=wide' if j in (wide or ()) else ''}>{text(c)}</td>" for j, c in enumerate(row)
        )
        + "</tr>"
        for i, row in enumerate(rows)
    )
    head = "".join(f"<th>{text(h)}</th>" for h in heads)
    return (
        f'<h2>{text(title)}</h2><div class="scroll" tabindex="0" role="region" aria-label="{text(title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
