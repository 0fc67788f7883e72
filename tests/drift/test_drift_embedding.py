"""Embeddings: shifts, new clusters and other lengths are found by the part that shows them."""

from __future__ import annotations

import numpy as np
import pytest

from aios_workbench.drift.embedding import checked, cloud, parts
from aios_workbench.drift.judge import judge
from aios_workbench.drift.models import Rules
from aios_workbench.errors import DriftInputError


def verdicts(a: np.ndarray, b: np.ndarray, seed: int = 0) -> dict[str, str]:
    return {p.name: p.verdict for p in judge(parts("e", a, b, seed=seed)[0], Rules())}


def test_each_change_is_found_by_its_part() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(2, 1_500, 32))
    assert set(verdicts(a, b).values()) == {"stable"}
    shifted = b.copy()
    shifted[:, :4] += 0.3
    assert verdicts(a, shifted)["linear classifier"] == "drifted"
    assert verdicts(a, b * 1.3)["length"] == "drifted"
    # two clusters in the place of one: same mean, a line tells nothing
    split = b * 0.3
    split[:, 0] += np.where(np.arange(1_500) % 2, 2.0, -2.0)
    found = verdicts(a, split)
    assert found["clouds"] == "drifted"
    assert found["linear classifier"] == "stable"


def test_clean_runs_raise_no_more_alarms_than_they_may() -> None:
    g = np.random.default_rng(1)
    raised = [
        "drifted" in verdicts(g.standard_t(4, size=(100, 16)), g.standard_t(4, size=(100, 16)), s).values()
        for s in range(20)
    ]
    assert np.mean(raised) <= 0.1  # 20 runs: two are not more than chance allows at a rate of .05


def test_long_vectors_are_projected() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(2, 300, 600))
    assert verdicts(a, b)["linear classifier"] == "stable"
    assert verdicts(a, b + 0.2)["linear classifier"] == "drifted"


def test_odd_clouds() -> None:
    g = np.random.default_rng(0)
    a = g.normal(size=(50, 3))
    assert parts("e", a[:0], a) == ([], cloud("e", a[:0], a))
    assert cloud("e", a[:0], a).verdict == cloud("e", a[:5], a).verdict == "few"
    assert cloud("e", np.ones((50, 3)), np.ones((60, 3))).p_value == 1
    assert set(verdicts(np.ones((50, 3)), np.ones((60, 3))).values()) <= {"stable", "few"}
    holes = a.copy()
    holes[3, 1], holes[4, 0] = np.nan, np.inf
    assert len(checked("e", holes, a)[0]) == 48
    assert cloud("e", a * 1e200, a * 1e200).verdict == "stable"
    assert parts("e", a, a + 1, seed=4) == parts("e", a, a + 1, seed=4)


@pytest.mark.parametrize(
    ("current", "words"),
    [
        (np.ones((5, 4)), "3 numbers in the reference and 4"),
        (np.ones(5), "1 dimensions"),
        ([["x"] * 3], "not of numbers"),
    ],
)
def test_what_does_not_fit_is_refused(current: object, words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        parts("e", np.ones((5, 3)), current)  # type: ignore[arg-type]
