import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.knn.choice import assured
from aios_workbench.knn.exact import exact_search
from aios_workbench.knn.kmeans import Nested, assign
from aios_workbench.knn.models import Params, Point
from aios_workbench.knn.oracle import ivf_curve
from aios_workbench.knn.recall import enough_queries, interval, queries_needed, recall_at_k


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), k=st.integers(1, 12), seed=st.integers(0, 999), levels=st.integers(1, 4))
def test_recall_is_brute_forces_over_ties(n, k, seed, levels):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, levels, (n, 2)).astype("f4")
    queries = rng.integers(0, levels, (5, 2)).astype("f4")
    truth_squared, truth = exact_search(x, queries, k)
    found = rng.integers(-1, n, (5, k))
    got = recall_at_k(found, truth, truth_squared, x, queries, k)
    for i in range(5):
        squared = ((x.astype("f8") - queries[i]) ** 2).sum(1)
        kth = np.sort(squared)[: min(k, n)][-1]
        good = {int(r) for r in found[i] if r >= 0 and squared[r] <= kth}
        assert got[i] == pytest.approx(min(len(good), k, n) / min(k, n))


def test_exact_answers_have_recall_one():
    x = np.random.default_rng(0).standard_normal((100, 4)).astype("f4")
    squared, rows = exact_search(x, x[:10], 7)
    assert (recall_at_k(rows, rows, squared, x, x[:10], 7) == 1).all()


@pytest.mark.parametrize("p", [0.8, 0.95, 0.99])
def test_the_interval_holds_the_truth_nineteen_times_of_twenty(p):
    rng = np.random.default_rng(1)
    each = rng.beta(p * 4, (1 - p) * 4, (2000, 200))  # some queries are harder than others
    samples = rng.binomial(10, each) / 10
    low, high = zip(*(interval(s) for s in samples), strict=True)
    assert (
        np.mean((np.array(low) <= p) & (p <= np.array(high))) > 0.91
    )  # few misses, all from hard queries: a little under 95 %
    points = [
        Point.model_construct(params=Params(family="ivf"), recall=s.mean(), recall_low=b)
        for s, b in zip(samples, low, strict=True)
    ]
    trusted = [assured(point) for point in points]
    assert np.mean(np.array(trusted) > p) < 0.2  # one standard error: 16 %


def test_interval_at_the_edges():
    assert interval(np.array([])) == (0, 1)
    low, high = interval(np.ones(500))
    assert 0.998 < low < 1
    assert high == 1
    low, high = interval(np.zeros(20))
    assert low == 0
    assert high < 0.3


def test_enough_queries():
    assert queries_needed(0.95) == 76
    assert enough_queries(0.9, 40)
    assert not enough_queries(0.999, 500)
    assert queries_needed(1.0) > 10_000


def test_the_oracle_is_a_search_of_every_list():
    rng = np.random.default_rng(0)
    x, queries = rng.standard_normal((2000, 8)).astype("f4"), rng.standard_normal((50, 8)).astype("f4")
    squared, truth = exact_search(x, queries, 10)
    nested = Nested(x, seed=1)
    for lists in (32, 16, 4):
        centroids, of = nested.centroids(lists), nested.assigned(lists)
        curve = ivf_curve(centroids, of, queries, truth, 10)
        near = np.argsort(((queries[:, None] - centroids[None]) ** 2).sum(2), 1)
        for nprobe in (1, 3, lists):
            found = np.full((50, 10), -1)
            for i in range(50):
                rows = np.flatnonzero(np.isin(of, near[i, :nprobe]))
                best = rows[np.argsort(((x[rows] - queries[i]) ** 2).sum(1))[:10]]
                found[i, : len(best)] = best
            assert curve.recall[nprobe - 1] == pytest.approx(
                recall_at_k(found, truth, squared, x, queries, 10).mean(), abs=1e-9
            )
        assert curve.scanned[-1] == pytest.approx(2000)
        assert curve.nprobe(1.0, sure=False) <= lists


def test_nested_lists_cover_every_vector():
    x = np.random.default_rng(0).standard_normal((4000, 6)).astype("f4")
    nested = Nested(x, seed=0, threads=2)
    for lists in (64, 32, 8, 50):
        assert len(nested.centroids(lists)) == lists
        assert (nested.assigned(lists) == assign(x, nested.centroids(lists))).all()
        guess = nested.nearly_assigned(lists)
        assert (guess == nested.assigned(lists)).mean() > 0.5


@pytest.mark.parametrize("n", [1, 2, 5, 17, 100])
def test_few_or_equal_vectors_cluster_too(n):
    for x in (np.zeros((n, 3), "f4"), np.random.default_rng(0).standard_normal((n, 1)).astype("f4")):
        nested = Nested(x, seed=0)
        for lists in (1, 3, 200):
            assert len(nested.centroids(lists)) == min(lists, n)
            assert np.isfinite(nested.centroids(lists)).all()
