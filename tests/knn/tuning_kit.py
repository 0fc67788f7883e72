"""What tests of a tuning share: vectors without a source, a way to start with a strategy of one's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aios_workbench.knn.kept import Asked
from aios_workbench.knn.models import Constraints, Problem
from aios_workbench.knn.tuner import begin
from aios_workbench.knn.tuning import Tuning
from aios_workbench.workspace import Workspace

HERE = str(Path(__file__).parent)
PATIENCE = 60  # seconds before a wait counts as hung; never a measure of speed


class Rows:
    """Stands for `Vectors` where nothing is built."""

    def __init__(self, path: Path, n: int = 1000) -> None:
        self.path, self.n = path, n
        if not path.exists():
            np.save(path, np.random.default_rng(0).standard_normal((n, 8), np.float32))


def problem(**more: Any) -> Problem:
    fields: dict[str, Any] = {
        "fingerprint": "f", "source": "numpy", "rows": 1000, "dimensions": 8, "k": 3, "metric": "l2",
        "tuning_queries": 10, "held_out_queries": 5, "queries_given": True, "budget_seconds": 60.0, "threads": 1,
        "seed": 0, "machine": "m",
    }  # fmt: skip
    return Problem(**{**fields, **more})


def start(
    ws: Workspace, *, constraints: Constraints | None = None, worker_memory: int | None = None,
    of: Problem | None = None, **more: Any,
) -> Tuning:  # fmt: skip
    """Start the fake strategy; `more` tells it what to do."""
    vectors = Rows(ws.root / "x.npy")
    asked = Asked(np.load(vectors.path)[:15], np.empty(0, np.int64), 10, vectors.path)
    return begin(
        ws, vectors, asked, of or problem(), constraints or Constraints(recall=0.9), strategy="fake_strategy:run",  # type: ignore[arg-type]
        path=[HERE], worker_memory=worker_memory, more=more,
    )  # fmt: skip


def until(true: Callable[[], Any], what: str = "it") -> Any:
    """Wait until `true()` is; return what it returned."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.01)
    return found
