"""What the promote dialog asks: check with the job's options, mending, schedule in words, review, a target's files."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from aios_workbench.promote import JobSpec, inspect, promote
from aios_workbench.workspace import Workspace, workspace

from .conftest import write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]

HOSTILE = "<img src=x onerror=alert(1)>"
JOB = {"name": "claims", "schedule": "0 6 * * *", "timezone": "Europe/Berlin", "parameters": {"limit": 3}}


@pytest.fixture
def project(jp_root_dir: Path) -> Path:
    """The folder that is served."""
    return jp_root_dir


@pytest.fixture
def ws(jp_serverapp: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The workspace lies in the folder that is served, as it does for a person."""
    monkeypatch.setenv("AIOS_HOME", str(project / ".aios"))
    opened = workspace()
    yield opened
    jp_serverapp.web_app.settings["aios_watchers"].stop()
    opened.close()


@pytest.fixture
def notebook(ws: Workspace, project: Path) -> str:
    write_notebook(
        project / "sub" / "claims.ipynb", "import os\nimport pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})",
        "print(frame.sample(limit))", parameters="limit: int = 1",
    )  # fmt: skip
    return "sub/claims.ipynb"


def book_with(path: Path, changes: list[dict[str, Any]]) -> Path:
    """Write the notebook as the dialog would after a mend."""
    book = nbformat.read(path, 4)
    for change in changes:
        cell = book.cells[change["cell"] - 1]
        assert cell.source == change["before"]
        cell.source = change["after"]
    nbformat.write(book, path)
    return path


async def pause() -> None:
    """Let other processes go on."""
    await asyncio.sleep(0.2)


async def test_the_check_holds_the_notebook_against_the_job(ask: Any, notebook: str) -> None:
    _, plain = await ask("POST", "promote/check", {"notebook": notebook})
    assert all(f["why"] for f in plain["findings"])
    assert "AIOS121" in {f["rule"] for f in plain["findings"]}
    body = {"notebook": notebook, **JOB, "parameters": {"limt": 3}}
    _, answer = await ask("POST", "promote/check", body)
    assert any("limt" in f["message"] and f["severity"] == "error" for f in answer["findings"]), answer[
        "findings"
    ]
    body = {"notebook": notebook, **JOB, "timeout": "30x", "schedule": "0 25 * * *"}
    _, answer = await ask("POST", "promote/check", body)
    assert answer["problems"].keys() == {"timeout", "schedule"}
    assert "hour" in answer["problems"]["schedule"]
    body = {"notebook": notebook, **JOB, "every": "1h"}
    _, answer = await ask("POST", "promote/check", body)
    assert "not both" in answer["problems"]["job"]


@pytest.mark.parametrize(
    ("options", "wrong", "says"),
    [
        ({"schedule": "0 25 * * *"}, "schedule", "hour"),
        ({"schedule": "every day"}, "schedule", "5"),
        ({"schedule": "0 0 30 2 *"}, "schedule", "day"),
        ({"schedule": "0 6 * * *", "timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
        ({"schedule": "0 6 * * *", "timezone": "../../etc/passwd"}, "timezone", "no time zone"),
        ({"memory": "2 apples"}, "memory", "2 apples"),
        ({"alerts": ["ops"]}, "alerts", "ops"),
        ({"late_after": "soon"}, "late_after", "soon"),
    ],
)
async def test_the_preview_says_what_is_wrong_beside_the_field(
    options: dict[str, Any], wrong: str, says: str, ask: Any, notebook: str
) -> None:
    status, answer = await ask("POST", "promote/preview", {"notebook": notebook, **options})
    assert status == 200
    assert says in answer["problems"][wrong]


async def test_the_preview_in_words_with_ten_runs(ask: Any, notebook: str) -> None:
    _, answer = await ask("POST", "promote/preview", {"notebook": notebook, **JOB})
    assert "06:00" in answer["words"]
    assert "Europe/Berlin" in answer["words"]
    assert len(answer["lines"]) == 10
    assert time.time() < answer["lines"][0]["at"] <= time.time() + 90_000
    assert answer["lines"][0]["local"].endswith(("+01:00", "+02:00"))
    # Berlin's clock goes forward at 02:00 on the last Sunday of March, of which there is one within 400 days.
    sundays = {"schedule": "30 2 * 3 SUN", "timezone": "Europe/Berlin"}
    _, answer = await ask("POST", "promote/preview", {"notebook": notebook, **sundays})
    assert any("the clock goes" in (line["note"] or "") for line in answer["lines"])
    _, answer = await ask("POST", "promote/preview", {"notebook": notebook, "schedule": ""})
    assert answer["lines"] == []
    assert answer["problems"] == {}


async def test_mending_gives_cells_and_writes_nothing(ask: Any, notebook: str, project: Path) -> None:
    before = (project / notebook).read_bytes()
    _, check = await ask("POST", "promote/check", {"notebook": notebook})
    draws = next(f for f in check["findings"] if f["rule"] == "AIOS121")
    one = {"rule": "AIOS121", "cell": draws["cell"], "line": draws["line"]}
    _, answer = await ask("POST", "promote/mend", {"notebook": notebook, "findings": [one]})
    (change,) = answer["cells"]
    assert change["after"] == "print(frame.sample(limit, random_state=0))"
    _, everything = await ask("POST", "promote/mend", {"notebook": notebook})
    assert [c["cell"] for c in everything["cells"]] == [2, 3]
    assert "import os" not in everything["cells"][0]["after"]
    assert (project / notebook).read_bytes() == before
    book_with(project / notebook, everything["cells"])
    assert {f.rule for f in inspect(project / notebook).findings}.isdisjoint({"AIOS111", "AIOS121"})
    status, answer = await ask("POST", "promote/mend", {"notebook": notebook, "findings": [one]})
    assert status == 404
    assert "again" in answer["message"]


async def test_ignoring_writes_a_comment_that_works(ask: Any, notebook: str, project: Path) -> None:
    path = write_notebook(
        project / "odd.ipynb", "import numpy as np\nx = np.random.rand(\n    3\n)\nprint(x)",
        "%%time\ny = f'''\n{open('/home/ana/data.csv').read()}\n'''\nprint(y)",
    )  # fmt: skip
    for cell, rule in ((1, "AIOS121"), (2, "AIOS203")):
        found = [f for f in inspect(path).findings if (f.rule, f.cell) == (rule, cell)]
        ref = {"rule": rule, "cell": cell, "line": found[0].line}
        status, answer = await ask(
            "POST", "promote/mend", {"notebook": "odd.ipynb", "ignore": ref, "reason": f"a demo\n{HOSTILE}"}
        )
        assert status == 200, answer
        book_with(path, answer["cells"])
    left = inspect(path)
    assert {f.rule for f in left.findings}.isdisjoint({"AIOS121", "AIOS203"})
    first, second = (cell.source for cell in nbformat.read(path, 4).cells)
    assert first.splitlines()[1].startswith("x = np.random.rand(  # aios: ignore AIOS121 a demo")
    assert second.startswith("%%time\n# aios: ignore AIOS203 a demo"), "a comment in a string is none"
    assert {reason for _, reason in left.ignored} == {f"a demo {HOSTILE}"}
    status, answer = await ask(
        "POST", "promote/mend", {"notebook": "odd.ipynb", "ignore": ref, "reason": " "}
    )
    assert status == 400
    assert "say in a line why" in answer["message"]


async def test_what_no_reason_makes_run_cannot_be_ignored(ask: Any, ws: Workspace, project: Path) -> None:
    write_notebook(project / "broken.ipynb", "def (")
    _, check = await ask("POST", "promote/check", {"notebook": "broken.ipynb"})
    (finding,) = [f for f in check["findings"] if f["severity"] == "error"]
    assert not finding["ignorable"]
    ref = {"rule": finding["rule"], "cell": finding["cell"], "line": finding["line"]}
    status, answer = await ask(
        "POST", "promote/mend", {"notebook": "broken.ipynb", "ignore": ref, "reason": "it is fine"}
    )
    assert status == 409
    assert "cannot be ignored" in answer["message"]


async def test_opening_review_and_badge_know_the_job(
    ask: Any, ws: Workspace, notebook: str, project: Path
) -> None:
    _, opening = await ask("POST", "promote/open", {"notebook": notebook})
    assert (opening["job_id"], opening["options"], opening["jobs"]) == (None, None, [])
    assert {t["name"] for t in opening["targets"]} >= {"airflow", "crontab"}
    _, badge = await ask("GET", "promote/badge", notebook=notebook)
    assert badge["job"] is None
    _, review = await ask("POST", "promote/review", {"notebook": notebook, **JOB})
    assert (review["version"], review["next_version"], review["same"]) == (None, 1, False)

    job = promote(ws, project / notebook, JobSpec(**{**JOB, "alerts": ["$OPS"]}, notebook=notebook), "ana")
    _, opening = await ask("POST", "promote/open", {"notebook": notebook})
    assert (opening["job_id"], opening["version"], opening["jobs"]) == (job.job_id, 1, ["claims"])
    assert opening["options"]["alerts"] == ["$OPS"]
    _, badge = await ask("GET", "promote/badge", notebook=notebook)
    assert (badge["job"], badge["version"], badge["differs"]) == ("claims", 1, False)
    _, review = await ask("POST", "promote/review", {"notebook": notebook, **JOB})
    assert (review["same"], review["version"], review["options"]) == (True, 1, [])

    book = nbformat.read(project / notebook, 4)
    book.cells[2].outputs = [nbformat.v4.new_output("stream", text="only looked at")]
    nbformat.write(book, project / notebook)
    _, badge = await ask("GET", "promote/badge", notebook=notebook)
    assert badge["differs"] is False, "outputs are not promoted"
    book.cells[2].source += "\nprint('more')"
    nbformat.write(book, project / notebook)
    _, badge = await ask("GET", "promote/badge", notebook=notebook)
    assert badge["differs"] is True
    assert badge["what"]
    _, review = await ask("POST", "promote/review", {"notebook": notebook, **JOB, "retries": 4})
    assert [(c["option"], c["old"], c["new"]) for c in review["options"]] == [("retries", 0, 4)]
    assert (review["same"], review["next_version"]) == (False, 2)


async def test_a_version_on_trial_and_one_that_waits(
    ask: Any, ws: Workspace, notebook: str, project: Path
) -> None:
    body = {"notebook": notebook, **JOB, "note": "the first"}
    status, answer = await ask("POST", "promote", {**body, "rollout": "canary"})
    assert status == 404, answer  # a trial needs a version to go on beside it
    assert ws.catalog.query("select * from job_versions") == []
    assert (await ask("POST", "promote", body))[0] == 201
    status, job = await ask("POST", "promote", {**body, "retries": 1, "rollout": "canary", "note": "a trial"})
    assert (status, job["version"]) == (201, 1), "the version before goes on"
    (trial,) = ws.catalog.query("select version, mode, ended_at from rollouts")
    assert (trial["version"], trial["mode"], trial["ended_at"]) == (2, "canary", None)
    status, answer = await ask("POST", "promote", {**body, "retries": 2, "rollout": "shadow"})
    assert status == 409
    assert "on trial already" in answer["message"]
    notes = ws.catalog.query("select version, note from job_versions order by version")
    assert [(v["version"], v["note"]) for v in notes] == [(1, "the first"), (2, "a trial")]
    _, review = await ask("POST", "promote/review", {"notebook": notebook, **JOB, "approvals": 2})
    assert review["approvals_needed"] == 2


async def test_what_was_not_seen_is_not_promoted(
    ask: Any, ws: Workspace, notebook: str, project: Path
) -> None:
    _, check = await ask("POST", "promote/check", {"notebook": notebook, **JOB})
    write_notebook(project / notebook, "print('another')", parameters="limit: int = 1")
    status, answer = await ask("POST", "promote", {"notebook": notebook, **JOB, "seen": check["seen"]})
    assert status == 409
    assert "changed after it was checked" in answer["message"]
    assert ws.catalog.query("select * from jobs") == []


async def test_a_targets_files_are_shown_written_and_compared(
    ask: Any, ws: Workspace, notebook: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"notebook": notebook, **JOB, "target": "airflow", "folder": "dags"}
    _, shown = await ask("POST", "promote/files", body)
    assert [f["status"] for f in shown["files"]] == ["new"] * len(shown["files"])
    assert shown["bundle_status"] == "new"
    assert not (project / "dags").exists()
    _, written = await ask("POST", "promote/write", body)
    assert written["written"] is True
    for file in written["files"]:
        assert (project / file["path"]).read_text() == file["text"]
    # The head of a file says how to make it anew; done so, nothing but that line changes.
    dag = project / next(f["path"] for f in written["files"] if f["path"].endswith(".py"))
    before = dag.read_text().splitlines()
    (command,) = [line for line in before if "aios promote" in line]
    aios = [sys.executable, "-m", "aios_workbench.cli", *shlex.split(command.lstrip("# "))[1:]]
    monkeypatch.chdir(project / "sub")
    done = await asyncio.to_thread(subprocess.run, aios, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = dag.read_text().splitlines()
    assert [x for x in after if "aios promote" not in x] == [x for x in before if "aios promote" not in x]
    await ask("POST", "promote/write", body)
    _, same = await ask("POST", "promote/files", body)
    assert {f["status"] for f in same["files"]} == {"same"}
    assert same["bundle_status"] == "same"
    _, changed = await ask("POST", "promote/files", {**body, "schedule": "0 7 * * *"})
    diff = next(f for f in changed["files"] if f["status"] == "changed")["diff"]
    assert "+" in diff
    assert "0 7 * * *" in diff
    dag = project / next(f["path"] for f in written["files"] if f["path"].endswith(".py"))
    dag.write_text("print('mine')")
    _, blocked = await ask("POST", "promote/files", body)
    assert [f["status"] for f in blocked["files"]].count("blocked") == 1
    status, answer = await ask("POST", "promote/write", body)
    assert status == 409
    assert "not written by AIOS Workbench" in answer["message"]
    assert dag.read_text() == "print('mine')"
    entry, *_ = ws.catalog.query("select subject, detail from audit where action = 'job.export'")
    assert entry["subject"] == "claims"
    assert json.loads(entry["detail"])["target"] == "airflow"


@pytest.mark.parametrize(
    "folder",
    ["../out", "/etc/out", "a/../../out", ".git/hooks", "a/.aios", "~/x", "a\nb", "link", "link/deep", "C:/x",
     "file.txt"],
)  # fmt: skip
async def test_no_folder_leads_out_of_the_project(
    folder: str, ask: Any, ws: Workspace, notebook: str, project: Path
) -> None:
    outside = project.parent / "outside"
    outside.mkdir(exist_ok=True)
    (project / "link").symlink_to(outside)
    (project / "file.txt").write_text("mine")
    for action in ("files", "write"):
        status, answer = await ask(
            "POST", f"promote/{action}", {"notebook": notebook, **JOB, "target": "crontab", "folder": folder}
        )
        assert status == 400, answer
        assert "folder" in answer["message"]
    assert list(outside.iterdir()) == []


async def test_nothing_is_written_through_links(
    ask: Any, ws: Workspace, notebook: str, project: Path
) -> None:
    outside = project.parent / "theirs"
    outside.mkdir()
    (outside / "crontab").write_text("written by AIOS Workbench. Do not edit")
    body = {"notebook": notebook, **JOB, "target": "crontab", "folder": "out"}
    (project / "out").mkdir()
    (project / "out" / "claims").symlink_to(outside)
    status, answer = await ask("POST", "promote/write", body)
    assert status == 409, answer
    (project / "out" / "claims").unlink()
    (project / "out" / "claims").mkdir()
    (project / "out" / "claims" / "crontab").symlink_to(outside / "crontab")
    _, shown = await ask("POST", "promote/files", body)
    assert "link" in shown["files"][0]["problem"]
    status, answer = await ask("POST", "promote/write", body)
    assert status == 409
    assert "nothing was written" in answer["message"]
    assert (outside / "crontab").read_text() == "written by AIOS Workbench. Do not edit"
    assert not (project / "out" / "claims" / "bundle").exists()


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"target": "airflw"}, 404, "did you mean 'airflow'"),
        ({"target": "crontab", "grain": "steps"}, 404, "run it once"),
        ({"target": "systemd", "schedule": None}, 400, "schedule"),
        ({"target": "airflow", "timeout": "30x"}, 422, "timeout"),
        ({"target": "airflow", "parameters": {"limit": "many"}}, 400, "limit"),
        ({"target": "airflow", "grain": "cells"}, 422, "grain"),
    ],
)
async def test_files_that_cannot_be(
    changes: dict[str, Any], status: int, says: str, ask: Any, ws: Workspace, notebook: str
) -> None:
    code, answer = await ask("POST", "promote/files", {"notebook": notebook, **JOB, **changes})
    assert code == status, answer
    assert says in answer["message"]


async def test_a_clean_run_from_start_to_end(ask: Any, ws: Workspace, project: Path) -> None:

    write_notebook(project / "runs.ipynb", "print('one')", "print(1 / 0)")
    status, run = await ask("POST", "promote/clean-run", {"notebook": "runs.ipynb"})
    assert (status, run["status"]) == (200, "running")
    while (state := (await ask("GET", f"promote/clean-run/{run['run_id']}"))[1])["status"] == "running":
        await pause()
    assert (state["status"], state["run_status"]) == ("done", "failed"), state
    assert [(f["rule"], f["cell"]) for f in state["findings"] if f["rule"] == "AIOS141"] == [("AIOS141", 2)]
    assert state["progress"]["done"] >= 1
    assert (await ask("GET", "promote/clean-run/nothing"))[0] == 404


async def test_a_clean_run_is_cancelled_with_its_kernel(ask: Any, ws: Workspace, project: Path) -> None:
    import psutil

    mark = project / "kernel.pid"
    write_notebook(
        project / "long.ipynb",
        f"import os, time, pathlib\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\ntime.sleep(600)",
    )
    _, run = await ask("POST", "promote/clean-run", {"notebook": "long.ipynb"})
    while not (mark.exists() and mark.read_text()):
        assert (await ask("GET", f"promote/clean-run/{run['run_id']}"))[1]["status"] == "running"
        await pause()
    status, state = await ask("POST", f"promote/clean-run/{run['run_id']}/cancel")
    assert (status, state["status"]) == (200, "cancelled")
    while psutil.pid_exists(int(mark.read_text())):
        await pause()
    status, state = await ask("POST", f"promote/clean-run/{run['run_id']}/cancel")
    assert (status, state["status"]) == (200, "cancelled")
