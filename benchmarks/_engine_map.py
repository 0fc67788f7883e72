"""A million items through one function: the workbench's map beside a plain loop, multiprocessing, joblib and Dask."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from _peers import PEERS, environment, reported, table

SECONDS = 900
#: way -> (label, pins of an environment of its own)
WAYS = {
    "loop": ("plain loop, nothing stored", ""),
    "pool": ("multiprocessing, every core", ""),
    "joblib": ("joblib, every core", ""),
    "dask": ("Dask bag, threads", "dask.txt"),
    "aios": ("AIOS Workbench map, stored", ""),
}
WORK = ("trivial", "small", "record")


def measure(rounds: int, items: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Run every way once a round; return the reports, and why a way has none."""
    reports: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    absent: dict[str, str] = {}
    for n in range(rounds):
        for way, (_, pins) in WAYS.items():
            if way in absent:
                continue
            with tempfile.TemporaryDirectory(prefix="aios-map-", ignore_cleanup_errors=True) as folder:
                try:
                    python = environment(way, PEERS / pins) if pins else sys.executable
                    command = [python, str(PEERS / "map_items.py"), "--way", way, "--items", str(items)]
                    home = str(Path(folder) / "aios")
                    root = str(Path(__file__).resolve().parent.parent)
                    reports[way].append(reported(command, SECONDS, AIOS_HOME=home, PYTHONPATH=root))
                except (RuntimeError, OSError) as e:
                    absent[way] = str(e)
            print(f"map, round {n + 1} of {rounds}: {way}", file=sys.stderr, flush=True)
    return reports, absent


def show(reports: dict[str, list[dict[str, Any]]], absent: dict[str, str], items: int) -> dict[str, Any]:
    """Print the table and the recovery; return the figures."""
    seconds = {
        way: {work: [s for r in found for s in r[work]] for work in WORK}
        for way, found in reports.items()
        if found
    }
    base = {work: statistics.median(values) for work, values in seconds.get("loop", {}).items()}
    rows = []
    for way, by_work in seconds.items():
        medians = [statistics.median(by_work[work]) for work in WORK]
        ratios = [f"{m / base[w]:.2f} x" if base else "-" for m, w in zip(medians, WORK, strict=True)]
        rows.append([WAYS[way][0], *(f"{m:.3f}" for m in medians), *ratios])
    head = [f"{items:,} items, batch 1,000", *(f"{w} s" for w in WORK), *(f"{w} / loop" for w in WORK)]
    print("\n" + table(head, rows))
    recovered = [r["recovery"] for r in reports["aios"] if "recovery" in r]
    for r in recovered:
        print(
            f"killed in the middle: items go on after {r['seconds']:.2f} s, {r['redone']:.2%} of all done twice"
        )
    for way, why in absent.items():
        print(f"not measured: map, {way}: {why}")
    return {"items": items, "seconds": seconds, "recovery": recovered, "not_measured": absent}
