"""An exhaustive grid in plain faiss, its points kept in benchmarks/results: the best there is to be had."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _knn_faiss import Plain, cpu_seconds, load, recall, truth

NPROBE = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
FACTORS = (1, 2, 4, 8, 16, 32)
EF = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 200, 256, 320, 400, 512)
QUERIES = 500
ENOUGH = 0.9995


def groups(n: int, d: int, which: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what is built: (factory key, build parameters)."""
    root = 2 ** round(np.log2(max(16.0, n**0.5)))
    lists = [m for m in (root, 2 * root, 4 * root, 8 * root) if m * 8 <= n] or [16]
    codes = [f"PQ{m}x4fs" for m in dict.fromkeys((d // 2, d // 4)) if m and d % m == 0]
    codecs = [
        "Flat",
        "SQfp16",
        "SQ8",
        "SQ8,RFlat",
        "SQ4,RFlat",
        *(f"{c},RFlat" for c in codes),
        "RaBitQfs,RFlat",
    ]
    flats = ["Flat", "SQ8", "SQfp16", *(f"{c},RFlat" for c in codes), "RaBitQfs,RFlat"]
    graphs = [
        (m, efc, s)
        for m in (8, 16, 32, 48)
        for efc in (40, 100, 200)
        for s in ("Flat", "SQfp16", "SQ8", "SQ8,RFlat")
    ]
    if which == "small":
        lists = lists[1:3] or lists
        codecs = ["Flat", "SQ8,RFlat", *(f"{c},RFlat" for c in codes)]
        graphs = [(m, 100, s) for m in (16, 32) for s in ("Flat", "SQ8,RFlat")]
    found: list[tuple[str, dict[str, Any]]] = [(key, {}) for key in flats]
    found += [(f"IVF{m},{c}", {}) for m in lists for c in codecs]
    found += [(f"HNSW{m},{s}", {"efc": efc}) for m, efc, s in graphs]
    return found


def settings(key: str) -> Iterator[list[dict[str, Any]]]:
    """Return search parameters in rising series: a series ends once recall is all but one."""
    factors = FACTORS if "PQ" in key or "RaBitQ" in key else (2, 4)
    if key.startswith("IVF"):
        for kf in factors if key.endswith("RFlat") else (None,):
            yield [{"nprobe": p, **({"kf": kf} if kf else {})} for p in NPROBE]
    elif key.startswith("HNSW"):
        yield [
            {"ef": ef, **({"kf": 2} if key.endswith("RFlat") else {})}
            for ef in EF
            if ef >= 20 or "RFlat" not in key
        ]
    else:
        yield [{"kf": kf} for kf in factors] if key.endswith("RFlat") else [{}]


def run(folder: Path, kept: Path, which: str) -> tuple[list[dict[str, Any]], float]:
    """Return all points and the CPU seconds they took, going on where an earlier run was ended."""
    x, q = load(folder, "x"), load(folder, "tune")[:QUERIES]
    kth = truth(x, q)
    done: dict[str, list[dict[str, Any]]] = {}
    if kept.exists():
        for line in kept.read_text().splitlines():
            read = json.loads(line)
            done[read["group"]] = read["points"]
    plain = Plain(x)
    everything = groups(*x.shape, which)
    before = ""
    with kept.open("a") as out:
        for i, (key, build) in enumerate(everything):
            name = f"{key} {build}"
            shared = key.split(",", maxsplit=1)[0] + str(build)
            if shared != before and not key.startswith("IVF"):
                plain.forget()
            before = shared
            if name in done:
                continue
            began = time.process_time()
            points = _points(plain, key, build, x, q, kth)
            seconds = time.process_time() - began
            done[name] = points = [*points, {"cpu_s": seconds}]
            out.write(json.dumps({"group": name, "points": points}) + "\n")
            out.flush()
            print(f"grid {i + 1}/{len(everything)} {name} {seconds:.1f} s", file=sys.stderr, flush=True)
            if key.startswith("IVF"):
                plain.forget()
            gc.collect()
    wanted = {f"{key} {build}" for key, build in everything}
    points = [p for name, ps in done.items() if name in wanted for p in ps]
    return [p for p in points if "qps" in p], sum(p.get("cpu_s", 0.0) for p in points)


def _points(
    plain: Plain, key: str, build: dict[str, Any], x: np.ndarray, q: np.ndarray, kth: np.ndarray
) -> list[dict[str, Any]]:
    points = []
    for series in settings(key):
        last = 0.0
        for setting in series:
            choice = {"key": key, **build, **setting}
            search = plain.search(choice)
            seconds, rows = min(
                (cpu_seconds(search, q) for _ in range(1 if key == "Flat" else 2)), key=lambda r: r[0]
            )
            found = recall(x, q, rows, kth)
            points.append(
                {
                    "choice": choice,
                    "recall": found.mean(),
                    "se": found.std() / len(q) ** 0.5,
                    "qps": len(q) / seconds,
                }
            )
            flat_now = setting.get("nprobe", 0) >= 64 and found.mean() - last < 2e-4
            if found.mean() >= ENOUGH or flat_now:  # more lists find what the codes then lose
                break
            last = found.mean()
    return points


def best(points: list[dict[str, Any]], target: float) -> dict[str, Any] | None:
    """Return the fastest point that holds the target with a margin of one standard error."""
    fit = [p for p in points if p["recall"] - p["se"] >= target]
    return max(fit, key=lambda p: p["qps"]) if fit else None
