from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aios_workbench.drift.statistics.samples import samples

values = st.one_of(
    st.lists(st.floats(-1e6, 1e6), max_size=40),
    st.lists(st.integers(0, 3).map(float), max_size=60),
    st.lists(st.sampled_from([math.nan, math.inf, 1.0]), max_size=10),
)


@pytest.mark.filterwarnings("ignore:p-value")
@settings(max_examples=100, deadline=None)
@given(a=values, b=values)
def test_both_statistics_are_scipys(a, b):
    x, y = (np.array([v for v in side if math.isfinite(v)]) for side in (a, b))
    found = samples(a, b)
    if min(len(x), len(y)) < 2:
        assert found == {}
        return
    cvm = stats.cramervonmises_2samp(x, y)
    assert found["cramer_von_mises"].value == pytest.approx(cvm.statistic, abs=1e-9)
    assert found["cramer_von_mises"].p_value == pytest.approx(min(1, max(0, cvm.pvalue)), abs=1e-9)
    assert {s.rows for s in found.values()} == {len(x) + len(y)}
    assert {s.method for s in found.values()} == {"sample"}
    if len({*x, *y}) == 1:
        assert "anderson" not in found
    elif "anderson" in found:
        truth = stats.anderson_ksamp([x, y], variant="midrank")
        assert found["anderson"].value == pytest.approx(truth.statistic, abs=1e-9)
        assert found["anderson"].p_value == pytest.approx(truth.pvalue, abs=1e-9)


def test_a_shift_is_seen_by_both():
    rng = np.random.default_rng(0)
    found = samples(rng.normal(0, 1, 500), rng.normal(0.5, 1, 400))
    assert found["anderson"].p_value == 0.001
    assert found["cramer_von_mises"].p_value < 1e-6
