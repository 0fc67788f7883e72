"""Everything about one step, read when somebody opens it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.widgets import protocol
from aios_workbench.widgets.letters import letters
from aios_workbench.widgets.policies import binary, named, policy
from aios_workbench.widgets.source import RunReader, error_info, shape_of, short
from aios_workbench.workspace import Artifact, Workspace, dumps
from aios_workbench.workspace.models import Column

LOG_LINES = 500
EARLIER_LINES = 2000
FIRST_ROWS = 20


def step_of_run(reader: RunReader, step: str) -> protocol.StepDetail:
    """Return a step of a run.

    Raises
    ------
    NotFoundError
        When the run has no such step.
    """
    ws, run_id = reader.ws, reader.run_id
    row = ws.catalog.one("select * from steps where run_id = :r and step = :s", r=run_id, s=step)
    spec = next((s for s in reader.spec["steps"] if s["name"] == step), None)
    if row is None and spec is None:
        raise NotFoundError(f"run {run_id!r} has no step {step!r}")
    detail = _from_spec(spec or {"name": step})
    detail.run_id = run_id
    if detail.cell_ref is not None:
        run = ws.catalog.one("select notebook from runs where run_id = :r", r=run_id)
        detail.cell_ref.notebook = run["notebook"] if run else None
    if row is None:
        return detail
    detail.kind, detail.status, detail.answered_by = row["kind"], row["status"], row["answered_by"]
    detail.inputs = _inputs(ws, run_id, spec or {}, json.loads(row["inputs"] or "{}"))
    artifact = find(ws, row["output"])
    if artifact is not None:
        detail.artifact = protocol.Artifact(
            hash=artifact.hash,
            kind=artifact.kind,
            type=artifact.type,
            bytes=artifact.bytes,
            shape=_shape(artifact),
        )
        detail.output = page(ws, artifact, 0, FIRST_ROWS)
    detail.attempts = [_attempt(a) for a in ws.catalog.query(
        "select * from attempts where run_id = :r and step = :s order by attempt", r=run_id, s=step
    )]  # fmt: skip
    detail.error = error_info(row["error"])
    logs = log_page(ws, run_id, step, 0)
    detail.logs, detail.more_logs = logs.lines, logs.more
    if detail.kind == "gate":
        _add_gate(detail, ws, run_id)
    found = letters(ws, run_id, step)
    detail.letters = found if found.total else None
    return detail


def step_of_definition(workflow: Any, step: str) -> protocol.StepDetail:
    """Return a step that has not run.

    Raises
    ------
    NotFoundError
        When the workflow has no such step.
    """
    return _from_spec(vars(workflow.spec().step(step)))


def log_page(
    ws: Workspace, run_id: str, step: str | None, after: int, *, before: int | None = None,
    search: str | None = None, level: str | None = None, attempt: int | None = None,
) -> protocol.LogPage:  # fmt: skip
    """Return log lines after a number; without one the last there are, for these are what matters.

    Parameters
    ----------
    step : str or None
        None for those of all steps.
    before : int, optional
        The last lines before this number; `more` then tells of still earlier ones.
    search : str, optional
        Part of the text, in any case.
    level : {"debug", "info", "warning", "error"}, optional
        At least this level. What was printed counts as "info".
    attempt : int, optional
        Only this attempt's.
    """
    told = {
        "r": run_id, "s": step, "search": search or None, "attempt": attempt,
        "levels": dumps(_LEVELS[_LEVELS.index(level.upper()) :] if level else []), "any": level is None,
        "printed": level in (None, "debug", "info"),
    }  # fmt: skip
    columns = "seq, step, attempt, at, stream, level, text"
    if after:
        told |= {"a": after, "n": LOG_LINES + 1}
        rows = ws.catalog.query(
            f"select {columns} from logs where {_LOGS} and seq > :a order by seq limit :n",  # noqa: S608
            **told,
        )
        return protocol.LogPage(
            lines=[protocol.LogLine(**r) for r in rows[:LOG_LINES]], more=len(rows) > LOG_LINES
        )
    most = LOG_LINES if before is None else EARLIER_LINES
    rows = ws.catalog.query(
        f"select {columns} from logs where {_LOGS} and (:b is null or seq < :b) order by seq desc limit :n",  # noqa: S608
        **told, b=before, n=most + 1,
    )  # fmt: skip
    return protocol.LogPage(
        lines=[protocol.LogLine(**r) for r in reversed(rows[:most])], more=len(rows) > most
    )


_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
_LOGS = (
    "run_id = :r and (:s is null or step = :s) and (:attempt is null or attempt = :attempt) "
    "and (:search is null or instr(lower(text), lower(:search)) > 0) and (:any = 1 or (:printed = 1 and level is null) "
    "or upper(level) in (select value from json_each(:levels)))"
)


def page(ws: Workspace, artifact: Artifact, offset: int, limit: int) -> protocol.Preview:
    """Return a window on a value; where it cannot be read, the reason in its place."""
    from aios_workbench.workspace.preview import preview

    out = protocol.Preview(
        kind=artifact.kind, type=artifact.type, bytes=artifact.bytes, shape=_shape(artifact), offset=offset
    )
    try:
        seen = preview(ws, artifact, offset=offset, limit=limit)
    except AiosError as e:
        out.text = str(e)
        return out
    out.media = seen["media"]
    out.columns = [Column(**c) for c in seen["columns"]]
    out.rows, out.total, out.text, out.truncated = (
        seen["rows"],
        seen["total"],
        seen["text"],
        seen["truncated"],
    )
    return out


def find(ws: Workspace, hash_: str | None) -> Artifact | None:
    """Return an artifact's description, or None when there is none any more."""
    try:
        return ws.artifacts.find(hash_) if hash_ else None
    except NotFoundError:
        return None


def _from_spec(spec: Mapping[str, Any]) -> protocol.StepDetail:
    inputs = [protocol.Value(name=p, source=f"step {s}") for p, s in (spec.get("deps") or {}).items()]
    inputs += [protocol.Value(name=p, source="parameter") for p in spec.get("params") or ()]
    return protocol.StepDetail(
        step=spec["name"], kind=spec.get("kind", "step"), doc=spec.get("doc", ""), code=spec.get("code", ""),
        cell=spec.get("cell", ""), cell_ref=_cell_ref(spec), policy=policy(spec), shape=shape_of(spec),
        settings=_settings(spec), inputs=inputs,
    )  # fmt: skip


def _cell_ref(spec: Mapping[str, Any]) -> protocol.CellRef | None:
    """Return where a step was written: its own text is part of the cell's."""
    code, place = spec.get("code") or "", spec.get("cell") or ""
    if not code:
        return None
    label = place.partition(",")[0].removeprefix("cell ") if place.startswith("cell ") else place
    return protocol.CellRef(cell_id=spec.get("cell_id") or None, label=label, source=code, line=1)


def _settings(spec: Mapping[str, Any]) -> protocol.StepPolicy:
    """Return what the run is pinned to; what is as it would be unsaid stays unsaid."""
    said = protocol.StepPolicy(
        timeout=f"{spec['timeout']:g} s" if spec.get("timeout") else None,
        after=list(spec.get("after") or ()), tags=list(spec.get("tags") or ()),
    )  # fmt: skip
    if spec.get("kind") == "gate":
        said.on_reject = spec.get("on_reject")
        return said
    said.retries = spec.get("retries") or None
    said.backoff = f"{spec['backoff']:g} s" if spec.get("retries") else None
    said.cache = spec.get("cache") or None
    said.fallback = list(spec.get("fallback_names") or ())
    said.retry_on, said.give_up_on = (named(spec.get(n) or ()) for n in ("retry_on", "give_up_on"))
    said.hedge = f"{spec['hedge']:g} s" if spec.get("hedge") else None
    said.executor = spec["executor"] if spec.get("executor", "thread") != "thread" else None
    said.memory = binary(spec["memory"]) if spec.get("memory") else None
    said.on_error = spec["on_error"] if spec.get("on_error", "fail") != "fail" else None
    return said


def _inputs(
    ws: Workspace, run_id: str, spec: Mapping[str, Any], hashes: Mapping[str, str]
) -> list[protocol.Value]:
    run = ws.catalog.one("select params from runs where run_id = :r", r=run_id) or {"params": "{}"}
    params = json.loads(run["params"] or "{}")
    deps: Mapping[str, str] = spec.get("deps") or {}
    values = []
    for name in [*deps, *(n for n in hashes if n not in deps)]:
        artifact = find(ws, hashes.get(name))
        source = f"step {deps[name]}" if name in deps else "parameter"
        if artifact is None:
            values.append(protocol.Value(name=name, source=source))
        else:
            size = " by ".join(map(str, _shape(artifact) or ()))
            values.append(
                protocol.Value(name=name, source=source, type=artifact.type, summary=size, hash=artifact.hash)
            )
    for name in spec.get("params") or ():
        if name not in hashes and name in params:
            value = params[name]
            text = short(repr(value)) or ""
            values.append(
                protocol.Value(name=name, source="parameter", type=type(value).__name__, summary=text)
            )
    return values


def _attempt(row: Mapping[str, Any]) -> protocol.Attempt:
    ended = row["ended_at"]
    return protocol.Attempt(
        attempt=row["attempt"], status=row["status"], started_at=row["started_at"],
        duration=None if ended is None else ended - row["started_at"], executor=row["executor"],
        error=error_info(row["error"]), made_by=row["kind"], name=row["name"], message=row["message"],
        peak_bytes=row["peak_bytes"],
    )  # fmt: skip


def _add_gate(detail: protocol.StepDetail, ws: Workspace, run_id: str) -> None:
    row = ws.catalog.one("select * from gates where run_id = :r and step = :s", r=run_id, s=detail.step)
    if row is None:
        return
    if row["status"] == "waiting":
        detail.gate = protocol.GateRequest(
            step=detail.step, form=json.loads(row["form"]) if row["form"] else None, requested_at=row["requested_at"],
            deadline_at=row["deadline_at"],
        )  # fmt: skip
    else:
        detail.outcome = protocol.GateOutcome(
            status=row["status"], decided_by=row["decided_by"], decided_at=row["decided_at"], reason=row["reason"],
            values=json.loads(row["values"] or "{}"),
        )  # fmt: skip
    shown = find(ws, row["data"])
    if shown is not None:
        detail.shown = page(ws, shown, 0, FIRST_ROWS)


def _shape(artifact: Artifact) -> list[int] | None:
    return None if artifact.shape is None else list(artifact.shape)
