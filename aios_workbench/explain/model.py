"""A model of any kind behind one question: what it says of these rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from aios_workbench.errors import ExplainError, ExplainInputError, ModelFailed, hint
from aios_workbench.explain import boosters, estimators, functions, uris
from aios_workbench.explain.endpoints import Endpoint
from aios_workbench.explain.models import ModelInfo, Scale, Task
from aios_workbench.explain.opened import Opened, fingerprint

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.space import Space

    Floats = npt.NDArray[np.float64]


@dataclass
class Model:
    """A model as the explainers see it: rows in the user's columns in, numbers on the explained scale out.

    Attributes
    ----------
    info : ModelInfo
    task : str
    scale : str
        The unit of what `predict` returns.
    outputs : list of str
        Names of its K outputs: of a binary task the positive class alone, else all classes; one of a regression.
    native : object or None
        The estimator or booster itself, for explainers that read it; None where only questions are possible.
    additive : bool
        `predict` returns what the native model's trees or coefficients add up.
    classes : list of str
        All classes, what `probabilities` has columns for.
    remaining : callable or None
        Rows that may still be asked of a model that costs something.
    evaluations, calls : int
        Rows predicted so far, and calls of the model.
    """

    info: ModelInfo
    task: Task
    scale: Scale
    outputs: list[str]
    native: Any = None
    additive: bool = False
    classes: list[str] = field(default_factory=list)
    remaining: Callable[[], int] | None = None
    notes: list[str] = field(default_factory=list)
    evaluations: int = 0
    calls: int = 0
    batch: int = 100_000
    _ask: Callable[[pd.DataFrame], Any] = field(repr=False, default=lambda _: None)
    _classes: Callable[[pd.DataFrame], Any] | None = field(repr=False, default=None)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Return what the model says of rows, (n, K), on the explained scale.

        Raises
        ------
        ModelFailed
            When the model raises, or answers something that is no prediction of so many rows.
        """
        parts = [self._batch(frame.iloc[at : at + self.batch]) for at in range(0, len(frame), self.batch)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.outputs)))

    def probabilities(self, frame: pd.DataFrame) -> Floats | None:
        """Return what the model says of each class, (n, classes), where the scale is another; else None."""
        if self._classes is None:
            return None
        return np.asarray(self._classes(frame), dtype=np.float64)

    def function(self, space: Space) -> Callable[[Any], Floats]:
        """Return `predict` as a function of a matrix of `space`: (n, M) -> (n, K)."""
        return lambda matrix: self.predict(space.decode(matrix))

    def _batch(self, frame: pd.DataFrame) -> Floats:
        try:
            answer = self._ask(frame)
        except ExplainError:
            raise
        except Exception as e:
            raise ModelFailed(
                f"{self.info.title} raised {type(e).__name__} when asked about {len(frame)} rows: {e}"
            ) from e
        with self._lock:
            self.calls += 1
            self.evaluations += len(frame)
        return checked(answer, len(frame), len(self.outputs), self.info.title)


def checked(answer: Any, rows: int, outputs: int, title: str) -> Floats:
    """Return an answer as (rows, outputs) float64.

    Raises
    ------
    ModelFailed
        When it is no prediction of so many rows.
    """
    try:
        found = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as e:
        raise ModelFailed(
            f"{title} answered {type(answer).__name__}, which are no numbers ({e}); give a function that returns "
            "probabilities or values, such as predict_proba"
        ) from e
    if found.ndim == 1 and outputs == 1:
        found = found[:, None]
    if found.shape != (rows, outputs):
        raise ModelFailed(
            f"{title} was asked about {rows} rows and answered an array of shape {found.shape}; "
            f"({rows}, {outputs}) is expected"
        )
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
        raise ModelFailed(
            f"{title} answered no finite number for row {row} of {rows}; look at what it says there"
        )
    return found


def open_model(
    model: Any, background: pd.DataFrame, *, task: Task | None = None, scale: Scale | None = None,
    outputs: list[str] | None = None, arrays: bool = False,
) -> Model:  # fmt: skip
    """Find out what a model is and how it is asked.

    Parameters
    ----------
    model
        An estimator or pipeline with scikit-learn's methods, a booster of xgboost, lightgbm or catboost, a network of
        torch or keras, an MLflow address (``models:/…``, ``runs:/…``) or loaded MLflow model, a web address that takes
        MLflow's scoring protocol, an `Endpoint`, or any function of rows.
    background : DataFrame
        Rows it can be asked about, in the user's columns.
    task : "binary", "multiclass", "regression" or "anomaly", optional
    scale : "probability", "log-odds", "value" or "score", optional
        In which unit it is to be explained; the one its trees or coefficients add up where there is such a one.
    outputs : list of str, optional
        Names of its classes or outputs.
    arrays : bool
        The user gave arrays and not frames: a function is asked with arrays first.

    Raises
    ------
    ExplainInputError
        When it is no model, cannot be opened, or has no such scale.
    ModelFailed
        When it cannot predict rows of the background.

    Examples
    --------
    >>> import pandas as pd
    >>> opened = open_model(lambda frame: frame["a"] * 2.0, pd.DataFrame({"a": [1, 2]}))
    >>> opened.task, opened.scale, opened.predict(pd.DataFrame({"a": [4]})).tolist()
    ('regression', 'value', [[8.0]])
    """
    for given, known in ((task, get_args(Task)), (scale, get_args(Scale))):
        if given is not None and given not in known:
            raise ExplainInputError(
                f"there is no {given!r}{hint(str(given), known)}; there are: {', '.join(known)}"
            )
    opened = _opened(model, background, task=task, scale=scale, outputs=outputs, arrays=arrays)
    info = ModelInfo(
        type=opened.type,
        title=opened.title,
        uri=opened.uri,
        fingerprint=opened.fingerprint,
        steps=opened.steps,
    )
    return Model(
        info, opened.task, opened.scale, opened.outputs, native=opened.native, additive=opened.additive,
        classes=opened.classes, notes=opened.notes, remaining=opened.remaining, _ask=opened.ask,
        _classes=opened.probabilities,
    )  # fmt: skip


def _opened(model: Any, background: pd.DataFrame, *, arrays: bool, **options: Any) -> Opened:
    if uris.is_uri(model):
        loaded, mark = uris.load(model)
        made = _opened(loaded, background, arrays=False, **options)
        made.uri, made.fingerprint = model, mark or made.fingerprint
        if made.type == "function":
            made.title = "MLflow model"
        return made
    if uris.is_pyfunc(model):
        made = _opened(uris.pyfunc(model), background, arrays=False, **options)
        made.title, made.fingerprint = "MLflow model", getattr(model.metadata, "model_uuid", None)
        return made
    if isinstance(model, str):
        model = Endpoint(model)
    if isinstance(model, Endpoint):
        made = functions.open_function(model, background, **options)
        made.type, made.remaining = "endpoint", model.remaining
        return made
    model, options = _of_method(model, options)
    if boosters.library(model) is not None:
        made = boosters.open_booster(model, **options)
    elif functions.network(model) is None and estimators.is_estimator(model):
        made = estimators.open_estimator(model, background, **options)
    elif callable(model) and not isinstance(model, type):
        made = functions.open_function(model, background, arrays=arrays, **options)
    else:
        raise ExplainInputError(
            f"{type(model).__name__} is no model that can be explained; give an object with predict or predict_proba, "
            "a function of rows, or an address such as 'models:/name/version'"
        )
    made.fingerprint = fingerprint(model)
    return made


def _of_method(model: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the estimator of ``clf.predict_proba``: what is known of it explains more than the method alone."""
    owner, name = getattr(model, "__self__", None), getattr(model, "__name__", "")
    if owner is None or not estimators.is_estimator(owner):
        return model, options
    scale = {"predict_proba": "probability", "decision_function": "score"}.get(name)
    if scale is None or options["scale"] is not None:
        return (owner, options) if name in ("predict", "score_samples", *_METHODS) else (model, options)
    if scale == "score" and estimators.margin_of(owner) is not None:
        scale = "log-odds"
    return owner, {**options, "scale": scale}


_METHODS = ("predict_proba", "decision_function")


def names_of(model: Any) -> list[Any] | None:
    """Return the names of the columns a model was trained on, where it knows them; an array's are called so."""
    owner = getattr(model, "__self__", model)
    if boosters.library(owner) is not None:
        return boosters.feature_names(owner)
    return estimators.feature_names(owner) if estimators.is_estimator(owner) else None
