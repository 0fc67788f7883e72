"""The verdict on every choice: built in one process, measured in turns on queries no method saw."""

from __future__ import annotations

import gc
import math
import statistics
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from _knn_faiss import K, Plain, Search, cpu_seconds, load, recall, said, truth
from _knn_methods import OURS, Found

BATCH = 500
SLOW = 2000  # queries a second below which fewer queries are timed


def verdict(at: Path, found: list[Found], rounds: int) -> None:
    """Put `label`, `qps`, `recall`, its half-width `ci` and `p95_ms` into each answer."""
    x, q = load(at, "x"), load(at, "unseen")
    kth, plain = truth(x, q), Plain(x)
    searches = [_search(f, x, plain) for f in found]
    parts = [q[: min(BATCH, len(q))] for _ in found]
    times: list[list[float]] = [[] for _ in found]
    for turn in range(rounds + 1):
        for i, (f, search) in enumerate(zip(found, searches, strict=True)):
            seconds, rows = cpu_seconds(search, parts[i] if turn else q)
            if not turn:  # all queries, for recall; and to warm caches
                hit = recall(x, q, rows, kth)
                f |= {"recall": float(hit.mean()), "ci": float(1.96 * hit.std() / math.sqrt(len(hit)))}
                if len(q) / seconds < SLOW:
                    parts[i] = q[:100]
                continue
            times[i].append(seconds / len(parts[i]))
    for f, taken, search in zip(found, times, searches, strict=True):
        one = [_single(search, q[i : i + 1]) for i in range(min(200, len(q)))] if taken else [0.0]
        f |= {"qps": 1 / statistics.median(taken) if taken else 0.0, "p95_ms": float(np.percentile(one, 95))}
    gc.collect()


def _single(search: Search, query: np.ndarray) -> float:
    faiss.cvar.distance_compute_blas_threshold = 128_000  # what is best for one query; ours sets its own
    began = time.perf_counter()
    search(query)
    return (time.perf_counter() - began) * 1e3


def _search(found: Found, x: np.ndarray, plain: Plain) -> Search:
    if "params" not in found:
        found["label"] = said(found["choice"])
        return plain.search(found["choice"])
    from aios_workbench.knn import build as builder
    from aios_workbench.knn.models import Params
    from aios_workbench.knn.space import Space

    params, space = Params.model_validate(found["params"]), Space.of(x, "l2")
    inside = space.vectors(x)
    built = builder.build(params, inside, seed=0, threads=1)
    found["label"] = builder.label(params)
    wide = space.inner != x.shape[1]
    return lambda q: builder.search(built, params, space.queries(q) if wide else q, K)


def roofline(x: np.ndarray, q: np.ndarray) -> float | None:
    """Return what part of a plain matrix product's speed our exact search has, on one thread."""
    try:
        from aios_workbench.knn.exact import exact_search
    except ImportError:
        return None
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        exact_search(x, q[:10], K)
        shares = []
        for _ in range(3):
            began = time.process_time()
            exact_search(x, q, K)
            ours = time.process_time() - began
            part = np.ascontiguousarray(x[:20_000].T)
            out = np.empty((len(q), part.shape[1]), np.float32)
            began = time.process_time()
            np.dot(q, part, out=out)
            plain = (time.process_time() - began) * len(x) / part.shape[1]
            shares.append(plain / ours)
    return statistics.median(shares)


def criteria(everything: dict[str, Any]) -> list[list[str]]:
    """Return the rows of BARS.md that this benchmark can judge: criterion, bar, measured."""
    rows = [*_against(everything), *_alone(everything)]
    for name, one in everything.items():
        if m := one.get("misses"):
            rows.append(
                [f"choice misses its true recall ({name})", "<= 5 %", f"{m['missed']} of {m['runs']}"]
            )
        if r := one.get("roofline"):
            rows.append([f"exact batch against the roofline ({name})", ">= 80 %", f"{r:.0%}"])
    return rows


BARS = {
    "grid": ">= .95 x; >= 100 x less time",
    "faiss AutoTune, 6 keys": ">= .95 x worst, >= 1.2 x mean; >= 3 x less",
    "autofaiss, bisected": ">= 2.5 x (.95), >= 3 x (.99); >= 5 x less",
    "Optuna, equal time": "-",
    "exact": "-",
}


def _against(everything: dict[str, Any]) -> list[list[str]]:
    pairs: dict[str, list[tuple[float, float]]] = {}
    for one in _large(everything):
        for ours in (f for f in one["answers"] if f["method"] == OURS):
            for other in (
                f
                for f in one["answers"]
                if f["target"] == ours["target"] and not f["method"].startswith(OURS)
            ):
                key = other["method"].split("(")[0].strip()
                less = other.get("cpu_s", 0.0) / ours["cpu_s"]
                pairs.setdefault(key, []).append((ours["qps"] / other["qps"], less))
    rows = []
    for key in (k for k in BARS if k in pairs):
        speed, less = zip(*pairs[key], strict=True)
        mean, each = math.exp(statistics.fmean(map(math.log, speed))), " ".join(f"{s:.2f}" for s in speed)
        time_ = f"; {min(less):.1f} to {max(less):.1f} x less" if max(less) else ""
        rows.append([f"queries/s against {key}; time", BARS[key], f"{each} (mean {mean:.2f}){time_}"])
    return rows


def _alone(everything: dict[str, Any]) -> list[list[str]]:
    ours = [f for one in _large(everything) for f in one["answers"] if f["method"] == OURS]
    if not ours:
        return []
    first = [f["said"]["first_s"] for f in ours if f["said"]["first_s"] is not None]
    slider = max(f["said"]["slider_ms"] for f in ours)
    whole = ", ".join(f"{f['wall_s']:.1f}" for f in ours)
    rows = [
        ["full answer, wall", "<= 15 s (200k x 128)", f"{whole} s"],
        ["cost slider", "<= 50 ms", f"{slider:.1f} ms"],
    ]
    if first:
        rows.insert(0, ["first valid answer that is not Flat", "<= 2 s", f"{max(first):.1f} s"])
    return rows


def _large(everything: dict[str, Any]) -> list[dict[str, Any]]:
    """Exact search wins on the digits: no ratio says anything there."""
    return [one for name, one in everything.items() if not name.startswith("digits")] or [
        *everything.values()
    ]
