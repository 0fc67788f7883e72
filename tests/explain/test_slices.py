"""Error analysis: the slice that was made bad is found, and where nothing is bad little is."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.quality_models import Slices


def right(n: int = 1200, seed: int = 0) -> tuple[Any, np.ndarray]:
    """A model that is right in 9 of 10 rows, everywhere."""
    ex = world(lambda d: np.where(d["a"] > 0, 0.9, 0.1), table(n, seed), task="binary", scale="probability",
               outputs=["yes"], exact=False)  # fmt: skip
    g = np.random.default_rng(seed + 1)
    truth = (ex.frame["a"] > 0).to_numpy() ^ (g.random(n) < 0.1)
    return ex, truth


@pytest.mark.parametrize("metric", ["error", "log_loss", "brier"])
def test_the_bad_slice_is_found(metric: str) -> None:
    ex, y = right()
    bad = (ex.frame["city"] == "Bonn").to_numpy()
    g = np.random.default_rng(9)
    y = np.where(bad, g.random(len(y)) < 0.5, y)
    found = ex.slices(y, metric=metric)
    first = found.slices[0]
    assert first.words == "city is 'Bonn'"
    assert first.rows == bad.sum()
    if metric == "error":
        wrong = (ex.arrays.predictions[:, 0] > 0.5) != y
        assert first.loss.value == pytest.approx(wrong[bad].mean())
        assert first.difference.value == pytest.approx(wrong[bad].mean() - wrong[~bad].mean())
    assert all("Bonn" in s.words or s.p_adjusted < 0.05 for s in found.slices)


def test_a_pair_is_found_and_not_blamed_on_its_columns() -> None:
    ex, y = right(4000)
    bad = ((ex.frame["city"] == "Bonn") & (ex.frame["age"] >= 60)).to_numpy()
    y = np.where(bad, ~(ex.frame["a"] > 0).to_numpy(), y)
    first = ex.slices(y).slices[0]
    assert len(first.conditions) == 2
    assert {c.column for c in first.conditions} == {"city", "age"}
    assert len(ex.slices(y, depth=1).slices[0].conditions) == 1


def test_chance_is_not_listed() -> None:
    alarms = 0
    for seed in range(40):
        ex, y = right(600, seed * 2)
        alarms += bool(ex.slices(y).slices)
    assert alarms <= 6  # 2 expected


def test_a_slice_is_a_cohort() -> None:
    ex, y = right()
    y = np.where(ex.frame["member"], ~y, y)
    one = ex.slices(y).slices[0]
    assert one.words == "member is 'True'"
    assert ex.cohorts(one.conditions).rows_a == one.rows


def test_values() -> None:
    ex = world(lambda d: d["a"], table(800), exact=False)
    g = np.random.default_rng(0)
    y = ex.frame["a"] + g.normal(size=800) * np.where(ex.frame["age"] < 30, 5, 1)
    found = ex.slices(y)
    assert found.metric == "absolute"
    assert any(c.column == "age" for c in found.slices[0].conditions)
    assert ex.slices(y, metric="squared").metric == "squared"


def test_too_few_rows_say_so() -> None:
    ex, y = right(25)
    found = ex.slices(y)
    assert (found.tested, found.slices) == (0, [])
    assert found.small > 0
    assert "Not enough data" in found.words


def test_missing_values_are_a_slice() -> None:
    frame = table(600)
    frame.loc[:99, "b"] = np.nan
    ex = world(lambda d: d["a"], frame, frame, exact=False)
    found = ex.slices(frame["a"] + np.where(frame["b"].isna(), 3, 0) + 0.01 * frame["age"] / 50, depth=1)
    assert found.slices[0].words == "b is missing"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"depth": 3}, "depth is 3"),
        ({"metric": "eror"}, "did you mean 'error'"),
        ({"columns": ["citi"]}, "did you mean 'city'"),
    ],
)
def test_wrong_options(how: dict[str, Any], says: str) -> None:
    ex, y = right(60)
    with pytest.raises(ExplainInputError, match=says):
        ex.slices(y, **how)


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "regression"])
def test_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    outputs = ex.data.outputs if len(ex.data.outputs) > 1 else [0, 1]
    y = np.random.default_rng(0).choice(outputs, ex.data.rows)
    found = ex.slices(y, least=5)
    assert Slices.model_validate_json(found.model_dump_json()) == found
    assert found.tested > 50
