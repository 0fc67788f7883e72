"""What can be spent and budgeted, how models' libraries say it, and the clock that counts seconds."""

from __future__ import annotations

import math
import types
import unittest.mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aios_workbench as aios
from aios_workbench.engine.spending import Clock, Purse
from aios_workbench.engine.spending.spender import Spender, usage_amounts
from aios_workbench.errors import DefinitionError, ParameterError
from aios_workbench.workspace import Workspace

BOTH = {"calls": 1, "input_tokens": 3, "output_tokens": 4}


@pytest.mark.parametrize(("usage", "amounts"), [
    ({"input_tokens": 3, "output_tokens": 4}, BOTH),
    (types.SimpleNamespace(requests=2, input_tokens=3, output_tokens=4), {**BOTH, "calls": 2}),
    (lambda: types.SimpleNamespace(prompt_tokens=3, completion_tokens=4), BOTH),
    (types.SimpleNamespace(prompt_tokens=3, completion_tokens=None), {"calls": 1, "input_tokens": 3}),
])  # fmt: skip
def test_usage_of_models(usage: object, amounts: dict[str, int]) -> None:
    assert usage_amounts(usage) == amounts


def test_usage_without_tokens_is_refused() -> None:
    with pytest.raises(ParameterError, match="object says neither input_tokens"):
        usage_amounts(object())


@pytest.mark.parametrize(("spends", "told"), [
    ({"toknes": 1}, "did you mean 'tokens'"),
    ({"eur": 1}, "did you mean 'EUR'"),
    ({"seconds": 1}, "counted by the engine itself"),
    ({"tokens": -1}, "at least 0"),
    ({"tokens": math.nan}, "at least 0"),
    ({"tokens": "3"}, "at least 0"),
])  # fmt: skip
def test_what_cannot_be_spent(ws: Workspace, spends: dict[str, float], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        Spender(ws, Purse("x", "w", "r", "s")).spend(spends)


@pytest.mark.parametrize(("budget", "told"), [
    ({"toknes": 1}, "did you mean 'tokens'"), ({"tokens": -1}, "at least 0"), ({"seconds": "soon"}, "not a duration"),
    (5, "maps units to amounts"), ({"EUR": math.inf}, "at least 0"),
])  # fmt: skip
def test_wrong_budgets_are_refused_where_they_are_written(budget: object, told: str) -> None:
    with pytest.raises(DefinitionError, match=f"budget: .*{told}"):
        aios.Workflow("wrong").step(name="a", budget=budget)(lambda: 1)  # type: ignore[call-overload]
    with pytest.raises(DefinitionError, match=f"workflow 'wrong', daily_budget: .*{told}"):
        aios.Workflow("wrong", daily_budget=budget)  # type: ignore[arg-type]


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DefinitionError, match="did you mean 'Europe/Vienna'"):
        aios.Workflow("wrong", zone="Europe/Viena")


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 5)), max_size=30))
def test_a_clock_counts_time_side_by_side_once(events: list[tuple[bool, float]]) -> None:
    now, at_work, busy, taken = 100.0, 0, 0.0, 0.0
    with unittest.mock.patch("aios_workbench.engine.spending.meter.time") as fake:
        fake.monotonic.side_effect = lambda: now
        clock = Clock()
        for begins, pause in events:
            if at_work:
                busy += pause
            now += pause
            if begins:
                clock.start()
                at_work += 1
            elif at_work:
                taken += clock.stop()
                at_work -= 1
        assert taken + clock.running() == pytest.approx(busy)
