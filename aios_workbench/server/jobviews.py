"""Jobs and their runs as the browser gets them: no paths of this machine, schedules in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import NotFoundError, ParameterError
from aios_workbench.server.views import error_view
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.promote import NotebookParameters
    from aios_workbench.promote.records import Job

#: What a run leaves behind, by the word in the address.
FILES = {"html": "report.html", "notebook": "executed.ipynb"}
#: The most of an error's message that a list carries.
_LINE = 160
#: What else of a job's description the panel tells.
_OPTIONS = (
    "retry_delay", "memory", "overlap", "concurrency", "late_after", "absent_after", "approvals", "retention",
    "retention_for", "retention_bytes",
)  # fmt: skip
#: These ends have a reason, not an error.
_ON_PURPOSE = ("Skipped", "Cancelled")


def jobs(ws: Workspace) -> list[dict[str, Any]]:
    """Return all jobs, by name, each with its health and its last results."""
    from aios_workbench.promote import list_jobs
    from aios_workbench.promote.health import health

    recent, known = _recent(ws), health(ws)
    return [
        {**job_view(job), "health": known[job.job_id], "recent": recent.get(job.job_id, [])}
        for job in list_jobs(ws)
        if job.job_id in known  # else it was promoted between the two questions: the next picture has it
    ]


def _recent(ws: Workspace, most: int = 20) -> dict[str, list[dict[str, Any]]]:
    """Return the last runs of every job, oldest first: a cell of its strip each.

    Those of backfills and of versions on trial in the shadow are left out: they say nothing of how the job does.
    """
    from aios_workbench.promote.records import load_error

    rows = ws.catalog.query(_RECENT, skip=most - 1)
    out: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        began, ended = row.pop("started_at"), row.pop("ended_at")
        row["seconds"] = ended - began if began is not None and ended is not None else None
        row["reason"] = _line(load_error(row))
        del row["error"]
        out.setdefault(row.pop("job_id"), []).append(row)
    return {job_id: found[-most:] for job_id, found in out.items()}


_SHOWN = "r.backfill_id is null and coalesce(r.role, '') <> 'shadow'"
# The edge first, then everything from it on: an index range for each job, however long its history is.
_RECENT = (
    "with edge as materialized (select j.job_id, coalesce((select r.queued_at from job_runs r "  # noqa: S608
    f"where r.job_id = j.job_id and {_SHOWN} order by r.queued_at desc limit 1 offset :skip), 0) as at from jobs j) "
    "select r.job_id, r.job_run_id, r.status, coalesce(r.tick_at, r.queued_at) as at, r.started_at, r.ended_at, "
    "case when r.status = 'succeeded' then null else r.error end as error from edge cross join job_runs r "
    f"where r.job_id = edge.job_id and r.queued_at >= edge.at and {_SHOWN} "
    "order by r.job_id, coalesce(r.tick_at, r.queued_at), r.queued_at"
)


def _line(error: dict[str, Any]) -> str | None:
    """Return an error in a line: the last one of its message says most."""
    text = str(error.get("message") or "").strip()
    if not text:
        return None
    line = text.splitlines()[-1][:_LINE]
    kind = str(error.get("type") or "")
    return line if kind in _ON_PURPOSE or not kind else f"{kind}: {line}"


def parameters(ws: Workspace, job_id: str) -> list[dict[str, Any]]:
    """Return what the job's notebook takes, the job's own values as the defaults.

    Raises
    ------
    NotFoundError
        For an unknown job.
    """
    from aios_workbench import promote

    given = promote.get(ws, job_id).spec.to_dict()["parameters"]
    out = [p.to_dict() for p in _known(ws, job_id)]
    for p in out:
        if p["name"] in given:
            p.update(default=given[p["name"]], required=False, computed=False)
    return out


def problems(ws: Workspace, job_id: str, given: dict[str, Any]) -> dict[str, str]:
    """Return what does not fit the job's parameters, by name, for messages beside the inputs."""
    known = _known(ws, job_id)
    out: dict[str, str] = {}
    for name, value in given.items():
        try:
            known.coerce({name: value})
        except ParameterError as e:
            out[name] = str(e)
    return out


def _known(ws: Workspace, job_id: str) -> NotebookParameters:
    from aios_workbench import promote
    from aios_workbench.promote.bundle import NOTEBOOK
    from aios_workbench.promote.records import bundle_folder

    job = promote.get(ws, job_id)
    return promote.NotebookParameters.of(bundle_folder(ws, job.job_id, job.version) / NOTEBOOK)


def job_view(job: Job) -> dict[str, Any]:
    """Return a job with its last run."""
    from aios_workbench.promote.triggers import describe

    spec = job.spec.to_dict()
    return {
        "job_id": job.job_id,
        "name": job.name,
        "version": job.version,
        "status": job.status,
        "notebook": spec["notebook"],
        "schedule": spec["schedule"],
        "schedule_words": describe(job.spec),
        "triggers": describe(job.spec),
        "timezone": spec["timezone"],
        "next_tick_at": job.next_tick_at,
        "parameters": spec["parameters"],
        "missed": spec["missed"],
        "retries": spec["retries"],
        "timeout": spec["timeout"],
        "gates": spec["gates"],
        "options": {
            **{name: spec[name] for name in _OPTIONS if spec[name] is not None},
            "alerts": [_channel(c) for c in spec["alerts"]],
        },
        "created_at": job.created_at,
        "created_by": job.created_by,
        "last": run_view(job.last_run) if job.last_run else None,
    }


def _channel(address: str) -> str:
    """Return an address of a channel without what is secret in it."""
    return address if address.startswith("$") else f"{address.partition('://')[0]}://…"


def history(ws: Workspace, job_id: str, limit: int, before: float | None = None) -> list[dict[str, Any]]:
    """Return a job's runs, newest first, each with the workflow runs it started.

    Raises
    ------
    NotFoundError
        For an unknown job.
    """
    from aios_workbench import promote

    rows = [run_view(row) for row in promote.history(ws, job_id, limit=limit, before=before)]
    started = ws.catalog.query(
        "select r.job_run_id, r.run_id from runs r join job_runs j on j.job_run_id = r.job_run_id "
        "where j.job_id = :job order by r.created_at",
        job=job_id,
    )
    by_run: dict[str, list[str]] = {}
    for row in started:
        by_run.setdefault(row["job_run_id"], []).append(row["run_id"])
    return [{**row, "runs": by_run.get(row["job_run_id"], [])} for row in rows]


def run_view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a job run; whether it left files, not where."""
    kept = (
        "job_run_id", "job_id", "version", "tick_at", "trigger", "status", "attempt", "queued_at", "started_at",
        "ended_at", "params", "logical_at", "peak_bytes", "role", "backfill_id", "resumed_from",
    )  # fmt: skip
    files = row.get("files", {})
    return {
        **{name: row.get(name) for name in kept},
        "error": error_view(row.get("error")),
        "html": FILES["html"] in files,
        "notebook": FILES["notebook"] in files,
        "runs": row.get("runs", []),
    }


def own_run(ws: Workspace, job_id: str, job_run_id: str) -> dict[str, Any]:
    """Return a run of this very job.

    Raises
    ------
    NotFoundError
        When there is none, or it is another job's.
    """
    from aios_workbench import promote

    run = promote.get_run(ws, job_run_id)
    if run["job_id"] != job_id:
        raise NotFoundError(f"job {job_id!r} has no run {job_run_id!r}")
    return run


def file_of(ws: Workspace, job_id: str, job_run_id: str, kind: str) -> Path:
    """Return a file a job run left; nothing of the path comes from the client.

    Raises
    ------
    NotFoundError
        When the job has no such run, or the run no such file.
    """
    run = own_run(ws, job_id, job_run_id)
    name = FILES[kind]
    if name not in run["files"]:
        raise NotFoundError(
            f"job run {job_run_id!r} left no {name}; it may still run, or its files were removed"
        )
    return inside(ws, job_id, Path(run["files"][name]))


def inside(ws: Workspace, job_id: str, path: Path) -> Path:
    """Return the path of a job's file. Its folder is a column of a database others may write.

    Raises
    ------
    NotFoundError
        When it leads out of the job's folder.
    """
    found = path.resolve()
    if not found.is_relative_to((ws.root / "jobs" / job_id).resolve()):
        raise NotFoundError(f"the run left no {path.name}")
    return found


def workers(ws: Workspace) -> int:
    """Return how many workers live."""
    from aios_workbench.engine import leases

    return len(leases.workers_alive(ws))
