"""A run that needs no engine: rows in a real catalog, moved by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.workflow import Workflow
from aios_workbench.workspace import Workspace, dumps


class FakeRun:
    """What the widget needs of a run: an id, a workspace and verbs, each remembered."""

    def __init__(self, ws: Workspace, workflow: Workflow, run_id: str = "run-1", **params: Any) -> None:
        self.ws = self.workspace = ws
        self.workflow, self.id = workflow, run_id
        self.calls: list[tuple[Any, ...]] = []
        spec = workflow.spec()
        workflow.last_spec = spec
        ws.catalog.write(
            "insert into specs values (:h, :s) on conflict (spec_hash) do nothing",
            h=spec.hash,
            s=dumps(spec.to_dict()),
        )
        ws.catalog.write(
            "insert into runs (run_id, workflow, status, params, spec_hash, created_at, started_at)"
            " values (:r, :w, 'running', :p, :h, :t, :t)",
            r=run_id, w=workflow.name, p=json.dumps(params), h=spec.hash, t=time.time(),
        )  # fmt: skip
        for i, step in enumerate(spec.steps):
            ws.catalog.write(
                "insert into steps (run_id, step, position, kind, status, max_attempts)"
                " values (:r, :s, :i, :k, 'pending', :m)",
                r=run_id, s=step.name, i=i, k=step.kind, m=step.retries + 1,
            )  # fmt: skip

    def set(self, step: str, **columns: Any) -> None:
        """Move a step as the engine does: deferred, with an event."""
        sets = ", ".join(f"{c} = :{c}" for c in columns)
        self.ws.catalog.defer(
            f"update steps set {sets} where run_id = :r and step = :s", {"r": self.id, "s": step, **columns}
        )
        self.ws.catalog.event("step", self.id, step, **columns)

    def finish(self, step: str, value: Any = None, seconds: float = 0.5, **columns: Any) -> None:
        """Let a step succeed."""
        now = time.time()
        output = self.ws.artifacts.put(value).hash
        self.set(
            step,
            status="succeeded",
            attempts=1,
            started_at=now - seconds,
            ended_at=now,
            output=output,
            **columns,
        )

    def end(self, status: str) -> None:
        """End the run."""
        self.ws.catalog.flush()
        self.ws.catalog.write(
            "update runs set status = :st, ended_at = :t where run_id = :r",
            st=status,
            t=time.time(),
            r=self.id,
        )
        self.ws.catalog.event("run", self.id, status=status)

    def ask(self, step: str, form: dict[str, Any] | None, shown: Any = None) -> None:
        """Let a gate wait."""
        self.ws.catalog.write(
            "insert into gates (run_id, step, status, form, data, requested_at) values (:r, :s, 'waiting', :f, :d, :t)",
            r=self.id, s=step, f=dumps(form) if form else None, d=self.ws.artifacts.put(shown).hash, t=time.time(),
        )  # fmt: skip
        self.set(step, status="waiting", attempts=1, started_at=time.time())

    def rerun(self, from_: str) -> FakeRun:
        """Start a second run."""
        self.calls.append(("rerun", from_))
        return FakeRun(self.ws, self.workflow, self.id + "-again")

    def resume(self) -> None:
        """Remember."""
        self.calls.append(("resume",))

    def cancel(self) -> None:
        """Cancel at once."""
        self.calls.append(("cancel",))
        self.end("cancelled")

    def approve(self, step: str, values: Any = None, by: Any = None, reason: Any = None) -> None:
        """Remember."""
        self.calls.append(("approve", step, values, reason))

    def reject(self, step: str, reason: Any = None) -> None:
        """Remember."""
        self.calls.append(("reject", step, reason))


@pytest.fixture
def ws(tmp_path: Path) -> Any:
    """A workspace of its own."""
    from aios_workbench.widgets.watch import watcher

    space = Workspace(tmp_path / ".aios")
    yield space
    screens = watcher(space)
    for feed in list(screens._feeds):
        feed.close()
    while screens.alive:  # SQLite crashes when a connection is closed under another thread's hands
        time.sleep(0.01)
    space.close()


def small() -> Workflow:
    """load -> clean -> (score, review gate) -> report."""
    wf = Workflow("claims", description="a small one")

    @wf.step
    def load(path: str = "x.csv") -> Any:
        """Read the claims."""

    @wf.step(retries=3)
    def clean(load: Any) -> Any: ...

    @wf.step(cache=True)
    def score(clean: Any) -> Any: ...

    @wf.gate
    def review(clean: Any) -> Any: ...

    @wf.step(after=["review"])
    def report(score: Any) -> Any: ...

    return wf


@pytest.fixture
def wf() -> Workflow:
    """The small workflow."""
    return small()


@pytest.fixture
def run(ws: Workspace, wf: Workflow) -> FakeRun:
    """A run of it that has just started."""
    return FakeRun(ws, wf, path="claims.csv")
