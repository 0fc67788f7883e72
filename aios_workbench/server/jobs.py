"""Handlers for jobs, their history and the files their runs left."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import ParameterError
from aios_workbench.server import bodies, jobviews
from aios_workbench.server.base import AiosHandler, Problem

# An executed notebook holds whatever its cells printed, HTML too. The sandbox has no origin and runs no
# script, so a page can neither call this server with the reader's cookie nor send anything anywhere.
SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline' data:; img-src data:; font-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class JobsHandler(AiosHandler):
    """`GET jobs`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List jobs by name."""

        def work() -> dict[str, Any]:
            ws = self.places.existing(self.focus())
            return {"jobs": jobviews.jobs(ws) if ws else []}

        await self.reply(work)


class JobHandler(AiosHandler):
    """`GET` and `DELETE jobs/{id}`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give a job with its last run."""

        def work() -> dict[str, Any]:
            from aios_workbench import promote

            return jobviews.job_view(promote.get(self.workspace(), job_id))

        await self.reply(work)

    @web.authenticated
    @authorized
    async def delete(self, job_id: str) -> None:
        """Remove a job with its history and files."""

        def work() -> dict[str, Any]:
            from aios_workbench import promote

            promote.remove(self.workspace(), job_id, self.actor)
            return {"job_id": job_id}

        await self.reply(work)


class JobActionHandler(AiosHandler):
    """`POST jobs/{id}/pause|resume|trigger`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str, action: str) -> None:
        """Do it; give the job, or the id of the triggered run."""
        params = self.body(bodies.Trigger).params if action == "trigger" else {}
        if action != "trigger":
            self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench import promote
            from aios_workbench.engine import control

            ws = self.workspace()
            if action == "trigger":
                try:
                    job_run_id = promote.trigger(ws, job_id, self.actor, params)
                except ParameterError as e:
                    raise Problem(422, str(e), fields=jobviews.problems(ws, job_id, params)) from None
                control.ensure_worker(ws)
                return {"job_run_id": job_run_id}
            change = promote.pause if action == "pause" else promote.resume
            change(ws, job_id, self.actor)
            return jobviews.job_view(promote.get(ws, job_id))

        await self.reply(work)


class ParametersHandler(AiosHandler):
    """`GET jobs/{id}/parameters`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Say what a run of this job may be given, and what it gets otherwise."""
        await self.reply(lambda: {"parameters": jobviews.parameters(self.workspace(), job_id)})


class HistoryHandler(AiosHandler):
    """`GET jobs/{id}/runs`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """List a job's runs, newest first."""
        q = self.arguments(bodies.HistoryQuery)
        await self.reply(lambda: {"runs": jobviews.history(self.workspace(), job_id, q.limit, q.before)})


class CancelHandler(AiosHandler):
    """`POST jobs/{id}/runs/{job_run_id}/cancel`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str, job_run_id: str) -> None:
        """Stop a job run that waits or goes on."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench import promote

            ws = self.workspace()
            jobviews.own_run(ws, job_id, job_run_id)
            return jobviews.run_view(promote.cancel(ws, job_run_id, self.actor))

        await self.reply(work)


class FileHandler(AiosHandler):
    """`GET jobs/{id}/runs/{job_run_id}/html|notebook`."""

    @property
    def content_security_policy(self) -> str:
        """Whatever the file holds, it runs nothing."""
        return SANDBOX

    @web.authenticated
    @authorized
    async def get(self, job_id: str, job_run_id: str, kind: str) -> None:
        """Give the executed notebook, or its page."""
        content = await self.do(
            lambda: jobviews.file_of(self.workspace(), job_id, job_run_id, kind).read_bytes()
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        if kind == "html":
            self.finish(content, set_content_type="text/html; charset=utf-8")
            return
        self.set_header("Content-Disposition", f'attachment; filename="{job_id}-{job_run_id}.ipynb"')
        self.finish(content, set_content_type="application/x-ipynb+json")
