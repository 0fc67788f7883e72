"""What promoting a notebook changes against what runs now; whether a notebook is what was promoted of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server import bodies_promote as bodies
from aios_workbench.server.base import AiosHandler
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.promote.records import Job

#: Said of a job elsewhere in the dialog, or not the author's to read.
_QUIET = frozenset(("name", "notebook"))


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
    job = job_of(ws, notebook)
    if job is None:
        return dict(_NO_JOB)
    what = differences(ws, notebook, job)
    return {
        "job": job.name, "job_id": job.job_id, "version": job.version, "differs": bool(what), "what": what,
    }  # fmt: skip


def job_of(ws: Workspace, notebook: Path) -> Job | None:
    """Return the job a notebook was promoted to; of several, the one that was promoted last."""
    from aios_workbench.promote import list_jobs

    path = notebook.resolve()
    shown = path.relative_to(ws.project).as_posix() if path.is_relative_to(ws.project) else str(path)
    mine = [job for job in list_jobs(ws) if job.spec.notebook == shown]
    return max(mine, key=lambda job: float(getattr(job, "updated_at", 0) or 0), default=None)


def differences(ws: Workspace, notebook: Path, job: Job) -> list[str]:
    """Return what of a notebook is not as it was promoted, in words."""
    from aios_workbench.promote.bundle import JOB, MANIFEST, NOTEBOOK, make_bundle
    from aios_workbench.promote.records import bundle_folder

    try:
        manifest = json.loads((bundle_folder(ws, job.job_id, job.version) / MANIFEST).read_text("utf-8"))
        old = {name: entry["sha256"] for name, entry in manifest["files"].items() if name != JOB}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ["the promoted version's files are gone"]
    new = {name: digest for name, digest in make_bundle(notebook, job.spec).hashes.items() if name != JOB}
    what = ["the notebook's cells"] if old.get(NOTEBOOK) != new.get(NOTEBOOK) else []
    return what + [n for n in sorted(old.keys() | new.keys()) if n != NOTEBOOK and old.get(n) != new.get(n)]


def review(ws: Workspace | None, notebook: Path, spec: Any) -> dict[str, Any]:
    """Return what promoting the notebook as this job changes."""
    from aios_workbench.promote import jobs
    from aios_workbench.server.promote import seen_of

    try:
        job = jobs.get(ws, spec.name) if ws is not None else None
    except NotFoundError:
        job = None
    out: dict[str, Any] = {
        "job_id": None, "version": None, "next_version": 1, "status": None, "notebook": None, "same": False,
        "options": [], "cells": [], "others": [], "approvals_needed": spec.approvals, "approvals_why": "",
        "seen": seen_of(notebook),
    }  # fmt: skip
    if job is None or ws is None:
        return out
    old, new = job.spec.to_dict(), spec.to_dict()
    out["options"] = [
        {"option": name, "old": old.get(name), "new": new.get(name)}
        for name in new
        if name not in _QUIET and old.get(name) != new.get(name)
    ]
    out["others"] = differences(ws, notebook, job)
    newest = ws.catalog.query(
        "select max(version) as version from job_versions where job_id = :id", id=job.job_id
    )[0]["version"]
    return {
        **out, "job_id": job.job_id, "version": job.version, "next_version": (newest or 0) + 1, "status": job.status,
        "notebook": job.spec.notebook, "same": not out["options"] and not out["others"],
    }  # fmt: skip
