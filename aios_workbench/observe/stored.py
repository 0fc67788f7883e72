"""A run as it is stored: its row, its graph, its steps. What every question here starts from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aios_workbench.errors import NotFoundError, hint
from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.locks import alive

OVER = frozenset(("succeeded", "failed", "cancelled"))
Row = dict[str, Any]


@dataclass
class Stored:
    """A run with its steps; read once, so that all parts of an answer are of one moment."""

    ws: Workspace
    row: Row
    steps: dict[str, Row]
    _others: dict[str, Stored | None] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.row["run_id"])

    @cached_property
    def spec(self) -> WorkflowSpec:
        """The graph and code the run is pinned to."""
        found = self.ws.catalog.one("select spec from specs where spec_hash = :h", h=self.row["spec_hash"])
        return WorkflowSpec.from_dict(json.loads(found["spec"] if found else "{}"))

    @cached_property
    def status(self) -> str:
        """The run's status, "interrupted" when its process is gone."""
        status = str(self.row["status"])
        return "interrupted" if status == "running" and not alive(self.ws, self.row["owner"]) else status

    @cached_property
    def params(self) -> dict[str, Row]:
        """References of the parameters' stored values."""
        return dict(json.loads(self.row["param_refs"] or "{}"))

    def step(self, name: str) -> Row:
        """Return the row of a step.

        Raises
        ------
        NotFoundError
            With the nearest name and all there are.
        """
        if name not in self.steps:
            shown = ", ".join(list(self.steps)[:20]) + (", …" if len(self.steps) > 20 else "")
            raise NotFoundError(
                f"run {self.run_id} has no step '{name}'{hint(name, self.steps)} (it has: {shown})"
            )
        return self.steps[name]

    def inputs(self, name: str) -> dict[str, str]:
        """Return argument -> hash of what a step was called with, as far as that is known.

        A step that was not called has what it would have been called with: what its parents gave.
        """
        stored: dict[str, str] = json.loads(self.steps[name]["inputs"] or "{}")
        if stored or name not in self._by_name:
            return stored
        step = self._by_name[name]
        found = {p: self.params[p]["hash"] for p in step.params if p in self.params}
        for argument, parent in step.deps.items():
            output = self.steps.get(parent, {}).get("output")
            if output:
                found[argument] = output
        return found

    @cached_property
    def _by_name(self) -> dict[str, Any]:
        return {s.name: s for s in self.spec.steps}

    def spec_of(self, name: str) -> Any:
        """Return a step's `StepSpec`, or None when the graph has none of that name."""
        return self._by_name.get(name)

    @cached_property
    def redone(self) -> set[str]:
        """The steps that a rerun from a step was asked to do again."""
        start = self.row["rerun_from"] if self.row["parent_run_id"] else None
        return self.spec.downstream([start]) if start else set()

    def reused(self, name: str) -> bool:
        """True when a rerun took the step's output over without looking at the step."""
        row = self.steps[name]
        return bool(row["cached"]) and row["cache_key"] is None

    def maker(self, name: str) -> tuple[Stored, str] | None:
        """Return the run and the step that really made a cached step's output; None when that run is gone."""
        run, at, seen = self, name, set()
        while run.steps[at]["cached"]:
            if (run.run_id, at) in seen:
                return None
            seen.add((run.run_id, at))
            before = run.taken_from(at)
            if before is None:
                return None
            run, at = before
        return run, at

    def taken_from(self, name: str) -> tuple[Stored, str] | None:
        """Return the run and step a cached output was taken from, which may itself have taken it from another."""
        row = self.steps[name]
        if not row["cached"]:
            return None
        if self.reused(name):
            source = str(row["message"] or "").removeprefix("reused from ") or self.row["parent_run_id"]
            return self._at(source, name, row["output"])
        for found in self.ws.catalog.query(  # as the engine chose: the newest that was there
            "select run_id, step from steps where cache_key = :k and output = :o and status = 'succeeded' "
            "and not (run_id = :r and step = :s) and ended_at <= :now order by ended_at desc limit 5",
            k=row["cache_key"], o=row["output"], r=self.run_id, s=name, now=row["ended_at"],
        ):  # fmt: skip
            hit = self._at(found["run_id"], found["step"], row["output"])
            if hit is not None:
                return hit
        return None

    def _at(self, run_id: str | None, step: str, output: str | None) -> tuple[Stored, str] | None:
        if run_id is None:
            return None
        if run_id not in self._others:
            try:
                self._others[run_id] = read(self.ws, run_id, self._others)
            except NotFoundError:
                self._others[run_id] = None
        run = self._others[run_id]
        return (run, step) if run and step in run.steps and run.steps[step]["output"] == output else None


def read(ws: Workspace, run_id: str, others: dict[str, Stored | None] | None = None) -> Stored:
    """Read a run.

    Raises
    ------
    NotFoundError
        With the nearest ids.
    """
    ws.catalog.flush()
    row = ws.catalog.one("select * from runs where run_id = :r", r=run_id)
    if row is None:
        newest = ws.catalog.query("select run_id from runs order by created_at desc limit 500")
        near = hint(run_id, [r["run_id"] for r in newest])
        raise NotFoundError(f"no run '{run_id}' in {ws.root}{near}; `aios runs` lists them")
    steps = ws.catalog.query("select * from steps where run_id = :r order by position", r=run_id)
    return Stored(ws, row, {s["step"]: s for s in steps}, {} if others is None else others)


def call(run_id: str, rest: str = "") -> str:
    """Return the Python expression of a run, and of what follows it.

    Examples
    --------
    >>> print(call("a-1", ".timeline()"))
    aios.run('a-1').timeline()
    """
    return f"aios.run({run_id!r}){rest}"
