"""What was found out of a model when it was opened, and what adapters share."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.models import Scale, Task

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Ask = Callable[[pd.DataFrame], Any]

#: Of a probability of exactly 0 or 1 the log-odds are those of the nearest a float tells apart.
_EPS = 1e-15


@dataclass
class Opened:
    """A model and how to ask it.

    Attributes
    ----------
    ask : callable
        Rows in the user's columns to (n, K) on `scale`.
    probabilities : callable or None
        Rows to (n, classes), where `scale` is another.
    native : object or None
        The estimator or booster, for explainers that read it.
    additive : bool
        `ask` returns what the native model's trees or coefficients add up.
    remaining : callable or None
        Rows that may still be asked of a model that costs money; None without a limit.
    """

    type: str
    title: str
    task: Task
    scale: Scale
    outputs: list[str]
    ask: Ask
    probabilities: Ask | None = None
    native: Any = None
    additive: bool = False
    classes: list[str] = field(default_factory=list)
    uri: str | None = None
    fingerprint: str | None = None
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remaining: Callable[[], int] | None = None

    def rename(self, names: Sequence[str]) -> None:
        """Give the outputs other names: of each class, or of each output."""
        given = [str(n) for n in names]
        if self.task == "binary" and len(given) == 2:
            self.classes, self.outputs = given, given[1:]
        elif len(given) == len(self.outputs):
            self.outputs = given
            self.classes = given if self.task == "multiclass" else self.classes
        else:
            raise ExplainInputError(
                f"{len(given)} names were given for {len(self.outputs)} outputs of {self.title}; give one for each"
            )


def logit(p: Any, *, positive: bool) -> Any:
    """Return probabilities (n, classes) as log-odds: of two classes those of the second, (n,); else of each.

    Examples
    --------
    >>> logit(np.array([[0.5, 0.5]]), positive=True)
    array([0.])
    """
    clipped = np.clip(np.asarray(p, dtype=np.float64), _EPS, 1 - _EPS)
    odds = np.log(clipped) - np.log1p(-clipped)
    return odds[:, 1] if positive else odds


def unlabelled(answer: Any, classes: Sequence[Any]) -> Floats:
    """Return predicted classes as (n, classes) of 0 and 1."""
    found = np.asarray(answer).ravel()
    out: Floats = np.stack([found == c for c in classes], axis=1).astype(np.float64)
    return out


def forms(
    model: Any, background: pd.DataFrame, *, frame: bool | None = None
) -> Callable[[pd.DataFrame], Any]:
    """Return what turns a frame into what a model takes: the frame itself, or an array.

    Parameters
    ----------
    frame : bool, optional
        True: the model was trained on a frame. None: both are tried on some rows of the background; the array first,
        unless it would be one of objects.
    """
    import pandas as pd

    if frame is True:
        return lambda f: f
    numbers = all(
        pd.api.types.is_numeric_dtype(t) or pd.api.types.is_bool_dtype(t) for t in background.dtypes
    )
    ways: list[Callable[[pd.DataFrame], Any]] = [_values, lambda f: f]
    if not numbers:
        ways.reverse()
    some = background.head(2)
    ask = next(
        (getattr(model, n) for n in ("predict", "score_samples", "decision_function") if hasattr(model, n)),
        None,
    )
    if ask is None:
        return ways[0]
    first: Exception | None = None
    for way in ways:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # scikit-learn: "X has feature names, but"
                ask(way(some))
        except Exception as e:  # noqa: BLE001 - whatever a model may raise: the other form is tried, then it is told
            first = first or e
        else:
            return way
    raise ExplainInputError(
        f"{type(model).__name__} cannot predict rows of the background ({type(first).__name__}: {first}); give a "
        "background with the columns it was trained on, all of them and before any encoding that is not part of it"
    ) from first


def _values(frame: pd.DataFrame) -> Any:
    return frame.to_numpy()


def fingerprint(model: Any) -> str | None:
    """Return what changes when the model does, 64 hex digits; None where that cannot be told."""
    import cloudpickle

    try:
        raw = _raw(model)
        blob = raw if raw is not None else pickle.dumps(model, protocol=5)
    except Exception:  # noqa: BLE001 - a closure, a lock, a socket: there are many ways not to be picklable
        try:
            blob = cloudpickle.dumps(model)
        except Exception:  # noqa: BLE001 - then it is not known whether it changed, and nothing is cached
            return None
    return hashlib.sha256(blob).hexdigest()


def _raw(model: Any) -> bytes | None:
    """Return a booster's own bytes: its pickle also holds caches."""
    home = type(model).__module__.partition(".")[0]
    if home == "xgboost" and type(model).__name__ == "Booster":
        return bytes(model.save_raw("json"))
    if home == "lightgbm" and type(model).__name__ == "Booster":
        return str(model.model_to_string()).encode()
    return None
