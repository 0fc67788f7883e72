"""What a running step knows about itself."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aios_workbench.engine.records import tell_progress
from aios_workbench.engine.spending.ledger import Purse
from aios_workbench.engine.spending.spender import Spender, Spending, reserved, usage_amounts
from aios_workbench.errors import AiosError
from aios_workbench.workflow.currencies import CURRENCIES
from aios_workbench.workspace import Workspace, upsert

current: contextvars.ContextVar[Context | None] = contextvars.ContextVar("aios_context", default=None)
_PROGRESS_SECONDS = 0.1


@dataclass
class Context:
    """Handed out by `aios.context()` inside a step.

    Attributes
    ----------
    key : str
        The same for every attempt of this step of this run, also after a crash: give it to outside systems as
        idempotency key, so that doing the step again does not do its effect again.
    part : int or None
        The iteration of a loop, from 1; the number of the item of a map, from 0.
    """

    ws: Workspace = field(repr=False)
    run_id: str
    workflow: str
    step: str
    attempt: int
    params: dict[str, Any] = field(default_factory=dict)
    job_run_id: str | None = None
    part: int | None = None
    _purpose: str = field(default="", repr=False)
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False)
    _log: Callable[[str], None] = field(default=print, repr=False)
    _last: float = field(default=0.0, repr=False)
    _kept: Any = field(default=None, repr=False)
    _mask: Callable[[str], str] = field(default=str, repr=False)  # takes secrets out of what is written down
    _purse: Purse | None = field(default=None, repr=False)
    _began: float = field(default_factory=time.monotonic, repr=False)

    @property
    def key(self) -> str:
        """Idempotency key of this step of this run; in a map of this item, in a loop of this iteration.

        The function that undoes the step has a key of its own.
        """
        parts = [self.run_id, self.step, self.part, self._purpose or None]
        return "/".join(str(p) for p in parts if p is not None)

    @property
    def cancelled(self) -> bool:
        """True once the run was cancelled or the attempt timed out; long loops should look and return."""
        return self._cancelled.is_set()

    def progress(self, fraction: float, message: str | None = None) -> None:
        """Show how far the step is: a fraction from 0 to 1, and a few words."""
        if not self._due(fraction):
            return
        message = None if message is None else self._mask(str(message))
        tell_progress(self.ws.catalog, self.run_id, self.step, min(max(float(fraction), 0.0), 1.0), message)

    def _due(self, fraction: float) -> bool:
        now = time.monotonic()
        if now - self._last < _PROGRESS_SECONDS and fraction < 1:
            return False
        self._last = now
        return True

    def metric(self, name: str, value: float | str, unit: str | None = None, *, kpi: bool = False) -> None:
        """Record a figure of this run; shown with the run and in `aios.sql("… from metrics")`.

        Parameters
        ----------
        unit : str, optional
            Such as ``"rows"`` or ``"EUR"``.
        kpi : bool
            The figure is what the run is for, such as money recovered or claims settled.

        Notes
        -----
        A run's cost is every figure that is no KPI and has an ISO 4217 currency as its unit, or is named `cost`,
        `cost_…` or `…_cost`. One in a currency counts as spent, too, and may raise `BudgetExceeded`: what it grows by
        within an attempt. So report a cost here or with `spend`, not both.
        """
        number = float(value) if isinstance(value, (int, float)) or hasattr(value, "__float__") else None
        name = self._mask(str(name))
        row = {
            "run_id": self.run_id, "step": self.step, "name": name, "value": number,
            "text": None if number is not None else self._mask(str(value)), "unit": unit, "at": time.time(),
            "kpi": int(kpi),
        }  # fmt: skip
        self.ws.catalog.defer(upsert("metrics", row, ("run_id", "step", "name")), row)
        self.ws.catalog.event(
            "metric", self.run_id, self.step, name=name, value=number, text=row["text"], unit=unit
        )
        if number is not None and unit in CURRENCIES and not kpi:
            self._spender.cost(str(name), number, str(unit))

    def spend(self, **amounts: float) -> None:
        """Say what was spent: it counts against the budgets of the step, its run, the day and the workflow.

        Stored on return, so that a process that is killed forgets none of it; what a failed attempt spent counts.

        Parameters
        ----------
        **amounts
            Of `calls`, `tokens` (or `input_tokens` and `output_tokens`, which add up to them), and money by its
            ISO 4217 code, such as ``EUR=0.02``.

        Raises
        ------
        BudgetExceeded
            When that was more than there is. It is written down first, as it was spent.
        ParameterError
            For a unit that cannot be spent.

        Examples
        --------
        >>> import aios_workbench as aios
        >>> wf = aios.Workflow("spends", budget={"tokens": 1_000})
        >>> @wf.step
        ... def ask():
        ...     asked = 0
        ...     while aios.context().left("tokens") >= 400:
        ...         aios.context().spend(calls=1, tokens=400)
        ...         asked += 1
        ...     return asked
        >>> wf.run().result()
        2
        """
        self._spender.spend(amounts)

    def spend_usage(self, usage: Any) -> None:
        """Spend the calls and tokens that a model's library counted, such as pydantic-ai's ``result.usage()``.

        Parameters
        ----------
        usage : object, mapping or callable
            With `input_tokens` and `output_tokens`, or `prompt_tokens` and `completion_tokens`; its `requests`, if it
            has any, are the calls.

        Raises
        ------
        BudgetExceeded, ParameterError
            As `spend` does.
        """
        self._spender.spend(usage_amounts(usage))

    def left(self, unit: str) -> float:
        """Return how much of a unit may still be spent: the least of all budgets it counts against.

        What others have reserved is not left. Infinity without a budget of that unit.
        """
        return self._spender.left(unit)

    def reserve(self, **amounts: float) -> AbstractContextManager[None]:
        """Keep amounts for the time of a ``with`` block; what is spent in it is taken from them.

        Without it steps side by side overshoot a budget by at most what each of them spends in one go.

        Raises
        ------
        BudgetExceeded
            When less is left: nothing was spent then.
        """
        return reserved(self._spender, amounts)

    @cached_property
    def _spender(self) -> Spending:
        return Spender(self.ws, self._purse or Purse("", self.workflow, self.run_id, self.step), self._began)

    def keep(self, value: Any) -> None:
        """Keep a value with the step beside its output, also when the step fails: `run["step"].kept`.

        The value of the last call is kept. A check of the step's value (its option `gate`) does so with what it found.
        """
        self._kept = value

    def log(self, text: object) -> None:
        """Write a line to the step's log."""
        self._log(str(text))


def context() -> Context:
    """Return the context of the step that is running in this thread.

    Raises
    ------
    AiosError
        Outside a step.
    """
    found = current.get()
    if found is None:
        raise AiosError(
            "aios.context() works inside a step while a run executes it. In a plain call of the function there is "
            "no run: guard with aios.in_step()"
        )
    return found


def in_step() -> bool:
    """True inside a step that a run is executing."""
    return current.get() is not None
