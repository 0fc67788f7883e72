"""A drift report as screens draw it, and the least that has to be sent when its verdicts change."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aios_workbench._wire import Message
from aios_workbench.drift.models import (
    ColumnDrift,
    Histogram,
    Multivariate,
    Performance,
    PerformanceWindow,
    ReportData,
    Rules,
    StatisticName,
    Verdict,
)
from aios_workbench.drift.names import THEIRS
from aios_workbench.widgets.drift_protocol import (
    DriftPatch,
    DriftRow,
    DriftView,
    Judged,
    Offers,
    Slice,
    Spark,
)

M = TypeVar("M", bound=Message)

#: Windows of a row's trend; a page has more. With 1,000 columns the view stays below 2 MB.
TREND = 60
_PAGE_WINDOWS = 400
#: Bars of a row, and of a page's histogram at the most.
BARS = 24
_BINS = 96
#: What is longer is cut: a label is to be told apart, not read.
_LABEL, _NAME = 200, 400
#: Pages that travel with the view, for where nobody answers: saved pages, a kernel that is gone.
_PAGES, _PAGE_BYTES = 40, 300_000

#: First what a person has to know about.
WORST: tuple[Verdict, ...] = ("drifted", "small", "stable", "few", "skipped")
_MARKS: dict[Verdict, str] = {"drifted": "d", "small": "s", "stable": "o", "few": "f", "skipped": "-"}


def view(
    report: Any, *, name: str = "report", slices: Sequence[Slice] = (), defaults: Rules | None = None
) -> DriftView:
    """Return a report as it is sent to the browser.

    Parameters
    ----------
    report : DriftReport
        Only `data` and `live` are read.
    name : str, optional
        The variable that holds it in the notebook.
    slices : sequence of Slice, optional
        The slices it is of.
    defaults : Rules, optional
        What "back to the defaults" goes back to; the report's own.
    """
    data: ReportData = report.data
    return DriftView(
        id=data.id, name=name, title=cut(data.name, _NAME), created_at=data.created_at, engine=data.engine,
        reference=data.reference, current=data.current, by=data.by, windows=data.windows[-TREND:], rules=data.rules,
        defaults=defaults or data.rules, drifted=data.drifted, summary=data.summary, reasons=list(data.reasons),
        rows=[row(c, data.rules, data.windows[-TREND:]) for c in data.columns],
        schema_changes=list(data.schema_changes), multivariate=multivariate_of(data), slices=list(slices),
        performance=performance_of(data),
        offers=offers(report), pages=_pages(data), notes=[cut(n, 1000) for n in data.notes[:50]], seconds=data.seconds,
    )  # fmt: skip


def row(c: ColumnDrift, rules: Rules, windows: Sequence[str]) -> DriftRow:
    """Return a column's row of the table."""
    sides = [s for s in (c.reference, c.current) if s is not None]
    drawn = {w.window: w for w in c.windows[-TREND:]}
    return DriftRow(
        name=c.name, kind=c.kind, role=c.role, effect_of=c.effect_of, spark=spark(c),
        nulls=[round(s.nulls / s.rows, 4) if s.rows else 0.0 for s in sides] if len(sides) == 2 else [],
        trend=[short(drawn[w].effect, 3) if w in drawn else None for w in windows] if drawn else [],
        changepoint=c.changepoint, **_verdict(c, rules, windows),
    )  # fmt: skip


def _verdict(c: ColumnDrift, rules: Rules, windows: Sequence[str]) -> dict[str, Any]:
    """Return what other rules may change of a row."""
    main = main_statistic(c, rules)
    drawn = {w.window: w.verdict for w in c.windows[-TREND:]}
    return {
        "verdict": c.verdict, "reasons": _reasons(c), "p_adjusted": short(c.p_adjusted), "effect": short(c.effect),
        "threshold": short(c.threshold), "main": main,
        "value": None if main is None else short(c.statistics[main].value),
        "marks": "".join(_MARKS[drawn[w]] if w in drawn else "-" for w in windows) if drawn else "",
    }  # fmt: skip


def rejudged(seen: DriftView, report: Any) -> DriftView:
    """Return a view of the same comparison by other rules: what the rules cannot change is taken over."""
    data: ReportData = report.data
    windows = data.windows[-TREND:]
    rows = [
        r.model_copy(update=_verdict(c, data.rules, windows))
        for r, c in zip(seen.rows, data.columns, strict=True)
    ]
    update = {
        "rules": data.rules, "drifted": data.drifted, "summary": data.summary, "reasons": list(data.reasons),
        "rows": rows, "multivariate": multivariate_of(data),
    }  # fmt: skip
    return seen.model_copy(update=update)


def main_statistic(c: ColumnDrift, rules: Rules) -> StatisticName | None:
    """Return the statistic a column is shown by: a person's own, else the field's figure.

    That nulls or new values came is told as what it is.
    """
    came = c.effect_of if c.effect_of in ("null_shift", "new_share") else None
    wanted: list[StatisticName | None] = [*rules.columns.get(c.name, {}), came, "psi", c.effect_of, c.test]
    known = _known(c.statistics)
    found = next((s for s in wanted if s is not None and s in known), None)
    return found or next(iter(known), None)


def spark(c: ColumnDrift) -> Spark | None:
    """Return both sides as small bars: of ranges (single values that many rows have are in theirs), or of values."""
    if c.histogram is not None and len(c.histogram.edges) > 1:
        sides = [_merged(s, BARS) for s in _with_atoms(c.histogram)]
        return _bars(sides, values=False)
    if c.categories is not None and c.categories.values:
        shown = [v for v in c.categories.values if not v.rest][:12]
        totals = [max(1, s.rows - s.nulls) if s is not None else 1 for s in (c.reference, c.current)]
        return _bars(
            [[v.reference / totals[0] for v in shown], [v.current / totals[1] for v in shown]], values=True
        )
    return None if not c.parts else spark(c.parts[0])


def page(c: ColumnDrift) -> ColumnDrift:
    """Return a column as its page shows it: at most so many bins, windows and letters, and no number JSON lacks."""
    made = c.model_copy(
        update={
            "histogram": None if c.histogram is None else _coarser(c.histogram),
            "windows": c.windows[-_PAGE_WINDOWS:],
            "reasons": _reasons(c),
            "parts": [page(p) for p in c.parts],
            "statistics": _shown(c),
        }
    )
    if c.categories is not None:
        labels = [v.model_copy(update={"label": shown_label(v.label)}) for v in c.categories.values]
        made = made.model_copy(update={"categories": c.categories.model_copy(update={"values": labels})})
    windows = [w.model_copy(update={"statistics": _known(w.statistics)}) for w in made.windows]
    return finite(made.model_copy(update={"windows": windows}), ColumnDrift)


def multivariate_of(data: ReportData) -> Multivariate | None:
    """Return what no column shows alone, the most telling first, and not all of a thousand columns' pairs."""
    found = data.multivariate
    if found is None:
        return None
    shown = found.model_copy(update={"correlations": found.correlations[:200]})
    if shown.classifier is not None:
        few = shown.classifier.model_copy(update={"importances": shown.classifier.importances[:50]})
        shown = shown.model_copy(update={"classifier": few})
    return finite(shown, Multivariate)


def performance_of(data: ReportData) -> Performance | None:
    """Return how the model does; a figure that is no number was not measured."""
    found = data.performance
    if found is None:
        return None
    windows = [_told(w) for w in (found.reference, *found.windows)]
    return found.model_copy(update={"reference": windows[0], "windows": windows[1:]})


def _told(w: PerformanceWindow) -> PerformanceWindow:
    sides = {n: getattr(w, n) for n in ("measured", "estimated")}
    known = {
        n: {k: m for k, m in found.items() if all(math.isfinite(v) for v in (m.value, m.low, m.high))}
        for n, found in sides.items()
    }
    return w.model_copy(update=known)


def offers(report: Any) -> Offers:
    """Return what can still be computed from the two sides, and what is missing where it cannot."""
    data: ReportData = report.data
    if report.live is None:
        return Offers(
            why="This report was stored or sent: the rows it was made from are not at hand, so nothing can be sliced. "
            "Compare again for that."
        )  # fmt: skip
    stored = [w for w, s in (("reference", data.reference), ("current side", data.current)) if s.stored]
    if stored:
        return Offers(
            rows="current side" not in stored,
            why=f"The {' and the '.join(stored)} is a stored profile, which has no rows: nothing can be sliced.",
        )
    return Offers(slices=True, rows=True, multivariate=True)


class DriftDiffer:
    """Turns what a report has become into messages: a patch while only verdicts differ, else the whole view.

    Parameters
    ----------
    view : DriftView
        What was sent first.
    """

    def __init__(self, view: DriftView) -> None:
        self.view = self._base = view
        self._seq = view.seq

    def update(self, now: DriftView, *, whole: bool = False) -> DriftView | DriftPatch | None:
        """Return what to send so that a reader sees `now`; None when it does already.

        `whole` says that more than verdicts and what no column shows alone may have changed.
        """
        same = now.model_copy(update={"seq": 0}) == self.view.model_copy(update={"seq": 0})
        if same:
            return None
        self._seq += 1
        self.view = now = now.model_copy(update={"seq": self._seq})
        if whole or len(now.rows) != len(self._base.rows):
            self._base = now
            return now
        return DriftPatch(
            base=self._base.seq, seq=now.seq, rules=now.rules, drifted=now.drifted, summary=now.summary,
            reasons=now.reasons, judged=list(_rejudged(self._base.rows, now.rows)), multivariate=now.multivariate,
        )  # fmt: skip


def _rejudged(base: Sequence[DriftRow], now: Sequence[DriftRow]) -> Iterable[Judged]:
    fields = [f for f in Judged.model_fields if f != "at"]
    for i, (a, b) in enumerate(zip(base, now, strict=True)):
        if any(getattr(a, f) != getattr(b, f) for f in fields):
            yield Judged(at=i, **{f: getattr(b, f) for f in fields})


def cut(text: str, limit: int) -> str:
    """Return at most so many letters of a text, and none that is half of one."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown_label(label: str) -> str:
    """Return a value's text as it is sent."""
    return cut(label, _LABEL)


def short(value: float | None, digits: int = 4) -> float | None:
    """Return a number with the digits that count; what is not finite has no place in JSON."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{digits}g}")


def _reasons(c: ColumnDrift) -> list[str]:
    return [cut(r, 300) for r in c.reasons[:6]]


def _pages(data: ReportData) -> dict[str, ColumnDrift]:
    out: dict[str, ColumnDrift] = {}
    room = _PAGE_BYTES
    ranked = sorted(data.columns, key=lambda c: WORST.index(c.verdict))
    for column in ranked[:_PAGES]:
        made = page(column)
        room -= len(made.model_dump_json())
        if room < 0:
            break
        out[column.name] = made
    return out


def _with_atoms(h: Histogram) -> list[list[float]]:
    out = []
    for bins, atoms in ((h.reference, h.reference_atoms), (h.current, h.current_atoms)):
        sums = list(bins)
        for value, share in zip(h.atoms, atoms, strict=False):
            at = sum(e <= value for e in h.edges) - 1
            sums[min(max(at, 0), len(sums) - 1)] += share
        out.append(sums)
    return out


def _merged(values: Sequence[float], most: int) -> list[float]:
    each = -(-len(values) // most)
    return [math.fsum(values[i : i + each]) for i in range(0, len(values), each)]


def _bars(sides: Sequence[Sequence[float]], *, values: bool) -> Spark:
    top = max((v for s in sides for v in s if math.isfinite(v)), default=0.0) or 1.0
    heights = [[round(99 * v / top) if math.isfinite(v) and v > 0 else 0 for v in s] for s in sides]
    return Spark(reference=heights[0], current=heights[1], values=values)


def _coarser(h: Histogram) -> Histogram | None:
    """Return a histogram of fewer bins, whose edges are numbers."""
    bins = len(h.edges) - 1
    if bins < 1:
        return None
    each = -(-bins // _BINS)
    edges = [*h.edges[:-1:each], h.edges[-1]]
    inner = [e for e in edges if math.isfinite(e)]
    if not inner:
        return None
    edges = [min(max(e, inner[0]), inner[-1]) if not math.isnan(e) else inner[0] for e in edges]
    return h.model_copy(
        update={
            "edges": edges,
            "reference": _merged(h.reference, -(-bins // each)),
            "current": _merged(h.current, -(-bins // each)),
        }
    )


def _shown(c: ColumnDrift) -> dict[StatisticName, Any]:
    """Return the statistics of a column that a person is shown."""
    return {n: s for n, s in _known(c.statistics).items() if n not in THEIRS or n in (c.test, c.effect_of)}


def _known(statistics: Mapping[StatisticName, Any]) -> dict[StatisticName, Any]:
    return {n: s for n, s in statistics.items() if math.isfinite(s.value)}


def finite(message: M, of: type[M]) -> M:
    """Return a message without NaN or infinity: null where that is allowed, else 0."""
    wire = message.model_dump()
    with contextlib.suppress(ValueError):
        json.dumps(wire, allow_nan=False)
        return message
    _clean(wire)
    try:
        return of.model_validate(wire)
    except ValueError:
        return of.model_validate(_zeroed(message.model_dump()))


def _clean(value: Any) -> None:
    """Put None in the place of what is not finite."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, v in list(items):
        if any(isinstance(n, float) and not math.isfinite(n) for n in (v if isinstance(v, list) else [v])):
            value[key] = None
        elif isinstance(v, (dict, list)):
            _clean(v)


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _zeroed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_zeroed(v) for v in value]
    return 0.0 if isinstance(value, float) and not math.isfinite(value) else value
