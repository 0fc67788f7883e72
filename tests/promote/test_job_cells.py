"""Cells of a run: rows without a kernel, then one that is followed while it runs; memory, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_helpers import add_job, wait_for

from aios_workbench import promote
from aios_workbench.errors import NotFoundError
from aios_workbench.promote import JobSpec, Scheduler
from aios_workbench.promote.cells import Recorder, cell_log, cells
from aios_workbench.promote.memory import Meter
from aios_workbench.promote.records import run_row
from aios_workbench.promote.report import Log
from aios_workbench.workspace import Workspace

T0 = 1_800_000_000.0


@pytest.fixture
def run(ws: Workspace) -> dict[str, Any]:
    ws.catalog.write(
        "insert into job_runs (job_run_id, job_id, version, trigger, status, attempt, owner, queued_at, folder) "
        "values ('jr-1', :job, 1, 'manual', 'running', 1, 'w', 0, 'here')",
        job=add_job(ws, None, T0),
    )
    (ws.root / "here").mkdir(parents=True)
    return run_row(ws, "jr-1")


def log_of(ws: Workspace) -> Log:
    return Log(ws.root / "here" / "log.txt")


def states(ws: Workspace, attempt: int | None = None) -> list[str]:
    return [c["status"] for c in cells(ws, "jr-1", attempt)]


def test_rows_follow_the_cells(ws: Workspace, run: dict[str, Any]) -> None:
    with log_of(ws) as log:
        log.say("before")
        recorder = Recorder(ws, run, log)
        recorder.plan([None, 2, 4])
        assert states(ws) == ["queued"] * 3
        recorder.begin(1)
        log.write("one ü\n")
        recorder.end(1, ok=True)
        recorder.begin(2)
        log.write("half of ü: ")
        assert states(ws) == ["succeeded", "running", "queued"]
        assert cell_log(ws, "jr-1", 1) == {"text": "one ü\n", "next": 7, "over": True}
        first = cell_log(ws, "jr-1", 2)
        assert first == {"text": "half of ü: ", "next": 12, "over": False}
        assert cell_log(ws, "jr-1", 3) == {"text": "", "next": 0, "over": False}
        path = ws.root / "here" / "log.txt"
        with path.open("ab") as beside:  # a letter of which only half is there
            beside.write("ü".encode()[:1])
        assert cell_log(ws, "jr-1", 2, first["next"]) == {"text": "", "next": 12, "over": False}
        with path.open("r+b") as beside:
            beside.truncate(path.stat().st_size - 1)
        log.write("done")
        recorder.close()
    assert states(ws) == ["succeeded", "failed", "skipped"]
    assert cell_log(ws, "jr-1", 2, first["next"]) == {"text": "done", "next": 16, "over": True}
    found = cells(ws, "jr-1")
    assert [(c["cell"], c["label"], c["attempt"], c["log"]) for c in found] == [
        (None, "parameters", 1, 7), (2, "cell 2", 1, 16), (4, "cell 4", 1, None),
    ]  # fmt: skip
    with pytest.raises(NotFoundError, match=r"no cell at position 9 .*1 to 3"):
        cell_log(ws, "jr-1", 9)


def test_an_attempt_whose_worker_died_says_so_and_keeps_its_rows(ws: Workspace, run: dict[str, Any]) -> None:
    with log_of(ws) as log:
        dead = Recorder(ws, run, log)
        dead.plan([1, 2])
        dead.begin(1)
        log.write("cut off")
        ws.catalog.flush()
    ws.catalog.write("update job_runs set status = 'queued'")
    assert states(ws) == ["failed", "skipped"]  # said of it, before anybody could write it down
    ws.catalog.write("update job_runs set status = 'running', attempt = 2")
    with log_of(ws) as log:
        again = Recorder(ws, run_row(ws, "jr-1"), log)
        again.plan([1, 2])
        again.begin(1)
        log.write("second")
        again.end(1, ok=True)
    assert (states(ws, 1), states(ws)) == (["failed", "skipped"], ["succeeded", "queued"])
    assert cell_log(ws, "jr-1", 1, attempt=1)["text"] == "cut off"
    assert cell_log(ws, "jr-1", 1)["text"] == "second"


def test_a_locked_catalog_does_not_stop_a_cell(ws: Workspace, run: dict[str, Any]) -> None:
    with log_of(ws) as log:
        recorder = Recorder(ws, run, log)
        inside, go = threading.Event(), threading.Event()

        def hold() -> None:
            with ws.catalog.transaction():
                inside.set()
                go.wait(20)

        holder = threading.Thread(target=hold)
        holder.start()
        inside.wait(20)
        recorder.plan([1])  # returns at once
        recorder.begin(1)
        recorder.end(1, ok=True)
        assert ws.catalog.query("select * from job_cells") == []
        go.set()
        holder.join()
        recorder.close()
    assert states(ws) == ["succeeded"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")
def test_a_full_disk_leaves_a_gap_in_the_log_and_nothing_else(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.txt")
    log.write("before\n")
    room, log._file = log._file, Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115 - closed below
    log.write("lost\n")
    log.say("lost, too")
    log._file.close()
    log._file = room
    log.write("after\n")
    log.__exit__(None, None, None)
    text = (tmp_path / "log.txt").read_text()
    assert text.startswith("before\n\n… ")
    assert text.endswith("characters are missing here: they could not be written, the disk was full\nafter\n")
    assert log.place() == len(text.encode())


GREEDY = """
import os, subprocess, sys, time
child = "x = bytearray(60_000_000)\\nimport time\\nprint('on', flush=True)\\ntime.sleep(100)"
options = {"stdout": subprocess.PIPE, "start_new_session": True}
kids = [subprocess.Popen([sys.executable, "-c", child], **options) for _ in range(3)]
[k.stdout.readline() for k in kids]
print(*[k.pid for k in kids], flush=True)
time.sleep(100)
"""


def test_children_count_and_are_killed_too() -> None:
    import psutil

    env = {**os.environ, "AIOS_JOB_RUN": "jr-mine"}
    with subprocess.Popen(
        [sys.executable, "-c", GREEDY], env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        kids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(kids) == 3
        free = Meter()
        free.start(process.pid)
        free.stop()
        assert free.peak > 180_000_000  # what no one of them holds by itself
        assert free.over is None
        os.kill(kids[0], 0)
        capped = Meter(150_000_000, "AIOS_JOB_RUN=jr-mine")
        capped.start(process.pid)
        wait_for(lambda: capped.over, "the cap to be noticed")
        capped.stop()
        process.wait(20)
    assert capped.over is not None
    assert capped.over > 150_000_000
    for pid in kids:
        wait_for(
            lambda pid=pid: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", "its end"
        )
    assert "more than the job's memory cap of 150 MB" in capped.explain()


def test_a_process_that_left_the_family_is_found_by_its_mark() -> None:
    """A daemon: its parents have ended, and it has a session of its own."""
    daemon = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nprint(os.getpid(), flush=True)\ntime.sleep(100)"
    env = {**os.environ, "AIOS_JOB_RUN": "jr-daemon"}
    with subprocess.Popen(
        [sys.executable, "-c", daemon], env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            meter = Meter(None, "AIOS_JOB_RUN=jr-daemon")
            meter._pid = os.getpid()
            assert pid in meter._family()
            assert pid not in Meter(None, "AIOS_JOB_RUN=other")._family()
        finally:
            os.kill(pid, 9)


def test_a_run_is_followed_cell_by_cell_and_capped(
    ws: Workspace, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        "big.ipynb",
        "import os, time\nprint('said at once', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.05)",
        "# counts, too",
        "kept = [bytearray(os.urandom(1) * 40_000_000) for _ in range(1000) if time.sleep(0.02) is None]",
        "never = 1",
        parameters="n = 1",
    )
    promote.promote(ws, path, JobSpec(name="big", notebook="-", memory="600MB"), "ada")
    run_id = promote.trigger(ws, "big", "ada")
    scheduler = Scheduler(ws, "w", alive=lambda _: True)
    scheduler.step(T0)

    def following() -> Any:
        found = [c for c in cells(ws, run_id) if c["status"] == "running" and c["cell"] == 2]
        return found and "said at once" in cell_log(ws, run_id, found[0]["position"])["text"]

    wait_for(following, "the log of the running cell")
    assert [c["status"] for c in cells(ws, run_id)][-1] == "queued"
    (path.parent / "go").touch()
    assert scheduler.wait(100)
    run = promote.get_run(ws, run_id)
    assert (run["status"], run["error"]["type"], run["error"]["cell"]) == ("failed", "MemoryLimit", 4), run
    assert "more than the job's memory cap of 600 MB" in run["reason"]
    assert run["peak_bytes"] > 600_000_000
    assert [(c["cell"], c["status"]) for c in cells(ws, run_id)] == [
        (1, "succeeded"), (None, "succeeded"), (2, "succeeded"), (3, "succeeded"), (4, "failed"), (5, "skipped"),
    ]  # fmt: skip
    assert json.loads(json.dumps(cells(ws, run_id)))
