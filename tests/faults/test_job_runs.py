"""Backfills, cells and memory with real workers: killed, two at a time."""

from __future__ import annotations

from collections import Counter

import pytest
from job_kit import Start, all_over, job, wait_for

from aios_workbench import promote
from aios_workbench.promote import backfill
from aios_workbench.promote.cells import cells
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

#: Tells for which instant it runs, waits where it is told to, tells that it is done.
SAY = """
import os, pathlib, time
import aios_workbench as aios
at = aios.logical_time().strftime("%H")
print("begin", at, file=open("said", "a"), flush=True)
while pathlib.Path("hold").exists():
    time.sleep(0.05)
"""
DONE = "print('end', at, file=open('said', 'a'), flush=True)"


def said(ws: Workspace) -> list[tuple[str, str]]:
    path = ws.project / "said"
    return (
        [(a, b) for a, b in (line.split() for line in path.read_text().splitlines())] if path.exists() else []
    )


def test_a_backfill_is_done_exactly_once_by_workers_that_are_killed(ws: Workspace, worker: Start) -> None:
    """Two at a time, in order; what a killed worker had begun is begun again, and nothing else is."""
    job(ws, SAY, DONE, schedule="0 * * * *")
    hold = ws.project / "hold"
    hold.touch()
    found = backfill.start(ws, "job", "2026-01-01T00:00", "2026-01-01T03:00", "ada", concurrency=2)
    pair = [worker(), worker()]
    wait_for(lambda: len(said(ws)) >= 2, "two ticks to begin")
    pair[0].kill()
    pair[0].wait()
    pair[1].kill()
    pair[1].wait()
    assert sorted(said(ws)) == [("begin", "00"), ("begin", "01")]  # no third one beside them
    assert backfill.get(ws, found["backfill_id"])["status"] == "running"
    cut = ws.catalog.query("select job_run_id from job_runs where status = 'running'")
    pair = [worker(), worker()]  # each keeps its last slot for the schedule
    wait_for(lambda: len(said(ws)) >= 4, "both to begin again")
    again = [cells(ws, r["job_run_id"], attempt=1) for r in cut]
    assert [c["status"] for ran in again for c in ran] == [
        "failed",
        "skipped",
    ] * 2  # the first attempt's rows stay
    hold.unlink()
    wait_for(lambda: all_over(ws), "all ticks to end")
    told = Counter(said(ws))
    assert {at: n for (what, at), n in told.items() if what == "end"} == dict.fromkeys(("00", "01", "02"), 1)
    assert {at: n for (what, at), n in told.items() if what == "begin"} == {"00": 2, "01": 2, "02": 1}
    ended = backfill.get(ws, found["backfill_id"])
    assert (ended["status"], ended["succeeded"], ended["total"], ended["share"]) == ("succeeded", 3, 3, 1.0)
    runs = promote.history(ws, "job")
    assert len({r["cause"] for r in runs}) == len(runs) == 3
    assert all(r["peak_bytes"] for r in runs)
