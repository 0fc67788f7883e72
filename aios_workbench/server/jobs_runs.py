"""Handlers for one run of a job: its cells, what it printed, going on where it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.server import bodies, bodies_jobs, jobviews
from aios_workbench.server.base import AiosHandler
from aios_workbench.workspace import Workspace

#: The most of a log that one answer carries.
_PART = 200_000
_LINE = 200
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
            from aios_workbench.promote.resuming import resume_run

            ws = self.workspace()
            jobviews.own_run(ws, job_id, job_run_id)
            made = resume_run(ws, job_run_id, self.actor)
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
            from aios_workbench.promote.cells import cell_log

            ws = self.workspace()
            jobviews.own_run(ws, job_id, job_run_id)
            if not (position.isascii() and position.isdigit() and len(position) < 10):
                raise NotFoundError(f"job run {job_run_id!r} has no cell {position!r}; cells have numbers")
            found = cell_log(ws, job_run_id, int(position), q.after)
            more = found["text"] != "" and not found["over"]
            return {"text": found["text"], "next": found["next"], "more": more}

        await self.reply(work)


def detail(ws: Workspace, job_id: str, job_run_id: str) -> dict[str, Any]:
    """Return a run with its cells and the workflow runs it started.

    Raises
    ------
    NotFoundError
        When the job has no such run.
    """
    from aios_workbench.promote.cells import cells as recorded
    from aios_workbench.promote.resuming import resumable

    row = jobviews.own_run(ws, job_id, job_run_id)
    first = first_lines(ws, row)
    cells = [{**cell, "label": first.get(cell["cell"], cell["label"])} for cell in recorded(ws, job_run_id)]
    workflows = ws.catalog.query(
        "select run_id, workflow, status from runs where job_run_id = :id order by created_at", id=job_run_id
    )
    return {
        **jobviews.run_view(row),
        "name": row["job"] or job_id,
        "cells": [{name: cell[name] for name in _CELL} for cell in cells],
        "workflows": workflows,
        "cannot_resume": resumable(ws, row),
    }


def first_lines(ws: Workspace, row: dict[str, Any]) -> dict[int | None, str]:
    """Return what each cell of the notebook that a run is of begins with, by its number."""
    from aios_workbench.promote.bundle import NOTEBOOK
    from aios_workbench.promote.notebooks import code_cells, read_notebook
    from aios_workbench.promote.records import bundle_folder

    try:
        book = read_notebook(bundle_folder(ws, row["job_id"], row["version"]) / NOTEBOOK)
    except (AiosError, OSError):
        return {}  # removed, or of a machine that does not answer: the cells' numbers still say which
    lines = {
        cell.number: [line for line in cell.source.splitlines() if line.strip()] for cell in code_cells(book)
    }
    return {number: found[0].strip()[:_LINE] for number, found in lines.items() if found}


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
