"""Our LIME: lime's own answers with the same seed, for all rows at once, with errors and stability that hold."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.lime_tabular import lime

COLUMNS = 7


def data(rows: int = 300) -> np.ndarray:
    """Numbers, two columns of codes, one column that is mostly zero."""
    random = np.random.default_rng(0)
    z = random.normal(size=(rows, COLUMNS))
    z[:, 2], z[:, 5] = random.integers(0, 4, rows), random.integers(0, 2, rows)
    z[:, 6] = np.where(random.random(rows) < 0.6, 0, z[:, 6])
    return z


TRAINING = data()
CODES = [2, 5]


def model(z):
    return 1 / (1 + np.exp(-(2 * z[:, 0] - z[:, 1] * z[:, 3] + 1.5 * (z[:, 2] == 1) + (z[:, 6] > 0))))


def theirs(row, seed, samples, codes, discretize):
    """What lime itself answers: coefficients, intercept, R² and the samples it asks for."""
    asked = []

    def both(z):
        asked.append(z.copy())
        one = model(z)
        return np.c_[1 - one, one]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lime.lime_tabular import LimeTabularExplainer

        explainer = LimeTabularExplainer(
            TRAINING, categorical_features=codes, discretize_continuous=discretize, random_state=seed
        )
        found = explainer.explain_instance(row, both, num_features=COLUMNS, num_samples=samples)
    coefficients = np.zeros(COLUMNS)
    for j, value in found.as_map()[1]:
        coefficients[j] = value
    return coefficients, found.intercept[1], found.score, asked[0]


@pytest.mark.parametrize("codes", [[], CODES], ids=["numbers", "codes"])
@pytest.mark.parametrize("discretize", [False, True], ids=["continuous", "discretised"])
@pytest.mark.parametrize("seed", [0, 7])
def test_it_is_lime(codes, discretize, seed):
    asked = []

    def seen(z):
        asked.append(z.copy())
        return model(z)

    rows = TRAINING[:3]
    found = lime(seen, rows, TRAINING, codes, samples=500, most=500, seeds=[seed], discretize=discretize)
    for i, row in enumerate(rows):
        coefficients, intercept, r2, samples = theirs(row, seed, 500, codes, discretize)
        np.testing.assert_array_equal(asked[1], samples[1:])
        np.testing.assert_allclose(found.coefficients[i, :, 0], coefficients, atol=1e-12)
        assert found.intercept[i, 0] == pytest.approx(intercept, abs=1e-12)
        assert found.r2[i, 0] == pytest.approx(r2, abs=1e-12)
    # lime asks for the samples anew for every row
    assert (found.calls, found.evaluations) == (2, 3 + 499)
    assert found.stopped == "done"


def test_several_seeds_are_their_mean():
    options = {"samples": 400, "most": 400}
    each = [lime(model, TRAINING[:2], TRAINING, CODES, seeds=[s], **options) for s in (0, 1, 2)]
    found = lime(model, TRAINING[:2], TRAINING, CODES, seeds=(0, 1, 2), **options)
    np.testing.assert_allclose(
        found.coefficients, np.mean([e.coefficients for e in each], axis=0), atol=1e-12
    )
    np.testing.assert_allclose(
        found.errors, np.sqrt(np.sum([e.errors**2 for e in each], axis=0)) / 3, atol=1e-12
    )
    assert found.seeds == (0, 1, 2)


@pytest.mark.parametrize("discretize", [False, True], ids=["continuous", "discretised"])
@pytest.mark.parametrize("samples", [300, 1500])
def test_errors_say_how_far_other_seeds_are(discretize, samples):
    found = [
        lime(
            model,
            TRAINING[:6],
            TRAINING,
            CODES,
            samples=samples,
            most=samples,
            seeds=[s],
            discretize=discretize,
        )
        for s in range(30)
    ]
    values, errors = np.array([f.contributions for f in found]), np.array([f.errors for f in found])
    known = errors.mean(axis=0) > 1e-9
    scores = ((values[::2] - values[1::2]) / np.sqrt(errors[::2] ** 2 + errors[1::2] ** 2))[:, known]
    assert 0.9 < scores.std() < 1.1
    assert 0.93 < np.mean(np.abs(scores) < 1.96) < 0.98


def test_contributions_of_a_linear_model_are_its_shapley_values():
    slopes = np.array([3.0, -1.0, 0, 2.0, 0.5, 0, 0])
    found = lime(lambda z: z @ slopes, TRAINING[:5], TRAINING, samples=4000)
    exact = slopes * (TRAINING[:5] - TRAINING.mean(axis=0))
    np.testing.assert_allclose(found.contributions[..., 0], exact, atol=0.01)
    assert found.r2.min() > 0.999
    assert (found.stability, found.stopped) == (pytest.approx(np.ones(5)), "tolerance")


def test_more_samples_until_the_top_columns_are_stable():
    def noisy(z):
        return model(z) + 3 * np.sin(50 * z[:, 4])

    rough = lime(noisy, TRAINING[:4], TRAINING, CODES, samples=100, most=100)
    found = lime(noisy, TRAINING[:4], TRAINING, CODES, samples=100, most=12_800)
    assert rough.stability.mean() < 0.8
    assert (rough.samples, rough.stopped) == (100, "done")
    assert found.stability.mean() > rough.stability.mean()
    assert found.samples > 100
    assert found.errors.mean() < rough.errors.mean()


def test_several_outputs_are_explained_at_once():
    found = lime(lambda z: np.c_[model(z), 1 - model(z)], TRAINING[:2], TRAINING, samples=500, most=500)
    np.testing.assert_allclose(found.coefficients[..., 0], -found.coefficients[..., 1], atol=1e-12)
    assert found.intercept.shape == found.r2.shape == (2, 2)


def test_constant_columns_one_column_one_row_and_nulls():
    training = np.c_[np.full(50, 5.0), np.linspace(0, 1, 50), np.full(50, np.nan)]
    for discretize in (False, True):
        found = lime(lambda z: z[:, 1], training[:2], training, samples=300, most=300, discretize=discretize)
        assert np.isfinite(found.contributions).all()
        assert np.abs(found.contributions[..., 0]).argmax(axis=1).tolist() == [1, 1]
    one = lime(lambda z: z[:, 0], np.array([[1.0]]), np.array([[0.0]]), samples=50, most=50)
    assert one.contributions.shape == (1, 1, 1)
    missing = lime(
        model, np.where(np.arange(7) == 4, np.nan, TRAINING[:1]), TRAINING, CODES, samples=300, most=300
    )
    assert missing.contributions[0, 4, 0] == 0
    assert np.isfinite(missing.coefficients).all()


def test_a_discretised_constant_is_asked_for_as_it_is():
    asked = []

    def seen(z):
        asked.append(z)
        return z[:, 1]

    training = np.c_[np.full(50, 5.0), np.linspace(0, 1, 50)]
    lime(seen, training[:1], training, samples=100, most=100, seeds=[0], discretize=True)
    # lime 0.2.0.1 asks for 0, the standard score of 5
    assert (asked[1][:, 0] == 5).all()


def test_a_category_never_seen_and_one_that_is_null():
    training = TRAINING.copy()
    training[:30, 2] = np.nan
    rows = training[:2].copy()
    rows[1, 2] = 99
    found = lime(lambda z: np.isnan(z[:, 2]) * 1.0, rows, training, CODES, samples=2000, most=2000)
    assert found.contributions[0, 2, 0] == pytest.approx(0.9, abs=0.05)
    assert np.isfinite(found.contributions).all()


def test_a_row_far_outside_has_no_local_model():
    found = lime(
        lambda z: np.tanh(z[:, 0]), np.full((1, COLUMNS), 1e6), TRAINING, samples=200, most=200, seeds=[0]
    )
    assert np.isfinite(found.coefficients).all()
    assert np.abs(found.coefficients).max() < 1e-6


def test_told_to_stop_it_returns_what_it_has():
    asked = []

    def enough():
        asked.append(1)
        return len(asked) > 6

    found = lime(model, TRAINING[:6], TRAINING, CODES, samples=300, cancelled=enough)
    assert found.stopped == "cancelled"
    assert np.isfinite(found.contributions[0]).all()
    assert np.isnan(found.contributions[-1]).all()


def test_time_that_is_too_short_for_all_samples_takes_fewer(monkeypatch):
    from aios_workbench.explain import asking

    clock = [0.0]
    monkeypatch.setattr(asking.time, "monotonic", lambda: clock[0])

    def slow(z):
        clock[0] += 0.01 * len(z)
        return model(z)

    found = lime(slow, TRAINING[:3], TRAINING, samples=5_000, seconds=10.0, batch=100)
    assert found.stopped == "budget"
    assert 500 < found.samples < 5_000
    assert found.seeds == (0,)
    assert np.isfinite(found.contributions).all()
    assert np.isnan(found.stability).all()
    nothing = lime(slow, TRAINING[:3], TRAINING, seconds=0)
    assert (nothing.calls, nothing.samples) == (0, 0)
    assert np.isnan(nothing.contributions).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": 1}, "2 samples"),
        ({"top": 0}, "top=0"),
        ({"seeds": []}, "a seed"),
        ({"kernel_width": 0}, "width"),
        ({"categorical": [7]}, r"columns \[7\] do not exist"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, words):
    with pytest.raises(ExplainInputError, match=words):
        lime(model, TRAINING[:1], TRAINING, **options)


def test_a_model_that_fails_says_where():
    with pytest.raises(ModelFailed, match="samples around the training data's mean"):
        lime(lambda z: np.full(len(z), 0.0 if len(z) == 1 else np.nan), TRAINING[:1], TRAINING, samples=50)
