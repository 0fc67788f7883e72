"""Grids that fit the reference: fine where its values are, a cell for each value that many rows have."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.drift.plan import Plan, grid_of, plan
from aios_workbench.drift.sources import open_source
from aios_workbench.drift.tables import MOST_ATOMS, NumberTable
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import mixed

R = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e-6])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e12])
def test_a_cell_holds_few_rows_wherever_the_values_are(shift: float, scale: float) -> None:
    x = (R.normal(size=20_000) + shift) * scale
    table = NumberTable.of(x, grid_of(x), by_value=False)
    assert table.counts.max() < 0.005 * len(x)
    assert len(table.keys) > 1_000


def test_what_many_rows_have_is_an_atom() -> None:
    x = np.where(R.random(20_000) < 0.6, 0.0, R.gamma(2, 2, 20_000))
    grid = grid_of(x)
    assert grid.atoms == (0.0,)
    table = NumberTable.of(x, grid, by_value=False)
    assert np.sort(table.counts)[-2] < 0.005 * len(x)
    assert len(grid_of(R.integers(0, 40, 20_000).astype(float)).atoms) == MOST_ATOMS
    # a plan is stored: it tells no value that fewer than 10 rows have
    assert grid_of(np.repeat(np.arange(20.0), 9)).atoms == ()


@given(st.lists(st.floats(), max_size=30))
def test_any_numbers_give_a_grid(values: list[float]) -> None:
    x = np.array(values, np.float64)
    grid = grid_of(x)
    assert math.isfinite(grid.centre)
    assert grid.scale > 0
    assert math.isfinite(grid.scale)
    table = NumberTable.of(x, grid, by_value=False)
    left, right = table.edges()
    assert (left <= right).all()


def test_a_plan_is_the_same_when_it_was_written_and_read() -> None:
    made = plan(open_source(mixed(500)), target="member")
    assert Plan.model_validate_json(made.model_dump_json()) == made
    assert made.time == "when"
    assert made.role("target") == ["member"]
    assert made.columns["age"].by_value
    assert made.columns["city"].grid is None


def test_the_time_column() -> None:
    two = mixed(100).assign(paid=lambda f: f["when"])
    assert plan(open_source(two)).time is None
    assert plan(open_source(two), time="paid").time == "paid"
    with pytest.raises(DriftInputError, match="'city' is a column of VARCHAR"):
        plan(open_source(two), time="city")
    with pytest.raises(DriftInputError, match="did you mean 'paid'"):
        plan(open_source(two), time="payd")


def test_columns_without_values() -> None:
    made = plan(open_source(pd.DataFrame({"x": [None, None], "y": [np.inf, -np.inf]})))
    assert made.columns["x"].grid == made.columns["y"].grid
