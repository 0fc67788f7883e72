"""Adoption: exactly one takes over, never from the living, and not for ever."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from disks import small_disk
from engine_kit import PATIENCE, Place, end, run_id, until

from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as made:
        yield made


@pytest.fixture
def ws(place: Place) -> Iterator[Workspace]:
    space = Workspace(place.home)
    yield space
    space.close()


def orphan(place: Place, flow: str = "diamond", point: str = "after:left") -> str:
    """Leave a run whose kernel was killed; return its id."""
    process = place.start("kernel", flow, kill=point, RUN_KEY="k")
    assert process.wait(PATIENCE) == -signal.SIGKILL
    return run_id(flow, "k")


def status(ws: Workspace, run: str) -> str:
    return control.run_status(ws, run)


def ends(ws: Workspace, run: str, how: str = "succeeded") -> dict[str, Any]:
    until(lambda: status(ws, run) in ("succeeded", "failed", "cancelled"), f"{run} to end")
    found = control.get_run(ws, run)
    assert found["status"] == how, found["error"]
    return found


@pytest.mark.parametrize(
    "point",
    ["before-inherit", "before-take-up", "after-take-up", "after-inherit", "before-open", "after-open",
     "after:join", "after-conclude"],
)  # fmt: skip
def test_the_adopter_may_be_killed_too(place: Place, ws: Workspace, point: str) -> None:
    run = orphan(place)
    assert place.worker(kill=point).wait(PATIENCE) == -signal.SIGKILL
    assert status(ws, run) != "running"
    last = place.worker()
    done = ends(ws, run)
    end(last)
    assert done["adoptions"] <= 2
    assert place.effects(run)["load"] == 1
    assert set(place.effects(run)) == {"load", "left", "right", "join", "report"}
    assert all(n <= 2 for n in place.effects(run).values())


def test_two_workers_adopt_once(place: Place, ws: Workspace) -> None:
    run = orphan(place)
    before = place.effects(run)
    workers = [place.start("worker") for _ in range(2)]
    done = ends(ws, run)
    for worker in workers:
        end(worker)
    assert done["adoptions"] == 1
    assert place.effects(run) == {"load": 1, "left": 2, "right": 1, "join": 1, "report": 1}
    assert before["left"] == 1


def test_a_stopped_process_is_not_dead(place: Place, ws: Workspace) -> None:
    """SIGSTOP, a suspended laptop: nobody takes its run, and it goes on where it was."""
    kernel = place.start("kernel", "gated", RUN_KEY="k", KILL="nothing", HOLD="1")
    run = run_id("gated", "k")
    until(lambda: control.list_runs(ws) and status(ws, run) == "waiting", "the gate")
    kernel.send_signal(signal.SIGSTOP)
    worker = place.worker()
    control.decide(ws, run, "ask", approved=True, by="test")
    sweeps = place.start("worker", SWEEP="1")  # says when it has looked for orphans several times
    assert sweeps.stdout is not None
    assert sweeps.stdout.readline()
    assert sweeps.stdout.readline() == "swept 5\n"
    assert control.get_run(ws, run)["adoptions"] == 0
    assert place.effects(run) == {"load": 1, "ask": 1}
    kernel.send_signal(signal.SIGCONT)
    done = ends(ws, run)
    for process in (worker, sweeps):
        end(process)
    assert done["adoptions"] == 0
    assert place.effects(run) == {"load": 1, "ask": 1, "report": 1}


def test_a_run_that_kills_everyone_is_given_up_and_can_be_resumed(place: Place, ws: Workspace) -> None:
    run = orphan(place)
    for _ in range(3):
        assert place.worker(kill="before:join", MAX_DEATHS="2").wait(PATIENCE) == -signal.SIGKILL
    careful = place.worker(kill="before:join", MAX_DEATHS="2")
    failed = ends(ws, run, "failed")
    assert failed["error"]["type"] == "Abandoned"
    assert "3 processes in a row died" in failed["error"]["message"]
    assert not [s for s in failed["steps"] if s["status"] == "running"]
    careful.kill()
    worker = place.worker(MAX_DEATHS="2")
    control.resume(ws, run, by="test")
    done = ends(ws, run)
    end(worker)
    assert place.effects(run)["load"] == 1
    assert done["leg"] == 1


def test_a_run_that_gets_further_each_time_is_not_given_up(place: Place, ws: Workspace) -> None:
    run = orphan(place, point="before:load")
    for point in ("before:left", "before:join", "before:report"):
        assert place.worker(kill=point, MAX_DEATHS="1").wait(PATIENCE) == -signal.SIGKILL
    worker = place.worker(MAX_DEATHS="1")
    done = ends(ws, run)
    end(worker)
    assert done["adoptions"] == 4
    assert place.effects(run)["load"] == 1


@pytest.mark.parametrize("resumed", [False, True])
def test_a_lost_journal_redoes_nothing_that_the_catalog_knows(
    place: Place, ws: Workspace, resumed: bool
) -> None:
    run = orphan(place, point="before:join")
    for file in place.home.glob("journal.db*"):
        file.unlink()
    if resumed:
        control.cancel(ws, run, by="test")
    worker = place.worker()
    if resumed:
        control.resume(ws, run, by="test")
    ends(ws, run)
    end(worker)
    assert place.effects(run) == {"load": 1, "left": 1, "right": 1, "join": 1, "report": 1}


def test_a_deleted_lock_file_still_means_dead(place: Place, ws: Workspace) -> None:
    run = orphan(place)
    for lock in (place.home / "executors").glob("*.lock"):
        lock.unlink()
    assert status(ws, run) == "interrupted"
    worker = place.worker()
    ends(ws, run)
    end(worker)


def test_a_read_only_lock_file_and_a_strange_one_are_no_obstacle(place: Place, ws: Workspace) -> None:
    run = orphan(place)
    folder = place.home / "executors"
    for lock in folder.glob("*.lock"):
        lock.chmod(0o400)
    (folder / "kernel-1-gone.lock").write_text("not a number")
    (folder / "folder.lock").mkdir()
    worker = place.worker()
    ends(ws, run)
    end(worker)


def blob_of(ws: Workspace, run: str, step: str) -> Path:
    row = ws.catalog.one("select output from steps where run_id = :r and step = :s", r=run, s=step)
    assert row is not None
    return ws.artifacts.path(ws.artifacts.find(row["output"]))


@pytest.mark.parametrize("damage", ["overwritten", "one bit", "shorter", "empty", "gone"])
def test_a_damaged_output_stops_the_resumed_run_clearly_and_rerun_repairs_it(
    place: Place, ws: Workspace, damage: str
) -> None:
    run = orphan(place, point="before:join")
    blob = blob_of(ws, run, "left")
    good = blob.read_bytes()
    damaged = {"one bit": bytes([good[0] ^ 1]) + good[1:], "shorter": good[:-1], "empty": b""}
    blob.write_bytes(damaged.get(damage, b"X" * len(good)))
    if damage == "gone":
        blob.unlink()
    worker = place.worker()
    failed = ends(ws, run, "failed")
    assert failed["error"]["step"] == "join"
    assert failed["error"]["type"] in ("CorruptArtifactError", "NotFoundError")
    assert "It is what step 'left' made: `run.rerun(\"left\")` makes it again" in failed["error"]["message"]
    again = control.rerun(ws, run, "left", by="test")
    ends(ws, again)
    assert blob.read_bytes() == good
    assert place.effects(again) == {"left": 1, "join": 1, "report": 1}
    end(worker)


def test_status_is_honest_in_lists_and_tables_too(place: Place, ws: Workspace) -> None:
    run = orphan(place)
    assert [r["status"] for r in control.list_runs(ws)] == ["interrupted"]
    assert [r["run_id"] for r in control.list_runs(ws, status="interrupted")] == [run]
    assert control.list_runs(ws, status="running") == []
    control.cancel(ws, run, by="test")
    assert status(ws, run) == "cancelled"
    worker = place.worker()
    sweeps = place.start("worker", SWEEP="1")
    assert sweeps.stdout is not None
    assert [sweeps.stdout.readline() for _ in range(2)][1] == "swept 5\n"
    assert status(ws, run) == "cancelled", "adopted after it was cancelled"
    control.resume(ws, run, by="test")
    ends(ws, run)
    for process in (worker, sweeps):
        end(process)


def test_a_full_disk_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    with small_disk(tmp_path, "12m") as disk, Place(disk) as place:
        place.effects_file = tmp_path / "effects"
        place.effects_file.touch()
        kernel = place.start("kernel", "filling", RUN_KEY="k", SAY="before-conclude")
        run = run_id("filling", "k")
        until(lambda: (disk / "ballast").exists() and os.statvfs(disk).f_bavail == 0, "the disk to be full")
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "before-conclude\n"
        time.sleep(0.5)  # the end of the run cannot be written down either
        (disk / "ballast").unlink()
        out, error = kernel.communicate(timeout=PATIENCE)
        assert "no space left" in out or "disk is full" in out, out + error
        ws = Workspace(disk / ".aios")
        assert status(ws, run) == "failed"
        worker = place.worker()
        control.resume(ws, run, by="test")
        ends(ws, run)
        end(worker)
        assert place.effects(run) == {"load": 1, "big": 2, "report": 1}
        ws.close()


def test_a_clock_that_jumps_backwards_disturbs_nothing(place: Place, ws: Workspace) -> None:
    kernel = place.start("kernel", "diamond", RUN_KEY="k", CLOCK="-7200")
    out, error = kernel.communicate(timeout=PATIENCE)
    assert "result report 55" in out, error
    found = control.get_run(ws, run_id("diamond", "k"))
    assert found["status"] == "succeeded"
    assert all(s["status"] == "succeeded" for s in found["steps"])


def test_the_journal_is_whole_after_all_that(place: Place) -> None:
    orphan(place)
    for name in ("journal.db", "catalog.db"):
        with sqlite3.connect(place.home / name) as con:
            assert con.execute("pragma integrity_check").fetchone() == ("ok",)
        con.close()
