"""What a run was held to, and how it stands: the overview's sections that only some runs have."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Literal

from aios_workbench.observe.models import RuleLine, Rules
from aios_workbench.observe.stored import OVER, Row, Stored

_MOST = 50
Tone = Literal["", "succeeded", "failed", "waiting"]
_TONES: dict[str, Tone] = {
    "compensated": "succeeded", "succeeded": "succeeded", "done": "succeeded", "failed": "failed",
    "in doubt": "failed", "running": "waiting", "calling": "waiting",
}  # fmt: skip


def rules(run: Stored) -> list[Rules]:
    """Return the sections there is something to say in."""
    sections = [
        Rules(title="Budgets", lines=_budgets(run)),
        Rules(title="Attempts", lines=_attempts(run)),
        Rules(title="Shared resources", lines=_resources(run)),
        Rules(title="Undone", lines=_undone(run)),
        Rules(title="Deadline and hooks", lines=[*_deadline(run), *_hooks(run)]),
        Rules(title="Done once", lines=_effects(run)),
    ]
    return [s for s in sections if s.lines]


def _attempts(run: Stored) -> list[RuleLine]:
    allowed = run.row["attempts_allowed"]
    if allowed is None:
        return []
    used = run.row["attempts_used"]
    return [
        RuleLine(
            name="of all steps together",
            text=f"{used:,} of {allowed:,}",
            tone="failed" if used >= allowed else "",
        )
    ]


def _budgets(run: Stored) -> list[RuleLine]:
    """What may be spent and what was, the run's own first; what has no budget but was spent by hand behind it."""
    spec = run.spec
    own = json.loads(run.row["budget"]) if run.row["budget"] else spec.budget
    rows = run.ws.catalog.query(
        "select step, day, unit, amount - forgiven as spent from spend where run_id = :r order by step, unit",
        r=run.run_id,
    )
    total: dict[str, float] = {}
    by_step: dict[tuple[str, str], float] = {}
    for row in rows:
        by_step[row["step"], row["unit"]] = by_step.get((row["step"], row["unit"]), 0.0) + row["spent"]
        if row["unit"] != "seconds" or not row["step"]:
            total[row["unit"]] = total.get(row["unit"], 0.0) + row["spent"]
    lines = [_spent(f"{_unit(u)} of the run", total.get(u, 0.0), most) for u, most in own.items()]
    lines += [
        _spent(f"{s.name}: {_unit(u)}", by_step.get((s.name, u), 0.0), most, s.name)
        for s in spec.steps for u, most in s.budget.items()
    ]  # fmt: skip
    days = sorted({row["day"] for row in rows})
    if days:
        lines += _totals(run, spec.daily_budget, days[-1], f"on {days[-1]}")
    lines += _totals(run, spec.total_budget, "", "of all runs")
    counted = ("seconds", "busy_seconds", "attempts")
    lines += [_spent(_unit(u), n, None) for u, n in total.items() if u not in own and u not in counted]
    return lines


def _totals(run: Stored, budget: Mapping[str, float], day: str, words: str) -> list[RuleLine]:
    if not budget:
        return []
    rows = run.ws.catalog.query(
        "select unit, amount - forgiven as spent from spend_totals where workflow = :w and day = :d",
        w=run.spec.name, d=day,
    )  # fmt: skip
    spent = {row["unit"]: row["spent"] for row in rows}
    return [_spent(f"{_unit(u)} {words}", spent.get(u, 0.0), most) for u, most in budget.items()]


def _spent(name: str, spent: float, most: float | None, step: str | None = None) -> RuleLine:
    if most is None:
        return RuleLine(name=name, text=f"{spent:,.6g} spent", step=step)
    return RuleLine(
        name=name, text=f"{spent:,.6g} of {most:,.6g} spent", step=step, tone="failed" if spent > most else ""
    )


def _unit(unit: str) -> str:
    return unit.replace("_", " ")


def _resources(run: Stored) -> list[RuleLine]:
    held = run.ws.catalog.query(
        "select name, amount, step from limit_holders where run_id = :r order by since limit :n",
        r=run.run_id, n=_MOST,
    )  # fmt: skip
    waiting = run.ws.catalog.query(
        "select step, wants from limit_waiters where run_id = :r order by seq limit :n", r=run.run_id, n=_MOST
    )
    lines = [
        RuleLine(name=h["step"], step=h["step"], text=f"holds {h['amount']} of {h['name']}", tone="succeeded")
        for h in held if h["step"]
    ]  # fmt: skip
    return lines + [
        RuleLine(name=w["step"], step=w["step"], text=f"waits for {', '.join(json.loads(w['wants']))}", tone="waiting")
        for w in waiting if w["step"]
    ]  # fmt: skip


def _undone(run: Stored) -> list[RuleLine]:
    rows = run.ws.catalog.query(
        "select * from compensations where run_id = :r order by leg, position limit :n", r=run.run_id, n=_MOST
    )
    return [
        RuleLine(
            name=r["step"],
            step=r["step"],
            text=_ended(r, f"{r['function']} "),
            tone=_TONES.get(r["status"], ""),
        )
        for r in rows
    ]


def _ended(row: Row, told: str) -> str:
    """Return how a call ended, with its error where it has one."""
    error = json.loads(row["error"]) if row["error"] else None
    return f"{told}{row['status']}" + (f": {error.get('type')}: {error.get('message')}" if error else "")


def _deadline(run: Stored) -> list[RuleLine]:
    due = run.row["deadline_at"]
    if due is None:
        return []
    at = dt.datetime.fromtimestamp(due, dt.UTC)
    late = bool(run.row["late"])
    text = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if late or run.status in OVER:
        text += ", missed" if late else ", kept"
    return [RuleLine(name="over by", text=text, tone="failed" if late else "")]


def _hooks(run: Stored) -> list[RuleLine]:
    rows = run.ws.catalog.query(
        "select hook, name, status, error from hook_calls where run_id = :r order by leg, started_at, position "
        "limit :n", r=run.run_id, n=_MOST,
    )  # fmt: skip
    return [
        RuleLine(name=r["hook"], text=_ended(r, f"{r['name']} "), tone=_TONES.get(r["status"], ""))
        for r in rows
    ]


def _effects(run: Stored) -> list[RuleLine]:
    rows = run.ws.catalog.query(
        "select step, key, status, because from effects where run_id = :r order by claimed_at limit :n",
        r=run.run_id, n=_MOST,
    )  # fmt: skip
    lines = []
    for row in rows:
        status = row["status"].replace("_", " ")
        text = f"{status}: {row['key']}" + (f" ({row['because']})" if row["because"] else "")
        lines.append(RuleLine(name=row["step"], step=row["step"], text=text, tone=_TONES.get(status, "")))
    return lines
