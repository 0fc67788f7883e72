"""Rows of the catalog as the browser gets them: JSON columns read, values previewed, flags as booleans."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.workspace import Artifact, Workspace

_JSON = (
    "params",
    "gate_policy",
    "inputs",
    "output",
    "form",
    "data",
    "values",
    "spec",
    "error",
    "meta",
    "detail",
)
_FLAGS = ("cached",)
#: Inputs of at most so many bytes are shown as they are.
_SHORT = 500


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON columns read and its flags as booleans."""
    out = dict(row)
    for name in _JSON:
        if isinstance(out.get(name), str):
            out[name] = _read(out[name])
    for name in _FLAGS:
        if name in out:
            out[name] = bool(out[name])
    return out


def run_view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a run, and whatever hangs on it, as the browser gets it."""
    out = plain(row)
    out.pop("spec", None)  # all of the workflow's code: a step's own is asked for with the step
    for name in ("steps", "gates", "metrics"):
        if isinstance(out.get(name), list):
            out[name] = [plain(r) for r in out[name]]
    out["error"] = error_view(out.get("error"))
    for step in out.get("steps", ()):
        step["error"] = error_view(step.get("error"))
    return out


def error_view(error: Any) -> dict[str, str] | None:
    """Return an error as `{type, message, traceback}`, however it was recorded."""
    if error is None or error == "":
        return None
    if isinstance(error, dict):
        return {
            "type": str(error.get("type", "")),
            "message": str(error.get("message", "")),
            "traceback": str(error.get("traceback") or ""),
        }
    return {"type": "", "message": str(error), "traceback": ""}


def step_view(ws: Workspace, run_id: str, step: str, offset: int, limit: int) -> dict[str, Any]:
    """Return a step with its attempts, its inputs' descriptions and a window on its output.

    Raises
    ------
    NotFoundError
        When the run has no such step.
    """
    row = ws.catalog.one("select * from steps where run_id = :r and step = :s", r=run_id, s=step)
    if row is None:
        raise NotFoundError(f"run {run_id!r} has no step {step!r}")
    out = plain(row)
    out["error"] = error_view(out["error"])
    attempts = ws.catalog.query(
        "select * from attempts where run_id = :r and step = :s order by attempt", r=run_id, s=step
    )
    out["attempts_list"] = [{**plain(a), "error": error_view(plain(a)["error"])} for a in attempts]
    inputs = out["inputs"] if isinstance(out["inputs"], dict) else {}
    out["inputs"] = {name: _describe(ws, value) for name, value in inputs.items()}
    artifact = artifact_of(ws, out.pop("output"))
    out["output"] = artifact.to_dict() if artifact else None
    out["preview"] = preview(ws, artifact, offset, limit) if artifact and limit else None
    return out


def gate_view(ws: Workspace, run_id: str, step: str, offset: int, limit: int) -> dict[str, Any]:
    """Return a gate with its form's JSON schema and a window on the data to decide on.

    Raises
    ------
    NotFoundError
        When the run has no such gate, or has not reached it.
    """
    row = ws.catalog.one(
        "select g.*, r.workflow from gates g join runs r using (run_id) where g.run_id = :r and g.step = :s",
        r=run_id, s=step,
    )  # fmt: skip
    if row is None:
        raise NotFoundError(f"run {run_id!r} has no gate {step!r} waiting or decided")
    out = plain(row)
    artifact = artifact_of(ws, out.pop("data"))
    out["preview"] = preview(ws, artifact, offset, limit) if artifact and limit else None
    return out


def problems(ws: Workspace, run_id: str, step: str, values: dict[str, Any]) -> dict[str, str]:
    """Return what does not fit a gate's form, by field, for messages beside the inputs."""
    from jsonschema import Draft202012Validator

    form = gate_view(ws, run_id, step, 0, 0)["form"] or {}
    properties = form.get("properties", {})
    filled = {n: p["default"] for n, p in properties.items() if "default" in p} | values
    out: dict[str, str] = {}
    for error in Draft202012Validator(form).iter_errors(filled):
        path = [str(part) for part in error.absolute_path]
        missing = next(
            (n for n in form.get("required", ()) if n not in filled and repr(n) in error.message), None
        )
        out.setdefault(
            ".".join(path) or missing or "form", "needs a value" if missing and not path else error.message
        )
    return out


def preview(ws: Workspace, artifact: Artifact, offset: int, limit: int) -> dict[str, Any]:
    """Return a window on a value; where it cannot be read, the reason in its place."""
    from aios_workbench.workspace.preview import preview as look

    try:
        return {**look(ws, artifact, offset=offset, limit=limit), "offset": offset}
    except Exception as e:  # noqa: BLE001 - collected, damaged, unreadable: the step's record is still worth showing
        return {
            "kind": artifact.kind, "type": artifact.type, "bytes": artifact.bytes, "shape": artifact.shape,
            "hash": artifact.hash, "media": None,
            "columns": [], "rows": [], "offset": offset, "total": 0, "truncated": False,
            "text": f"This value cannot be shown: {e}",
        }  # fmt: skip


def artifact_of(ws: Workspace, value: Any) -> Artifact | None:
    """Return the artifact a column names: by its whole description or by its hash alone."""
    try:
        if isinstance(value, dict) and "hash" in value:
            return Artifact.from_dict(value)
        if isinstance(value, str) and value:
            return ws.artifacts.find(value)
    except (NotFoundError, TypeError):
        return None
    return None


def _describe(ws: Workspace, value: Any) -> Any:
    artifact = artifact_of(ws, value)
    if artifact is None:
        return value
    out = artifact.to_dict()
    if artifact.kind == "json" and artifact.bytes <= _SHORT:
        with contextlib.suppress(AiosError):  # collected or damaged: its description still says what it was
            out["value"] = ws.artifacts.get(artifact)
    return out


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
