"""run, runs, show, logs, approve, reject, cancel, resume, rerun: in this process, with a worker where one is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

# commands leave workers behind on purpose; `project` ends them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_run(project: Project) -> None:
    shown = project("run", "flows.py:hello", "-p", "who=Ana", "-p", "times=2").stdout
    assert "✓ succeeded" in shown
    assert "HELLO ANA HELLO ANA POSIXPATH" in shown
    assert "\x1b" not in shown
    found = project.json("show", "@last")
    assert found["status"] == "succeeded"
    assert found["params"]["times"] == 2
    assert [(s["step"], s["status"]) for s in found["steps"]] == [
        ("greeting", "succeeded"),
        ("shout", "succeeded"),
    ]
    assert found["metrics"][0]["value"] == 29
    assert found["outputs"]["shout"]["value"] == "HELLO ANA HELLO ANA POSIXPATH"
    shown = project("show", "@last").stdout
    assert "length" in shown
    assert "who=Ana" in shown


def test_values_take_the_type_of_the_parameter(project: Project) -> None:
    found = project.json("run", "flows.py:hello", "-p", "who=123", "-p", "where=7")
    assert found["outputs"]["shout"]["value"] == "HELLO 123 POSIXPATH"
    again = project.json("run", "hello", "-p", "who=5", "-p", "where=8")  # by name, from history
    assert again["outputs"]["shout"]["value"] == "HELLO 5 POSIXPATH"
    assert "must be int" in project.error("run", "flows.py:hello", "-p", "times=x", code=2)
    assert "did you mean 'who'" in project.error("run", "flows.py:hello", "-p", "whom=x", code=2)
    assert "did you mean 'who'" in project.error("run", "hello", "-p", "whom=x", code=2)
    assert "times" in project.error("run", "hello", "-p", "times=x", code=2)
    assert "did you mean 'hello'" in project.error("run", "helo", code=3)
    assert len(project.json("runs")["runs"]) == 2


def test_failure_and_hostile_text(project: Project) -> None:
    failed = project("run", "flows.py:bad", code=1)
    shown = (
        failed.output
        + project("show", "@last").output
        + project("logs", "@last").output
        + project("runs").output
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "st[bold]ep" in shown
    assert "[red]x[/red]" in shown
    assert "ValueError: nope" in failed.stderr
    assert "log red  [blue]end" in project("logs", "@last", "st[bold]ep").stdout
    assert project.json("show", "@last")["error"]["type"] == "ValueError"
    assert project.json("logs", "@last")["lines"][0]["stream"] == "stdout"


def test_naming_runs(project: Project) -> None:
    first, second = (project.json("run", "flows.py:hello")["run_id"] for _ in range(2))
    assert project.json("show", first)["run_id"] == first
    assert project.json("show", second[:-1])["run_id"] == second
    assert project.json("show", "@last")["run_id"] == second
    assert "several runs" in project.error("show", "hello", code=2)
    assert "no run 'nope'" in project.error("show", "nope", code=3)
    assert "no step 'shut'; did you mean 'shout'" in project.error("logs", first, "shut", code=3)
    listed = project.json("runs", "--workflow", "hello", "--status", "succeeded", "--limit", "1")["runs"]
    assert [r["run_id"] for r in listed] == [second]
    assert project.json("runs", "--status", "failed") == {"runs": []}


def test_key(project: Project) -> None:
    first = project.json("run", "flows.py:hello", "--key", "monday")["run_id"]
    assert project.json("run", "flows.py:hello", "--key", "monday")["run_id"] == first
    assert len(project.json("runs")["runs"]) == 1


def test_gate_policy(project: Project) -> None:
    policy = json.dumps({"decision": "approve", "values": {"amount": 3}})
    assert project.json("run", "flows.py:gated", "--gate", f"review={policy}")["outputs"]["final"][
        "value"
    ] == [True, 3, ""]
    assert "GateRejected" in project("run", "flows.py:gated", "--gate", "review=reject", code=1).stderr
    assert "no gate 'rview'" in project.error("run", "flows.py:gated", "--gate", "rview=approve", code=2)


def test_gate_by_hand(project: Project) -> None:
    waiting = project("run", "flows.py:gated", code=6).stdout
    assert "aios approve gated-" in waiting
    assert "-v amount=…" in waiting
    run = project.json("show", "@last")["run_id"]
    assert "amount" in project.error("approve", run, "review", code=2)
    assert "no field 'amont'; did you mean 'amount'" in project.error(
        "approve", run, "review", "-v", "amont=1", code=2
    )
    assert "no gate" in project.error("approve", run, "reviw", code=3)
    done = project.json("approve", run, "review", "-v", "amount=12", "-v", "note=99", "--reason", "looked")
    assert done["status"] == "approved"
    assert done["values"] == {"amount": 12, "note": "99"}
    assert "not waiting: approved by" in project.error("reject", run, "review", code=4)
    project.until(lambda: project.status(run) == "succeeded")
    assert project.json("show", run)["outputs"]["final"]["value"] == [True, 12, "99"]


def test_reject_and_cancel(project: Project) -> None:
    one, two = (project.json("run", "flows.py:gated", code=6)["run_id"] for _ in range(2))
    assert project.json("reject", one, "review", "--reason", "no")["status"] == "rejected"
    project.until(lambda: project.status(one) == "failed")
    assert project.json("cancel", two)["status"] == "cancelled"
    assert "is over" in project.error("cancel", two, code=4)


def test_detach_rerun_resume_in_a_worker(project: Project) -> None:
    run = project.json("run", "flows.py:hello", "--detach")["run_id"]
    project.until(lambda: project.status(run) == "succeeded")
    assert "cannot be resumed" in project.error("resume", run, code=4)
    again = project.json("rerun", run, "--from", "shout", "--wait")
    assert again["parent_run_id"] == run
    assert [s["cached"] for s in again["steps"]] == [True, False]
    assert "no step" in project.error("rerun", run, "--from", "shut", code=3)
    failed = project.json("run", "flows.py:bad", code=1)["run_id"]
    assert project.json("resume", failed, "--wait", code=1)["leg"] == 1
    followed = [json.loads(line) for line in project("logs", failed, "-f", "--json").stdout.splitlines()]
    assert len(followed) == 2  # one of each leg
