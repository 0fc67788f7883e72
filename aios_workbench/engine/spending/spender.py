"""What `aios.context()` offers a step that spends."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aios_workbench.engine.spending.ledger import Purse
from aios_workbench.errors import ParameterError
from aios_workbench.workflow.budgets import BUSY, COUNTED, SECONDS, check_unit
from aios_workbench.workspace import Workspace

#: What usage objects call their counts: ours, pydantic-ai's and Anthropic's first, then OpenAI's and older ones.
_INPUT = ("input_tokens", "prompt_tokens", "request_tokens")
_OUTPUT = ("output_tokens", "completion_tokens", "response_tokens")


class Spending(Protocol):
    """What spends for a context: `Spender`, or what asks one in another process."""

    def spend(self, given: Mapping[str, Any]) -> None: ...  # noqa: D102 - see Spender
    def left(self, unit: str) -> float: ...  # noqa: D102
    def hold(self, given: Mapping[str, Any]) -> str: ...  # noqa: D102
    def let_go(self, name: str) -> None: ...  # noqa: D102
    def cost(self, name: str, value: float, currency: str) -> None: ...  # noqa: D102


@contextlib.contextmanager
def reserved(spending: Spending, given: Mapping[str, Any]) -> Iterator[None]:
    """Keep amounts for a block."""
    name = spending.hold(given)
    try:
        yield
    finally:
        spending.let_go(name)


@dataclass
class Spender:
    """Spends, asks what is left, reserves; for the step whose purse it has."""

    ws: Workspace
    purse: Purse
    began: float = field(default_factory=time.monotonic)
    _costs: dict[tuple[str, str], float] = field(default_factory=dict)
    _held: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, given: Mapping[str, Any]) -> None:
        """Write down what was spent."""
        amounts = {check_unit(u): _amount(u, a) for u, a in given.items()}
        parts = [amounts[u] for u in ("input_tokens", "output_tokens") if u in amounts]
        if parts and "tokens" not in amounts:
            amounts["tokens"] = sum(parts)
        if amounts:
            self.purse.spend(self.ws, amounts, held=self._held[-1] if self._held else "")

    def cost(self, name: str, value: float, currency: str) -> None:
        """Count a figure of the run that is a cost: what it grew by, as the last value of a name stands for it."""
        with self._lock:
            more = value - self._costs.get((name, currency), 0.0)
            self._costs[name, currency] = value
        if more and math.isfinite(more):
            self.purse.spend(self.ws, {currency: more}, reported=True)

    def left(self, unit: str) -> float:
        """Return how much of a unit may still be spent."""
        running = time.monotonic() - self.began if unit in (SECONDS, BUSY) else 0.0
        return self.purse.left(self.ws, check_unit(unit)) - running

    def hold(self, given: Mapping[str, Any]) -> str:
        """Keep amounts until they are let go; return the reservation's name."""
        name = self.purse.hold(self.ws, {check_unit(u): _amount(u, a) for u, a in given.items()})
        self._held.append(name)
        return name

    def let_go(self, name: str) -> None:
        """End a reservation."""
        self._held.remove(name)
        self.purse.let_go(self.ws, name)


def _amount(unit: str, amount: Any) -> float:
    if unit in COUNTED:
        raise ParameterError(f"{unit} are counted by the engine itself; spend calls, tokens or a currency")
    if (
        isinstance(amount, bool)
        or not hasattr(amount, "__float__")
        or not math.isfinite(amount)
        or amount < 0
    ):
        raise ParameterError(f"spent {unit} must be a number of at least 0, not {amount!r}")
    return float(amount)


def usage_amounts(usage: Any) -> dict[str, float]:
    """Return calls and tokens from what a model's library says of a call.

    Parameters
    ----------
    usage : object, mapping or callable
        With `input_tokens` and `output_tokens` (pydantic-ai, Anthropic), or `prompt_tokens` and `completion_tokens`
        (OpenAI), as attributes or keys; or a function that returns it. Its `requests` are the calls, else it is one.

    Raises
    ------
    ParameterError
        When it has none of these.

    Examples
    --------
    >>> usage_amounts({"prompt_tokens": 12, "completion_tokens": 30})
    {'calls': 1.0, 'input_tokens': 12.0, 'output_tokens': 30.0}
    """
    said, found = usage, _tokens(usage)
    if not found and callable(usage):
        said = usage()
        found = _tokens(said)
    if not found:
        raise ParameterError(
            f"{type(said).__name__} says neither {' nor '.join((*_INPUT[:2], *_OUTPUT[:2]))}; give the numbers to "
            "context().spend(input_tokens=…, output_tokens=…)"
        )
    calls = _read(said, "requests")
    return {"calls": 1.0 if calls is None else calls, **found}


def _tokens(usage: Any) -> dict[str, float]:
    found = {}
    for unit, names in (("input_tokens", _INPUT), ("output_tokens", _OUTPUT)):
        said = [n for name in names if (n := _read(usage, name)) is not None]
        if said:
            found[unit] = said[0]
    return found


def _read(usage: Any, name: str) -> float | None:
    value = usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
