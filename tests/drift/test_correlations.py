"""Correlations of pairs against scipy; a change of one alone is found, and none where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aios_workbench.drift.correlations import SHARE, _ranked, _variance, changes
from aios_workbench.drift.models import Rules
from tests.drift.conftest import HOSTILE


def frame(n: int, seed: int, columns: int = 20) -> pd.DataFrame:
    """Columns of all shapes: correlated, skewed, rounded, spread by another, rare, heavy-tailed, with nulls."""
    g = np.random.default_rng(seed)
    z = g.normal(size=(n, columns))
    z[:, 1] = 0.7 * z[:, 0] + 0.7 * z[:, 1]
    z[:, 2] = np.exp(z[:, 2])
    z[:, 3] = np.round(z[:, 0] + z[:, 3])
    z[:, 4] *= z[:, 5]
    z[:, 6] = z[:, 6] > 1.5
    z[:, 7] = g.standard_cauchy(n) + z[:, 8]
    z[g.random(n) < 0.1, 9] = np.nan
    return pd.DataFrame(z, columns=[f"c{k}" for k in range(columns)])


def test_correlations_are_scipy_s() -> None:
    a, b = frame(400, 0, 10).drop(columns="c9"), frame(300, 1, 10).drop(columns="c9")
    told = changes(a, b, rules=Rules(alpha=0.05))
    assert len(told) == 30
    for change in told:
        for side, value in ((a, change.reference), (b, change.current)):
            wanted = stats.spearmanr(side[change.a], side[change.b]).statistic
            assert value == pytest.approx(wanted, abs=1e-12)


def test_rows_with_a_null_are_left_out_pair_by_pair() -> None:
    a = frame(4_000, 0, 10)
    (found,) = changes(a, frame(4_000, 1, 10), ["c9", "c8"])
    there = a["c9"].notna()
    assert found.reference == pytest.approx(
        stats.spearmanr(a.loc[there, "c9"], a.loc[there, "c8"]).statistic, abs=0.01
    )


@pytest.mark.parametrize("how", ["gauss", "spread", "ties"])
def test_the_variance_is_that_of_many_draws(how: str) -> None:
    g, found, claimed = np.random.default_rng(0), [], []
    for _ in range(400):
        x = g.normal(size=300)
        y = {
            "gauss": 0.8 * x + 0.6 * g.normal(size=300),
            "spread": x * g.normal(size=300),
            "ties": np.round(x),
        }[how]
        side = _ranked(np.column_stack([np.round(x + g.normal(size=300)) if how == "ties" else x, y]))
        found.append(side.r[0, 1])
        claimed.append(_variance(side, 0, 1))
    assert np.mean(claimed) == pytest.approx(np.var(found), rel=0.25)


def test_a_change_of_one_pair_alone_is_found_and_named() -> None:
    a, b = frame(2_000, 0), frame(2_000, 1)
    b["c11"] = 0.8 * b["c10"] + 0.6 * b["c11"]
    first, *others = changes(a, b)
    assert (first.a, first.b, first.verdict) == ("c10", "c11", "drifted")
    assert first.current == pytest.approx(0.79, abs=0.03)
    assert all(o.verdict != "drifted" for o in others)


def test_at_most_one_clean_run_in_twenty_raises_an_alarm() -> None:
    for n, runs in ((100, 60), (1_000, 40)):
        raised = [
            any(c.verdict == "drifted" for c in changes(frame(n, s), frame(n, 10_000 + s)))
            for s in range(runs)
        ]
        assert np.mean(raised) <= 0.05


def test_p_values_are_corrected_for_many_pairs_and_the_share() -> None:
    a, b = (frame(500, seed, 10).iloc[:, :7] for seed in (0, 1))
    told = changes(a, b)
    wanted = np.minimum(stats.false_discovery_control([c.p_value for c in told]) / SHARE, 1)
    np.testing.assert_allclose([c.p_adjusted for c in told], wanted)


def test_a_small_but_certain_change_is_small() -> None:
    g = np.random.default_rng(0)
    x = g.normal(size=(2, 10_000))
    a = pd.DataFrame({"x": x[0], "y": g.normal(size=10_000)})
    b = pd.DataFrame({"x": x[1], "y": 0.08 * x[1] + g.normal(size=10_000)})
    (found,) = changes(a, b)
    assert found.verdict == "small"
    assert changes(a, b, rules=Rules(effect=0.02))[0].verdict == "drifted"


def test_columns_without_an_order_are_left_out() -> None:
    g = np.random.default_rng(0)
    a = pd.DataFrame({
        "x": g.normal(size=200), "flag": g.random(200) < 0.5, "sex": g.choice(["f", "m"], 200),
        "city": g.choice(list("abc"), 200), "constant": 1.0, "nothing": np.nan, "text": [f"t {k}" for k in range(200)],
        "when": pd.date_range("2026-01-01", periods=200), "whole": pd.array([None, *range(199)], "Int64"),
        "wild": np.r_[np.inf, -np.inf, g.normal(size=198)],
    })  # fmt: skip
    named = {c.a for c in changes(a, a)} | {c.b for c in changes(a, a)}
    assert named == {"x", "flag", "sex", "when", "whole", "wild"}


def test_little_or_nothing_to_compare() -> None:
    a = frame(500, 0, 12)
    assert changes(a[["c0"]], a) == []
    assert changes(a.iloc[:0], a) == []
    assert changes(a.iloc[:20], a) == []
    assert changes(a, a[[]]) == []
    assert all(c.p_value == 1 and c.verdict == "stable" for c in changes(a, a))


def test_names_may_be_anything() -> None:
    g = np.random.default_rng(0)
    a = pd.DataFrame(g.normal(size=(100, len(HOSTILE))), columns=list(HOSTILE))
    assert {c.a for c in changes(a, a)} <= set(HOSTILE)
