"""A column's contributions against its values: the colour that matters is found, no other is."""

from __future__ import annotations

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import Dependence
from aios_workbench.explain.dependence import dependence


@pytest.mark.parametrize(
    ("other", "f"),
    [
        ("b", lambda d: d["a"] * d["b"]),
        ("member", lambda d: d["a"] * np.where(d["member"], 1, -1)),
        ("city", lambda d: d["a"] * d["city"].map(len)),
        ("age", lambda d: np.where(d["age"] > 50, d["a"], 0.0) + d["b"]),
    ],
)
def test_the_colour_is_the_column_it_acts_with(other: str, f: object) -> None:
    found = dependence(world(f, table(300)), "a")
    assert found.color == other
    assert found.colours[0].share > 0.3
    assert all(c.share < 0.1 for c in found.colours[1:])
    assert found.color_kind is not None
    assert len(found.shade) == len(found.x) == 300


def test_no_colour_where_no_column_matters() -> None:
    ex = world(lambda d: np.sin(3 * d["a"]) + d["b"] ** 2, table(400))
    for column in ("a", "b", "city"):
        found = dependence(ex, column)
        assert found.color is None
        assert found.shade is None


def test_noise_finds_no_colour() -> None:
    ex, g, coloured = world(lambda d: d["a"], table(300)), np.random.default_rng(0), 0
    for _ in range(40):
        ex.arrays.values = g.normal(size=(300, 5, 1))
        coloured += dependence(ex, "a").color is not None
    assert coloured <= 4


def test_trend_is_the_known_function() -> None:
    ex = world(lambda d: 2.0 * d["a"] + 5 * (d["city"] == "Bonn"), table(400))
    for b in dependence(ex, "a").trend:
        middle = 2 * (b.at - ex.live.background["a"].mean())
        assert b.mean.low - 0.3 <= middle <= b.mean.high + 0.3
    found = dependence(ex, "city")
    assert [b.label for b in found.trend] == found.categories
    assert found.trend[found.categories.index("Bonn")].mean.value == pytest.approx(
        found.trend[found.categories.index("Ulm")].mean.value + 5
    )
    assert sum(b.rows for b in found.trend) == 400


def test_points_are_the_rows() -> None:
    ex = world(lambda d: d["a"] * d["age"], table(80))
    found = dependence(ex, "age", color="city", most=30, seed=3)
    assert found.x == ex.frame["age"].iloc[found.position].astype(float).tolist()
    assert found.y == ex.values[found.position, 2].tolist()
    assert [found.color_categories[int(s)] for s in found.shade] == ex.frame["city"].iloc[
        found.position
    ].tolist()
    assert found == dependence(ex, "age", color="city", most=30, seed=3)
    assert found.to_frame()["value"].tolist() == found.x


def test_missing_values_have_their_own_mean() -> None:
    frame = table(200)
    frame.loc[:49, "a"] = np.nan
    ex = world(lambda d: d["a"].fillna(9.0), frame, frame)
    found = dependence(ex, "a")
    assert found.x[:50] == [None] * 50
    missing = next(b for b in found.trend if b.label == "missing")
    assert (missing.rows, missing.at) == (50, -1.0)
    assert missing.mean.value == pytest.approx(9 - ex.base)


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "one row", "empty"])
def test_every_column_of_every_state(state: str) -> None:
    ex = fake_explain.STATES[state]()
    for name in ex.columns:
        found = dependence(ex, name, output=len(ex.data.outputs) - 1)
        assert Dependence.model_validate_json(found.model_dump_json()) == found
        assert len(found.x) == ex.data.rows


def test_wrong_names() -> None:
    ex = world(lambda d: d["a"], pd.concat([table(30)]))
    with pytest.raises(ExplainInputError, match="did you mean 'city'"):
        dependence(ex, "citty")
    with pytest.raises(ExplainInputError, match="no column 'x'"):
        dependence(ex, "a", color="x")
    with pytest.raises(ExplainInputError, match="no output 'z'"):
        dependence(ex, "a", output="z")
    with pytest.raises(ExplainInputError, match="most is 0"):
        dependence(ex, "a", most=0)
