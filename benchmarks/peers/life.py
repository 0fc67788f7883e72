"""The worker's life: what it costs while it has nothing to do, and how soon it goes on with a killed kernel's run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from common import options, report

from aios_workbench.engine import control, leases
from aios_workbench.workspace import workspace

IDLE_SECONDS = 10.0
KERNEL = """
import sys
import aios_workbench as aios
wf = aios.Workflow("victim")
@wf.step
def first(): return 1
@wf.step
def second(first):
    import time
    import aios_workbench as aios
    while aios.context().attempt == 1: time.sleep(0.01)
    return first
run = wf.run()
print(run.id, flush=True)
run.wait()
"""


def processor_seconds(pid: int) -> float:
    """Return how long a process has had a processor."""
    with Path(f"/proc/{pid}/stat").open(encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return the megabytes a process holds."""
    with Path(f"/proc/{pid}/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def idle(pid: int) -> tuple[float, float]:
    """Return a worker's share of one processor in per cent, and its megabytes."""
    time.sleep(3)  # it has just started
    before, began = processor_seconds(pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return 100 * (processor_seconds(pid) - before) / (time.monotonic() - began), resident(pid)


def recovery() -> float:
    """Kill a kernel in its second step; return the seconds until that step runs again, in the worker."""
    kernel = subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE, text=True)
    assert kernel.stdout is not None
    run = kernel.stdout.readline().strip()
    while not any(a["status"] == "running" for a in control.attempts(ws, run, "second")):
        time.sleep(0.01)
    kernel.send_signal(signal.SIGKILL)
    killed = time.time()
    kernel.wait()
    while len(found := control.attempts(ws, run, "second")) < 2:
        time.sleep(0.01)
        if time.time() - killed > 60:
            sys.exit("nobody went on with the run for a minute")
    return float(found[1]["started_at"] - killed)


o = options()
ws = workspace()
worker = subprocess.Popen([sys.executable, "-m", "aios_workbench.cli", "worker"], stdout=subprocess.DEVNULL)
try:
    while not leases.workers_alive(ws):
        time.sleep(0.05)
    percent, megabytes = idle(worker.pid)
    seconds = [recovery() for _ in range(o.repeats)]
finally:
    worker.terminate()
    worker.wait(30)
report(idle_percent=percent, idle_mb=megabytes, recovery_s=seconds)
