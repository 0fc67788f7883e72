"""From a definition to a run that is written down: nothing starts before all of it is stored."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aios_workbench.engine import decisions, executors
from aios_workbench.engine.flow import queue
from aios_workbench.engine.records import Record, reference
from aios_workbench.govern import actor, audit_within
from aios_workbench.observe import environment
from aios_workbench.workflow import StepSpec, Workflow, WorkflowSpec, digest, pickle_function
from aios_workbench.workspace import Artifact, Workspace, dumps


def compile_workflow(ws: Workspace, workflow: Workflow) -> WorkflowSpec:
    """Return the workflow's spec with every function stored in the workspace.

    Raises
    ------
    DefinitionError
        Before anything runs: a circle, an unknown step, a closure that cannot be stored.
    """
    spec = workflow.spec()
    executors.check(spec)
    steps = []
    for step in spec.steps:
        definition = workflow.definition(step.name)
        when, check = definition.options.get("when"), definition.options.get("gate")
        undo = definition.options.get("compensate")
        until, once = definition.options.get("until"), definition.options.get("once")
        steps.append(replace(
            step,
            fn=_store(ws, definition.fn, step.name),
            fallbacks=[_store(ws, f, step.name) for f in definition.fallbacks],
            when=None if when is None else _store(ws, when, step.name),
            check=None if check is None else _store(ws, check, step.name),
            compensate=None if undo is None else _store(ws, undo, step.name),
            until=None if until is None else _store(ws, until, step.name),
            once_key=_store(ws, once, step.name) if callable(once) else None,
            constants={
                which: {p: reference(ws.artifacts.put(definition.constant(p))) for p in bound}
                for which, bound in step.constants.items()
            },
        ))  # fmt: skip
    hooks = {
        name: [
            {**told, "fn": _store(ws, f, name)} for told, f in zip(spec.hooks[name], functions, strict=True)
        ]
        for name, functions in workflow.life.hooks.items()
    }
    return replace(spec, steps=steps, hooks=hooks)


def _store(ws: Workspace, function: Any, step: str) -> dict[str, Any]:
    return reference(ws.artifacts.put_function(pickle_function(function, step)))


def store_params(ws: Workspace, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return parameter -> reference of its stored value."""
    return {name: reference(ws.artifacts.put(value)) for name, value in params.items()}


def new_run_id(workflow: str, key: str | None = None) -> str:
    """Return a readable id: the workflow's name, then when it was started, or its idempotency key's digest."""
    slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:40].strip("-") or "run"
    if key is not None:
        return f"{slug}-{digest([workflow, key])[:16]}"
    return f"{slug}-{time.strftime('%y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}"


def write_run(
    ws: Workspace,
    spec: WorkflowSpec,
    params: Mapping[str, Any],
    refs: dict[str, dict[str, Any]],
    *,
    run_id: str,
    policy: Mapping[str, Any] | None = None,
    source: str = "kernel",
    by: str | None = None,
    parent: str | None = None,
    rerun_from: str | None = None,
    seed: Mapping[str, Record] | None = None,
    owner: str | None = None,
    status: str = "queued",
    priority: int | None = None,
    budget: Mapping[str, float] | None = None,
    bounded: bool = False,
    action: str = "run.rerun",
    beside: Callable[[Any, str], None] | None = None,
) -> bool:
    """Write a run, its graph and its steps down in one transaction; False when the id exists already.

    Parameters
    ----------
    action : str
        What the audit trail says, of a run that has a parent.
    beside : callable, optional
        Called with the connection and the run's id in that transaction.

    Raises
    ------
    ParameterError
        For a gate policy that cannot work.
    QueueFull
        When the run is `bounded` by its workflow's `max_queued`, and as many are queued.
    """
    forms = {s.name: s.form for s in spec.steps if s.kind == "gate"}
    checked = decisions.check_policies(dict(policy or {}), forms, spec.name)
    spec_data = spec.to_dict()
    stored = digest(spec_data)
    seed = dict(seed or {})
    ws.catalog.flush()
    with ws.catalog.transaction() as con:
        if bounded:
            queue.check(con, spec, run_id)
        con.execute(
            "insert into specs values (:h, :s) on conflict (spec_hash) do nothing",
            {"h": stored, "s": dumps(spec_data)},
        )
        written = con.execute(_INSERT_RUN, {
            "run_id": run_id, "workflow": spec.name, "status": status, "params": dumps(_shown(params)),
            "param_refs": dumps(refs), "spec_hash": stored, "source": source, "created_at": time.time(),
            "parent": parent, "rerun_from": rerun_from, "owner": owner, "user": by or actor(),
            "cwd": str(Path.cwd()), "job_run_id": os.environ.get("AIOS_JOB_RUN"), "gate_policy": dumps(checked),
            "seed": dumps({n: r.to_dict() for n, r in seed.items()}), "notebook": environment.notebook(),
            "allowed": spec.max_attempts, "deadline": None if spec.sla is None else time.time() + spec.sla,
            "priority": spec.priority if priority is None else priority,
            "budget": None if budget is None else dumps(budget),
        }).rowcount  # fmt: skip
        if written:
            con.executemany(
                _INSERT_STEP, [_step_row(run_id, i, s, seed.get(s.name)) for i, s in enumerate(spec.steps)]
            )
            if beside is not None:
                beside(con, run_id)
            told = (
                {"parent": parent, "from_step": rerun_from}
                if parent
                else {"workflow": spec.name, "source": source}
            )
            audit_within(con, by or actor(), action if parent else "run.start", run_id, **told)
    if written:
        ws.catalog.event("run", run_id, status=status, workflow=spec.name)
    return bool(written)


_INSERT_RUN = """
insert into runs (run_id, workflow, status, params, param_refs, spec_hash, source, created_at, parent_run_id,
  rerun_from, owner, user, cwd, job_run_id, gate_policy, seed, priority, budget, notebook,
  attempts_allowed, deadline_at)
values (:run_id, :workflow, :status, :params, :param_refs, :spec_hash, :source, :created_at, :parent,
  :rerun_from, :owner, :user, :cwd, :job_run_id, :gate_policy, :seed, :priority, :budget,
  coalesce(:notebook, (select notebook from runs where run_id = :parent)), :allowed, :deadline)
on conflict (run_id) do nothing
"""
_INSERT_STEP = """
insert into steps (run_id, step, position, kind, status, max_attempts, code_hash, output, cached, message,
  started_at, ended_at, inputs, kept)
values (:run_id, :step, :position, :kind, :status, :max_attempts, :code_hash, :output, :cached, :message,
  :started_at, :ended_at, :inputs, :kept)
"""


def _step_row(run_id: str, position: int, step: StepSpec, record: Record | None) -> dict[str, Any]:
    return {
        "run_id": run_id, "step": step.name, "position": position, "kind": step.kind,
        "status": record.status if record else "pending", "max_attempts": step.retries + 1,
        "code_hash": step.code_hash, "output": record.output["hash"] if record and record.output else None,
        "cached": int(record is not None), "message": record.message if record else None,
        "started_at": record.started_at if record else None, "ended_at": record.ended_at if record else None,
        "inputs": dumps(record.inputs if record else {}),
        "kept": record.kept["hash"] if record and record.kept else None,
    }  # fmt: skip


def _shown(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as a person reads them; the exact values are in `param_refs`."""
    return {
        n: v if isinstance(v, (int, float, bool, type(None))) else str(v)[:1000] for n, v in params.items()
    }


def read_spec(ws: Workspace, run: Mapping[str, Any]) -> WorkflowSpec:
    """Return the graph a run is pinned to."""
    row = ws.catalog.one("select spec from specs where spec_hash = :h", h=run["spec_hash"])
    return WorkflowSpec.from_dict(json.loads(row["spec"] if row else "{}"))


def finished(ws: Workspace, run: Mapping[str, Any], step: str | None = None) -> dict[str, Record]:
    """Return the outcomes of a run's succeeded steps, or of one of them, but of none behind a step that was undone."""
    ws.catalog.flush()
    undone = ws.catalog.query(
        "select step from steps where run_id = :r and status = 'compensated'", r=run["run_id"]
    )
    again = read_spec(ws, run).downstream(r["step"] for r in undone) if undone else set()
    found: dict[str, Record] = {}
    for row in ws.catalog.query(
        "select s.*, a.kind as akind, a.type as atype, a.bytes, a.shape "
        "from steps s join artifacts a on a.hash = s.output where s.run_id = :r and s.status = 'succeeded' "
        "and (:step is null or s.step = :step)",
        r=run["run_id"], step=step,
    ):  # fmt: skip
        artifact = Artifact(
            row["output"],
            row["akind"],
            row["atype"],
            row["bytes"],
            tuple(json.loads(row["shape"])) if row["shape"] else None,
        )
        found[row["step"]] = Record(
            row["step"], "succeeded", reference(artifact), row["attempts"], row["started_at"], row["ended_at"],
            cached=bool(row["cached"]), cache_key=row["cache_key"], answered_by=row["answered_by"],
            message=row["message"], inputs=json.loads(row["inputs"] or "{}"),
            kept=None if row["kept"] is None else reference(ws.artifacts.find(row["kept"])),
        )  # fmt: skip
    return {n: r for n, r in found.items() if n not in again}
