"""Limits and budgets over processes, some of which are killed -9 while they hold permits."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from kit import finished, line, script, tell, until

from aios_workbench.engine import control
from aios_workbench.engine.flow import store
from aios_workbench.engine.flow.limits import find_limit, find_limits, set_limit
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

#: A step that finds out by itself whether more are inside than may be: the system drops a dead process's locks.
INSIDE = """
def inside(folder, places, seconds):
    import fcntl, os, time
    for n in range(places):
        fd = os.open(os.path.join(folder, f"place{n}"), os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        time.sleep(seconds)
        os.close(fd)
        return n
    with open(os.path.join(folder, "violations"), "a") as f: f.write("too many\\n")
"""
MANY = (
    INSIDE
    + """
folder, places, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wf = aios.Workflow(sys.argv[4], max_parallel=4)
for n in range(3):
    def work(folder: str, places: int): return inside(folder, places, 0.02)
    wf.step(name=f"s{n}", limits=["shared"])(work)
started = [wf.run(folder=folder, places=places, _priority=n % 3) for n in range(runs)]
print("started", flush=True)
print([r.wait(120) for r in started], flush=True)
sys.stdin.readline()  # there are those of the dead to go on with
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Any:
    ws = Workspace(tmp_path / ".aios")
    yield ws
    ws.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_processes_lose_no_permit_and_lend_none(place: Workspace, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    set_limit(place, "shared", concurrency=2)
    processes = []
    try:
        for n in range(4):
            processes.append(script(place.root, MANY, str(tmp_path), "2", "4", f"flow{n % 2}"))
            if n < 3:
                assert line(processes[n]) == "started"
                until(lambda n=n: any(
                    h["executor"].split("-")[1] == str(processes[n].pid) for h in find_limit(place, "shared").holders
                ) or processes[n].poll() is not None)  # fmt: skip
            if n in (0, 2) or (n == 1 and chance.random() < 0.5):
                processes[n].send_signal(signal.SIGKILL)
        until(lambda: len(control.list_runs(place, limit=100)) == 16 and {
            r["status"] for r in control.list_runs(place, limit=100)
        } == {"succeeded"})  # fmt: skip
        until(lambda: find_limit(place, "shared").in_use == 0)
        assert not find_limit(place, "shared").waiters
        assert not (tmp_path / "violations").exists()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_who_waits_gets_what_a_killed_process_held(place: Workspace, tmp_path: Path) -> None:
    held = """
    @wf.step(limits=["one"])
    def hold():
        import time
        time.sleep(600)
    run = wf.run(); print(run.id, flush=True)
    while run["hold"].status != "running": time.sleep(0.01)
    print("holds", flush=True)
    run.wait(600)
    """
    waits = """
    @wf.step(limits=["one"])
    def wants(): return 7
    run = wf.run()
    while run["wants"].status != "waiting": time.sleep(0.01)
    print("waits", flush=True)
    print(run.result(60))
    """
    first = script(place.root, held)
    run_id = line(first)
    assert line(first) == "holds"
    control.cancel(
        place, run_id, by="ana"
    )  # its thread goes on, and so does its permit: it still uses what it holds
    until(lambda: control.run_status(place, run_id) == "cancelled")
    assert [h["run_id"] for h in find_limit(place, "one").holders] == [run_id]
    second = script(place.root, waits)
    assert line(second) == "waits"
    assert not store.sweep(place)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert finished(second) == "7\n"
    assert find_limit(place, "one").in_use == 0


def test_a_stopped_process_keeps_its_permit(place: Workspace) -> None:
    source = """
    @wf.step(limits=["one"])
    def hold():
        import time
        time.sleep(600)
    run = wf.run()
    while run["hold"].status != "running": time.sleep(0.01)
    print("holds", flush=True)
    run.wait(600)
    """
    process = script(place.root, source)
    assert line(process) == "holds"
    process.send_signal(signal.SIGSTOP)
    assert store.sweep(place) == []
    assert find_limit(place, "one").in_use == 1
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert find_limit(place, "one").in_use == 0


def test_a_rate_holds_over_processes(place: Workspace) -> None:
    set_limit(place, "calls", rate="4/0.5s")
    source = """
    wf = aios.Workflow(sys.argv[1])
    for n in range(6):
        wf.step(name=f"s{n}", limits=["calls"])(lambda: 1)
    sys.stdin.readline()
    print(wf.run().wait(60))
    """
    several = [script(place.root, source, f"flow{n}") for n in range(2)]
    for p in several:
        tell(p)
    assert [finished(p) for p in several] == ["succeeded\n"] * 2
    first = place.catalog.one("select min(created_at) as at from runs")
    last = place.catalog.one("select max(at) as at from limit_uses")
    assert place.catalog.one("select used from limits where name = 'calls'") == {"used": 12}
    assert first
    assert last
    assert (
        last["at"] - first["at"] >= 1.0
    )  # twelve uses fill three windows: the third begins two windows later


def test_runs_of_a_workflow_are_bounded_over_processes(place: Workspace, tmp_path: Path) -> None:
    source = (
        INSIDE
        + """
wf = aios.Workflow("bounded", max_active=2, max_queued=3)
@wf.step
def work(folder: str): return inside(folder, 2, 0.01)
runs = [wf.run(folder=sys.argv[1]) for _ in range(8)]
print([r.wait(120) for r in runs].count("succeeded"))
"""
    )
    several = [script(place.root, source, str(tmp_path)) for _ in range(2)]
    assert [finished(p) for p in several] == ["8\n"] * 2
    assert not (tmp_path / "violations").exists()
    assert [one.in_use for one in find_limits(place) if one.name == "workflow:bounded"] == []


def test_a_killed_process_forgets_nothing_of_what_it_spent(place: Workspace) -> None:
    source = """
    wf = aios.Workflow("spends", total_budget={"tokens": 100})
    @wf.step
    def ask():
        import time
        with aios.context().reserve(tokens=10):
            aios.context().spend(tokens=60)
            aios.context().log("spent")
            while aios.context().attempt == 1: time.sleep(0.01)
    run = wf.run(_key="same"); print(run.id, flush=True)
    while run.spent.get("tokens") != 60: time.sleep(0.01)
    print("spent", flush=True)
    run.wait(600)
    """
    first = script(place.root, source)
    run_id = line(first)
    assert line(first) == "spent"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = """
    run = aios.run(sys.argv[1])
    run.resume()
    try:
        run.result(60)
    except aios.errors.BudgetExceeded as e:
        print(json.dumps([e.scope, e.spent, e.by_step]))
    """
    out = finished(script(place.root, second, run_id))
    assert json.loads(out) == ["workflow", 120, {"ask": 120}]
    assert place.catalog.query("select * from spend_reserved") == []


def test_a_daily_budget_is_one_for_all_processes(place: Workspace) -> None:
    source = """
    wf = aios.Workflow("shared", daily_budget={"calls": 50}, max_parallel=2)
    for n in range(2):
        def ask():
            while True: aios.context().spend(calls=1)
        wf.step(name=f"s{n}")(ask)
    sys.stdin.readline()
    print(wf.run().wait(60))
    """
    several = [script(place.root, source) for _ in range(2)]
    for p in several:
        tell(p)
    assert [finished(p) for p in several] == ["failed\n"] * 2
    spent = place.catalog.one("select sum(amount) as n from spend where unit = 'calls'")
    total = place.catalog.one("select amount as n from spend_totals where unit = 'calls' and day = ''")
    assert spent == total
    assert spent
    assert 51 <= spent["n"] <= 54  # each of four steps in flight has spent one more


def test_waiting_takes_patience_not_processor_time(place: Workspace) -> None:
    set_limit(place, "closed", concurrency=0)
    source = """
    import resource
    for n in range(30):
        wf.step(name=f"s{n}", limits=["closed"])(lambda: 1)
    run = wf.run()
    while any(run[s].status != "waiting" for s in run): time.sleep(0.05)
    statements = []
    catalog = aios.open_workspace().catalog
    real = catalog.ask
    catalog.ask = lambda question: (statements.append(1), real(question))[1]
    time.sleep(2.5)
    print(len(statements))
    run.cancel()
    print(run.wait(60))
    """
    asked, status = finished(script(place.root, source)).split()
    assert status == "cancelled"
    assert int(asked) < 250  # thirty that wait, 2.5 seconds: a glance by one of them, not by each
