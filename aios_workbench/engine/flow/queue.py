"""Bounded queues: who starts runs faster than they are done waits, or is told so."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from aios_workbench.engine.flow.store import lock
from aios_workbench.errors import ParameterError, QueueFull
from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workflow.budgets import parse_budget
from aios_workbench.workflow.limits import parse_priority
from aios_workbench.workspace import Workspace

_PAUSE = (0.02, 0.5)
_TELL_SECONDS = (1.0, 10.0)


def written(ws: Workspace, spec: WorkflowSpec, flow: Mapping[str, Any], write: Callable[..., bool]) -> bool:
    """Write a run down when its workflow's queue has room; return what `write` does.

    Parameters
    ----------
    flow : mapping
        `priority`, `budget` and `wait` as given to `Workflow.run`.

    Raises
    ------
    QueueFull
        When there was no room for as long as `wait` allows.
    ParameterError
        For an option that cannot be.
    """
    own: dict[str, Any] = {}
    if flow.get("priority") is not None:
        own["priority"] = parse_priority(flow["priority"])
    if flow.get("budget") is not None:
        own["budget"] = parse_budget(flow["budget"])
    if spec.max_queued is None:
        return write(**own)
    patience = _patience(flow.get("wait", True))
    began, pause = time.monotonic(), _PAUSE[0]
    tell = began + _TELL_SECONDS[0]
    while True:
        try:
            return write(**own, bounded=True)
        except QueueFull:
            waited = time.monotonic() - began
            if waited >= patience:
                raise
            if time.monotonic() >= tell:
                tell = time.monotonic() + _TELL_SECONDS[1]
                print(f"{_now(ws, spec)}; waiting for room (Ctrl-C gives up)", file=sys.stderr)
        time.sleep(min(pause, max(0.0, patience - waited)))
        pause = min(pause * 2, _PAUSE[1])


def _patience(wait: Any) -> float:
    if wait is True:
        return float("inf")
    if wait is False or wait is None:
        return 0.0
    if isinstance(wait, (int, float)) and wait >= 0:
        return float(wait)
    raise ParameterError(f"_wait is True, False or seconds, not {wait!r}")


def check(con: Any, spec: WorkflowSpec, run_id: str) -> None:
    """Refuse a new run when the queue is full; in the transaction that writes it, so that the bound holds."""
    lock(con)
    row = con.execute(
        "select count(*) as n from runs where workflow = :w and status = 'queued'", {"w": spec.name}
    ).fetchone()
    known = con.execute("select 1 from runs where run_id = :r", {"r": run_id}).fetchone()
    if spec.max_queued is not None and row["n"] >= spec.max_queued and known is None:
        raise QueueFull(
            f"{row['n']} runs of workflow '{spec.name}' are queued, and max_queued={spec.max_queued}; try again when "
            "some have ended, start more workers, or run with _wait=True"
        )


def _now(ws: Workspace, spec: WorkflowSpec) -> str:
    rows = ws.catalog.query(
        "select status, count(*) as n from runs where workflow = :w and status in ('queued', 'running', 'waiting') "
        "group by status order by status", w=spec.name,
    )  # fmt: skip
    counts = ", ".join(f"{r['n']} {r['status']}" for r in rows)
    return f"workflow '{spec.name}' has {counts} (max_queued={spec.max_queued})"
