"""Why these and not those: known differences are found in the right column, chance is not."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import Cohorts, Condition
from aios_workbench.explain.cohorts import cohorts
from aios_workbench.explain.means import difference


def linear(frame: pd.DataFrame) -> Any:
    return 2 * frame["a"] + 3 * (frame["city"] == "Ulm") + 0 * frame["b"]


def test_the_column_that_makes_the_difference() -> None:
    ex = world(linear, table(400))
    found = cohorts(ex, {"city": "Ulm"})
    assert (found.columns[0].column, found.columns[0].finding) == ("city", "differs")
    assert found.columns[0].difference.value == pytest.approx(3)
    assert found.columns[0].part == pytest.approx(3 / found.difference.value)
    assert (found.columns[0].typical_a, found.columns[0].typical_b) == ("Ulm", "Bonn")
    by_name = {c.column: c for c in found.columns}
    assert by_name["b"].finding == by_name["age"].finding == by_name["member"].finding == "same"
    assert "city (+3)" in found.words


def test_columns_add_up_to_the_difference_of_the_predictions() -> None:
    ex = world(linear, table(200))
    found = cohorts(ex, {"age": (30, 50)}, {"age": (50, None)})
    assert sum(c.difference.value for c in found.columns) == pytest.approx(found.difference.value)
    assert found.a == "age from 30 to below 50"
    assert found.b == "age from 50 on"
    frame = ex.frame
    assert found.rows_a == ((frame["age"] >= 30) & (frame["age"] < 50)).sum()
    own = ex.arrays.predictions[(frame["age"] >= 50).to_numpy(), 0]
    assert found.prediction_b.value == pytest.approx(own.mean())


def test_intervals_cover_and_nothing_is_found_where_nothing_is() -> None:
    g, hits, alarms = np.random.default_rng(1), 0, 0
    for _ in range(400):
        apart, _ = difference(g.normal(1, 1, 15), g.normal(0, 3, 40))
        hits += apart.low <= 1 <= apart.high
        alarms += difference(g.normal(0, 1, 15), g.normal(0, 3, 40))[1] < 0.05
    assert 370 <= hits <= 392  # 380 expected
    assert 8 <= alarms <= 32  # 20 expected


def test_many_columns_of_chance_raise_no_alarm() -> None:
    g, alarms = np.random.default_rng(2), 0
    ex = fake_explain.explanation(rows=120)
    for _ in range(60):
        ex.arrays.values = g.normal(size=(120, 8, 1))
        ex.arrays.predictions = ex.arrays.values.sum(axis=1)
        alarms += any(c.finding == "differs" for c in cohorts(ex, g.permutation(120)[:50]).columns)
    assert alarms <= 8  # 3 expected


def test_small_groups_are_not_judged() -> None:
    found = cohorts(world(linear, table(50)), [0, 1, 2], range(10, 50))
    assert {c.finding for c in found.columns} == {"few"}
    assert "Not enough data" in found.words


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ({"cty": "Ulm"}, None, "did you mean 'city'"),
        ([0], None, "at least two"),
        ({"city": "Rom"}, None, "0 of 40 rows"),
        ([0, 1], [1, 2], "1 rows in common"),
        ([99], None, "no row 99"),
        ([0.5], None, "as positions"),
        ({"age": "old"}, None, "holds numeric values"),
        ("age > 3", None, "as positions"),
    ],
)
def test_wrong_cohorts_are_named(a: Any, b: Any, says: str) -> None:
    with pytest.raises(ExplainInputError, match=says):
        cohorts(world(linear, table(40)), a, b)


def test_ways_to_name_rows() -> None:
    ex = world(linear, table(60))
    ulm = (ex.frame["city"] == "Ulm").to_numpy()
    ways: list[Any] = [
        {"city": "Ulm"}, {"city": ["Ulm"]}, ulm, np.flatnonzero(ulm), lambda frame: frame["city"] == "Ulm",
        Condition(column="city", values=["Ulm"]), [Condition(column="city", values=["Ulm"])],
    ]  # fmt: skip
    told = [cohorts(ex, way).to_frame() for way in ways]
    for frame in told[1:]:
        pd.testing.assert_frame_equal(frame, told[0])


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "regression"])
def test_hostile_names_and_every_output(state: str) -> None:
    ex = fake_explain.STATES[state]()
    for k, output in enumerate(ex.data.outputs):
        found = ex.cohorts({ex.columns[3]: fake_explain.EVIL}, output=k)
        assert Cohorts.model_validate_json(found.model_dump_json()) == found
        assert found.output == output
        assert found.a.endswith(f"is {fake_explain.EVIL!r}")
        assert len(found.to_frame()) == 8


def test_stored_without_rows_positions_still_work() -> None:
    ex = fake_explain.STATES["stored"]()
    assert cohorts(ex, range(100)).columns[0].typical_a == ""
    with pytest.raises(ExplainInputError, match="stored without"):
        cohorts(ex, {"age": (1, 2)})


def test_moments_and_missing_values() -> None:
    ex = fake_explain.explanation()
    found = cohorts(ex, {"since": ("2020-01-01", "2022-01-01")})
    assert found.rows_a == (ex.frame["since"] < "2022-01-01").sum()
    assert cohorts(ex, {"claims": None}).rows_a == ex.frame["claims"].isna().sum()
    assert cohorts(ex, {"claims": None}).a == "claims is missing"
