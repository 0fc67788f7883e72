"""One step of a pinned workflow, for an orchestrator that walks the graph itself.

Values go by the artifact store; what the orchestrator hands from task to task is a small reference. The run, its
steps, attempts and gates are in the catalog as those of any run. A step that has succeeded in a run is not executed
again: its reference is given once more.
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any

from aios_workbench.engine import gates, submit
from aios_workbench.engine.execute import execute, wanted
from aios_workbench.engine.job import Job
from aios_workbench.engine.records import (
    FAILED,
    RUN_TERMINAL,
    SKIPPED,
    SUCCEEDED,
    Record,
    run_ended,
    tell_step,
)
from aios_workbench.errors import DefinitionError, ParameterError
from aios_workbench.govern import actor
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workflow.parameters import Parameters, signature_of
from aios_workbench.workspace import Artifact, Workspace

WAITING = "waiting"
#: What a step, a workflow may say and still be walked by somebody else; whatever is added to them later may not.
_STEP = frozenset((
    "name", "kind", "deps", "after", "params", "retries", "backoff", "timeout", "cache", "tags", "doc", "code",
    "code_hash", "cell", "cell_id", "fn", "fallbacks", "fallback_names", "when", "when_deps", "when_params", "check",
    "check_name", "form", "on_reject", "retry_on", "give_up_on", "breaker", "hedge", "on_error", "priority", "executor",
    "memory", "cpu",
))  # fmt: skip
_WORKFLOW = frozenset(("name", "steps", "parameters", "description", "max_parallel", "priority", "zone"))
#: Fields by which the engine decides about a further attempt: then it makes them, not the orchestrator.
_DECIDES = ("fallbacks", "retry_on", "give_up_on", "breaker", "hedge")


def check_shapes(spec: WorkflowSpec) -> None:
    """Refuse a workflow whose steps cannot be executed one by one from outside.

    Raises
    ------
    DefinitionError
        Naming the step and what it uses.
    """
    parts: list[tuple[str, StepSpec | WorkflowSpec, frozenset[str]]]
    parts = [(f"step '{s.name}' of workflow '{spec.name}'", s, _STEP) for s in spec.steps]
    for what, part, known in [(f"workflow '{spec.name}'", spec, _WORKFLOW), *parts]:
        used = [f.name for f in fields(part) if f.name not in known and getattr(part, f.name) != _default(f)]
        if isinstance(part, StepSpec) and part.kind not in ("step", "gate"):
            used.append(f"kind={part.kind}")
        if used:
            raise DefinitionError(
                f"{what} uses {', '.join(used)}, which only the workbench's own engine can walk; promote the notebook "
                "as one task (--grain notebook)"
            )


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def decides_itself(step: StepSpec) -> bool:
    """True when a step's further attempts are the engine's business: who answers, or whether, depends on the error."""
    return any(getattr(step, name, None) for name in _DECIDES)


def run_step(
    ws: Workspace, spec: WorkflowSpec, functions: Mapping[str, bytes], name: str, *, run_key: str,
    params: Mapping[str, Any], inputs: Iterable[Mapping[str, Any]] = (), policy: Mapping[str, Any] | None = None,
    source: str = "target",
) -> dict[str, Any]:  # fmt: skip
    """Execute one step of a run and return its reference.

    Parameters
    ----------
    functions : mapping
        Pickled functions of the workflow by the hash that `spec` names them by; they are stored first.
    run_key : str
        What the orchestrator calls its run: all steps with the same key belong to one run here.
    params : mapping
        Parameters of the workflow, JSON; those left out have their defaults.
    inputs : iterable of mapping
        References that the steps before it returned.
    policy : mapping, optional
        Gate -> decision, as `Workflow.run` takes it.

    Returns
    -------
    dict
        ``{"run", "step", "status", "output"}``; `status` is "succeeded", "skipped", "failed" or "waiting" (for a
        person), `output` describes the stored value. A failed one has `error` too.

    Raises
    ------
    DefinitionError, NotFoundError, ParameterError
        Before anything is executed.

    Examples
    --------
    >>> import aios_workbench as aios
    >>> wf = aios.Workflow("single")
    >>> @wf.step
    ... def load(limit: int = 3) -> list[int]:
    ...     return list(range(limit))
    >>> ws = aios.open_workspace()
    >>> spec = submit.compile_workflow(ws, wf)
    >>> told = run_step(ws, spec, {}, "load", run_key="monday", params={"limit": 2})
    >>> told["status"], told["output"]["type"], told["output"]["shape"]
    ('succeeded', 'list', (2,))
    """
    check_shapes(spec)
    step = spec.step(name)
    received = _received(step, inputs)
    for blob in functions.values():
        ws.artifacts.put_function(blob)
    run_id = submit.new_run_id(spec.name, run_key)
    values = _validated(ws, spec, params)
    refs = submit.store_params(ws, values)
    submit.write_run(ws, spec, values, refs, run_id=run_id, policy=policy, source=source, by=actor())
    run = ws.catalog.one("select * from runs where run_id = :r", r=run_id) or {}
    known = submit.finished(ws, run).get(name)
    record = known or _executed(ws, run, spec, step, received, refs)
    if record is None:
        _note(ws, run_id, WAITING)
        return {"run": run_id, "step": name, "status": WAITING, "output": None}
    _note(ws, run_id, "queued")
    told = {"run": run_id, "step": name, "status": record.status, "output": record.output}
    return {**told, "error": record.error} if record.error else told


def _validated(ws: Workspace, spec: WorkflowSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters, typed as the functions' own signatures say."""
    parameters = Parameters()
    for step in spec.steps:
        job = Job(ws, "", "", 0, spec.name, step, {})
        for stored, names in ((step.fn, step.params), (step.when, step.when_params)):
            if stored is not None and names:
                # what another process would execute is still read in this one
                load = getattr(job, "really_load", job.load)
                taken = signature_of(load(stored)).parameters
                for parameter in names:
                    parameters.add(step.name, step.cell, taken[parameter])
    values = parameters.validate(params, spec.name)
    for (
        told
    ) in spec.parameters:  # with `from __future__ import annotations` a stored function has lost its types
        name = told["name"]
        if name in params and values[name] is params[name]:
            values[name] = _by_schema(values[name], told, spec.name)
    return values


#: What a schema's format stands for in Python.
_FORMATS = {
    "path": Path, "date": dt.date, "date-time": dt.datetime, "time": dt.time, "duration": dt.timedelta,
    "uuid": uuid.UUID,
}  # fmt: skip


def _by_schema(value: Any, told: Mapping[str, Any], workflow: str) -> Any:
    from jsonschema import Draft202012Validator
    from pydantic import TypeAdapter

    problems = [e.message for e in Draft202012Validator(told["schema"]).iter_errors(value)]
    if problems:
        raise ParameterError(
            f"workflow '{workflow}': parameter '{told['name']}' must be {told['type']}, not {value!r}: {problems[0]}"
        )
    kind = _FORMATS.get(told["schema"].get("format", ""))
    return value if kind is None else TypeAdapter(kind).validate_python(value)


def _received(step: StepSpec, inputs: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
    found = {}
    for reference in inputs:
        if not isinstance(reference, Mapping) or not {"step", "status", "output"} <= reference.keys():
            raise ParameterError(
                f"{json.dumps(reference, default=str)[:100]} is no reference of a step; give what `aios run-step` "
                "printed last"
            )
        found[str(reference["step"])] = reference
    missing = [up for up in step.upstream if up not in found]
    if missing:
        raise ParameterError(
            f"step '{step.name}' waits for '{missing[0]}', whose reference is not among the inputs; hand on what "
            f"`aios run-step … {missing[0]}` printed last"
        )
    return found


def _executed(
    ws: Workspace, run: Mapping[str, Any], spec: WorkflowSpec, step: StepSpec,
    received: Mapping[str, Mapping[str, Any]], refs: Mapping[str, Mapping[str, Any]],
) -> Record | None:  # fmt: skip
    for up in step.upstream:
        if received[up]["status"] != SUCCEEDED:
            return _skipped(ws, run, step, f"not run: '{up}' was not run")

    def inputs_of(deps: Mapping[str, str], params: Iterable[str]) -> dict[str, Artifact]:
        found = {p: Artifact.from_dict({**refs[p], "meta": {}}) for p in params}
        return found | {
            p: Artifact.from_dict({**received[up]["output"], "meta": {}}) for p, up in deps.items()
        }

    once = step if decides_itself(step) else replace(step, retries=0)
    job = Job(
        ws, "target", str(run["run_id"]), int(run["leg"]), spec.name, once, inputs_of(step.deps, step.params),
        job_run_id=run["job_run_id"], again=True,
    )  # fmt: skip
    needed = step.when is None or wanted(job, inputs_of(step.when_deps, step.when_params))
    if step.kind == "gate":
        return gates.prepare(job, json.loads(run["gate_policy"])) if needed else gates.pass_by(job)
    return execute(job) if needed else _skipped(ws, run, step, "not run: its `when` was false")


def _skipped(ws: Workspace, run: Mapping[str, Any], step: StepSpec, why: str) -> Record:
    record = Record(step.name, SKIPPED, message=why)
    tell_step(ws.catalog, str(run["run_id"]), int(run["leg"]), record)
    return record


def _note(ws: Workspace, run_id: str, idle: str) -> None:
    """Write down how the run stands by its steps; `idle` where nobody here executes one: between two tasks.

    Tasks side by side end in processes of their own: it is read and written in one transaction, or the one that
    ended first could write over what the last one saw.
    """
    ws.catalog.flush()
    with ws.catalog.transaction() as con:
        rows = [
            dict(r) for r in con.execute("select status, error from steps where run_id = :r", {"r": run_id})
        ]
        states = {row["status"] for row in rows}
        if FAILED in states:
            status = FAILED
        elif states <= {SUCCEEDED, SKIPPED}:
            status = SUCCEEDED
        else:
            status = WAITING if WAITING in states else idle
        error = next((row["error"] for row in rows if row["status"] == FAILED), None)
        ended = time.time() if status in RUN_TERMINAL else None
        if status in (SUCCEEDED, FAILED):
            run = con.execute(
                "select run_id, workflow, job_run_id from runs where run_id = :r", {"r": run_id}
            ).fetchone()
            con.execute(*run_ended(dict(run), status, json.loads(error) if error else None))
        con.execute(
            "update runs set status = :status, error = :error, "
            "ended_at = case when started_at > :ended then started_at else :ended end where run_id = :r",
            {"status": status, "error": error, "ended": ended, "r": run_id},
        )
    ws.catalog.event("run", run_id, status=status, error=json.loads(error) if error else None)
