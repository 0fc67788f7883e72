"""What `@wf.map` takes, and which parameter of its function gets the item."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import DefinitionError, MissingInputError, hint
from aios_workbench.workflow.budgets import FLOW_OPTIONS
from aios_workbench.workflow.edges import Constant, Edges
from aios_workbench.workflow.parameters import signature_of

if TYPE_CHECKING:
    from aios_workbench.workflow.written import Definition

MAP_OPTIONS = (
    "over", "item", "batch", "batches", "concurrency", "on_error", "buffer", "name", "retries", "backoff", "timeout",
    "cache", "after", "fallback", "inputs", "tags", "when", "needs",
    "retry_on", "give_up_on", *FLOW_OPTIONS,
)  # fmt: skip
BATCH, CONCURRENCY = 500, 4


def check_map(name: str, where: str, options: Mapping[str, Any]) -> None:
    """Refuse what a map cannot do.

    Raises
    ------
    DefinitionError
        Naming the map, the option and what it takes.
    """
    for option, most in (("batch", 1_000_000), ("concurrency", 256), ("buffer", 10_000)):
        value = options.get(option)
        if value is not None and (type(value) is not int or not 1 <= value <= most):
            raise DefinitionError(
                f"map '{name}' ({where}): {option} must be a whole number from 1 to {most:,}, not {value!r}"
            )
    if not isinstance(options.get("batches", False), bool):
        raise DefinitionError(f"map '{name}' ({where}): batches is True or False, not {options['batches']!r}")


def over_of(name: Any, over: Any) -> str:
    """Return the name of what a map goes over.

    Raises
    ------
    DefinitionError
        When it is no name.
    """
    over = over if isinstance(over, str) else getattr(over, "__name__", None)
    if not over or not isinstance(over, str):
        raise DefinitionError(
            f"map '{name}' goes over a step's output or a parameter; name it: @wf.map(over=\"claims\")"
        )
    return over


def map_fields(d: Definition) -> dict[str, Any]:
    """Return the fields of a spec that only a map has."""
    if d.kind != "map":
        return {}
    o = d.options
    concurrency = o.get("concurrency") or CONCURRENCY
    return {
        "over": over_name(d), "batch": o.get("batch") or BATCH, "batches": bool(o.get("batches")),
        "concurrency": concurrency, "buffer": o.get("buffer") or 2 * concurrency,
    }  # fmt: skip


def over_name(d: Definition) -> str:
    """Return the step or parameter a map goes over, as the workflow calls it."""
    found = d.scope.get(d.options["over"])
    return found if isinstance(found, str) else str(d.options["over"])


def give_item(d: Definition, own: Edges, steps: Iterable[str]) -> None:
    """Say where what a map goes over comes from."""
    over = d.scope.get(d.options["over"], d.options["over"])
    own.item = item_of(d, steps)
    if isinstance(over, Constant):
        own.constants[own.item] = over.value
    else:
        (own.deps if over in steps else own.params)[own.item] = over


def item_of(d: Definition, steps: Iterable[str]) -> str:
    """Return the parameter of a map's function that gets the item, or with `batches` the batch.

    It is the one that `item=` names; else, for batches, the one called like `over`; else the one called like the
    singular of `over`; else the only one that is no step, not `over` and has no default.

    Raises
    ------
    MissingInputError
        When that is not one parameter, with those that it may be.
    """
    parameters = signature_of(d.fn).parameters
    over, said = d.options["over"], d.options.get("item")
    if said is not None:
        if said not in parameters:
            raise MissingInputError(
                f"map '{d.name}' ({d.where}): item names '{said}', which the function does not take"
                f"{hint(str(said), parameters)}"
            )
        return str(said)
    for name in ((over,) if d.options.get("batches") else ()) + singulars(over):
        if name in parameters:
            return name
    known = set(steps)
    free = [
        p.name for p in parameters.values()
        if p.default is inspect.Parameter.empty and p.name != over and d.scope.get(p.name, p.name) not in known
    ]  # fmt: skip
    if len(free) == 1:
        return free[0]
    what = "the batch" if d.options.get("batches") else "the item"
    if not free:
        raise MissingInputError(
            f"map '{d.name}' ({d.where}) has no parameter for {what} of '{over}'; add one called "
            f"'{singulars(over)[0]}', or say which it is with item="
        )
    raise MissingInputError(
        f"map '{d.name}' ({d.where}): {what} of '{over}' may be {' or '.join(map(repr, free))}; say which with "
        f"item={free[0]!r}, or call it '{singulars(over)[0]}'"
    )


def singulars(name: str) -> tuple[str, ...]:
    """Return what one of `name` may be called.

    Examples
    --------
    >>> singulars("claims"), singulars("companies"), singulars("boxes"), singulars("data")
    (('claim',), ('company',), ('box', 'boxe'), ('item',))
    """
    if name.endswith("ies") and len(name) > 4:
        return (name[:-3] + "y",)
    if name.endswith(("ses", "xes", "zes", "ches", "shes")):
        return name[:-2], name[:-1]
    if name.endswith("s") and not name.endswith("ss") and len(name) > 1:
        return (name[:-1],)
    return ("item",)
