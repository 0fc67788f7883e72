"""Counterfactuals of known functions: the least change, within the rules, of values that occur, as the model says."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import Counterfactual, Counterfactuals


def linear(d: pd.DataFrame) -> Any:
    return d["a"] + 0.5 * d["b"] + 0.05 * (d["age"] - 50) + 2.0 * (d["city"] == "Bonn") - 1.0


def applied(ex: Any, row: int, found: Counterfactual) -> pd.DataFrame:
    """The row with the changes, made by hand."""
    frame = ex.frame.iloc[[row]].copy()
    for c in found.changes:
        value: Any = c.after if c.after_number is None else c.after_number
        frame[c.column] = [bool(value)] if c.column == "member" else [value]
    return frame


def binary(f: Any = linear, n: int = 300, **how: Any) -> Any:
    return world(
        f, table(n), table(400, seed=7), task="binary", scale="log-odds", outputs=["yes"], exact=False, **how
    )


@pytest.mark.parametrize("row", range(6))
def test_what_is_found_reaches_the_other_side_with_values_that_occur(row: int) -> None:
    ex = binary()
    found = ex.counterfactual(row)
    was = ex.arrays.predictions[row, 0] > 0
    assert found.found
    for one in found.found:
        assert (one.prediction > 0) != was
        assert linear(applied(ex, row, one)).iloc[0] == pytest.approx(one.prediction)
        assert one.probability == pytest.approx(1 / (1 + np.exp(-one.prediction)))
        assert 1 <= len(one.changes) <= 3
        for c in one.changes:
            known = ex.live.background[c.column]
            assert (c.after if c.after_number is None else c.after_number) in set(known.tolist())
            assert c.column != "member"  # it does nothing
    assert len({tuple(c.column for c in one.changes) for one in found.found}) > 1


def test_a_number_moves_no_further_than_it_must() -> None:
    ex = binary(lambda d: d["a"] - 0.3)
    row = int(np.argmin((ex.frame["a"] + 0.5).abs()))  # near -0.5
    one = ex.counterfactual(row).found[0]
    values = np.sort(ex.live.background["a"])
    assert [c.column for c in one.changes] == ["a"]
    assert one.changes[0].after_number == values[values > 0.3][0]
    own = ex.frame["a"].iloc[row]
    assert one.distance == pytest.approx(
        ((values > own) & (values <= one.changes[0].after_number)).mean(), abs=0.003
    )


def test_two_changes_are_found_where_one_is_not_enough() -> None:
    ex = binary(lambda d: 3.0 * ((d["city"] == "Bonn") & d["member"].astype(bool) & (d["age"] > 40)) - 1)
    row = int(np.flatnonzero((ex.frame["city"] == "Ulm") & ~ex.frame["member"] & (ex.frame["age"] < 30))[0])
    one = ex.counterfactual(row).found[0]
    assert {c.column: c.after for c in one.changes} == {"city": "Bonn", "member": "True", "age": "41"}
    few = ex.counterfactual(row, most=2)
    assert few.found == []
    assert "No change of up to 2 columns" in few.words
    assert few.nearest == -1


def test_rules_are_kept() -> None:
    ex = binary()
    for row in range(10):
        found = ex.counterfactual(
            row, immutable=["city"], monotone={"age": "up", "a": "down"}, ranges={"b": (-1, 1)}, count=8
        )
        assert "city" in found.fixed
        for one in found.found:
            for c in one.changes:
                assert c.column != "city"
                if c.column == "age":
                    assert c.after_number > c.before_number
                if c.column == "a":
                    assert c.after_number < c.before_number
                if c.column == "b":
                    assert -1 <= c.after_number <= 1
    only = ex.counterfactual(0, ranges={"city": ["Ulm"]}, immutable=["a", "b", "age"])
    assert all(c.after == "Ulm" for one in only.found for c in one.changes)


@pytest.mark.parametrize(
    ("target", "good"),
    [(3.0, lambda p: p >= 3), ((1, 1.5), lambda p: 1 <= p <= 1.5), ((None, -4), lambda p: p <= -4)],
)
def test_values_reach_what_is_asked(target: Any, good: Any) -> None:
    ex = world(linear, table(100), table(400, seed=7), exact=False)
    row = int(np.argmin(ex.arrays.predictions[:, 0].clip(-1)))
    found = ex.counterfactual(row, target=target)
    assert found.found
    assert all(good(one.prediction) for one in found.found)


def test_classes() -> None:
    ex = world(lambda d: np.stack([d["a"], d["b"], 0 * d["a"] + 0.1], axis=1), table(50), table(300, seed=7),
               task="multiclass", scale="log-odds", outputs=["x", "y", "z"], exact=False)  # fmt: skip
    row = int(np.argmax(ex.frame["a"]))
    second = ex.counterfactual(row)
    assert second.found[0].prediction > 0.1 or second.output == "z"
    named = ex.counterfactual(row, target="z")
    assert named.output == "z"
    assert {c.column for c in named.found[0].changes} <= {"a", "b"}
    for one in named.found:
        assert applied(ex, row, one)[["a", "b"]].to_numpy().max() < 0.1


def test_nothing_to_change() -> None:
    ex = binary()
    row = int(np.argmax(ex.arrays.predictions))
    for target in ("yes", True, (0, None)):
        found = ex.counterfactual(row, target=target)
        assert found.found == []
        assert "already" in found.words
    assert ex.counterfactual(row, target="not yes").found


def test_rows_unlike_any_other_are_told_and_come_last() -> None:
    g = np.random.default_rng(0)
    a = g.normal(size=500)
    frame = pd.DataFrame({"a": a, "b": a + 0.01 * g.normal(size=500), "c": g.normal(size=500)})
    ex = world(lambda d: d["a"] - d["b"] + 0.05 * d["c"], frame, frame, task="binary", scale="log-odds",
               outputs=["yes"], exact=False)  # fmt: skip
    row = int(np.flatnonzero(ex.arrays.predictions[:, 0] < -0.03)[0])
    found = ex.counterfactual(row, count=6).found
    plausible = [one.plausible >= 0.01 for one in found]
    assert plausible == sorted(plausible, reverse=True)
    assert any(not ok for ok in plausible) or all(len(one.changes) > 0 for one in found)
    far = ex.counterfactual(row, target=(4, None))
    assert all(one.plausible < 0.01 for one in far.found)
    assert "model is guessing" in " ".join(far.notes)


def test_the_same_seed_and_a_stop() -> None:
    ex = binary()
    assert ex.counterfactual(3).found == ex.counterfactual(3).found
    asked = iter([False] * 2)
    stopped = ex.counterfactual(3, cancelled=lambda: next(asked, True))
    assert stopped.stopped == "cancelled"
    assert all((one.prediction > 0) != (stopped.prediction > 0) for one in stopped.found)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"immutable": ["citi"]}, "did you mean 'city'"),
        ({"immutable": "city"}, r"immutable is a list of columns: \['city'\]"),
        ({"monotone": {"age": "higher"}}, "give 'up' or 'down'"),
        ({"monotone": {"city": "up"}}, "no up and down"),
        ({"ranges": {"age": 3}}, r"needs \(low, high\)"),
        ({"ranges": {"city": "Ulm"}}, "needs a list"),
        ({"target": "maybe"}, "target is 'maybe'"),
        ({"target": (3, 1)}, "low below high"),
        ({"most": 0}, "most is 0"),
    ],
)
def test_wrong_rules_are_named(how: dict[str, Any], says: str) -> None:
    with pytest.raises(ExplainInputError, match=says):
        binary(n=20).counterfactual(0, **how)


def test_a_regression_needs_a_target() -> None:
    with pytest.raises(ExplainInputError, match="which prediction is wanted"):
        world(linear, table(20), exact=False).counterfactual(0)


@pytest.mark.parametrize("state", ["full", "classes", "hostile"])
def test_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    found = ex.counterfactual(4, monotone={ex.columns[1]: "up"}, immutable=[ex.columns[5]])
    assert Counterfactuals.model_validate_json(found.model_dump_json()) == found
    assert len(found.to_frame()) == len(found.found) > 0
