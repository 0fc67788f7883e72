"""What `@wf.loop` takes: a state goes in, a state comes out, until a condition holds or a bound is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import DefinitionError, MissingInputError, hint
from aios_workbench.workflow.budgets import FLOW_OPTIONS
from aios_workbench.workflow.parameters import signature_of
from aios_workbench.workflow.policies import POLICY_OPTIONS

if TYPE_CHECKING:
    from aios_workbench.workflow.written import Definition

LOOP_OPTIONS = (
    "until", "max", "state", "on_bound", "name", "retries", "backoff", "timeout", "cache", "after", "fallback",
    "inputs", "tags", "when", "needs", *POLICY_OPTIONS, *FLOW_OPTIONS,
)  # fmt: skip
MAX = 100


def check_loop(name: str, where: str, options: Mapping[str, Any]) -> None:
    """Refuse what a loop cannot do.

    Raises
    ------
    DefinitionError
        Naming the loop, the option and what it takes.
    """
    bound = options.get("max", MAX)
    if type(bound) is not int or not 1 <= bound <= 1_000_000:
        raise DefinitionError(
            f"loop '{name}' ({where}): max must be a whole number from 1 to 1,000,000, not {bound!r}: a loop needs a "
            "bound"
        )
    until = options.get("until")
    if until is not None and (not callable(until) or not signature_of(until).parameters):
        raise DefinitionError(
            f"loop '{name}' ({where}): until must be a function of the state that returns True or False, not {until!r}"
        )
    if options.get("on_bound", "fail") not in ("fail", "continue"):
        raise DefinitionError(
            f"loop '{name}' ({where}): on_bound is 'fail' or 'continue', not {options['on_bound']!r}"
        )


def state_of(d: Definition) -> str:
    """Return the parameter that gets the state: the one `state=` names, else the function's first.

    Raises
    ------
    MissingInputError
        When there is none.
    """
    names = list(signature_of(d.fn).parameters)
    said = d.options.get("state")
    if said is not None and said not in names:
        raise MissingInputError(
            f"loop '{d.name}' ({d.where}): state names '{said}', which the function does not take"
            f"{hint(str(said), names)}"
        )
    if not names:
        raise MissingInputError(
            f"loop '{d.name}' ({d.where}) takes nothing: its first parameter gets the state, first from the step or "
            "parameter of that name, then from the iteration before"
        )
    return str(said or names[0])


def until_given(d: Definition) -> list[str]:
    """Return the parameter of `until` that gets the new state: the one called like it, else its first."""
    names = list(signature_of(d.options["until"]).parameters)
    state = state_of(d)
    return [state if state in names else names[0]]


def loop_fields(d: Definition) -> dict[str, Any]:
    """Return the fields of a spec that only a loop has."""
    if d.kind != "loop":
        return {}
    o = d.options
    return {"state": state_of(d), "bound": o.get("max", MAX), "on_bound": o.get("on_bound", "fail")}
