"""A map's dead letters, for the screens: read from the catalog, the values never loaded."""

from __future__ import annotations

from aios_workbench.widgets.messages import Letter, Letters
from aios_workbench.widgets.source import short
from aios_workbench.workspace import Workspace

PAGE = 100


def letters(ws: Workspace, run_id: str, step: str, offset: int = 0) -> Letters:
    """Return a page of a step's dead letters, those nobody has settled first."""
    counts = ws.catalog.query(
        "select status, count(*) as n from dead_letters where run_id = :r and step = :s group by status",
        r=run_id, s=step,
    )  # fmt: skip
    by_status = {row["status"]: row["n"] for row in counts}
    rows = ws.catalog.query(
        "select item, status, type, reason, traceback, attempts, value, at, redriven_by from dead_letters "
        "where run_id = :r and step = :s order by case status when 'open' then 0 else 1 end, item "
        "limit :n offset :o",
        r=run_id, s=step, n=PAGE, o=offset,
    )  # fmt: skip
    return Letters(
        total=sum(by_status.values()), open=by_status.get("open", 0), offset=offset,
        letters=[Letter(**{**row, "reason": short(row["reason"], 2000) or "", "value": short(row["value"], 2000) or ""})
                 for row in rows],
    )  # fmt: skip
