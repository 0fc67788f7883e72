from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from aios_workbench.drift.statistics.counts import aligned, categories, counts
from aios_workbench.drift.statistics.nulls import nulls
from aios_workbench.drift.statistics.significance import chisquare
from aios_workbench.drift.tables import CountTable, NumberTable

HOSTILE = ['"><img src=x onerror=alert(1)>', 'a"b', "select", "', '", "🦊", "", "x" * 200, "Case", "case"]
tables = st.dictionaries(
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=3)), st.integers(1, 400), max_size=12
)


def table(counted: dict[str, int], nulls: int = 0) -> CountTable:
    return CountTable(
        tuple(counted), np.array(list(counted.values()), np.int64), nulls=nulls, distinct=len(counted)
    )


@settings(max_examples=200, deadline=None)
@given(a=tables, b=tables)
@example(a={}, b={"x": 1})
@example(a={"x": 3}, b={"x": 5})
@example(a={"Case": 3}, b={"case": 3})
@example(a={v: i + 1 for i, v in enumerate(HOSTILE)}, b=dict.fromkeys(HOSTILE, 5))
def test_every_statistic_is_scipys(a, b):
    found = counts(table(a), table(b))
    if not (a and b):
        assert found == {}
        return
    values = sorted(a.keys() | b.keys())
    x, y = (np.array([t.get(v, 0) for v in values]) for t in (a, b))
    p, q = x / x.sum(), y / y.sum()
    assert all(math.isfinite(s.value) for s in found.values())
    assert found["jensenshannon"].value == pytest.approx(
        np.nan_to_num(distance.jensenshannon(p, q)), abs=1e-7
    )
    assert found["total_variation"].value == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-12)
    assert found["hellinger"].value == pytest.approx(math.sqrt(max(0, 1 - np.sqrt(p * q).sum())), abs=1e-7)
    assert found["new_share"].value == pytest.approx(sum(n for v, n in b.items() if v not in a) / y.sum())
    if len(values) > 1:
        chi = stats.chi2_contingency([x, y], correction=False)
        assert found["chisquare"].value == pytest.approx(chi.statistic, rel=1e-9, abs=1e-9)
        assert found["cramers_v"].value == pytest.approx(
            stats.contingency.association(np.stack([x, y]), method="cramer"), rel=1e-9, abs=1e-9
        )
        if chi.expected_freq.min() >= 5:
            assert found["chisquare"].p_value == pytest.approx(chi.pvalue, abs=1e-9)
    assert 0 <= found["chisquare"].p_value <= 1


def test_two_values_with_few_rows_are_fishers():
    a, b = np.array([3, 17]), np.array([9, 4])
    assert chisquare(a, b)[1] == pytest.approx(stats.fisher_exact([[3, 17], [9, 4]])[1], abs=1e-12)


SHARES = {
    "4": np.array([0.4, 0.3, 0.2, 0.1]),
    "one in 1,000": np.array([0.5, 0.48, 0.019, 0.001]),
    "Zipf of 50": (1 / np.arange(1, 51)) / (1 / np.arange(1, 51)).sum(),
    "Zipf of 500": (1 / np.arange(1, 501)) / (1 / np.arange(1, 501)).sum(),
    "2,000 alike": np.full(2000, 1 / 2000),
    "one and a tail": np.append(0.9, np.full(300, 0.1 / 300)),
}


@pytest.mark.parametrize("kind", SHARES)
@pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 1000), (2000, 100)])
def test_chisquare_keeps_its_level_on_clean_data(kind, n, m):
    rng = np.random.default_rng(11)
    runs = 1000
    p = np.array(
        [
            chisquare(a, b)[1]
            for a, b in zip(
                rng.multinomial(n, SHARES[kind], runs), rng.multinomial(m, SHARES[kind], runs), strict=True
            )
        ]
    )
    for alpha in (0.05, 0.01, 0.0025):
        assert stats.binomtest(int((p < alpha).sum()), runs, alpha * 1.1, "greater").pvalue > 1e-3
    if kind == "4" and min(n, m) == 1000:  # the bar: 4 to 6 % at 5 %; evidently's one-sample form: 28 %
        assert stats.binomtest(int((p < 0.05).sum()), runs, 0.05).pvalue > 1e-3


def test_the_moments_are_those_of_all_deals():
    from aios_workbench.drift.statistics.significance import _moments

    rng = np.random.default_rng(0)
    t = np.array([300, 90, 25, 9, 4, 4, 3, 3, 2, 2, 2])
    n = 120
    deals = rng.multivariate_hypergeometric(t, n, size=60_000)
    p = n / t.sum()
    values = ((deals - t * p) ** 2 / (t * p * (1 - p))).sum(1)
    mean, variance, skew = _moments(t.astype(float), float(n), float(t.sum() - n))
    assert mean == pytest.approx(values.mean(), rel=0.01)
    assert variance == pytest.approx(values.var(), rel=0.04)
    assert skew == pytest.approx(stats.skew(values), rel=0.1)
    # and those of the chi-square distribution when there are many rows
    many = np.full(10, 1e6)
    mean, variance, skew = _moments(many, 5e6, 5e6)
    assert (mean, variance, skew) == pytest.approx((9, 18, math.sqrt(8 / 9)), rel=1e-3)


def test_many_new_values_are_found_though_each_is_rare():
    a = table({f"old {i}": 3 for i in range(300)})
    b = table({f"new {i}": 3 for i in range(300)})
    found = counts(a, b)
    assert found["chisquare"].p_value < 1e-9
    assert found["new_share"].value == 1
    assert found["jensenshannon"].effect > 0.3


def test_values_that_never_come_twice_tell_nothing():
    a, b = table({f"a{i}": 1 for i in range(500)}), table({f"b{i}": 1 for i in range(500)})
    found = counts(a, b)
    assert found["chisquare"].p_value == 1
    assert found["jensenshannon"].effect == pytest.approx(0, abs=1e-6)


def test_buckets_lose_but_never_invent():
    rng = np.random.default_rng(1)
    p = np.append(np.full(5, 0.1), np.full(400, 0.5 / 400))
    x, y = rng.multinomial(5000, p), rng.multinomial(4000, np.roll(p, 2))
    names = [f"v{i}" for i in range(len(p))]
    truth = counts(
        table(dict(zip(names, x.tolist(), strict=True))), table(dict(zip(names, y.tolist(), strict=True)))
    )

    def bucketed(c: np.ndarray) -> CountTable:
        return CountTable(tuple(names[:5]), c[:5], buckets=c[5:].reshape(-1, 25).sum(1), distinct=len(c))

    found = counts(bucketed(x), bucketed(y))
    for name in ("jensenshannon", "total_variation", "hellinger"):
        assert found[name].method == "bounds"
        assert found[name].low <= truth[name].value <= found[name].high
    # buckets that do not match are one cell
    other = CountTable(
        ("v0", "v7"), np.array([x[0], x[7]]), buckets=np.array([x.sum() - x[0] - x[7]]), distinct=405
    )
    both = aligned(other, bucketed(y))
    assert both.values == ["v0"]
    assert both.shared_a.sum() + both.a.sum() == 5000
    assert both.shared_b.sum() + both.b.sum() == 4000
    mixed = counts(other, table(dict(zip(names, y.tolist(), strict=True))))
    assert mixed["total_variation"].low <= truth["total_variation"].value <= mixed["total_variation"].high


def test_categories_show_what_came_and_what_went():
    a = table({f"v{i}": 100 - i for i in range(50)} | {"gone": 70})
    b = table({f"v{i}": 100 - i for i in range(50)} | {HOSTILE[0]: 400})
    shown = categories(a, b, top=10)
    assert shown.values[0].label == HOSTILE[0]
    assert len(shown.values) == 11
    assert shown.values[-1].rest
    assert sum(c.reference for c in shown.values) == a.rows
    assert sum(c.current for c in shown.values) == b.rows
    assert (shown.new, shown.gone) == (1, 1)
    assert shown.new_share == pytest.approx(400 / b.rows)
    assert categories(a, a, top=100).new == 0


@pytest.mark.parametrize(
    ("a", "b", "value", "sure"),
    [
        (table({"x": 1000}), table({"x": 200}, nulls=800), 0.8, True),
        (table({"x": 20}), table({"x": 17}, nulls=3), 0.15, False),
        (NumberTable.of([1.0] * 500), NumberTable.of([1.0] * 250 + [math.inf] * 250), 0.5, True),
        (NumberTable.of([math.nan] * 50), NumberTable.of([math.nan] * 70), 0.0, False),
        (NumberTable.of([math.inf] * 50), NumberTable.of([-math.inf] * 50), 1.0, True),
    ],
)
def test_nulls_and_infinite_values_count_alike(a, b, value, sure):
    found = nulls(a, b)
    assert found.value == pytest.approx(value)
    assert (found.p_value < 1e-6) == sure
    assert found.effect <= math.sqrt(math.log(2))


def test_without_nulls_or_rows_there_is_no_test_of_nulls():
    assert nulls(NumberTable.of([1.0]), NumberTable.of([2.0])) is None
    assert nulls(NumberTable.of([]), NumberTable.of([math.nan])) is None
