"""What gives the contributions of one ensemble of trees: its own library, shap, or the paths of its leaves."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.explain import boosters, grouped
from aios_workbench.explain.attributed import Unreadable
from aios_workbench.explain.encoding import Encoding

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_BOOSTED = ("xgboost", "lightgbm", "catboost")


def booster(last: Any) -> str | None:
    """Return which library of boosters a model is of; None of any other."""
    if boosters.library(last):
        return boosters.library(last)
    home = type(last).__module__.partition(".")[0]
    return home if home in _BOOSTED else None


def reader(last: Any, against: Any) -> Callable[[Any], Floats]:
    """Return what gives contributions and base of encoded rows, (n, encoded + 1, K)."""
    home = booster(last)
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


def paths(last: Any, encoded: Encoding) -> grouped.Paths | None:
    """Return the leaves' paths; None where shap cannot parse the trees: categories, some of catboost's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap

            ensemble = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent").model
            if ensemble.trees is None or booster(last) == "catboost":
                return None
            return grouped.paths(ensemble, encoded.sources)
    except Exception:  # noqa: BLE001 - shap raises anything at trees it does not know; values are added up then
        return None


def of_groups(
    found: grouped.Paths, ask: Callable[[Any], Floats], last: Any, columns: int
) -> Callable[[Any], Floats]:
    """Return what gives values and base of whole columns; the base is the library's own."""
    # scikit-learn's trees and xgboost compare single-precision numbers
    narrow = booster(last) != "lightgbm" and not type(last).__name__.startswith("Hist")

    def values(z: Any) -> Floats:
        x = _numbers(z)
        x = x.astype(np.float32).astype(np.float64) if narrow else x
        base = ask(z[:1])[:, -1:]
        got = grouped.attribute(found, x, columns)[:, :, -base.shape[2] :]
        return np.concatenate([got, np.repeat(base, len(x), axis=0)], axis=1)

    return values
