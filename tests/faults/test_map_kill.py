"""kill -9 in the middle of a map, again and again: no item lost, none doubled, little done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from map_driver import BATCH, CONCURRENCY, ITEMS

from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone
PATIENCE = 120
KILLS = 6


def start(home: Path, effects: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("map_driver.py"))], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "AIOS_HOME": str(home), "EFFECTS": str(effects)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n", process.communicate()[1]
    return process


def wait_for(effects: Path, more: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many more calls were made, or the process has ended."""
    before = len(effects.read_text().split())
    while len(effects.read_text().split()) < before + more and process.poll() is None:
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_again_and_again_no_item_is_lost_or_doubled(tmp_path: Path) -> None:
    home, effects = tmp_path / ".aios", tmp_path / "effects"
    effects.touch()
    chance = random.Random(7)
    for _ in range(KILLS):
        process = start(home, effects)
        wait_for(effects, chance.randrange(40, 220), process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    last = start(home, effects)
    out, error = last.communicate(timeout=PATIENCE)
    assert out.startswith("right "), out + error
    run_id = out.split()[1]
    calls = Counter(map(int, effects.read_text().split()))
    assert sorted(calls) == list(range(ITEMS)), "an item was lost"
    assert KILLS * 2 * BATCH * CONCURRENCY < ITEMS
    twice = sum(n - 1 for n in calls.values())
    # In work when killed: a batch for each worker; and what had ended in the moment before, stored together.
    assert twice <= KILLS * 2 * BATCH * CONCURRENCY, f"{twice}: finished batches were done again"
    ws = Workspace(home)
    parts = ws.catalog.query(
        "select first, items, failed from map_parts where run_id = :r and step = 'work' order by first",
        r=run_id,
    )
    letters = ws.catalog.query(
        "select item, status from dead_letters where run_id = :r order by item", r=run_id
    )
    ws.close()
    at = 0
    for part in parts:
        assert part["first"] == at, "parts overlap, or leave a gap"
        at += part["items"]
    assert at == ITEMS
    assert [(x["item"], x["status"]) for x in letters] == [(n, "open") for n in range(42, ITEMS, 100)]
    assert sum(p["failed"] for p in parts) == len(letters)
