"""The made-up explanation that screens are tested with is a whole and true one."""

from __future__ import annotations

import fake_explain
import numpy as np
import pytest


@pytest.mark.parametrize("state", fake_explain.STATES)
def test_each_state_is_whole(state: str) -> None:
    ex = fake_explain.STATES[state]()
    n, outputs = ex.data.rows, len(ex.data.outputs)
    assert ex.arrays.values.shape == (n, 8, outputs)
    total = ex.arrays.base + ex.arrays.values.sum(axis=1)
    np.testing.assert_allclose(total, ex.arrays.predictions, atol=1e-12)
    for at in range(min(n, 12)):
        row = ex.row(at)
        assert abs(row.gap) < 1e-9
        assert {c.column for c in row.contributions} == set(ex.columns)
    if ex.live is not None and ex.frame is not None:
        np.testing.assert_allclose(ex.live.predict(ex.frame), ex.arrays.predictions, atol=1e-12)
        assert ex.live.again(ex.frame[:1]).data.rows == min(n, 1)


def test_known_rows_disagree() -> None:
    ex = fake_explain.explanation()
    assert ex.agreement is not None
    assert set(ex.agreement.worst[:3]) == set(fake_explain.DISAGREEING)
    assert any(c.agrees is False for c in ex.row(3).contributions)
    assert ex.row(3).agreement == pytest.approx(ex.row(3).agreement)
    assert "unlike the training data" in ex.row(5).notes[0]


def test_what_an_explanation_can_do_is_found() -> None:
    made = fake_explain.explanation()
    assert {"interactions", "what_if", "row"} <= set(dir(made))
    with pytest.raises(AttributeError, match="did you mean 'interactions'"):
        made.interaction()
