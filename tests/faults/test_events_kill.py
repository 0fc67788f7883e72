"""Events come in while workers, and those who tell them, are killed: each starts each job that listens once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from job_kit import wait_for

from aios_workbench import promote
from aios_workbench.promote import JobSpec
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

# With no slot it starts no kernel: it only claims what is due, as fast as it can.
WORKER = """
import sys, threading
from aios_workbench.engine.leases import Lease
from aios_workbench.promote import Scheduler
from aios_workbench.workspace import workspace

ws = workspace()
lease = Lease(ws, "worker")
print(lease.executor_id, flush=True)
Scheduler(ws, lease.executor_id, slots=int(sys.argv[1])).run_forever(threading.Event())
"""
# Every event has a key, so whoever takes over from a dead one may begin again at the first. How far to go stands in
# a file.
TELLER = """
import sys, time
from pathlib import Path
from aios_workbench.promote import emit
from aios_workbench.workspace import workspace

ws = workspace()
print("teller-", flush=True)
for n in range(int(sys.argv[1])):
    while n >= int(Path("upto").read_text() or 0):
        time.sleep(0.01)
    emit(ws, f"orders.{n % 3}", {"n": n}, "teller", key=str(n))
"""

Start = Callable[[str, int], "subprocess.Popen[str]"]


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / ".aios")
    yield workspace
    workspace.close()


@pytest.fixture
def start(ws: Workspace) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(script: str, number: int) -> subprocess.Popen[str]:
        env = {**os.environ, "AIOS_HOME": str(ws.root)}
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(number)],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ws.project,
        )
        started.append(process)
        assert process.stdout is not None
        assert "er-" in process.stdout.readline()
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def job(ws: Workspace, name: str, source: str = "1", **options: Any) -> str:
    path = ws.project / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    spec = JobSpec(name=name, notebook="-", overlap="queue", **options)
    return promote.promote(ws, path, spec, "ada").job_id


def events(ws: Workspace) -> dict[str, str]:
    """The name of each event by the cause of what it starts."""
    return {f"event:{e['seq']}": e["name"] for e in promote.list_events(ws, limit=10_000)}


def causes(ws: Workspace, job_id: str) -> Counter[str]:
    rows = ws.catalog.query("select cause from job_runs where job_id = :id", id=job_id)
    return Counter(row["cause"] for row in rows)


def test_each_event_once_whoever_is_killed(ws: Workspace, start: Start) -> None:
    every = job(ws, "every", on_event=[{"event": "orders.*"}, {"event": "orders.1"}])
    some = job(ws, "some", on_event=[{"event": "orders.1"}])
    victims, step = ("worker", "teller", "worker"), 48
    total = step * len(victims)
    upto = ws.project / "upto"
    upto.write_text("0")
    workers = [start(WORKER, 0), start(WORKER, 0)]
    teller = start(TELLER, total)
    for round_, victim in enumerate(victims):
        told = len(events(ws))
        upto.write_text(str(step * (round_ + 1)))
        wait_for(lambda told=told: len(events(ws)) > told, "another event")
        dead = teller if victim == "teller" else workers.pop(0)
        dead.kill()  # events come in, and are heard of
        dead.wait()
        if victim == "teller":
            teller = start(TELLER, total)
        else:
            workers.append(start(WORKER, 0))
    wait_for(lambda: len(events(ws)) == total, "every event to be told")
    known = events(ws)
    wait_for(lambda: len(causes(ws, every)) == total, "every event to be heard of")
    wait_for(lambda: len(causes(ws, some)) == total // 3, "the events of one name to be heard of")
    assert causes(ws, every) == dict.fromkeys(known, 1)
    assert causes(ws, some) == {cause: 1 for cause, name in known.items() if name == "orders.1"}


def test_a_chain_goes_on_after_a_kill(ws: Workspace, start: Start) -> None:
    """The worker dies while a job runs that an event has started: the one after it starts once, on its end."""
    say = "import os; print(os.environ['AIOS_JOB_RUN'], file=open('{name}', 'a'), flush=True)"
    hold = "import pathlib, time\nwhile pathlib.Path('hold').exists():\n    time.sleep(0.05)"
    first = job(ws, "first", say.format(name="said") + "\n" + hold, on_event=[{"event": "go"}])
    second = job(ws, "second", say.format(name="after"), after=[{"job": "first"}])
    (ws.project / "hold").touch()
    worker = start(WORKER, 1)
    seq = promote.emit(ws, "go", {}, "ada")
    wait_for((ws.project / "said").exists, "the first job to begin")
    worker.kill()
    worker.wait()
    start(WORKER, 1)
    (ws.project / "hold").unlink()
    wait_for(
        lambda: [r["status"] for r in promote.history(ws, "second")] == ["succeeded"], "the second job to end"
    )
    (run,) = promote.history(ws, "first")
    assert (run["cause"], run["status"], run["attempt"]) == (f"event:{seq}", "succeeded", 2)
    assert causes(ws, first) == {f"event:{seq}": 1}
    assert causes(ws, second) == {f"after:{run['job_run_id']}": 1}
    assert (ws.project / "after").read_text().split() == [promote.history(ws, "second")[0]["job_run_id"]]
