"""Handlers for the versions of a job: what differs, going back, who agrees, and trying one out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server import bodies_jobs
from aios_workbench.server.base import AiosHandler
from aios_workbench.server.jobparts import landed, part
from aios_workbench.workspace import Workspace

_VERSION = (
    "version", "status", "created_at", "created_by", "note", "bundle_hash", "current", "runs", "files",
)  # fmt: skip


class VersionsHandler(AiosHandler):
    """`GET jobs/{id}/versions`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """List the versions, newest first."""
        await self.reply(lambda: versions(self.workspace(), job_id))


class DiffHandler(AiosHandler):
    """`GET jobs/{id}/diff`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Say what differs between two versions, or from one to the notebook as it is saved now."""
        q = self.arguments(bodies_jobs.DiffQuery)

        def work() -> dict[str, Any]:
            from aios_workbench.promote.versions import diff

            ws = self.workspace()
            job = _job(ws, job_id)
            return diff(ws, job.job_id, q.old, q.new if q.new is not None else _notebook(ws, job))

        await self.reply(work)


class RollbackHandler(AiosHandler):
    """`POST jobs/{id}/rollback`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Point the job at an earlier version again; give all of them."""
        body = self.body(bodies_jobs.Rollback)

        def work() -> dict[str, Any]:
            from aios_workbench.promote.versions import rollback

            ws = self.workspace()
            job = _job(ws, job_id)
            rollback(ws, job.job_id, body.version, self.actor, body.reason)
            return versions(ws, job_id)

        await self.reply(work)


class ApprovalsHandler(AiosHandler):
    """`GET` and `POST jobs/{id}/approvals`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give the versions that wait for somebody to agree, and whether the one who asks may."""
        await self.reply(lambda: approvals(self.workspace(), job_id, self.actor))

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Agree to a version, or do not."""
        body = self.body(bodies_jobs.Approve)

        def work() -> dict[str, Any]:
            ws = self.workspace()
            job = _job(ws, job_id)
            decide = part("approvals", "Approvals").decide
            decide(ws, job.job_id, body.version, self.actor, body.decision, body.reason)
            return approvals(ws, job_id, self.actor)

        await self.reply(work)


class RolloutHandler(AiosHandler):
    """`GET` and `POST jobs/{id}/rollout`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give the version on trial."""
        await self.reply(lambda: rollout(self.workspace(), job_id))

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Try a version out: on a share of the runs, or beside all of them."""
        body = self.body(bodies_jobs.StartRollout)

        def work() -> dict[str, Any]:
            ws = self.workspace()
            job = _job(ws, job_id)
            start = part("rollout", "Rollouts").start
            start(ws, job.job_id, body.version, self.actor, mode=body.mode, share=body.share)
            return rollout(ws, job_id)

        await self.reply(work)


class FinishRolloutHandler(AiosHandler):
    """`POST jobs/{id}/rollout/finish`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Take the version on trial for all runs, or for none."""
        body = self.body(bodies_jobs.FinishRollout)

        def work() -> dict[str, Any]:
            ws = self.workspace()
            job = _job(ws, job_id)
            part("rollout", "Rollouts").finish(ws, job.job_id, self.actor, body.decision, body.reason)
            return rollout(ws, job_id)

        await self.reply(work)


def versions(ws: Workspace, job_id: str) -> dict[str, Any]:
    """Return a job's versions, newest first, and the notebook they can be compared with.

    Raises
    ------
    NotFoundError
        For an unknown job.
    """
    from aios_workbench.promote import versions as found

    job = _job(ws, job_id)
    rows = found.versions(ws, job.job_id)
    path = ws.project / job.spec.notebook
    return {
        "versions": [{name: row[name] for name in _VERSION} for row in rows],
        "notebook": job.spec.notebook if path.is_file() else None,
    }


def approvals(ws: Workspace, job_id: str, actor: str) -> dict[str, Any]:
    """Return the versions of a job that wait, each with who agreed so far."""
    job = _job(ws, job_id)
    rows = ws.catalog.query(
        "select version from job_versions where job_id = :job and status = 'waiting' order by version desc",
        job=job.job_id,
    )
    found = landed("approvals")
    return {
        "approvals": [
            {"version": r["version"], **found.status(ws, job.job_id, r["version"], actor)} for r in rows
        ]
        if found
        else []
    }


def rollout(ws: Workspace, job_id: str) -> dict[str, Any]:
    """Return a job's version on trial."""
    return {"rollout": part("rollout", "Rollouts").status(ws, _job(ws, job_id).job_id)}


def _job(ws: Workspace, job_id: str) -> Any:
    from aios_workbench import promote

    return promote.get(ws, job_id)


def _notebook(ws: Workspace, job: Any) -> Path:
    path = ws.project / job.spec.notebook
    if not path.is_file():
        raise NotFoundError(
            f"the notebook {job.spec.notebook!r} of job {job.name!r} is no longer there; compare with another version"
        )
    return Path(path)
