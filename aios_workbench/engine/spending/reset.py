"""Give a budget back: what was spent stays written down, and no longer counts against it."""

from __future__ import annotations

from typing import Any

from aios_workbench.engine.control import read_run
from aios_workbench.errors import NotFoundError, hint
from aios_workbench.govern import actor, audit_within
from aios_workbench.workspace import Workspace


def reset(
    ws: Workspace, target: str, *, unit: str | None = None, day: str | None = None, total: bool = False,
    by: str | None = None,
) -> dict[str, float]:  # fmt: skip
    """Forgive what a run, or a workflow on a day or in all, has spent; return how much, by unit.

    Parameters
    ----------
    target : str
        A run's id; with `day` or `total` a workflow's name.
    unit : str, optional
        Only this one.
    day : str, optional
        As ``"2026-11-22"``, in the workflow's zone.
    total : bool
        The workflow's `total_budget`.

    Raises
    ------
    NotFoundError
        When there is no such run or workflow, or it has spent nothing.
    """
    of_workflow = day is not None or total
    if of_workflow:
        _known(ws, target)
        table, where = "spend_totals", "workflow = :t and day = :d"
    else:
        read_run(ws, target)
        table, where = "spend", "run_id = :t"
    keys: dict[str, Any] = {"t": target, "d": day or "", "u": unit}
    if unit is not None:
        where += " and unit = :u"
    with ws.catalog.transaction() as con:
        rows = con.execute(
            f"select unit, sum(amount - forgiven) as n from {table} where {where} group by unit order by unit",  # noqa: S608
            keys,
        ).fetchall()
        given = {r["unit"]: float(r["n"]) for r in rows if r["n"]}
        if not given:
            what = f"{unit} " if unit else "anything "
            raise NotFoundError(
                f"{target} has not spent {what}that counts{f' on {day}' if day else ''}; see `aios budgets`"
            )
        con.execute(f"update {table} set forgiven = amount where {where}", keys)  # noqa: S608 - names of our own
        audit_within(con, by or actor(), "budget.reset", target, given=given, day=day, total=total)
    return given


def _known(ws: Workspace, workflow: str) -> None:
    names = [r["workflow"] for r in ws.catalog.query("select distinct workflow from spend_totals")]
    if workflow not in names:
        raise NotFoundError(
            f"workflow '{workflow}' has spent nothing here{hint(workflow, names)}; see `aios budgets`"
        )
