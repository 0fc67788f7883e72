"""Values read from trees: shap's own, adding up, and what happens where they cannot be read."""

from __future__ import annotations

import importlib.util
import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

import catboost
import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from aios_workbench.explain import accelerator, tree
from aios_workbench.explain.attributed import Unreadable
from aios_workbench.explain.model import open_model
from tests.explain.model_kit import CAT, LGB, XGB, fit, labels, logit, numbers, table

if TYPE_CHECKING:
    import pandas as pd

X = numbers(table())
Y, Y3, Z = labels(table()), labels(table(), 3), logit(table()).to_numpy()
MODELS: list[tuple[str, Any, Any]] = [
    ("lightgbm", lgb.LGBMClassifier(**LGB), Y), ("lightgbm classes", lgb.LGBMClassifier(**LGB), Y3),
    ("xgboost", xgb.XGBClassifier(**XGB), Y), ("xgboost classes", xgb.XGBClassifier(**XGB), Y3),
    ("xgboost early", xgb.XGBRegressor(**XGB), Z), ("catboost", catboost.CatBoostClassifier(**CAT), Y),
    ("catboost classes", catboost.CatBoostClassifier(**CAT), Y3),
    ("forest", RandomForestClassifier(10, max_depth=5, random_state=0), Y),
    ("forest classes", RandomForestClassifier(10, max_depth=5, random_state=0), Y3),
    ("extra trees", ExtraTreesRegressor(10, max_depth=5, random_state=0), Z),
    ("hist", HistGradientBoostingClassifier(max_iter=10), Y),
    ("hist classes", HistGradientBoostingClassifier(max_iter=10), Y3),
    ("boosting", GradientBoostingClassifier(n_estimators=10), Y),
]  # fmt: skip


def shaps(model: Any, rows: Any, masker: Any = None, way: str = "tree_path_dependent") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        values = np.asarray(shap.TreeExplainer(model, masker, feature_perturbation=way).shap_values(rows))
    values = values[..., None] if values.ndim == 2 else values
    return values[..., 1:] if values.shape[-1] == 2 else values


@pytest.mark.parametrize(("model", "y"), [m[1:] for m in MODELS], ids=[m[0] for m in MODELS])
def test_values_are_shaps_and_add_up(model: Any, y: Any) -> None:
    opened = open_model(fit(model, X, y), X)
    assert tree.readable(opened)
    found = tree.attribute(opened, X.head(40), X)
    np.testing.assert_allclose(found.values, shaps(model, X.head(40)), atol=1e-6)
    total = found.values.sum(axis=1) + found.base
    np.testing.assert_allclose(total, opened.predict(X.head(40)), atol=1e-5)
    assert found.background == 0


@pytest.mark.parametrize(
    "name", ["lightgbm", "xgboost", "xgboost classes", "forest classes", "catboost", "boosting"]
)
def test_interventional_values_use_every_background_row(name: str) -> None:
    model, y = next(m[1:] for m in MODELS if m[0] == name)
    opened = open_model(fit(model, X, y), X)
    background = X.iloc[100:250]
    found = tree.attribute(opened, X.head(3), background, perturbation="interventional")
    assert found.background == 150  # shap by itself keeps 100
    np.testing.assert_allclose(found.values, enumerated(opened, X.head(3), background), atol=1e-5)
    np.testing.assert_allclose(found.base, opened.predict(background).mean(axis=0), atol=1e-6)


def enumerated(opened: Any, rows: pd.DataFrame, background: pd.DataFrame) -> Any:
    """Shapley values by their definition."""
    m = rows.shape[1]
    out = np.zeros((len(rows), m, len(opened.outputs)))
    for i in range(len(rows)):
        worth = {}
        for size in range(m + 1):
            for kept in itertools.combinations(range(m), size):
                mixed = background.copy()
                for at in kept:
                    mixed[mixed.columns[at]] = rows.iloc[i, at]
                worth[kept] = opened.predict(mixed).mean(axis=0)
        for j, (kept, v) in itertools.product(range(m), worth.items()):
            if j not in kept:
                weight = math.factorial(len(kept)) * math.factorial(m - len(kept) - 1) / math.factorial(m)
                out[i, j] += weight * (worth[tuple(sorted((*kept, j)))] - v)
    return out


def test_early_stopping_is_seen() -> None:
    model = xgb.XGBRegressor(**{**XGB, "n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 2})
    model.fit(X[:200], Z[:200], eval_set=[(X[200:], Z[200:])], verbose=False)
    assert model.best_iteration < 150
    opened = open_model(model, X)
    found = tree.attribute(opened, X.head(20), X)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, opened.predict(X.head(20)), atol=1e-5)


def test_categories_of_a_booster_are_read_as_they_are() -> None:
    frame = table().assign(city=lambda f: f["city"].astype("category"))
    for model in (lgb.LGBMClassifier(**LGB), xgb.XGBClassifier(enable_categorical=True, **XGB)):
        opened = open_model(fit(model, frame, Y), frame)
        found = tree.attribute(opened, frame.head(20), frame)
        np.testing.assert_allclose(
            found.values.sum(axis=1) + found.base, opened.predict(frame.head(20)), atol=1e-5
        )
        with pytest.raises(Unreadable, match="categories"):
            tree.attribute(opened, frame.head(5), frame.head(20), perturbation="interventional")


def test_what_shap_reads_wrongly_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_model(fit(lgb.LGBMClassifier(**LGB), X, Y), X)
    real = opened.predict
    monkeypatch.setattr(opened, "predict", lambda frame: real(frame) + 0.1 * frame[["a"]].to_numpy())
    with pytest.raises(Unreadable, match="miss what it predicts"):
        tree.attribute(opened, X.head(5), X)


def test_trees_that_take_the_process_down_are_not_given_to_shap() -> None:
    opened = open_model(fit(catboost.CatBoostClassifier(**CAT), X, Y3), X)
    with pytest.raises(Unreadable, match="catboost"):
        tree.attribute(opened, X.head(5), X, perturbation="interventional")


def test_other_scales_are_no_sum_of_trees() -> None:
    model = fit(lgb.LGBMClassifier(**LGB), X, Y)
    assert not tree.readable(open_model(model, X, scale="probability"))


def test_a_cancel_and_an_interrupt_keep_the_rows_that_are_done() -> None:
    opened = open_model(fit(lgb.LGBMClassifier(**LGB), X, Y), X)
    asked = iter([False, True])
    found = tree.attribute(opened, X, X, cancelled=lambda: next(asked))
    assert found.stopped == "cancelled"
    assert len(found.values) == 16

    def interrupt(fraction: float, text: str) -> None:
        raise KeyboardInterrupt

    assert tree.attribute(opened, X, X, progress=interrupt).stopped == "cancelled"
    assert tree.attribute(opened, X, X, seconds=1e-9).stopped == "budget"


needs_woodelf = pytest.mark.skipif(importlib.util.find_spec("woodelf") is None, reason="woodelf is optional")


@needs_woodelf
@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("way", ["tree_path_dependent", "interventional"])
def test_the_accelerator_gives_shaps_values_and_is_checked(name: str, way: Any) -> None:
    model, y = next(m[1:] for m in MODELS if m[0] == name)
    opened = open_model(fit(model, X, y), X)
    background = X.head(30)
    plain = tree.attribute(opened, X.head(60), background, perturbation=way, accelerator=False)
    fast = tree.attribute(opened, X.head(60), background, perturbation=way, accelerator=True)
    assert plain.accelerator is None
    assert fast.accelerator is not None
    assert fast.accelerator.startswith("woodelf")
    assert fast.checked is not None
    assert len(fast.checked[0]) == 20
    np.testing.assert_allclose(fast.values, plain.values, atol=2e-5)


@needs_woodelf
def test_an_accelerator_that_is_wrong_is_not_used_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_model(fit(lgb.LGBMClassifier(**LGB), X, Y), X)
    right = accelerator._asked
    monkeypatch.setattr(accelerator, "_asked", lambda *a: right(*a) * 1.01)
    found = tree.attribute(opened, X.head(60), X, accelerator=True)
    assert found.accelerator is None
    assert "differed from shap" in found.notes[0]
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, opened.predict(X.head(60)), atol=1e-5)

    def broken(*_: Any) -> Any:
        raise AssertionError("no such tree")

    monkeypatch.setattr(accelerator, "_asked", broken)
    found = tree.attribute(opened, X.head(60), X, accelerator=True)
    assert "failed (AssertionError" in found.notes[0]
    assert len(found.values) == 60
