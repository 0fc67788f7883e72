"""How wrong a model is, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.errors import ExplainInputError, hint

if TYPE_CHECKING:
    from aios_workbench.explain.outcomes import Outcomes
    from aios_workbench.explain.tabular import Floats

OF_CLASSES, OF_VALUES = ("error", "log_loss", "brier"), ("absolute", "squared")
_TINY = 1e-12


def loss_of(metric: str | None, found: Outcomes) -> str:
    """Return the loss that is meant; without a name, the rate of wrong classes or the absolute error.

    Raises
    ------
    ExplainInputError
        When there is none of that name for this model.
    """
    known = OF_CLASSES if found.classes else OF_VALUES
    if metric is None:
        return known[0]
    if metric not in known:
        raise ExplainInputError(
            f"there is no metric {metric!r} here{hint(metric, known)}; there are {', '.join(known)}"
        )
    if metric in ("log_loss", "brier") and found.probability is None:
        raise ExplainInputError(
            f"{metric} needs probabilities, and this model gives none; take metric='error'"
        )
    return metric


def per_row(metric: str, found: Outcomes) -> Floats:
    """Return each row's loss, (m,); see `loss_of`."""
    if metric == "error":
        wrong: Floats = (found.guess != found.label).astype(np.float64)
        return wrong
    if metric in OF_VALUES:
        off = found.guess - found.label
        return np.abs(off) if metric == "absolute" else off**2
    p = found.probability
    assert p is not None
    own = p[np.arange(len(p)), found.label.astype(np.int64)]
    if metric == "log_loss":
        return -np.log(np.clip(own, _TINY, 1.0))
    squares: Floats = (p**2).sum(axis=1) + 1 - 2 * own
    return squares / 2 if p.shape[1] == 2 else squares
