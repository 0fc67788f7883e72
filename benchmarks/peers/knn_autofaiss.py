"""autofaiss: its default call, then a person bisecting the time budget of `tune_index` until the recall is met.

autofaiss knows no recall target; the person measures recall on the tuning queries, as they would have to.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from autofaiss import build_index, tune_index
from common import report

QUERIES, K, STEPS = 500, 10, 8
QUIET = 40


def main() -> int:
    folder, targets = Path(sys.argv[1]), [float(t) for t in sys.argv[2].split(",")]
    x, q = np.load(folder / "x.npy"), np.load(folder / "tune.npy")[:QUERIES]
    wall, cpu = time.perf_counter(), time.process_time()
    exact = faiss.IndexFlatL2(x.shape[1])
    exact.add(x)
    kth = exact.search(q, K)[0][:, -1]

    def recall(index: Any) -> float:
        rows = index.search(q, K)[1]
        near = [
            ((x[r].astype("f8") - v) ** 2).sum(1) <= d * (1 + 1e-5)
            for r, v, d in zip(rows, q, kth, strict=True)
        ]
        return float(np.mean(near))

    index, about = build_index(
        x,
        save_on_disk=False,
        metric_type="l2",
        max_index_query_time_ms=10,
        max_index_memory_usage="4G",
        verbose=QUIET,
    )
    key, default = about["index_key"], str(about["index_param"])
    built = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    choices: dict[str, Any] = {"default": {"key": key, "set": default}}
    spent = {"default": built}
    for target in targets:
        wall, cpu = time.perf_counter(), time.process_time()
        low, high = 0.005, 10.0
        for _ in range(STEPS):
            middle = (low * high) ** 0.5
            tuned = tune_index(index, key, max_index_query_time_ms=middle, save_on_disk=False, verbose=QUIET)
            if recall(tuned) >= target:
                high = middle
                choices[str(target)] = {"key": key, "set": setting(tuned)}
            else:
                low = middle
        spent[str(target)] = {
            "cpu_s": built["cpu_s"] + time.process_time() - cpu,
            "wall_s": built["wall_s"] + time.perf_counter() - wall,
        }
    report(choices=choices, spent=spent)
    return 0


def setting(index: Any) -> str:
    """Return the search parameters an index now has, as `ParameterSpace` writes them."""
    inner = faiss.downcast_index(index)
    if hasattr(inner, "hnsw"):
        return f"efSearch={inner.hnsw.efSearch}"
    ivf = faiss.extract_index_ivf(index)
    words = [f"nprobe={ivf.nprobe}"]
    if hasattr(faiss.downcast_index(ivf.quantizer), "hnsw"):
        words.append(f"quantizer_efSearch={faiss.downcast_index(ivf.quantizer).hnsw.efSearch}")
    if hasattr(ivf, "polysemous_ht"):
        words.append(f"ht={ivf.polysemous_ht}")
    return ",".join(words)


if __name__ == "__main__":
    raise SystemExit(main())
