"""From a step as it was written to a step as data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aios_workbench.workflow import policies
from aios_workbench.workflow.budgets import step_flow
from aios_workbench.workflow.code import code_hash, source_of
from aios_workbench.workflow.edges import Edges, declared, edges_of
from aios_workbench.workflow.isolation import isolation_fields
from aios_workbench.workflow.joins import optional
from aios_workbench.workflow.loops import loop_fields, until_given
from aios_workbench.workflow.mapping import give_item, item_of, map_fields
from aios_workbench.workflow.names import called
from aios_workbench.workflow.parameters import Parameters
from aios_workbench.workflow.spec import StepSpec

if TYPE_CHECKING:
    from aios_workbench.workflow.written import Definition


#: What the function takes, what its `when` takes, and what a loop's `until` takes.
AllEdges = tuple[Edges, Edges, Edges]


def all_edges(d: Definition, definitions: Mapping[str, Definition]) -> AllEdges:
    """Return what the function takes, what its `when` takes, and what a loop's `until` takes."""
    when, until = d.options.get("when"), d.options.get("until")
    item = [item_of(d, definitions)] if d.kind == "map" else []
    given = [*item, *(d.options.get("secrets") or ())]
    own = edges_of(d, d.fn, d.options.get("inputs") or {}, definitions, given)
    if item:
        give_item(d, own, definitions)
    return (
        own,
        Edges() if when is None else edges_of(d, when, {}, definitions),
        Edges() if until is None else edges_of(d, until, {}, definitions, until_given(d)),
    )


def step_spec(d: Definition, edges: AllEdges) -> StepSpec:
    """Return a step as data."""
    o = d.options
    own, when, until = edges
    form = o.get("form")
    by_function = {"fn": own, "when": when, "until": until}
    constants = {k: e.constants for k, e in by_function.items() if e.constants}
    renamed = {k: e.renamed for k, e in by_function.items() if e.renamed}
    counts = [o.get("when"), *(o[k] for k in ("gate", "until") if o.get(k) is not None)]
    return StepSpec(
        name=d.name, kind="gate" if d.kind == "gate" else "step", deps=own.deps, after=list(o.get("after") or ()),
        params=list(dict.fromkeys(own.params.values())),
        retries=o.get("retries", 0), backoff=o.get("backoff", 0.5), timeout=o.get("timeout"),
        cache=bool(o.get("cache", False)), tags=list(o.get("tags") or ()),
        doc=inspect.getdoc(d.fn) or "", code=source_of(d.fn), cell=d.where, cell_id=d.cell_id,
        code_hash=code_hash(d.fn, *d.fallbacks, *counts, *([constants] if constants else [])),
        fallback_names=[getattr(f, "__name__", repr(f)) for f in d.fallbacks],
        when_deps=when.deps, when_params=list(dict.fromkeys(when.params.values())),
        check_name=called(o.get("gate")),
        form=form.model_json_schema() if form is not None else None, on_reject=o.get("on_reject", "fail"),
        **policies.policy_fields(d.name, d.fn, o),
        needs=o.get("needs", "all"), optional=optional(d.fn, own, o.get("needs", "all")),
        names=renamed, constants={k: dict.fromkeys(c) for k, c in constants.items()},
        group=d.group, yields=d.kind == "step" and inspect.isgeneratorfunction(inspect.unwrap(d.fn)),
        until_deps=until.deps, until_params=list(dict.fromkeys(until.params.values())),
        item=own.item,
        **map_fields(d), **loop_fields(d), **step_flow(o), **isolation_fields(o),
    )  # fmt: skip


def parameters_of(
    definitions: Mapping[str, Definition], edges: Mapping[str, AllEdges] | None = None
) -> Parameters:
    """Return what a run can be given; `edges` of each step where they are known already."""
    parameters = Parameters()
    for d in definitions.values():
        functions = (d.fn, d.options.get("when"), d.options.get("until"))
        found = all_edges(d, definitions) if edges is None else edges[d.name]
        for fn, taken in zip(functions, found, strict=True):
            for parameter in declared(fn, taken) if fn is not None else ():
                parameters.add(d.name, d.where, parameter)
    return parameters


def is_changed(now: StepSpec, before: StepSpec) -> bool:
    """True when a step would not do the same: other code, other inputs or another form."""
    return any(
        getattr(now, f) != getattr(before, f)
        for f in ("kind", "code_hash", "deps", "params", "form", "on_reject", "when_deps", "when_params", "needs",
                  "over", "item", "batches", "until_deps", "until_params", "state", "bound", "on_bound", "yields",
                  "secrets", "once")
    )  # fmt: skip
