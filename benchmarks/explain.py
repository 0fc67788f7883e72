"""Explaining 500 trees on 30 columns, a black box and a slow one: ours beside shap and lime as they come.

    .venv/bin/python benchmarks/explain.py [--only box_ours,box_permutation] [--rounds 3]

Every method runs in a process of its own; imports, fitting and a first call that compiles are not counted. "away" is
the relative L1 distance from the exact interventional values of the same trees and background (100 rows), "held" the
share of exact values inside our 95 % intervals. Memory is the highest resident size of the process, and what of it the
explaining added. The model and its exact values are kept under ~/.cache/aios-bench; results go to benchmarks/results/
as JSON. lightgbm is needed (the test extra has it), the accelerator's line woodelf-explainer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import _explain_data as data
from _peers import clean_env, table

HERE = Path(__file__).resolve().parent
RESULTS, PEER, TAG = HERE / "results", HERE / "peers" / "explain_peer.py", "AIOS-BENCH "
PATIENCE = 1800
METHODS = {
    "trees_native": "trees: LightGBM's own",
    "trees_shap": "trees: shap.TreeExplainer",
    "trees_ours": "trees: workbench, whole explanation",
    "trees_accelerated": "trees: workbench, accelerated",
    "trees_shap_many": "trees, 10,000 rows: shap.TreeExplainer",
    "trees_accelerated_many": "trees, 10,000 rows: workbench, accelerated",
    "trees_interventional": "trees: workbench, interventional",
    "box_ours": "black box: workbench",
    "box_permutation": "black box: shap Permutation",
    "box_kernel": "black box: shap Kernel, all columns",
    "slow_ours": "slow box: workbench",
    "slow_permutation": "slow box: shap Permutation",
    "lime_trees": "LIME on the trees: lime",
    "lime_trees_ours": "LIME on the trees: workbench",
    "lime_cheap": "LIME on a cheap model: lime",
    "lime_cheap_ours": "LIME on a cheap model: workbench",
    "lime_slopes": "the same, not discretised: lime",
    "lime_slopes_ours": "the same, not discretised: workbench",
    "lime_figures": "LIME: figures",
    "stops": "told to stop",
}

Found = dict[str, Any]


def call(name: str, folder: Path) -> Found:
    """Run a method in a process of its own and return its report. Raise RuntimeError saying why there is none."""
    try:
        done = subprocess.run(
            [sys.executable, str(PEER), name, str(folder)],
            env=clean_env(PYTHONPATH=str(HERE.parent), OMP_NUM_THREADS="2"),
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it had not ended after {PATIENCE} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith(TAG)]
    if done.returncode or not lines:
        words = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise RuntimeError(f"it ended with code {done.returncode}: {words[0][:300]}")
    found: Found = json.loads(lines[-1].removeprefix(TAG))
    return found


def measured(methods: list[str], rounds: int) -> tuple[dict[str, Found], dict[str, str]]:
    """Return the median run of each method, and why others have none. A round runs each once."""
    folder = data.folder()
    runs: dict[str, list[Found]] = {m: [] for m in methods}
    absent: dict[str, str] = {}
    for turn in range(rounds):
        for name in methods:
            if name in absent or (turn and name in ("lime_figures", "slow_permutation", "box_kernel")):
                continue
            print(f"round {turn + 1}: {name} ...", file=sys.stderr, flush=True)
            try:
                runs[name].append(call(name, folder))
            except (RuntimeError, OSError) as e:
                absent[name] = str(e)
    by_time = {
        name: sorted(each, key=lambda f: f.get("ms_row", f.get("stops_s", 0)))
        for name, each in runs.items()
        if each
    }
    return {name: each[len(each) // 2] for name, each in by_time.items()}, absent


def show(found: dict[str, Found], absent: dict[str, str]) -> None:
    """Print what each cost."""
    lines = [
        [
            METHODS[name], f"{f['ms_row']:,.1f}", f"{f['cpu_ms_row']:,.1f}", _said(f, "away", ".3f"),
            _said(f, "held", ".3f"), _said(f, "calls", ",d"),
            f"{f['evaluations'] / f['rows']:,.0f}" if "evaluations" in f else "-",
            _said(f, "additivity", ".0e"), f"{f['peak_mb']:,.0f}", f"{f['more_mb']:,.0f}",
        ]
        for name, f in found.items()
        if "ms_row" in f
    ]  # fmt: skip
    head = [
        "method",
        "ms/row",
        "CPU ms/row",
        "away",
        "held",
        "calls",
        "asked/row",
        "additivity",
        "peak MB",
        "added MB",
    ]
    print("\n" + table(head, lines))
    for name, why in absent.items():
        print(f"{METHODS[name]}: not measured, {why}")


def _said(found: Found, name: str, form: str) -> str:
    return format(found[name], form) if name in found else "-"


def ratio(
    f: dict[str, Found], what: str, bar: str, over: str, under: str, key: str = "ms_row"
) -> list[list[str]]:
    """Return a criterion that is one method's figure over another's; none when either was not measured."""
    return [[what, bar, f"{f[over][key] / f[under][key]:.2f} x"]] if over in f and under in f else []


def trees(f: dict[str, Found]) -> list[list[str]]:
    """Return what BARS.md asks of trees: criterion, bar, measured."""
    told = []
    if "trees_ours" in f:
        told.append(["trees: additivity", "<= 1e-5", f"{f['trees_ours']['additivity']:.1e}"])
    if "trees_ours" in f and "trees_native" in f:
        reading = f["trees_ours"]["reading_ms_row"] / f["trees_native"]["ms_row"]
        told.append(["trees: reading values, beside LightGBM's own", "<= 1.05 x", f"{reading:.2f} x"])
    told += ratio(f, "trees: the whole explanation, beside the same", "-", "trees_ours", "trees_native")
    for end, rows, bar in (
        ("", "2,000", "-"),
        ("_many", "10,000", ">= 2.5 x"),
    ):  # its tables cost the same for any
        ours, theirs = f.get(f"trees_accelerated{end}", {}), f.get(f"trees_shap{end}")
        if ours.get("accelerator") and theirs is not None:
            faster = theirs["ms_row"] / ours["reading_ms_row"]
            told.append(
                [f"{rows} rows, accelerated and cross-checked, faster than shap", bar, f"{faster:.2f} x"]
            )
    return told


def boxes(f: dict[str, Found]) -> list[list[str]]:
    """Return what BARS.md asks of black boxes."""
    told = []
    if "box_ours" in f:
        told.append(["black box: relative L1", "<= .06", f"{f['box_ours']['away']:.3f}"])
        told.append(
            ["black box: exact values inside our 95 % intervals", "~ .95", f"{f['box_ours']['held']:.3f}"]
        )
    for kind, words in (("box", "black box"), ("slow", "slow box")):
        ours, theirs = f"{kind}_ours", f"{kind}_permutation"
        if ours in f and theirs in f:
            share = f[ours]["evaluations"] / f[theirs]["evaluations"]
            told.append([f"{words}: rows asked, beside shap Permutation", "<= 50 %", f"{share:.0%}"])
            apart = f"{f[ours]['away']:.3f}, {f[theirs]['away']:.3f}"
            told.append([f"{words}: relative L1, ours and shap's", "-", apart])
        told += ratio(f, f"{words}: fewer calls than shap Permutation", ">= 10 x", theirs, ours, "calls")
        told += ratio(f, f"{words}: faster than shap Permutation", "-", theirs, ours)
    told += ratio(f, "black box: faster than shap Kernel", "-", "box_kernel", "box_ours")
    if "stops" in f:
        told.append(["goes on after it was told to stop", "<= 1 s", f"{f['stops']['stops_s']:.2f} s"])
    return told


def limes(f: dict[str, Found]) -> list[list[str]]:
    """Return what BARS.md asks of LIME."""
    told = ratio(f, "LIME: faster than lime on a cheap model", ">= 3 x", "lime_cheap", "lime_cheap_ours")
    told += ratio(f, "LIME: the same, not discretised", ">= 3 x", "lime_slopes", "lime_slopes_ours")
    told += ratio(f, "LIME: faster than lime on the trees", "-", "lime_trees", "lime_trees_ours")
    if "lime_figures" in f:
        g = f["lime_figures"]
        stable = ", ".join(f"{v:.2f}" for v in g["stable"].values())
        told.append(["LIME: largest distance from lime, same seed", "0", f"{g['apart']:.0e}"])
        told.append(["LIME: spread of seeds in standard errors", ".9-1.1", f"{g['z_std']:.2f}"])
        told.append(["LIME: overlap of the top 5 at 500, 1,000, 5,000 samples", "-", stable])
        told.append(
            ["LIME: samples raised until stable", "-", f"{g['raised_to']:,}, then {g['raised_stable']:.2f}"]
        )
    return told


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=",".join(METHODS), help="some of %(default)s")
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    unknown = [m for m in a.only.split(",") if m not in METHODS]
    if unknown:
        p.error(f"there is no {', '.join(unknown)}; there are {', '.join(METHODS)}")
    RESULTS.mkdir(exist_ok=True)
    load = os.getloadavg()[0]
    found, absent = measured(a.only.split(","), a.rounds)
    show(found, absent)
    print("\n" + table(["criterion (BARS)", "bar", "measured"], trees(found) + boxes(found) + limes(found)))
    print(f"\nload before the run: {load:.1f} on {os.cpu_count()} cores; ratios are what travels")
    file = RESULTS / f"explain-{time.strftime('%Y%m%dT%H%M%S')}.json"
    machine = {
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    file.write_text(
        json.dumps({"benchmark": "explain", "machine": machine, "found": found, "absent": absent}, indent=1)
    )
    print(f"written: {file.relative_to(HERE.parent)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
