"""CBPE against NannyML's own figures, against its formulas, and against what is really so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from aios_workbench.drift.cbpe import CAVEAT, Estimator
from aios_workbench.errors import DriftInputError

#: NannyML 0.13.1 on the data below (benchmarks/peers/drift_nannyml_cbpe.py).
NANNYML = {
    "binary": {
        "roc_auc": 0.8171771, "f1": 0.7787753, "precision": 0.8261856, "recall": 0.7365108, "accuracy": 0.7355798,
    },
    "multi": {
        "roc_auc": 0.7956645, "f1": 0.5944654, "precision": 0.6139964, "recall": 0.5849889, "accuracy": 0.6382157,
    },
}  # fmt: skip


def binary(n: int = 3_000, seed: int = 3) -> list[np.ndarray]:
    """Scores that are no probabilities, labels, predictions; of the reference, then of rows that have moved."""
    g, out = np.random.default_rng(seed), []
    for mean in (0.0, 0.8):
        z = g.normal(mean, 1.5, n)
        y = (g.random(n) < 1 / (1 + np.exp(-z))).astype(int)
        s = (1 / (1 + np.exp(-z))) ** 2
        out += [np.round(s, 6), y, (s >= 0.4).astype(int)]
    return out


def multi(n: int = 3_000, seed: int = 4) -> list[np.ndarray]:
    g, out = np.random.default_rng(seed), []
    for mean in (0.0, 0.7):
        logits = g.normal(0, 1, (n, 3)) + np.array([mean, 0, -0.3])
        p = np.exp(logits)
        p /= p.sum(1, keepdims=True)
        y = np.minimum((g.random((n, 1)) > p.cumsum(1)).sum(1), 2)
        s = p**2 / (p**2).sum(1, keepdims=True)
        out += [np.round(s, 6), y, s.argmax(1)]
    return out


@pytest.mark.parametrize(("name", "data"), [("binary", binary), ("multi", multi)])
def test_values_are_those_of_nannyml(name: str, data: Callable[[], list[np.ndarray]]) -> None:
    score, label, _, new_score, _, new_prediction = data()
    found = Estimator.learn(score, label).estimate(new_score, new_prediction)
    for metric, value in NANNYML[name].items():
        assert found[metric].value == pytest.approx(value, abs=1e-6)


def test_figures_of_known_probabilities_are_their_formulas() -> None:
    g = np.random.default_rng(0)
    p = g.uniform(size=500)
    found = Estimator((None,), 10**9).estimate(p)
    said = p >= 0.5
    assert found["accuracy"].value == pytest.approx(np.where(said, p, 1 - p).mean())
    assert found["precision"].value == pytest.approx(p[said].mean())
    assert found["recall"].value == pytest.approx(p[said].sum() / p.sum())
    assert found["brier"].value == pytest.approx((p * (1 - p)).mean())
    assert found["log_loss"].value == pytest.approx(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
    pairs = p[:, None] * (1 - p)[None, :]
    above = (p[:, None] > p[None, :]) + 0.5 * (p[:, None] == p[None, :])
    assert found["roc_auc"].value == pytest.approx((pairs * above).sum() / pairs.sum())


def test_the_band_holds_what_is_real_when_only_the_rows_changed() -> None:
    g, inside = np.random.default_rng(1), []
    for seed in range(40):
        z, moved = g.normal(size=1_000), g.normal(0.7, 1, size=1_000)
        s, t = (1 / (1 + np.exp(-2 * x)) for x in (z, moved))
        y, real = g.random(1_000) < s, g.random(1_000) < t
        found = Estimator.learn(s, y).estimate(t, seed=seed)["accuracy"]
        inside.append(found.low <= np.mean((t >= 0.5) == real) <= found.high)
    assert np.mean(inside) >= 0.85


def test_it_is_blind_to_concept_drift_and_says_so() -> None:
    g = np.random.default_rng(2)
    s = g.uniform(size=4_000)
    learnt = Estimator.learn(s, g.random(4_000) < s)
    flipped = g.random(4_000) < 1 - s
    found = learnt.estimate(s)["accuracy"]
    assert found.low > np.mean((s >= 0.5) == flipped) + 0.3
    assert "cannot see concept drift" in CAVEAT


def test_the_same_seed_gives_the_same_band() -> None:
    score, label, _, new, _, said = binary(400)
    learnt = Estimator.learn(score, label)
    assert learnt.estimate(new, said, seed=5) == learnt.estimate(new, said, seed=5)
    assert learnt.estimate(new, said, seed=5)["f1"] != learnt.estimate(new, said, seed=6)["f1"]


def test_small_and_odd_references_are_taken() -> None:
    one_class = Estimator.learn(np.linspace(0, 1, 50), np.zeros(50))
    assert one_class.maps == (None,)
    assert Estimator.learn([0.2, 0.9], [False, True]).estimate([0.7])["accuracy"].value == pytest.approx(0.7)
    holes = Estimator.learn([0.2, np.nan, 0.9, np.inf], [0, 1, 1, 0])
    assert holes.rows == 2
    assert holes.estimate([np.nan]) == {}
    nothing_said = one_class.estimate(np.zeros(20))
    assert "precision" not in nothing_said
    assert "recall" not in nothing_said
    assert nothing_said["accuracy"].value == 1
    unbounded = Estimator.learn(np.linspace(-3, 3, 200), np.linspace(-3, 3, 200) > 0).estimate(
        np.linspace(-3, 3, 50)
    )
    assert "log_loss" not in unbounded


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Estimator.learn([0.1, 0.2], [1]), "2 scores and 1 labels"),
        (lambda: Estimator.learn([np.nan], [1]), "no row has a score"),
        (lambda: Estimator.learn(np.zeros((2, 2, 2)), [1, 0]), "shape"),
        (lambda: Estimator((None,), 5).estimate([0.1], [1, 0]), "1 scores and 2 predictions"),
        (lambda: Estimator((None, None), 5).estimate([0.1, 0.2]), "1 scores a row, but 2"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        call()
