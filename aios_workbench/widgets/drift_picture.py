"""What is left of a drift report's widget without a kernel, without scripts, or in a terminal."""

from __future__ import annotations

import base64

from aios_workbench.drift.models import ColumnDrift, ReportData
from aios_workbench.widgets.drift_chart import LOOKS, number, overview, p_text, ranked, told
from aios_workbench.widgets.drift_view import cut
from aios_workbench.widgets.svg import text

_MAX_ROWS = 40
HEADS = ("column", "verdict", "effect", "threshold", "p adjusted", "statistic", "why")


def bundle(data: ReportData) -> dict[str, str]:
    """Return `text/html` and `text/plain` for a display bundle."""
    return {"text/html": html(data), "text/plain": plain(data)}


def html(data: ReportData) -> str:
    """Return plain tags and one `<img>` with a data URI: all that JupyterLab's sanitizer lets through."""
    picture = base64.b64encode(overview(data).encode()).decode()
    said = text(data.summary)
    rows = "".join(
        f"<tr>{''.join(f'<td>{text(c)}</td>' for c in cells(c, data))}</tr>"
        for c in ranked(data.columns)[:_MAX_ROWS]
    )
    heads = "".join(f"<th>{h}</th>" for h in HEADS)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f'<div><p>{said}</p><img alt="{said}" src="data:image/svg+xml;base64,{picture}">{table}</div>'


def plain(data: ReportData) -> str:
    """Return the report as text: a line on it, then its columns, what drifted first."""
    from aios_workbench.drift import summary

    return summary.text(data)


def cells(c: ColumnDrift, data: ReportData) -> tuple[str, ...]:
    """Return a column's row of a table."""
    return (
        cut(c.name, 120) or "(no name)",
        LOOKS[c.verdict][0],
        number(c.effect),
        number(c.threshold),
        p_text(c.p_adjusted),
        told(c, data),
        "; ".join(cut(r, 160) for r in c.reasons[:3]),
    )
