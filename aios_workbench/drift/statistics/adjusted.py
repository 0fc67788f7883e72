"""p-values of many tests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values: calling all below `alpha` keeps the expected share of false ones below it.

    When nothing differs at all, the chance of even one alarm is `alpha`. Benjamini and Hochberg, JRSS B 57, 1995.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.5])
    [0.03, 0.06, 0.5]
    """
    p = np.asarray(p_values, np.float64)
    if not len(p):
        return []
    order = np.argsort(p)[::-1]
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return [float(x) for x in adjusted]


def bonferroni(p_values: Sequence[float]) -> float:
    """Return the p-value of the best of a few tests of one column, whatever hangs together.

    Examples
    --------
    >>> bonferroni([0.01, 0.4])
    0.02
    """
    return min(1.0, min(p_values) * len(p_values))
