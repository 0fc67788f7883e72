"""Which rows to look at first."""

from __future__ import annotations

import fake_explain
import numpy as np
import pandas as pd
import pytest

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import importances, ranking
from aios_workbench.explain.models import Column


def test_the_most_surprising_rows_are_furthest_from_the_base() -> None:
    ex = fake_explain.explanation()
    found = ex.surprising(5)
    apart = np.abs(ex.arrays.predictions[:, 0] - ex.arrays.base[0])
    assert found.index.tolist() == np.argsort(-apart, kind="stable")[:5].tolist()
    assert found["label"].iloc[0] == f"claim-{found.index[0]}"
    assert set(found["because"]) <= set(ex.columns)
    usual = np.sqrt((apart**2).mean())
    assert found["surprise"].abs().iloc[0] == pytest.approx(apart.max() / usual)


def test_rows_turned_round_disagree_most() -> None:
    ex = fake_explain.explanation()
    found = ex.disagreeing(3)
    assert set(found.index) == set(fake_explain.DISAGREEING)
    assert (found["sign"] < 0.5).all()
    assert found["agreement"].is_monotonic_increasing
    assert len(fake_explain.explanation(lime=False).disagreeing()) == 0
    assert len(fake_explain.explanation(rows=0).surprising()) == 0


def test_wrong_questions_are_told() -> None:
    ex = fake_explain.explanation(outputs=4)
    with pytest.raises(ExplainInputError, match="did you mean 'review'"):
        ex.surprising(output="reveiw")
    with pytest.raises(ExplainInputError, match="1 or more"):
        ex.disagreeing(0)
    with pytest.raises(ExplainInputError, match="there is no row 200"):
        ex.row(200)
    with pytest.raises(ExplainInputError, match="by its position, not by 'claim-3'"):
        ex.row("claim-3")  # type: ignore[arg-type]
    assert ex.row(-1).row == 199


def test_importance_is_the_mean_size_with_the_spread_of_rows() -> None:
    ex = fake_explain.explanation()
    frame = ex.importance
    values = np.abs(ex.values)
    for j, name in enumerate(ex.columns):
        assert frame.loc[name, "value"] == pytest.approx(values[:, j].mean())
        assert frame.loc[name, "error"] == pytest.approx(values[:, j].std(ddof=1) / np.sqrt(200))
    assert frame["rank"].tolist() == list(range(1, 9))
    assert frame["value"].is_monotonic_decreasing
    assert frame.index[-1] == "noise"


def test_importance_that_moved_is_found_by_name_and_nothing_else() -> None:
    ex, other = fake_explain.explanation(rows=500), fake_explain.explanation(rows=500, seed=7)
    still = ex.drift(other)
    assert [c.column for c in still if c.verdict == "drifted"] == []
    other.arrays.values[:, 4] *= 4
    order = [7, 6, 5, 4, 3, 2, 1, 0]  # columns may come in another order
    other.arrays.values = other.arrays.values[:, order]
    other.data.columns = [other.data.columns[j] for j in order]
    moved = ex.drift(other)
    assert moved[0].column == "member"
    assert moved[0].verdict == "drifted"
    other.data.columns = [*other.data.columns[:-1], Column(name="else", kind="numeric")]
    with pytest.raises(ExplainInputError, match=r"different columns: \['else', 'income'\]"):
        ex.drift(other)
    with pytest.raises(ExplainInputError, match="same scale="):
        importances.drift(ex, fake_explain.explanation(task="regression"))


def test_errors_that_an_explainer_does_not_know_are_none() -> None:
    ex = fake_explain.explanation(rows=1)
    assert ex.arrays.errors is not None
    ex.arrays.errors[:] = np.nan
    assert {c.error for c in ex.row(0).contributions} == {None}
    assert importances.importance(ex.arrays, ex.columns)[0].error is None
    assert (
        np.sign(ranking.surprise(ex, 0)) == np.sign(ex.arrays.predictions[:, 0] - ex.arrays.base[0])
    ).all()


def test_labels_and_values_are_text() -> None:
    row = fake_explain.explanation(evil=True).row(0)
    by_name = {c.column: c for c in row.contributions}
    assert by_name["a,b"].value in [*fake_explain.CITIES, "''", "' '"]
    assert by_name["city"].value.startswith("20")
    assert by_name["city"].number == pd.Timestamp(by_name["city"].value).timestamp()
    assert by_name["City"].value in ("True", "False")
    assert by_name[fake_explain.EVIL].number is not None
    assert by_name["a,b"].number is None
