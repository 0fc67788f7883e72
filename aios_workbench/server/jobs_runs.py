"""Handlers for one run of a job: its cells, what it printed, going on where it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server import bodies, bodies_jobs, jobviews
from aios_workbench.server.base import AiosHandler
from aios_workbench.server.jobparts import landed, part
from aios_workbench.workspace import Workspace

#: The most of a log that one answer carries.
_PART = 200_000
_CELL = ("position", "cell", "label", "status", "started_at", "ended_at")


class JobRunHandler(AiosHandler):
    """`GET jobs/{id}/runs/{job_run_id}`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str, job_run_id: str) -> None:
        """Give a run with its cells and the workflow runs it started."""
        await self.reply(lambda: detail(self.workspace(), job_id, job_run_id))


class ResumeHandler(AiosHandler):
    """`POST jobs/{id}/runs/{job_run_id}/resume`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str, job_run_id: str) -> None:
        """Run it again from where it failed; give the run that does."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            ws = self.workspace()
            jobviews.own_run(ws, job_id, job_run_id)
            made = part("resuming", "Resumed runs").resume_run(ws, job_run_id, self.actor)
            control.ensure_worker(ws)
            return {"job_run_id": made}

        await self.reply(work)


class RunLogHandler(AiosHandler):
    """`GET jobs/{id}/runs/{job_run_id}/log`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str, job_run_id: str) -> None:
        """Give the next part of all that was printed."""
        q = self.arguments(bodies_jobs.LogQuery)
        await self.reply(lambda: log_part(self.workspace(), job_id, job_run_id, q.after))


class CellLogHandler(AiosHandler):
    """`GET jobs/{id}/runs/{job_run_id}/cells/{position}/log`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str, job_run_id: str, position: str) -> None:
        """Give the next part of what one cell printed."""
        q = self.arguments(bodies_jobs.LogQuery)

        def work() -> dict[str, Any]:
            ws = self.workspace()
            jobviews.own_run(ws, job_id, job_run_id)
            if not (position.isascii() and position.isdigit() and len(position) < 10):
                raise NotFoundError(f"job run {job_run_id!r} has no cell {position!r}; cells have numbers")
            found = part("cells", "Logs of single cells").cell_log(ws, job_run_id, int(position), q.after)
            return {"text": found["text"], "next": found["next"], "more": bool(found.get("more"))}

        await self.reply(work)


def detail(ws: Workspace, job_id: str, job_run_id: str) -> dict[str, Any]:
    """Return a run with its cells and the workflow runs it started.

    Raises
    ------
    NotFoundError
        When the job has no such run.
    """
    row = jobviews.own_run(ws, job_id, job_run_id)
    found, resume = landed("cells"), landed("resuming")
    cells = found.cells(ws, job_run_id) if found else []
    workflows = ws.catalog.query(
        "select run_id, workflow, status from runs where job_run_id = :id order by created_at", id=job_run_id
    )
    return {
        **jobviews.run_view(row),
        "name": row["job"] or job_id,
        "cells": [{name: cell[name] for name in _CELL} for cell in cells],
        "workflows": workflows,
        "cannot_resume": resume.resumable(ws, row) if resume else "it can only be run again as a whole",
    }


def log_part(ws: Workspace, job_id: str, job_run_id: str, after: int) -> dict[str, Any]:
    """Return what a run printed from byte `after` on, cut between characters.

    Raises
    ------
    NotFoundError
        When the job has no such run.
    """
    run = jobviews.own_run(ws, job_id, job_run_id)
    if "log.txt" not in run["files"]:
        return {"text": "", "next": 0, "more": False}
    path = jobviews.inside(ws, job_id, Path(run["files"]["log.txt"]))
    size = path.stat().st_size
    begin = after if after <= size else 0  # another attempt has begun the file anew
    with path.open("rb") as f:
        f.seek(begin)
        data = f.read(_PART)
    whole = data if begin + len(data) >= size else data[: data.rfind(b"\n") + 1] or data
    return {
        "text": whole.decode("utf-8", "replace"), "next": begin + len(whole), "more": begin + len(whole) < size,
    }  # fmt: skip
