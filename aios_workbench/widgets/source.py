"""Where a graph's state comes from: a workflow's definition, a run's rows in the catalog, or both laid together."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from aios_workbench.engine.leases import alive
from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.widgets.messages import Shape
from aios_workbench.widgets.protocol import (
    CellRef,
    ErrorInfo,
    Frame,
    GateRequest,
    GraphState,
    Metric,
    RunInfo,
    StepNode,
)
from aios_workbench.workspace import Workspace, workspace

_MAX_TEXT = 300
_STEPS = (
    "select s.step, s.position, s.kind, s.status, s.attempts, s.max_attempts, s.started_at, s.ended_at, s.cached,"
    " s.progress, s.message, s.error, a.bytes, cast(json_extract(a.shape, '$[0]') as integer) as rows"
    " from steps s left join artifacts a on a.hash = s.output where s.run_id = :r order by s.position"
)
_SOME = _STEPS.replace(" order by", " and step in (select value from json_each(:names)) order by")


def static_state(target: Any, ws: Workspace | None = None) -> GraphState:
    """Return what a widget for a workflow or a run would show first, without making one."""
    if hasattr(target, "spec") and callable(target.spec):
        return definition_state(target)
    return RunReader(ws or getattr(target, "workspace", None) or workspace(), target.id).read()


def definition_state(workflow: Any) -> GraphState:
    """Return a workflow as written: every step pending, stale where the last run no longer stands for it.

    A definition that cannot run (a circle, say) is told as `problem`.
    """
    state = GraphState(workflow=workflow.name, description=workflow.description, now=time.time())
    try:
        spec, marks = workflow.spec(), workflow.state
    except AiosError as e:
        state.problem = str(e)
        return state
    state.nodes = [
        node_of(vars(s)).model_copy(update={"stale": marks.get(s.name) == "stale"}) for s in spec.steps
    ]
    return state


def overlay(definition: GraphState, run: GraphState) -> GraphState:
    """Return the definition's graph with a run's states in it; a stale step keeps its mark."""
    ran = {n.name: n for n in run.nodes}
    nodes = []
    for node in definition.nodes:
        last = ran.get(node.name)
        if last is None:
            nodes.append(node)
        elif (last.kind, last.shape, last.deps, last.after, last.tags, last.stale) == (
            node.kind, node.shape, node.deps, node.after, node.tags, node.stale,
        ):  # fmt: skip
            nodes.append(last)
        else:
            own = {
                "kind": node.kind,
                "shape": node.shape,
                "deps": node.deps,
                "after": node.after,
                "tags": node.tags,
                "stale": node.stale,
            }
            nodes.append(last.model_copy(update=own))
    told = {name: getattr(run, name) for name in ("run", "metrics", "gates", "now", "logs")}
    return definition.model_copy(update={"nodes": nodes, **told})


class RunReader:
    """Reads one run's state, again and again; what has not moved since is the same object.

    Raises
    ------
    NotFoundError
        When the workspace has no such run.
    """

    def __init__(self, ws: Workspace, run_id: str) -> None:
        self.ws = ws
        self.run_id = run_id
        ws.catalog.flush()
        row = ws.catalog.one(
            "select r.workflow, s.spec from runs r left join specs s on s.spec_hash = r.spec_hash where r.run_id = :r",
            r=run_id,
        )
        if row is None:
            raise NotFoundError(f"no run {run_id!r} in {ws.root}; `aios runs` lists them")
        self.workflow = str(row["workflow"])
        self.spec: dict[str, Any] = json.loads(row["spec"]) if row["spec"] else {"steps": []}
        self._skeleton = {s["name"]: node_of(s) for s in self.spec["steps"]}
        self._known: dict[str, tuple[tuple[Any, ...], StepNode]] = {}

    def read(self) -> GraphState:
        """Return the state now stored."""
        info = self.info()
        rows = {r["step"]: r for r in self.ws.catalog.query(_STEPS, r=self.run_id)}
        nodes = [self._filled(node, rows.get(name)) for name, node in self._skeleton.items()]
        nodes += [
            self._filled(node_of({"name": name, "kind": row["kind"]}), row)
            for name, row in rows.items()
            if name not in self._skeleton
        ]
        return GraphState(
            workflow=self.workflow, description=self.spec.get("description", ""), now=time.time(),
            logs=self.logs(), run=info, nodes=nodes,
            metrics=self.metrics(), gates=self.gates(),
        )  # fmt: skip

    @property
    def size(self) -> int:
        """How many steps the graph has."""
        return len(self._skeleton)

    def info(self) -> RunInfo:
        """Return the run itself, with the status of one whose process is gone told as it is."""
        run = self.ws.catalog.one("select * from runs where run_id = :r", r=self.run_id)
        if run is None:
            raise NotFoundError(f"run {self.run_id!r} was removed from {self.ws.root}")
        if run["status"] == "running" and run["owner"] and not alive(self.ws, run["owner"]):
            run["status"] = "interrupted"
        return run_info(run)

    def some(self, names: str) -> tuple[RunInfo, list[StepNode]]:
        """Return the run and some of its steps; `names` is a JSON list."""
        rows = self.ws.catalog.query(_SOME, r=self.run_id, names=names)
        nodes = [
            self._filled(self._skeleton.get(r["step"]) or node_of({"name": r["step"], "kind": r["kind"]}), r)
            for r in rows
        ]
        return self.info(), nodes

    def logs(self) -> int:
        """Return the number of the event that told of the newest lines printed."""
        row = self.ws.catalog.one(
            "select seq from events where run_id = :r and kind = 'log' order by seq desc limit 1",
            r=self.run_id,
        )
        return row["seq"] if row else 0

    def _filled(self, node: StepNode, row: Mapping[str, Any] | None) -> StepNode:
        if row is None:
            return node
        values = tuple(row.values())
        known = self._known.get(node.name)
        if known is not None and known[0] == values:
            return known[1]
        started, ended = row["started_at"], row["ended_at"]
        error = error_info(row["error"])
        filled = node.model_copy(update={
            "kind": row["kind"], "status": row["status"], "attempts": row["attempts"],
            "max_attempts": max(row["max_attempts"], 1), "started_at": started,
            "duration": ended - started if started is not None and ended is not None else None,
            "cached": bool(row["cached"]), "progress": row["progress"], "message": short(row["message"]),
            "error": short(f"{error.type}: {error.message}".strip(": ")) if error else None,
            "rows": row["rows"], "bytes": row["bytes"],
        })  # fmt: skip
        self._known[node.name] = (values, filled)
        return filled

    def metrics(self) -> list[Metric]:
        """Return the figures its steps reported."""
        rows = self.ws.catalog.query(
            "select step, name, value, text, unit from metrics where run_id = :r order by at, step, name limit 60",
            r=self.run_id,
        )
        return [Metric(**r) for r in rows]

    def gates(self) -> list[GateRequest]:
        """Return the gates that wait for a person."""
        rows = self.ws.catalog.query(
            "select step, form, requested_at, deadline_at from gates where run_id = :r and status = 'waiting'"
            " order by requested_at, step",
            r=self.run_id,
        )
        return [GateRequest(**{**r, "form": json.loads(r["form"]) if r["form"] else None}) for r in rows]


def run_info(row: Mapping[str, Any]) -> RunInfo:
    """Return a row of `runs` as the header shows it."""
    error = error_info(row["error"])
    params = json.loads(row["params"] or "{}")
    return RunInfo(
        run_id=row["run_id"], status=row["status"], created_at=row["created_at"], started_at=row["started_at"],
        ended_at=row["ended_at"], error=short(error.message or error.type) if error else None,
        params=short(", ".join(f"{k}={v!r}" for k, v in params.items())) or "",
        parent_run_id=row["parent_run_id"], rerun_from=row["rerun_from"],
    )  # fmt: skip


def error_info(stored: Any) -> ErrorInfo | None:
    """Return a stored error, whether it was kept as JSON or as plain text, with frames or from before there were."""
    if not stored:
        return None
    try:
        data = json.loads(stored) if isinstance(stored, str) else stored
    except ValueError:
        data = stored
    if isinstance(data, dict):
        return ErrorInfo(
            type=str(data.get("type") or ""), message=str(data.get("message") or ""),
            traceback=str(data.get("traceback") or ""), frames=_frames(data),
        )  # fmt: skip
    return ErrorInfo(type="", message=str(data))


def _frames(error: Mapping[str, Any]) -> list[Frame]:
    cells = error.get("cells") or []
    frames = []
    for f in error.get("frames") or ():
        cell = None
        if f["cell"] is not None:
            known = cells[f["cell"]]
            cell = CellRef(
                cell_id=known["cell_id"] or None,
                label=known["label"],
                source=known["source"],
                line=f["cell_line"],
            )
        frames.append(
            Frame(file=f["file"], line=f["line"], function=f["function"], text=f["text"], cell=cell)
        )
    return frames


def short(text: str | None, limit: int = _MAX_TEXT) -> str | None:
    """Return text cut to what a line of the screen can show."""
    return text if text is None or len(text) <= limit else text[: limit - 1] + "…"


def node_of(spec: Mapping[str, Any]) -> StepNode:
    """Return a step as the graph draws it before it has run; `spec` are the fields of a `StepSpec`."""
    told = [spec.get(name) or {} for name in ("deps", "when_deps", "until_deps")]
    upstream = list(dict.fromkeys(step for deps in told for step in deps.values()))
    return StepNode.model_construct(
        name=spec["name"], kind=spec.get("kind", "step"), shape=shape_of(spec), deps=upstream,
        after=[a for a in spec.get("after") or () if a not in upstream], tags=list(spec.get("tags") or ()),
        max_attempts=1 if spec.get("over") else spec.get("retries", 0) + 1,
    )  # fmt: skip


def shape_of(spec: Mapping[str, Any]) -> Shape:
    """Return what a step is for a person; see `StepSpec.shape`."""
    if spec.get("over"):
        return "map"
    if spec.get("bound"):
        return "loop"
    return "stream" if spec.get("yields") else "gate" if spec.get("kind") == "gate" else "step"
