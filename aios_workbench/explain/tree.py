"""Shapley values of trees, read from the trees: as shap's TreeExplainer gives them, in the user's columns.

Two questions go under one name. *Path-dependent* values replace an unknown column by what the training rows did at each
split: no background is needed. *Interventional* values replace it by the values of background rows. They differ, so
every explanation says which it is.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aios_workbench.explain import accelerator as accelerating
from aios_workbench.explain import estimators, grouped
from aios_workbench.explain import tree_readers as readers
from aios_workbench.explain.attributed import Attributed, Unreadable
from aios_workbench.explain.encoding import Encoding, Mixed, encoding
from aios_workbench.explain.models import Stopped

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.model import Model

    Floats = npt.NDArray[np.float64]

Perturbation = Literal["tree_path_dependent", "interventional"]
#: Seconds after which progress is told and a cancel is seen.
_BREATH = 0.4
#: Estimators of scikit-learn that shap reads.
_READ = frozenset({
    "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor",
    "ExtraTreesClassifier", "ExtraTreesRegressor", "GradientBoostingClassifier", "GradientBoostingRegressor",
    "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "RandomForestClassifier",
    "RandomForestRegressor",
})  # fmt: skip
#: How far values may miss the prediction, as a share of its size, before they are not believed.
_MISS = 1e-3
#: Rows on which values that were added up are compared with the columns' own.
_CHECKED = 5


def readable(model: Model) -> bool:
    """True of trees whose sum is what the model answers on the explained scale."""
    if model.native is None or not model.additive:
        return False
    last = estimators.final(model.native)
    if hasattr(last, "coef_") and not readers.booster(last):
        return False
    return readers.booster(last) is not None or type(last).__name__ in _READ


def attribute(
    model: Model, rows: pd.DataFrame, background: pd.DataFrame, *, perturbation: Perturbation = "tree_path_dependent",
    accelerator: bool | None = None, seconds: float | None = None, cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None, seed: int = 0,
) -> Attributed:  # fmt: skip
    """Return Shapley values of rows.

    Parameters
    ----------
    background : DataFrame
        For interventional values: every row of it is used. shap by itself keeps 100.
    accelerator : bool, optional
        None: woodelf where it is installed and shap would take long.
    seconds : float, optional
        After them no more rows are begun; what is there is returned.

    Raises
    ------
    Unreadable
        When the trees cannot be read, the pipeline mixes columns, or values do not add up to what the model answers.
    """
    import pandas as pd

    last = estimators.final(model.native)
    try:
        encoded = encoding(estimators.before(model.native), pd.concat([background.head(500), rows.head(500)]))
    except Mixed as e:
        raise Unreadable(str(e)) from e
    against = encoded.of(background) if perturbation == "interventional" else None
    ask = readers.reader(last, against)
    found = readers.paths(last, encoded) if against is None and encoded.grouped else None
    whole = found is not None and found.size <= grouped.MOST
    if found is not None and whole:
        accelerator, ask = False, readers.of_groups(found, ask, last, rows.shape[1])
    run = _Run(last, encoded, against, seconds, cancelled, progress, seed)
    phi = run.over(rows, accelerator, ask)
    made = Attributed(
        phi[:, :-1] if whole else encoded.back(phi[:, :-1], rows.shape[1]),
        # what shap takes for it lacks the intercepts that xgboost 3 keeps for each class
        phi[0, -1].copy() if against is None else model.predict(background).mean(axis=0),
        background=0 if against is None else len(background), grouped=encoded.grouped, accelerator=run.used,
        checked=run.checked, stopped=run.stopped, notes=run.notes, whole=whole,
    )  # fmt: skip
    if found is not None and not whole and found.size <= _CHECKED * grouped.MOST:
        some = encoded.of(rows.iloc[: min(_CHECKED, len(phi))])
        made.own = readers.of_groups(found, ask, last, rows.shape[1])(some)[:, :-1]
    _believed(made, model, rows.iloc[: len(phi)])
    return made


@dataclass
class _Run:
    """One pass over the rows."""

    last: Any
    encoded: Encoding
    against: Any
    seconds: float | None
    cancelled: Callable[[], bool] | None
    progress: Callable[[float, str], None] | None
    seed: int
    stopped: Stopped = "done"
    used: str | None = None
    checked: tuple[Floats, Floats] | None = None
    notes: list[str] = field(default_factory=list)
    rate: float = 0.0

    def over(self, rows: pd.DataFrame, accelerator: bool | None, ask: Callable[[Any], Floats]) -> Floats:
        """Return contributions and base of the rows that were reached, (n, encoded + 1, K)."""
        began = time.perf_counter()
        found: list[Floats] = []
        try:
            self._collect(rows, accelerator, ask, found, began)
        except KeyboardInterrupt:
            self.stopped = "cancelled"
        if not found:
            raise Unreadable("it was stopped before the first row")
        return np.concatenate(found)

    def _collect(
        self, rows: pd.DataFrame, accelerator: bool | None, ask: Callable[[Any], Floats], found: list[Floats],
        began: float,
    ) -> None:  # fmt: skip
        for part in _parts(len(rows), lambda: self.rate):
            spent = time.perf_counter() - began
            if self._over(spent + self.rate * len(part), some=bool(found)):
                break
            left = len(rows) - part.start
            untried = found and not self.notes and self.checked is None
            if untried and accelerating.worth(self.last, self.rate * left, accelerator):
                rest = None if self.seconds is None else self.seconds - spent
                values = self._accelerated(self.encoded.of(rows.iloc[part.start :]), ask, rest)
                if values is not None:
                    base = np.repeat(found[0][:1, -1:], left, axis=0)
                    found.append(np.concatenate([values, base], axis=1))
                    break
            at = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # shap and lightgbm tell of changes in what they return
                found.append(ask(self.encoded.of(rows.iloc[part.start : part.stop])))
            self.rate = (time.perf_counter() - at) / len(part)
            if self.progress is not None:
                told = f"{part.stop:,} of {len(rows):,} rows read from the trees"
                self.progress(part.stop / len(rows), told)

    def _over(self, expected: float, *, some: bool) -> bool:
        if self.cancelled is not None and self.cancelled():
            self.stopped = "cancelled"
        elif self.seconds is not None and some and expected > self.seconds:
            self.stopped = "budget"
        return self.stopped != "done"

    def _accelerated(self, z: Any, ask: Callable[[Any], Floats], seconds: float | None) -> Floats | None:
        got = accelerating.attribute(
            self.last, z, self.against, check=ask, width=len(self.encoded.sources), cancelled=self.cancelled,
            progress=self.progress, seed=self.seed, seconds=seconds,
        )  # fmt: skip
        self.checked = got.checked
        if got.values is None:
            self.notes.append(got.why)
        else:
            self.used = got.name
        return got.values


def _parts(n: int, rate: Callable[[], float]) -> Iterator[range]:
    """Cut n rows into parts that take about a breath each."""
    at, size = 0, 16
    while at < n:
        yield range(at, min(n, at + size))
        at += size
        size = int(min(size * 8, max(1, _BREATH / max(rate(), 1e-9))))


def _believed(made: Attributed, model: Model, rows: pd.DataFrame) -> None:
    """Compare with what the model says: shap reads some models wrongly, such as categorical splits of HistGB."""
    said = model.predict(rows)
    gap = np.abs(made.values.sum(axis=1) + made.base - said).max()
    if not gap <= _MISS * (1 + np.abs(said).max()):
        raise Unreadable(f"values read from its trees miss what it predicts by up to {gap:.3g}")
