"""Tuning a nearest-neighbour index: ours beside an exhaustive grid, faiss's AutoTune, autofaiss and Optuna.

    .venv/bin/python benchmarks/knn.py [--sets syn128,text384,digits] [--targets 0.95,0.99] [--grid small|full|none]
                                       [--methods tuner,autotune,autofaiss,optuna,grid] [--small] [--misses N]

Every method gets the same vectors and the same 1,000 tuning queries; each runs in a process of its own, with one
thread, and says which index it would take. Then all choices are built in one process and measured side by side, in
turns, on 1,000 queries that none of them saw. Queries a second are of one core: CPU time of the searching thread, so
that what else the machine does counts as little as it can. "time" is CPU seconds of the whole search for an answer.

The grid's points are kept in benchmarks/results/ and go on where they were ended (full: half an hour and more a set).
Data sets and peers' environments are kept under ~/.cache/aios-bench. autofaiss and Optuna have environments of their
own, made with uv; so has the embedding of WordNet's glosses, without which a synthetic set stands in.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import _knn_data as data
import numpy as np
from _knn_methods import METHODS, OURS, Found, Task, answers, tuned
from _knn_verdict import criteria, roofline, verdict
from _peers import RESULTS, keep, table

HERE = Path(__file__).resolve().parent
BUDGET = 60.0


def show(name: str, found: list[Found], absent: dict[str, str], targets: list[float]) -> None:
    """Print a table for each target."""
    head = [
        name,
        "chosen",
        "queries/s",
        "p95 ms",
        "of grid",
        "regret",
        "true recall",
        "holds",
        "time s",
        "x ours",
    ]
    for target in targets:
        mine = sorted((f for f in found if f["target"] == target), key=lambda f: -f["qps"])
        best = next((f["qps"] for f in mine if f["method"].startswith("grid")), None)
        ours = next((f["cpu_s"] for f in mine if f["method"] == OURS), None)
        rows = [
            [
                f["method"],
                f["label"][:46],
                f"{f['qps']:,.0f}",
                f"{f['p95_ms']:.2f}",
                f"{f['qps'] / best:.2f}" if best else "-",
                f"{max(0.0, 1 - f['qps'] / best):.0%}" if best else "-",
                f"{f['recall']:.4f} ± {f['ci']:.4f}",
                "yes" if f["recall"] >= target else "no",
                f"{f['cpu_s']:,.1f}" if "cpu_s" in f else "-",
                f"{f['cpu_s'] / ours:.1f}" if "cpu_s" in f and ours else "-",
            ]
            for f in mine
        ]
        print(f"\nrecall@10 >= {target}")
        print(table(head, rows))
    for method, why in absent.items():
        print(f"{method}: not measured, {why}")


def misses(task: Task, runs: int) -> Found:
    """Tune with other seeds, and count how often the choice misses its target on unseen queries."""
    found = [tuned(task, task.targets[0], seed) for seed in range(1, runs + 1)]
    verdict(task.at, found, 0)
    missed = sum(f["recall"] < f["target"] for f in found)
    return {"runs": len(found), "missed": missed, "recalls": [f["recall"] for f in found]}


def one_set(name: str, a: argparse.Namespace, targets: list[float]) -> tuple[str, Found]:
    """Run every method on a data set, print its tables and return what was found."""
    try:
        at = data.folder(name, small=a.small)
    except (RuntimeError, subprocess.CalledProcessError) as e:
        print(f"{name}: {e}; syn384 stands in", file=sys.stderr, flush=True)
        at = data.folder("syn384", small=a.small)
    methods = [m for m in a.methods.split(",") if m != "grid" or a.grid != "none"]
    task = Task(at, targets, a.grid, RESULTS / f"knn-grid-{at.name}.jsonl", a.budget)
    found, absent = answers(task, methods)
    verdict(at, found, a.rounds)
    x, q = np.load(at / "x.npy"), np.load(at / "unseen.npy")
    print(f"\n{at.name}: {x.shape[0]:,} x {x.shape[1]}", end="")
    show(at.name, found, absent, targets)
    # of few vectors a product takes no time beside the call
    extra: dict[str, Any] = {"roofline": roofline(x, q) if len(x) > 5000 else None}
    if a.misses:
        extra["misses"] = misses(task, a.misses)
    return at.name, {"answers": found, "absent": absent, **extra}


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sets", default="syn128,text384,digits", help=", ".join(data.SETS))
    p.add_argument("--targets", default="0.95,0.99")
    p.add_argument("--grid", choices=("small", "full", "none"), default="small")
    p.add_argument("--methods", default=",".join(METHODS), help="some of %(default)s")
    p.add_argument("--budget", type=float, default=BUDGET, help="seconds for our tuner")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--small", action="store_true", help="a tenth of the data, to see that all works")
    p.add_argument("--misses", type=int, default=0, help="tune so many times more and count missed targets")
    a = p.parse_args()
    RESULTS.mkdir(exist_ok=True)
    targets, load = [float(t) for t in a.targets.split(",")], os.getloadavg()[0]
    everything = dict(one_set(name, a, targets) for name in a.sets.split(","))
    print("\n" + table(["criterion (BARS)", "bar", "measured"], criteria(everything)))
    keep("knn", load, grid=a.grid, sets=everything)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
