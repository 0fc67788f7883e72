"""Exact Shapley values of few columns: those of the definition and of shap, chosen where sampling costs no less."""

from __future__ import annotations

import time

import known_truth as truth
import numpy as np
import pandas as pd
import pytest

import aios_workbench as aios
from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.exact import exact

X, BACKGROUND = truth.data(3, 30)


def test_values_are_those_of_the_definition() -> None:
    found = exact(truth.model, X, BACKGROUND)
    np.testing.assert_allclose(found.values, truth.shapley(truth.model, X, BACKGROUND), atol=1e-9)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, found.predictions, atol=1e-9)
    assert found.stopped == "done"
    assert found.evaluations == len(X) + len(BACKGROUND) * (1 + len(X) * (2 ** X.shape[1] - 2))


@pytest.mark.filterwarnings(
    "ignore::PendingDeprecationWarning"
)  # what shap does with matplotlib when imported
def test_values_are_those_of_shap() -> None:
    import shap

    two = lambda z: np.c_[np.sin(z[:, 0]) * z[:, 1], z[:, 2] * z[:, 3] + z[:, 0]]  # noqa: E731 - short
    masker = shap.maskers.Independent(BACKGROUND[:, :4], max_samples=30)
    wanted = shap.explainers.Exact(two, masker)(X[:, :4], max_evals=64, silent=True).values
    np.testing.assert_allclose(exact(two, X[:, :4], BACKGROUND[:, :4]).values, wanted, atol=1e-6)


def test_the_whole_background_is_used_in_calls_of_any_size() -> None:
    x, rows = truth.data(1, 250)
    wanted = truth.shapley(truth.model, x, rows)
    for batch in (None, 7, 600):
        found = exact(truth.model, x, rows, batch=batch)
        assert found.background == 250  # shap itself would take 100 of them and say nothing
        np.testing.assert_allclose(found.values, wanted, atol=1e-9)


def test_one_column() -> None:
    found = exact(lambda z: z[:, 0] * 2, X[:, :1], BACKGROUND[:, :1])
    np.testing.assert_allclose(found.values[:, 0, 0], 2 * (X[:, 0] - BACKGROUND[:, 0].mean()), atol=1e-9)


def test_told_to_stop_rows_that_were_not_reached_are_empty() -> None:
    asked: list[int] = []
    found = exact(
        truth.model, X, BACKGROUND, cancelled=lambda: len(asked) > 1, progress=lambda *_: asked.append(1)
    )
    assert found.stopped == "cancelled"
    assert np.isfinite(found.values[:2]).all()
    assert np.isnan(found.values[2]).all()
    nothing = exact(truth.model, X, BACKGROUND, cancelled=lambda: True)
    assert np.isnan(nothing.values).all()


def test_too_many_columns_to_enumerate() -> None:
    with pytest.raises(ExplainInputError, match="method='sampling'"):
        exact(lambda z: z[:, 0], np.zeros((1, 16)), np.zeros((2, 16)))


def test_a_model_that_fails_says_which_row() -> None:
    calls: list[int] = []

    def model(z: np.ndarray) -> np.ndarray:
        calls.append(1)
        return z[:, 0] if len(calls) < 3 else np.full(len(z), np.nan)

    with pytest.raises(ModelFailed, match="mixtures of row 0"):
        exact(model, X, BACKGROUND)


def frame(columns: int, rows: int = 60) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(rows, columns))
    return pd.DataFrame(values, columns=[f"c{i}" for i in range(columns)])


def test_few_columns_are_explained_exactly_and_it_says_why() -> None:
    def product(d: pd.DataFrame) -> np.ndarray:
        return (d["c0"] * d["c1"] + d["c2"]).to_numpy()

    data = frame(3)
    ex = aios.explain(product, data.head(5), background=data, lime=False, cache=False, budget=200)
    assert (ex.data.method.name, ex.data.method.exact, ex.errors) == ("exact", True, None)
    assert "few columns" in ex.data.method.why
    np.testing.assert_allclose(ex.values[:, 2], data["c2"].head(5) - data["c2"].mean(), atol=1e-9)


def test_a_model_too_slow_for_that_is_sampled() -> None:
    def slow(d: pd.DataFrame) -> np.ndarray:
        time.sleep(0.05)
        return (d["c0"] * d["c1"]).to_numpy()

    data = frame(3)
    ex = aios.explain(slow, data.head(20), background=data, lime=False, cache=False, budget=4)
    assert ex.data.method.name == "sampling"
    many = aios.explain(lambda d: d["c0"] * d["c1"], frame(12).head(3), background=frame(12), lime=False,
                        cache=False, budget=5)  # fmt: skip
    assert many.data.method.name == "sampling"
