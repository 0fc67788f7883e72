from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from aios_workbench.drift.statistics.adjusted import benjamini_hochberg, bonferroni


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p, method="bh").tolist(), abs=1e-12)


def test_of_nothing_nothing():
    assert benjamini_hochberg([]) == []


def test_bonferroni_is_no_probability_above_one():
    assert bonferroni([0.9, 0.8]) == 1
    assert bonferroni([0.01]) == 0.01
