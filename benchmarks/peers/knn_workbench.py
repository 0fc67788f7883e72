"""The workbench's tuner, as a user calls it, in a process and a workspace of its own."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import report


def main() -> int:
    folder, target, budget, seed = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    whole = "whole" in sys.argv  # else it is stopped as soon as a choice has been verified on queries unseen
    with tempfile.TemporaryDirectory(prefix="aios-knn-") as home:
        os.environ["AIOS_HOME"] = home
        import numpy as np

        from aios_workbench.knn import tune

        x, q = np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "tune.npy")
        wall, cpu = time.perf_counter(), used()
        tuning = tune(x, k=10, recall=target, queries=q, threads=1, budget=budget, seed=seed)

        def answered(state: Any) -> None:
            point = next((p for p in state.points if p.id == state.chosen), None)
            if not whole and point is not None and point.verified is not None and not exact(point.params):
                tuning.stop()

        tuning.on_change(answered)
        tuning.wait(progress=False)
        wall, after = time.perf_counter() - wall, used()
        state = tuning.state
        chosen = next((p for p in state.points if p.id == state.chosen), None)
        fit = [
            p.at for p in state.points if p.vectors == len(x) and p.recall >= target and not exact(p.params)
        ]
        slider = []
        for recall in np.linspace(0.5, 1, 51):
            began = time.perf_counter()
            tuning.cost_of(float(recall))
            slider.append((time.perf_counter() - began) * 1e3)
        report(
            params=chosen.params.model_dump() if chosen else None,
            status=state.status,
            error=state.error,
            said_recall=chosen.recall if chosen else None,
            verified=chosen.verified if chosen else None,
            said_qps=chosen.qps if chosen else None,
            chosen_at=chosen.at if chosen else None,
            first_s=min(fit, default=None),
            points=len(state.points),
            pruned=len(state.pruned),
            slider_ms=max(slider),
            cpu_s=sum(after) - sum(cpu),
            wall_s=wall,
        )
    return 0


def exact(params: object) -> bool:
    """Whether these are the parameters of exact search."""
    return getattr(params, "family", "") == "flat" and getattr(params, "codec", "") == "flat"


def used() -> tuple[float, float]:
    """Return the CPU seconds of this process, and of those it started and that have ended."""
    own, theirs = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, theirs.ru_utime + theirs.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
