"""Disks that fill up under a map, and databases that somebody else holds: runs wait or fail clearly, and go on."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import small_disk
from engine_kit import PATIENCE, Place, end, run_id, until

from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone
BALLAST = 30_200_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 40 MB."""
    with small_disk(tmp_path, "40m") as folder:
        yield folder


def test_a_map_on_a_full_disk_keeps_its_finished_batches(tmp_path: Path, disk: Path) -> None:
    with Place(disk) as place:
        place.effects_file = tmp_path / "effects"
        place.effects_file.touch()
        # What is left is not enough for 40 items of 400 kB; four are stored together, so that when there is no room for
        # the next four there still is for saying so.
        (disk / "ballast").write_bytes(bytes(BALLAST))
        kernel = place.start("kernel", "mapping", RUN_KEY="k", ITEM_BYTES="400000")
        out, error = kernel.communicate(timeout=PATIENCE)
        assert "no space left" in out or "disk is full" in out, out + error
        run = run_id("mapping", "k")
        (disk / "ballast").unlink()
        with contextlib.closing(Workspace(disk / ".aios")) as ws:
            assert control.run_status(ws, run) == "failed"
            parts = ws.catalog.query("select * from map_parts where run_id = :r", r=run)
            stored = {f"item-{i}" for p in parts for i in range(p["first"], p["first"] + p["items"])}
            assert 4 <= len(stored) < 40
            before = place.effects(run)
            worker = place.worker(ITEM_BYTES="400000")
            control.resume(ws, run, by="test")
            until(lambda: control.run_status(ws, run) in ("succeeded", "failed"), "the run to end")
            end(worker)
            done = control.get_run(ws, run)
            assert done["status"] == "succeeded", done["error"]
            after = place.effects(run)
            report = next(s for s in done["steps"] if s["step"] == "report")
            assert ws.artifacts.get(ws.artifacts.find(report["output"])) == "report 16000000"
        assert after["load"] == 1
        items = {what: n for what, n in after.items() if what.startswith("item-")}
        assert len(items) == 40
        assert {what: items[what] for what in stored} == {what: before[what] for what in stored}, (
            "finished batches were done again"
        )


@pytest.mark.parametrize("names", [("catalog.db",), ("journal.db",), ("catalog.db", "journal.db")])
def test_a_database_somebody_else_holds_is_waited_for(tmp_path: Path, names: tuple[str, ...]) -> None:
    with Place(tmp_path) as place:
        first = place.start("kernel", "diamond", RUN_KEY="first")
        assert "report 55" in first.communicate(timeout=PATIENCE)[0]
        second = place.start("kernel", "diamond", RUN_KEY="second", SAY="before-execute:load")
        assert second.stdout is not None
        assert second.stdout.readline() == "before-execute:load\n"
        with contextlib.ExitStack() as stack:
            for name in names:
                con = stack.enter_context(
                    contextlib.closing(sqlite3.connect(place.home / name, timeout=30, isolation_level=None))
                )
                con.execute("begin immediate")
            time.sleep(3)  # far longer than anybody writes
        out, error = second.communicate(timeout=PATIENCE)
        assert "result report 55" in out, out + error
        run = run_id("diamond", "second")
        with contextlib.closing(Workspace(place.home)) as ws:
            found = control.get_run(ws, run)
            assert found["status"] == "succeeded"
            assert {s["status"] for s in found["steps"]} == {"succeeded"}
            assert not ws.catalog.query("select * from attempts where status = 'running'")
        assert set(place.effects(run).values()) == {1}
