"""How jobs do, in `aios jobs list` and `aios jobs show`; no kernel is started."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import nbformat

from aios_workbench.workspace import dumps

if TYPE_CHECKING:
    from conftest import Project


def test_health_is_listed_and_shown(project: Project) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    nbformat.write(book, "nb.ipynb")
    project.json("promote", "nb.ipynb", "--schedule", "0 6 * * *")
    (job,) = project.json("jobs", "list")["jobs"]
    assert job["health"]["state"] == "new"
    ws = project.ws
    now = time.time()
    error = dumps({"type": "ValueError", "message": "<img src=x onerror=alert(1)>\x1b[31m"})
    for run_id, status, at in (("jr-1", "succeeded", now - 60), ("jr-2", "failed", now - 30)):
        ws.catalog.write(
            "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at, started_at, ended_at, "
            "error) values (:id, :job, 1, 'manual', :status, :at, :at, :at + 5, :error)",
            id=run_id, job=job["job_id"], status=status, at=at, error=error if status == "failed" else None,
        )  # fmt: skip
    ws.catalog.write(
        "insert into job_alarms (job_id, kind, subject, since) values (:job, 'failing', '', :at)",
        job=job["job_id"], at=now,
    )  # fmt: skip
    assert "✗ failing" in project("jobs", "list").stdout
    shown = project("jobs", "show", "nb").stdout
    assert "failing: the last run failed: ValueError: <img" in shown
    assert "\x1b" not in shown
    assert "50% succeeded, usually 5" in shown
    assert "failing since" in shown
    told = project.json("jobs", "show", "nb")["health"]
    assert (told["state"], told["success_share"], told["alarms"][0]["kind"]) == ("failing", 0.5, "failing")
