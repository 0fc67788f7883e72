"""Optuna's TPE with two goals, recall and time, over the same families; ended after the CPU seconds it is given."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from common import report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _knn_faiss import Plain, cpu_seconds, load, recall, truth

QUERIES = 500


def main() -> int:
    folder, targets, budget = (
        Path(sys.argv[1]),
        [float(t) for t in sys.argv[2].split(",")],
        float(sys.argv[3]),
    )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, q = load(folder, "x"), load(folder, "tune")[:QUERIES]
    n, d = x.shape
    wall, cpu = time.perf_counter(), time.process_time()
    kth, tried = truth(x, q), []

    def goal(trial: Any) -> tuple[float, float]:
        family = trial.suggest_categorical("family", ["pq", "ivf-pq", "ivf-sq", "hnsw"])
        choice: dict[str, Any] = {}
        lists = (
            trial.suggest_int("nlist", 32, max(33, min(4096, n // 40)), log=True) if "ivf" in family else 0
        )
        if lists:
            part = trial.suggest_float("part", 0.002, 0.5, log=True)
            choice = {"key": "", "nprobe": max(1, int(part * lists))}
        if "pq" in family:
            m = trial.suggest_categorical("m", [d // 2, d // 4])
            choice |= {"key": (f"IVF{lists}," if lists else "") + f"PQ{m}x4fs,RFlat"}
            choice["kf"] = trial.suggest_int("kf", 1, 64, log=True)
        elif lists:
            choice["key"] = f"IVF{lists}," + trial.suggest_categorical("sq", ["SQ8", "SQfp16"])
        else:
            choice["key"] = f"HNSW{trial.suggest_categorical('M', [8, 16, 32, 48])},Flat"
            choice["ef"] = trial.suggest_int("ef", 10, 512, log=True)
            choice["efc"] = trial.suggest_int("efc", 40, 200, log=True)
        seconds, rows = cpu_seconds(Plain(x).search(choice), q)
        found = float(recall(x, q, rows, kth).mean())
        tried.append((found, seconds, choice))
        return found, float(np.log(seconds))

    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=optuna.samplers.TPESampler(seed=0)
    )
    while time.process_time() - cpu < budget:
        study.optimize(goal, n_trials=1)
    choices = {}
    for target in targets:
        fit = [t for t in tried if t[0] >= target]
        if fit:
            choices[str(target)] = min(fit, key=lambda t: t[1])[2]
    report(
        choices=choices, trials=len(tried), cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
