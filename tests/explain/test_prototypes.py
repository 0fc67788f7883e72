"""Rows like a row: the nearest by hand, on both sides of the model's border."""

from __future__ import annotations

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import Prototypes


def test_the_nearest_on_both_sides() -> None:
    g = np.random.default_rng(0)
    background = pd.DataFrame({"a": g.normal(size=500), "b": g.normal(size=500)})
    rows = pd.DataFrame({"a": [0.3], "b": [0.0]})
    ex = world(lambda d: d["a"], rows, background, task="binary", scale="log-odds", outputs=["yes"])
    found = ex.prototypes(0, 4)
    scale = [(np.quantile(background[c], 0.75) - np.quantile(background[c], 0.25)) / 1.349 for c in "ab"]
    away = np.hypot(*((background[c] - rows[c][0]) / s for c, s in zip("ab", scale, strict=True)))
    for side, mask in ((found.like, background["a"] > 0), (found.unlike, background["a"] <= 0)):
        nearest = away[mask].sort_values().head(4)
        assert [n.position for n in side] == nearest.index.tolist()
        assert [n.distance for n in side] == pytest.approx(nearest.tolist(), rel=1e-4)
        assert all((n.prediction > 0) == (side is found.like) for n in side)
    assert found.among == 500


def test_a_category_counts_as_one() -> None:
    background = pd.DataFrame({"city": ["Ulm", "Bonn", "Ulm"], "a": [0.0, 0.0, 1.0]})
    ex = world(lambda d: d["a"], background.head(1), background, task="regression")
    found = ex.prototypes(0, 2)
    near = {n.position: n for n in [*found.like, *found.unlike]}
    assert near[0].distance == pytest.approx(0, abs=1e-6)
    assert near[1].distance == pytest.approx(1, rel=1e-5)
    assert near[1].differs == ["city"]
    assert near[0].differs == []


def test_by_contributions_rows_are_alike_in_their_reasons() -> None:
    ex = world(lambda d: d["a"] ** 2 + d["b"], table(100))
    found = ex.prototypes(7, 3, by="contributions")
    away = np.linalg.norm(ex.values - ex.values[7], axis=1)
    away[7] = np.inf
    near = sorted([*found.like, *found.unlike], key=lambda n: n.distance)
    assert near[0].position == away.argmin()
    assert near[0].distance == pytest.approx(away.min(), rel=1e-3, abs=1e-6)
    assert all(n.position != 7 for n in near)


def test_classes_and_nothing_on_the_other_side() -> None:
    ex = world(lambda d: np.stack([d["a"], -d["a"], d["b"] - 99], axis=1), table(60), task="multiclass",
               scale="log-odds", outputs=["x", "y", "z"])  # fmt: skip
    row = int(np.argmax(ex.frame["a"]))
    found = ex.prototypes(row, 3, output="x")
    assert all(n.prediction > 0 for n in found.like)
    assert all(n.prediction <= 0 for n in found.unlike)
    same = world(lambda d: 0 * d["a"] + 1, table(30), task="binary", scale="log-odds", outputs=["yes"])
    assert same.prototypes(0).unlike == []
    assert "all rows" in same.prototypes(0).words.lower()


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "regression"])
def test_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    for by in ("values", "contributions"):
        found = ex.prototypes(4, 3, by=by)
        assert Prototypes.model_validate_json(found.model_dump_json()) == found
        assert len(found.like) == 3
        assert set(found.like[0].values) == set(ex.columns)
        assert len(found.to_frame()) == len(found.like) + len(found.unlike)


def test_wrong_questions() -> None:
    ex = world(lambda d: d["a"], table(30), exact=False)
    with pytest.raises(ExplainInputError, match="by is 'shap'"):
        ex.prototypes(0, by="shap")
    with pytest.raises(ExplainInputError, match="n is 0"):
        ex.prototypes(0, 0)
    with pytest.raises(ExplainInputError, match="no row 30"):
        ex.prototypes(30)
    alone = fake_explain.STATES["one row"]().prototypes(0, by="contributions")
    assert (alone.like, alone.words) == ([], "There is no other row.")
