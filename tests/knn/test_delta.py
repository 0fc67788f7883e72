"""The exact buffer: against a plain computation, and older states that stay as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.knn import delta as module
from aios_workbench.knn.delta import Delta, measured, nearest


def brute(x: np.ndarray, q: np.ndarray, k: int, rows: np.ndarray | None = None) -> np.ndarray:
    chosen = x if rows is None else x[rows]
    squared = ((q[:, None].astype("f8") - chosen[None].astype("f8")) ** 2).sum(-1)
    return np.sort(squared, axis=1)[:, :k]


@pytest.mark.parametrize("block", [7, 16_384])
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 80), st.integers(1, 6), st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans())
def test_nearest_is_exact(block: int, n: int, d: int, k: int, seed: int, some: bool) -> None:
    r = np.random.default_rng(seed)
    x = r.integers(-3, 4, (n, d)).astype("f4")  # few values: many ties
    q = r.integers(-3, 4, (5, d)).astype("f4")
    rows = np.flatnonzero(r.random(n) < 0.5) if some else None
    before, module._BLOCK = module._BLOCK, block
    try:
        squared, found = nearest(x, q, k, rows)
    finally:
        module._BLOCK = before
    assert np.array_equal(squared, brute(x, q, k, rows))
    assert all(len(set(f)) == len(f) for f in found.tolist())
    if found.size:
        assert np.allclose(measured(q, x[found]), squared)
        assert rows is None or np.isin(found, rows).all()


def test_near_ties_far_from_the_origin_are_ranked_in_float64() -> None:
    r = np.random.default_rng(0)
    x = (1000 + r.standard_normal((300, 8)) * 0.01).astype("f4")
    squared, found = nearest(x, x[:20], 1)
    assert (squared == 0).mean() > 0.3  # the product in float32 alone finds almost none of them
    assert found.shape == (20, 1)


def test_older_states_stay_as_they_were() -> None:
    states, vectors = [Delta.empty(3)], np.random.default_rng(1).standard_normal((700, 3)).astype("f4")
    for i in range(0, 700, 7):
        part = vectors[i : i + 7]
        new = states[-1].with_added(range(i, i + 7), part, (part**2).sum(1), np.arange(i, i + 7))
        states.append(new.without(np.array([i])))
    for n, state in enumerate(states):
        assert len(state) == 6 * n
        assert np.array_equal(state.vectors, vectors[: 7 * n])
        assert state.keys.tolist() == list(range(7 * n))
    with pytest.raises(AssertionError):
        states[3].with_added([1], vectors[:1], np.ones(1), np.array([1]))
    late = states[-1].after(350)
    assert late.ids.tolist() == list(range(350, 700))
    assert len(late) == 300


def test_a_search_sees_the_living_and_the_allowed() -> None:
    x = np.arange(10, dtype="f4")[:, None]
    delta = Delta.empty(1).with_added(list("abcdefghij"), x, (x**2).sum(1), np.arange(10))
    delta = delta.without(np.array([3, 4]))
    assert delta.search(np.array([[3.0]], "f4"), 3)[1].tolist() == [[2, 1, 5]]
    allowed = np.arange(10) % 2 == 1
    assert delta.search(np.array([[3.0]], "f4"), 9, allowed)[1].tolist() == [[1, 5, 7, 9]]
    assert delta.search(np.array([[3.0]], "f4"), 2, np.zeros(10, bool))[1].shape == (1, 0)


def test_squared_lengths_can_be_given() -> None:
    # inner product inside: every vector counts as length 2, so the longer one wins
    x = np.array([[1.0, 0], [3.0, 0]], "f4")
    squared, found = nearest(x, np.array([[2.0, 0]], "f4"), 2, squares=np.full(2, 4.0))
    assert found.tolist() == [[1, 0]]
    assert squared.tolist() == [[4 + 4 - 12, 4 + 4 - 4]]
