"""Shapley values of any function by sampling: antithetic paths from background rows, with an interval on every value.

Every path starts at one background row and turns it, column by column in a random order, into the explained row; what
the model's answer moves at each turn is the column's credit. Walking each order from both ends takes out what pairs of
columns do together (Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022). shap averages
the whole background at every turn; here every background row has orders of its own, so that equal work sees a hundred
times more orders, and columns in which both rows agree cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.asking import Asker, ended, matrix
from aios_workbench.explain.sampling_run import FEWEST, FIRST, Run, Sampled

if TYPE_CHECKING:
    from aios_workbench.explain.asking import Ask, Floats

__all__ = ["Sampled", "shapley"]


def shapley(
    f: Ask,
    x: Floats,
    background: Floats,
    *,
    tolerance: float = 0.02,
    least: int = 2 * FIRST,
    most: int = 1_000,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    seed: int = 0,
    batch: int | None = None,
) -> Sampled:
    """Estimate interventional Shapley values of rows against a background.

    The same row with the same seed has the same values, whatever rows stand beside it, as long as no limit of time
    cuts it short. A KeyboardInterrupt ends it like `cancelled`: what was reached is returned.

    Parameters
    ----------
    f : callable
        Takes (rows, M) float64, returns (rows, K) or (rows,).
    x : (n, M) float64
    background : (B, M) float64
        Never cut silently: `Sampled.background` says how many rows were used.
    tolerance : float
        A row is done once half the widest 95 % interval of its values is below this share of the sum of their
        absolute values (of a tenth of the model's spread over the background, where that is more).
    least, most : int
        Orders for each row, at least and at most.
    seconds : float, optional
        Time for all rows.
    cancelled : callable, optional
        Asked before each call of the model.
    progress : callable, optional
        Told the share that is done and a sentence.
    batch : int, optional
        Rows of one call of the model at most; by itself a call takes about 0.6 s and 64 MB.

    Raises
    ------
    ExplainInputError
        When arrays or options do not fit.
    ModelFailed
        When the model raises or answers something that is no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> background = np.random.default_rng(0).normal(size=(50, 3))
    >>> found = shapley(lambda z: 2 * z[:, 0] - z[:, 1], np.ones((1, 3)), background)
    >>> exact = np.array([2, -1, 0]) * (1 - background.mean(axis=0))
    >>> bool(np.abs(found.values[0, :, 0] - exact).max() < 1e-9)
    True
    """
    x = matrix("the rows to explain", x)
    background = matrix("the background", background, x.shape[1])
    if not tolerance >= 0 or least < 1 or most < 1:
        raise ExplainInputError(
            f"tolerance={tolerance}, least={least}, most={most}: a tolerance is not negative, orders are at least 1"
        )
    ask = Asker(f, seconds=seconds, cancelled=cancelled, batch=batch)
    run = Run(ask, x, background, seed, tolerance, -(-least // 2), max(-(-most // 2), FEWEST), progress)
    return run.result(ended(run.go))
