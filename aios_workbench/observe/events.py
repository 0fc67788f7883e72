"""What happened to a run, in words."""

from __future__ import annotations

import json
import math
from typing import Any

from aios_workbench.observe.models import Event, EventPage
from aios_workbench.observe.stored import Row, read
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Workspace

_TEXT = 500
_RUN = {
    "queued": "the run was queued", "running": "the run is going on", "waiting": "the run waits for a person",
    "succeeded": "the run succeeded", "failed": "the run failed", "cancelled": "the run was cancelled",
    "cancelling": "the run is being cancelled",
}  # fmt: skip
_GATE = {
    "waiting": "asks for a decision", "approved": "was approved", "rejected": "was rejected",
    "expired": "expired: nobody decided in time", "cancelled": "was cancelled",
}  # fmt: skip


def events(ws: Workspace, run_id: str, after: int = 0, limit: int = 200) -> EventPage:
    """Return what happened to a run after event `after`, in order.

    Lines that steps wrote are not told here: they are in the log.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    read(ws, run_id)
    rows = ws.catalog.query(
        "select * from events where run_id = :r and seq > :after and kind <> 'log' order by seq limit :n",
        r=run_id, after=after, n=limit + 1,
    )  # fmt: skip
    return EventPage(events=[_event(r) for r in rows[:limit]], more=len(rows) > limit)


def _event(row: Row) -> Event:
    data = _finite(json.loads(row["data"] or "{}"))
    return Event(seq=row["seq"], at=row["at"], kind=row["kind"], step=row["step"],
                 text=text(row["kind"], row["step"], data), data=data)  # fmt: skip


def text(kind: str, step: str | None, data: dict[str, Any]) -> str:
    """Return an event in words.

    Examples
    --------
    >>> text("step", "score", {"status": "retrying", "attempts": 1})
    "step 'score': attempt 1 failed, another follows"
    """
    told = {
        "run": _run,
        "step": _step,
        "gate": _gate,
        "progress": _progress,
        "metric": _metric,
        "compensation": _compensation,
        "breaker": _breaker,
    }.get(kind)
    said = told(step, data) if told else f"{kind}{f' of {step!r}' if step else ''}"
    return said if len(said) <= _TEXT else said[: _TEXT - 1] + "…"


def _run(_step: str | None, data: dict[str, Any]) -> str:
    status = str(data.get("status"))
    said = _RUN.get(status, f"the run is {status}")
    error = data.get("error")
    if isinstance(error, dict):
        where = f" at step '{error['step']}'" if error.get("step") else ""
        said += f"{where}: {error.get('type')}: {error.get('message')}"
    return said


def _step(step: str | None, data: dict[str, Any]) -> str:
    status, attempt, message = data.get("status"), data.get("attempts") or 0, data.get("message")
    took = ""
    if data.get("ended_at") is not None and data.get("started_at") is not None:
        took = f" after {format_duration(max(0.0, data['ended_at'] - data['started_at']))}"
    name = f"step '{step}'"
    if status == "running":
        return f"{name} started" if attempt <= 1 else f"{name}: attempt {attempt} started"
    if status == "retrying":
        return f"{name}: attempt {attempt} failed, another follows"
    if status == "waiting":
        return f"{name} waits for a person"
    if status == "succeeded" and data.get("cached"):
        return f"{name} was answered from the cache"
    because = f": {message}" if message else ""
    if status in ("succeeded", "failed"):
        return f"{name} {status}{took}{because}"
    if status == "compensated":
        return f"{name} was undone"
    if status == "skipped":
        return f"{name} was skipped{because}"
    return f"{name} was cancelled{because}" if status == "cancelled" else f"{name} is {status}{because}"


def _compensation(step: str | None, data: dict[str, Any]) -> str:
    said = {
        "pending": "will be undone", "running": "is being undone", "compensated": "was undone",
        "failed": "could not be undone",
    }  # fmt: skip
    return f"step '{step}' {said.get(str(data.get('status')), 'is undone')} because {data.get('because')}"


def _breaker(step: str | None, data: dict[str, Any]) -> str:
    said = {"open": "opened: nobody calls", "half-open": "lets one call try", "closed": "closed"}
    where = "" if step is None else f", by step '{step}'"
    return f"breaker '{data.get('breaker')}' {said.get(str(data.get('state')), 'changed')}{where}"


def _gate(step: str | None, data: dict[str, Any]) -> str:
    status = str(data.get("status"))
    by = f" by {data['by']}" if data.get("by") else ""
    return f"gate '{step}' {_GATE.get(status, f'is {status}')}{by}"


def _progress(step: str | None, data: dict[str, Any]) -> str:
    fraction, message = data.get("progress"), data.get("message")
    done = f"{fraction:.0%}" if isinstance(fraction, (int, float)) else "going on"
    return f"step '{step}': {done}" + (f", {message}" if message else "")


def _metric(step: str | None, data: dict[str, Any]) -> str:
    value = data.get("value")
    shown = f"{value:,.6g}" if isinstance(value, (int, float)) else str(data.get("text") or value)
    return f"step '{step}' reported {data.get('name')} = {shown}" + (
        f" {data['unit']}" if data.get("unit") else ""
    )


def _finite(value: Any) -> Any:
    """Return JSON data without the NaN and infinities that Python's reader lets through."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
