"""The ledger: what was spent, by step, run, day and workflow, in the catalog, for all processes.

Every entry is one transaction that adds and looks: who spends sees what all others have spent before. So steps side
by side overshoot a budget together by at most what each of them spends in one go, the calls in flight; who reserves
first (`reserve`) does not overshoot at all, unless it spends more than it reserved.
"""

from __future__ import annotations

import datetime as dt
import math
import time
import uuid
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine import leases
from aios_workbench.engine.flow.store import lock
from aios_workbench.errors import BudgetExceeded
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Workspace

_NOTHING = 1e-9  # sums of floats: what is spent to the last cent is not over


@dataclass(frozen=True)
class Budget:
    """What may be spent: by a step of a run, by the run, by all runs of a day, by all runs."""

    step: Mapping[str, float] = field(default_factory=dict)
    run: Mapping[str, float] = field(default_factory=dict)
    day: Mapping[str, float] = field(default_factory=dict)
    workflow: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: WorkflowSpec, step: StepSpec, own: Mapping[str, float] | None = None) -> Budget:
        """Return a step's budgets; `own` is the run's instead of its workflow's."""
        return cls(step.budget, spec.budget if own is None else own, spec.daily_budget, spec.total_budget)

    def scopes(self) -> list[tuple[str, Mapping[str, float]]]:
        """Return each scope that has a budget, the narrowest first."""
        return [(n, b) for n in ("step", "run", "day", "workflow") if (b := getattr(self, n))]

    def __bool__(self) -> bool:
        return bool(self.step or self.run or self.day or self.workflow)


@dataclass(frozen=True)
class Purse:
    """Who spends, from what. Plain data: it may travel into another process."""

    executor: str
    workflow: str
    run_id: str
    step: str
    zone: str = "UTC"
    budget: Budget = field(default_factory=Budget)

    def day(self) -> str:
        """Return the day it is in the workflow's zone."""
        return dt.datetime.fromtimestamp(time.time(), zoneinfo.ZoneInfo(self.zone)).date().isoformat()

    # -- spending

    def spend(
        self, ws: Workspace, amounts: Mapping[str, float], *, reported: bool = False, held: str = ""
    ) -> None:
        """Write down what was spent, then say if that was too much.

        Parameters
        ----------
        reported : bool
            It is in table `metrics` already.
        held : str
            The reservation it is taken from.

        Raises
        ------
        BudgetExceeded
            After it is written: it was spent.
        """
        with ws.catalog.transaction() as con:
            self._add(con, {(self.step, u): a for u, a in amounts.items()}, reported=reported)
            for unit, amount in amounts.items() if held else ():
                con.execute(_USE_RESERVED, {"r": held, "u": unit, "amount": amount})
            over = self._over(con, amounts)
        if over is not None:
            raise self._exceeded(ws, *over)

    def enter(self, ws: Workspace, amounts: Mapping[str, float], *, but: str = "") -> None:
        """Write down what an attempt costs before it begins; not when that is too much, or something is over already.

        Parameters
        ----------
        but : str
            A scope that does not matter.

        Raises
        ------
        BudgetExceeded
            Nothing is written then.
        """
        with ws.catalog.transaction() as con:
            lock(con)
            over = self._over(con, None, amounts, but)
            if over is None:
                self._add(con, {(self.step, u): a for u, a in amounts.items()})
        if over is not None:
            raise self._exceeded(ws, *over)

    def add(self, ws: Workspace, amounts: Mapping[tuple[str, str], float]) -> None:
        """Write down what was spent, by step and unit, whatever the budgets say."""
        with ws.catalog.transaction() as con:
            self._add(con, amounts)

    def _add(self, con: Any, amounts: Mapping[tuple[str, str], float], *, reported: bool = False) -> None:
        day, now = self.day(), time.time()
        for (step, unit), amount in sorted(amounts.items()):  # in order: no two wait for each other
            con.execute(_SPEND, {
                "run": self.run_id, "step": step, "day": day, "unit": unit, "workflow": self.workflow,
                "amount": amount, "reported": amount if reported else 0.0, "now": now,
            })  # fmt: skip
            if unit == "seconds" and step:
                continue  # of a day's clock the run's are counted, not those of steps side by side
            for when in (day, ""):
                con.execute(_TOTAL, {
                    "workflow": self.workflow, "day": when, "unit": unit, "amount": amount, "now": now,
                })  # fmt: skip

    # -- looking

    def left(self, ws: Workspace, unit: str, only: str | None = None) -> float:
        """Return how much may still be spent of a unit, in one scope or the narrowest; infinity without a budget."""
        with ws.catalog.transaction() as con:
            return min(
                (
                    limits[unit] - self._spent(con, scope, unit) - self._reserved(con, scope, unit)
                    for scope, limits in self.budget.scopes()
                    if unit in limits and only in (None, scope)
                ),
                default=math.inf,
            )

    def _over(
        self,
        con: Any,
        units: Mapping[str, float] | None,
        more: Mapping[str, float] | None = None,
        but: str = "",
    ) -> tuple[str, str, float, float] | None:
        """Return scope, unit, limit and what was spent of the first budget that is over, or would be with `more`."""
        for scope, limits in self.budget.scopes():
            for unit, limit in limits.items():
                if scope != but and (units is None or unit in units):
                    spent = self._spent(con, scope, unit)
                    if spent + (more or {}).get(unit, 0.0) > limit + _NOTHING:
                        return scope, unit, limit, spent
        return None

    def _spent(self, con: Any, scope: str, unit: str) -> float:
        row = con.execute(_SPENT[scope, unit == "seconds"], self._of(unit)).fetchone()
        return float(row["n"] or 0.0) if row is not None else 0.0

    def _reserved(self, con: Any, scope: str, unit: str) -> float:
        row = con.execute(_RESERVED[scope], self._of(unit)).fetchone()
        return float(row["n"] or 0.0)

    def _of(self, unit: str) -> dict[str, Any]:
        return {"r": self.run_id, "s": self.step, "w": self.workflow, "d": self.day(), "u": unit}

    # -- reserving

    def hold(self, ws: Workspace, amounts: Mapping[str, float]) -> str:
        """Keep amounts until they are let go, or the process is gone; return the reservation's name.

        Raises
        ------
        BudgetExceeded
            When less is left than is asked for.
        """
        name = uuid.uuid4().hex
        rows = ws.catalog.query("select distinct executor from spend_reserved")
        dead = [r["executor"] for r in rows if not leases.alive(ws, r["executor"])]
        with ws.catalog.transaction() as con:
            lock(con)
            for gone in dead:
                con.execute("delete from spend_reserved where executor = :e", {"e": gone})
            short = self._short(con, amounts)
            for unit, amount in amounts.items() if short is None else ():
                con.execute(
                    _RESERVE,
                    {**self._of(unit), "id": name, "a": amount, "e": self.executor, "now": time.time()},
                )
        if short is not None:
            raise self._exceeded(ws, *short)
        return name

    def let_go(self, ws: Workspace, name: str) -> None:
        """End a reservation."""
        ws.catalog.write("delete from spend_reserved where reservation = :id", id=name)

    def _short(self, con: Any, amounts: Mapping[str, float]) -> tuple[str, str, float, float] | None:
        for scope, limits in self.budget.scopes():
            for unit in limits.keys() & amounts.keys():
                taken = self._spent(con, scope, unit) + self._reserved(con, scope, unit)
                if taken + amounts[unit] > limits[unit] + _NOTHING:
                    return scope, unit, limits[unit], taken
        return None

    # -- saying so

    def _exceeded(self, ws: Workspace, scope: str, unit: str, limit: float, spent: float) -> BudgetExceeded:
        return exceeded(self, scope, unit, limit, spent, by_step(ws, self, scope, unit))


def exceeded(
    purse: Purse, scope: str, unit: str, limit: float, spent: float, steps: Mapping[str, float]
) -> BudgetExceeded:
    """Return the error that says what was spent by whom, and what can be done."""
    whose = {
        "step": f"step '{purse.step}'", "run": f"run {purse.run_id}",
        "day": f"workflow '{purse.workflow}' for {purse.day()} ({purse.zone})",
        "workflow": f"workflow '{purse.workflow}'",
    }[scope]  # fmt: skip
    who = ", ".join(f"{step} {shown(amount)}" for step, amount in steps.items())
    reset = {
        "day": f"`aios budgets reset '{purse.workflow}' --day {purse.day()}`",
        "workflow": f"`aios budgets reset '{purse.workflow}' --total`",
    }.get(scope, f"`aios budgets reset {purse.run_id}`")
    return BudgetExceeded(
        f"the budget of {whose} is used up: {shown(spent)} of {shown(limit)} {unit}{f' ({who})' if who else ''}. What "
        f"finished is kept (run.partial); give it more with {reset} and resume, or raise the budget and run again",
        scope=scope, unit=unit, limit=limit, spent=spent, by_step=steps,
    )  # fmt: skip


def shown(amount: float) -> str:
    """Return an amount as people read it.

    Examples
    --------
    >>> shown(52310.0), shown(2.5), shown(0.1 + 0.2)
    ('52,310', '2.5', '0.3')
    """
    return f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.4f}".rstrip("0").rstrip(".")


def by_step(ws: Workspace, purse: Purse, scope: str, unit: str) -> dict[str, float]:
    """Return what each step spent in a scope, the most first."""
    where = {
        "step": "run_id = :r and step = :s", "run": "run_id = :r", "day": "workflow = :w and day = :d",
        "workflow": "workflow = :w",
    }[scope]  # fmt: skip
    rows = ws.catalog.query(
        f"select step, sum(amount - forgiven) as n from spend where {where} and unit = :u and step <> '' "  # noqa: S608 - of ours
        "group by step order by n desc, step limit 5", **purse._of(unit),
    )  # fmt: skip
    return {r["step"]: float(r["n"]) for r in rows}


def spent(ws: Workspace, run_id: str) -> dict[str, float]:
    """Return what a run has spent, by unit."""
    rows = ws.catalog.query(
        "select unit, sum(amount) as n from spend where run_id = :r and (unit <> 'seconds' or step = '') "
        "group by unit order by unit", r=run_id,
    )  # fmt: skip
    return {r["unit"]: float(r["n"]) for r in rows}


_SPEND = (
    "insert into spend (run_id, step, day, unit, workflow, amount, reported, updated_at) "
    "values (:run, :step, :day, :unit, :workflow, :amount, :reported, :now) on conflict (run_id, step, day, unit) "
    "do update set amount = spend.amount + excluded.amount, reported = spend.reported + excluded.reported, "
    "updated_at = excluded.updated_at"
)
_TOTAL = (
    "insert into spend_totals (workflow, day, unit, amount, updated_at) values (:workflow, :day, :unit, :amount, :now) "
    "on conflict (workflow, day, unit) do update set amount = spend_totals.amount + excluded.amount, "
    "updated_at = excluded.updated_at"
)
_SUM = "select sum(amount - forgiven) as n from spend where run_id = :r and unit = :u"
_OF_TOTALS = "select amount - forgiven as n from spend_totals where workflow = :w and unit = :u and day = "
#: (scope, is it the clock's seconds) -> the question; of a run's clock there is a row of its own.
_SPENT = {
    ("step", False): f"{_SUM} and step = :s", ("step", True): f"{_SUM} and step = :s",
    ("run", False): _SUM, ("run", True): f"{_SUM} and step = ''",
    ("day", False): f"{_OF_TOTALS}:d", ("day", True): f"{_OF_TOTALS}:d",
    ("workflow", False): f"{_OF_TOTALS}''", ("workflow", True): f"{_OF_TOTALS}''",
}  # fmt: skip
_HELD = "select sum(amount) as n from spend_reserved where unit = :u and "
_RESERVED = {
    "step": f"{_HELD}run_id = :r and step = :s", "run": f"{_HELD}run_id = :r",
    "day": f"{_HELD}workflow = :w and day = :d", "workflow": f"{_HELD}workflow = :w",
}  # fmt: skip
_RESERVE = (
    "insert into spend_reserved (reservation, unit, amount, executor, workflow, day, run_id, step, since) "
    "values (:id, :u, :a, :e, :w, :d, :r, :s, :now)"
)
_USE_RESERVED = (
    "update spend_reserved set amount = case when amount > :amount then amount - :amount else 0 end "
    "where reservation = :r and unit = :u"
)
