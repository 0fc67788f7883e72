"""Budgets as people write them: parsed and checked. What is spent is the engine's business."""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, ParameterError, hint
from aios_workbench.workflow.currencies import CURRENCIES
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.limits import parse_bound, parse_limits, parse_priority

FLOW_OPTIONS = ("limits", "priority", "budget")
#: Counted by the engine itself; the others are what `context().spend(…)` says, and what metrics cost.
SECONDS, BUSY, ATTEMPTS = "seconds", "busy_seconds", "attempts"
COUNTED = (SECONDS, BUSY, ATTEMPTS)
SPENT = ("calls", "tokens", "input_tokens", "output_tokens")
_NEAR = (*COUNTED, *SPENT)


def parse_budget(given: Any) -> dict[str, float]:
    """Return unit -> how much of it may be spent.

    Parameters
    ----------
    given : mapping or None
        ``{"calls": 100, "tokens": 50_000, "EUR": 2.5, "seconds": "1 min"}``.

    Raises
    ------
    ParameterError
        For a unit that does not exist, with the nearest that does, or an amount that cannot be.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ParameterError(
            f"a budget maps units to amounts, such as {{'tokens': 50_000, 'EUR': 2.5}}, not {given!r}"
        )
    return {check_unit(unit): _amount(unit, amount) for unit, amount in sorted(given.items())}


def check_unit(unit: Any) -> str:
    """Return a unit of spending if it is one.

    Raises
    ------
    ParameterError
        With the nearest unit.
    """
    if not isinstance(unit, str) or (unit not in _NEAR and unit not in CURRENCIES):
        near = (
            hint(str(unit), [*_NEAR, *CURRENCIES])
            or hint(str(unit).upper(), CURRENCIES)
            or hint(str(unit).lower(), _NEAR)
        )
        raise ParameterError(
            f"{unit!r} cannot be spent{near} (there are {', '.join(_NEAR)} and currencies by their ISO 4217 code)"
        )
    return unit


def _amount(unit: str, amount: Any) -> float:
    if unit in (SECONDS, BUSY):
        return parse_duration(amount)
    fits = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if not fits or not math.isfinite(amount) or amount < 0:
        raise ParameterError(f"a budget of {unit} must be a number of at least 0, not {amount!r}")
    return float(amount)


def check_flow(kind: str, name: str, where: str, options: dict[str, Any]) -> None:
    """Bring a decorator's `limits`, `priority` and `budget` into their form, in place.

    Raises
    ------
    DefinitionError
        Naming the step and the option.
    """
    option = "limits"
    try:
        if options.get("limits") is not None:
            options["limits"] = parse_limits(options["limits"])
        option = "priority"
        if options.get("priority") is not None:
            options["priority"] = parse_priority(options["priority"])
        option = "budget"
        if options.get("budget") is not None:
            options["budget"] = parse_budget(options["budget"])
    except ParameterError as e:
        raise DefinitionError(f"{kind} '{name}' ({where}), {option}: {e}") from None


def step_flow(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a StepSpec that checked options give."""
    return {
        "limits": options.get("limits") or {}, "priority": options.get("priority") or 0,
        "budget": options.get("budget") or {},
    }  # fmt: skip


def workflow_flow(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a WorkflowSpec that say how its runs share and spend.

    Raises
    ------
    DefinitionError
        Naming the workflow and the option.
    """
    option = "priority"
    try:
        out: dict[str, Any] = {"priority": parse_priority(given["priority"])}
        for option in ("max_active", "max_queued"):
            out[option] = parse_bound(option, given[option])
        for option in ("budget", "daily_budget", "total_budget"):
            out[option] = parse_budget(given[option])
        option = "zone"
        out["zone"] = check_zone(given["zone"])
    except ParameterError as e:
        raise DefinitionError(f"workflow '{name}', {option}: {e}") from None
    except DefinitionError as e:
        raise DefinitionError(f"workflow '{name}': {e}") from None
    return out


def check_zone(zone: Any) -> str:
    """Return the name of a time zone if there is one of that name.

    Raises
    ------
    ParameterError
        With the nearest name.
    """
    try:
        zoneinfo.ZoneInfo(zone)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        near = hint(str(zone), zoneinfo.available_timezones())
        raise ParameterError(
            f"there is no time zone {zone!r}{near}; write for example 'Europe/Vienna'"
        ) from None
    return str(zone)
