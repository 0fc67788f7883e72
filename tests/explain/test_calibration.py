"""Calibration: a calibrated model is not accused, one that is off by a known amount is."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.quality_models import Calibration


def sure(p: np.ndarray, **how: Any) -> Any:
    frame = pd.DataFrame({"p": p})
    how = {"task": "binary", "scale": "probability", "outputs": ["yes"]} | how
    return world(lambda d: d["p"], frame, frame, exact=False, **how)


def test_a_calibrated_model_is_rarely_accused_and_the_noise_is_what_it_shows() -> None:
    g, accused, over = np.random.default_rng(0), 0, []
    for i in range(60):
        p = g.beta(1, 2, 500)
        found = sure(p).calibration(g.random(500) < p, seed=i)
        accused += found.finding == "differs"
        over.append(found.error - found.noise)
    assert accused <= 8  # 3 expected
    assert abs(np.mean(over)) < 0.005


@pytest.mark.parametrize(("off", "words"), [(0.15, "too high"), (-0.15, "too low")])
def test_a_known_error_is_found(off: float, words: str) -> None:
    g = np.random.default_rng(1)
    truth = g.uniform(0.3, 0.7, 4000)
    found = sure(truth + off).calibration(g.random(4000) < truth)
    assert found.finding == "differs"
    assert found.error == pytest.approx(0.15, abs=0.02)
    assert words in found.words
    assert sum(b.rows for b in found.bins) == 4000


def test_intervals_of_bins_cover() -> None:
    g, hit, all_ = np.random.default_rng(2), 0, 0
    for _ in range(40):
        p = g.beta(2, 2, 400)
        for b in sure(p).calibration(g.random(400) < p).bins:
            hit += b.observed.low <= b.predicted <= b.observed.high
            all_ += 1
    assert 0.92 <= hit / all_ <= 0.98


def test_brier_is_its_definition() -> None:
    g = np.random.default_rng(3)
    p, y = g.random(200), g.random(200) < 0.5
    found = sure(p).calibration(y)
    assert found.brier.value == pytest.approx(np.mean((p - y) ** 2))
    assert found.brier.low < found.brier.value < found.brier.high


@pytest.mark.parametrize(
    "ways", [[1, 0], ["yes", "no"], [True, False], [1.0, 0.0], ["1", "0"]], ids=lambda w: str(w[0])
)
def test_labels_in_any_form(ways: list[Any]) -> None:
    g = np.random.default_rng(4)
    p = g.random(100)
    hit = g.random(100) < p
    ex = sure(p)
    assert ex.calibration([ways[0] if h else ways[1] for h in hit]).bins == ex.calibration(hit).bins


def test_missing_labels_are_left_out_and_counted() -> None:
    p = np.linspace(0.1, 0.9, 100)
    y: list[Any] = [1, 0] * 40 + [None, np.nan] * 10
    found = sure(p).calibration(y)
    assert (found.rows, found.left_out) == (80, 20)


def test_few_rows_are_not_judged() -> None:
    found = sure(np.linspace(0.1, 0.9, 20)).calibration([1, 0] * 10)
    assert found.finding == "few"
    assert "Not enough data" in found.words


def test_log_odds_are_turned_into_probabilities() -> None:
    g = np.random.default_rng(5)
    p = g.uniform(0.1, 0.9, 300)
    y = g.random(300) < p
    a, b = sure(p).calibration(y), sure(np.log(p / (1 - p)), scale="log-odds").calibration(y)
    assert [x.predicted for x in a.bins] == pytest.approx([x.predicted for x in b.bins])


def test_several_classes() -> None:
    g = np.random.default_rng(6)
    p = g.dirichlet([1, 1, 1], 600)
    y = [["x", "y", "z"][g.choice(3, p=q)] for q in p]
    frame = pd.DataFrame(p, columns=["x", "y", "z"])
    ex = world(lambda d: d.to_numpy(), frame, frame, task="multiclass", scale="probability", exact=False,
               outputs=["x", "y", "z"])  # fmt: skip
    assert ex.calibration(y).kind == "confidence"
    assert ex.calibration(y).finding == "same"
    found = ex.calibration(y, output="y")
    assert (found.kind, found.output, found.finding) == ("probability", "y", "same")
    assert ex.calibration(["x"] * 600, output="y").finding == "differs"
    with pytest.raises(ExplainInputError, match="'w', which is none of the model's classes x, y, z"):
        ex.calibration(["w", *y[1:]])


def test_values_and_their_slope() -> None:
    g = np.random.default_rng(7)
    p = g.normal(size=800)
    ex = sure(p, task="regression", scale="value")
    right = ex.calibration(p + g.normal(size=800))
    assert right.finding == "same"
    assert right.slope.low < 1 < right.slope.high
    flat = ex.calibration(0.5 * p + g.normal(size=800))
    assert flat.finding == "differs"
    assert flat.slope.high < 0.8


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "what really was"),
        ([1, 0], "2 labels, and 4 rows"),
        (["a", "b", "a", "b"], "'a', 'b', and the model predicts 'yes'"),
        ([1, 2, 3, 4], "4 different labels"),
        ([None] * 4, "no label in y is known"),
    ],
)
def test_wrong_labels_are_named(y: Any, says: str) -> None:
    with pytest.raises(ExplainInputError, match=says):
        sure(np.array([0.1, 0.2, 0.3, 0.4])).calibration(y)


@pytest.mark.parametrize("state", ["full", "classes", "hostile"])
def test_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    y = np.random.default_rng(0).choice(ex.data.outputs if len(ex.data.outputs) > 1 else [0, 1], ex.data.rows)
    found = ex.calibration(y)
    assert Calibration.model_validate_json(found.model_dump_json()) == found
    assert len(found.to_frame()) == len(found.bins)
