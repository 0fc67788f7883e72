"""What a step gets from the steps before it, and whether it runs at all."""

from __future__ import annotations

from collections.abc import Mapping

from aios_workbench.engine.outcome import why_not
from aios_workbench.engine.records import CANCELLED, FAILED, SKIPPED, SUCCEEDED, Record
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Artifact, Workspace


def hindered(step: StepSpec, records: Mapping[str, Record]) -> Record | None:
    """Return the outcome of a step that cannot run because of those before it; None when it can."""
    before = {name: records[name] for name in step.upstream}
    missing = {name: r for name, r in before.items() if r.status != SUCCEEDED}
    if not missing or step.needs == "done" or (step.needs == "any" and len(missing) < len(before)):
        return None
    first = next(iter(missing.values()))
    status, why = CANCELLED if first.status == CANCELLED else SKIPPED, why_not(first)
    if step.needs == "any" and len(missing) > 1:
        why = "not run: none of " + ", ".join(f"'{n}'" for n in missing) + " succeeded"
    return Record(step.name, status, message=why)


def inputs_of(
    ws: Workspace, step: StepSpec, which: str, refs: Mapping[str, Artifact], records: Mapping[str, Record]
) -> dict[str, Artifact]:
    """Return the stored inputs of one of a step's functions ("fn", "when" or "until"), by its parameters."""
    deps, params = {
        "fn": (step.deps, step.params),
        "when": (step.when_deps, step.when_params),
        "until": (step.until_deps, step.until_params),
    }[which]
    found: dict[str, Artifact] = {}
    for name in params:
        own = [f for f, w in step.names.get(which, {}).items() if w == name] or [name]
        found |= dict.fromkeys(own, refs[name])
    for parameter, name in deps.items():
        record = records.get(name)  # of what is still being made there is none
        artifact = record.artifact if record is not None and record.status == SUCCEEDED else None
        if artifact is None and parameter in step.optional:
            artifact = ws.artifacts.put(None)
        if artifact is not None:
            found[parameter] = artifact
    for parameter, data in step.constants.get(which, {}).items():
        found[parameter] = Artifact.from_dict({**data, "meta": {}})
    return found


def made_up(spec: WorkflowSpec, records: Mapping[str, Record]) -> list[str]:
    """Return the failed steps that do not make the run fail.

    A failure is made up for when every step that waits for the failed one needs "any" of several, and succeeded.
    """
    found = []
    for step in spec.steps:
        if records[step.name].status == FAILED:
            behind = [s for s in spec.steps if step.name in s.upstream]
            if behind and all(s.needs == "any" and records[s.name].status == SUCCEEDED for s in behind):
                found.append(step.name)
    return found


def to_redo(spec: WorkflowSpec, done: Mapping[str, object], skipped: set[str]) -> set[str]:
    """Return the steps a resume does: what had not succeeded, and what went on without it.

    A step that `needs` not all of those before it may have succeeded without one that failed: when that one is
    done again, so is the step behind it. What was switched off by `when` is asked again, but redoes nothing.
    """
    missing = {s.name for s in spec.steps if s.name not in done}
    return missing | spec.downstream(missing - skipped)
