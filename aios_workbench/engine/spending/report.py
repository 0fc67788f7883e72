"""What was spent beside what may be spent, as rows for people and programs."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import Any

from aios_workbench.engine.control import read_run
from aios_workbench.engine.submit import read_spec
from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workspace import Workspace

Row = dict[str, Any]


def of_workflows(ws: Workspace, days: int = 7) -> list[Row]:
    """Return what each workflow spent on each of the last days, and in all (day ""), the newest first.

    `spent` is all of it, `counts` what was not given back, `budget` what the workflow's newest run may spend.
    """
    oldest = dt.datetime.fromtimestamp(time.time() - days * 86400, dt.UTC).date().isoformat()
    rows = ws.catalog.query(
        "select workflow, day, unit, amount, forgiven from spend_totals where day = '' or day >= :oldest "
        "order by workflow, day desc, unit", oldest=oldest,
    )  # fmt: skip
    specs: dict[str, WorkflowSpec | None] = {}
    out = []
    for r in rows:
        if r["workflow"] not in specs:
            specs[r["workflow"]] = _newest(ws, r["workflow"])
        spec = specs[r["workflow"]]
        limits: Mapping[str, float] = {}
        if spec is not None:
            limits = spec.daily_budget if r["day"] else spec.total_budget
        out.append({"workflow": r["workflow"], "day": r["day"] or "in all", **_amounts(r, limits)})
    return out


def of_run(ws: Workspace, run_id: str) -> list[Row]:
    """Return what a run spent, in all and by step, beside its budgets."""
    run = read_run(ws, run_id)
    spec = read_spec(ws, run)
    own = spec.budget if run["budget"] is None else json.loads(run["budget"])
    rows = ws.catalog.query(
        "select step, unit, sum(amount) as amount, sum(forgiven) as forgiven from spend where run_id = :r "
        "group by step, unit order by step, unit", r=run_id,
    )  # fmt: skip
    whole: dict[str, Row] = {}
    for r in rows:
        if r["unit"] != "seconds" or not r["step"]:  # of the clock the run has a row of its own
            sums = whole.setdefault(r["unit"], {"unit": r["unit"], "amount": 0.0, "forgiven": 0.0})
            sums["amount"] += r["amount"]
            sums["forgiven"] += r["forgiven"]
    budgets = {s.name: s.budget for s in spec.steps}
    return [
        *({"scope": "run", "step": "", **_amounts(r, own)} for _, r in sorted(whole.items())),
        *({"scope": "step", "step": r["step"], **_amounts(r, budgets.get(r["step"], {}))} for r in rows if r["step"]),
    ]  # fmt: skip


def _amounts(row: Row, limits: Mapping[str, float]) -> Row:
    return {
        "unit": row["unit"], "spent": float(row["amount"]), "counts": float(row["amount"] - row["forgiven"]),
        "budget": limits.get(row["unit"]),
    }  # fmt: skip


def _newest(ws: Workspace, workflow: str) -> WorkflowSpec | None:
    run = ws.catalog.one(
        "select spec_hash from runs where workflow = :w order by created_at desc, run_id desc limit 1",
        w=workflow,
    )
    return None if run is None else read_spec(ws, run)
