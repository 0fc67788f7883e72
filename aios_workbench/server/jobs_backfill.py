"""Handlers for runs of the past: what they would be, starting them, giving them up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server import bodies, bodies_jobs
from aios_workbench.server.base import AiosHandler, Problem
from aios_workbench.server.jobparts import part
from aios_workbench.workspace import Workspace

_COLUMNS = (
    "backfill_id", "job_id", "version", "starts_at", "ends_at", "concurrency", "newest_first", "total", "status",
    "created_at", "created_by", "ended_at",
)  # fmt: skip


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

            ws = self.workspace()
            job = promote.get(ws, job_id)
            start, end = times(body, job.spec.timezone)
            part("backfill", "Backfills").start(
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

            ws = self.workspace()
            job = promote.get(ws, job_id)
            start, end = times(body, job.spec.timezone)
            found = part("backfill", "Backfills").preview(ws, job.job_id, start, end, again=body.again)
            ticks = [{name: tick[name] for name in ("at", "local", "done")} for tick in found["ticks"]]
            return {"ticks": ticks, "total": found["total"], "limit": found["limit"]}

        await self.reply(work)


class CancelBackfillHandler(AiosHandler):
    """`POST jobs/{id}/backfills/{backfill_id}/cancel`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str, backfill_id: str) -> None:
        """Give it up: what waits is not run any more."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            ws = self.workspace()
            own = ws.catalog.one("select job_id from backfills where backfill_id = :id", id=backfill_id)
            if own is None or own["job_id"] != job_id:
                raise NotFoundError(f"job {job_id!r} has no backfill {backfill_id!r}")
            part("backfill", "Backfills").cancel(ws, backfill_id, self.actor)
            return backfills(ws, job_id)

        await self.reply(work)


def backfills(ws: Workspace, job_id: str) -> dict[str, Any]:
    """Return a job's backfills, newest first, each with its runs by state.

    Raises
    ------
    NotFoundError
        For an unknown job.
    """
    from aios_workbench import promote

    job = promote.get(ws, job_id)
    part("backfill", "Backfills")
    columns = ", ".join(_COLUMNS)
    rows = ws.catalog.query(
        f"select {columns} from backfills where job_id = :job order by created_at desc limit 20",  # noqa: S608 - our own names
        job=job.job_id,
    )
    counts: dict[str, dict[str, int]] = {}
    for row in ws.catalog.query(
        "select backfill_id, status, count(*) as n from job_runs where job_id = :job and backfill_id is not null "
        "group by backfill_id, status",
        job=job.job_id,
    ):
        counts.setdefault(row["backfill_id"], {})[row["status"]] = row["n"]
    return {
        "backfills": [
            {**row, "newest_first": bool(row["newest_first"]), "counts": counts.get(row["backfill_id"], {})}
            for row in rows
        ]
    }


def times(body: bodies_jobs.BackfillRange, timezone: str) -> tuple[float, float]:
    """Return a range in epoch seconds; times without an offset are on the clock of the zone.

    Raises
    ------
    Problem
        422, by field, for what is no time.
    """
    from aios_workbench.promote.schedule import zone

    out, wrong = [], {}
    for name in ("start", "end"):
        try:
            found = dt.datetime.fromisoformat(getattr(body, name))
            out.append((found if found.tzinfo else found.replace(tzinfo=zone(timezone))).timestamp())
        except (ValueError, OverflowError):
            wrong[name] = f"{getattr(body, name)!r} is no time; write 2026-01-31T06:00"
    if not wrong and out[0] >= out[1]:
        wrong["end"] = "must be later than the start"
    if wrong:
        raise Problem(422, "; ".join(f"{n}: {t}" for n, t in wrong.items()), fields=wrong)
    return out[0], out[1]
