from __future__ import annotations

import numpy as np

from aios_workbench.drift.columns import column
from aios_workbench.drift.judge import judge
from aios_workbench.drift.models import ColumnDrift, Rules
from aios_workbench.drift.tables import NumberTable


def number(
    shift: float = 0.0, n: int = 2000, *, name: str = "income", nulls: int = 0, seed: int = 0
) -> ColumnDrift:
    rng = np.random.default_rng(seed)
    a, b = NumberTable.of(rng.normal(0, 1, n)), NumberTable.of(rng.normal(shift, 1, n), nulls=nulls)
    return column(name, "feature", "numeric", a, b)


def test_a_large_significant_change_is_drift_and_says_why():
    found = judge([number(1.0)], Rules())[0]
    assert found.verdict == "drifted"
    assert found.reasons[0].startswith("PSI 1.")
    assert "adjusted p < 0.001" in found.reasons[0]


def test_significant_but_small():
    rng = np.random.default_rng(0)
    a = NumberTable.of(rng.normal(0, 1, 200_000))
    b = NumberTable.of(rng.normal(0.03, 1, 200_000), a.grid)
    found = judge([column("x", "feature", "numeric", a, b)], Rules())[0]
    assert found.verdict == "small"
    assert found.reasons[0].startswith("significant, small")
