"""Estimators with scikit-learn's methods (scikit-learn, xgboost, lightgbm, catboost), pipelines of them, searches."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.models import Scale, Task
from aios_workbench.explain.opened import Opened, forms, logit, unlabelled

if TYPE_CHECKING:
    import pandas as pd

#: Estimators whose trees add up log-odds, with the question that returns them.
_MARGINS: dict[str, Callable[[Any, Any], Any]] = {
    "XGBClassifier": lambda m, x: m.predict(x, output_margin=True),
    "XGBRFClassifier": lambda m, x: m.predict(x, output_margin=True),
    "LGBMClassifier": lambda m, x: m.predict(x, raw_score=True),
    "CatBoostClassifier": lambda m, x: m.predict(x, prediction_type="RawFormulaVal"),
    "HistGradientBoostingClassifier": lambda m, x: m.decision_function(x),
    "GradientBoostingClassifier": lambda m, x: m.decision_function(x),
    "LogisticRegression": lambda m, x: m.decision_function(x),
    "LogisticRegressionCV": lambda m, x: m.decision_function(x),
}
#: Attributes of a search, and of a threshold, under which the model itself stands.
_INNER = ("best_estimator_",)


def is_estimator(model: Any) -> bool:
    """True of what has scikit-learn's methods; a class that was not made into an object is none."""
    if isinstance(model, type):
        return False
    asked = any(hasattr(model, n) for n in ("predict", "predict_proba", "decision_function", "score_samples"))
    return asked and (hasattr(model, "get_params") or hasattr(model, "fit"))


def final(model: Any) -> Any:
    """Return the last step of a pipeline, inside a search, too; the model itself if it is none."""
    inner = _unwrapped(model)
    steps = getattr(inner, "steps", None)
    return final(steps[-1][1]) if isinstance(steps, list) and steps else inner


def before(model: Any) -> Any | None:
    """Return what a pipeline does before its last step; None where there is nothing."""
    inner = _unwrapped(model)
    steps = getattr(inner, "steps", None)
    if not isinstance(steps, list) or len(steps) < 2:
        return None
    return inner[:-1]


def _unwrapped(model: Any) -> Any:
    for name in _INNER:
        if hasattr(model, name):
            return _unwrapped(getattr(model, name))
    return model


def feature_names(model: Any) -> list[Any] | None:
    """Return the names of the columns a model was trained on, where it knows them."""
    inner = _unwrapped(model)
    if hasattr(inner, "feature_names_in_"):
        found = list(inner.feature_names_in_)
    elif type(inner).__module__.startswith("catboost"):
        found = list(inner.feature_names_ or [])
    else:
        return None
    # names the libraries make up for the columns of an array
    invented = all(re.fullmatch(rf"(Column_|f|x)?{i}", str(name)) for i, name in enumerate(found))
    boosted = not type(inner).__module__.startswith("sklearn")
    return None if not found or (invented and boosted) else found


def open_estimator(
    model: Any, background: pd.DataFrame, *, task: Task | None, scale: Scale | None, outputs: list[str] | None
) -> Opened:
    """Open an estimator; see `model.open_model`."""
    _fitted(model)
    last = final(model)
    known = feature_names(model)
    form = forms(model, background, frame=True if known is not None else None)
    asked = task or _task(model, last)
    made = Opened(
        type=type(model).__name__, title=_title(model, last), task=asked, scale="value", outputs=[],
        ask=_nothing, native=model, steps=_steps(model),
    )  # fmt: skip
    if asked in ("binary", "multiclass"):
        _classifier(made, model, last, form, background, scale)
    elif asked == "anomaly":
        _anomaly(made, model, form, scale)
    else:
        _regressor(made, model, form, background, scale)
    if outputs is not None:
        made.rename(outputs)
    return made


def _nothing(_: Any) -> Any:
    raise AssertionError


def _fitted(model: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not type(model).__module__.startswith("sklearn"):
        return
    try:
        check_is_fitted(model)
    except NotFittedError as e:
        raise ExplainInputError(
            f"the {type(model).__name__} is not fitted yet; call fit before it is explained"
        ) from e


def _task(model: Any, last: Any) -> Task:
    from sklearn.base import is_classifier, is_outlier_detector

    classes = getattr(model, "classes_", getattr(last, "classes_", None))
    if is_outlier_detector(last) or (hasattr(last, "score_samples") and classes is None):
        return "anomaly"
    if is_classifier(last) or (classes is not None and len(classes)):
        return "binary" if classes is not None and len(classes) == 2 else "multiclass"
    return "regression"


def _title(model: Any, last: Any) -> str:
    inner = _unwrapped(model)
    if getattr(inner, "steps", None) is not None and before(model) is not None:
        return f"{type(last).__name__} after {len(inner.steps) - 1} step{'s' if len(inner.steps) > 2 else ''}"
    return type(last).__name__


def _steps(model: Any) -> list[str]:
    inner = _unwrapped(model)
    steps = getattr(inner, "steps", None)
    return [f"{name}: {type(step).__name__}" for name, step in steps] if isinstance(steps, list) else []


def margin_of(model: Any) -> Callable[[Any], Any] | None:
    """Return the question whose answer a classifier's trees or coefficients add up; None where it has none."""
    last = final(model)
    ask = _MARGINS.get(type(last).__name__)
    if ask is None:
        return None
    if last is _unwrapped(model):
        return lambda x: ask(last, x)
    first = before(model)
    if first is None:
        return lambda x: ask(last, x)
    return lambda x: ask(last, first.transform(x))


def _classifier(
    made: Opened, model: Any, last: Any, form: Any, background: pd.DataFrame, scale: Scale | None
) -> None:
    classes = getattr(model, "classes_", getattr(last, "classes_", None))
    margin = margin_of(model)
    proba = model.predict_proba if hasattr(model, "predict_proba") else None
    if scale == "value":
        raise ExplainInputError("a classifier has no scale 'value'; use 'probability' or 'log-odds'")
    if scale is None:
        scale = "log-odds" if margin is not None else "probability" if proba is not None else "score"
    decision = getattr(model, "decision_function", None)
    if scale == "score" and decision is None:
        raise ExplainInputError(
            f"{made.title} has no decision_function, so no scale 'score'; use 'probability'"
        )
    if classes is None:
        asked = proba or model.predict
        classes = range(np.asarray(asked(form(background.head(2)))).shape[-1])
    made.classes = [str(c) for c in classes]
    labels = list(classes)
    positive = len(labels) == 2
    made.outputs = made.classes[1:] if positive else made.classes
    made.task, made.scale = ("binary" if positive else "multiclass"), scale
    if proba is not None and scale != "probability":
        made.probabilities = lambda f: _two(np.asarray(proba(form(f)), dtype=np.float64))
    if scale == "log-odds" and margin is not None:
        made.ask, made.additive = (lambda f: margin(form(f))), True
    elif scale == "log-odds" and proba is not None:
        made.ask = lambda f: logit(_two(np.asarray(proba(form(f)))), positive=positive)
    elif scale == "score" and decision is not None:
        made.ask, made.additive = (lambda f: decision(form(f))), True
    elif proba is not None:
        made.ask = lambda f: _positive(_two(np.asarray(proba(form(f)))), positive=positive)
        made.additive = margin is None
    else:
        made.ask = lambda f: _positive(unlabelled(model.predict(form(f)), labels), positive=positive)
        made.notes.append(
            f"{made.title} says which class and not how probable it is: a prediction is 0 or 1, and attributions are "
            "of that"
        )


def _two(p: Any) -> Any:
    """Return probabilities with a column for each class."""
    return np.column_stack([1 - p, p]) if p.ndim == 1 else p


def _positive(p: Any, *, positive: bool) -> Any:
    return p[:, 1] if positive else p


def _anomaly(made: Opened, model: Any, form: Any, scale: Scale | None) -> None:
    if scale not in (None, "score"):
        raise ExplainInputError(f"an anomaly detector has no scale {scale!r}; it gives a 'score'")
    name = "score_samples" if hasattr(model, "score_samples") else "decision_function"
    question = getattr(model, name, None)
    if question is None:
        raise ExplainInputError(
            f"{made.title} has neither score_samples nor decision_function: it gives no score"
        )
    made.scale, made.outputs = "score", [name]
    made.ask = lambda f: np.asarray(question(form(f)), dtype=np.float64).reshape(-1, 1)
    made.notes.append(
        f"The score is what {name} gives: of scikit-learn's detectors, the lower the more abnormal."
    )


def _regressor(made: Opened, model: Any, form: Any, background: pd.DataFrame, scale: Scale | None) -> None:
    if scale not in (None, "value", "score"):
        raise ExplainInputError(f"a regression has no scale {scale!r}; it predicts a 'value'")
    first = np.asarray(model.predict(form(background.head(2))))
    several = first.ndim == 2 and first.shape[1] > 1
    made.outputs = [f"y{i}" for i in range(first.shape[1])] if several else ["value"]
    made.ask, made.additive = (lambda f: model.predict(form(f))), True
    made.scale = "value"
