"""shap's own explainers without their traps: exactly shap's values, the whole background, every column."""

from __future__ import annotations

import known_truth as truth
import numpy as np
import pytest

from aios_workbench.errors import ModelFailed
from aios_workbench.explain import shap_explainers

X, BACKGROUND = truth.data(2, 30)
EXACT = truth.shapley(truth.model, X, BACKGROUND)
ALL = ["permutation", "kernel", "partition"]


@pytest.mark.parametrize("name", ALL)
def test_values_sum_to_the_prediction_less_the_base(name):
    found = getattr(shap_explainers, name)(truth.model, X, BACKGROUND)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, found.predictions, atol=1e-9)
    assert found.stopped == "done"
    assert found.evaluations > len(BACKGROUND)


@pytest.mark.parametrize(("name", "near"), [("kernel", 1e-6), ("permutation", 0.06)])
def test_values_are_those_of_the_definition(name, near):
    found = getattr(shap_explainers, name)(truth.model, X, BACKGROUND)
    assert np.abs(found.values - EXACT).sum() / np.abs(EXACT).sum() < near


def test_the_kernel_keeps_more_than_ten_columns():
    slopes = np.arange(1.0, 15.0)
    rows = np.random.default_rng(0).normal(size=(20, 14))
    found = shap_explainers.kernel(lambda z: z @ slopes, rows[:1], rows, samples=400)
    np.testing.assert_allclose(found.values[0, :, 0], slopes * (rows[0] - rows.mean(axis=0)), atol=1e-6)


def test_a_background_of_means_only_when_asked_for():
    found = shap_explainers.kernel(truth.model, X, BACKGROUND, kmeans=4)
    assert found.background == 4
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, found.predictions, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_one_column(name):
    found = getattr(shap_explainers, name)(lambda z: z[:, 0] * 2, X[:, :1], BACKGROUND[:, :1])
    np.testing.assert_allclose(found.values[:, 0, 0], 2 * (X[:, 0] - BACKGROUND[:, 0].mean()), atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_answer_and_the_global_generator_is_put_back(name):
    np.random.seed(5)  # noqa: NPY002 - the generator that shap draws from
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    a, b = (getattr(shap_explainers, name)(truth.model, X[:1], BACKGROUND, seed=1) for _ in range(2))
    np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_told_to_stop_rows_that_were_not_reached_are_empty():
    asked = []

    def enough():
        asked.append(1)
        return len(asked) > 4

    found = shap_explainers.permutation(truth.model, X, BACKGROUND, cancelled=enough)
    assert found.stopped == "cancelled"
    assert np.isnan(found.values[-1]).all()


def test_a_model_that_fails_says_so():
    with pytest.raises(ModelFailed, match="NaN"):
        shap_explainers.kernel(lambda z: np.full(len(z), np.nan), X, BACKGROUND)
