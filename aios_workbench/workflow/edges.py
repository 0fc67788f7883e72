"""From a function's parameters to edges of the graph: which step, parameter or constant each of them gets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import MissingInputError, hint
from aios_workbench.workflow.parameters import signature_of

if TYPE_CHECKING:
    from aios_workbench.workflow.written import Definition


@dataclass(frozen=True)
class Constant:
    """A value that an include bound a parameter to."""

    value: Any


@dataclass
class Edges:
    """What one function of a step takes.

    Attributes
    ----------
    deps : dict
        Function parameter -> step.
    params : dict
        Function parameter -> workflow parameter.
    constants : dict
        Function parameter -> value.
    item : str
        The parameter that gets one of what a map goes over.
    """

    deps: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    item: str = ""

    @property
    def renamed(self) -> dict[str, str]:
        """The parameters, where at least one has another name in the workflow than in the function."""
        moved = {w for f, w in self.params.items() if f != w}
        return {f: w for f, w in self.params.items() if w in moved}


def edges_of(
    d: Definition,
    fn: Callable[..., Any],
    inputs: Mapping[str, str],
    known: Iterable[str],
    given: Iterable[str] = (),
) -> Edges:
    """Return what a function of a step takes.

    Parameters
    ----------
    known : iterable of str
        Names of the workflow's steps.
    given : iterable of str
        Parameters that get something else, such as the item of a map.

    Raises
    ------
    MissingInputError
        When `inputs` names what there is not.
    """
    names, known, given = list(signature_of(fn).parameters), list(known), set(given)
    _check_inputs(d, inputs, names, known)
    out = Edges()
    for name in names:
        target = inputs.get(name) or d.scope.get(name, name)
        if name in given:
            continue
        if isinstance(target, Constant):
            out.constants[name] = target.value
        elif name in inputs or (target in known and (target != d.name or fn is d.fn)):
            out.deps[name] = target  # one's own name: a circle of one, reported as such
        else:
            out.params[name] = target
    return out


def _check_inputs(d: Definition, inputs: Mapping[str, str], names: list[str], known: list[str]) -> None:
    for parameter, step in inputs.items():
        if parameter not in names:
            raise MissingInputError(
                f"{d.kind} '{d.name}' ({d.where}): inputs names '{parameter}', which the function does not take"
                f"{hint(parameter, names)}"
            )
        if step not in known:
            raise MissingInputError(
                f"{d.kind} '{d.name}' ({d.where}): inputs wants step '{step}', which does not exist"
                f"{hint(step, known)}"
            )


def declared(fn: Callable[..., Any], edges: Edges) -> list[inspect.Parameter]:
    """Return the workflow parameters a function takes, with the names they have in the workflow."""
    told = signature_of(fn).parameters
    return [
        # What a map goes over has not the type that the function says of one item.
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        if own == edges.item
        else told[own].replace(name=name)
        for own, name in edges.params.items()
    ]
