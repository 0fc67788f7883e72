"""Handlers for the versions of a job: what differs, and going back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server import bodies_jobs
from aios_workbench.server.base import AiosHandler
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
