"""When a step runs, by how the steps before it ended: its option `needs`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, hint
from aios_workbench.workflow.edges import Edges
from aios_workbench.workflow.parameters import signature_of

NEEDS = ("all", "any", "done")


def check_needs(kind: str, name: str, where: str, options: Mapping[str, Any]) -> None:
    """Refuse a `needs` that there is not.

    Raises
    ------
    DefinitionError
        With the nearest that there is.
    """
    needs = options.get("needs", "all")
    if needs not in NEEDS:
        raise DefinitionError(
            f"{kind} '{name}' ({where}): needs is 'all' (every step before it succeeded), 'any' (one did) or 'done' "
            f"(they are over), not {needs!r}{hint(str(needs), NEEDS)}"
        )


def optional(fn: Callable[..., Any], edges: Edges, needs: str) -> list[str]:
    """Return the parameters that are None when their step gave nothing: those without a default."""
    if needs == "all":
        return []
    parameters = signature_of(fn).parameters
    return [p for p in edges.deps if p != edges.item and parameters[p].default is inspect.Parameter.empty]
