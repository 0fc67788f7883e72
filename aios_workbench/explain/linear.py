"""Shapley values of linear models, in closed form: coefficient times distance from the background's mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.explain import estimators
from aios_workbench.explain.attributed import Attributed, Unreadable
from aios_workbench.explain.encoding import Mixed, encoding

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.model import Model

#: How far coefficients may be from the model's own answer, as a share of its size.
_CLOSE = 1e-6


def readable(model: Model) -> bool:
    """True of a model whose answer is its coefficients times its inputs."""
    last = estimators.final(model.native) if model.native is not None else None
    return model.additive and hasattr(last, "coef_") and hasattr(last, "intercept_")


def attribute(model: Model, rows: pd.DataFrame, background: pd.DataFrame) -> Attributed:
    """Return Shapley values of rows against the mean of the background, all of it.

    The contribution of column j is ``coef_j * (x_j - mean_j)``: with features taken as independent that is the exact
    interventional Shapley value (Lundberg and Lee, NIPS 2017, corollary 1), also of a group of columns added up.

    Raises
    ------
    Unreadable
        When the pipeline mixes columns, or the model's answer is something else than its coefficients say.
    """
    last, first = estimators.final(model.native), estimators.before(model.native)
    try:
        encoded = encoding(first, background)
    except Mixed as e:
        raise Unreadable(str(e)) from e
    coef = np.atleast_2d(np.asarray(_full(last.coef_), dtype=np.float64))
    intercept = np.broadcast_to(np.asarray(last.intercept_, dtype=np.float64).reshape(-1), (len(coef),))
    z, reference = _floats(encoded.of(rows)), _floats(encoded.of(background))
    if coef.shape != (len(model.outputs), z.shape[1]):
        raise Unreadable(f"its coefficients have the shape {coef.shape} for {z.shape[1]} inputs")
    some = slice(0, 50)
    said = model.predict(background.iloc[some])
    read = reference[some] @ coef.T + intercept
    if np.abs(said - read).max() > _CLOSE * (1 + np.abs(said).max()):
        raise Unreadable("what it answers is not its coefficients times its inputs")
    mean = reference.mean(axis=0)
    values = (z - mean)[:, :, None] * coef.T[None]
    return Attributed(
        encoded.back(values, rows.shape[1]), coef @ mean + intercept, background=len(background)
    )


def _full(coef: Any) -> Any:
    return coef.toarray() if hasattr(coef, "toarray") else coef


def _floats(x: Any) -> Any:
    return np.asarray(x, dtype=np.float64)
