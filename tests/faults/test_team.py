"""A team: machines that share a database and a store, and nothing else. Each has a home of its own here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pg_server
import pytest

from aios_workbench import govern
from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

pytestmark = [pytest.mark.alone, pytest.mark.slow]

PATIENCE = 90  # seconds before a wait counts as hung; never a measure of speed

#: Each step says that it was executed, by whom, and how often; `slow` waits for the file that lets it go on.
FLOW = """
import os, sys, time
import aios_workbench as aios

def effect(step):
    with open(os.environ["EFFECTS"], "a") as file:
        file.write(f"{aios.context().run_id} {step} {os.environ['MACHINE']}\\n")

wf = aios.Workflow("team")

@wf.step
def first():
    effect("first")
    return list(range(1000))

@wf.step
def slow(first):
    effect("slow")
    while not os.path.exists(os.environ["GO"]): time.sleep(0.02)
    return sum(first)

@wf.step
def beside(first):
    effect("beside")
    return len(first)

@wf.step
def last(slow, beside):
    effect("last")
    return [slow, beside, os.environ["MACHINE"]]
"""


class Team:
    """Machines on one database and one store."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.effects_file, self.go = folder / "effects", folder / "go"
        self.effects_file.touch()
        self.store = f"file://{folder / 'store'}"
        self.processes: list[subprocess.Popen[str]] = []
        self.ws = Workspace(self.home("looker-on"), database=url, artifacts=self.store)

    def home(self, machine: str) -> Path:
        return self.folder / machine / ".aios"

    def start(self, machine: str, *command: str, **env: str) -> subprocess.Popen[str]:
        home = self.home(machine)
        home.parent.mkdir(exist_ok=True)
        settings = {
            "AIOS_HOME": str(home), "AIOS_DATABASE_URL": self.url, "AIOS_ARTIFACTS": self.store, "MACHINE": machine,
            "AIOS_LEASE_SECONDS": "3", "EFFECTS": str(self.effects_file), "GO": str(self.go), **env,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, *command], cwd=home.parent, env={**os.environ, **settings}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, machine: str, **env: str) -> subprocess.Popen[str]:
        process = self.start(machine, "-m", "aios_workbench.cli", "worker", **env)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the worker ended"
        return process

    def script(self, machine: str, source: str) -> subprocess.Popen[str]:
        return self.start(machine, "-c", FLOW + textwrap.dedent(source))

    def enqueue(self, n: int = 1) -> list[str]:
        """Start runs in a process that ends; workers are to execute them."""
        source = f"""
        from aios_workbench.engine import journal, submit
        from aios_workbench.workspace import workspace
        ws = workspace()
        spec = submit.compile_workflow(ws, wf)
        for _ in range({n}):
            run_id = submit.new_run_id("team")
            submit.write_run(ws, spec, {{}}, {{}}, run_id=run_id)
            journal.enqueue(ws, run_id, 0, {{}}, journal.WORKER_QUEUE)
            print(run_id)
        ws.close()
        """
        out, _ = (process := self.script("laptop", source)).communicate(timeout=PATIENCE)
        assert process.returncode == 0, out
        return out.split()

    def effects(self) -> dict[str, list[str]]:
        """Run and step -> the machines that executed it."""
        found: dict[str, list[str]] = {}
        for line in self.effects_file.read_text().splitlines():
            run, step, machine = line.split()
            found.setdefault(f"{run} {step}", []).append(machine)
        return found

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()
        self.ws.close()


def until(true: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def server() -> Iterator[pg_server.Cluster]:
    """A server of the test's own: it may be stopped."""
    with pg_server.cluster() as made:
        yield made


@pytest.fixture
def team(tmp_path: Path, server: pg_server.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setenv("AIOS_LEASE_SECONDS", "3")
    made = Team(tmp_path, server.schema("team"))
    yield made
    made.end()


def output(team: Team, run_id: str, step: str = "last") -> Any:
    row = team.ws.catalog.one("select output from steps where run_id = :r and step = :s", r=run_id, s=step)
    assert row is not None
    return team.ws.artifacts.get(team.ws.artifacts.find(row["output"]))


def tried(team: Team, run_id: str) -> list[str]:
    """How the attempts at the slow step stand."""
    rows = team.ws.catalog.query(
        "select status from attempts where run_id = :r and step = 'slow' order by attempt", r=run_id
    )
    return [row["status"] for row in rows]


def over(team: Team, runs: list[str]) -> bool:
    return all(control.run_status(team.ws, r) in ("succeeded", "failed", "cancelled") for r in runs)


def journaled(team: Team, step: str, n: int) -> bool:
    """The catalog hears of a step behind the journal: what it says is done is never done again."""
    row = team.ws.catalog.one(
        "select count(*) as n from steps where step = :s and status = 'succeeded'", s=step
    )
    return row == {"n": n}


def test_two_machines_share_runs_and_the_other_finishes_what_a_killed_one_had(team: Team) -> None:
    one = team.worker("one")
    runs = team.enqueue(3)
    until(lambda: journaled(team, "beside", 3), "one to have three")
    other = team.worker("other")
    one.send_signal(signal.SIGSTOP)  # takes no more
    runs += team.enqueue(3)
    until(lambda: journaled(team, "beside", 6), "the other to have three")
    one.kill()
    one.wait()
    team.go.touch()
    until(lambda: over(team, runs), "the other to finish")
    assert {control.run_status(team.ws, r) for r in runs} == {"succeeded"}
    effects = team.effects()
    for run, machine in zip(runs, ["one"] * 3 + ["other"] * 3, strict=True):
        assert output(team, run) == [499500, 1000, "other"]
        assert (effects[f"{run} first"], effects[f"{run} beside"]) == ([machine], [machine])
        assert effects[f"{run} last"] == ["other"]
    assert other.poll() is None
    left = team.ws.catalog.query("select fenced, count(*) as n from executors where kind = 'worker' group by fenced "
                                 "order by fenced")  # fmt: skip
    assert left == [{"fenced": 0, "n": 1}, {"fenced": 1, "n": 1}]
    assert govern.verify(team.ws) is None


def test_a_stopped_machine_that_comes_back_is_fenced(team: Team) -> None:
    (run,) = team.enqueue()
    zombie = team.worker("zombie")
    until(lambda: team.effects().get(f"{run} slow") == ["zombie"], "the step to run")
    until(lambda: tried(team, run), "its attempt to be written down, a moment later")
    before = team.ws.catalog.one("select owner from runs where run_id = :r", r=run)
    assert before is not None
    zombie.send_signal(signal.SIGSTOP)
    until(lambda: control.run_status(team.ws, run) == "interrupted", "its lease to end")
    heir = team.worker("heir")
    until(lambda: team.effects().get(f"{run} slow") == ["zombie", "heir"], "the other to take over")
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(PATIENCE) == 1
    assert zombie.stdout is not None
    assert "taken for dead" in zombie.stdout.read()
    team.go.touch()
    until(lambda: over(team, [run]), "the heir to finish")
    assert control.run_status(team.ws, run) == "succeeded"
    assert output(team, run) == [499500, 1000, "heir"]
    assert team.effects()[f"{run} first"] == ["zombie"]
    assert team.effects()[f"{run} last"] == ["heir"]
    row = team.ws.catalog.one(
        "select fenced, adopter from executors where executor_id = :o", o=before["owner"]
    )
    assert row == {"fenced": 1, "adopter": None}
    assert tried(team, run) == ["lost", "succeeded"]
    heir.kill()


def test_a_zombie_that_finishes_its_step_late_changes_nothing(team: Team) -> None:
    """The step ends in the stopped process first: its outcome is refused by journal and catalog alike."""
    (run,) = team.enqueue()
    zombie = team.worker("zombie")
    until(lambda: team.effects().get(f"{run} slow") == ["zombie"], "the step to run")
    until(lambda: tried(team, run), "its attempt to be written down, a moment later")
    zombie.send_signal(signal.SIGSTOP)
    until(lambda: control.run_status(team.ws, run) == "interrupted", "its lease to end")
    heir = team.worker("heir", GO=str(team.folder / "heir-go"))
    until(lambda: team.effects().get(f"{run} slow") == ["zombie", "heir"], "the other to take over")
    until(lambda: len(tried(team, run)) == 2, "that to be written down, too")
    team.go.touch()  # of the zombie alone
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(PATIENCE) == 1
    assert control.run_status(team.ws, run) == "running"
    assert (
        team.ws.catalog.one("select status from steps where run_id = :r and step = 'slow'", r=run) or {}
    ) == {"status": "running"}
    (team.folder / "heir-go").touch()
    until(lambda: over(team, [run]), "the heir to finish")
    assert output(team, run) == [499500, 1000, "heir"]
    assert team.effects()[f"{run} last"] == ["heir"]
    heir.kill()


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_run_goes_on_over_a_restart_of_the_database(
    team: Team, server: pg_server.Cluster, how: str
) -> None:
    runs = team.enqueue(3)
    worker = team.worker("one")
    until(lambda: sum(k.endswith("slow") for k in team.effects()) == 3, "all runs to be under way")
    server.stop(how)
    team.go.touch()  # the steps end while there is no database
    time.sleep(1.5)
    server.start()
    until(lambda: over(team, runs), "the runs to end")
    assert {control.run_status(team.ws, r) for r in runs} == {"succeeded"}
    assert all(len(machines) == 1 for machines in team.effects().values()), team.effects()
    assert worker.poll() is None
    counted = team.ws.catalog.query("select status, count(*) as n from steps group by status")
    assert counted == [{"status": "succeeded", "n": 12}]
    assert govern.verify(team.ws) is None


def test_a_person_on_a_third_machine_sees_cancels_and_decides(team: Team) -> None:
    source = """
    @wf.gate
    def ask(last): return last
    run = wf.run()
    print(run.id, flush=True)
    print(json.dumps(run.wait(60)), flush=True)
    """
    team.go.touch()
    kernel = team.script("kernel", "import json\n" + textwrap.dedent(source))
    assert kernel.stdout is not None
    run = kernel.stdout.readline().strip()
    until(lambda: control.run_status(team.ws, run) == "waiting", "the gate")
    control.decide(team.ws, run, "ask", approved=True, by="ana")
    assert json.loads(kernel.stdout.readline()) == "succeeded"
