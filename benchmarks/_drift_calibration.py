"""How often clean data is called drifted, and how often drift is found: ours and evidently's rules on the same draws.

Twenty columns a run: 8 normal, 4 lognormal, 3 with 4 categories, 3 with 50 and 2 with 500 (Zipf), and where asked one
with 2,000. `benchmarks/drift.py --calibration` prints `table()`; `docs/drift.md` shows it over 1,000 draws.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aios_workbench.drift.columns import column
from aios_workbench.drift.judge import drifted, judge
from aios_workbench.drift.models import ColumnDrift, Rules
from aios_workbench.drift.statistics.significance import chisquare, one_sample_chisquare_p
from aios_workbench.drift.tables import CountTable, NumberTable

SIZES = ((100, 100), (500, 500), (1000, 1000), (2000, 100), (2000, 500), (10_000, 1000), (10_000, 10_000))
KINDS = ("normal",) * 8 + ("lognormal",) * 4 + ("4",) * 3 + ("50",) * 3 + ("500",) * 2
#: What can be done to a column, and to which kind.
CHANGES = {
    "mean + 0.4 std": "normal",
    "log mean + 0.25": "lognormal",
    "first category x 0.6": "50",
    "nulls 0 -> 80 %": "normal",
    "nulls 0 -> 5 %": "normal",
    "new category, 5 % of rows": "4",
    "a category of 20 % gone": "4",
}


def shares(kind: str) -> np.ndarray:
    """Return how frequent a column's categories are."""
    if kind == "4":
        return np.array([0.4, 0.3, 0.2, 0.1])
    k = int(kind)
    weights = 1 / np.arange(1, k + 1)
    return np.asarray(weights / weights.sum())


def draw(
    rng: np.random.Generator, kind: str, rows: int, change: str | None = None
) -> NumberTable | CountTable:
    """Return the counts of a column of `rows` rows, changed or not."""
    if kind in ("normal", "lognormal"):
        nulls = {"nulls 0 -> 80 %": 0.8, "nulls 0 -> 5 %": 0.05}.get(change or "", 0.0)
        missing = int(rng.binomial(rows, nulls))
        if kind == "normal":
            values = rng.normal(0.4 if change == "mean + 0.4 std" else 0.0, 1.0, rows - missing)
        else:
            values = rng.lognormal(0.25 if change == "log mean + 0.25" else 0.0, 0.6, rows - missing)
        # both sides on one grid, as a plan would have it
        return NumberTable.of(values, nulls=missing, by_value=True)
    p = shares(kind)
    if change == "first category x 0.6":
        p[0] *= 0.6
    elif change == "a category of 20 % gone":
        p[2] = 0.0
    elif change == "new category, 5 % of rows":
        p = np.append(p * 0.95, 0.05)
    counts = rng.multinomial(rows, p / p.sum())
    there = np.flatnonzero(counts)
    return CountTable(tuple(f"v{i}" for i in there), counts[there], distinct=len(there))


def compared(
    rng: np.random.Generator, n: int, m: int, kinds: tuple[str, ...] = KINDS, change: str | None = None
) -> list[ColumnDrift]:
    """Return one run's columns, not yet judged; with a `change`, the first column of its kind has it."""
    changed = kinds.index(CHANGES[change]) if change else -1
    return [
        column(
            f"c{i}",
            "feature",
            "numeric" if kind in ("normal", "lognormal") else "categorical",
            draw(rng, kind, n),
            draw(rng, kind, m, change if i == changed else None),
        )
        for i, kind in enumerate(kinds)
    ]


@dataclass
class Rates:
    """What came of a number of runs with one pair of sizes."""

    reference: int
    current: int
    runs: int = 0
    alarms: dict[str, int] = field(
        default_factory=lambda: {"honest": 0, "evidently": 0, "evidently data set": 0}
    )
    columns: dict[str, int] = field(default_factory=lambda: {"honest": 0, "evidently": 0})
    effects: list[float] = field(default_factory=list)

    def add(self, found: list[ColumnDrift]) -> None:
        """Judge a clean run by both rules."""
        self.runs += 1
        for kind in ("honest", "evidently"):
            judged = judge(found, Rules(kind=kind))
            many = sum(c.verdict == "drifted" for c in judged)
            self.alarms[kind] += many > 0
            self.columns[kind] += many
            if kind == "evidently":
                self.alarms["evidently data set"] += drifted(judged, rules=Rules(kind=kind))[0] is True
        self.effects += [c.effect or 0.0 for c in found]


def clean(n: int, m: int, runs: int, *, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> Rates:
    """Compare samples of the same distributions, `runs` times."""
    rng = np.random.default_rng([seed, n, m])
    rates = Rates(n, m)
    for _ in range(runs):
        rates.add(compared(rng, n, m, kinds))
    return rates


def found(change: str, n: int, m: int, runs: int, *, seed: int = 0) -> dict[str, int]:
    """Return in how many runs the changed column was called drifted, by both rules."""
    rng = np.random.default_rng([seed, n, m, sorted(CHANGES).index(change)])
    changed = KINDS.index(CHANGES[change])
    hits = {"honest": 0, "evidently": 0}
    for _ in range(runs):
        columns = compared(rng, n, m, change=change)
        for kind in ("honest", "evidently"):
            hits[kind] += judge(columns, Rules(kind=kind))[changed].verdict == "drifted"
    return hits


def table(runs: int = 1000, *, seed: int = 0, power_runs: int | None = None) -> dict[str, Any]:
    """Measure and print both tables in Markdown; return the figures."""
    result: dict[str, Any] = {"runs": runs, "clean": [], "found": []}
    print(f"Clean data, {runs} runs of 20 columns: share of runs with at least one false alarm\n")
    print(
        "| reference | current | honest | evidently: any column | its data set | columns: honest | evidently |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for n, m in SIZES:
        r = clean(n, m, runs, seed=seed)
        row = {
            "reference": n, "current": m, "mean_effect": float(np.mean(r.effects)),
            **{f"alarms_{k}": v / runs for k, v in r.alarms.items()},
            **{f"columns_{k}": v / runs / len(KINDS) for k, v in r.columns.items()},
        }  # fmt: skip
        result["clean"].append(row)
        print(
            f"| {n:,} | {m:,} | {row['alarms_honest']:.1%} | {row['alarms_evidently']:.1%} "
            f"| {row['alarms_evidently data set']:.1%} "
            f"| {row['columns_honest']:.2%} | {row['columns_evidently']:.1%} |",
            flush=True,
        )
    many = power_runs or max(1, runs // 5)
    print(
        f"\nOne changed column of 20, {many} runs: share of runs in which it was found (honest / evidently)\n"
    )
    sizes = ((500, 500), (2000, 500), (10_000, 10_000))
    print("| change |" + "".join(f" {n:,} / {m:,} |" for n, m in sizes))
    print("| --- |" + " ---: |" * len(sizes))
    for change in CHANGES:
        cells = []
        for n, m in sizes:
            hits = found(change, n, m, many, seed=seed)
            result["found"].append(
                {"change": change, "reference": n, "current": m, **{k: v / many for k, v in hits.items()}}
            )
            cells.append(f" {hits['honest'] / many:.0%} / {hits['evidently'] / many:.0%} |")
        print(f"| {change} |" + "".join(cells), flush=True)
    return result


#: Categories whose chi-square test is measured alone.
LEVELS = {
    "4 categories": np.array([0.4, 0.3, 0.2, 0.1]),
    "one in 1,000": np.array([0.5, 0.48, 0.019, 0.001]),
    "50, Zipf": shares("50"),
    "500, Zipf": shares("500"),
    "2,000, Zipf": shares("2000"),
    "2,000 alike": np.full(2000, 1 / 2000),
    "one of 90 %, 300 of 10 %": np.append(0.9, np.full(300, 0.1 / 300)),
}


def levels(draws: int = 10_000, *, seed: int = 0) -> dict[str, Any]:
    """Measure and print how often chi-square rejects clean data at 5 % and at 0.25 %; ours and of one sample."""
    rng = np.random.default_rng(seed)
    result: dict[str, Any] = {}
    print(
        f"\nChi-square on clean data, {draws:,} draws: rejected at p < 5 % / p < 0.25 % (of one sample, at 5 %)\n"
    )
    sizes = ((100, 100), (1000, 1000), (2000, 100))
    print("| categories |" + "".join(f" {n:,} / {m:,} |" for n, m in sizes))
    print("| --- |" + " ---: |" * len(sizes))
    for name, p in LEVELS.items():
        told = []
        for n, m in sizes:
            pairs = zip(rng.multinomial(n, p, draws), rng.multinomial(m, p, draws), strict=True)
            found = np.array(
                [(chisquare(a, b)[1], one_sample_chisquare_p(*_there(a, b))[1]) for a, b in pairs]
            )
            rates = (found[:, 0] < 0.05).mean(), (found[:, 0] < 0.0025).mean(), (found[:, 1] < 0.05).mean()
            result[f"{name}, {n} / {m}"] = rates
            told.append(f" {rates[0]:.1%} / {rates[1]:.2%} ({rates[2]:.1%}) |")
        print(f"| {name} |" + "".join(told), flush=True)
    return result


def _there(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = (a + b) > 0
    return a[seen], b[seen]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json")
    given = parser.parse_args()
    measured = table(given.runs) | {"levels": levels(given.runs * 10)}
    if given.json:
        from pathlib import Path

        Path(given.json).write_text(json.dumps(measured, indent=2))
