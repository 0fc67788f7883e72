"""Real worker processes on one workspace, and jobs that say what they do.

A worker here is a lease and a scheduler, no more; its clock can be shifted, so that hours of ticks pass in
seconds. Notebooks append a line to a file for each cell they finish: what ran how often can be read there.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from aios_workbench import promote
from aios_workbench.promote import JobSpec
from aios_workbench.workspace import Workspace

# Its clock is a file that holds the seconds to add to the real one: all workers read the same.
WORKER = """
import os, signal, threading, time
from pathlib import Path
from aios_workbench.engine.leases import Lease
from aios_workbench.promote import Scheduler
from aios_workbench.workspace import workspace

ws = workspace()
shift = Path(os.environ["SHIFT"])
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
lease = Lease(ws, "worker")
print(lease.executor_id, flush=True)
Scheduler(ws, lease.executor_id, clock=lambda: time.time() + float(shift.read_text() or 0)).run_forever(stop)
lease.release()
ws.close()
"""

#: Tells which run, process and cell it is, then goes on.
SAY = "import os; print(os.environ['AIOS_JOB_RUN'], os.getpid(), {cell}, file=open('said', 'a'), flush=True)"


COMMANDS = {
    "bare": ["-c", WORKER],
    "aios worker": ["-m", "aios_workbench.cli", "worker"],
}
Start = Callable[..., "subprocess.Popen[str]"]


@contextlib.contextmanager
def workspace(project: Path) -> Iterator[Workspace]:
    """A workspace in a folder, and the file its workers' clocks are shifted by."""
    with contextlib.closing(Workspace(project / ".aios")) as ws:
        (project / "shift").write_text("0")
        yield ws


def shift(ws: Workspace, seconds: float) -> float:
    """Shift the workers' clocks, from where they are; returns their time now."""
    file = ws.project / "shift"
    by = float(file.read_text()) + seconds
    temporary = file.with_suffix(".new")  # a worker must not read half of it
    temporary.write_text(str(by))
    temporary.replace(file)
    return time.time() + by


@contextlib.contextmanager
def workers(ws: Workspace) -> Iterator[Start]:
    """Start worker processes; whatever is left of them is killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str = "bare") -> subprocess.Popen[str]:
        env = {**os.environ, "AIOS_HOME": str(ws.root), "SHIFT": str(ws.project / "shift")}
        process = subprocess.Popen(
            [sys.executable, *COMMANDS[kind]], env=env, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert "worker-" in process.stdout.readline()
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def job(ws: Workspace, *sources: str, **options: Any) -> str:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    path = ws.project / "job.ipynb"
    nbformat.write(book, path)
    return promote.promote(ws, path, JobSpec(name="job", notebook="-", **options), "ada").job_id


def said(ws: Workspace) -> list[tuple[str, int, int]]:
    path = ws.project / "said"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(run, int(pid), int(cell)) for run, pid, cell in (line.split() for line in lines)]


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 100.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:.0f} s for {what}")


def all_over(ws: Workspace) -> bool:
    return not ws.catalog.query("select 1 from job_runs where status in ('queued', 'running')")
