"""What old tunings left is collected; what anybody may still need is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from aios_workbench.knn import journal, tune
from aios_workbench.knn.tuning import Tuning
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.gc_tunings import delete_tunings

DAY = 86_400.0


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".aios")


def tuned(ws: Workspace, seed: int) -> Tuning:
    x = np.random.default_rng(seed).standard_normal((400, 8), np.float32)
    return tune(x, k=3, budget="20s", workspace=ws, wait=True)


def age(ws: Workspace, *tunings: Tuning, days: float = 40) -> None:
    """Let these tunings, and every file of vectors, be of long ago."""
    ws.catalog.flush()
    then = time.time() - days * DAY
    for each in tunings:
        ws.catalog.write("update tunings set updated_at = :t where tuning_id = :i", t=then, i=each.state.id)
    for path in (ws.root / "knn" / "vectors").rglob("*"):
        os.utime(path, (then, then))


def files(ws: Workspace) -> set[str]:
    return {p.name for p in (ws.root / "knn" / "vectors").iterdir()}


def test_old_ones_go_with_their_vectors_and_young_ones_stay(ws: Workspace) -> None:
    old, young = tuned(ws, 1), tuned(ws, 2)
    age(ws, old)
    everything = files(ws)
    before = time.time() - 30 * DAY
    told = delete_tunings(ws, before, dry_run=True)
    assert files(ws) == everything
    assert delete_tunings(ws, before, dry_run=False) == told
    folders, folder_bytes, gone, gone_bytes = told
    assert (folders, gone) == (1, len(everything) - len(files(ws)))
    assert folder_bytes > 0
    assert gone_bytes > 400 * 8 * 4
    assert [r["tuning_id"] for r in ws.catalog.query("select tuning_id from tunings")] == [young.state.id]
    assert not journal.known(ws, old.state.problem)
    assert journal.known(ws, young.state.problem)
    assert len(young.best.search(np.zeros((1, 8)), k=3).ids[0]) == 3
    assert tuned(ws, 1).best is not None  # from the beginning, as if it had never been


def test_points_stay_while_another_tuning_has_them(ws: Workspace) -> None:
    first, second = tuned(ws, 1), tuned(ws, 1)
    age(ws, first)
    delete_tunings(ws, time.time() - 30 * DAY, dry_run=False)
    assert journal.known(ws, second.state.problem)
    assert files(ws)


def test_one_that_is_at_work_stays(ws: Workspace) -> None:
    old = tuned(ws, 1)
    age(ws, old)
    held = journal.lock(ws, old.state.id)
    try:
        assert delete_tunings(ws, time.time() - 30 * DAY, dry_run=False) == (0, 0, 0, 0)
    finally:
        os.close(held)
    assert journal.known(ws, old.state.problem)


def test_nothing_was_tuned(ws: Workspace) -> None:
    assert delete_tunings(ws, time.time(), dry_run=False) == (0, 0, 0, 0)
