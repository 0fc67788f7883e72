"""An explanation's pictures by name, and what is left of its widget without a kernel, scripts, or in a terminal."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench import _hooks
from aios_workbench.errors import ParameterError
from aios_workbench.widgets import explain_agreement, explain_beyond, explain_points, explain_view
from aios_workbench.widgets import explain_chart as chart
from aios_workbench.widgets import explain_chart_points as points
from aios_workbench.widgets import explain_chart_row as row_chart
from aios_workbench.widgets.drift_view import cut
from aios_workbench.widgets.explain_canvas import Canvas
from aios_workbench.widgets.explain_state import Looked
from aios_workbench.widgets.svg import figure, text

if TYPE_CHECKING:
    from aios_workbench.explain.models import Column
    from aios_workbench.widgets.explain_pages import Picture, RowPage

_MAX_ROWS = 40
#: Points of a still picture: as many as can be told apart in it.
_SWARM, _POINTS = 4_000, 1_500
HEADS = ("column", "mean |SHAP|", "± 95 %", "mean SHAP", "mean |LIME|", "rank by LIME")
#: Name of a picture -> what it is called.
TITLES: dict[Picture, str] = {
    "overview": "Overview", "importance": "Importance", "beeswarm": "Contributions, a dot for each row",
    "waterfall": "From the base to the prediction", "force": "What pushes up and what pushes down",
    "compare": "SHAP beside LIME", "dependence": "Dependence", "agreement": "SHAP against LIME",
    "interactions": "Interactions",
}  # fmt: skip


def canvas(
    target: Any,
    picture: Picture = "overview",
    *,
    row: int | None = None,
    column: int | None = None,
    output: int | None = None,
    raw: bool = True,
) -> Canvas:
    """Return one picture of an explanation.

    Parameters
    ----------
    target : Explanation or Looked
    picture : str
        Which; see `TITLES`.
    row, column, output : int, optional
        Positions of what it is of: by default the first row that travels with the view, the most important column, the
        output shown first.
    raw : bool
        With the row's values and label; otherwise the row is told by its position.

    Raises
    ------
    ParameterError
        When there is nothing to draw: no such row or column, no LIME, no rows' values.
    """
    looked = target if isinstance(target, Looked) else Looked(target)
    out = looked.output(output)
    columns = looked.data.columns
    unit = looked.unit_of(out)
    match picture:
        case "overview":
            return overview(looked, out)
        case "importance":
            return chart.importance(explain_view.global_page(looked, out), columns, unit)
        case "beeswarm":
            return chart.beeswarm(
                explain_points.swarm(looked, out, None, top=12, points=_SWARM), columns, unit
            )
        case "agreement":
            return points.agreement(explain_agreement.page(looked, out, None, points=_POINTS))
        case "dependence":
            return points.dependence(_dependence(looked, column, out))
        case "interactions":
            return points.interactions(_interactions(looked, out), columns)
    if not len(looked.arrays.values):
        raise ParameterError("no row was explained: there is nothing to draw")
    at = explain_view.first_rows(looked, out)[0] if row is None else looked.row(row)
    page = explain_view.row_page(looked, at, out)
    page = _leaving(page) if raw else _bare(page)
    draw = {"waterfall": row_chart.waterfall, "force": row_chart.force, "compare": row_chart.compare}[picture]
    return draw(page, columns, unit)


def _bare(page: RowPage) -> RowPage:
    """Return a row without its values."""
    bars = [b.model_copy(update={"value": "", "number": None}) for b in page.bars]
    return page.model_copy(update={"label": str(page.row), "bars": bars})


def _leaving(page: RowPage) -> RowPage:
    """Return a row as it may leave the kernel in a picture: personal data replaced."""
    bars = [b.model_copy(update={"value": _hooks.redact(b.value)}) for b in page.bars]
    return page.model_copy(update={"label": _hooks.redact(page.label), "bars": bars})


def overview(looked: Looked, output: int) -> Canvas:
    """Draw the whole: importance, beeswarm, checks."""
    data = looked.data
    columns: list[Column] = data.columns
    unit = looked.unit_of(output)
    parts = [chart.importance(explain_view.global_page(looked, output), columns, unit, most=8)]
    if len(looked.arrays.values) and data.subject == "tabular":
        swarm = explain_points.swarm(looked, output, None, top=8, points=_SWARM)
        parts.append(chart.beeswarm(swarm, columns, unit, most=8, rows=300))
    parts.append(chart.checks(data.checks))
    model = cut(data.model.title or data.model.type, 200)
    name = cut(data.name, 200) or "explanation"
    title = name if model in ("", name) else f"{name}: {model}"
    return chart.stacked(title, explain_view.summary(looked), parts)


def svg(target: Any, picture: Picture = "overview", *, dark: bool | None = False, **of: Any) -> str:
    """Return one picture as SVG; see `canvas`."""
    return canvas(target, picture, **of).svg(dark=dark)


def png(target: Any, picture: Picture = "overview", *, dark: bool = False, **of: Any) -> bytes:
    """Return one picture as PNG, twice its size in points; see `canvas`."""
    return canvas(target, picture, **of).png(dark=dark)


def save(target: Any, path: Path, **of: Any) -> Path:
    """Write one picture to a file: PNG where its name ends so, else SVG; see `canvas`.

    Raises
    ------
    UnknownOptionError
        When an option is not known.
    """
    from aios_workbench.errors import UnknownOptionError, hint

    options = ("picture", "row", "column", "output", "raw", "dark")
    for name in of:
        if name not in options:
            raise UnknownOptionError(
                f"a picture has no option {name!r}{hint(name, options)}; it has {', '.join(options)}"
            )
    wanted = of.get("picture", "overview")
    if wanted not in TITLES:
        raise UnknownOptionError(
            f"there is no picture {wanted!r}{hint(str(wanted), TITLES)}; choose of {', '.join(TITLES)}"
        )
    if path.suffix.lower() == ".png":
        path.write_bytes(png(target, **of))
    else:
        path.write_text(svg(target, **of), encoding="utf-8")
    return path


def title(looked: Looked, picture: Picture, row: int | None, column: int | None) -> str:
    """Return what a picture is called, with what it is of."""
    from aios_workbench.explain.names import one_line

    if row is not None:
        return f"{TITLES[picture]}, row {looked.row(row)}"
    if column is not None:
        return f"{TITLES[picture]} of {one_line(looked.data.columns[looked.column(column)].name)}"
    return TITLES[picture]


def bundle(looked: Looked) -> dict[str, str]:
    """Return `text/html` and `text/plain` for a display bundle."""
    return {"text/html": html(looked), "text/plain": plain(looked)}


def html(looked: Looked) -> str:
    """Return plain tags and `<img>`s with data URIs: all that JupyterLab's sanitizer lets through."""
    output = looked.data.output
    images = [_image(overview(looked, output))]
    if len(looked.arrays.values):
        page = _leaving(explain_view.row_page(looked, explain_view.first_rows(looked, output)[0], output))
        draw = row_chart.compare if looked.arrays.lime is not None else row_chart.waterfall
        marked = (
            f'<img alt="what counts in picture {page.row}" src="{text(page.image)}">' if page.image else ""
        )
        images.append(marked or _image(draw(page, looked.data.columns, looked.unit)))
    rows = "".join(
        f"<tr>{''.join(f'<td>{text(c)}</td>' for c in line)}</tr>"
        for line in cells(looked, output)[:_MAX_ROWS]
    )
    heads = "".join(f"<th>{text(h)}</th>" for h in HEADS)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    red = [k for k in looked.data.checks if k.level == "fail"]
    warned = "".join(
        f"<li>{text(explain_view.check(k).title)}: {text(explain_view.check(k).words)}</li>" for k in red
    )
    listed = f"<ul>{warned}</ul>" if warned else ""
    pictures = "".join(f"<p>{i}</p>" for i in images)
    return f"<div><p>{text(explain_view.summary(looked))}</p>{listed}{pictures}{table}</div>"


def _image(c: Canvas) -> str:
    data = base64.b64encode(c.svg().encode()).decode()
    return f'<img alt="{text(c.title)}" src="data:image/svg+xml;base64,{data}">'


def plain(looked: Looked) -> str:
    """Return the explanation as text."""
    from aios_workbench.explain import summary

    return summary.text(looked.data)


def cells(looked: Looked, output: int) -> list[tuple[str, ...]]:
    """Return columns as rows of a table, the most important first."""
    out: list[tuple[str, ...]] = []
    for b in explain_view.global_page(looked, output).importance:
        error = "" if b.error is None else figure(chart.Z95 * b.error)
        lime = ("", "") if b.lime is None else (figure(b.lime), str(b.lime_rank or ""))
        out.append(
            (
                cut(chart.name_of(looked.data.columns, b.at), 120),
                figure(b.value),
                error,
                chart.part(b.signed),
                *lime,
            )
        )
    return out


def _dependence(looked: Looked, column: int | None, output: int) -> Any:
    from aios_workbench.widgets.explain_protocol import AskDependence

    order = looked.order(output)
    if not order:
        raise ParameterError("there is no column to draw")
    at = order[0] if column is None else looked.column(column)
    return explain_beyond.dependence(looked, AskDependence(id=0, column=at, points=_POINTS), output, None)


def _interactions(looked: Looked, output: int) -> Any:
    from aios_workbench.widgets.explain_protocol import AskInteractions

    return explain_beyond.interactions(
        looked, AskInteractions(id=0, top=min(12, max(2, len(looked.data.columns)))), output
    )
