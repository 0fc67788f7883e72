"""Our jobs and their runs as jupyter-scheduler's models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_scheduler.models import DescribeJob, DescribeJobDefinition, Status

from aios_workbench.promote import JobSpec
from aios_workbench.promote.records import Job

ENVIRONMENT = "aios"
FORMATS = {"ipynb": "Notebook", "html": "HTML"}
STATUS = {
    "queued": Status.QUEUED, "running": Status.IN_PROGRESS, "succeeded": Status.COMPLETED, "failed": Status.FAILED,
    "timeout": Status.FAILED, "cancelled": Status.STOPPED, "skipped": Status.STOPPED,
}  # fmt: skip


def run_model(row: dict[str, Any]) -> DescribeJob:
    """Return a run, from its row with the job's `name` and the version's `spec`."""
    spec = JobSpec.from_dict(json.loads(row["spec"]))
    error = json.loads(row["error"]) if row["error"] else {}
    cell = f" (cell {error['cell']})" if error.get("cell") else ""
    message = f"{error.get('type', 'Error')}: {error.get('message', '')}{cell}" if error else None
    times = {name: _ms(row[f"{name.removesuffix('_time')}ed_at"]) for name in ("start_time", "end_time")}
    ended = row["ended_at"] or row["started_at"] or row["queued_at"]
    return DescribeJob(
        job_id=row["job_run_id"], name=row["name"], url="", create_time=_ms(row["queued_at"]),
        update_time=_ms(ended), status=STATUS[row["status"]], status_message=message,
        job_definition_id=row["job_id"] if spec.schedule else None,
        parameters={k: _text(v) for k, v in json.loads(row["params"]).items()}, output_formats=list(FORMATS),
        input_filename=Path(spec.notebook).name, runtime_environment_name=ENVIRONMENT,
        runtime_environment_parameters=None, tags=[], **times,
    )  # fmt: skip


def definition_model(job: Job) -> DescribeJobDefinition:
    """Return a job."""
    return DescribeJobDefinition(
        job_definition_id=job.job_id, name=job.name, create_time=_ms(job.created_at),
        update_time=_ms(job.updated_at), active=job.status == "active", schedule=job.spec.schedule,
        timezone=job.spec.timezone, input_filename=Path(job.spec.notebook).name, output_formats=list(FORMATS),
        parameters={k: _text(v) for k, v in job.spec.parameters.items()}, runtime_environment_name=ENVIRONMENT,
        runtime_environment_parameters=None, tags=[],
    )  # fmt: skip


def _ms(at: float | None) -> int | None:
    return None if at is None else int(at * 1000)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
