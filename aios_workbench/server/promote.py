"""Handlers behind the promote dialog."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.server import bodies
from aios_workbench.server.base import AiosHandler
from aios_workbench.server.jobviews import job_view

_TICKS = 5


class CheckHandler(AiosHandler):
    """`POST promote/check`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say what the notebook takes, what stands in its way and when the schedule would fire."""
        body = self.body(bodies.Check)
        await self.reply(lambda: check(self.places.notebook(body.notebook), body))


class PromoteHandler(AiosHandler):
    """`POST promote`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make the notebook a job, or the next version of the job with that name."""
        body = self.body(bodies.Promote)

        def work() -> dict[str, Any]:
            from aios_workbench.promote import JobSpec, jobs, promote

            kept: dict[str, Any] = {}
            notebook, ws = self.places.notebook(body.notebook), self.places.create(body.notebook)
            with contextlib.suppress(NotFoundError):  # what the dialog does not ask for stays as it was
                kept = jobs.get(ws, body.name).spec.to_dict()
            spec = JobSpec(**{**kept, **body.model_dump(), "notebook": notebook.name})
            job = promote(ws, notebook, spec, self.actor)
            return {**job_view(job), "changed": job.changed}

        await self.reply(work, 201)


def check(notebook: Path, body: bodies.Check) -> dict[str, Any]:
    """Return parameters, gates, findings, and the schedule in words with its next ticks."""
    from aios_workbench.promote import NotebookParameters
    from aios_workbench.promote import check as find

    findings = [f.to_dict() for f in find(notebook)]
    try:
        parameters = [p.to_dict() for p in NotebookParameters.of(notebook)]
        gates = gates_of(notebook)
    except AiosError:
        parameters, gates = [], []  # unreadable: the findings say so
    return {
        "name": notebook.stem,
        "parameters": parameters,
        "gates": gates,
        "findings": findings,
        **timetable(body.schedule, body.timezone),
    }


def timetable(schedule: str | None, timezone: str) -> dict[str, Any]:
    """Return a schedule's words and next ticks, or what is wrong with it and with its zone."""
    from aios_workbench.promote.schedule import Schedule, zone

    out: dict[str, Any] = {"ticks": [], "schedule_words": "", "schedule_error": None, "timezone_error": None}
    try:
        zone(timezone)
    except AiosError as e:
        out["timezone_error"] = str(e)
        timezone = "UTC"
    if not schedule:
        return out
    try:
        ticks = Schedule(schedule, timezone)
        out["ticks"] = ticks.upcoming(time.time(), _TICKS)
        out["schedule_words"] = ticks.describe()
    except AiosError as e:
        out["schedule_error"] = str(e)
    else:
        if not out["ticks"]:
            out["schedule_error"] = f"schedule {schedule!r} never comes true in the next 50 years"
    return out


def gates_of(notebook: Path) -> list[str]:
    """Return the names of functions that a `….gate` decorator makes gates, in order. Nothing is run."""
    from aios_workbench.promote.notebooks import code_cells, gate_names, read_notebook

    return list(gate_names(code_cells(read_notebook(notebook))))
