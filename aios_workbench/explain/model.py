"""A model of any kind behind one question: what it says of these rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ModelFailed
from aios_workbench.explain.models import ModelInfo, Scale, Task

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
    evaluations, calls : int
        Rows predicted so far, and calls of the model.
    """

    info: ModelInfo
    task: Task
    scale: Scale
    outputs: list[str]
    native: Any = None
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
        answer = self._ask(frame)
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
    outputs: list[str] | None = None, seed: int = 0,
) -> Model:  # fmt: skip
    """Find out what a model is and how it is asked.

    Raises
    ------
    ExplainInputError
        When it is no model, or cannot be opened.
    """
    raise NotImplementedError
