"""Drift between two files of 20 mixed columns: ours beside evidently, NannyML, whylogs, scipy and a pure scan.

    .venv/bin/python benchmarks/drift.py [--rows 100000,1000000] [--only workbench,evidently] [--rounds 3] [--large]
                                         [--calibration]

Every method runs in a process of its own and reads both Parquet files itself; its imports are not counted. "peak" is
the highest resident size of that process. "of scan" is the time beside DuckDB decoding every value of both files
once, below which no method can go that reads them. Agreement is with scipy's exact figures on the same rows.

`--large` adds 20 million rows a side (6 GB of memory for nobody: ours, under a limit of 1 GB, and the scan), a kept
reference and 30 windows. `--calibration` counts false alarms on clean data instead. Data and the peers' environments
are kept under ~/.cache/aios-bench; results go to benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import _drift_data as data
from _peers import PEERS, environment, keep, reported, table

HERE = Path(__file__).resolve().parent
PATIENCE = 3600
#: Script -> its label, and whether it has an environment of its own.
METHODS = {
    "workbench": ("AIOS Workbench", False),
    "evidently": ("evidently, run only", False),
    "nannyml": ("NannyML, 10 chunks", True),
    "whylogs": ("whylogs, profiles only", True),
    "scipy": ("scipy, column by column", False),
    "scan": ("pure scan (the floor)", False),
}
LARGE, LIMIT = 20_000_000, "1GB"

Found = dict[str, Any]


def call(name: str, *arguments: str) -> Found:
    """Run a method's script and return its report. Raise RuntimeError saying why there is none."""
    script = f"drift_{name}"
    own = METHODS[name][1]
    python = environment(script.replace("_", "-"), PEERS / f"{script}.txt") if own else sys.executable
    path = "" if own else str(HERE.parent)
    command = [python, str(PEERS / f"{script}.py"), *arguments]
    found: Found = reported(command, PATIENCE, PYTHONPATH=path)
    return found


def measured(rows: int, methods: list[str], rounds: int) -> tuple[dict[str, Found], dict[str, str]]:
    """Return the median run of each method, and why others have none. A round runs each once."""
    at, runs, absent = str(data.folder(rows)), {m: [] for m in methods}, {}  # type: dict[str, list[Found]]
    for turn in range(rounds):
        for name in methods:
            # a minute a run is its own median
            if name in absent or (turn and runs[name][0]["wall_s"] > 60):
                continue
            print(f"{rows:,} rows: {name} ...", file=sys.stderr, flush=True)
            try:
                runs[name].append(call(name, at))
            except (RuntimeError, OSError) as e:
                absent[name] = str(e)
    middle = {
        name: sorted(each, key=lambda f: f["wall_s"])[len(each) // 2] for name, each in runs.items() if each
    }
    return middle, absent


def show(rows: int, found: dict[str, Found], absent: dict[str, str]) -> None:
    """Print how long each took, and with how much memory, beside ours."""
    ours, floor = found.get("workbench"), found.get("scan")
    lines = [
        [
            METHODS[name][0],
            f"{f['wall_s']:.2f}",
            f"{f['cpu_s']:.2f}",
            f"{f['wall_s'] / ours['wall_s']:.1f}" if ours else "-",
            f"{f['peak_mb']:,.0f}",
            f"{f['peak_mb'] / ours['peak_mb']:.1f}" if ours else "-",
            f"{f['wall_s'] / floor['wall_s']:.1f}" if floor else "-",
        ]
        for name, f in sorted(found.items(), key=lambda item: item[1]["wall_s"])
    ]
    print(f"\n{rows:,} rows a side x 20 columns")
    print(table(["method", "s", "CPU s", "x ours", "peak MB", "x ours", "of scan"], lines))
    for name, why in absent.items():
        print(f"{METHODS[name][0]}: not measured, {why}")


def agreement(found: dict[str, Found]) -> list[list[str]]:
    """Return how far our figures are from scipy's exact ones, and whether our bounds hold those."""
    if "workbench" not in found or "scipy" not in found:
        return []
    ours, exact = found["workbench"]["found"]["columns"], found["scipy"]["found"]
    rows = []
    for name, bar in (("ks", 1e-4), ("wasserstein", 1e-5), ("chisquare", 1e-6)):
        pairs = [(ours[c][name], e[name]) for c, e in exact.items() if name in e and name in ours.get(c, {})]
        if not pairs:
            continue
        apart = max(abs(o[0] - e) / (max(abs(e), 1.0) if name == "chisquare" else 1.0) for o, e in pairs)
        held = all(o[1] is None or o[1] - 1e-9 <= e <= o[2] + 1e-9 for o, e in pairs)
        kind = "relative " if name == "chisquare" else ""
        rows.append(
            [
                f"{name}: largest {kind}distance from scipy",
                f"<= {bar:g}",
                f"{apart:.1e}, {len(pairs)} columns",
            ]
        )
        rows.append([f"{name}: bounds hold the truth", "all", "all" if held else "NO"])
    return rows


def large(rounds: int) -> tuple[Found, list[list[str]]]:
    """20 million rows a side: ours under a memory limit beside the pure scan; a kept reference; 30 windows."""
    at = str(data.folder(LARGE))
    print(f"{LARGE:,} rows ...", file=sys.stderr, flush=True)
    ours = [call("workbench", at, LIMIT) for _ in range(rounds)]
    floor = [call("scan", at) for _ in range(rounds)]
    more = call("workbench", at, LIMIT, "more")["more"]
    wall, scan = (statistics.median(f["wall_s"] for f in each) for each in (ours, floor))
    peak = max(f["peak_mb"] for f in ours)
    rows = [
        [f"{LARGE:,} rows a side, memory limit {LIMIT}", "<= 15 s", f"{wall:.1f} s, peak {peak:,.0f} MB"],
        ["the same beside a pure scan", "<= 4 x", f"{wall / scan:.1f} x"],
        ["reference kept: only the current side is read", "-", f"{more['kept']:.1f} s"],
        ["30 windows in one scan, beside one window", "<= 1.3 x", f"{more['thirty'] / more['one']:.2f} x"],
    ]
    return {"ours": ours, "scan": floor, "more": more}, rows


def criteria(rows: int, found: dict[str, Found]) -> list[list[str]]:
    """Return the rows of BARS.md that these runs can judge: criterion, bar, measured."""
    ours = found.get("workbench")
    if ours is None:
        return []
    told = []
    for name, time_bar, memory_bar in (("evidently", ">= 40 x", ">= 4 x"), ("scipy", ">= 8 x", "-")):
        if name in found:
            f = found[name]
            told.append(
                [f"faster than {name} at {rows:,}", time_bar, f"{f['wall_s'] / ours['wall_s']:.1f} x"]
            )
            told.append(
                [f"memory of {name} at {rows:,}", memory_bar, f"{f['peak_mb'] / ours['peak_mb']:.1f} x"]
            )
    told.append(["judging anew with another threshold", "<= 100 ms", f"{ours['found']['regate_ms']:.1f} ms"])
    missed = sorted({*data.MOVED} - {*ours["found"]["drifted"]})
    told.append(["columns called drifted", "-", ", ".join(ours["found"]["drifted"])])
    told.append(
        ["of those made different, significant but small or missed", "-", ", ".join(missed) or "none"]
    )
    return told


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default="100000,1000000")
    p.add_argument("--only", default=",".join(METHODS), help="some of %(default)s")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--large", action="store_true", help="20 million rows a side as well")
    p.add_argument(
        "--calibration", action="store_true", help="count false alarms on clean data, nothing else"
    )
    a = p.parse_args()
    if a.calibration:
        import _drift_calibration

        _drift_calibration.table(1000)
        _drift_calibration.levels()
        return 0
    load, everything, told = os.getloadavg()[0], {}, []
    for rows in map(int, a.rows.split(",")):
        found, absent = measured(rows, a.only.split(","), a.rounds)
        everything[rows] = {"found": found, "absent": absent}
        show(rows, found, absent)
        told += criteria(rows, found) + agreement(found)
    if a.large:
        everything["large"], more = large(a.rounds)
        told += more
    print("\n" + table(["criterion (BARS)", "bar", "measured"], told))
    keep("drift", load, rows=everything)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
