"""A run on one page."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from aios_workbench.observe import environment, rules, timeline
from aios_workbench.observe.models import Environment, Fact, Overview
from aios_workbench.observe.money import is_cost
from aios_workbench.observe.stored import OVER, Row, Stored, call, read
from aios_workbench.workspace import Workspace

_SHORT = 12


def overview(ws: Workspace, run_id: str) -> Overview:
    """Return who ran what, when, where, with which code, how long it took and what it reported.

    `queue_seconds`, `run_seconds`, `retry_seconds` and `wait_seconds` are sums over the steps: steps side by side
    count each. `saved_seconds` is how long the steps that were cached or taken over had taken when they were made.
    `previous_run_id` is the run of the workflow that was started before this one.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    run = read(ws, run_id)
    row, line = run.row, timeline.of(run)
    seconds = timeline.totals(line)
    facts = metrics(ws, run_id)
    over = run.status in OVER
    started = row["started_at"]
    return Overview(
        run_id=run_id, workflow=row["workflow"], description=run.spec.description, status=run.status,
        source=row["source"], user=row["user"], notebook=row["notebook"], cwd=row["cwd"],
        **_job(ws, row["job_run_id"]), created_at=row["created_at"], started_at=started,
        ended_at=row["ended_at"] if over else None,
        duration=None if started is None else max(0.0, (row["ended_at"] if over else line.now) - started),
        queue_seconds=seconds["queue"], run_seconds=seconds["run"], retry_seconds=seconds["retry"],
        wait_seconds=seconds["wait"], saved_seconds=saved_seconds(run), error=error_text(row["error"]),
        message=row["message"],
        params=json.loads(row["params"] or "{}"), code_version=code_version(run),
        environment=_environment(run), metrics=[f for f, kind in facts if kind == "metric"],
        cost=[f for f, kind in facts if kind == "cost"], kpis=[f for f, kind in facts if kind == "kpi"],
        rules=rules.rules(run), steps=dict(Counter(s["status"] for s in run.steps.values())),
        bytes_written=_bytes_written(run),
        parent_run_id=row["parent_run_id"], rerun_from=row["rerun_from"], children=_children(ws, run_id),
        adoptions=row["adoptions"], previous_run_id=_previous(ws, row), code=call(run_id, ".overview()"),
    )  # fmt: skip


def code_version(run: Stored) -> str:
    """Return twelve hex digits that change exactly when the code of any step does."""
    text = "\n".join(sorted(f"{s.name}={s.code_hash}" for s in run.spec.steps))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_SHORT]


def metrics(ws: Workspace, run_id: str) -> list[tuple[Fact, str]]:
    """Return what the steps reported, each with "cost", "kpi" or "metric"."""
    rows = ws.catalog.query("select * from metrics where run_id = :r order by rowid", r=run_id)
    return [(
        Fact(name=m["name"], value=m["value"], text=m["text"], unit=m["unit"], step=m["step"]),
        "kpi" if m["kpi"] else "cost" if m["value"] is not None and is_cost(m["name"], m["unit"]) else "metric",
    ) for m in rows]  # fmt: skip


def saved_seconds(run: Stored) -> float | None:
    """Return how long the steps that did not have to be done had taken; None when there is none."""
    saved: list[float] = []
    for name, row in run.steps.items():
        if not row["cached"] or row["kind"] == "gate":
            continue
        made = run.maker(name)
        if made is not None:
            source = made[0].steps[made[1]]
        elif run.reused(name):  # the times a rerun takes over are those of the step it took over
            source = row
        else:
            continue
        if source["started_at"] is not None and source["ended_at"] is not None:
            saved.append(max(0.0, source["ended_at"] - source["started_at"]))
    return sum(saved) if saved else None


def error_text(error: str | None) -> str | None:
    """Return a stored error in a line: step, type, message."""
    if not error:
        return None
    data = json.loads(error)
    where = f"step '{data['step']}': " if data.get("step") else ""
    return f"{where}{data.get('type')}: {data.get('message')}"


def _environment(run: Stored) -> Environment | None:
    found = environment.read(run.ws, run.row["environment"])
    return None if found is None else environment.notable(found)


def _job(ws: Workspace, job_run_id: str | None) -> dict[str, str | None]:
    found: Row | None = None
    if job_run_id:
        found = ws.catalog.one(
            "select j.job_id, j.name as job from job_runs r join jobs j using (job_id) where r.job_run_id = :r",
            r=job_run_id,
        )
    return {"job": found["job"], "job_id": found["job_id"]} if found else {"job": None, "job_id": None}


def _bytes_written(run: Stored) -> int:
    """Bytes of the outputs that were new to the workspace when this run made them."""
    made = {s["output"] for s in run.steps.values() if s["output"] and not s["cached"]}
    row = run.ws.catalog.one(
        "select coalesce(sum(bytes), 0) as n from artifacts where hash in (select value from json_each(:h)) "
        "and created_at >= :at", h=json.dumps(list(made)), at=run.row["created_at"],
    )  # fmt: skip
    return int(row["n"]) if row else 0


def _children(ws: Workspace, run_id: str) -> list[str]:
    rows = ws.catalog.query(
        "select run_id from runs where parent_run_id = :r order by created_at limit 200", r=run_id
    )
    return [r["run_id"] for r in rows]


def _previous(ws: Workspace, row: Row) -> str | None:
    found = ws.catalog.one(
        "select run_id from runs where workflow = :w and (created_at < :at or (created_at = :at and run_id < :r)) "
        "order by created_at desc, run_id desc limit 1", w=row["workflow"], at=row["created_at"], r=row["run_id"],
    )  # fmt: skip
    return found["run_id"] if found else None
