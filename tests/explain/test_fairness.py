"""Fairness by group: known differences, intervals that cover, and no verdict on a handful of rows."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import world

from aios_workbench.drift.metrics import wilson
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.fairness import _ratio
from aios_workbench.explain.quality_models import Fairness


def people(rates: dict[str, tuple[int, float]], seed: int = 0, **how: Any) -> Any:
    """Groups of so many rows, of which such a share is selected."""
    g = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "group": np.repeat(list(rates), [n for n, _ in rates.values()]),
            "p": np.concatenate([np.where(g.random(n) < rate, 0.9, 0.2) for n, rate in rates.values()]),
        }
    )
    how = {"task": "binary", "scale": "probability", "outputs": ["hired"]} | how
    return world(lambda d: d["p"], frame, frame, exact=False, **how)


def test_a_known_difference() -> None:
    ex = people({"a": (3000, 0.5), "b": (2000, 0.3), "c": (1000, 0.5)})
    found = ex.fairness(None, "group")
    assert found.reference == "a"
    by = {(d.group, d.rate): d for d in found.disparities}
    b = by["b", "selection rate"]
    assert b.finding == "differs"
    assert b.difference.low < -0.2 < b.difference.high
    assert b.ratio.low < 0.6 < b.ratio.high
    assert by["c", "selection rate"].finding == "same"
    assert by["a", "selection rate"].finding == "reference"
    assert "'b' differs from that of 'a'" in found.words
    assert any("four fifths" in n and "'b'" in n for n in found.notes)
    assert found.widest["selection rate"] == pytest.approx(-b.difference.value, abs=0.03)


def test_rates_are_their_definitions() -> None:
    ex = people({"a": (400, 0.5), "b": (300, 0.4)})
    g = np.random.default_rng(1)
    y = g.random(700) < 0.45
    found = ex.fairness(y, "group")
    s = ex.frame["p"].to_numpy() > 0.5
    for name in ("a", "b"):
        of = (ex.frame["group"] == name).to_numpy()
        rates = next(x for x in found.groups if x.name == name).rates
        assert rates["selection rate"].value == pytest.approx(s[of].mean())
        assert rates["true positive rate"].value == pytest.approx(s[of & y].mean())
        assert rates["false positive rate"].value == pytest.approx(s[of & ~y].mean())
        assert rates["precision"].value == pytest.approx(y[of & s].mean())
        assert rates["accuracy"].value == pytest.approx((s == y)[of].mean())
        assert rates["base rate"].value == pytest.approx(y[of].mean())
    assert {d.finding for d in found.disparities if d.rate == "base rate"} <= {"reference", "same", "few"}


def test_errors_that_differ_while_selection_does_not() -> None:
    ex = people({"a": (2000, 0.5), "b": (2000, 0.5)})
    s = ex.frame["p"].to_numpy() > 0.5
    g = np.random.default_rng(2)
    wrong = g.random(4000) < np.where(ex.frame["group"] == "b", 0.3, 0.05)
    found = ex.fairness(s ^ wrong, "group")
    by = {(d.group, d.rate): d.finding for d in found.disparities}
    assert by["b", "selection rate"] == "same"
    assert by["b", "accuracy"] == by["b", "true positive rate"] == "differs"


def test_intervals_cover_and_equal_groups_are_not_accused() -> None:
    hit = ratio = accused = 0
    for seed in range(300):
        found = people({"a": (200, 0.4), "b": (80, 0.25)}, seed).fairness(None, "group")
        d = found.disparities[1]
        hit += d.difference.low <= -0.15 <= d.difference.high
        ratio += d.ratio.low <= 0.625 <= d.ratio.high
        same = people({"a": (150, 0.4), "b": (60, 0.4), "c": (60, 0.4)}, seed).fairness(None, "group")
        accused += any(x.finding == "differs" for x in same.disparities)
    assert hit >= 277  # 285 expected
    assert ratio >= 277
    assert accused <= 26  # 15 expected


def test_the_ratio_contains_its_value_and_the_formula_holds() -> None:
    a, b = wilson(30, 100), wilson(50, 100)
    found = _ratio(a, b)
    assert found.value == pytest.approx(0.6)
    assert 0.40 < found.low < 0.45  # log method: 0.42 to 0.86
    assert 0.82 < found.high < 0.88
    assert _ratio(a, wilson(0, 100)) is None
    assert _ratio(wilson(0, 100), b).low == 0.0


def test_small_groups_get_no_verdict() -> None:
    found = people({"a": (300, 0.5), "b": (8, 0.0)}).fairness([1, 0] * 154, "group")
    assert {d.finding for d in found.disparities if d.group == "b"} == {"few"}
    assert any("Not enough data" in n and "'b'" in n for n in found.notes)
    assert "Not enough data" in found.words


def test_threshold_reference_and_names() -> None:
    ex = people({"a": (100, 0.5), "b": (100, 0.5)})
    found = ex.fairness(None, "group", threshold=0.1, reference="b", favourable="an interview")
    assert all(g.rates["selection rate"].value == 1.0 for g in found.groups)
    assert (found.reference, found.favourable) == ("b", "an interview")
    with pytest.raises(ExplainInputError, match="no group 'B'"):
        ex.fairness(None, "group", reference="B")


def test_groups_from_outside_with_unknown_ones() -> None:
    ex = people({"a": (100, 0.5)})
    given = pd.Series((["x"] * 50) + (["<img src=x onerror=alert(1)>"] * 40) + [None] * 10, name="sex")
    found = ex.fairness(None, given)
    assert (found.group, found.rows, found.left_out) == ("sex", 90, 10)
    assert [g.name for g in found.groups] == ["x", "<img src=x onerror=alert(1)>"]


@pytest.mark.parametrize(
    ("group", "says"),
    [("grup", "did you mean 'group'"), (["x"] * 3, "3 values, and 100 rows"), (["x"] * 100, "has 1 groups")],
)
def test_wrong_groups(group: Any, says: str) -> None:
    with pytest.raises(ExplainInputError, match=says):
        people({"a": (100, 0.5)}).fairness(None, group)


def test_an_amount_is_no_group_and_a_regression_selects_nobody() -> None:
    ex = fake_explain.explanation()
    with pytest.raises(ExplainInputError, match=r"pandas\.cut"):
        ex.fairness(None, "income")
    with pytest.raises(ExplainInputError, match="a regression"):
        fake_explain.STATES["regression"]().fairness(None, "city")


@pytest.mark.parametrize("state", ["full", "classes", "hostile"])
def test_hostile_names_and_every_output(state: str) -> None:
    ex = fake_explain.STATES[state]()
    outputs = ex.data.outputs if len(ex.data.outputs) > 1 else [0, 1]
    y = np.random.default_rng(0).choice(outputs, ex.data.rows)
    for k, output in enumerate(ex.data.outputs):
        found = ex.fairness(y, ex.columns[3], output=k)
        assert Fairness.model_validate_json(found.model_dump_json()) == found
        assert found.favourable == output
        assert len(found.to_frame()) == len(found.disparities)
