"""The panel's whole picture in one answer, and what happened since."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.server import bodies, jobviews
from aios_workbench.server.base import AiosHandler, to_json
from aios_workbench.server.runs import filters
from aios_workbench.server.views import plain, run_view
from aios_workbench.server.watch import last_seq
from aios_workbench.workspace import Workspace, dumps

_MOST = 500
_BROKEN = frozenset(("failed", "cancelled", "interrupted"))


class SnapshotHandler(AiosHandler):
    """`GET snapshot`: runs, jobs, waiting gates, and the event number they are true for."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Give the picture, and keep the live events coming."""
        q = self.arguments(bodies.RunsQuery)
        focus = self.focus()

        def work() -> dict[str, Any]:
            root = self.places.locate(focus)
            ws = self.places.find(root)
            head = {"path": str(root), "shown": self.places.shown(root), "exists": ws is not None}
            return {
                "workspace": head,
                "now": time.time(),
                "actor": self.actor,
                **(picture(ws, q, self.actor) if ws else EMPTY),
            }

        data = await self.do(work)
        self.watchers.touch(Path(data["workspace"]["path"]))
        self.finish(data)


class EventsHandler(AiosHandler):
    """`GET events?after=seq`: what a client missed."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Give events in order, and the number to ask from next; without `after` only that number."""
        q = self.arguments(bodies.EventsQuery)
        focus = self.focus()

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            root = self.places.locate(focus)
            ws = self.places.find(root)
            newest = last_seq(ws) if ws else 0
            rows: list[dict[str, Any]] = []
            if ws and q.after is not None:
                rows = [plain(r) for r in control.events(ws, after=q.after, limit=q.limit)]
            elif ws:
                ws.catalog.flush()
            # A number beyond the newest is of a workspace that was deleted and made anew.
            seq = rows[-1]["seq"] if rows else min(newest, q.after if q.after is not None else newest)
            return {"workspace": str(root), "events": rows, "seq": seq, "more": len(rows) == q.limit}

        data = await self.do(work)
        self.watchers.touch(Path(data["workspace"]))
        self.finish(to_json(data))


EMPTY: dict[str, Any] = {
    "seq": 0, "runs": [], "gates": [], "decided": [], "jobs": [], "counts": {}, "workflows": [], "workers": 0,
    "newest": None, "failure": None,
}  # fmt: skip


def picture(ws: Workspace, q: bodies.RunsQuery, actor: str) -> dict[str, Any]:
    """Return what the panel shows. The event number is read first: what comes later is asked for again."""
    from aios_workbench.engine import control

    seq = last_seq(ws)
    runs = [run_view(r) for r in control.list_runs(ws, **filters(q, actor))]
    _add_progress(ws, runs)
    newest = control.list_runs(ws, limit=1)
    return {
        "seq": seq,
        "runs": runs,
        "gates": [_gate(g) for g in control.waiting_gates(ws)[:_MOST]],
        "decided": [_decision(g) for g in control.decided_gates(ws)],
        "jobs": jobviews.jobs(ws),
        "counts": _counts(ws),
        "workers": jobviews.workers(ws),
        "newest": {n: newest[0][n] for n in ("run_id", "workflow", "status")} if newest else None,
        "workflows": _workflows(ws),
        "failure": _failure(ws),
    }


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("run_id", "step", "status", "workflow", "requested_at", "decided_at", "decided_by", "reason")
    return {name: row[name] for name in kept}


def _workflows(ws: Workspace) -> list[str]:
    """Return the names of workflows that ran, for the filter."""
    rows = ws.catalog.query("select distinct workflow from runs order by workflow limit :most", most=_MOST)
    return [r["workflow"] for r in rows]


def _failure(ws: Workspace) -> dict[str, Any] | None:
    """Return the last failed run that no later run of its workflow has made good or is about to."""
    return ws.catalog.one(
        "select run_id, workflow, status, ended_at from runs r where status = 'failed' and not exists "
        "(select 1 from runs n where n.workflow = r.workflow and n.created_at > r.created_at and n.status in "
        "('queued', 'running', 'waiting', 'succeeded')) order by created_at desc limit 1"
    )


def _gate(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("run_id", "step", "status", "requested_at", "deadline_at", "form", "workflow")
    gate = plain(row)
    return {name: gate[name] for name in kept}


def _counts(ws: Workspace) -> dict[str, int]:
    """Return runs by status, those whose process died counted as what they are."""
    from aios_workbench.engine import control

    counts = {
        r["status"]: r["n"]
        for r in ws.catalog.query("select status, count(*) as n from runs group by status")
    }
    if counts.get("running"):
        dead = len(control.list_runs(ws, status="interrupted", limit=_MOST))
        counts["running"] -= dead
        counts["interrupted"] = dead
    return {status: n for status, n in counts.items() if n > 0}


def _add_progress(ws: Workspace, runs: list[dict[str, Any]]) -> None:
    """Add steps done, steps in all, the step it is at and the job's name, in two queries."""
    ids = dumps([r["run_id"] for r in runs])
    active = ws.catalog.query(
        "select run_id, step, status from steps where run_id in (select value from json_each(:ids)) "
        "and status in ('running', 'retrying', 'waiting') order by position desc",
        ids=ids,
    )
    current = {a["run_id"]: a["step"] for a in active}
    tags = ws.catalog.query(
        "select r.run_id, j.job_id, j.name from runs r join job_runs jr on jr.job_run_id = r.job_run_id "
        "join jobs j on j.job_id = jr.job_id where r.run_id in (select value from json_each(:ids))",
        ids=ids,
    )
    jobs = {t["run_id"]: {"job_id": t["job_id"], "name": t["name"]} for t in tags}
    for run in runs:
        counts = run.pop("counts")
        run["steps_total"] = sum(counts.values())
        # A step skipped by a branch is done with; one skipped because another failed is not.
        run["steps_done"] = counts.get("succeeded", 0) + (
            counts.get("skipped", 0) if run["status"] not in _BROKEN else 0
        )
        run["current"] = current.get(run["run_id"])
        run["job"] = jobs.get(run["run_id"])
