"""What is asked beyond attributions, as pages: the answers of `aios_workbench.explain` by place instead of by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ParameterError
from aios_workbench.widgets.drift_view import cut, finite, short
from aios_workbench.widgets.explain_pages import (
    Axis,
    AxisInfo,
    Cell,
    Cohort,
    CohortInfo,
    CohortsPage,
    CurvePoint,
    DependencePage,
    Difference,
    EffectPage,
    InteractionsPage,
    WhatIfPage,
)
from aios_workbench.widgets.explain_points import scatter
from aios_workbench.widgets.explain_view import places_of, told_row
from aios_workbench.workspace import stop

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.beyond_models import Bin
    from aios_workbench.widgets import explain_protocol as asked
    from aios_workbench.widgets.explain_pack import Crate
    from aios_workbench.widgets.explain_state import Looked

_WORDS, _LABEL = 1000, 200


def dependence(looked: Looked, q: asked.AskDependence, output: int, crate: Crate) -> DependencePage:
    """Return how a column's contribution depends on its value."""
    from aios_workbench.explain.names import signed

    at = looked.column(q.column)
    name = looked.data.columns[at].name
    places = places_of(looked.data)
    colour = "auto" if q.colour is None else looked.data.columns[looked.column(q.colour)].name
    # the points are ours: all rows, packed
    found = looked.explanation.dependence(name, color=colour, output=output, most=2_000)
    shade = None if found.color is None else Axis(of="value", column=places[found.color])
    points = scatter(
        looked, output, crate, Axis(of="value", column=at), Axis(of="shap", column=at), shade, points=q.points
    )
    # what is missing has no place on an axis
    curve = [
        CurvePoint(x=b.at, y=b.mean.value, low=b.mean.low, high=b.mean.high, n=b.rows)
        for b in found.trend
        if b.mean and not _missing(b)
    ]
    missing = [
        f"Mean where it is missing: {signed(b.mean.value)}." for b in found.trend if b.mean and _missing(b)
    ]
    page = DependencePage(
        scatter=points, curve=curve, candidates=[places[c.column] for c in found.colours[:8]],
        why=cut(found.words, _WORDS), notes=_notes([*missing, *found.notes]),
    )  # fmt: skip
    return finite(page, DependencePage)


def _missing(b: Bin) -> bool:
    return b.at < 0 and b.low is None and b.label == "missing"


def effect(looked: Looked, q: asked.AskEffect, output: int) -> EffectPage:
    """Return what is predicted on average when a column is set to one value after another."""
    at = looked.column(q.column)
    column = looked.data.columns[at]
    found = looked.explanation.partial_dependence(
        column.name, output=output, curves=q.lines, cancelled=stopped
    )
    curve = [
        CurvePoint(x=x, y=m.value, low=m.low, high=m.high, n=round(s * found.rows))
        for x, m, s in zip(found.grid, found.mean, found.share, strict=True)
    ]
    axis = AxisInfo(
        of="value", column=at, title=cut(column.name, 400), kind=column.kind,
        values=[cut(v, _LABEL) for v in found.categories],
    )  # fmt: skip
    page = EffectPage(
        output=output, axis=axis, curve=curve, lines=[[short(v, 6) for v in line] for line in found.curves],
        rows=list(found.position), notes=_notes(found.notes),
    )  # fmt: skip
    return finite(page, EffectPage)


def interactions(looked: Looked, q: asked.AskInteractions, output: int) -> InteractionsPage:
    """Return the interactions of the most important columns."""
    key = f"interactions of {q.top} for {output}"
    kept = looked.explanation.extra
    found = kept.get(key)
    if found is None:
        found = looked.explanation.interactions(top=q.top, output=output, cancelled=stopped)
        if found.stopped != "cancelled":
            kept[key] = found
    places = places_of(looked.data)
    # half the interval: pairs have no standard error of their own
    half = {frozenset((p.first, p.second)): (p.high - p.low) / 2 / 1.96 for p in found.pairs}
    errors = [[short(half.get(frozenset((a, b)))) for b in found.columns] for a in found.columns]
    how = {"tree": "SHAP's tree interactions", "sampling": "sampled pairs"}[found.method]
    page = InteractionsPage(
        output=output, columns=[places[c] for c in found.columns],
        strength=[[short(v) for v in line] for line in found.matrix], errors=errors, rows=found.rows, method=how,
        exact=found.exact, seconds=found.seconds, stopped=found.stopped, notes=_notes([found.words, *found.notes]),
    )  # fmt: skip
    return finite(page, InteractionsPage)


def cohorts(looked: Looked, q: asked.AskCohorts, output: int) -> CohortsPage:
    """Return why these rows are predicted differently from those."""
    a = _mask(looked, q.a)
    b = ~a if q.b is None else _mask(looked, q.b)
    names = (cohort_name(looked, q.a, "A"), "all others" if q.b is None else cohort_name(looked, q.b, "B"))
    found = looked.explanation.cohorts(a, b, output=output, names=names)
    places = places_of(looked.data)
    parts = [
        Difference(
            at=places[c.column], a=c.a, b=c.b, difference=c.difference.value, low=c.difference.low,
            high=c.difference.high, clear=None if c.finding == "few" else c.finding == "differs",
            words=cut(" against ".join(t for t in (c.typical_a, c.typical_b) if t), _LABEL),
        )
        for c in found.columns
    ]  # fmt: skip
    infos = [
        CohortInfo(name=cut(name, _LABEL), rows=n, prediction=m.value if m else 0.0, low=m and m.low, high=m and m.high)
        for name, n, m in ((found.a, found.rows_a, found.prediction_a), (found.b, found.rows_b, found.prediction_b))
    ]  # fmt: skip
    page = CohortsPage(
        output=output, a=infos[0], b=infos[1], differences=parts, summary=cut(found.words, _WORDS),
        notes=_notes(found.notes),
    )  # fmt: skip
    return finite(page, CohortsPage)


def cohort_name(looked: Looked, cohort: Cohort, otherwise: str) -> str:
    """Return what a cohort is called."""
    from aios_workbench.explain.names import one_line
    from aios_workbench.widgets.drift_chart import number

    if cohort.name:
        return cohort.name
    if cohort.column is None:
        return f"{len(cohort.rows):,} chosen rows" if cohort.rows is not None else otherwise
    name = one_line(looked.data.columns[looked.column(cohort.column)].name)
    if cohort.value is not None:
        return f"{name} is {one_line(cohort.value)}"
    if cohort.low is None and cohort.high is None:
        return f"{name} is missing"
    ends = [
        f"from {number(cohort.low)}" * (cohort.low is not None),
        f"below {number(cohort.high)}" * (cohort.high is not None),
    ]
    return f"{name} {' to '.join(e for e in ends if e)}"


def _mask(looked: Looked, cohort: Cohort) -> Any:
    import numpy as np

    n = len(looked.arrays.values)
    if cohort.rows is not None:
        mask = np.zeros(n, bool)
        mask[[looked.row(r) for r in cohort.rows]] = True
        return mask
    if cohort.column is None:
        raise ParameterError("a cohort is rows, or a column with a value or a range")
    at = looked.column(cohort.column)
    x = looked.numbers(at)
    column = looked.data.columns[at]
    if cohort.value is not None:
        if column.kind in ("categorical", "text", "boolean"):
            shown = [cut(v, _LABEL) for v in column.values]
            if cohort.value not in shown:
                frame = looked.explanation.frame
                assert frame is not None  # numbers() has seen it
                return np.array([str(v) == cohort.value for v in frame.iloc[:, at]], bool)
            return x == shown.index(cohort.value)
        raise ParameterError(f"{column.name!r} holds numbers: give a range from low to high")
    if cohort.low is None and cohort.high is None:
        return np.isnan(x)
    low = -np.inf if cohort.low is None else cohort.low
    high = np.inf if cohort.high is None else cohort.high
    return (x >= low) & (x < high)


def what_if(looked: Looked, q: asked.AskWhatIf, output: int) -> WhatIfPage:
    """Return a row with other values, predicted and explained anew."""
    started = time.perf_counter()
    at = looked.row(q.row)
    from aios_workbench.explain import given, tabular

    e = looked.explanation
    live = e.at_hand("what-if")
    if looked.explanation.frame is None:
        raise ParameterError("what-if needs the row's values, and this explanation was stored without them")
    changes = {looked.data.columns[looked.column(j)].name: meant(looked, j, v) for j, v in q.changes.items()}
    before = float(looked.arrays.predictions[at, output])
    if not q.explain:
        space, x = tabular.space_of(e, "what-if"), tabular.matrix_of(e, "what-if")
        row, made = given.changed(space, x[at], changes)
        prediction = float(live.predict(space.decode(row[None]))[0, output])
        return WhatIfPage(
            row=at, output=output, before=before, prediction=prediction, seconds=time.perf_counter() - started,
            notes=_notes(given.odd(space, row, made)),
        )  # fmt: skip
    found = e.what_if(at, changes, output=output, lime=q.lime, seconds=q.seconds)
    after = told_row(looked, found.after, output, most=q.most)
    page = WhatIfPage(
        row=at, output=output, before=before, prediction=found.after.prediction, probabilities=after.probabilities,
        after=after, outside=after.outside, seconds=time.perf_counter() - started,
        notes=_notes([found.words, *found.notes]),
    )  # fmt: skip
    return finite(page, WhatIfPage)


def meant(looked: Looked, at: int, value: Cell) -> Any:
    """Return a value as the column has it: a text that was sent may be cut; what numbers mean is read with the row."""
    column = looked.data.columns[at]
    if not isinstance(value, str) or column.kind not in ("categorical", "text"):
        return value
    e = looked.explanation
    for frame in (e.frame, None if e.live is None else e.live.background):
        for known in frame.iloc[:, at].dropna().unique() if frame is not None else ():
            if value in (str(known), cut(str(known), _LABEL)):
                return known
    return value


def table(found: Any) -> pd.DataFrame:
    """Return an answer's table."""
    made: pd.DataFrame = found.to_frame()
    return made


def stopped() -> bool:
    """True once nobody waits for the answer that is made in this thread."""
    found = stop.current()
    return found is not None and found.stopped


def _notes(said: list[str]) -> list[str]:
    return [cut(n, _WORDS) for n in said[:20]]
