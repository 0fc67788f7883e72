"""The demo: everything it claims, checked again from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aios_workbench import govern
from aios_workbench.demo.story import DemoError, prepare
from aios_workbench.workspace import Workspace

DEMO = (sys.executable, "-m", "aios_workbench.demo")


def environment() -> dict[str, str]:
    """Without .pyc files every worker would take several times as long to start."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def workers_of(folder: Path) -> list[int]:
    """Return living processes that work in the demo's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve().is_relative_to(folder) and (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the demo once and return its facts."""
    out = tmp_path_factory.mktemp("demo") / "out"
    done = subprocess.run(
        [*DEMO, "--json", "--out", str(out)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    facts: dict[str, Any] = json.loads(done.stdout)
    assert "kill -9" in done.stderr, "progress goes to standard error"
    return facts


def test_the_killed_run_was_resumed_and_nothing_was_redone(told: dict[str, Any]) -> None:
    run, ws = told["run"], Workspace(Path(told["folder"]) / ".aios")
    assert told["ok"]
    assert told["problems"] == []
    assert run["status"] == "succeeded"
    assert run["killed"] != run["resumed_by"]
    assert len(run["finished_before"]) >= 6
    assert run["redone"] == []
    tried = ws.catalog.query("select step, executor, status from attempts where run_id = :r", r=run["run_id"])
    before = [a for a in tried if a["step"] in run["finished_before"]]
    assert len(before) == len(run["finished_before"]), "one attempt each"
    assert {a["executor"] for a in before} == {run["killed"]}
    held = sorted((a["status"], a["executor"]) for a in tried if a["step"] == run["killed_in"])
    assert held == [("lost", run["killed"]), ("succeeded", run["resumed_by"])]
    row = ws.catalog.one("select adoptions from runs where run_id = :r", r=run["run_id"])
    assert row is not None
    assert row["adoptions"] == 1
    ws.close()


def test_one_tick_fired_once_over_two_workers(told: dict[str, Any]) -> None:
    ws = Workspace(Path(told["folder"]) / ".aios")
    rows = ws.catalog.query("select * from job_runs where status <> 'skipped'")
    assert len(rows) == told["job"]["ticks_fired"] == 1
    assert rows[0]["status"] == "succeeded"
    assert rows[0]["tick_at"] == told["job"]["tick_at"] < time.time() < told["job"]["next_tick_at"]
    local = time.strftime("%H:%M", time.gmtime(told["job"]["tick_at"]))
    assert local in ("04:00", "05:00"), "six o'clock in Berlin"
    runs = ws.catalog.query("select * from runs where job_run_id = :j", j=rows[0]["job_run_id"])
    assert [r["status"] for r in runs] == ["succeeded"]
    cached = ws.catalog.query(
        "select step from steps where run_id = :r and cached = 1 order by step", r=runs[0]["run_id"]
    )
    assert [c["step"] for c in cached] == ["anomaly", "score"], "same claims, same code: not trained twice"
    ws.close()


def test_gates_were_decided_by_policy_and_the_audit_holds(told: dict[str, Any]) -> None:
    ws = Workspace(Path(told["folder"]) / ".aios")
    assert told["gate"] == {"step": "review", "status": "approved", "by": "policy"}
    actions = [r["action"] for r in ws.catalog.query("select action from audit order by seq")]
    assert actions.count("gate.approved") == 2
    assert "job.promote" in actions
    assert told["audit"]["intact"]
    assert govern.verify(ws) is None
    ws.close()


def test_files_are_there_and_show_the_figures(told: dict[str, Any]) -> None:
    files = {name: Path(path) for name, path in told["files"].items()}
    html = files["html_report"].read_text(encoding="utf-8")
    for word in ("key figure", "decided automatically", "hours saved", "false positives", "recall"):
        assert word in html, word
    notebook = json.loads(files["executed_notebook"].read_text(encoding="utf-8"))
    assert any(c.get("outputs") for c in notebook["cells"])
    assert files["graph_picture"].read_text(encoding="utf-8").startswith("<svg")
    assert told["kpis"]["decided_automatically"]["value"] == pytest.approx(0.85, abs=0.01)


def test_nothing_is_left_running(told: dict[str, Any]) -> None:
    assert workers_of(Path(told["folder"])) == []


def test_ctrl_c_ends_its_processes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*DEMO, "--out", str(out)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(out.glob("worker-*.log")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert "interrupted" in text
    assert workers_of(out) == []


def test_a_folder_that_is_not_a_demos_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("two years of work", encoding="utf-8")
    done = subprocess.run(
        [*DEMO, "--out", str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "choose another folder" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_fresh_demo_empties_its_own_folder_unless_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_HOME", "elsewhere")  # restored afterwards
    out = prepare(tmp_path / "out", keep=False)
    (out / "old").touch()
    assert (prepare(out, keep=True) / "old").exists()
    assert not (prepare(out, keep=False) / "old").exists()
    assert os.environ["AIOS_HOME"] == str(out / ".aios")
    assert (out / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="--out"):
        prepare(tmp_path / "file", keep=False)


def test_a_missing_csv_is_said_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--out", str(tmp_path / "out"), "--path", str(tmp_path / "none.csv")],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "none.csv" in done.stdout
    assert not (tmp_path / "out").exists()
