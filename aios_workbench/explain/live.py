"""The model of an explanation while it is at hand, and how it is explained: which explainer, in how much time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.explain import lime_running, shap_running
from aios_workbench.explain.arrays import Arrays
from aios_workbench.explain.asking import OutOfTime
from aios_workbench.explain.endpoints import Spent
from aios_workbench.explain.explanation import Explanation
from aios_workbench.explain.models import Check, LimeInfo
from aios_workbench.explain.options import Options
from aios_workbench.explain.telling import Cancelled, Told

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.model import Model
    from aios_workbench.explain.space import Space

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

#: Share of the budget that Shapley values may take where LIME comes after them.
_FIRST = 0.65


def drawn(rows: int, options: Options) -> Ints:
    """Return which background rows are used by explainers that try every one, in order.

    Examples
    --------
    >>> drawn(3, Options(background_rows=100)).tolist()
    [0, 1, 2]
    """
    if rows <= options.background_rows:
        return np.arange(rows)
    g = np.random.default_rng(options.seed)
    return np.sort(g.choice(rows, options.background_rows, replace=False))


class Live:
    """The model of an explanation, while it is at hand: `explanation.live`.

    Attributes
    ----------
    model : Model
    space : Space
    background : DataFrame
        Rows that stand for "nothing is known", in the user's columns: all that were given.
    used : DataFrame
        Those of them that explainers use which try every one.
    """

    def __init__(
        self, model: Model, space: Space, background: pd.DataFrame, options: Options, places: Ints
    ) -> None:
        self.model, self.space, self.background, self.options = model, space, background, options
        self.used = background.iloc[places]
        #: Why no more rows may be asked of the model, once that is so.
        self.spent = ""

    def f(self, matrix: Floats) -> Floats:
        """Return what the model says of rows of `space`, (n, K).

        Raises
        ------
        OutOfTime
            When no more rows may be asked: samplers end there with what they have.
        """
        try:
            return self.model.predict(self.space.decode(matrix))
        except Spent as e:
            self.spent = str(e)
            raise OutOfTime("budget") from e

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return predictions of rows in the user's columns, (n, K), on the explained scale."""
        return self.model.predict(self.space.frame(rows))

    def again(
        self, rows: pd.DataFrame, *, seconds: float | None = None, lime: bool = True,
        cancelled: Cancelled | None = None,
    ) -> Explanation:  # fmt: skip
        """Explain other rows in the same way, in so many seconds at most; nothing is cached or told.

        Raises
        ------
        ExplainInputError
            When a column is missing.
        """
        frame = self.space.frame(rows)
        told = Told(progress=False, cancelled=cancelled)
        return self.explain(frame, told, lime=lime, seconds=seconds or self.options.seconds, checks=False)

    def explain(
        self, frame: pd.DataFrame, told: Told, *, name: str | None = None, output: int | None = None,
        notes: list[str] | None = None, lime: bool = True, seconds: float | None = None, checks: bool = True,
    ) -> Explanation:  # fmt: skip
        """Explain rows: Shapley values, LIME, checks."""
        from aios_workbench.explain.assemble import assemble

        began = time.monotonic()
        budget = seconds if seconds is not None else self.options.seconds
        asked = (self.model.evaluations, self.model.calls)
        told(0.0, "opening the model")
        share = None if budget is None else budget * (_FIRST if lime else 0.95)
        found = shap_running.run(self, frame, told, share)
        method = found.method.model_copy(
            update={
                "seconds": time.monotonic() - began, "evaluations": self.model.evaluations - asked[0],
                "calls": self.model.calls - asked[1],
            }
        )  # fmt: skip
        frame = frame.iloc[: len(found.values)]
        matrix = self.space.encode(frame)
        arrays = Arrays(found.values, found.base, found.predictions, found.errors)
        said = [*(notes or []), *self.model.notes]
        asked_checks: list[Check] = []
        info: LimeInfo | None = None
        told.interrupted = told.interrupted or method.stopped == "cancelled"
        try:
            if checks and not told.cancelled():
                asked_checks = shap_running.checks(self, found, frame, told, budget)
            if lime and not told.cancelled() and not self.spent:
                left = (
                    None if budget is None else max(0.95 * budget - (time.monotonic() - began), 0.05 * budget)
                )
                info = lime_running.run(self, matrix, arrays, told, left)
            if not told.cancelled() and not self.spent:
                arrays.probabilities = self.model.probabilities(frame)
        except KeyboardInterrupt:
            told.interrupted = True
        if lime and info is None:
            said.append("LIME explained no row: the explanation was stopped before it.")
        if self.spent:
            said.append(self.spent + ".")
        told(0.97, "checking")
        made = assemble(
            arrays, columns=self.space.columns, outputs=self.model.outputs, task=self.model.task,
            scale=self.model.scale, model=self.model.info, method=method, lime=info, frame=frame, live=self,
            matrix=matrix, background=self.space.encode(self.background.head(5_000)), asked=asked_checks,
            name=name or "", output=output, notes=said, seconds=time.monotonic() - began, seed=self.options.seed,
        )  # fmt: skip
        told(1.0, "done")
        return made
