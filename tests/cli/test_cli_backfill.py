"""Backfills and retries from the command line; no worker runs them here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    import pytest
    from conftest import Project


def test_backfill(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.engine import control

    monkeypatch.setattr(control, "ensure_worker", lambda _: False)
    cell = nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "nb.ipynb")
    project.json("promote", "nb.ipynb", "--name", "daily", "--schedule", "0 6 * * *")
    times = ("--from", "2026-01-01", "--to", "2026-02-01")
    assert "say --from and --to" in project.error("jobs", "backfill", "daily", code=2)
    assert "is no time" in project.error("jobs", "backfill", "daily", "--from", "x", "--to", "y", code=2)
    assert (
        "31 of 31 ticks would run (shown: 20)"
        in project("jobs", "backfill", "daily", *times, "--dry-run").stdout
    )
    assert project.json("jobs", "backfill", "daily", *times, "--dry-run")["total"] == 31
    assert project("jobs", "backfills").stdout.startswith("no backfills")

    made = project.json(
        "jobs", "backfill", "daily", *times, "-p", "n=7", "--newest-first", "--concurrency", "2"
    )
    assert (made["total"], made["queued"], made["params"], made["concurrency"]) == (31, 31, {"n": 7}, 2)
    assert "--again" in project.error("jobs", "backfill", "daily", *times, code=4)
    (listed,) = project.json("jobs", "backfills", "daily")["backfills"]
    assert listed == made
    newest = project.json("jobs", "history", "daily", "--limit", "100")["job_runs"]
    assert {(r["trigger"], r["status"]) for r in newest} == {("backfill", "queued")}

    backfill = made["backfill_id"]
    assert project.json("jobs", "backfill", backfill, "--pause")["status"] == "paused"
    assert "takes the id of a backfill" in project.error(
        "jobs", "backfill", "daily", *times, "--pause", code=2
    )
    assert "no backfill" in project.error("jobs", "backfill", "daily", "--cancel", code=3)
    told = project.json("jobs", "backfill", backfill, "--cancel")
    assert (told["status"], told["cancelled"]) == ("cancelled", 31)
    assert told["ended_at"] <= time.time()
    assert "0 of 31 done" in project("jobs", "backfills").stdout


def test_retry(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.engine import control
    from aios_workbench.workspace import Workspace

    monkeypatch.setattr(control, "ensure_worker", lambda _: False)
    cell = nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "nb.ipynb")
    project.json("promote", "nb.ipynb", "--name", "daily")
    run = project.json("jobs", "run", "daily")["job_run_id"]
    assert "it is queued" in project.error("jobs", "retry", run, code=4)
    ws = Workspace(project.root)
    ws.catalog.write("update job_runs set status = 'failed'")
    ws.close()
    made = project.json("jobs", "retry", run)
    assert (made["status"], made["trigger"], made["resumed_from"]) == ("queued", "retry", run)
    project("promote", "nb.ipynb", "--name", "daily", "-p", "n=3")
    told = project("jobs", "retry", run).stdout
    assert f"{made['job_run_id']} is queued and goes on with {run}" in told
    assert "runs version 1 again; the job is at version 2" in told
    assert "no job run" in project.error("jobs", "retry", "jr-nothing", code=3)
