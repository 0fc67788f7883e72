"""A new run that reuses what need not be done again: reruns, and dead letters done once more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios_workbench.engine import control, runtime, submit
from aios_workbench.engine.mapping.redrive import check_redrive, hand_over
from aios_workbench.engine.records import Record
from aios_workbench.errors import ConflictError, NotFoundError, hint
from aios_workbench.workflow import WorkflowSpec, is_changed
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.engine.runs import Run


@dataclass
class Plan:
    """What the new run is given, and the steps it does; what is behind those comes along."""

    spec: WorkflowSpec
    values: Mapping[str, Any]
    refs: dict[str, dict[str, Any]]
    dirty: set[str]
    done: dict[str, Record]


def plan(run: Run, params: Mapping[str, Any]) -> Plan:
    """Return what a rerun with changed parameters does: what changed, and what had not succeeded."""
    ws, row, before = run.workspace, run.row, run.spec
    refs = json.loads(row["param_refs"])
    values: dict[str, Any]
    if run.definition is not None:
        spec = submit.compile_workflow(ws, run.definition)
        old = {n: v for n, v in run.params.items() if n in {p.name for p in run.definition.parameters}}
        values = run.definition.validate({**old, **params})
    else:
        spec, values = before, {**run.params, **params}
        unknown = [n for n in params if n not in refs]
        if unknown:
            raise NotFoundError(f"run {run.id} has no parameter '{unknown[0]}'{hint(unknown[0], refs)}")
    new_refs = submit.store_params(ws, values)
    dirty = changed(spec, before, new_refs, refs)
    done = submit.finished(ws, row)
    return Plan(spec, values, new_refs, dirty | {s.name for s in spec.steps if s.name not in done}, done)


def changed(
    spec: WorkflowSpec, before: WorkflowSpec, refs: Mapping[str, Any], old_refs: Mapping[str, Any]
) -> set[str]:
    """Return the steps that would not do what they did: new ones, others' code or inputs, other parameters."""
    params = {n for n, a in refs.items() if n not in old_refs or old_refs[n]["hash"] != a["hash"]}
    known = {s.name: s for s in before.steps}
    return {
        s.name for s in spec.steps
        if s.name not in known or is_changed(s, known[s.name])
        or params.intersection((*s.params, *s.when_params, *s.until_params))
    }  # fmt: skip


def start(
    run: Run, plan: Plan, from_: str | None, action: str = "run.rerun", beside: Callable[[Any, str], None] | None = None
) -> Run:  # fmt: skip
    """Write the new run down and start it in this process.

    Parameters
    ----------
    beside : callable, optional
        Called with the connection and the new run's id in the transaction that writes it.
    """
    engine = runtime.start(run.workspace)
    row = run.row
    steps = [s.name for s in plan.spec.steps]
    seed = control.reusable(run.workspace, row, plan.spec.downstream(plan.dirty), steps)
    run_id = submit.new_run_id(plan.spec.name)
    submit.write_run(
        run.workspace, plan.spec, plan.values, plan.refs, run_id=run_id, policy=json.loads(row["gate_policy"]),
        source="rerun", parent=run.id, rerun_from=from_, seed=seed, owner=engine.executor_id, action=action,
        beside=beside,
    )  # fmt: skip
    engine.begin(run_id, 0, {n: r.to_dict() for n, r in seed.items()})
    if run.definition is not None:
        run.definition.last_spec = plan.spec
    return type(run)(run.workspace, run_id, run.definition)


def redrive_later(ws: Workspace, run_id: str, step: str, *, by: str) -> str:
    """Do a map's open dead letters again in a worker, with the old run's code; return the new run's id.

    Raises
    ------
    ConflictError
        When there is nothing to do, or the step is no map.
    """
    run = control.read_run(ws, run_id)
    spec = submit.read_spec(ws, run)
    now = spec.step(step)
    items = check_redrive(ws, run, now, now)
    told = ws.catalog.one("select inputs from steps where run_id = :r and step = :s", r=run_id, s=step)
    inputs = json.loads((told or {}).get("inputs") or "{}")
    return control.start_again(
        ws, run, spec, step, by=by, action="run.redrive",
        beside=lambda con, new: hand_over(con, run_id, new, now, inputs, items),
    )  # fmt: skip


def redrive(run: Run, step: str) -> Run:
    """See `Run.redrive`."""
    ws, todo = run.workspace, plan(run, {})
    now = todo.spec.step(step)
    items = check_redrive(ws, run.row, now, run.spec.step(step))
    before = todo.spec.downstream(todo.dirty - {step})
    if step in before:
        changed = sorted(s for s in todo.dirty - {step} if step in todo.spec.downstream([s]))
        raise ConflictError(
            f"what step '{step}' gets is made anew, because '{changed[0]}' before it changed or had not succeeded; do "
            f"all of it again with run.rerun()"
        )
    told = ws.catalog.one("select inputs from steps where run_id = :r and step = :s", r=run.id, s=step)
    inputs = json.loads((told or {}).get("inputs") or "{}")
    todo.dirty.add(step)
    return start(
        run, todo, step, "run.redrive", lambda con, new: hand_over(con, run.id, new, now, inputs, items)
    )
