from __future__ import annotations

import json
import math

import numpy as np
import pytest

from aios_workbench.drift.columns import column, side, window
from aios_workbench.drift.models import LEVELS, ColumnDrift
from aios_workbench.drift.tables import CountTable, Grid, NumberTable


def normal(shift: float = 0.0, n: int = 2000, seed: int = 0, **more) -> NumberTable:
    return NumberTable.of(np.random.default_rng(seed).normal(shift, 1, n), **more)


def words(**counts: int) -> CountTable:
    return CountTable(tuple(counts), np.array(list(counts.values())), distinct=len(counts))


def test_a_column_of_numbers_has_all_there_is_to_say():
    found = column("income", "feature", "numeric", normal(), normal(1.0, nulls=100, seed=1))
    assert found.test == "ks"
    assert found.effect_of == "wasserstein"
    assert found.effect == pytest.approx(1.0, abs=0.1)
    assert found.psi == found.statistics["psi"].value > 0.5
    assert found.statistics["null_shift"].value == pytest.approx(100 / 2100)
    assert found.histogram is not None
    assert found.categories is None
    assert found.current.nulls == 100
    assert found.current.rows == 2100
    assert len(found.reference.quantiles) == len(LEVELS)
    assert ColumnDrift.model_validate_json(found.model_dump_json()) == found


def test_a_column_of_values_has_its_categories():
    found = column("state", "target", "categorical", words(a=500, b=500), words(a=500, b=300, c=200))
    assert found.test == "chisquare"
    assert found.effect_of == "jensenshannon"
    assert found.new_share == 0.2
    assert found.categories.new == 1
    assert found.histogram is None
    assert found.role == "target"


def test_with_samples_come_their_statistics():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=300), rng.normal(1, 1, 200)
    found = column("x", "feature", "numeric", NumberTable.of(x), NumberTable.of(y), sample_a=x, sample_b=y)
    assert found.statistics["anderson"].rows == 500
    assert found.cramer_von_mises > 1


def test_a_null_jump_decides_where_nothing_else_moved():
    a, b = normal(seed=1), NumberTable.of(np.random.default_rng(1).normal(0, 1, 400), nulls=1600)
    found = column("x", "feature", "numeric", a, b)
    assert found.test == "null_shift"
    assert found.effect_of == "null_shift"
    assert found.p_value < 1e-9


@pytest.mark.parametrize(
    ("kind", "a", "b", "why"),
    [
        ("id", normal(), normal(), "an id"),
        ("numeric", None, normal(), "the reference has no such column"),
        ("numeric", normal(), None, "the current data has no such column"),
        ("numeric", normal(), words(a=3), "numbers in the reference and other values"),
    ],
)
def test_what_cannot_be_compared_says_why(kind, a, b, why):
    found = column("x", "feature", kind, a, b)
    assert found.verdict == "skipped"
    assert why in found.reasons[0]
    assert found.statistics == {}


@pytest.mark.parametrize(
    "values",
    [
        [],
        [math.nan],
        [1.0],
        [1.0, 1.0],
        [math.inf],
        [math.inf, -math.inf, 2.0],
        [0.0] * 50,
        [1e308, -1e308, 5e-324],
    ],
)
@pytest.mark.parametrize("others", [[], [math.nan] * 3, [2.0], [1.0, 5.0] * 30])
def test_any_column_can_be_compared_and_written(values, others):
    found = column("x", "feature", "numeric", NumberTable.of(values), NumberTable.of(others))
    assert (
        ColumnDrift.model_validate(json.loads(found.model_dump_json())) == found
    )  # NaN would come back as null
    assert found.verdict == "stable"


def test_empty_sides_of_values_too():
    nothing = CountTable((), np.zeros(0, np.int64), nulls=4)
    found = column("x", "feature", "categorical", nothing, words(a=3))
    assert found.statistics.keys() == {"null_shift"}
    assert column("x", "feature", "categorical", nothing, nothing).effect == pytest.approx(0)


def test_a_side_in_cells_does_not_claim_a_count_of_values():
    assert side(normal(by_value=False)).distinct is None
    assert side(NumberTable.of([1.0, 2.0, 2.0])).distinct == 2
    assert side(words(a=1, b=1)).distinct == 2


def test_a_window_is_told_in_figures():
    grid = Grid(0.0, 1.0)
    reference = normal(grid=grid, by_value=False)
    found = window("2026-05", reference, normal(0.5, 500, seed=2, grid=grid, by_value=False, nulls=500))
    assert found.window == "2026-05"
    assert found.rows == 1000
    assert found.null_share == 0.5
    assert found.median == pytest.approx(0.5, abs=0.1)
    assert found.p_value < 1e-6
    assert window("w", reference, NumberTable.of([], grid)).median is None
