"""Models of every kind behind one question."""

from __future__ import annotations

import sys
import types
from typing import Any

import catboost
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.model import names_of, open_model
from tests.explain.model_kit import CAT, LGB, XGB, fit, labels, logit, numbers, table

X = numbers(table())
Y, Y3, Z = labels(table()), labels(table(), 3), logit(table()).to_numpy()


@pytest.mark.parametrize(
    ("model", "y", "task", "scale", "outputs"),
    [
        (lgb.LGBMClassifier(**LGB), Y, "binary", "log-odds", 1),
        (lgb.LGBMClassifier(**LGB), Y3, "multiclass", "log-odds", 3),
        (lgb.LGBMRegressor(**LGB), Z, "regression", "value", 1),
        (xgb.XGBClassifier(**XGB), Y, "binary", "log-odds", 1),
        (xgb.XGBClassifier(**XGB), Y3, "multiclass", "log-odds", 3),
        (xgb.XGBRegressor(**XGB), Z, "regression", "value", 1),
        (catboost.CatBoostClassifier(**CAT), Y, "binary", "log-odds", 1),
        (catboost.CatBoostClassifier(**CAT), Y3, "multiclass", "log-odds", 3),
        (HistGradientBoostingClassifier(max_iter=10), Y, "binary", "log-odds", 1),
        (RandomForestClassifier(10), Y3, "multiclass", "probability", 3),
        (LogisticRegression(), Y, "binary", "log-odds", 1),
        (SGDClassifier(), Y, "binary", "score", 1),
        (LinearRegression(), np.c_[Z, -Z], "regression", "value", 2),
        (KNeighborsRegressor(), Z, "regression", "value", 1),
        (IsolationForest(n_estimators=10), None, "anomaly", "score", 1),
        (make_pipeline(StandardScaler(), LogisticRegression()), Y, "binary", "log-odds", 1),
        (GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2), Y, "binary", "log-odds", 1),
    ],
    ids=lambda v: type(v).__name__ if hasattr(v, "fit") else "",
)  # fmt: skip
def test_what_a_model_is_is_found_out(model: Any, y: Any, task: str, scale: str, outputs: int) -> None:
    opened = open_model(fit(model, X, y), X)
    assert (opened.task, opened.scale, len(opened.outputs)) == (task, scale, outputs)
    said = opened.predict(X.head(7))
    assert said.shape == (7, outputs)
    assert (opened.calls, opened.evaluations) == (1, 7)
    if scale == "log-odds":  # they are the odds of the probabilities the model gives
        p = opened.probabilities(X.head(7))
        assert p is not None
        back = (
            1 / (1 + np.exp(-said))
            if outputs == 1
            else np.exp(said) / np.exp(said).sum(axis=1, keepdims=True)
        )
        np.testing.assert_allclose(back, p[:, 1:] if outputs == 1 else p, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("home", ["xgboost", "lightgbm", "catboost"])
def test_native_boosters_are_what_their_wrappers_are(home: str, classes: int) -> None:
    y = Y if classes == 2 else Y3
    model: Any
    if home == "xgboost":
        model = fit(xgb.XGBClassifier(**XGB), X, y)
        booster: Any = model.get_booster()
    elif home == "lightgbm":
        model = fit(lgb.LGBMClassifier(**LGB), X, y)
        booster = model.booster_
    else:
        model = fit(catboost.CatBoostClassifier(**CAT), X, y)
        booster = catboost.CatBoost({"loss_function": "Logloss" if classes == 2 else "MultiClass", **CAT})
        booster.fit(X, y)
    opened, wrapped = open_model(booster, X), open_model(model, X)
    assert (opened.task, opened.scale, opened.outputs) == (wrapped.task, "log-odds", wrapped.outputs)
    np.testing.assert_allclose(opened.predict(X), wrapped.predict(X), atol=1e-6)
    assert names_of(booster) == ["a", "b", "c"]
    probable = open_model(booster, X, scale="probability")
    np.testing.assert_allclose(
        probable.predict(X), model.predict_proba(X)[:, -len(probable.outputs) :], atol=1e-6
    )


def test_a_poisson_booster_is_explained_in_its_own_unit() -> None:
    y = np.random.default_rng(0).poisson(3, len(X))
    booster = lgb.train({"objective": "poisson", "verbose": -1}, lgb.Dataset(X, y), 10)
    value, score = open_model(booster, X), open_model(booster, X, scale="score")
    assert not value.additive
    assert score.additive
    np.testing.assert_allclose(value.predict(X), np.exp(score.predict(X)))


def test_arrays_are_given_to_models_of_arrays_and_frames_to_models_of_frames() -> None:
    frame = pd.DataFrame(X.to_numpy(), columns=["x0", "x1", "x2"])
    for model in (LogisticRegression(), lgb.LGBMClassifier(**LGB), xgb.XGBClassifier(**XGB)):
        opened = open_model(fit(model, X.to_numpy(), Y), frame)  # a warning would be an error
        assert opened.predict(frame.head(2)).shape == (2, 1)
        assert names_of(model) is None


def test_a_function_is_opened_by_what_it_returns() -> None:
    def probability(frame: pd.DataFrame) -> Any:
        return 1 / (1 + np.exp(-frame["a"]))

    opened = open_model(probability, X)
    assert (opened.task, opened.scale, opened.outputs) == ("binary", "probability", ["1"])
    assert "task='regression'" in opened.notes[0]
    assert open_model(probability, X, task="regression").scale == "value"
    two = open_model(lambda f: np.c_[1 - probability(f), probability(f)], X, outputs=["no", "yes"])
    assert (two.task, two.outputs) == ("binary", ["yes"])
    np.testing.assert_allclose(two.predict(X), opened.predict(X))
    odds = open_model(probability, X, scale="log-odds")
    np.testing.assert_allclose(odds.predict(X)[:, 0], X["a"], atol=1e-6)
    names = open_model(lambda f: np.where(f["a"] > 0, "up", "down"), X)
    assert (names.task, names.outputs) == ("binary", ["up"])
    assert set(names.predict(X).ravel()) == {0.0, 1.0}


def test_a_function_of_arrays_is_given_arrays() -> None:
    opened = open_model(lambda x: x[:, 0] * 2, X)
    np.testing.assert_allclose(opened.predict(X)[:, 0], X["a"] * 2)


def test_a_method_is_its_estimator_on_the_methods_scale() -> None:
    model = fit(LogisticRegression(), X, Y)
    assert open_model(model.predict_proba, X).scale == "probability"
    assert open_model(model.decision_function, X).scale == "log-odds"
    assert open_model(model.predict_proba, X).native is model


def test_a_network_is_asked_without_gradients_and_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch is not in the lock: a stand-in with its names shows that the calls are the ones torch has."""
    said: list[str] = []
    torch: Any = types.ModuleType("torch")

    class NoGrad:
        def __enter__(self) -> None:
            said.append("no_grad")

        def __exit__(self, *_: object) -> None:
            said.append("grad")

    class Tensor(np.ndarray):  # type: ignore[type-arg]
        detach = cpu = lambda self: self

        def numpy(self) -> Any:
            return np.asarray(self)

    class Module:
        training = True

        def eval(self) -> None:
            self.training = False

        def train(self, on: bool) -> None:
            self.training = on

        def parameters(self) -> Any:
            return iter(())

        def __call__(self, x: Any) -> Any:
            said.append(f"training={self.training}")
            return x[:, :1] * 2

    Module.__module__ = "torch.nn.modules.module"
    torch.no_grad, torch.float32 = NoGrad, np.float32
    torch.as_tensor = lambda x, dtype: np.asarray(x, dtype=dtype).view(Tensor)
    monkeypatch.setitem(sys.modules, "torch", torch)
    network = Module()
    opened = open_model(network, X)
    np.testing.assert_allclose(opened.predict(X)[:, 0], X["a"] * 2, rtol=1e-6)
    assert "training=False" in said
    assert network.training


def test_fingerprints_change_with_the_model() -> None:
    one, two = fit(LogisticRegression(), X, Y), fit(LogisticRegression(C=0.01), X, Y)
    marks = [open_model(m, X).info.fingerprint for m in (one, one, two)]
    assert marks[0] == marks[1] != marks[2]


def test_large_tables_are_asked_in_batches() -> None:
    asked: list[int] = []

    def ask(frame: pd.DataFrame) -> Any:
        asked.append(len(frame))
        return frame["a"] * 3

    opened = open_model(ask, X)
    opened.batch = 150
    asked.clear()
    opened.predict(X)
    assert asked == [150, 150, 100]


def _late(frame: pd.DataFrame) -> Any:
    return frame["a"] * (np.nan if len(frame) == 3 else 1.0)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: open_model(LogisticRegression(), X), ExplainInputError, "not fitted"),
        (lambda: open_model(LogisticRegression, X), ExplainInputError, "no model"),
        (lambda: open_model(3, X), ExplainInputError, "int is no model"),
        (lambda: open_model("model.pkl", X), ExplainInputError, "no address"),
        (lambda: open_model(lambda _: [1, 2], X), ModelFailed, "a row each"),
        (lambda: open_model(lambda f: f["nope"], X), ModelFailed, "raised KeyError"),
        (lambda: open_model(_late, X).predict(X.head(3)), ModelFailed, "no finite number for row 0"),
        (lambda: open_model(lambda f: f["a"], X, task="clustering"), ExplainInputError, "no 'clustering'"),  # type: ignore[arg-type]
        (lambda: open_model(fit(LogisticRegression(), X, Y), X, scale="value"), ExplainInputError, "no scale 'value'"),
        (lambda: open_model(fit(LinearRegression(), X, Z), X, scale="log-odds"), ExplainInputError, "scale 'log-odds'"),
        (lambda: open_model(fit(LogisticRegression(), X, Y), X, outputs=["a", "b", "c"]), ExplainInputError, "3 names"),
        (lambda: open_model(fit(LogisticRegression(), X.to_numpy(), Y), table()), ExplainInputError, "cannot predict"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_told(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()
