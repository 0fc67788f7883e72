"""Our jobs behind jupyter-scheduler's dialog and lists: its job definitions are our jobs, its jobs our job runs.

In `jupyter_server_config.py`::

    c.SchedulerApp.scheduler_class = "aios_workbench.server.scheduler_backend.AiosScheduler"
    c.SchedulerApp.environment_manager_class = "aios_workbench.server.scheduler_backend.AiosEnvironments"
    c.SchedulerApp.db_url = "sqlite://"  # it makes tables that nobody uses then

What is created there is checked, bundled and audited like any promotion, and run by `aios worker`, also when no
JupyterLab lives. What is promoted elsewhere is in its lists as well.

Needs jupyter-scheduler 2.12 or later, which is no dependency of ours: it wants older releases of libraries that others
need newer (install it with ``pip install --no-deps jupyter-scheduler pytz``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_scheduler.environments import EnvironmentManager
from jupyter_scheduler.exceptions import IdempotencyTokenError, InputUriError, SchedulerError
from jupyter_scheduler.executors import ExecutionManager
from jupyter_scheduler.models import (
    CountJobsQuery,
    CreateJob,
    CreateJobDefinition,
    CreateJobFromDefinition,
    DescribeJob,
    DescribeJobDefinition,
    JobFeature,
    ListJobDefinitionsQuery,
    ListJobDefinitionsResponse,
    ListJobsQuery,
    ListJobsResponse,
    RuntimeEnvironment,
    UpdateJob,
    UpdateJobDefinition,
)
from jupyter_scheduler.scheduler import BaseScheduler

from aios_workbench import promote
from aios_workbench.engine import control
from aios_workbench.errors import AiosError, ConflictError, NotFoundError
from aios_workbench.govern import actor
from aios_workbench.promote import JobSpec
from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.records import DONE, bundle_folder, run_folder, run_row
from aios_workbench.promote.respec import respec
from aios_workbench.promote.runs import forget
from aios_workbench.server.scheduler_lists import Page, matches, page
from aios_workbench.server.scheduler_models import ENVIRONMENT, FORMATS, STATUS, definition_model, run_model
from aios_workbench.workspace import Workspace, locate, workspace

_FILES = {"ipynb": "executed.ipynb", "html": "report.html"}


_RUNS = (
    "select r.*, j.name, v.spec from job_runs r join jobs j on j.job_id = r.job_id join job_versions v on "
    "v.job_id = r.job_id and v.version = r.version where r.forgotten_by is null and coalesce(r.role, '') <> 'shadow'"
)


class AiosEnvironments(EnvironmentManager):  # type: ignore[misc]
    """One environment: that of the worker."""

    def list_environments(self) -> list[RuntimeEnvironment]:
        """Return it."""
        return [RuntimeEnvironment(
            name=ENVIRONMENT, label="AIOS Workbench", description="The environment of `aios worker`",
            file_extensions=["ipynb"], output_formats=list(FORMATS), metadata=None, compute_types=None,
            default_compute_type=None, utc_only=False,
        )]  # fmt: skip

    def manage_environments_command(self) -> str:
        """Return the command that opens a list of environments: there is none."""
        return ""

    def output_formats_mapping(self) -> dict[str, str]:
        """Return the formats by name."""
        return dict(FORMATS)


class Features(ExecutionManager):  # type: ignore[misc]
    """Says what the dialog may offer; nothing is executed by it."""

    def execute(self) -> None:
        """Refuse: workers run jobs."""
        raise SchedulerError("jobs are run by `aios worker`")

    @classmethod
    def supported_features(cls) -> dict[JobFeature, bool]:
        """Return what of the dialog means something here."""
        offered = (
            "job_name",
            "parameters",
            "output_formats",
            "job_definition",
            "idempotency_token",
            "stop_job",
            "delete_job",
        )
        return {feature: feature.value in offered for feature in JobFeature}


class AiosScheduler(BaseScheduler):  # type: ignore[misc]
    """jupyter-scheduler's service, answered from the workspace of the server's root folder."""

    task_runner = None  # nothing in the server fires ticks: workers do

    def __init__(
        self, root_dir: str, environments_manager: Any, db_url: str = "", config: Any = None, **more: Any
    ) -> None:
        del db_url  # the catalog holds it all
        super().__init__(root_dir=root_dir, environments_manager=environments_manager, config=config, **more)
        self.execution_manager_class = Features
        self.root = Path(root_dir).expanduser().resolve()

    # -- runs: what jupyter-scheduler calls jobs

    def create_job(self, model: CreateJob) -> str:
        """Run a notebook now. A job without a schedule is made of it, or its next version."""
        with _told():
            ws = self._ws()
            by = actor()
            if model.job_definition_id:
                return self._trigger(
                    ws, model.job_definition_id, by, model.parameters, model.idempotency_token
                )
            book = self._notebook(model.input_uri)
            name = self._free_name(ws, model.name or book.stem, book, scheduled=False)
            job = promote.promote(ws, book, JobSpec(name=name, notebook=book.name), by)
            return self._trigger(ws, job.job_id, by, model.parameters, model.idempotency_token)

    def update_job(self, job_id: str, model: UpdateJob) -> None:
        """Refuse to rewrite history; stopping goes by `stop_job`."""
        del model
        raise SchedulerError(f"job run {job_id} is a record of what happened; it cannot be renamed")

    def list_jobs(self, query: ListJobsQuery) -> ListJobsResponse:
        """List runs, of all jobs, that were not taken off the list."""
        with _told():
            ws = self._ws(create=False)
            rows = [] if ws is None else self._runs(ws, query)
            shown: Page = page([run_model(row) for row in rows] if ws else [], query)
            for model in shown.items:
                self.add_job_files(model)
            return ListJobsResponse(jobs=shown.items, total_count=shown.total, next_token=shown.next_token)

    def count_jobs(self, query: CountJobsQuery) -> int:
        """Count the runs in a state."""
        return int(self.list_jobs(ListJobsQuery(status=query.status, max_items=0)).total_count)

    def get_job(self, job_id: str, job_files: bool | None = True) -> DescribeJob:
        """Return one run."""
        with _told():
            ws = self._ws()
            row = ws.catalog.one(f"{_RUNS} and r.job_run_id = :id", id=job_id)
            if row is None:
                raise NotFoundError(f"there is no run {job_id!r}, or it was taken off the list")
            model = run_model(row)
        if job_files:
            self.add_job_files(model)
        return model

    def stop_job(self, job_id: str) -> None:
        """Cancel a run."""
        with _told(), contextlib.suppress(ConflictError):  # it has ended
            promote.cancel(self._ws(), job_id, actor())

    def delete_job(self, job_id: str) -> None:
        """Take a run off the list and delete its files; that it was there stays in the history and the audit trail."""
        with _told():
            ws = self._ws()
            if run_row(ws, job_id)["status"] not in DONE:
                self.stop_job(job_id)
            forget(ws, job_id, actor())

    def get_staging_paths(self, model: DescribeJob | DescribeJobDefinition) -> dict[str, str]:
        """Return where a run's files lie."""
        ws = self._ws()
        if not isinstance(model, DescribeJob):
            job = promote.get(ws, model.job_definition_id)
            return {"input": str(bundle_folder(ws, job.job_id, job.version) / NOTEBOOK)}
        row = run_row(ws, model.job_id)
        folder = run_folder(ws, row["job_id"], row["job_run_id"])
        paths = {kind: str(folder / name) for kind, name in _FILES.items()}
        return {**paths, "input": str(bundle_folder(ws, row["job_id"], row["version"]) / NOTEBOOK)}

    # -- jobs: what jupyter-scheduler calls job definitions

    def create_job_definition(self, model: CreateJobDefinition) -> str:
        """Promote a notebook to a scheduled job."""
        with _told():
            ws = self._ws()
            book = self._notebook(model.input_uri)
            name = self._free_name(ws, model.name or book.stem, book, scheduled=True)
            spec = JobSpec(
                name=name, notebook=book.name, schedule=model.schedule, timezone=model.timezone or "UTC",
                parameters=model.parameters or {},
            )  # fmt: skip
            job = promote.promote(ws, book, spec, actor())
            control.ensure_worker(ws)
            return job.job_id

    def update_job_definition(self, job_definition_id: str, model: UpdateJobDefinition) -> None:
        """Pause or resume a job, or change its schedule, zone, parameters or notebook."""
        with _told():
            ws = self._ws()
            by, given = actor(), model.dict(exclude_unset=True)
            job = promote.get(ws, job_definition_id)
            if given.get("name") not in (None, job.name):
                raise SchedulerError(
                    f"job '{job.name}' cannot be renamed; create another one and delete this one"
                )
            changes = {
                k: given[k] for k in ("schedule", "timezone", "parameters") if given.get(k) is not None
            }
            if given.get("input_uri"):
                spec = JobSpec(**{**job.spec.to_dict(), **changes})
                promote.promote(ws, self._notebook(given["input_uri"]), spec, by)
            elif changes:
                respec(ws, job.job_id, by, note="changed in jupyter-scheduler", **changes)
            if given.get("active") is not None:
                (promote.resume if given["active"] else promote.pause)(ws, job.job_id, by)

    def delete_job_definition(self, job_definition_id: str) -> None:
        """Remove a job with its history; a run that goes on is told to stop first."""
        with _told():
            ws = self._ws()
            for row in promote.history(ws, job_definition_id, limit=1000):
                if row["status"] not in DONE:
                    self.stop_job(row["job_run_id"])
            promote.remove(ws, job_definition_id, actor())

    def get_job_definition(self, job_definition_id: str) -> DescribeJobDefinition:
        """Return one job."""
        with _told():
            return definition_model(promote.get(self._ws(), job_definition_id))

    def list_job_definitions(self, query: ListJobDefinitionsQuery) -> ListJobDefinitionsResponse:
        """List the jobs that have a cron schedule: of others jupyter-scheduler knows nothing."""
        with _told():
            ws = self._ws(create=False)
            jobs = [j for j in promote.list_jobs(ws) if j.spec.schedule] if ws is not None else []
            models = [m for m in map(definition_model, jobs) if matches(m, query)]
            shown: Page = page(models, query)
            return ListJobDefinitionsResponse(
                job_definitions=shown.items, total_count=shown.total, next_token=shown.next_token
            )

    def create_job_from_definition(self, job_definition_id: str, model: CreateJobFromDefinition) -> str:
        """Run a job now."""
        with _told():
            return self._trigger(self._ws(), job_definition_id, actor(), model.parameters, None)

    # -- the rest

    def _ws(self, *, create: bool = True) -> Any:
        root = locate(self.root)
        return workspace(root) if create or (root / "catalog.db").is_file() else None

    def _notebook(self, input_uri: str) -> Path:
        found = (self.root / input_uri).resolve()
        if not found.is_relative_to(self.root) or not found.is_file():
            raise InputUriError(input_uri)
        return found

    def _free_name(self, ws: Workspace, wanted: str, book: Path, *, scheduled: bool) -> str:
        """Names are not unique in jupyter-scheduler: another job's is numbered, the same one's gets its next version.

        A run of now must not change what a schedule runs.
        """
        taken = {job.name: job for job in promote.list_jobs(ws)}
        wanted = " ".join(wanted.split())[:90] or book.stem
        for number in range(1, len(taken) + 2):
            name = wanted if number == 1 else f"{wanted} ({number})"
            known = taken.get(name)
            if known is None:
                return name
            own = (ws.project / known.spec.notebook).resolve() == book
            if own and not scheduled and not known.spec.schedule:
                return name
        raise AssertionError("more names than jobs")

    def _trigger(
        self, ws: Workspace, job: str, by: str, parameters: dict[str, str] | None, token: str | None
    ) -> str:
        cause = None if token is None else f"token:{token}"
        try:
            started = promote.trigger(ws, job, by, parameters or {}, cause=cause)
        except ConflictError:
            raise IdempotencyTokenError(str(token)) from None
        control.ensure_worker(ws)
        return started

    def _runs(self, ws: Workspace, query: ListJobsQuery) -> list[dict[str, Any]]:
        states = [
            own for own, theirs in STATUS.items() if query.status in (None, theirs) and own != "skipped"
        ]
        marks = ", ".join(f":s{n}" for n in range(len(states)))
        return ws.catalog.query(
            f"{_RUNS} and r.status in ({marks}) and (:job is null or r.job_id = :job) "
            "order by r.queued_at desc limit 10000",
            job=query.job_definition_id, **{f"s{n}": s for n, s in enumerate(states)},
        ) if states else []  # fmt: skip


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Hand our errors on as the kind whose words jupyter-scheduler shows."""
    try:
        yield
    except AiosError as e:
        raise SchedulerError(str(e)) from e
