"""A tuning as one HTML file that needs nothing else: no kernel, no network, no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aios_workbench.knn.choice import describe
from aios_workbench.widgets.document import document, facts, listed, table
from aios_workbench.widgets.svg import figure, text
from aios_workbench.widgets.tuning_chart import LOOKS, chart, recall_text, summary
from aios_workbench.widgets.tuning_picture import HEADS, cells, front_of
from aios_workbench.widgets.tuning_protocol import TuningPoint, TuningView
from aios_workbench.widgets.tuning_view import view as view_of


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
    return document(
        f"Index for {view.problem.source or 'vectors'}",
        f"<p>{text(summary(view))}.</p>",
        _problem(view),
        listed([*([f"Failed: {view.error}"] if view.error else []), *view.notes]),
        f"<h2>Recall and speed</h2>{chart(view, width=900, height=460)}",
        _chosen(chosen),
        _costs(view),
        _points("The front: nothing measured is better in everything", front_of(view), view),
        code,
        _points("Everything measured", view.points, view),
        _pruned(view),
    )


def save_report(tuning: Any, path: str | Path) -> Path:
    """Write a tuning's report to an HTML file; return its path."""
    path = Path(path)
    path.write_text(html(tuning), encoding="utf-8")
    return path


def _problem(view: TuningView) -> str:
    p = view.problem
    where = "given" if p.queries_given else "held-out rows"
    return facts(
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
    return "<h2>Chosen</h2>" + facts(
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
    return table("What a recall costs", ("recall", "index", "queries/s", "p95", "time of the chosen"), rows)


def _points(title: str, points: list[TuningPoint], view: TuningView) -> str:
    return table(
        title,
        ("family", *HEADS),
        [(LOOKS[p.family][0], *cells(p, view)) for p in points],
        [p.id == view.chosen for p in points],
    )


def _pruned(view: TuningView) -> str:
    return table("Not tried further", ("index", "why"), [(p.label, p.reason) for p in view.pruned], wide={1})
