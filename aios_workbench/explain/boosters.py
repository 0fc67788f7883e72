"""Boosters of xgboost, lightgbm and catboost as their own libraries train them, without scikit-learn's methods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.models import Scale, Task
from aios_workbench.explain.opened import Opened

if TYPE_CHECKING:
    import pandas as pd

#: Objectives whose sum of trees is the predicted value itself.
_PLAIN = (
    "reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror", "regression", "regression_l2",
    "regression_l1", "l1", "l2", "mse", "mae", "rmse", "huber", "fair", "quantile", "mape", "RMSE", "MAE", "Quantile",
)  # fmt: skip


def library(model: Any) -> str | None:
    """Return which library a native booster is of; None of anything else.

    Examples
    --------
    >>> library(object()) is None
    True
    """
    for kind in type(model).__mro__:
        home = kind.__module__.partition(".")[0]
        if kind.__name__ == "Booster" and home in ("xgboost", "lightgbm"):
            return home
        if kind.__name__ == "CatBoost" and home == "catboost":
            return None if type(model).__name__ in ("CatBoostClassifier", "CatBoostRegressor") else home
    return None


def feature_names(model: Any) -> list[str] | None:
    """Return the names of the columns a booster was trained on, where it knows them."""
    home = library(model)
    if home == "xgboost":
        return list(model.feature_names) if model.feature_names else None
    found = list(model.feature_name() if home == "lightgbm" else model.feature_names_ or [])
    made_up = all(name in (f"Column_{i}", str(i)) for i, name in enumerate(found))
    return None if made_up else found


def open_booster(model: Any, *, task: Task | None, scale: Scale | None, outputs: list[str] | None) -> Opened:
    """Open a native booster; see `model.open_model`."""
    home = library(model) or ""
    objective, classes = _objective(model, home)
    raw, cooked = _questions(model, home)
    found: Task = "multiclass" if classes > 2 else "binary" if classes == 2 else "regression"
    asked = task or found
    if asked != found:
        raise ExplainInputError(f"the booster was trained with {objective!r}: that is {found}, not {asked}")
    made = Opened(
        type=f"{home}.{type(model).__name__}", title=f"{home} booster, {objective}", task=asked, scale="value",
        outputs=["value"], ask=raw, native=model, additive=True,
    )  # fmt: skip
    if found == "regression":
        plain = objective.partition(":")[0] in _PLAIN or objective in _PLAIN
        made.scale = scale or ("score" if objective.startswith(("rank", "lambda")) else "value")
        if made.scale not in ("value", "score"):
            raise ExplainInputError(f"a regression has no scale {made.scale!r}; use 'value' or 'score'")
        if made.scale == "value" and not plain:
            # the trees of a Poisson or gamma objective add up a logarithm
            made.ask, made.additive = cooked, False
            made.notes.append(
                f"Trees of {objective!r} add up a score of which the value is a function; scale='score' explains that"
            )
    else:
        made.classes = [str(i) for i in range(classes)]
        made.outputs = made.classes[1:] if classes == 2 else made.classes
        made.scale = scale or "log-odds"
        if made.scale == "probability":
            made.ask, made.additive = cooked, False
        elif made.scale == "log-odds":
            made.probabilities = lambda f: _two(cooked(f))
        else:
            raise ExplainInputError(
                f"a classifier has no scale {made.scale!r}; use 'probability' or 'log-odds'"
            )
    if outputs is not None:
        made.rename(outputs)
    return made


def _two(p: Any) -> Any:
    p = np.asarray(p, dtype=np.float64)
    return np.column_stack([1 - p, p]) if p.ndim == 1 else p


def _objective(model: Any, home: str) -> tuple[str, int]:
    """Return what a booster was trained for, and how many classes it tells apart (0: it predicts a number)."""
    if home == "xgboost":
        learner = json.loads(model.save_config())["learner"]
        name = str(learner["objective"]["name"])
        several = int(learner["learner_model_param"]["num_class"])
        return name, several if several > 1 else 2 if name.startswith("binary:") else 0
    if home == "lightgbm":
        text = model.model_to_string(num_iteration=1)
        line = next((n for n in text.splitlines() if n.startswith("objective=")), "objective=regression")
        name = line.partition("=")[2].split()[0]
        several = int(model.num_model_per_iteration())
        return name, several if several > 1 else 2 if name in ("binary", "cross_entropy") else 0
    params = model.get_all_params()
    name = str(params.get("loss_function", "RMSE"))
    if name.startswith("MultiClass"):
        return name, int(params.get("classes_count") or len(model.classes_))
    return name, 2 if name in ("Logloss", "CrossEntropy") else 0


def _questions(model: Any, home: str) -> tuple[Any, Any]:
    """Return how to ask for the sum of the trees, and for what is made of it."""
    if home == "xgboost":
        import xgboost

        def ask(frame: pd.DataFrame, *, margin: bool) -> Any:
            known = model.feature_names
            matrix = xgboost.DMatrix(frame if known else frame.to_numpy(), enable_categorical=True)
            return model.predict(matrix, output_margin=margin)

        return (lambda f: ask(f, margin=True)), (lambda f: ask(f, margin=False))
    if home == "lightgbm":
        named = feature_names(model) is not None

        def answer(frame: pd.DataFrame, *, raw: bool) -> Any:
            return model.predict(frame if named else frame.to_numpy(), raw_score=raw)

        return (lambda f: answer(f, raw=True)), (lambda f: answer(f, raw=False))

    def probability(frame: pd.DataFrame) -> Any:
        objective = str(model.get_all_params().get("loss_function", "RMSE"))
        if objective.startswith("MultiClass") or objective in ("Logloss", "CrossEntropy"):
            p = model.predict(frame, prediction_type="Probability")
            return p[:, 1] if p.shape[1] == 2 else p
        return model.predict(frame, prediction_type="Exponent" if objective == "Poisson" else "RawFormulaVal")

    return (lambda f: model.predict(f, prediction_type="RawFormulaVal")), probability
