import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.knn import exact
from aios_workbench.knn.exact import exact_search


def brute(x, queries, k):
    squared = ((queries[:, None].astype("f8") - x[None].astype("f8")) ** 2).sum(2)
    order = np.argsort(squared, 1, kind="stable")[:, :k]
    return np.take_along_axis(squared, order, 1), order


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 300), q=st.integers(1, 40), d=st.integers(1, 9), k=st.integers(1, 30),
    seed=st.integers(0, 99), coarse=st.booleans(), shift=st.sampled_from([0.0, 50.0]),
)  # fmt: skip
def test_as_brute_force(n, q, d, k, seed, coarse, shift):
    rng = np.random.default_rng(seed)
    x, queries = rng.standard_normal((n, d)) + shift, rng.standard_normal((q, d)) + shift
    if coarse:  # many ties
        x, queries = x.round(), queries.round()
    x, queries = x.astype(np.float32), queries.astype(np.float32)
    distances, rows = exact_search(x, queries, k)
    want, _ = brute(x, queries, k)
    few = min(n, k)
    assert distances[:, :few] == pytest.approx(want, rel=1e-9, abs=1e-12)
    assert (rows[:, few:] == -1).all()
    assert np.isinf(distances[:, few:]).all()
    away = ((x[rows[:, :few]].astype("f8") - queries[:, None]) ** 2).sum(2)
    assert away == pytest.approx(distances[:, :few])
    assert all(len(set(r)) == few for r in rows[:, :few].tolist())


def test_many_blocks_and_threads(monkeypatch):
    monkeypatch.setattr(exact, "_BLOCK", 64)
    rng = np.random.default_rng(0)
    x, queries = rng.standard_normal((3000, 5)).astype("f4"), rng.standard_normal((70, 5)).astype("f4")
    distances, rows = exact_search(x, queries, 10, threads=2)
    want, order = brute(x, queries, 10)
    assert distances == pytest.approx(want)
    assert (rows == order).all()


def test_far_from_the_origin_digits_are_kept():
    rng = np.random.default_rng(0)
    x = (1000 + rng.standard_normal((4000, 8))).astype("f4")
    queries = x[:20] + np.float32(0.01)
    assert (exact_search(x, queries, 5)[1] == brute(x, queries, 5)[1]).all()


def test_a_check_that_raises_ends_it():
    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        exact_search(np.zeros((10, 2), "f4"), np.zeros((3, 2), "f4"), 1, threads=2, check=stop)
