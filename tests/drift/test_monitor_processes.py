"""Monitors and processes: two that observe at once, one that is killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aios_workbench.drift.monitor import Monitor
from aios_workbench.drift.profiles import profile
from aios_workbench.workspace import Workspace, workspace

HEADER = """
import os, signal, sys
import numpy as np, pandas as pd
import aios_workbench as aios
from aios_workbench.drift import monitor_store
def rows(seed, shift=0.0):
    return pd.DataFrame({"income": np.random.default_rng(seed).normal(shift, 1, 100)})
monitor = aios.drift.Monitor("claims")
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    made = workspace()
    yield made
    made.close()


@pytest.fixture
def monitor(ws: Workspace) -> Monitor:
    reference = pd.DataFrame({"income": np.random.default_rng(99).normal(size=2000)})
    return Monitor("claims", profile(reference), window="1d", rules={"effect": 0.3})


def process(ws: Workspace, source: str, *arguments: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", HEADER + textwrap.dedent(source), *arguments],
        env={**os.environ, "AIOS_HOME": str(ws.root)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    said = started.stdout.readline()
    assert said == "ready\n", started.communicate()[1]
    return started


def go(*processes: subprocess.Popen[str]) -> None:
    for p in processes:
        assert p.stdin is not None
        p.stdin.write("go\n")
        p.stdin.flush()


def files(monitor: Monitor) -> set[str]:
    return {p.name for p in monitor._store.folder.iterdir() if p.name != "lock"}


def referred(monitor: Monitor) -> set[str]:
    found = {r["file"] for r in (monitor._store.row() or {})["reference"]}
    return found | {w[k] for w in monitor._store.windows() for k in ("profile", "report")}


def test_two_processes_that_observe_at_once_lose_nothing(ws: Workspace, monitor: Monitor) -> None:
    source = """
    told = []
    monitor.on_alert = told.append
    mine = int(sys.argv[1])
    for i in range(12):
        # every batch is delivered by both: it counts once
        monitor.observe(rows(i), f"2026-01-0{1 + i // 4}", id=f"both {i}")
        monitor.observe(rows(100 * mine + i, shift=3.0), "2026-01-07", id=f"{mine}/{i}")
    monitor.observe(rows(1), "2026-01-09", id=f"{mine}/last")
    print(len(told), flush=True)
    """
    both = [process(ws, source, str(n)) for n in (1, 2)]
    go(*both)
    out = [p.communicate(timeout=120) for p in both]
    assert [p.returncode for p in both] == [0, 0], out
    history = monitor.history().set_index("window")
    assert history["rows"].to_dict() == {
        "2026-01-01": 400, "2026-01-02": 400, "2026-01-03": 400, "2026-01-07": 2400, "2026-01-09": 200,
    }  # fmt: skip
    assert history["batches"].sum() == 12 + 24 + 2
    whole = monitor._store.profile(monitor._store.window("2026-01-07")["profile"])  # type: ignore[index]
    assert whole.rows == 2400
    # one alert, told by one of them
    assert [a.kind for a in monitor.alerts] == ["drift"]
    assert sum(int(o) for o, _ in out) == 1
    events = ws.catalog.query("select * from events where kind = 'drift.alert'")
    assert len(events) == 1


#: Where the process is killed, and how many batches the window has afterwards.
POINTS = {
    "after the profile": ("put_profile", "after", 0),
    "before the commit": ("commit", "before", 0),
    "after the commit": ("commit", "after", 1),
    "before the alert is told": ("claim", "before", 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_the_state_before_or_after(ws: Workspace, monitor: Monitor, point: str) -> None:
    method, when, there = POINTS[point]
    killed = process(ws, f"""
    real = monitor_store.Store.{method}
    def dying(self, *a, **k):
        if {when!r} == "after":
            real(self, *a, **k)
        os.kill(os.getpid(), signal.SIGKILL)
    monitor.observe(rows(1, shift=3.0), "2026-01-02", id="first")
    monitor.on_alert = print
    monitor_store.Store.{method} = dying
    monitor.observe(rows(2, shift=3.0), "2026-01-03", id="second")
    """)  # fmt: skip
    go(killed)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    history = monitor.history()
    assert history["window"].tolist() == ["2026-01-02", "2026-01-03"][: 1 + there]
    assert referred(monitor) <= files(monitor)
    for window in history["window"]:
        assert monitor.report(window).data.current.rows == 100
    # nobody holds the lock any more; whoever delivers again changes nothing that was there
    told: list[Any] = []
    monitor.on_alert = told.append
    for name, at in (("first", "2026-01-02"), ("second", "2026-01-03")):
        seed = 1 if name == "first" else 2
        frame = pd.DataFrame({"income": np.random.default_rng(seed).normal(3.0, 1, 100)})
        monitor.observe(frame, at, id=name)
    monitor.settle("2026-01-09")
    assert monitor.history()["rows"].tolist() == [100, 100]
    assert [a.kind for a in monitor.alerts] == ["drift"]
    assert [a.kind for a in told] == ["drift"]
    events = ws.catalog.query("select * from events where kind = 'drift.alert'")
    assert len(events) == 1


def test_what_a_killed_process_left_is_swept(ws: Workspace, monitor: Monitor) -> None:
    monitor.observe(pd.DataFrame({"income": np.zeros(100)}), "2026-01-02")
    left = monitor._store.folder / "profile-left"
    left.write_text("half")
    os.utime(left, (1, 1))
    young = monitor._store.folder / "report-young.json"
    young.write_text("another is reading it")
    monitor.observe(pd.DataFrame({"income": np.zeros(100)}), "2026-01-02")
    assert not left.exists()
    assert young.exists()
    assert referred(monitor) <= files(monitor)
