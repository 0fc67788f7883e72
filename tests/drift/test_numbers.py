from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from aios_workbench.drift.models import LEVELS
from aios_workbench.drift.statistics.cells import binned, cells
from aios_workbench.drift.statistics.numbers import histogram, numbers, qq, quantiles, spread
from aios_workbench.drift.statistics.significance import ks_p
from aios_workbench.drift.tables import Grid, NumberTable

reals = st.floats(-1e100, 1e100, allow_subnormal=False)
#: random, tied, skewed, constant, with zeros, integers, and whatever hypothesis makes up; nulls and infinite in between
columns = st.one_of(
    st.lists(reals, max_size=60),
    st.lists(st.integers(-3, 3).map(float), max_size=200),
    st.lists(st.floats(0, 10).map(math.exp), max_size=200),
    st.tuples(reals, st.integers(0, 50)).map(lambda t: [t[0]] * t[1]),
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.5, -2.0, 7.25]), max_size=100),
    st.lists(st.sampled_from([math.nan, math.inf, -math.inf, 1.0, 2.0]), max_size=20),
)


def usual(values: list[float]) -> np.ndarray:
    x = np.asarray(values, float)
    return x[np.isfinite(x)]


@settings(max_examples=250, deadline=None)
@given(a=columns, b=columns)
@example(a=[], b=[1.0])
@example(a=[1.0], b=[2.0])
@example(a=[math.nan] * 5, b=[math.inf] * 5)
@example(a=[0.1] * 1000, b=[0.1] * 999 + [0.2])
@example(a=[5e-324, 0.0], b=[1.0, 2.0])
@example(a=[1e308, -1e308], b=[1e308, 0.0])
def test_by_value_every_statistic_is_scipys(a, b):
    x, y = usual(a), usual(b)
    found = numbers(NumberTable.of(a), NumberTable.of(b))
    if not (len(x) and len(y)):
        assert found == {}
        return
    assert all(math.isfinite(s.value) for s in found.values())
    at = np.concatenate([x, y])
    ks = np.abs((x[:, None] <= at).mean(0) - (y[:, None] <= at).mean(0)).max()
    if min(len(x), len(y)) > 1:  # of a single row scipy divides by zero
        assert ks == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic, abs=1e-12)
    assert found["ks"].value == pytest.approx(ks, abs=1e-9)
    assert found["ks"].rows == len(x) + len(y)
    # the unit keeps scipy's own sums from overflowing
    unit = max(np.abs(x).max(), np.abs(y).max()) or 1.0
    w1 = stats.wasserstein_distance(x / unit, y / unit) * unit
    std = np.std(x / unit) * unit if x.min() < x.max() else abs(x[0]) or 1.0
    if std > unit * 1e-12:  # below that a standard deviation is rounding, scipy's as well as ours
        assert found["wasserstein"].value == pytest.approx(w1 / std, rel=1e-9, abs=1e-9)
    both = np.unique(np.concatenate([x, y]))
    if len(both) > 20:
        return
    p, q = ((v[:, None] == both).mean(0) for v in (x, y))
    assert found["jensenshannon"].value == pytest.approx(
        np.nan_to_num(distance.jensenshannon(p, q)), abs=1e-7
    )
    assert found["total_variation"].value == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-9)
    assert found["hellinger"].value == pytest.approx(math.sqrt(max(0, 1 - np.sqrt(p * q).sum())), abs=1e-7)
    if len(both) > 1:
        table = np.stack([(v[:, None] == both).sum(0) for v in (x, y)])
        chi = stats.chi2_contingency(table, correction=False)
        assert found["chisquare"].value == pytest.approx(chi.statistic, rel=1e-9, abs=1e-9)
        if chi.expected_freq.min() >= 5:
            assert found["chisquare"].p_value == pytest.approx(chi.pvalue, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(x=columns)
def test_quantiles_are_numpys(x):
    values = usual(x)
    found = quantiles(NumberTable.of(x))
    if not len(values):
        assert found == []
        return
    scale = np.abs(values).max()
    assert found == pytest.approx(
        np.quantile(values, LEVELS).tolist(), rel=1e-9, abs=1e-9 * max(scale, 1e-300)
    )


def tenths(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cuts = np.unique(np.quantile(x, np.arange(1, 10) / 10, method="inverted_cdf"))
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    return tuple(np.array([((v > a) & (v <= b)).sum() for a, b in pairwise(edges)]) for v in (x, y))


@pytest.mark.parametrize("seed", range(5))
def test_psi_is_over_the_references_tenths(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.gamma(2, 1, 997), rng.gamma(2.3, 1, 1501)
    a, b = NumberTable.of(x), NumberTable.of(y)
    one, two = tenths(x, y)
    assert [c.tolist() for c in binned(cells(a, b))] == [one.tolist(), two.tolist()]
    p, q = one / one.sum(), two / two.sum()
    found = numbers(a, b)
    assert found["psi"].value == pytest.approx(((p - q) * np.log(p / q)).sum(), abs=1e-12)
    assert found["kl_div"].value == pytest.approx(stats.entropy(p, q), abs=1e-12)


def made(kind: str, rng: np.random.Generator, n: int, shift: float) -> np.ndarray:
    x = rng.normal(shift, 1, n)
    if kind == "zeros":
        x[rng.random(n) < 0.6] = 0.0
    elif kind == "lognormal":
        x = np.exp(x)
    elif kind == "heavy":
        x = rng.standard_t(2, n) + shift
    return x


@pytest.mark.parametrize("kind", ["normal", "zeros", "lognormal", "heavy"])
@pytest.mark.parametrize("shift", [0.0, 0.02, 0.5])
def test_cells_bound_the_truth_and_come_near_it(kind, shift):
    rng = np.random.default_rng(7)
    x, y = made(kind, rng, 200_000, 0.0), made(kind, rng, 150_000, shift)
    atoms = (0.0,) if kind == "zeros" else ()
    a = NumberTable.of(x, Grid(float(np.median(x)), float(np.std(x[:1000])), atoms), by_value=False)
    b = NumberTable.of(y, a.grid, by_value=False)
    found = numbers(a, b)
    ks = stats.ks_2samp(x, y, method="asymp")
    assert found["ks"].low - 1e-12 <= ks.statistic <= found["ks"].high + 1e-12
    assert found["ks"].value == pytest.approx(ks.statistic, abs=1e-4)
    assert found["ks"].p_value >= ks.pvalue * 0.999  # never overstates
    w1 = stats.wasserstein_distance(x, y) / x.std()
    assert found["wasserstein"].low - 1e-9 <= w1 <= found["wasserstein"].high + 1e-9
    assert found["wasserstein"].value == pytest.approx(w1, abs=1e-5)
    assert found["ks"].method == found["wasserstein"].method == "bounds"
    exact = numbers(NumberTable.of(x, by_value=True), NumberTable.of(y, by_value=True))
    for name in ("psi", "jensenshannon", "total_variation", "hellinger"):
        assert found[name].value == pytest.approx(exact[name].value, abs=2e-3)


@settings(max_examples=150, deadline=None)
@given(
    a=st.lists(st.floats(-50, 50), min_size=1, max_size=80),
    b=st.lists(st.floats(-50, 50), min_size=1, max_size=80),
    coarse=st.sampled_from([1e-3, 1.0, 1e3]),
    atoms=st.sampled_from([(), (0.0,), (0.0, 1.0, 2.5)]),
)
def test_bounds_hold_on_any_grid(a, b, coarse, atoms):
    grid = Grid(0.0, coarse, atoms)
    found = numbers(NumberTable.of(a, grid, by_value=False), NumberTable.of(b, grid, by_value=False))
    truth = numbers(NumberTable.of(a), NumberTable.of(b))
    for name in ("ks", "wasserstein"):
        slack = 1e-6 * max(1.0, truth[name].value)
        assert found[name].low <= found[name].value <= found[name].high + 1e-12
        sigma = (
            spread(NumberTable.of(a)) / spread(NumberTable.of(a, grid, by_value=False))
            if name == "wasserstein"
            else 1
        )
        assert found[name].low - slack <= truth[name].value * sigma <= found[name].high + slack


@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (2, 5), (3, 3), (10, 7), (30, 30), (100, 2000), (150, 150), (64, 81)]
)
def test_ks_p_of_small_samples_is_exact(n, m):
    rng = np.random.default_rng(n * m)
    for shift in (0.0, 0.3, 5.0):
        x, y = rng.normal(size=n), rng.normal(shift, 1, size=m)
        truth = stats.ks_2samp(x, y, method="exact")
        assert ks_p(truth.statistic, n, m) == pytest.approx(truth.pvalue, abs=1e-8)


@pytest.mark.parametrize(("n", "m"), [(400, 400), (1000, 700), (3000, 5000)])
@pytest.mark.parametrize("z", [0.7, 1.0, 1.36, 1.8])
def test_ks_p_of_larger_samples_is_near_and_not_below_the_exact(n, m, z):
    steps = math.lcm(n, m)
    d = round(z * math.sqrt((n + m) / (n * m)) * steps) / steps  # a distance that there can be
    exact = ks_p(d, n, m, counted=True)
    assert ks_p(d, n, m) == pytest.approx(exact, rel=0.15)
    assert ks_p(d, n, m) >= exact * 0.97


@pytest.mark.parametrize(("n", "m", "values"), [(100, 100, 2), (50, 400, 3), (300, 300, 12)])
def test_ks_p_of_ties_is_valid_and_sharper_than_without_them(n, m, values):
    rng = np.random.default_rng(5)
    weights = 0.5 ** np.arange(values)
    p = weights / weights.sum()
    ours, plain = [], []
    for _ in range(500):
        x, y = rng.multinomial(n, p), rng.multinomial(m, p)
        d = np.abs(np.cumsum(x) / n - np.cumsum(y) / m).max()
        ours.append(ks_p(d, n, m, np.cumsum(x + y)[:-1]))
        plain.append(ks_p(d, n, m))
    for alpha in (0.01, 0.05, 0.2):
        assert stats.binomtest(int((np.array(ours) <= alpha).sum()), 500, alpha, "greater").pvalue > 1e-3
    assert np.mean(ours) <= np.mean(plain)


def test_a_constant_is_measured_by_its_size():
    a = NumberTable.of([5.0] * 100)
    assert numbers(a, NumberTable.of([6.0] * 100))["wasserstein"].value == pytest.approx(0.2)
    assert numbers(a, a)["wasserstein"].value == 0
    assert numbers(a, a)["ks"].p_value == 1
    assert numbers(a, NumberTable.of([6.0] * 100))["jensenshannon"].effect > 0.8


def test_quantile_shift_is_in_robust_standard_deviations():
    x = np.random.default_rng(0).normal(10, 2, 5000)
    found = numbers(NumberTable.of(x), NumberTable.of(x + 3))
    assert found["quantile_shift"].value == pytest.approx(1.5, abs=0.1)


def test_a_quantile_quantile_picture_has_both_sides():
    x = np.random.default_rng(0).normal(size=500)
    one, two = qq(NumberTable.of(x), NumberTable.of(2 * x), 9)
    assert np.array(two) == pytest.approx(2 * np.array(one))


@pytest.mark.parametrize("by_value", [True, False])
@pytest.mark.parametrize("kind", ["normal", "zeros", "lognormal", "heavy"])
def test_a_histogram_holds_every_row_once(kind, by_value):
    rng = np.random.default_rng(3)
    x, y = made(kind, rng, 4000, 0.0), made(kind, rng, 3000, 1.0)
    grid = Grid(0.0, 1.0, (0.0,))
    shown = histogram(NumberTable.of(x, grid, by_value=by_value), NumberTable.of(y, grid, by_value=by_value))
    assert len(shown.edges) == len(shown.reference) + 1 == len(shown.current) + 1
    assert sum(shown.reference) + sum(shown.reference_atoms) == pytest.approx(1)
    assert sum(shown.current) + sum(shown.current_atoms) == pytest.approx(1)
    assert (np.diff(shown.edges) > 0).all()
    assert shown.atoms == ([0.0] if kind == "zeros" else [])
    if kind == "normal":  # bins hold what lies in them
        inside = [((x >= a) & (x < b)).mean() for a, b in pairwise(shown.edges)]
        assert shown.reference == pytest.approx(inside, abs=2e-3)


def test_few_values_are_all_atoms():
    shown = histogram(NumberTable.of([1.0, 2.0, 2.0]), NumberTable.of([3.0]))
    assert shown.atoms == [1.0, 2.0, 3.0]
    assert shown.current_atoms == [0.0, 0.0, 1.0]
    assert sum(shown.reference) == 0
    assert len(shown.edges) == len(shown.reference) + 1
    assert histogram(NumberTable.of([]), NumberTable.of([3.0])) is None
