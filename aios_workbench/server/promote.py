"""Handlers behind the promote dialog: what it starts with, the check, the schedule, the review, the promotion."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import AiosError, ConflictError
from aios_workbench.server import bodies_promote as bodies
from aios_workbench.server import promote_review, promote_spec
from aios_workbench.server.base import AiosHandler
from aios_workbench.server.jobviews import job_view
from aios_workbench.server.promote_findings import finding_view, ignored_view
from aios_workbench.server.promote_targets import base_folder, target_infos

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec
    from aios_workbench.workspace import Workspace

TICKS = 10


class OpenHandler(AiosHandler):
    """`POST promote/open`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say what the notebook is already: the job, its options; and what it could become."""
        body = self.body(bodies.Opening)

        def work() -> dict[str, Any]:
            from aios_workbench.promote import list_jobs

            notebook, ws = self.places.notebook(body.notebook), self.places.existing(body.notebook)
            job = promote_review.job_of(ws, notebook) if ws else None
            return {
                "notebook": body.notebook, "job_id": job.job_id if job else None,
                "version": job.version if job else None, "status": job.status if job else None,
                "options": job.spec.to_dict() if job else None,
                "jobs": [j.name for j in list_jobs(ws)] if ws else [], "targets": target_infos(),
                "folder": base_folder(self.places, ws, notebook).relative_to(self.places.root).as_posix(),
            }  # fmt: skip

        await self.reply(work)


class CheckHandler(AiosHandler):
    """`POST promote/check`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say what the notebook takes and what stands in its way; a job's options are checked with it."""
        body = self.body(bodies.Draft)
        await self.reply(lambda: check(self.places.notebook(body.notebook), promote_spec.said(body)))


class PreviewHandler(AiosHandler):
    """`POST promote/preview`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say when the job would run, in words and in instants."""
        body = self.body(bodies.Draft)
        await self.reply(lambda: preview(self.places.notebook(body.notebook), promote_spec.said(body)))


class ReviewHandler(AiosHandler):
    """`POST promote/review`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say what promoting would change."""
        body = self.body(bodies.Draft)

        def work() -> dict[str, Any]:
            notebook, ws = self.places.notebook(body.notebook), self.places.existing(body.notebook)
            options = promote_spec.said(body)
            promote_spec.refuse(promote_spec.problems(options))
            before = promote_spec.kept(ws, options.get("name") or notebook.stem)
            spec = promote_spec.spec_of(notebook, options, before)
            return promote_review.review(ws, notebook, spec, self.actor)

        await self.reply(work)


class PromoteHandler(AiosHandler):
    """`POST promote`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make the notebook a job, or the next version of the job with that name."""
        body = self.body(bodies.Promote)

        def work() -> dict[str, Any]:
            from aios_workbench.promote import jobs, promote, rollout

            notebook, ws = self.places.notebook(body.notebook), self.places.create(body.notebook)
            options = promote_spec.said(body)
            promote_spec.refuse(promote_spec.problems(options))
            promote_spec.unchanged(notebook, body.seen)
            spec = promote_spec.spec_of(notebook, options, promote_spec.kept(ws, body.name))
            if body.rollout is not None:
                may_try(ws, body.name, body.rollout, self.actor)
            job = promote(ws, notebook, spec, self.actor, note=body.note, activate=body.rollout is None)
            trial = job.promoted if job.changed and job.promoted != job.version else None
            if body.rollout is not None and trial is not None:
                rollout.start(ws, job.job_id, trial, self.actor, mode=body.rollout)
            return {
                **job_view(jobs.get(ws, job.job_id)), "changed": job.changed, "promoted": job.promoted,
            }  # fmt: skip

        await self.reply(work, 201)


def may_try(ws: Workspace, name: str, mode: str, actor: str) -> None:
    """Refuse a trial that could not begin, before the version for it is made.

    Raises
    ------
    NotFoundError, ConflictError, DeniedError
        When there is no job yet, another trial is going, or the policy says no.
    """
    from aios_workbench.promote import rollout
    from aios_workbench.promote.records import job_row

    job = job_row(ws, name)
    rollout.permit(ws, actor, job, rollout.checked(mode))
    now = rollout.status(ws, job["job_id"])
    if now is not None and now["ended_at"] is None:
        raise ConflictError(
            f"version {now['version']} of {name!r} is on trial already; end that first, in the jobs panel or with "
            f"`aios rollout`, or let the new version replace the one that runs"
        )


def check(notebook: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return parameters, gates and findings of a notebook, held against a job's options."""
    from aios_workbench.promote import NotebookParameters, inspect

    wrong = promote_spec.problems(options)
    try:
        spec = promote_spec.spec_of(notebook, {k: v for k, v in options.items() if k not in wrong}, {})
    except AiosError as e:  # options that are right one by one and do not fit together
        spec, wrong = None, {**wrong, "job": str(e)}
    seen = promote_spec.seen_of(notebook)
    found = inspect(notebook, spec)
    try:
        parameters = [p.to_dict() for p in NotebookParameters.of(notebook)]
        gates = gates_of(notebook)
    except AiosError:
        parameters, gates = [], []  # unreadable: the findings say so
    return {
        "name": notebook.stem, "parameters": parameters, "gates": gates,
        "findings": [finding_view(f) for f in found.findings],
        "ignored": [ignored_view(f, reason) for f, reason in found.ignored],
        "modules": list(found.modules), "data": [d.path for d in found.data], "seen": seen, "problems": wrong,
    }  # fmt: skip


def preview(notebook: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return when a job would run, or what is wrong with its options."""
    wrong = promote_spec.problems(options)
    out: dict[str, Any] = {"words": "", "lines": [], "problems": wrong, "message": None}
    try:
        spec = promote_spec.spec_of(notebook, {k: v for k, v in options.items() if k not in wrong}, {})
    except AiosError as e:
        return {**out, "message": str(e).partition(" cannot be set up: ")[2].removeprefix(": ") or str(e)}
    out["words"] = words(spec)
    if spec.ticks is not None and not wrong.keys() & {"schedule", "every", "starting", "timezone"}:
        out["lines"] = [line.to_dict() for line in spec.ticks.preview(time.time(), TICKS)]
        if not out["lines"] and spec.schedule:
            wrong["schedule"] = f"schedule {spec.schedule!r} never comes true in the next 50 years"
    return out


def words(spec: JobSpec) -> str:
    """Return all that starts the job, in words."""
    from aios_workbench.promote.triggers import describe

    return describe(spec) if spec.starts_itself else "Only when somebody starts it"


def gates_of(notebook: Path) -> list[str]:
    """Return the names of functions that a `….gate` decorator makes gates, in order. Nothing is run."""
    from aios_workbench.promote.notebooks import code_cells, gate_names, read_notebook

    return list(gate_names(code_cells(read_notebook(notebook))))
