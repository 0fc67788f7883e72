"""LIME for tables, many rows at once: what lime 0.2.0.1 answers with the same seed, with errors and stability.

Ribeiro, Singh, Guestrin, "Why should I trust you?", KDD 2016. lime asks the model anew for each row although its
samples do not depend on the row; here one set of samples a seed serves all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.asking import Asker, ended, matrix
from aios_workbench.explain.lime_draws import Law
from aios_workbench.explain.lime_run import Limed, Run

if TYPE_CHECKING:
    from aios_workbench.explain.asking import Ask, Floats

__all__ = ["Limed", "lime"]


def lime(
    f: Ask,
    x: Floats,
    training: Floats,
    categorical: Sequence[int] = (),
    *,
    samples: int = 5_000,
    most: int = 20_000,
    seeds: Sequence[int] = (0, 1, 2),
    discretize: bool = False,
    kernel_width: float | None = None,
    top: int = 5,
    stable: float = 0.8,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    batch: int | None = None,
) -> Limed:
    """Explain rows with LIME.

    With one seed and `most` equal to `samples` the coefficients are those of lime 0.2.0.1 with ``random_state=seed``,
    all columns and the same number of samples. A KeyboardInterrupt ends it like `cancelled`.

    Parameters
    ----------
    f : callable
        Takes (rows, M) float64, returns (rows, K) or (rows,).
    x : (n, M) float64
    training : (B, M) float64
        Samples follow its means, deviations and shares of categories.
    categorical : sequence of int
        Columns whose values are codes.
    samples, most : int
        Samples a seed to begin with, and at most; more are drawn until the top columns are stable.
    seeds : sequence of int
        One explanation each; the answer is their mean.
    discretize : bool
        Cut numbers at their quartiles, lime's default; else the local model is linear in them.
    kernel_width : float, optional
        Three quarters of the root of the number of columns by default.
    top, stable : int, float
        Mean overlap of the `top` columns between seeds that is stable enough.
    seconds, cancelled, progress, batch
        As for `aios_workbench.explain.sampling.shapley`.

    Raises
    ------
    ExplainInputError
        When arrays or options do not fit.
    ModelFailed
        When the model raises or answers something that is no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> training = np.random.default_rng(0).normal(size=(200, 3))
    >>> found = lime(lambda z: 2 * z[:, 0] - z[:, 1], np.ones((1, 3)), training)
    >>> np.argsort(-np.abs(found.contributions[0, :, 0]))[:2].tolist(), found.stopped
    ([0, 1], 'tolerance')
    """
    x = matrix("the rows to explain", x)
    training = matrix("the training data", training, x.shape[1])
    width = 0.75 * x.shape[1] ** 0.5 if kernel_width is None else float(kernel_width)
    if samples < 2 or top < 1 or not width > 0 or not len(seeds):
        raise ExplainInputError(
            f"samples={samples}, top={top}, kernel_width={width}, seeds={list(seeds)}: there must be 2 samples, "
            "1 top column, a width above 0 and a seed at least"
        )
    wrong = [j for j in categorical if not 0 <= j < x.shape[1]]
    if wrong:
        raise ExplainInputError(
            f"categorical columns {wrong} do not exist; there are {x.shape[1]}, counted from 0"
        )
    law = Law(training, categorical, discretize=discretize)
    ask = Asker(f, seconds=seconds, cancelled=cancelled, batch=batch)
    run = Run(ask, law, x, width, tuple(seeds), top, progress)
    return run.result(ended(lambda: run.go(samples, max(most, samples), stable)))
