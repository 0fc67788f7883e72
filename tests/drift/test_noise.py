from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from aios_workbench.drift.judge import judge
from aios_workbench.drift.models import Rules
from aios_workbench.drift.statistics.cells import cells
from aios_workbench.drift.statistics.noise import jensenshannon_square, wasserstein_square
from aios_workbench.drift.statistics.numbers import numbers
from aios_workbench.drift.tables import Grid, NumberTable

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from _drift_calibration import CHANGES, KINDS, clean, compared


@pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 1000), (2000, 100)])
@pytest.mark.parametrize("k", [4, 50, 500])
def test_the_square_of_a_jensen_shannon_distance_is_foreseen(n, m, k):
    rng = np.random.default_rng(k)
    p = 1 / np.arange(1, k + 1)
    p /= p.sum()
    a, b = rng.multinomial(n, p, 400), rng.multinomial(m, p, 400)
    seen = np.array([distance.jensenshannon(x / n, y / m) ** 2 for x, y in zip(a, b, strict=True)])
    foreseen = np.array([jensenshannon_square(x, y) for x, y in zip(a, b, strict=True)])
    slack = 4 * seen.std() / math.sqrt(len(seen)) + 0.03 * seen.mean()
    assert foreseen.mean() == pytest.approx(seen.mean(), abs=slack)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 500), (2000, 100)])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "zeros", "five values"])
@pytest.mark.parametrize("by_value", [True, False])
def test_the_square_of_a_wasserstein_distance_is_foreseen(n, m, kind, by_value):
    rng = np.random.default_rng(n + m)

    def draw(rows: int) -> np.ndarray:
        x = rng.normal(size=rows)
        if kind == "lognormal":
            return np.exp(0.6 * x)
        if kind == "zeros":
            return np.where(rng.random(rows) < 0.6, 0.0, x)
        return np.clip(np.round(x), -2, 2) if kind == "five values" else x

    seen, foreseen = [], []
    for _ in range(150):
        x, y = draw(n), draw(m)
        grid = Grid(0.0, 1.0, (0.0,))
        both = cells(NumberTable.of(x, grid, by_value=by_value), NumberTable.of(y, grid, by_value=by_value))
        seen.append(stats.wasserstein_distance(x, y) ** 2)
        foreseen.append(wasserstein_square(both) * both.unit**2)
    slack = 4 * np.std(seen) / math.sqrt(len(seen)) + 0.08 * np.mean(seen)
    assert np.mean(foreseen) == pytest.approx(np.mean(seen), abs=slack)


@pytest.mark.parametrize("n", [100, 1000, 100_000, 10_000_000])
def test_an_effect_means_the_same_with_few_rows_and_with_many(n):
    rng = np.random.default_rng(1)
    grid = Grid(0.0, 1.0)
    # the counts of n normal rows, drawn at once
    keys = np.unique(grid.cells(rng.normal(0.2, 1.3, 300_000)))
    left, right = grid.edges(keys)
    middle = np.clip((left + right) / 2, -6, 6)
    effects, clean_effects = [], []
    for _ in range(40 if n < 10_000 else 3):
        tables = []
        for shift in (0.0, 0.4, 0.0):
            p = stats.norm.cdf(right - shift) - stats.norm.cdf(left - shift)
            c = rng.multinomial(n, p / p.sum())
            at = c > 0
            tables.append(
                NumberTable(
                    keys[at], c[at], (c * middle)[at], grid, by_value=False, minimum=-7.0, maximum=7.0,
                    mean=float((c * middle).sum() / n), m2=float((c * middle**2).sum()),
                )
            )  # fmt: skip
        effects.append(numbers(tables[0], tables[1])["wasserstein"].effect)
        clean_effects.append(numbers(tables[0], tables[2])["wasserstein"].effect)
    assert np.mean(effects) == pytest.approx(0.4, abs=0.05 if n == 100 else 0.02)
    assert np.mean(clean_effects) < (0.12 if n == 100 else 0.03)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 1000), (2000, 100), (10_000, 2000)])
def test_clean_data_raises_an_alarm_in_at_most_one_run_of_twenty(n, m):
    runs = 60
    rates = clean(n, m, runs, seed=5)
    assert stats.binomtest(rates.alarms["honest"], runs, 0.05, "greater").pvalue > 0.005
    assert rates.alarms["evidently"] > runs * 0.9  # its rules, on the same draws


@pytest.mark.parametrize("change", CHANGES)
def test_drift_of_a_known_size_is_found(change):
    rng = np.random.default_rng(9)
    changed = KINDS.index(CHANGES[change])
    hits = 0
    for _ in range(5):
        n, m = (10_000, 10_000) if change.startswith("first") else (2000, 1000)
        found = judge(compared(rng, n, m, change=change), Rules())[changed]
        # a tilt of that size is seen as significant; as an effect it lies just below .1
        hits += found.verdict in (("drifted", "small") if change.startswith("first") else ("drifted",))
    assert hits == 5


def test_a_column_of_2000_categories_is_clean():
    rates = clean(1000, 1000, 40, kinds=("2000",) * 3, seed=2)
    assert rates.columns["honest"] <= 6
