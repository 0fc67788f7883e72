"""A drift report as one HTML file that needs nothing else: no kernel, no network, no script."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from aios_workbench.drift.models import (
    LEVELS,
    ColumnDrift,
    Measured,
    Multivariate,
    PerformanceWindow,
    ReportData,
    SourceInfo,
)
from aios_workbench.drift.names import words
from aios_workbench.widgets.document import document, facts, listed, table
from aios_workbench.widgets.drift_chart import (
    CSS,
    DARK,
    LOOKS,
    distribution,
    interval,
    mark,
    over_time,
    p_text,
    ranked,
    shown_value,
)
from aios_workbench.widgets.drift_picture import HEADS, cells
from aios_workbench.widgets.drift_view import cut, page
from aios_workbench.widgets.svg import figure, text

_MOST_REASONS = 8
_METHODS = {"exact": "exact", "bounds": "bounds from bins", "sample": "sample"}
_CSS = f"""{CSS}{DARK}
section {{ margin-top: 1.6rem; padding-top: .4rem; border-top: 1px solid #8886; break-inside: avoid;
  content-visibility: auto; contain-intrinsic-size: auto 420px }}
section > h3 {{ margin: .4rem 0; font-size: 1.05rem; overflow-wrap: anywhere }}
section > p {{ margin: .2rem 0; overflow-wrap: anywhere }} h4 {{ margin: .8rem 0 .2rem; font-size: .9rem }}
.pictures {{ display: flex; flex-wrap: wrap; gap: 8px 24px }}
.word {{ font-weight: 650 }} .mark {{ vertical-align: -2px }}
.caveat {{ padding: 6px 12px; border-left: 4px solid #bf8700 }}
td.wide {{ min-width: 9rem; max-width: 24rem; overflow-wrap: anywhere }}
@media print {{ body {{ max-width: none; margin: 0 }} section {{ content-visibility: visible }} }}
"""


def html(report: Any) -> str:
    """Return a report as an HTML document.

    Parameters
    ----------
    report : DriftReport
        What `aios.drift.compare` gives; only its `data` is read.

    Returns
    -------
    str
        Self-contained: every column with its picture. All text is escaped; there is no script.
    """
    data: ReportData = report.data
    columns = ranked(data.columns)
    return document(
        f"Drift: {cut(data.name, 200) or 'report'}",
        f"<p>{_verdict(data.drifted)} {text(data.summary)}</p>",
        listed(_first(data.reasons)),
        _sides(data),
        _changes(data),
        table(
            "Columns",
            HEADS,
            [cells(c, data) for c in columns],
            [c.verdict == "drifted" for c in columns],
            {0, 6},
        ),
        _multivariate(data.multivariate),
        _performance(data),
        "<h2>Column by column</h2>" if columns else "",
        *(_column(page(c)) for c in columns),
        f"<h2>Notes</h2>{listed(data.notes)}" if data.notes else "",
        css=_CSS,
    )


def _verdict(drifted: bool | None) -> str:
    verdict = "few" if drifted is None else "drifted" if drifted else "stable"
    word = "not enough data" if drifted is None else "drifted" if drifted else "no drift"
    return f"{_mark(verdict)} <span class='word dr-{verdict}'>{word}:</span>"


def _mark(verdict: Any) -> str:
    box = 'class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true"'
    return f"<svg {box}>{mark(verdict, 0, 0)}</svg>"


def _sides(data: ReportData) -> str:
    rules = data.rules
    limits = "; ".join(
        f"{cut(n, 60)}: {', '.join(f'{words(s)} {figure(v)}' for s, v in own.items())}"
        for n, own in rules.columns.items()
    )
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(data.created_at))
    honest = f"honest: adjusted p below {figure(rules.alpha)} and an effect of {figure(rules.effect)} or more"
    return facts(
        ("reference", _side(data.reference)),
        ("current", _side(data.current)),
        ("by", "" if data.by is None else f"{data.by}, {len(data.windows)} windows"),
        ("rules", honest if rules.kind == "honest" else "evidently's tests and thresholds"),
        ("own thresholds", limits),
        ("in a row", str(rules.in_a_row) + " windows" if rules.in_a_row > 1 else ""),
        ("drifted when", "" if rules.max_share is None else f"more than {100 * rules.max_share:g} % of columns are"),
        ("made", f"{at} with {data.engine} in {figure(data.seconds)} s"),
    )  # fmt: skip


def _side(s: SourceInfo) -> str:
    time_range = f", {s.first} to {s.last}" if s.first and s.last else ""
    stored = " (stored profile)" if s.stored else ""
    # a frame is called by its side, which stands before it
    name = "" if s.name in ("reference", "current") else f"{cut(s.name, 300)}: "
    return f"{name}{s.rows:,} rows, {s.columns:,} columns{time_range}{stored}"


def _changes(data: ReportData) -> str:
    rows = [
        (cut(c.column, 200), c.change.replace("_", " "), "grave" if c.grave else "", cut(c.words, 400))
        for c in data.schema_changes
    ]
    return table(
        "Changes of the schema",
        ("column", "change", "", "what"),
        rows,
        [c.grave for c in data.schema_changes],
        {0, 3},
    )


def _column(c: ColumnDrift) -> str:
    word = LOOKS[c.verdict][0]
    pictures = [p for p in (distribution(c), over_time(c)) if p]
    counted = ""
    if c.categories is not None and (c.categories.new or c.categories.gone):
        counted = (
            f"<p>{c.categories.new:,} new values ({figure(100 * c.categories.new_share)} % of current rows), "
            f"{c.categories.gone:,} gone ({figure(100 * c.categories.gone_share)} % of reference rows).</p>"
        )
    changed = f"<p>Another distribution from {text(c.changepoint)} on.</p>" if c.changepoint else ""
    parts = "".join(_column(p) for p in c.parts)
    return (
        f"<section><h3>{_mark(c.verdict)} {text(cut(c.name, 200)) or '(no name)'} "
        f"<span class='word dr-{c.verdict}'>{word}</span></h3>"
        f"<p>{c.kind}{f', {c.role}' if c.role != 'feature' else ''}</p>{listed(c.reasons)}{counted}{changed}"
        f"<div class='pictures'>{''.join(pictures)}</div>{_statistics(c)}{_figures(c)}{parts}</section>"
    )


def _first(reasons: list[str]) -> list[str]:
    """All of them stand in their sections: the head has no room for a model's every window."""
    more = len(reasons) - _MOST_REASONS
    return [*reasons[:_MOST_REASONS], f"and {more} more, told below"] if more > 1 else reasons


def _statistics(c: ColumnDrift) -> str:
    rows = [
        (
            words(n) + (" (test)" if n == c.test else ""),
            interval(s.value, s.low, s.high),
            p_text(s.p_value),
            _METHODS[s.method] + (f" of {s.rows:,} rows" if s.rows is not None else ""),
        )
        for n, s in c.statistics.items()
    ]
    return table("Statistics", ("statistic", "value", "p", "from"), rows, level=4)


def _figures(c: ColumnDrift) -> str:
    a, b = c.reference, c.current
    if a is None or b is None:
        return ""
    rows: list[tuple[str, str, str]] = [("rows", f"{a.rows:,}", f"{b.rows:,}")]
    if a.nulls or b.nulls:
        rows.append(("nulls", *(f"{s.nulls:,} ({figure(100 * s.nulls / max(1, s.rows))} %)" for s in (a, b))))  # type: ignore[arg-type]
    if a.distinct is not None or b.distinct is not None:
        rows.append(("different values", *(_distinct(s.distinct, exact=s.distinct_exact) for s in (a, b))))  # type: ignore[arg-type]
    for name, field in (
        ("mean", "mean"),
        ("standard deviation", "std"),
        ("least", "minimum"),
        ("greatest", "maximum"),
    ):
        said = [
            figure(getattr(s, field))
            if field == "std" and getattr(s, field) is not None
            else shown_value(c, getattr(s, field))
            for s in (a, b)
        ]
        if any(said):
            rows.append((name, said[0], said[1]))
    if a.quantiles and b.quantiles:
        for level, x, y in zip(LEVELS, a.quantiles, b.quantiles, strict=False):
            name = "median" if level == 0.5 else f"{100 * level:g} %"
            rows.append((name, shown_value(c, x), shown_value(c, y)))
    return table("Both sides", ("", "reference", "current"), rows, level=4)


def _distinct(n: int | None, *, exact: bool) -> str:
    return "" if n is None else f"{'' if exact else 'about '}{n:,}"


def _multivariate(m: Multivariate | None) -> str:
    if m is None:
        return ""
    items: list[tuple[str, str]] = []
    if m.classifier is not None:
        k = m.classifier
        items.append(
            (
                "classifier",
                f"AUC {interval(k.auc, k.low, k.high)}, p {p_text(k.p_value)}, {LOOKS[k.verdict][0]}, {k.rows:,} rows",
            )
        )
    if m.reconstruction is not None:
        r = m.reconstruction
        items.append(
            (
                "reconstruction",
                f"{figure(r.reference)} → {figure(r.current)}, p {p_text(r.p_value)}, {LOOKS[r.verdict][0]}",
            )
        )
    items += [
        (cut(e.column, 80), f"MMD {figure(e.mmd)}, p {p_text(e.p_value)}, {LOOKS[e.verdict][0]}")
        for e in m.embeddings
    ]
    importances = (
        []
        if m.classifier is None
        else [(cut(i.column, 120), figure(i.importance)) for i in m.classifier.importances[:20]]
    )
    pairs = [
        (
            f"{cut(x.a, 80)} and {cut(x.b, 80)}",
            figure(x.reference),
            figure(x.current),
            p_text(x.p_adjusted),
            LOOKS[x.verdict][0],
        )
        for x in m.correlations[:30]
    ]
    return (
        f"<h2>What no column shows alone</h2><p>{_mark(m.verdict)} {LOOKS[m.verdict][0]}</p>"
        f"{listed(m.reasons)}{facts(*items)}"
        + table("What tells the sides apart", ("column", "importance"), importances, level=3)
        + table(
            "Correlations",
            ("columns", "reference", "current", "p adjusted", "verdict"),
            pairs,
            wide={0},
            level=3,
        )
    )


def _performance(data: ReportData) -> str:
    p = data.performance
    if p is None:
        return ""
    rows = [_window(w, p.metrics) for w in (p.reference, *p.windows)]
    heads = [
        "window",
        "rows",
        "labelled",
        *(f"{m} {k}" for m in p.metrics for k in ("measured", "estimated")),
        "verdict",
    ]
    caveat = f'<p class="caveat">{text(p.caveat)}</p>' if p.caveat else ""
    alarms = listed(
        f"{a.detector}: a change after {a.row:,} rows{f' ({a.window})' if a.window else ''}" for a in p.alarms
    )
    return (
        f"<h2>Performance</h2><p>{_mark(p.verdict)} {LOOKS[p.verdict][0]}</p>{caveat}{listed(p.reasons)}{alarms}"
        + table("By window", heads, rows, level=3)
    )


def _window(w: PerformanceWindow, metrics: Sequence[str]) -> tuple[str, ...]:
    def said(found: Measured | None) -> str:
        return "" if found is None else interval(found.value, found.low, found.high)

    figures = [said(d.get(m)) for m in metrics for d in (w.measured, w.estimated)]
    return (cut(w.window, 80), f"{w.rows:,}", f"{w.labelled:,}", *figures, LOOKS[w.verdict][0])
