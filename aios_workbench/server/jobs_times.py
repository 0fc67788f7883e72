"""Handlers for when a job runs, who was told of it, and for starting what runs it."""

from __future__ import annotations

import time
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.server import bodies
from aios_workbench.server.base import AiosHandler

_TICKS = 10
_ALERTS = 50


class NextHandler(AiosHandler):
    """`GET jobs/{id}/next`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give the next ticks, and what the change of the clock does to them."""

        def work() -> dict[str, Any]:
            from aios_workbench import promote
            from aios_workbench.promote.triggers import describe

            spec = promote.get(self.workspace(), job_id).spec
            ticks = spec.ticks.preview(time.time(), _TICKS) if spec.ticks else []
            return {
                "words": describe(spec),
                "timezone": spec.timezone,
                "ticks": [{"at": t.at, "local": t.local, "note": t.note} for t in ticks],
            }

        await self.reply(work)


class AlertsHandler(AiosHandler):
    """`GET jobs/{id}/alerts`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """List what people were told of a job, or will be, newest first."""

        def work() -> dict[str, Any]:
            from aios_workbench import promote

            ws = self.workspace()
            rows = ws.catalog.query(
                "select kind, at, subject, body, status, attempts, told_at, error, job_run_id from job_alerts "
                "where job_id = :job order by seq desc limit :most",
                job=promote.get(ws, job_id).job_id,
                most=_ALERTS,
            )
            return {"alerts": rows}

        await self.reply(work)


class WorkersHandler(AiosHandler):
    """`POST workers`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a worker that stays, in the background, unless one lives."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            return {"started": control.ensure_worker(self.workspace(), stays=True)}

        await self.reply(work)
