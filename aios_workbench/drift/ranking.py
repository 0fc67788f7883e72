"""The area under the ROC curve with its variance: of a model's scores, and of what tells two sides apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from aios_workbench.drift.tables import Floats

#: Of a 95 % interval.
Z95 = 1.959963984540054


class Area(NamedTuple):
    """An area under the ROC curve: its variance, and the variance it would have if the scores told nothing."""

    value: float
    variance: float
    idle: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, on the logit scale so that it stays within 0 and 1."""
        return bounded(self.value, math.sqrt(self.variance))


def area(positive: npt.ArrayLike, score: npt.ArrayLike) -> Area:
    """Return the area under the ROC curve, by DeLong's method [1]_ in n log n [2]_.

    Parameters
    ----------
    positive : array_like of bool
        (n,)
    score : array_like of float
        (n,), higher for positives.

    Returns
    -------
    Area
        NaN where one of the classes is missing.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
       operating characteristic curves", Biometrics 44, 1988.
    .. [2] X. Sun, W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014.

    Examples
    --------
    >>> round(area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 2)
    0.75
    """
    yes = np.asarray(positive, bool)
    x = np.asarray(score, np.float64)
    m, n = int(yes.sum()), int((~yes).sum())
    if not (m and n):
        return Area(math.nan, math.nan, math.nan)
    ranks, ties = mid_ranks(x)
    above = (ranks[yes] - mid_ranks(x[yes])[0]) / n
    below = 1 - (ranks[~yes] - mid_ranks(x[~yes])[0]) / m
    variance = (above.var(ddof=1) / m if m > 1 else 0.25) + (below.var(ddof=1) / n if n > 1 else 0.25)
    total = m + n
    idle = (total + 1 - ties / (total * (total - 1))) / (12 * m * n)
    return Area(float(above.mean()), float(variance), max(float(idle), 0.0))


def mid_ranks(x: Floats) -> tuple[Floats, float]:
    """Return the rank of each value from 1 on, ties at their middle, and the sum of t³ - t over ties of t values."""
    order = np.argsort(x)
    ordered = x[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(x)]
    counts = (ends - starts).astype(np.float64)
    ranks = np.empty(len(x))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks, float((counts**3 - counts).sum())


def bounded(value: float, error: float) -> tuple[float, float]:
    """Return the 95 % interval of a share with this standard error, by the logit; the Wald interval at 0 and 1."""
    if not 0 < value < 1:
        return max(0.0, value - Z95 * error), min(1.0, value + Z95 * error)
    middle, wide = math.log(value / (1 - value)), Z95 * error / (value * (1 - value))
    low, high = middle - wide, middle + wide
    return 1 / (1 + math.exp(-max(low, -700))), 1 / (1 + math.exp(-max(high, -700)))


def beyond(gini: float, variance: float) -> float:
    """Return a difference with the noise it would have anyway taken off: the root of its square less its variance."""
    return math.sqrt(max(0.0, gini * gini - variance))
