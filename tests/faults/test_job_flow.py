"""Runs that follow each other, and what is told, with real workers: killed, without a disk, with a wrong clock."""

from __future__ import annotations

import http.server
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from disks import small_disk
from job_kit import Start, all_over, job, shift, wait_for, workers, workspace

from aios_workbench import promote
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

#: Says how many kernels of the job live when it begins, then waits.
COUNT = """
import os, pathlib, time
here = pathlib.Path("going"); here.mkdir(exist_ok=True)
(here / str(os.getpid())).touch()
def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
print(os.environ["AIOS_JOB_RUN"], sum(lives(p.name) for p in here.iterdir()), file=open("said", "a"), flush=True)
time.sleep(1)
"""
AFTER = "(here / str(os.getpid())).unlink()"
HOLD = "import pathlib, time\nwhile pathlib.Path('hold').exists():\n    time.sleep(0.05)"


def next_tick(ws: Workspace, job_id: str) -> float:
    """Let the workers' clock come to the next tick, which is then on time; returns that tick."""
    at = promote.get(ws, job_id).next_tick_at
    assert at is not None
    shift(ws, at + 1 - shift(ws, 0))
    return at


def test_queued_ticks_with_two_workers_and_kills(ws: Workspace, worker: Start) -> None:
    """Each tick once, in its order, two side by side at most."""
    job_id = job(ws, COUNT, AFTER, schedule="*/10 * * * *", overlap="queue", concurrency=2)
    pair = [worker(), worker()]
    for tick in range(4):
        at = next_tick(ws, job_id)
        wait_for(lambda at=at: promote.get(ws, job_id).next_tick_at > at, "the tick to be claimed")
        if tick in (1, 2):
            time.sleep(1)
            pair[tick % 2].kill()
            pair[tick % 2].wait()
            pair[tick % 2] = worker()
    wait_for(lambda: all_over(ws), "all runs to end")
    rows = sorted(promote.history(ws, job_id, limit=100), key=lambda row: row["tick_at"])
    assert {round(b["tick_at"] - a["tick_at"]) for a, b in itertools.pairwise(rows)} == {600}
    assert {row["status"] for row in rows} == {"succeeded"}, rows
    assert len(rows) >= 4
    starts = [row["started_at"] for row in rows]
    assert starts == sorted(starts)
    said = [line.split() for line in (ws.project / "said").read_text().splitlines()]
    assert {run for run, _ in said} == {row["job_run_id"] for row in rows}
    assert max(int(count) for _, count in said) <= 2


def test_a_replaced_run_though_its_worker_is_killed(ws: Workspace, worker: Start) -> None:
    """The first tick hangs; the second replaces it; whoever lives does the rest."""
    job_id = job(ws, HOLD, schedule="*/10 * * * *", overlap="replace")
    (ws.project / "hold").touch()
    first = worker()

    def going() -> list[dict[str, Any]]:
        return ws.catalog.query("select * from job_runs where status = 'running'")

    next_tick(ws, job_id)
    (hangs,) = wait_for(going, "the first tick to run")
    first.kill()  # with the notebook under way: nobody else has seen that it is dead yet
    first.wait()
    next_tick(ws, job_id)
    worker()
    worker()
    (second,) = wait_for(
        lambda: [r for r in going() if r["job_run_id"] != hangs["job_run_id"]], "the second tick to run"
    )
    (ws.project / "hold").unlink()
    wait_for(lambda: all_over(ws), "all runs to end")
    old = promote.get_run(ws, hangs["job_run_id"])
    assert old["status"] in ("cancelled", "skipped"), old
    assert old["reason"].startswith("replaced by jr-"), old
    assert promote.get_run(ws, second["job_run_id"])["status"] == "succeeded"
    ticks = [row["tick_at"] for row in promote.history(ws, job_id)]
    assert len(ticks) == len(set(ticks))


class Hook(http.server.BaseHTTPRequestHandler):
    """A web hook that remembers what it is told."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_an_endpoint_that_is_down_is_told_when_it_is_up_whoever_was_killed(
    ws: Workspace, worker: Start
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failing = "import pathlib\nprint('read 0 rows for ada@example.com')\nassert pathlib.Path('rows').exists()"
    run_id = _failing(ws, failing, f"json://127.0.0.1:{port}/hook")
    first = worker()
    wait_for(
        lambda: ws.catalog.query("select 1 from job_alerts where error is not null"), "the first attempt"
    )
    first.kill()
    first.wait()
    handler = type("Handler", (Hook,), {"got": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        shift(ws, 60)
        worker()
        wait_for(lambda: handler.got, "the alert")
        (ws.project / "rows").touch()
        promote.trigger(ws, "job", "ada")
        wait_for(lambda: len(handler.got) == 2, "the recovery")
    finally:
        server.shutdown()
        server.server_close()
    failed, recovered = handler.got
    assert failed["title"] == "job failed"
    for part in ("AssertionError", run_id, "Cell 1, line 3:", "→   3  assert", "read 0 rows for email_"):
        assert part in failed["message"], failed["message"]
    assert "ada@example.com" not in failed["message"]
    assert recovered["title"] == "job works again"


def _failing(ws: Workspace, source: str, channel: str) -> str:
    job(ws, source, alerts=[channel])
    return promote.trigger(ws, "job", "ada")


def test_a_clock_that_jumps_forward_and_back(ws: Workspace, worker: Start) -> None:
    """A year ahead for a moment: one run, no flood of alerts, and the job goes on by the right clock."""
    job_id = job(
        ws, "1 + 1", schedule="0 * * * *", late_after="1h", absent_after="1d", alerts=["json://127.0.0.1:9/x"]
    )
    due = promote.get(ws, job_id).next_tick_at
    assert due is not None
    worker()
    year = 365 * 86_400.0
    shift(ws, year)
    wait_for(
        lambda: promote.get(ws, job_id).next_tick_at > due + year / 2, "the ticks of a year to be claimed"
    )
    wait_for(lambda: all_over(ws), "the run to end")
    shift(ws, -year)
    wait_for(lambda: promote.get(ws, job_id).next_tick_at == due, "the next tick to be the right one")
    rows = promote.history(ws, job_id, limit=200)
    assert [row["status"] for row in rows] == ["succeeded"]
    assert len(ws.catalog.query("select 1 from job_alerts")) <= 2
    now = shift(ws, due - time.time() + 1)
    wait_for(lambda: promote.get(ws, job_id).next_tick_at > now, "the tick to be claimed")
    wait_for(lambda: all_over(ws), "its run to end")
    assert [r["status"] for r in promote.history(ws, job_id) if r["tick_at"] == due] == ["succeeded"]
    assert ws.catalog.query("select * from job_alarms where ended_at is null") == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    with small_disk(tmp_path, "16m") as folder:
        yield folder


FILL = """
import pathlib
first = not pathlib.Path("tried").exists()
pathlib.Path("tried").touch()
if first:
    with open("ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as e:
            pathlib.Path("/tmp").joinpath(NAME).write_text(str(e))
            raise
"""


def test_a_disk_that_fills_up_under_a_job(disk: Path, tmp_path: Path) -> None:
    """The run fails, or cannot even say so: when there is room again it is done, by the same worker."""
    full = tmp_path / "full"
    with workspace(disk) as ws, workers(ws) as worker:
        source = FILL.replace('pathlib.Path("/tmp").joinpath(NAME)', f"pathlib.Path({str(full)!r})")
        job_id = job(ws, source, "print('done')", retries=1, retry_delay=0)
        run_id = promote.trigger(ws, job_id, "ada")
        process = worker()
        wait_for(full.exists, "the disk to be full")
        time.sleep(3)  # long enough to try and fail to write it down
        assert process.poll() is None
        (disk / "ballast").unlink()
        wait_for(lambda: all_over(ws), "the run to end")
        run = promote.get_run(ws, run_id)
        assert run["status"] == "succeeded", run
        assert run["attempt"] == 2
        assert (
            "No space left" in (Path(run["folder"]) / "log.txt").read_text() or "No space" in full.read_text()
        )
        assert process.poll() is None
