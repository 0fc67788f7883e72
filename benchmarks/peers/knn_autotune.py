"""faiss's own AutoTune (`ParameterSpace.explore`) over the six factory strings an expert would try."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from common import report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _knn_faiss import K, load

QUERIES = 500


def keys(n: int, d: int) -> list[str]:
    """Return faiss's own advice: 4 sqrt(n) lists, codes of half the dimensions, HNSW."""
    lists = max(4, min(n // 40, 2 ** round(np.log2(4 * n**0.5))))
    code = f"PQ{d // 2}x4fs,RFlat"
    return [
        code,
        f"IVF{lists},Flat",
        f"IVF{lists},SQ8",
        f"IVF{lists},{code}",
        f"IVF{max(2, lists // 2)},{code}",
        "HNSW32",
    ]


def main() -> int:
    folder, targets = Path(sys.argv[1]), [float(t) for t in sys.argv[2].split(",")]
    x, q = load(folder, "x"), load(folder, "tune")[:QUERIES]
    wall, cpu = time.perf_counter(), time.process_time()
    faiss.omp_set_num_threads(1)
    distances, rows = faiss.knn(q, x, K)
    points: list[tuple[float, float, str, str]] = []
    for key in keys(*x.shape):
        index = faiss.index_factory(x.shape[1], key)
        index.train(x)
        index.add(x)
        criterion = faiss.IntersectionCriterion(len(q), K)
        criterion.set_groundtruth(distances, rows)
        criterion.nnn = K
        space = faiss.ParameterSpace()
        space.verbose = 0
        space.initialize(index)
        found = space.explore(index, q, criterion)
        best = (found.optimal_pts.at(i) for i in range(found.optimal_pts.size()))
        points += [(p.perf, p.t, key, p.key) for p in best]
    choices: dict[str, Any] = {}
    for target in targets:
        fit = [p for p in points if p[0] >= target]
        if fit:
            _, _, key, chosen = min(fit, key=lambda p: p[1])
            choices[str(target)] = {"key": key, "set": chosen}
    report(choices=choices, cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
