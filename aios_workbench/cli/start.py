"""From what the command line says to a run that is written down and started, here or in a worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.cli.values import fit
from aios_workbench.errors import ConflictError, NotFoundError, ParameterError, hint

if TYPE_CHECKING:
    from aios_workbench.workflow import Workflow, WorkflowSpec
    from aios_workbench.workspace import Workspace


@dataclass
class Prepared:
    """A workflow with the parameters of one run, all checked."""

    ws: Workspace
    spec: WorkflowSpec
    values: dict[str, Any]

    def start(
        self,
        gates: Mapping[str, Any] | None,
        key: str | None,
        *,
        detach: bool,
        flow: Mapping[str, Any] | None = None,
    ) -> str:
        """Start the run and return its id; with a key that has a run, that one, resumed if it had not succeeded."""
        from aios_workbench.engine import Run, control, journal, runtime, submit
        from aios_workbench.engine.flow import queue
        from aios_workbench.govern import actor

        refs = submit.store_params(self.ws, self.values)
        run_id = submit.new_run_id(self.spec.name, key)
        fresh = not journal.there(self.ws)  # only an engine creates the journal's tables
        engine = runtime.start(self.ws, kind="cli") if fresh or not detach else None
        new = queue.written(self.ws, self.spec, flow or {}, lambda **own: submit.write_run(
            self.ws, self.spec, self.values, refs, run_id=run_id, policy=gates, source="cli", by=actor(),
            owner=None if detach or engine is None else engine.executor_id, **own,
        ))  # fmt: skip
        if engine is not None and not detach:
            if new:
                engine.begin(run_id, 0, {})
            elif control.run_status(self.ws, run_id) in ("failed", "cancelled", "interrupted"):
                Run(self.ws, run_id).resume()
        elif new:
            journal.enqueue(self.ws, run_id, 0, {}, journal.WORKER_QUEUE)
            control.ensure_worker(self.ws)
        elif control.run_status(self.ws, run_id) in ("failed", "cancelled", "interrupted"):
            control.resume(self.ws, run_id, by=actor())
        return run_id


def from_code(ws: Workspace, workflow: Workflow, given: Mapping[str, str]) -> Prepared:
    """Prepare a run of a workflow that was just imported.

    Raises
    ------
    ParameterError, DefinitionError
        Before anything is started.
    """
    from aios_workbench.engine import submit

    schemas = {p.name: p.schema for p in workflow.parameters}
    values = workflow.validate({name: fit(text, schemas.get(name, {})) for name, text in given.items()})
    return Prepared(ws, submit.compile_workflow(ws, workflow), values)


def from_history(ws: Workspace, name: str, given: Mapping[str, str]) -> Prepared:
    """Prepare a run with the code and parameters of a workflow's newest run, some parameters changed.

    Raises
    ------
    NotFoundError
        When no such workflow has run here.
    ParameterError
        For an unknown parameter or one of another type.
    """
    from aios_workbench.engine import Run, submit

    newest = ws.catalog.one(
        "select run_id, spec_hash from runs where workflow = :w order by created_at desc, rowid desc limit 1",
        w=name,
    )
    if newest is None:
        names = [r["workflow"] for r in ws.catalog.query("select distinct workflow from runs")]
        known = f" (workflows: {', '.join(sorted(names)[:10])})" if names else ""
        raise NotFoundError(
            f"no workflow '{name}' has run in {ws.root}{hint(name, names)}{known}; a file is given as file.py or "
            "notebook.ipynb"
        )
    spec = submit.read_spec(ws, newest)
    values = Run(ws, newest["run_id"]).params
    schemas = {p["name"]: p["schema"] for p in spec.parameters}
    for parameter, text in given.items():
        if parameter not in values:
            known = ", ".join(values) or "none"
            raise ParameterError(
                f"workflow '{name}' has no parameter '{parameter}'{hint(parameter, values)} (it has: {known})"
            )
        schema = schemas.get(parameter, {})
        values[parameter] = _like(values[parameter], fit(text, schema), schema, parameter)
    if any(s.fn is None for s in spec.steps):
        raise ConflictError(f"the code of workflow '{name}' was not stored with its newest run; run its file")
    return Prepared(ws, spec, values)


def _like(before: Any, value: Any, schema: Mapping[str, Any], name: str) -> Any:
    """Check a value against the recorded schema; the step then gets the type it got before (a path, a date)."""
    from jsonschema import Draft202012Validator
    from pydantic import TypeAdapter, ValidationError

    problems = [e.message for e in Draft202012Validator(dict(schema)).iter_errors(value)]
    kind = Path if isinstance(before, Path) else type(before)
    if not problems and before is not None and not isinstance(value, kind) and kind.__module__ != "builtins":
        try:
            value = TypeAdapter(kind).validate_python(value)
        except (ValidationError, TypeError) as e:
            problems = [str(e)]
    if problems:
        raise ParameterError(f"parameter '{name}': {'; '.join(problems)} (expected {json.dumps(schema)})")
    return value
