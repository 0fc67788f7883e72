"""Partial dependence and shuffling against functions whose answers are known."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import PartialDependence, PermutationImportance


def test_partial_dependence_is_the_function() -> None:
    ex = world(lambda d: d["a"] ** 2 + d["b"], table(200), exact=False)
    found = ex.partial_dependence("a", grid=9)
    assert [m.value for m in found.mean] == pytest.approx([v**2 + ex.frame["b"].mean() for v in found.grid])
    for at, curve in zip(found.position, found.curves, strict=True):
        assert curve == pytest.approx([v**2 + ex.frame["b"].iloc[at] for v in found.grid])
    wide = found.mean[0].high - found.mean[0].low
    assert wide == pytest.approx(2 * 1.972 * ex.frame["b"].std() / 200**0.5, rel=1e-3)
    assert set(found.grid) <= set(ex.live.background["a"])
    assert sum(found.share) == pytest.approx(1)


def test_categories_and_given_values() -> None:
    ex = world(lambda d: d["city"].map(len) + d["member"].astype(float), table(100), exact=False)
    found = ex.partial_dependence("city")
    told = dict(zip(found.categories, (m.value for m in found.mean), strict=True))
    assert told["Bonn"] - told["Ulm"] == pytest.approx(1)
    assert ex.partial_dependence("city", grid=["Ulm", "Rome"]).categories == ["Ulm", "Rome"]
    assert ex.partial_dependence("member").categories in (["True", "False"], ["False", "True"])
    assert "goes from" in found.words
    assert ex.partial_dependence("a").words == "a changes nothing."


def test_it_stops_with_what_is_there() -> None:
    ex = world(lambda d: d["a"], table(300), exact=False)
    asked = iter([False, True])
    found = ex.partial_dependence("a", cancelled=lambda: next(asked, True))
    assert found.stopped == "cancelled"
    assert 0 < found.rows < 300
    assert len(found.mean) == len(found.grid)


@pytest.mark.parametrize("state", ["full", "classes", "hostile"])
def test_partial_dependence_of_every_column(state: str) -> None:
    ex = fake_explain.STATES[state]()
    for name in ex.columns:
        found = ex.partial_dependence(name, rows=20, grid=5, output=-1 + len(ex.data.outputs))
        assert PartialDependence.model_validate_json(found.model_dump_json()) == found
        assert len(found.to_frame()) == len(found.grid)


def test_wrong_grids() -> None:
    ex = world(lambda d: d["a"], table(30), exact=False)
    for grid, says in ((1, "at least two"), ([], "empty"), (["x"], "holds numeric")):
        with pytest.raises(ExplainInputError, match=says):
            ex.partial_dependence("a", grid=grid)
    with pytest.raises(ExplainInputError, match="no column 'z'"):
        ex.partial_dependence("z")


# ---------------------------------------------------------------- shuffling


def test_what_a_linear_model_loses_is_known() -> None:
    g = np.random.default_rng(0)
    frame = pd.DataFrame(g.normal(size=(3000, 3)), columns=["a", "b", "c"])
    ex = world(lambda d: 2 * d["a"] + d["b"], frame, exact=False)
    found = ex.permutation_importance(2 * frame["a"] + frame["b"], metric="squared", rows=3000)
    by = {c.column: c for c in found.columns}
    # shuffling doubles the variance of what the column adds: 2 * 4 and 2 * 1
    assert by["a"].loss.low < 8 < by["a"].loss.high
    assert by["b"].loss.low < 2 < by["b"].loss.high
    assert by["c"].loss.value == 0
    assert [c.finding for c in found.columns] == ["differs", "differs", "same"]
    assert found.loss.value == pytest.approx(0)


def test_intervals_cover() -> None:
    hits = 0
    for seed in range(120):
        g = np.random.default_rng(seed)
        frame = pd.DataFrame({"a": g.normal(size=400), "b": g.normal(size=400)})
        y = frame["a"] + g.normal(size=400)
        ex = world(lambda d: d["a"] + 0 * d["b"], frame, exact=False)
        loss = ex.permutation_importance(y, metric="squared", repeats=3, seed=seed).columns[0].loss
        hits += loss.low <= 2 <= loss.high
    assert 107 <= hits <= 119  # 114 expected


def test_classes_use_log_loss_and_useless_columns_are_not_missed() -> None:
    ex = world(lambda d: 1 / (1 + np.exp(-3 * d["a"])), table(800), task="binary", scale="probability",
               outputs=["yes"], exact=False)  # fmt: skip
    g = np.random.default_rng(0)
    y = g.random(800) < ex.arrays.predictions[:, 0]
    found = ex.permutation_importance(y)
    assert found.metric == "log_loss"
    assert [c.column for c in found.columns if c.finding == "differs"] == ["a"]
    assert ex.permutation_importance(y, metric="error").columns[0].column == "a"


def test_without_labels_predictions_move() -> None:
    ex = world(lambda d: 3 * d["a"] + d["b"], table(400), exact=False)
    found = ex.permutation_importance()
    assert found.metric == "movement"
    assert [c.column for c in found.columns[:2]] == ["a", "b"]
    assert found.columns[0].loss.value == pytest.approx(3 * 2 / np.sqrt(np.pi), rel=0.1)


def test_twins_stand_in_for_each_other_unless_shuffled_together() -> None:
    g = np.random.default_rng(0)
    a = g.normal(size=500)
    frame = pd.DataFrame({"a": a, "twin": a, "b": g.normal(size=500)})
    ex = world(lambda d: np.maximum(d["a"], d["twin"]), frame, exact=False)
    both = ex.permutation_importance(a, groups={"both": ["a", "twin"], "b": ["b"]}).columns[0]
    assert both.column == "both"
    assert both.columns == ["a", "twin"]
    assert both.loss.value > 1.5 * ex.permutation_importance(a).columns[0].loss.value


def test_shuffling_stops_with_what_is_there() -> None:
    ex = world(lambda d: d["a"], table(100), exact=False)
    asked = iter([False] * 7)
    found = ex.permutation_importance(repeats=50, cancelled=lambda: next(asked, True))
    assert found.stopped == "cancelled"
    assert 0 < found.repeats < 50
    assert (
        ex.permutation_importance(cancelled=lambda: True).words
        == "Stopped before every column was shuffled once."
    )


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "regression"])
def test_shuffling_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    outputs = ex.data.outputs if len(ex.data.outputs) > 1 else [0, 1]
    y = np.random.default_rng(0).choice(outputs, ex.data.rows)
    for labels in (None, y):
        found = ex.permutation_importance(labels, repeats=2)
        assert PermutationImportance.model_validate_json(found.model_dump_json()) == found
        assert set(found.to_frame().index) == set(ex.columns)


def test_wrong_shuffles() -> None:
    ex: Any = world(lambda d: d["a"], table(30), exact=False)
    with pytest.raises(ExplainInputError, match="repeats is 0"):
        ex.permutation_importance(repeats=0)
    with pytest.raises(ExplainInputError, match="did you mean 'city'"):
        ex.permutation_importance(groups={"x": ["citi"]})
    with pytest.raises(ExplainInputError, match="0 rows are none"):
        ex.permutation_importance(rows=0)
