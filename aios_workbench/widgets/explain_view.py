"""An explanation as it is sent: the view that travels with the widget, and the page of one row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.models import Check, Column
from aios_workbench.widgets import explain_points
from aios_workbench.widgets.drift_view import cut, finite, short
from aios_workbench.widgets.explain_pages import (
    Axis,
    Bar,
    GlobalPage,
    ImportanceBar,
    RowPage,
    Token,
)
from aios_workbench.widgets.explain_protocol import ExplainView, Offers

if TYPE_CHECKING:
    from aios_workbench.explain.models import ExplanationData, RowExplanation
    from aios_workbench.widgets.explain_state import Looked

#: What travels with the view for where nobody answers: points, and rows with their bars.
_SWARM, _SCATTER, _PAGES, _BARS = 6_000, 2_000, 6, 30
#: Values of a category that the view names, and the bytes that all of them may take.
_VALUES, _VALUE_BYTES = 30, 300_000
_NAME, _LABEL = 400, 200
_DIGITS = 6


def view(looked: Looked) -> ExplainView:
    """Return an explanation as it is sent to the browser: small, whatever it holds."""
    data, n = looked.data, len(looked.arrays.values)
    output = data.output
    tabular = data.subject == "tabular"
    made = ExplainView(
        id=data.id, name=looked.name, title=cut(data.name, _NAME), created_at=data.created_at, subject=data.subject,
        task=data.task, scale=data.scale, unit=looked.unit, outputs=[cut(o, _LABEL) for o in data.outputs],
        output=output, rows=n, columns=columns(data), model=_model(data), method=data.method, lime=data.lime,
        summary=summary(looked), checks=[check(c) for c in data.checks], page=global_page(looked, output),
        swarm=explain_points.swarm(looked, output, None, points=_SWARM) if n and tabular else None,
        scatter=explain_points.scatter(
            looked, output, None, Axis(of="first"), Axis(of="prediction"), points=_SCATTER
        ) if n else None,
        pages=[row_page(looked, i, output, most=_BARS) for i in first_rows(looked, output)],
        pinned=looked.pinned, offers=offers(looked), notes=[cut(t, 1000) for t in data.notes[:50]],
        seconds=short(data.seconds) or 0.0, cached=data.cached,
    )  # fmt: skip
    return finite(made, ExplainView)


def summary(looked: Looked) -> str:
    """Return what was explained in a line."""
    from aios_workbench.explain.names import METHODS, one_line

    data = looked.data
    n = data.rows
    what = {"tabular": "row", "text": "text", "image": "image"}[data.subject]
    first = looked.order(data.output)[:3] if data.subject == "tabular" else []
    led = ", ".join(one_line(data.columns[j].name, 40) for j in first)
    how = data.method.title or METHODS[data.method.name][0]
    return f"{n:,} {what}{'s' * (n != 1)}, {looked.unit}, {how}{' and LIME' * (data.lime is not None)}" + (
        f"; led by {led}" if led and n else ""
    )


def global_page(looked: Looked, output: int) -> GlobalPage:
    """Return an output as a whole."""
    from aios_workbench.explain import agreement

    data = looked.data
    bars = [
        ImportanceBar(
            at=at, value=short(i.value, _DIGITS) or 0.0, error=short(i.error), signed=short(i.signed, _DIGITS) or 0.0,
            lime=short(i.lime, _DIGITS), lime_error=short(i.lime_error), lime_rank=i.lime_rank,
        )
        for at, i in looked.importance(output)
    ]  # fmt: skip
    told = data.agreement if output == data.output else agreement.agreement(looked.arrays, output=output)
    page = GlobalPage(output=output, base=float(looked.arrays.base[output]), importance=bars, agreement=told)
    return finite(page, GlobalPage)


def row_page(looked: Looked, at: int, output: int, *, most: int = 60) -> RowPage:
    """Return one row taken apart."""
    from aios_workbench.explain import rows

    found = rows.row(looked.explanation, at, output=output)
    surprise = looked.surprise(output)[at]
    return told_row(looked, found, output, most=most, surprise=float(surprise), cells=True)


def told_row(
    looked: Looked,
    found: RowExplanation,
    output: int,
    *,
    most: int = 60,
    surprise: float | None = None,
    cells: bool = False,
) -> RowPage:
    """Return a row that was taken apart as it is sent; the contributions beyond `most` as one sum."""
    places = places_of(looked.data)
    contributions, image = found.contributions, looked.data.subject == "image"
    if looked.data.subject == "text":  # of all texts' words those that this one has
        contributions = [c for c in contributions if c.number or c.shap or c.lime]
    bars = [
        Bar(
            at=places[c.column], value="" if image else cut(c.value, _LABEL), number=short(c.number, 12),
            shap=short(c.shap, _DIGITS) or 0.0, error=short(c.error), lime=short(c.lime, _DIGITS),
            lime_error=short(c.lime_error), agrees=c.agrees,
        )
        for c in contributions[:most]
    ]  # fmt: skip
    left = contributions[most:]
    tabular = looked.data.subject == "tabular"
    page = RowPage(
        row=found.row, label=cut(found.label, _LABEL), output=output, base=found.base, prediction=found.prediction,
        gap=found.gap, bars=bars, rest=sum(c.shap for c in left), left=len(left),
        probabilities={cut(k, _LABEL): short(v, _DIGITS) or 0.0 for k, v in found.probabilities.items()},
        lime_r2=short(found.lime_r2), lime_intercept=short(found.lime_intercept, _DIGITS),
        stability=short(found.stability), outside=short(found.outside), agreement=short(found.agreement),
        surprise=short(surprise), notes=[cut(t, 1000) for t in found.notes[:20]],
        values=looked.cells(found.row, list(range(len(looked.data.columns)))) if cells and tabular else [],
        tokens=tokens(looked, found) if looked.data.subject == "text" else [], image=_image(looked, found.row),
    )  # fmt: skip
    return finite(page, RowPage)


def places_of(data: ExplanationData) -> dict[str, int]:
    """Return the place of each column by its name."""
    return {c.name: j for j, c in enumerate(data.columns)}


def tokens(looked: Looked, found: RowExplanation) -> list[Token]:
    """Return a text piece by piece, in its order, with what each piece adds.

    Where the explanation keeps the texts' pieces (`extra["tokens"]`: for each row, pairs of a piece and its column or
    None) the text is whole; else there are only the pieces that count, in the order of the columns.
    """
    by_name = {c.column: c for c in found.contributions}
    kept = looked.explanation.extra.get("tokens")
    if kept is None:
        names = [c.name for c in looked.data.columns if c.name in by_name and by_name[c.name].value]
        kept_row: list[Any] = [(by_name[name].value, name) for name in names]
    else:
        kept_row = list(kept[found.row])
    out = []
    for piece, name in kept_row[:20_000]:
        c = by_name.get(name) if name is not None else None
        if c is None:
            out.append(Token(text=cut(str(piece), 2000)))
        else:
            out.append(
                Token(text=cut(str(piece), 2000), shap=short(c.shap, _DIGITS), error=short(c.error),
                      lime=short(c.lime, _DIGITS), agrees=c.agrees)
            )  # fmt: skip
    return out


def _image(looked: Looked, row: int) -> str | None:
    """Return the picture an image's explanation keeps of it (`extra["images"]`: a data URI for each row)."""
    kept = looked.explanation.extra.get("images")
    if looked.data.subject != "image" or not kept:
        return None
    found = kept[row] if row < len(kept) else None
    return found if isinstance(found, str) and found.startswith("data:image/png;base64,") else None


def first_rows(looked: Looked, output: int) -> list[int]:
    """Return the rows that travel with the view: the first, those that surprise most, those that agree least."""
    import numpy as np

    n = len(looked.arrays.values)
    surprising = np.argsort(-looked.surprise(output), kind="stable")[:2].tolist()
    score = looked.agreement(output)
    least = np.argsort(np.where(np.isnan(score), np.inf, score), kind="stable")[:2].tolist()
    rows = [0, *surprising, *[i for i in least if not np.isnan(score[i])]]
    return list(dict.fromkeys(int(i) for i in rows if i < n))[:_PAGES]


def columns(data: ExplanationData) -> list[Column]:
    """Return the columns with their most frequent values only, fewer of them the more columns there are."""
    room = _VALUE_BYTES
    out = []
    for c in data.columns:
        values = [cut(v, _LABEL) for v in c.values[:_VALUES]]
        size = len(json.dumps(values))
        if size > room:
            values = []
        else:
            room -= size
        out.append(
            c.model_copy(
                update={
                    "name": cut(c.name, _NAME), "values": values, "more": c.more + len(c.values) - len(values),
                    "correlated": [cut(n, _NAME) for n in c.correlated[:5]],
                }
            )
        )  # fmt: skip
    return out


def check(found: Check) -> Check:
    """Return a check as it is sent."""
    return found.model_copy(
        update={
            "words": cut(found.words, 1000), "columns": [cut(n, _NAME) for n in found.columns[:20]],
            "rows": found.rows[:200], "value": short(found.value), "threshold": short(found.threshold),
        }
    )  # fmt: skip


def offers(looked: Looked) -> Offers:
    """Return what can still be asked, and what is missing where it cannot."""
    e = looked.explanation
    tabular = looked.data.subject == "tabular"
    missing = []
    if e.live is None:
        missing.append("the model is not at hand, so nothing can be predicted anew")
    if e.frame is None:
        missing.append("it was stored without its rows, so their values are not known")
    why = ""
    if not tabular:
        why = "What-if, effects, interactions and other answers are for tables."
    elif missing:
        why = f"This explanation was loaded or sent: {' and '.join(missing)}. Explain again for that."
    return Offers(
        model=e.live is not None and e.frame is not None and tabular, values=e.frame is not None and tabular,
        lime=e.arrays.lime is not None, interactions=e.live is not None and e.frame is not None and tabular, why=why,
    )  # fmt: skip


def _model(data: ExplanationData) -> Any:
    m = data.model
    return m.model_copy(
        update={"title": cut(m.title, _NAME), "steps": [cut(s, _LABEL) for s in m.steps[:50]]}
    )
