"""Real processes: killed, told to stop, interrupted, idle."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

# commands leave workers behind on purpose; `project` ends them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_worker_adopts_the_run_of_a_killed_command(project: Project) -> None:
    log = project.folder / "log"
    command = project.popen("run", "flows.py:slow", "-p", f"log={log}")
    project.until(lambda: "second" in lines(log))
    command.kill()
    command.communicate()
    run = project.json("show", "@last")
    assert run["status"] == "interrupted"
    log.with_suffix(".go").touch()
    worker = project.popen("worker", "--once", "--json")
    told, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert project.status(run["run_id"]) == "succeeded"
    assert lines(log) == ["first", "second", "second"]  # what was finished is not done again
    kinds = [json.loads(line)["kind"] for line in told.splitlines()]
    assert kinds[0] == "started"
    assert kinds[-1] == "stopped"


def test_worker_hands_back_on_sigterm(project: Project) -> None:
    log = project.folder / "log"
    first = project.popen("worker", "--grace", "0", "--json")
    assert first.stdout is not None
    first.stdout.readline()
    # as a process of its own: an engine in this one would compete for the run
    told, _ = project.popen("run", "flows.py:slow", "-p", f"log={log}", "--detach", "--json").communicate(
        timeout=30
    )
    run = json.loads(told)["run_id"]
    project.until(lambda: "second" in lines(log))
    first.send_signal(signal.SIGTERM)
    told, errors = first.communicate(timeout=30)
    assert (first.returncode, errors) == (0, "")
    assert json.loads(told.splitlines()[-1])["handed_back"] == [run]
    assert project.status(run) == "interrupted"
    second = project.popen("worker", "--json")
    project.until(lambda: lines(log).count("second") == 2)
    second.send_signal(signal.SIGTERM)  # ends within the grace
    log.with_suffix(".go").touch()
    told, errors = second.communicate(timeout=30)
    assert (second.returncode, errors) == (0, "")
    assert json.loads(told.splitlines()[-1])["handed_back"] == []
    assert project.status(run) == "succeeded"


def test_worker_exits_when_idle_and_stays_for_a_job(project: Project) -> None:
    project("run", "flows.py:hello")
    worker = project.popen("worker", "--exit-when-idle", "0.5")
    told, errors = worker.communicate(timeout=30)
    assert (worker.returncode, errors) == (0, "")
    assert "idle" in told


def test_first_interrupt_detaches_second_leaves_to_a_worker(project: Project) -> None:
    log = project.folder / "log"
    command = project.popen("run", "flows.py:slow", "-p", f"log={log}")
    project.until(lambda: "second" in lines(log))
    assert command.stderr is not None
    command.send_signal(signal.SIGINT)
    assert command.stderr.readline() == "\n"
    told = command.stderr.readline()
    assert "goes on in this process" in told
    assert "aios cancel slow-" in told
    assert command.poll() is None
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=30)
    assert command.returncode == 130
    log.with_suffix(".go").touch()
    run = project.json("show", "@last")["run_id"]
    project.until(lambda: project.status(run) == "succeeded")


def test_first_interrupt_lets_the_run_end(project: Project) -> None:
    log = project.folder / "log"
    command = project.popen("run", "flows.py:slow", "-p", f"log={log}", "--json")
    project.until(lambda: "second" in lines(log))
    command.send_signal(signal.SIGINT)
    log.with_suffix(".go").touch()
    told, _ = command.communicate(timeout=30)
    assert command.returncode == 0
    assert json.loads(told)["status"] == "succeeded"


def test_reader_that_goes_away(project: Project) -> None:
    project("run", "flows.py:hello")
    command = project.popen("runs", "--json")
    assert command.stdout is not None
    command.stdout.close()
    command.wait(30)
    assert command.stderr is not None
    assert "Traceback" not in command.stderr.read()
    command.stderr.close()
