"""What if: a known function answers exactly, values fit their column, and what cannot be said is refused."""

from __future__ import annotations

from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.beyond_models import WhatIf


def f(d: pd.DataFrame) -> Any:
    return d["a"] * d["b"] + 0.1 * d["age"] + 2 * (d["city"] == "Bonn") - d["member"].astype(bool)


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"age": 40}, lambda r: 0.1 * (40 - r["age"])),
        ({"age": "40"}, lambda r: 0.1 * (40 - r["age"])),
        ({"city": "Bonn"}, lambda r: 2.0 * (r["city"] != "Bonn")),
        ({"city": "Rom"}, lambda r: -2.0 * (r["city"] == "Bonn")),
        ({"member": "True"}, lambda r: -1.0 + r["member"]),
        ({"a": 1, "b": 2}, lambda r: 2 - r["a"] * r["b"]),
        ({}, lambda r: 0.0),
    ],
)
def test_the_model_answers_what_the_function_says(changes: Any, step: Any) -> None:
    ex = world(f, table(30))
    for row in (0, 7, -1):
        found = ex.what_if(row, changes)
        assert found.prediction.value == pytest.approx(step(ex.frame.iloc[row]))
        assert found.after.base + sum(c.after for c in found.columns) == pytest.approx(found.after.prediction)
        assert sum(c.difference for c in found.columns) == pytest.approx(found.prediction.value, abs=1e-9)


def test_columns_that_act_together_are_told() -> None:
    ex = world(f, table(30))
    found = ex.what_if(3, {"a": 5.0})
    assert [c.column for c in found.columns if c.changed] == ["a"]
    assert found.columns[1].column == "b"
    assert any("act together" in n and "b (" in n for n in found.notes)
    assert not any("act together" in n for n in ex.what_if(3, {"age": 20}).notes)


def test_values_nobody_has_seen_are_told() -> None:
    ex = world(f, table(30))
    assert any("the model is guessing" in n for n in ex.what_if(0, {"age": 300}).notes)
    assert any("only whole numbers" in n for n in ex.what_if(0, {"age": 40.5}).notes)
    assert any("does not occur" in n for n in ex.what_if(0, {"city": "Rom"}).notes)
    assert ex.what_if(0, {"age": 40, "city": "Bonn"}).notes == []


def test_nothing_changed_says_so() -> None:
    ex = world(f, table(30))
    found = ex.what_if(2, {"age": ex.frame["age"].iloc[2], "city": ex.frame["city"].iloc[2]})
    assert found.changes == []
    assert found.words == "Nothing is changed."
    assert found.prediction.value == 0.0


def test_types_are_the_users_own() -> None:
    seen: list[pd.DataFrame] = []

    def look(d: pd.DataFrame) -> Any:
        seen.append(d)
        return np.zeros(len(d))

    frame = table(20).assign(city=lambda d: d["city"].astype("category"), day=pd.Timestamp("2026-01-01"))
    ex = world(look, frame, exact=False)
    ex.what_if(1, {"age": "33", "member": False, "day": "2026-03-04"})
    asked = seen[-2]  # the last is the background
    assert asked.dtypes.tolist() == frame.dtypes.tolist()
    assert asked.iloc[0].to_dict() == frame.iloc[1].to_dict() | {
        "age": 33, "member": False, "day": pd.Timestamp("2026-03-04")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aeg": 3}, "did you mean 'age'"),
        ({"age": "old"}, "age holds numeric values, and 'old' is none"),
        ({"age": float("inf")}, "not finite"),
        ({"member": "perhaps"}, "give True or False"),
        ([("age", 3)], "changes are"),
    ],
)
def test_what_does_not_fit_is_refused(changes: Any, says: str) -> None:
    ex = world(f, table(20))
    with pytest.raises(ExplainInputError, match=says):
        ex.what_if(0, changes)
    with pytest.raises(ExplainInputError, match="no row 20"):
        ex.what_if(20, {"age": 3})


@pytest.mark.parametrize("state", ["full", "classes", "hostile"])
def test_hostile_names_and_every_output(state: str) -> None:
    ex = fake_explain.STATES[state]()
    for k in range(len(ex.data.outputs)):
        found = ex.what_if(
            4, {ex.columns[3]: fake_explain.EVIL, ex.columns[4]: True, ex.columns[2]: None}, output=k
        )
        assert WhatIf.model_validate_json(found.model_dump_json()) == found
        asked = ex.frame.iloc[[4]].copy()
        asked.iloc[0, 3], asked.iloc[0, 4], asked.iloc[0, 2] = fake_explain.EVIL, True, np.nan
        want = ex.live.predict(asked)[0, k] - ex.arrays.predictions[4, k]
        assert found.prediction.value == pytest.approx(want)


def test_a_stored_explanation_says_what_to_do() -> None:
    with pytest.raises(ExplainInputError, match="explain again"):
        fake_explain.STATES["stored"]().what_if(0, {})
