"""Runs as the commands show them: one shape for `--json`, one for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aios_workbench.cli import output
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

_RUN = (
    "run_id", "workflow", "status", "orphaned", "params", "source", "user", "created_at", "started_at", "ended_at",
    "error", "parent_run_id", "rerun_from", "leg", "adoptions", "owner", "job_run_id", "counts", "message",
    "attempts_used", "attempts_allowed",
)  # fmt: skip
_STEP = (
    "step", "kind", "status", "attempts", "max_attempts", "started_at", "ended_at", "cached", "progress", "message",
    "answered_by", "error", "inputs", "output",
)  # fmt: skip
_GATE = (
    "step", "status", "requested_at", "deadline_at", "decided_at", "decided_by", "reason", "values", "form", "data",
)  # fmt: skip


def run_data(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run for `--json`."""
    return {**{k: run.get(k) for k in _RUN}, "duration": output.took(run)}


def run_detail(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with its steps, gates and metrics for `--json`."""
    return {
        **run_data(run),
        "steps": [step_data(s) for s in run["steps"]],
        "gates": [{k: g.get(k) for k in _GATE} for g in run["gates"]],
        "metrics": [
            {k: m[k] for k in ("name", "value", "text", "unit", "step", "at")} for m in run["metrics"]
        ],
    }


def step_data(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step for `--json`."""
    return {**{k: step[k] for k in _STEP}, "cached": bool(step["cached"]), "duration": output.took(step)}


def outputs(ws: Workspace, run: dict[str, Any]) -> dict[str, Any]:
    """Return what the last steps returned: JSON as it is, the rest described. Loads no pickle.

    Returns
    -------
    dict
        Per step ``{"type", "shape", "bytes", "hash"}``, with ``"value"`` where the value is plain data.
    """
    from aios_workbench.errors import AiosError

    used = {name for s in run["spec"]["steps"] for name in (*s["deps"].values(), *s.get("after", ()))}
    found: dict[str, Any] = {}
    for step in run["steps"]:
        if step["step"] in used or step["status"] != "succeeded" or not step["output"]:
            continue
        try:
            artifact = ws.artifacts.find(step["output"])
            shown = {
                "type": artifact.type,
                "shape": artifact.shape,
                "bytes": artifact.bytes,
                "hash": artifact.hash,
            }
            if artifact.kind == "json":
                shown["value"] = json.loads(ws.artifacts.read(artifact))
            found[step["step"]] = shown
        except AiosError as e:
            found[step["step"]] = {"error": str(e), "hash": step["output"]}
    return found


def steps_table(steps: list[dict[str, Any]], title: str | None = None) -> Any:
    """Return the table of a run's steps."""
    return output.table(
        ("step", "state", ">attempts", ">time", "note"),
        [
            (s["step"], output.state(s["status"]), _attempts(s), format_duration(output.took(s)), note(s))
            for s in steps
        ],
        title=title,
    )


def note(step: dict[str, Any]) -> str:
    """Return a few words on a step: how far it is, why it failed, where its value came from."""
    parts = []
    if step["progress"] is not None and step["status"] in ("running", "retrying"):
        parts.append(f"{step['progress']:.0%}")
    if step["cached"]:
        parts.append("cached")
    if step["answered_by"]:
        parts.append(f"answered by {step['answered_by']}")
    error = None if step["status"] in ("skipped", "compensated") else step["error"]
    if isinstance(error, str):
        error = json.loads(error)
    if error:
        parts.append(f"{error.get('type')}: {error.get('message')}")
    elif step["message"]:
        parts.append(step["message"])
    return output.short(", ".join(parts), 100)


def _attempts(step: dict[str, Any]) -> str:
    if not step["attempts"]:
        return ""
    made, least = step["attempts"], step["max_attempts"]  # more with fallbacks, a second call, another leg
    return f"{made} of {least}" if 1 < least >= made else str(made)


def how_to_decide(run: dict[str, Any]) -> list[str]:
    """Return, per waiting gate, the commands that decide it."""
    lines = []
    for gate in run["gates"]:
        if gate["status"] != "waiting":
            continue
        form = (gate.get("form") or {}).get("properties") or {}
        required = (gate.get("form") or {}).get("required") or []
        fields = "".join(f" -v {name}=…" for name in form if name in required)
        where = f"{run['run_id']} {_quoted(gate['step'])}"
        due = f", until {output.clock(gate['deadline_at'])}" if gate["deadline_at"] else ""
        lines.append(f"gate {gate['step']} waits for a person{due}:")
        lines.append(f"  aios approve {where}{fields}")
        lines.append(f"  aios reject {where} --reason …")
    return lines


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
