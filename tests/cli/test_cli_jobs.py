"""promote and jobs, and a notebook executed once; kernels are real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def notebook(path: str, *cells: str) -> None:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(c) for c in ("n: int = 2\nwho = 'world'", *cells)]
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)


def test_notebook_once(project: Project) -> None:
    notebook(
        "nb.ipynb", "import aios_workbench as aios\nprint('n is', n, type(n).__name__, who, aios.headless())"
    )
    done = project.json("run", "nb.ipynb", "-p", "n=21", "-p", "who=7")
    assert done["status"] == "succeeded"
    assert set(done["files"]) == {"executed.ipynb", "report.html", "log.txt"}
    assert "n is 21 int 7 True" in Path(done["files"]["log.txt"]).read_text()
    assert "must be int" in project.error("run", "nb.ipynb", "-p", "n=x", code=2)
    assert "no parameter 'm'" in project.error("run", "nb.ipynb", "-p", "m=1", code=2)
    assert project("run", "nb.ipynb", "--detach", code=2).stderr


def test_notebook_with_a_gate_then_a_failure(project: Project) -> None:
    notebook(
        "nb.ipynb",
        "import aios_workbench as aios\nwf = aios.Workflow('nbflow')\n@wf.gate\ndef look():\n    return 1",
        "run = wf.run()\nimport time\nwhile run.status != 'waiting': time.sleep(.05)\nif n == 3: 1 / 0",
    )
    waiting = project.json("run", "nb.ipynb", code=6)
    assert waiting["runs"][0]["status"] == "waiting"
    failed = project("run", "nb.ipynb", "-p", "n=3", code=1)
    assert "ZeroDivisionError" in failed.stderr
    assert "cell 3 failed" in failed.stderr


def test_promote_checks_first(project: Project) -> None:
    notebook("nb.ipynb", "print(n, who)")
    assert "no notebook" in project.error("promote", "absent.ipynb", code=3)
    assert "schedule" in project.error("promote", "nb.ipynb", "--schedule", "61 * * * *", code=2)
    assert "zone" in project.error("promote", "nb.ipynb", "--timezone", "Mars/Base", code=2).lower()
    wrong = project.json("promote", "nb.ipynb", "-p", "n=x", code=1)
    assert not wrong["ok"]
    assert wrong["findings"][0]["severity"] == "error"
    assert "cannot be promoted" in project("promote", "nb.ipynb", "-p", "n=x", code=1).stdout
    fine = project.json("promote", "nb.ipynb", "--check", "-p", "n=3")
    assert (fine["ok"], {f["severity"] for f in fine["findings"]}) == (True, {"note"})
    assert not (project.root / "catalog.db").exists()  # nothing was changed


def test_job(project: Project) -> None:
    notebook("nb.ipynb", "print('n is', n)\nif n == 13: raise ValueError('unlucky \\x1b[31m [red]')")
    options = (
        "--schedule",
        "0 6 * * *",
        "--timezone",
        "Europe/Berlin",
        "-p",
        "n=5",
        "--timeout",
        "5m",
        "--missed",
        "all",
    )
    job = project.json("promote", "nb.ipynb", "--name", "daily", *options)
    assert (job["version"], job["changed"], job["spec"]["parameters"]) == (1, True, {"n": 5})
    assert not project.json("promote", "nb.ipynb", "--name", "daily", *options)["changed"]
    assert [j["name"] for j in project.json("jobs", "list")["jobs"]] == ["daily"]
    assert "Europe/Berlin" in project("jobs", "list").stdout
    assert project.json("jobs", "pause", "daily")["next_tick_at"] is None
    assert project.json("jobs", "resume", "daily")["next_tick_at"] == job["next_tick_at"]
    assert "did you mean 'daily'" in project.error("jobs", "show", "dayly", code=3)
    assert "must be int" in project.error("jobs", "run", "daily", "-p", "n=x", code=2)
    assert "has not run" in project.error("jobs", "logs", "daily", code=3)

    done = project.json("jobs", "run", "daily", "-p", "n=8", "--wait")
    assert done["status"] == "succeeded"
    assert "n is 8" in project("jobs", "logs", "daily").stdout
    assert done["peak_bytes"] > 10_000_000
    ran = project.json("jobs", "cells", done["job_run_id"])["cells"]
    assert [(c["label"], c["status"]) for c in ran] == [
        ("cell 1", "succeeded"), ("parameters", "succeeded"), ("cell 2", "succeeded"),
    ]  # fmt: skip
    assert "cell 2" in project("jobs", "cells", done["job_run_id"]).stdout
    said = project("jobs", "logs", done["job_run_id"], "--cell", "2", "-f").stdout
    assert "n is 8" in said
    assert "attempt 1" not in said
    assert project.json("jobs", "logs", "daily", "--cell", "2")["log"] == said
    assert "it ran 1, parameters, 2" in project.error("jobs", "logs", "daily", "--cell", "9", code=3)
    failed = project("jobs", "run", "daily", "-p", "n=13", "--wait", code=1).stdout
    assert "unlucky" in failed
    assert (
        "\x1b"
        not in failed + project("jobs", "logs", "@last", "-f").stdout + project("jobs", "history").stdout
    )
    runs = project.json("jobs", "history", "daily")["job_runs"]
    assert [r["status"] for r in runs] == ["failed", "succeeded"]
    assert "has ended" in project.error("jobs", "cancel", runs[0]["job_run_id"], code=4)
    assert [r["job_run_id"] for r in project.json("jobs", "show", "daily")["runs"]] == [
        r["job_run_id"] for r in runs
    ]

    project("jobs", "remove", "daily", code=2, text="n\n")
    project("jobs", "remove", "daily", code=2)  # nobody to ask
    assert project.json("jobs", "remove", "daily", "--yes")["removed"]
    project.error("jobs", "show", "daily", code=3)


def test_preview(project: Project) -> None:
    notebook("nb.ipynb", "print(n)")
    shown = project(
        "jobs", "preview", "30 2 * * *", "--timezone", "Europe/Berlin", "--from", "2026-03-29", "-n", "2"
    )
    first, second = [line for line in shown.stdout.splitlines() if "2026-03" in line]
    assert "Sun 2026-03-29 03:00 +02:00" in first
    assert "2026-03-29 01:00" in first
    assert "instead of 02:30: the clock goes from 02:00 to 03:00" in first
    assert "Mon 2026-03-30 02:30 +02:00" in second
    gap = project.json(
        "jobs", "preview", "0 2-4/2 * * *", "--timezone", "Europe/Berlin", "--from", "2026-03-29"
    )
    assert len(gap["upcoming"]) == 10
    assert "never" in project("jobs", "preview", "0 0 */30 2 MON#5").stdout
    assert "zone" in project.error("jobs", "preview", "* * * * *", "--timezone", "Mars/Base", code=2).lower()
    assert "no time" in project("jobs", "preview", "* * * * *", "--from", "soon", code=2).stderr

    project("promote", "nb.ipynb", "--name", "daily", "--schedule", "0 6 * * *", "--timezone", "Asia/Tokyo")
    of_job = project.json("jobs", "preview", "daily", "--from", "2028-02-29", "-n", "1")
    assert of_job["words"] == "At 06:00 every day (Asia/Tokyo)"
    assert of_job["upcoming"] == [{
        "at": 1835384400.0, "local": "Tue 2028-02-29 06:00 +09:00", "utc": "2028-02-28 21:00",
        "runs": True, "note": None,
    }]  # fmt: skip
    project("promote", "nb.ipynb", "--name", "byhand")
    assert "has no schedule" in project.error("jobs", "preview", "byhand", code=2)
    checked = project.json("promote", "nb.ipynb", "--check", "--schedule", "0 6 * * *")
    assert [u["local"][15:] for u in checked["upcoming"]] == ["06:00 +00:00"] * 5
    assert "06:00 +00:00" in project("promote", "nb.ipynb", "--check", "--schedule", "0 6 * * *").stdout


def test_cancel_a_queued_job_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.engine import control

    monkeypatch.setattr(control, "ensure_worker", lambda ws: False)
    notebook("nb.ipynb", "print(n)")
    project("promote", "nb.ipynb")
    run = project.json("jobs", "run", "nb")["job_run_id"]
    assert project.json("jobs", "logs", run)["log"] == ""
    assert project.json("jobs", "cancel", run)["status"] == "cancelled"
    assert json.loads(project("jobs", "history", "--json").stdout)["job_runs"][0]["status"] == "cancelled"
