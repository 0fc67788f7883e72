"""A tuning at work: told while it runs, stopped, paused, resumed, bounded; with a strategy that does as it is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_kit import HERE, PATIENCE, problem, start, until

from aios_workbench.errors import ConflictError, NotFoundError, TuningFailed
from aios_workbench.knn import journal
from aios_workbench.knn.models import Constraints, TuningState
from aios_workbench.knn.tuning import Tuning
from aios_workbench.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path / ".aios")
    yield space
    space.close()


@pytest.fixture
def going(ws: Workspace) -> Iterator[Tuning]:
    """A tuning that goes on until somebody stops it."""
    tuning = start(ws, then="until_stopped")
    until(lambda: len(tuning.state.points) == 3)
    yield tuning
    tuning.stop()


def ids(state: TuningState) -> list[str]:
    return [p.id for p in state.points]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z")


# ---------------------------------------------------------------- while it runs


def test_a_tuning_tells_its_listeners_everything_in_order(ws: Workspace) -> None:
    seen: list[TuningState] = []
    told = threading.Event()
    tuning = start(ws, seconds=0.05)
    undo = tuning.on_change(seen.append)
    tuning.on_change(lambda s: told.set() if s.status == "finished" else None)
    assert tuning.wait(PATIENCE) is tuning
    assert told.wait(PATIENCE)
    last = tuning.state
    assert last.status == "finished"
    assert last.error is None
    assert ids(last) == ["p0", "p1", "p2"]
    assert [p.label for p in last.pruned] == ["HNSW32"]
    assert "began with 0 points" in last.notes
    assert last.elapsed > 0
    assert [s.seq for s in seen] == sorted({s.seq for s in seen})
    assert "trying" in {s.phase for s in seen}
    undo()
    n = len(seen)
    tuning.constrain(Constraints(recall=0.5))
    assert len(seen) == n


def test_a_listener_that_fails_stops_nothing(ws: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    tuning = start(ws, seconds=0.05)

    def broken(_: TuningState) -> None:
        raise RuntimeError("no screen")

    tuning.on_change(broken)
    assert tuning.wait(PATIENCE).state.status == "finished"
    assert "no screen" in caplog.text


def test_the_choice_follows_what_is_measured_and_what_is_asked_for(going: Tuning) -> None:
    # p0 has recall .90 but not assured, p1 .91, p2 .92; the lower the recall the faster
    assert going.state.chosen == "p1"
    assert going.state.front == ["p0", "p1", "p2"]
    going.constrain(Constraints(recall=0.915))
    assert going.state.chosen == "p2"
    assert going.cost_of(0.905).point == "p1"
    assert going.cost_of(0.905).slower == pytest.approx(800 / 900)
    assert going.cost_of(0.99).point is None
    going.choose("p0")
    assert (going.state.chosen, going.state.picked_by_hand) == ("p0", True)
    going.constrain(Constraints(recall=0.99))
    assert going.state.chosen is None
    with pytest.raises(NotFoundError, match=r"no point 'p9'; `tuning\.points` lists them"):
        going.choose("p9")


def test_other_constraints_reach_a_running_search(ws: Workspace) -> None:
    tuning = start(ws, then="obey")
    until(lambda: tuning.state.points)
    tuning.constrain(Constraints(recall=0.5))
    assert "now 0.5" in tuning.wait(PATIENCE).state.notes


def test_stop_ends_the_process_and_keeps_what_is_measured(going: Tuning) -> None:
    remote = going._remote
    assert remote is not None
    assert going.stop().state.status == "stopped"
    assert gone(remote.process.pid)
    assert ids(going.state) == ["p0", "p1", "p2"]
    assert going.stop().state.status == "stopped"  # again: nothing to do
    with pytest.raises(ConflictError, match=r"cannot pause .* it is stopped"):
        going.pause()


def test_stop_ends_a_process_that_does_not_listen(ws: Workspace) -> None:
    tuning = start(ws, then="stubborn")
    until(lambda: len(tuning.state.points) == 3)
    remote = tuning._remote
    assert remote is not None
    tuning.stop()
    assert tuning.state.status == "stopped"
    assert remote.process.returncode == -signal.SIGKILL
    assert ids(tuning.state) == ["p0", "p1", "p2"]


def test_a_listener_may_stop_the_tuning(ws: Workspace) -> None:
    tuning = start(ws, then="until_stopped", seconds=0.05)
    tuning.on_change(lambda s: tuning.stop() if len(s.points) >= 2 and s.status == "running" else None)
    assert tuning.wait(PATIENCE).state.status == "stopped"


def test_a_pause_rests_and_does_not_count(ws: Workspace) -> None:
    tuning = start(ws, then="ticking")
    until(lambda: tuning.state.phase == "tick")
    assert tuning.pause().state.status == "paused"
    said: list[str] = []

    def quiet() -> bool:
        said.append(tuning.state.doing)
        time.sleep(0.3)
        return len(said) > 1 and said[-1] == said[-2]

    until(quiet, "a pause")
    before = tuning.state.elapsed
    assert tuning.resume().state.status == "running"
    until(lambda: tuning.state.doing != said[-1])
    assert tuning.state.elapsed - before < 0.3 * len(said) + 60
    tuning.pause()
    assert tuning.stop().state.status == "stopped"  # also out of a pause


def test_the_budget_ends_the_search_by_itself(ws: Workspace) -> None:
    tuning = start(ws, of=problem(budget_seconds=0.3), then="until_stopped").wait(PATIENCE)
    assert tuning.state.status == "finished"
    assert "the time is over: the budget was 0.3 s" in tuning.state.notes


def test_the_budget_ends_what_does_not_look_at_the_time(ws: Workspace) -> None:
    tuning = start(ws, of=problem(budget_seconds=0.3), then="stubborn").wait(PATIENCE)
    assert tuning.state.status == "finished"
    assert tuning.state.error is None
    assert any("did not end with the budget of 0.3 s" in note for note in tuning.state.notes)
    assert ids(tuning.state) == ["p0", "p1", "p2"]


def test_the_budget_and_a_stop_end_what_keeps_pythons_lock(ws: Workspace) -> None:
    tuning = start(ws, of=problem(budget_seconds=0.3), then="deaf").wait(PATIENCE)
    assert tuning.state.status == "finished"
    assert any("cannot be interrupted" in note for note in tuning.state.notes)
    other = start(ws, of=problem(seed=1), then="deaf")
    until(lambda: len(other.state.points) == 3)
    assert other.stop().state.status == "stopped"


def test_the_memory_bound_ends_the_search_with_a_reason(ws: Workspace) -> None:
    tuning = start(ws, then="eat", worker_memory=300 * 10**6).wait(PATIENCE)
    assert tuning.state.status == "failed"
    assert "more than its bound of 300 MB" in (tuning.state.error or "")
    assert "What it measured is kept" in (tuning.state.error or "")
    assert ids(tuning.state) == ["p0", "p1", "p2"]
    assert tuning.state.chosen == "p1"


# ---------------------------------------------------------------- deaths


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("killed", "was killed (SIGKILL)"),
        ("crash", "crashed (SIGSEGV). Fatal Python error: Segmentation fault"),
        ("leave", "ended with code 7"),
        ("fail", "ValueError: this family is broken"),
    ],
)
def test_a_dead_worker_is_a_failed_tuning_that_keeps_everything(
    ws: Workspace, then: str, reason: str
) -> None:
    tuning = start(ws, then=then).wait(PATIENCE)
    assert tuning.state.status == "failed"
    assert reason in (tuning.state.error or "")
    assert ids(tuning.state) == ["p0", "p1", "p2"]
    (row,) = ws.catalog.query("select status, error from tunings")
    assert row["status"] == "failed"
    assert reason in row["error"]
    assert len(ws.catalog.query("select * from tuning_points")) == 3


def test_a_worker_killed_from_outside_fails_the_tuning(going: Tuning) -> None:
    remote = going._remote
    assert remote is not None
    os.kill(remote.process.pid, signal.SIGKILL)
    going.wait(PATIENCE)
    assert going.state.status == "failed"
    assert "killed (SIGKILL)" in (going.state.error or "")


def test_nothing_to_offer_is_said_with_its_reason(ws: Workspace) -> None:
    tuning = start(ws, constraints=Constraints(recall=0.99)).wait(PATIENCE)
    with pytest.raises(
        TuningFailed, match=r"no point holds recall 0.99; it would do to ask for recall 0.919"
    ):
        _ = tuning.best
    failed = start(ws, of=problem(seed=5), points=0, then="fail").wait(PATIENCE)
    with pytest.raises(TuningFailed, match=r"nothing is measured .* this family is broken"):
        _ = failed.best


def test_an_interrupt_ends_the_waiting_only(going: Tuning) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        going.wait(PATIENCE)
    assert going.state.status == "running"
    assert going.wait(0.01).state.status == "running"
    assert going.stop().state.status == "stopped"


def test_waiting_says_what_is_found(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    start(ws, seconds=0.05).wait(PATIENCE)
    out = capsys.readouterr().out
    assert "nprobe 4: recall 0.910" in out
    assert "900 queries/s" in out
    start(ws).wait(PATIENCE, progress=False)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- other processes

SCRIPT = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tuning_kit import start, until
from aios_workbench.workspace import Workspace
if __name__ != "__main__":
    raise SystemExit("imported again")
ws = Workspace(Path(sys.argv[1]))
tuning = start(ws, **eval(sys.argv[3]))
"""


def script(ws: Workspace, arguments: str, then: str) -> subprocess.Popen[str]:
    """Start a kernel of another process that tunes on the same workspace."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + then, str(ws.root), HERE, arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


HOLD = """
until(lambda: len(tuning.state.points) == 3)
print(tuning.id, tuning._remote.process.pid, flush=True)
time.sleep(600)
"""


def test_the_worker_dies_with_its_kernel_and_the_next_goes_on(ws: Workspace, tmp_path: Path) -> None:
    file = str(tmp_path / "measured")
    kernel = script(ws, f"dict(then='stubborn', file={file!r})", HOLD)
    assert kernel.stdout is not None
    name, worker = kernel.stdout.readline().split()
    ws.catalog.flush()
    until(lambda: len(ws.catalog.query("select * from tuning_points")) == 3, "points in the catalog")
    assert journal.at_work(ws, name)
    kernel.kill()
    kernel.communicate(timeout=PATIENCE)
    until(lambda: gone(int(worker)), "the worker's end")
    until(lambda: not journal.at_work(ws, name))
    assert ws.catalog.one("select status from tunings where tuning_id = :n", n=name) == {"status": "running"}
    again = start(ws, file=file, points=4).wait(PATIENCE)
    row = ws.catalog.one("select status, error, ended_at from tunings where tuning_id = :n", n=name)
    assert row is not None
    assert row["status"] == "failed"
    assert "has ended without a word" in row["error"]
    assert ids(again.state) == ["p0", "p1", "p2", "p3"]
    assert "goes on from 3 points measured before" in again.state.notes
    assert [line.split()[0] for line in Path(file).read_text().splitlines()] == ["p0", "p1", "p2", "p3"]


def test_a_script_that_ends_leaves_no_process_and_no_row_that_runs(ws: Workspace) -> None:
    done = script(
        ws,
        "dict(then='stubborn')",
        "until(lambda: len(tuning.state.points) == 3)\nprint(tuning._remote.process.pid)",
    )
    out, error = done.communicate(timeout=PATIENCE)
    assert done.returncode == 0, error
    assert gone(int(out))
    assert ws.catalog.query("select status from tunings") == [{"status": "stopped"}]


def test_two_kernels_at_once_add_to_one_table(ws: Workspace) -> None:
    wait = f"tuning.wait({PATIENCE}, progress=False)\nprint(tuning.state.status, len(tuning.state.points))"
    kernels = [script(ws, "dict(points=40, seconds=0.01)", wait) for _ in range(2)]
    for kernel in kernels:
        out, error = kernel.communicate(timeout=PATIENCE)
        assert kernel.returncode == 0, error
        status, points = out.split()
        assert status == "finished"
        assert int(points) == 40
    assert len(ws.catalog.query("select * from tuning_points")) == 40
    assert ws.catalog.query("pragma integrity_check") == [{"integrity_check": "ok"}]
    assert {r["status"] for r in ws.catalog.query("select status from tunings")} == {"finished"}


def test_the_same_task_again_stops_the_first_in_this_kernel(going: Tuning, ws: Workspace) -> None:
    again = start(ws, then="until_stopped")
    assert going.state.status == "stopped"
    assert ids(again.state)[:3] == ["p0", "p1", "p2"]
    other = start(ws, of=problem(seed=1), then="until_stopped")  # another task: both run
    assert again.state.status == "running"
    assert other.state.notes == []
    again.stop()
    other.stop()


def test_points_of_another_task_are_not_taken_over(ws: Workspace) -> None:
    start(ws).wait(PATIENCE)
    for change in ({"fingerprint": "g"}, {"threads": 2}, {"k": 4}, {"machine": "n"}, {"seed": 3}):
        assert journal.known(ws, problem(**change)) == []
    assert len(journal.known(ws, problem(budget_seconds=5.0))) == 3


def test_the_worker_holds_on_to_nothing_of_its_folder(ws: Workspace) -> None:
    tuning = start(ws).wait(PATIENCE)
    folder = journal.folder_of(ws, tuning.id)
    assert {p.name for p in folder.iterdir()} == {
        "asked.json", "job.json", "lock", "queries.npy", "rows.npy", "worker.log",
    }  # fmt: skip
    assert (folder / "worker.log").read_text() == ""
