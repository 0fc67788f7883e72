"""An explanation as one HTML file that needs nothing else: no kernel, no network, no script."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import AiosError
from aios_workbench.widgets import explain_view
from aios_workbench.widgets.document import document, facts, listed, table
from aios_workbench.widgets.drift_view import cut
from aios_workbench.widgets.explain_canvas import colour
from aios_workbench.widgets.explain_chart import LEVELS, part
from aios_workbench.widgets.explain_picture import HEADS, canvas, cells
from aios_workbench.widgets.explain_state import Looked
from aios_workbench.widgets.svg import figure, text

if TYPE_CHECKING:
    from aios_workbench.explain.models import Check, ExplanationData
    from aios_workbench.widgets.explain_pages import Picture, RowPage

#: Rows that are taken apart in the page, and columns whose dependence is drawn.
_ROWS, _DEPENDENCE = 4, 3
_MOST_COLUMNS = 200


def _style() -> str:
    light = "".join(f".ex-{n}{{color:{colour(n, dark=False)}}}" for n in LEVELS)
    dark = "".join(f".ex-{n}{{color:{colour(n, dark=True)}}}" for n in LEVELS)
    return f"""{light}@media (prefers-color-scheme: dark){{{dark}}}
.checks {{ padding: 0; list-style: none }} .checks li {{ margin: 2px 0; overflow-wrap: anywhere }}
.word {{ font-weight: 650 }} figure {{ margin: 1rem 0; break-inside: avoid }}
.tokens {{ padding: 8px 12px; border: 1px solid #8886; white-space: pre-wrap; overflow-wrap: anywhere }}
.tokens .up {{ background: rgb(217 119 6 / calc(var(--s) * .55)); border-bottom: 2px solid }}
.tokens .down {{ background: rgb(9 105 218 / calc(var(--s) * .45)); border-bottom: 2px dotted }}
.red {{ padding: 6px 12px; border-left: 4px solid #a40e26 }}
td.wide {{ min-width: 9rem; max-width: 24rem; overflow-wrap: anywhere }}
@media print {{ body {{ max-width: none; margin: 0 }} }}
"""


def html(explanation: Any) -> str:
    """Return an explanation as an HTML document.

    Parameters
    ----------
    explanation : Explanation
        What `aios.explain` gives. Values of single rows are shown where it has its rows: hand over
        `files.without_raw(explanation)` for a page without.

    Returns
    -------
    str
        Self-contained, with pictures; checks that do not hold come first. All text is escaped; there is no script.
    """
    looked = Looked(explanation)
    data, output = looked.data, looked.data.output
    red = [c for c in data.checks if c.level == "fail"]
    return document(
        f"Explanation: {cut(data.name, 200) or 'model'}",
        f"<p>{text(explain_view.summary(looked))}</p>",
        "".join(
            f'<p class="red"><b>{text(c.title)} does not hold:</b> {text(cut(c.words, 1000))}</p>'
            for c in red
        ),
        _facts(data),
        f"<h2>Checks</h2><ul class='checks'>{''.join(_check(c) for c in data.checks)}</ul>"
        if data.checks
        else "",
        "<h2>Which columns count</h2>",
        _drawn(looked, "importance"),
        table("Importance", HEADS, cells(looked, output)[:_MOST_COLUMNS], wide={0}, level=3),
        _single(looked, output),
        f"<h2>Notes</h2>{listed(cut(n, 1000) for n in data.notes)}" if data.notes else "",
        css=_style(),
    )


def _single(looked: Looked, output: int) -> str:
    """Return what is drawn of single rows, where they are there."""
    if not len(looked.arrays.values):
        return ""
    parts: list[str] = []
    tabular = looked.data.subject == "tabular"
    if tabular:
        parts.append(_drawn(looked, "beeswarm"))
    if looked.arrays.lime is not None:
        parts.append("<h2>SHAP and LIME</h2>" + _drawn(looked, "agreement"))
    if looked.explanation.frame is not None and tabular:
        drawn = "".join(_drawn(looked, "dependence", column=at) for at in looked.order(output)[:_DEPENDENCE])
        parts.append(f"<h2>Dependence on a column's value</h2>{drawn}" if drawn else "")
    if not tabular and looked.explanation.frame is None:
        return "".join(parts)  # stored without its texts: the words that count would tell what they said
    parts.append("<h2>Single rows</h2><p>The first, those predicted furthest from the base, those SHAP and LIME "
                 "disagree on most.</p>")  # fmt: skip
    for at in explain_view.first_rows(looked, output)[:_ROWS]:
        page = explain_view.row_page(looked, at, output)
        if page.image:
            parts.append(f'<figure><img alt="what counts in picture {at}" src="{text(page.image)}"></figure>')
            continue
        if page.tokens:
            parts.append(_tokens(page))
        parts.append(_drawn(looked, "waterfall", row=at))
        if page.lime_r2 is not None:
            parts.append(_drawn(looked, "compare", row=at))
        parts.append(listed(page.notes))
    return "".join(parts)


def _tokens(page: RowPage) -> str:
    """Return a text with what each piece adds as its background, and as the line below it: whole up, dotted down."""
    most = max([abs(t.shap or 0.0) for t in page.tokens] + [1e-12])
    out = []
    for t in page.tokens:
        if not t.shap:
            out.append(text(t.text))
            continue
        side = "up" if t.shap > 0 else "down"
        out.append(
            f'<span class="{side}" style="--s:{abs(t.shap) / most:.2f}" title="{part(t.shap)}">{text(t.text)}</span>'
        )
    return f'<p class="tokens">{"".join(out)}</p>'


def _drawn(looked: Looked, picture: Picture, *, row: int | None = None, column: int | None = None) -> str:
    """Return a picture in the page's colours; what cannot be drawn is left out, and said."""
    try:
        return f"<figure>{canvas(looked, picture, row=row, column=column).svg(dark=None)}</figure>"
    except AiosError as e:
        return f"<p>Not drawn: {text(str(e))}</p>"


def _check(c: Check) -> str:
    figures = "" if c.value is None else f" ({figure(c.value)}"
    if figures:
        figures += f", limit {figure(c.threshold)})" if c.threshold is not None else ")"
    return (
        f'<li><span class="word ex-{c.level}">{text(c.title)}: {LEVELS[c.level]}.</span> '
        f"{text(cut(c.words, 1000))}{figures}</li>"
    )


def _facts(data: ExplanationData) -> str:
    m, lime = data.method, data.lime
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(data.created_at))
    cost = f"{m.evaluations:,} rows predicted in {m.calls:,} calls, {figure(m.seconds)} s; {_ENDS[m.stopped]}"
    other = ""
    if lime is not None:
        fit = "" if lime.r2 is None else f"; local fit R² {figure(lime.r2)}"
        stable = (
            ""
            if lime.stability is None
            else f"; top {lime.top} stable to {figure(lime.stability)} over seeds"
        )
        other = (
            f"{lime.rows:,} rows, {lime.samples:,} samples each, seeds {', '.join(map(str, lime.seeds[:8]))}"
            f"{', discretised' * lime.discretized}{fit}{stable}"
        )
    chosen = f", {cut(m.summarised, 200)}" if m.summarised else ""
    versions = ", ".join(f"{cut(n, 40)} {cut(v, 40)}" for n, v in sorted(m.versions.items()))
    return facts(
        ("model", f"{cut(data.model.title or data.model.type, 200)} ({cut(data.model.type, 200)})"),
        ("address", cut(data.model.uri or "", 300)), ("fingerprint", cut(data.model.fingerprint or "", 100)),
        ("steps", ", ".join(cut(s, 80) for s in data.model.steps[:20])),
        ("rows", f"{data.rows:,}"), ("output", f"{cut(data.outputs[data.output], 200)}, as {data.scale}"),
        ("SHAP", f"{m.title}{', exact' * m.exact}: {cut(m.why, 400)}"),
        ("background", f"{m.background:,} rows{chosen}" if m.background else ""),
        ("cost", cost), ("accelerator", m.accelerator or ""), ("LIME", other), ("versions", versions),
        ("data", cut(data.data_hash or "", 100)), ("background data", cut(data.background_hash or "", 100)),
        ("made", at),
    )  # fmt: skip


_ENDS = {
    "done": "all of it done", "tolerance": "stopped when precise enough", "budget": "stopped when out of time",
    "cancelled": "stopped by hand",
}  # fmt: skip
