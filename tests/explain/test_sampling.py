"""Our sampler of Shapley values: against the definition, with intervals that hold, and within its limits."""

from __future__ import annotations

import tracemalloc

import known_truth as truth
import numpy as np
import pytest

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.sampling import shapley

X, BACKGROUND = truth.data()


def off(found, exact):
    return np.abs(found.values - exact).sum() / np.abs(exact).sum()


def test_values_are_those_of_the_definition():
    exact = truth.shapley(truth.model, X, BACKGROUND)
    found = shapley(truth.model, X, BACKGROUND, tolerance=0.01)
    assert off(found, exact) < 0.03
    assert found.stopped == "tolerance"
    assert found.background == len(BACKGROUND)


def test_they_sum_to_the_prediction_less_the_base_whatever_was_reached():
    for most in (8, 30, 100, 1000):
        found = shapley(truth.model, X, BACKGROUND, most=most, tolerance=0)
        np.testing.assert_allclose(found.values.sum(axis=1) + found.base, found.predictions, atol=1e-12)
        assert (found.permutations <= most).all()
        assert found.stopped == "done"


@pytest.mark.parametrize(
    ("background", "most"),
    [
        pytest.param(40, 1000, id="every start in turn"),
        pytest.param(40, 24, id="some of the starts"),
        pytest.param(400, 120, id="few of many starts"),
        pytest.param(3, 60, id="hardly any starts"),
        pytest.param(1, 40, id="one start"),
    ],
)
def test_intervals_hold_the_exact_values(background, most):
    x, rows = truth.data(5, background, seed=1)
    exact = truth.shapley(truth.model, x, rows)
    held = []
    for seed in range(40):
        found = shapley(truth.model, x, rows, most=most, tolerance=0.02, seed=seed)
        held.append(np.abs(found.values - exact) <= 1.96 * found.errors + 1e-9)
    assert 0.93 <= np.mean(held) <= 0.995
    # no value of the model's columns is left without an honest interval
    assert np.mean(held, axis=0).min() > 0.75


def test_a_linear_model_is_exact_at_once():
    slopes = np.array([3.0, -1.0, 0.5, 2.0, 0, 0, 0])
    found = shapley(lambda z: z @ slopes + 7, X, BACKGROUND)
    np.testing.assert_allclose(found.values[..., 0], slopes * (X - BACKGROUND.mean(axis=0)), atol=1e-9)
    assert found.errors.max() < 1e-9
    assert found.values[:, 4:].any() == False  # noqa: E712 - an array's answer
    assert found.base[0] == pytest.approx((BACKGROUND @ slopes).mean() + 7)


def test_a_product_is_shared_and_a_decoy_gets_nothing():
    found = shapley(lambda z: z[:, 0] * z[:, 1], np.array([[2.0, 3.0, 9.0]]), np.zeros((1, 3)))
    np.testing.assert_allclose(found.values[0, :, 0], [3, 3, 0], atol=1e-12)


def test_the_same_seed_gives_the_same_answer_wherever_a_row_stands_and_however_it_is_asked():
    a = shapley(truth.model, X, BACKGROUND, seed=3)
    b = shapley(truth.model, X[::-1], BACKGROUND, seed=3, batch=17)
    np.testing.assert_allclose(a.values, b.values[::-1], atol=1e-12)
    np.testing.assert_array_equal(a.permutations, b.permutations[::-1])
    assert not np.array_equal(a.values, shapley(truth.model, X, BACKGROUND, seed=4).values)


def test_few_calls_and_no_work_for_columns_that_agree():
    calls = []

    def counted(z):
        calls.append(len(z))
        return truth.model(z)

    found = shapley(counted, X, BACKGROUND)
    assert (found.calls, found.evaluations) == (len(calls), sum(calls))
    assert found.calls < 30
    same = np.repeat(X[:1], 20, axis=0)
    calls.clear()
    assert not shapley(counted, X[:1], same).values.any()
    # the row and its background: nothing differs, so nothing else is asked
    assert sum(calls) == 21


def test_a_constant_column_one_column_one_row_and_nulls():
    one = shapley(lambda z: z[:, 0] ** 2, np.array([[3.0]]), np.array([[0.0], [1.0]]))
    assert one.values.shape == (1, 1, 1)
    assert one.values[0, 0, 0] == pytest.approx(8.5)
    x = np.array([[1.0, np.nan, 5.0]])
    rows = np.array([[0.0, np.nan, 5.0], [2.0, 1.0, 5.0]])
    found = shapley(lambda z: z[:, 0] + np.isnan(z[:, 1]), x, rows)
    np.testing.assert_allclose(found.values[0, :, 0], [0, 0.5, 0], atol=1e-12)


def test_more_precision_takes_more_and_is_more_precise():
    exact = truth.shapley(truth.model, X, BACKGROUND)
    rough = shapley(truth.model, X, BACKGROUND, tolerance=0.2)
    fine = shapley(truth.model, X, BACKGROUND, tolerance=0.004, most=4000)
    assert fine.evaluations > rough.evaluations
    assert off(fine, exact) < off(rough, exact)
    assert fine.errors.mean() < rough.errors.mean()


def test_told_to_stop_it_returns_what_it_has():
    asked = []

    def wanted_no_more():
        asked.append(1)
        return len(asked) > 4

    found = shapley(truth.model, X, BACKGROUND, tolerance=1e-6, cancelled=wanted_no_more, batch=1_000)
    assert found.stopped == "cancelled"
    reached = found.permutations > 0
    assert reached.any()
    assert not reached.all()
    assert np.isfinite(found.values[reached]).all()
    assert np.isnan(found.values[~reached]).all()


def test_a_keyboard_interrupt_keeps_what_is_there():
    calls = []

    def interrupted(z):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return truth.model(z)

    found = shapley(interrupted, X, BACKGROUND, tolerance=1e-6, batch=200)
    assert found.stopped == "cancelled"
    assert np.isfinite(found.predictions).all()


def test_no_time_at_all_is_no_error():
    found = shapley(truth.model, X, BACKGROUND, seconds=0)
    assert found.stopped == "budget"
    assert found.calls == 0
    assert np.isnan(found.values).all()


def test_a_background_that_takes_too_long_is_cut_and_said_so(monkeypatch):
    from aios_workbench.explain import asking

    clock = [0.0]
    monkeypatch.setattr(asking.time, "monotonic", lambda: clock[0])

    def slow(z):
        clock[0] += 0.001 * len(z)
        return z[:, 0] + z[:, 1] * z[:, 2]

    rows = np.random.default_rng(0).normal(size=(20_000, 3))
    found = shapley(slow, rows[:2], rows, seconds=8.0)
    assert 100 <= found.background < 20_000
    assert clock[0] <= 9.0
    assert np.isfinite(found.values).all()


def test_progress_is_told():
    told = []
    shapley(
        truth.model, X, BACKGROUND, tolerance=0.005, progress=lambda part, words: told.append((part, words))
    )
    assert told[-1] == (1.0, "6 of 6 rows are precise enough")
    assert all(0 < part <= 1 for part, _ in told)


def test_a_huge_background_takes_bounded_memory():
    rows = np.random.default_rng(0).normal(size=(400_000, 20))
    tracemalloc.start()
    found = shapley(lambda z: z[:, 0] * z[:, 1], rows[:2], rows, tolerance=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.background == 400_000
    # 64 MB of rows asked, twice while they are made, and 3 MB for each thing known of 400,000 starts
    assert peak < 250e6


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(lambda z: np.where(z[:, 0] > 0, np.nan, 1.0), "NaN or infinity", id="NaN"),
        pytest.param(lambda z: np.full(len(z), np.inf), "NaN or infinity", id="infinity"),
        pytest.param(lambda z: np.zeros(3), r"shape \(3,\)|shape \(3, 1\)", id="too few"),
        pytest.param(lambda z: np.zeros((len(z), 2, 2)), "shape", id="three dimensions"),
        pytest.param(lambda z: np.array(["good"] * len(z)), "no number", id="words"),
        pytest.param(lambda z: np.zeros((len(z), 1 + len(z) % 2)), "outputs", id="another number of outputs"),
        pytest.param(lambda z: 1 / 0, "ZeroDivisionError", id="raises"),
    ],
)
def test_a_model_that_answers_no_prediction_is_named_with_its_rows(answer, words):
    with pytest.raises(ModelFailed, match=words) as e:
        shapley(answer, X[:5], BACKGROUND[:10])
    assert "row" in str(e.value)


def test_a_failure_on_mixtures_names_the_explained_rows():
    def picky(z):
        if len(z) > 50:
            raise ValueError("no mixtures")
        return z[:, 0]

    with pytest.raises(ModelFailed, match=r"mixtures of rows? 0.*with rows of the background: no mixtures"):
        shapley(picky, X, BACKGROUND)


@pytest.mark.parametrize(
    ("x", "background", "options", "words"),
    [
        (np.zeros((0, 3)), BACKGROUND, {}, "0 rows"),
        (np.zeros(3), BACKGROUND, {}, "two dimensions"),
        (X, BACKGROUND[:, :2], {}, "2 columns, the rows to explain have 7"),
        (np.array([["a"]]), np.zeros((1, 1)), {}, "must be numbers"),
        (X, BACKGROUND, {"tolerance": -1}, "not negative"),
        (X, BACKGROUND, {"tolerance": float("nan")}, "not negative"),
        (X, BACKGROUND, {"most": 0}, "at least 1"),
    ],
)
def test_arrays_and_options_that_do_not_fit_are_refused(x, background, options, words):
    with pytest.raises(ExplainInputError, match=words):
        shapley(truth.model, x, background, **options)


def test_a_message_names_the_rows_that_were_asked():
    def model(z):
        answer = z[:, 0].copy()
        answer[2] = np.nan
        return answer

    with pytest.raises(ModelFailed, match=r"made from row 2;"):
        shapley(model, np.ones((4, 3)), np.zeros((5, 3)))
    with pytest.raises(ModelFailed, match=r"when asked for rows 0 to 3: "):
        shapley(lambda z: z.missing, np.ones((4, 3)), np.zeros((9, 3)), batch=4)
    with pytest.raises(ModelFailed, match=r"when asked for rows 0 to 3 and rows of the background: "):
        shapley(lambda z: z.missing, np.ones((4, 3)), np.zeros((9, 3)))
    with pytest.raises(ModelFailed, match=r"rows of the background"):
        shapley(lambda z: np.where(z[:, 0] == 0, np.inf, z[:, 0]), np.ones((4, 3)), np.zeros((9, 3)), batch=4)
