"""The production notebooks as nightly jobs: their `job.yaml` promoted from the command line, and run by a worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from notebook_kit import CATALOG, SUPPORT

from aios_workbench.promote import JobSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SMALL = {"sample_rows": "1200", "budget_seconds": "2", "dimensions": "48"}
JOBS = {
    CATALOG: ("catalog-enrichment", {"particulars_unread", "categories_filled_in", "duplicates_found"}),
    SUPPORT: ("support-retrieval", {"new_tickets", "share_answered_automatically", "cells_redacted"}),
}


def aios(folder: Path, *words: str) -> Any:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "aios_workbench.cli", *words, "--json"], cwd=folder, capture_output=True, text=True,
        env=env | {"AIOS_HOME": str(folder / ".aios")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("notebook", JOBS, ids=lambda book: book.stem)
def test_a_production_notebook_runs_every_night(notebook: Path, tmp_path: Path) -> None:
    name, figures = JOBS[notebook]
    described = notebook.with_suffix(".job.yaml")
    for path in (notebook, described):
        shutil.copy(path, tmp_path)
    job = aios(tmp_path, "promote", "--spec", described.name)
    spec = JobSpec.from_yaml(described.read_text(encoding="utf-8"))
    assert (job["name"], job["version"], job["spec"]) == (name, 1, spec.to_dict())
    given = [word for key, value in SMALL.items() for word in ("-p", f"{key}={value}")]
    run = aios(tmp_path, "jobs", "run", name, *given, "--wait")
    assert run["status"] == "succeeded", run
    assert 0 < run["peak_bytes"] < spec.memory  # type: ignore[operator]
    executed = nbformat.read(run["files"]["executed.ipynb"], as_version=4)
    assert any("key figure" in str(output) for cell in executed.cells for output in cell.get("outputs", ()))
    told = aios(
        tmp_path,
        "sql",
        f"select name from metrics where run_id in (select run_id from runs where job_run_id = '{run['job_run_id']}')",
    )
    assert figures <= {row["name"] if isinstance(row, dict) else row[0] for row in told["rows"]}
    (gate,) = aios(tmp_path, "sql", "select decided_by from gates")["rows"]
    assert "policy" in str(gate)
    listed = aios(tmp_path, "jobs", "list")["jobs"]
    assert [j["name"] for j in listed] == [name]
    assert "healthy" in json.dumps(listed)
