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
from aios_workbench.explain import boosters, estimators
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
_BOOSTED = ("xgboost", "lightgbm", "catboost")
#: How far values may miss the prediction, as a share of its size, before they are not believed.
_MISS = 1e-3


def readable(model: Model) -> bool:
    """True of trees whose sum is what the model answers on the explained scale."""
    if model.native is None or not model.additive:
        return False
    last = estimators.final(model.native)
    if hasattr(last, "coef_") and not _booster(last):
        return False
    return _booster(last) is not None or type(last).__name__ in _READ


def _booster(last: Any) -> str | None:
    if boosters.library(last):
        return boosters.library(last)
    home = type(last).__module__.partition(".")[0]
    return home if home in _BOOSTED else None


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
    run = _Run(last, encoded, against, seconds, cancelled, progress, seed)
    phi = run.over(rows, accelerator)
    made = Attributed(
        encoded.back(phi[:, :-1], rows.shape[1]),
        # what shap takes for it lacks the intercepts that xgboost 3 keeps for each class
        phi[0, -1].copy() if against is None else model.predict(background).mean(axis=0),
        background=0 if against is None else len(background),
        grouped=encoded.grouped, accelerator=run.used, checked=run.checked, stopped=run.stopped, notes=run.notes,
    )  # fmt: skip
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

    def over(self, rows: pd.DataFrame, accelerator: bool | None) -> Floats:
        """Return contributions and base of the rows that were reached, (n, encoded + 1, K)."""
        began = time.perf_counter()
        ask = _reader(self.last, self.against)
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


def _reader(last: Any, against: Any) -> Callable[[Any], Floats]:
    """Return what gives contributions and base of encoded rows, (n, encoded + 1, K)."""
    home = _booster(last)
    if against is None and home is not None:
        return _native(last, home)
    if home == "catboost" and (_many(last) or len(last.get_cat_feature_indices())):
        # shap 0.51 reads beyond its arrays here and takes the process down
        raise Unreadable(
            "shap reads catboost's trees of several classes or of categories only path-dependent"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shap imports matplotlib, which tells what it will no longer do
            import shap

            if against is None:
                explainer = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent")
            else:
                data = _numbers(against)
                # by itself the masker keeps 100 rows and does not say so
                masker = shap.maskers.Independent(data, max_samples=len(data))
                explainer = shap.TreeExplainer(last, masker, feature_perturbation="interventional")
    except Unreadable:
        raise
    except Exception as e:  # shap raises anything, an AssertionError, too, at trees it does not know
        raise Unreadable(f"shap cannot read its trees ({type(e).__name__}: {str(e)[:200]})") from e

    def ask(z: Any) -> Floats:
        x = _numbers(z)
        try:
            values = np.asarray(explainer.shap_values(x, check_additivity=False), dtype=np.float64)
        except Exception as e:
            raise Unreadable(f"shap cannot read its trees ({type(e).__name__}: {str(e)[:200]})") from e
        return _stacked(values, explainer.expected_value, type(last).__name__)

    return ask


def _many(last: Any) -> bool:
    return np.asarray(getattr(last, "classes_", ())).size > 2


def _numbers(z: Any) -> Any:
    """Return encoded rows as an array of floats: shap looks names up that scikit-learn did not give."""
    try:
        return np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError) as e:
        raise Unreadable("its trees split on categories, which shap reads only path-dependent") from e


def _stacked(values: Floats, base: Any, name: str) -> Floats:
    """Return contributions and base as one array (n, encoded + 1, K); of two probabilities the second."""
    if values.ndim == 2:
        values = values[:, :, None]
    bases = np.asarray(base, dtype=np.float64).reshape(-1)
    if values.shape[2] == 2 and name.endswith("Classifier"):
        values, bases = values[:, :, 1:], bases[1:]
    return np.concatenate([values, np.broadcast_to(bases, (len(values), 1, len(bases)))], axis=1)


def _native(last: Any, home: str) -> Callable[[Any], Floats]:
    """Return how a library's own contributions are asked for: what shap asks, too, without parsing the trees."""
    if home == "xgboost":
        import xgboost

        booster = last if boosters.library(last) else last.get_booster()
        rounds = (0, 0) if boosters.library(last) else last._get_iteration_range(None)
        missing = getattr(last, "missing", np.nan)

        def ask(z: Any) -> Floats:
            given = z if booster.feature_names or not hasattr(z, "to_numpy") else z.to_numpy()
            matrix = xgboost.DMatrix(given, missing=missing, enable_categorical=True)
            return _turned(
                booster.predict(matrix, pred_contribs=True, iteration_range=rounds, validate_features=False)
            )

        return ask
    if home == "lightgbm":
        inner = last if boosters.library(last) else last.booster_

        def answer(z: Any) -> Floats:
            phi = np.asarray(inner.predict(z, pred_contrib=True), dtype=np.float64)
            width = inner.num_feature() + 1
            return _turned(phi if phi.shape[1] == width else phi.reshape(len(phi), -1, width))

        return answer
    import catboost

    def values(z: Any) -> Floats:
        pool = catboost.Pool(z, cat_features=last.get_cat_feature_indices())
        return _turned(last.get_feature_importance(pool, type="ShapValues"))

    return values


def _turned(phi: Any) -> Floats:
    """Return (n, encoded + 1) or (n, K, encoded + 1) as (n, encoded + 1, K)."""
    x = np.asarray(phi, dtype=np.float64)
    return x[:, :, None] if x.ndim == 2 else x.transpose(0, 2, 1)
