"""Drift of importances: found where a model leans on other columns, quiet where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from aios_workbench.drift.importance import importance_drift
from aios_workbench.errors import DriftInputError

NAMES = ["a", "b", "c", "d"]


def attributions(n: int, seed: int, *sizes: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sizes, size=(n, len(sizes)))


def test_what_moved_is_told_first_with_its_ranks() -> None:
    found = importance_drift(attributions(800, 0, 4, 3, 2, 1), attributions(800, 1, 1, 3, 2, 4), NAMES)
    by = {c.column: c for c in found}
    assert {found[0].column, found[1].column} == {"a", "d"}
    assert (by["a"].rank_reference, by["a"].rank_current, by["a"].verdict) == (1, 4, "drifted")
    assert (by["d"].rank_reference, by["d"].rank_current) == (4, 1)
    assert by["a"].reference.value == pytest.approx(0.4, abs=0.03)
    assert by["a"].low < by["a"].current.value - by["a"].reference.value < by["a"].high < 0
    assert sum(c.reference.value for c in found) == pytest.approx(1)


def test_intervals_hold_the_truth_and_clean_runs_are_quiet() -> None:
    inside, raised = [], []
    for seed in range(60):
        found = importance_drift(
            attributions(300, seed, 4, 3, 2, 1), attributions(300, 900 + seed, 4, 3, 2, 1), NAMES
        )
        a = next(c for c in found if c.column == "a")
        inside.append(a.reference.low <= 0.4 <= a.reference.high)
        raised.append(any(c.verdict == "drifted" for c in found))
    assert np.mean(inside) >= 0.85
    assert np.mean(raised) <= 0.1


def test_little_and_nothing() -> None:
    few = importance_drift(attributions(5, 0, 1, 2), attributions(500, 1, 2, 1), ["a", "b"])
    assert {c.verdict for c in few} == {"few"}
    assert importance_drift(np.zeros((0, 2)), np.ones((3, 2)), ["a", "b"]) == []
    still = importance_drift(np.zeros((50, 2)), np.zeros((50, 2)), ["a", "b"])
    assert {c.verdict for c in still} == {"stable"}
    a = attributions(100, 0, 1, 2)
    assert importance_drift(a, a, ["a", "b"], seed=1) == importance_drift(a, a, ["a", "b"], seed=1)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (np.ones((3, 3)), "shape"),
        (np.ones(3), "shape"),
        ([[1.0, np.nan]], "row 0 of the reference"),
        ([["x", "y"]], "not numbers"),
    ],
)
def test_what_does_not_fit_is_refused(reference: object, words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        importance_drift(reference, np.ones((3, 2)), ["a", "b"])  # type: ignore[arg-type]
