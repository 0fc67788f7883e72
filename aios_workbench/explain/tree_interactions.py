"""Interactions read from a model's trees, as shap reads them, in the user's columns."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.explain import estimators
from aios_workbench.explain import tree as trees
from aios_workbench.explain.encoding import Mixed, encoding

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.model import Model
    from aios_workbench.explain.tabular import Floats


def interactions(model: Model, rows: pd.DataFrame, *, seconds: float) -> Floats | None:
    """Return each row's interactions, (n, columns, columns, K): of a pair both halves, 0 on the diagonal.

    Returns
    -------
    array or None
        None where the trees cannot be read, or where it would take more than `seconds`, judged by the first row.
    """
    if not trees.readable(model):
        return None
    last = estimators.final(model.native)
    try:
        encoded = encoding(estimators.before(model.native), rows.head(500))
        z = encoded.of(rows)
    except Mixed:
        return None
    began = time.monotonic()
    first = _ask(last, z[:1])
    if first is None or (time.monotonic() - began) * len(rows) > seconds:
        return None
    found = _ask(last, z)
    if found is None:
        return None
    n, width, _, k = found.shape
    m = rows.shape[1]
    once = encoded.back(found.reshape(n, width, width * k), m).reshape(n, m, width, k)
    whole = encoded.back(once.transpose(0, 2, 1, 3).reshape(n, width, m * k), m).reshape(n, m, m, k)
    both: Floats = whole + whole.transpose(0, 2, 1, 3)
    both[:, np.arange(m), np.arange(m)] = 0.0
    return both


def _ask(last: Any, z: Any) -> Floats | None:
    """Return (n, encoded, encoded, K), or None where shap cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # importing it, too, tells of what matplotlib will drop
            import shap

            explainer = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent")
            values = np.asarray(explainer.shap_interaction_values(z), dtype=np.float64)
    except Exception:  # noqa: BLE001  # shap raises anything at trees it does not know; they are sampled instead
        return None
    if values.ndim == 3:
        values = values[..., None]
    if values.shape[3] == 2 and type(last).__name__.endswith("Classifier"):
        values = values[..., 1:]
    return values
