"""Jobs under fire: real worker processes on one workspace, killed without warning (see job_kit.py)."""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from job_kit import COMMANDS, SAY, Start, all_over, job, said, wait_for

from aios_workbench import promote
from aios_workbench.promote.claims import LOST_LIMIT
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone


def test_two_workers_many_ticks_many_kills(ws: Workspace, worker: Start) -> None:
    """Ticks pass while workers are killed and replaced at random moments: one row a tick, one finished run a row."""
    job_id = job(ws, SAY.format(cell=1), SAY.format(cell=2), schedule="*/10 * * * *", missed="all")
    shift, start = ws.project / "shift", time.time()
    workers = [worker(), worker()]
    for round_ in range(5):
        shift.write_text(str(float(shift.read_text()) + 600))
        now = time.time() + float(shift.read_text())
        wait_for(lambda now=now: promote.get(ws, job_id).next_tick_at > now, "the tick to be claimed")
        if round_ >= LOST_LIMIT:  # more kills may all hit one run, which is then given up
            continue
        time.sleep(0.5 * round_)  # before, while and after a kernel starts
        victim = workers[round_ % 2]
        victim.kill()
        victim.wait()
        workers[round_ % 2] = worker()
    end = start + 3000
    wait_for(lambda: promote.get(ws, job_id).next_tick_at > end, "all ticks to be claimed")
    wait_for(lambda: all_over(ws), "all runs to end")

    rows = promote.history(ws, job_id, limit=100)
    ticks = [row["tick_at"] for row in rows]
    assert len(ticks) == len(set(ticks))
    steps = {round(b - a) for b, a in itertools.pairwise(ticks)}
    assert steps == {600}
    assert {row["status"] for row in rows} <= {"succeeded", "skipped"}, rows
    assert all((row["reason"] or "").startswith("overlap") for row in rows if row["status"] == "skipped")
    # a last cell is said again only by a run whose worker was killed between that cell and its row
    last = Counter(run for run, _, cell in said(ws) if cell == 2)
    for row in rows:
        if row["status"] == "succeeded":
            assert 1 <= last[row["job_run_id"]] <= row["attempt"]
            if row["attempt"] == 1:
                assert last[row["job_run_id"]] == 1
        else:
            assert last[row["job_run_id"]] == 0


def test_four_workers_race_for_each_tick(ws: Workspace, worker: Start) -> None:
    job_id = job(ws, SAY.format(cell=1), schedule="0 * * * *")
    for _ in range(4):
        worker()
    for tick in range(1, 4):
        (ws.project / "shift").write_text(str(3600 * tick))
        wait_for(lambda n=tick: len(promote.history(ws, job_id)) == n and all_over(ws), f"tick {tick}")
    rows = promote.history(ws, job_id)
    assert [row["status"] for row in rows] == ["succeeded"] * 3
    assert Counter(run for run, _, _ in said(ws)) == {row["job_run_id"]: 1 for row in rows}


def test_killed_in_a_job(ws: Workspace, worker: Start) -> None:
    """kill -9 of the worker: its kernel dies too, another worker finishes the same job run."""
    job_id = job(
        ws, SAY.format(cell=1),
        "import time, pathlib\nhold = pathlib.Path('hold')\nwhile hold.exists():\n    time.sleep(0.05)",
        SAY.format(cell=2),
    )  # fmt: skip
    hold = ws.project / "hold"
    hold.touch()
    run_id = promote.trigger(ws, job_id, "ada")
    first = worker()
    (_, kernel, _) = wait_for(lambda: said(ws), "the first cell")[0]
    wait_for(lambda: list((ws.root / "jobs").rglob("executed*.ipynb")), "the first cell to be written down")
    first.kill()
    first.wait()
    second = worker()
    wait_for(lambda: len(said(ws)) == 2, "the second worker to begin")
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE
    hold.unlink()
    wait_for(lambda: all_over(ws), "the run to end")
    run = promote.get_run(ws, run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    assert [(r, c) for r, _, c in said(ws)] == [(run_id, 1), (run_id, 1), (run_id, 2)]
    assert (Path(run["folder"]) / "executed.attempt-1.ipynb").exists()
    assert "killed the kernel" in (log := (Path(run["folder"]) / "log.txt").read_text()) or "attempt 2" in log
    second.terminate()
    assert second.wait(30) == 0


WORKFLOW = """
import aios_workbench as aios, pathlib, time
wf = aios.Workflow("steps")
def say(what): print(what, file=open("steps", "a"), flush=True)
@wf.step
def first() -> int:
    say("first")
    return 20
@wf.step
def second(first: int) -> int:
    say("second")
    while pathlib.Path("hold").exists():
        time.sleep(0.05)
    return first + 1
"""


@pytest.mark.parametrize("kind", COMMANDS)
def test_workflow_in_a_killed_job_is_resumed(ws: Workspace, worker: Start, kind: str) -> None:
    """The next attempt finds the same workflow run: the step that was done is not done again."""
    run_job = "run = wf.run()\nrun.result()\nopen('result', 'w').write(str(run['second'].output))"
    job_id = job(ws, WORKFLOW, run_job)
    hold, steps = ws.project / "hold", ws.project / "steps"
    hold.touch()
    run_id = promote.trigger(ws, job_id, "ada")
    first = worker(kind)
    wait_for(lambda: steps.exists() and "second" in steps.read_text(), "the second step to begin")
    first.kill()
    first.wait()
    worker(kind)
    wait_for(lambda: steps.read_text().count("second") == 2, "the second step to begin again")
    hold.unlink()
    wait_for(lambda: all_over(ws), "the run to end")
    run = promote.get_run(ws, run_id)
    assert (run["status"], run["attempt"], len(run["runs"])) == ("succeeded", 2, 1), run["error"]
    assert steps.read_text().split() == ["first", "second", "second"]
    assert (ws.project / "result").read_text() == "21"


def test_kernel_dies_with_its_worker(ws: Workspace, worker: Start) -> None:
    """Nobody takes the run up: the kernel must not go on alone."""
    job(ws, SAY.format(cell=1), "import time\ntime.sleep(600)")
    promote.trigger(ws, "job", "ada")
    process = worker()
    (_, kernel, _) = wait_for(lambda: said(ws), "the first cell")[0]
    process.kill()
    process.wait()
    wait_for(lambda: gone(kernel), "the kernel to die", 20)


def gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def test_stopped_worker_is_not_taken_for_dead(ws: Workspace, worker: Start) -> None:
    """A worker that merely hangs (SIGSTOP) keeps its run: nobody starts it a second time."""
    job(ws, SAY.format(cell=1), "import time\ntime.sleep(1)", SAY.format(cell=2))
    run_id = promote.trigger(ws, "job", "ada")
    first = worker()
    wait_for(lambda: said(ws), "the first cell")
    first.send_signal(signal.SIGSTOP)
    worker()
    time.sleep(4)  # longer than a scheduler ever dozes
    assert promote.get_run(ws, run_id)["attempt"] == 1
    first.send_signal(signal.SIGCONT)
    wait_for(lambda: all_over(ws), "the run to end")
    assert promote.get_run(ws, run_id)["status"] == "succeeded"
    assert [c for _, _, c in said(ws)] == [1, 2]


def test_terminated_worker_hands_over(ws: Workspace, worker: Start) -> None:
    """SIGTERM: the run goes back to the queue at once, the worker ends cleanly, another one finishes."""
    job(
        ws,
        SAY.format(cell=1),
        "import time, pathlib\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)",
    )
    run_id = promote.trigger(ws, "job", "ada")
    first = worker()
    wait_for(lambda: said(ws), "the first cell")
    first.terminate()
    assert first.wait(30) == 0
    assert promote.get_run(ws, run_id)["status"] == "queued"
    (ws.project / "go").touch()
    worker()
    wait_for(lambda: all_over(ws), "the run to end")
    assert (promote.get_run(ws, run_id)["status"], promote.get_run(ws, run_id)["attempt"]) == ("succeeded", 2)
