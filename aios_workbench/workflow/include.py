"""A workflow inside another: its steps are taken over under new names, its parameters bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import DefinitionError, hint
from aios_workbench.workflow.edges import Constant
from aios_workbench.workflow.parameters import signature_of
from aios_workbench.workflow.written import Definition

if TYPE_CHECKING:
    from aios_workbench.workflow.definition import Workflow


def include(
    into: Workflow, other: Workflow, *, prefix: str | None, inputs: Mapping[str, str], params: Mapping[str, Any],
    outputs: Mapping[str, str], after: list[str],
) -> dict[str, str]:  # fmt: skip
    """See `Workflow.include`."""
    if other is into:
        raise DefinitionError(
            f"workflow '{into.name}' cannot include itself; use @wf.loop for what is to be repeated"
        )
    prefix = other.name if prefix is None else prefix
    if not str(prefix).strip():
        raise DefinitionError(
            f"including '{other.name}': prefix must be text that is not empty, not {prefix!r}"
        )
    where = f"workflow '{into.name}' includes '{other.name}'"
    steps = list(other._definitions)
    _known(where, "inputs", "parameter", inputs, [p.name for p in other.parameters])
    _known(where, "params", "parameter", params, [p.name for p in other.parameters])
    _known(where, "outputs", "step", outputs, steps)
    both = sorted(set(inputs) & set(params))
    if both:
        raise DefinitionError(
            f"{where}: '{both[0]}' is bound twice, in inputs and in params; name it in one of them"
        )
    names = {step: outputs.get(step, f"{prefix}_{step}") for step in steps}
    _free(into, where, prefix, names)
    bound = {**names, **inputs, **{p: Constant(value) for p, value in params.items()}}
    made = {}
    for definition in other._definitions.values():
        scope = {name: _resolved(definition, name, bound) for name in _mentioned(definition)}
        options = dict(definition.options)
        outer = after if after and not _inner(definition, other) else []
        options["after"] = [*(names.get(a, a) for a in options.get("after", ())), *outer]
        made[names[definition.name]] = replace(
            definition, name=names[definition.name], scope=scope, group=prefix,
            options=options | {"inputs": {k: names[v] for k, v in (options.get("inputs") or {}).items()}},
        )  # fmt: skip
    kept = {n: d for n, d in into._definitions.items() if d.group != prefix}
    into._definitions = {**kept, **made}
    into._notify()
    return names


def _known(where: str, option: str, what: str, given: Mapping[str, Any], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise DefinitionError(
                f"{where}: {option} names '{name}', but it has no {what} of that name{hint(name, known)} "
                f"(it has: {', '.join(known) or 'none'})"
            )


def _free(into: Workflow, where: str, prefix: str, names: Mapping[str, str]) -> None:
    taken: set[str] = set()
    for step, name in names.items():
        there = into._definitions.get(name)
        if name in taken or (there is not None and there.group != prefix):
            raise DefinitionError(
                f"{where}: step '{step}' would be called '{name}', which is taken; choose another prefix=, or name it "
                "in outputs="
            )
        taken.add(name)


def _mentioned(d: Definition) -> list[str]:
    """All names by which a definition asks for a step or a parameter."""
    functions: list[Callable[..., Any] | None] = [d.fn, d.options.get("when"), d.options.get("until")]
    names = [n for f in functions if f is not None for n in signature_of(f).parameters]
    return list(dict.fromkeys([*names, *filter(None, [d.options.get("over")])]))


def _resolved(d: Definition, name: str, bound: Mapping[str, Any]) -> Any:
    inner = d.scope.get(name, name)  # of a workflow that was included there
    return inner if isinstance(inner, Constant) else bound.get(inner, inner)


def _inner(d: Definition, other: Workflow) -> bool:
    """True when a step waits for another of its own workflow, so that it starts late enough without being told."""
    return bool(other.spec().step(d.name).upstream)
