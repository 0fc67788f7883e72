"""Handlers for runs of the past: what they would be, starting them, giving them up."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import JobError, NotFoundError
from aios_workbench.server import bodies, bodies_jobs
from aios_workbench.server.base import AiosHandler, Problem
from aios_workbench.workspace import Workspace

_COLUMNS = (
    "backfill_id", "job_id", "version", "starts_at", "ends_at", "concurrency", "newest_first", "total", "status",
    "created_at", "created_by", "ended_at", "queued", "running", "succeeded", "failed", "cancelled", "share",
)  # fmt: skip
_MOST = 20


class BackfillsHandler(AiosHandler):
    """`GET` and `POST jobs/{id}/backfills`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """List backfills, newest first, and how far they are."""
        await self.reply(lambda: backfills(self.workspace(), job_id))

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Start one."""
        body = self.body(bodies_jobs.StartBackfill)

        def work() -> dict[str, Any]:
            from aios_workbench import promote
            from aios_workbench.engine import control
            from aios_workbench.promote import backfill

            ws = self.workspace()
            job = promote.get(ws, job_id)
            start, end = times(body, job.spec.timezone)
            backfill.start(
                ws, job.job_id, start, end, self.actor, concurrency=body.concurrency, newest_first=body.newest_first,
                parameters=body.parameters, again=body.again,
            )  # fmt: skip
            control.ensure_worker(ws)
            return backfills(ws, job_id)

        await self.reply(work, 201)


class BackfillPreviewHandler(AiosHandler):
    """`POST jobs/{id}/backfills/preview`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Say which ticks a backfill would run. Nothing is started."""
        body = self.body(bodies_jobs.BackfillRange)

        def work() -> dict[str, Any]:
            from aios_workbench import promote
            from aios_workbench.promote import backfill

            ws = self.workspace()
            job = promote.get(ws, job_id)
            start, end = times(body, job.spec.timezone)
            found = backfill.preview(ws, job.job_id, start, end, again=body.again)
            ticks = [{name: tick[name] for name in ("at", "local", "done")} for tick in found["ticks"]]
            return {"ticks": ticks, "total": found["total"], "limit": found["limit"]}

        await self.reply(work)


class BackfillActionHandler(AiosHandler):
    """`POST jobs/{id}/backfills/{backfill_id}/cancel|pause|resume`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str, backfill_id: str, action: str) -> None:
        """Give it up, or start no more of its runs for a while."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench.promote import backfill

            ws = self.workspace()
            if backfill.get(ws, backfill_id)["job_id"] != job_id:
                raise NotFoundError(f"job {job_id!r} has no backfill {backfill_id!r}")
            change = {"cancel": backfill.cancel, "pause": backfill.pause, "resume": backfill.resume}[action]
            change(ws, backfill_id, self.actor)
            return backfills(ws, job_id)

        await self.reply(work)


def backfills(ws: Workspace, job_id: str) -> dict[str, Any]:
    """Return a job's backfills, newest first, each with its runs by state."""
    from aios_workbench.promote import backfill

    return {
        "backfills": [
            {name: row[name] for name in _COLUMNS} for row in backfill.list_backfills(ws, job_id)[:_MOST]
        ]
    }


def times(body: bodies_jobs.BackfillRange, timezone: str) -> tuple[float, float]:
    """Return a range in epoch seconds; times without an offset are on the clock of the zone.

    Raises
    ------
    Problem
        422, by field, for what is no time.
    """
    from aios_workbench.promote.backfill import instant
    from aios_workbench.promote.schedule import zone

    out, wrong = [], {}
    for name in ("start", "end"):
        try:
            out.append(instant(getattr(body, name), zone(timezone)))
        except JobError as e:
            wrong[name] = str(e)
    if not wrong and out[0] >= out[1]:
        wrong["end"] = "must be later than the start"
    if wrong:
        raise Problem(422, "; ".join(f"{n}: {t}" for n, t in wrong.items()), fields=wrong)
    return out[0], out[1]
