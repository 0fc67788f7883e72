"""What promoting a notebook changes against what runs now; whether a notebook is what was promoted of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.server import bodies_promote as bodies
from aios_workbench.server import promote_spec
from aios_workbench.server.base import AiosHandler
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec
    from aios_workbench.promote.records import Job

_MOST = 500


class BadgeHandler(AiosHandler):
    """`GET promote/badge`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say whether a notebook is a job, and whether it differs from what was promoted."""
        query = self.arguments(bodies.BadgeQuery)

        def work() -> dict[str, Any]:
            notebook, ws = self.places.notebook(query.notebook), self.places.existing(query.notebook)
            return badge(ws, notebook) if ws is not None else dict(_NO_JOB)

        await self.reply(work)


_NO_JOB: dict[str, Any] = {"job": None, "job_id": None, "version": None, "differs": False, "what": []}


def badge(ws: Workspace, notebook: Path) -> dict[str, Any]:
    """Return which job a notebook is, and whether it still is what was promoted. Cheap: hashes are compared."""
    from aios_workbench.promote.versions import differs

    return differs(ws, notebook) or dict(_NO_JOB)


def job_of(ws: Workspace, notebook: Path) -> Job | None:
    """Return the job a notebook was promoted to; of several, the one that was changed last."""
    from aios_workbench.promote import jobs
    from aios_workbench.promote.differing import differs

    try:
        found = differs(ws, notebook)
    except AiosError:
        return None  # unreadable: the check says so
    return jobs.get(ws, found["job"]) if found else None


def review(ws: Workspace | None, notebook: Path, spec: JobSpec, actor: str) -> dict[str, Any]:
    """Return what promoting the notebook as this job changes."""
    from aios_workbench.promote import jobs
    from aios_workbench.promote.diff import diff

    try:
        job = jobs.get(ws, spec.name) if ws is not None else None
    except NotFoundError:
        job = None
    needed, why = _agreement(ws, job, spec, actor)
    out: dict[str, Any] = {
        "job_id": None, "version": None, "next_version": 1, "status": None, "notebook": None, "same": False,
        "options": [], "cells": [], "others": [], "approvals_needed": needed, "approvals_why": why,
        "seen": promote_spec.seen_of(notebook),
    }  # fmt: skip
    if job is None or ws is None:
        return out
    changes = diff(ws, job.job_id, None, notebook, spec=spec)
    newest = ws.catalog.query(
        "select max(version) as version from job_versions where job_id = :id", id=job.job_id
    )[0]["version"]
    return {
        **out, "job_id": job.job_id, "version": job.version, "next_version": (newest or 0) + 1, "status": job.status,
        "notebook": job.spec.notebook, "same": changes["same"], "options": changes["spec"],
        "cells": changes["cells"][:_MOST], "others": list(_others(changes))[:_MOST],
    }  # fmt: skip


def _others(changes: dict[str, Any]) -> Iterator[str]:
    """Give files, data and packages that differ, in words."""
    for kind in ("files", "data"):
        for entry in changes[kind]:
            yield f"{entry['path']} {entry['kind']}"
    for entry in changes["packages"]:
        yield f"{entry['package']}: {entry['old'] or 'not there'} → {entry['new'] or 'gone'}"


def _agreement(ws: Workspace | None, job: Job | None, spec: JobSpec, actor: str) -> tuple[int, str]:
    """Return how many other people must agree before the version runs, and why."""
    from aios_workbench.promote import approvals
    from aios_workbench.promote.records import job_row

    if ws is None:
        return spec.approvals, ""
    about = job_row(ws, job.job_id) if job is not None else None
    with ws.catalog.transaction() as con:
        count = int(approvals.needed(con, about, spec, actor))
    return count, "The rules of this workspace ask for it." if count > spec.approvals else ""
