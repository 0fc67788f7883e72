"""What two samples of one distribution would show, and what is left of a distance without it.

A distance between two samples is never 0, and the fewer rows the larger: at 100 rows a Jensen-Shannon distance of .1 is
nothing, at 10 million it is much. An *effect* is the distance with that part removed, so that it means the same at any
size: ``sqrt(D² - E[D²])`` with the expectation over samples of the two sizes from the pooled distribution.
"""

from __future__ import annotations

import math

import numpy as np

from aios_workbench.drift.statistics.cells import Cells
from aios_workbench.drift.statistics.shares import divergence
from aios_workbench.drift.tables import Floats, Ints

#: Where fewer rows of a value are expected on a side, the sum over all that could come is taken; else its limit.
_FEW_EXPECTED = 10.0
#: Stretches that the line is cut into for the covariance of a Wasserstein distance with itself.
_STRETCHES = 48


def corrected(distance: float, expected_square: float) -> float:
    """Return a distance without what noise alone would show; 0 where noise would show as much.

    Examples
    --------
    >>> corrected(0.5, 0.09), corrected(0.1, 0.09)
    (0.4, 0.0)
    """
    return math.sqrt(max(0.0, distance * distance - expected_square))


def jensenshannon_square(a: Ints, b: Ints) -> float:
    """Expected square of the Jensen-Shannon distance when the rows of each value are dealt out at random.

    For frequent values (1 - share) (1/n + 1/m) / 8 each, the limit of the divergence's quadratic form; for rare ones
    the binomial expectation.

    Examples
    --------
    >>> a = np.array([500, 500])
    >>> round(jensenshannon_square(a, a) / (1 / 8 * (2 / 1000)), 2)
    1.0
    """
    n, m = int(a.sum()), int(b.sum())
    t, many = np.unique(a + b, return_counts=True)
    many, t = many[t > 0], t[t > 0]
    share = t / (n + m)
    each = (1 - share) * (1 / n + 1 / m) / 8
    small, large = min(n, m), max(n, m)
    expected = t * (small / (n + m))
    few = expected < _FEW_EXPECTED
    if few.any():
        each[few] = _rare(t[few], small, large)
    return float((each * many).sum())


def _rare(t: Ints, small: int, large: int) -> Floats:
    """Expected divergence of values with `t` rows in all, few of them on the smaller side."""
    from scipy.special import gammaln

    p = small / (small + large)
    most = int(_FEW_EXPECTED + 9 * math.sqrt(_FEW_EXPECTED)) + 2
    x = np.arange(min(most, int(t.max())) + 1)[None, :]
    t = t[:, None]
    left = np.maximum(t - x, 0)
    log = gammaln(t + 1) - gammaln(x + 1) - gammaln(left + 1) + x * math.log(p) + left * math.log1p(-p)
    weight = np.where(x <= t, np.exp(log), 0.0)
    found: Floats = (weight * divergence(x / small, left / large)).sum(1)
    return found


def wasserstein_square(both: Cells) -> float:
    """Expected square of the Wasserstein distance under one distribution, in the cells' unit squared.

    The distance is the integral of |F_a - F_b|, which is a Brownian bridge at the pooled F times sqrt(1/n + 1/m); for
    two normal variables of correlation r, E|XY| = 2/pi (sqrt(1 - r²) + r asin r).

    Examples
    --------
    >>> from aios_workbench.drift.statistics.cells import cells
    >>> from aios_workbench.drift.tables import NumberTable
    >>> coin = NumberTable.of([0.0] * 50 + [1.0] * 50)
    >>> round(wasserstein_square(cells(coin, coin)), 6)  # .25 (1/100 + 1/100)
    0.005
    """
    n, m = both.rows
    pooled = np.cumsum(both.a + both.b) / (n + m)
    before = np.concatenate([[0.0], pooled[:-1]])
    # over cells F runs from `before` to `pooled`, over the gaps after them it is `pooled`
    width = np.concatenate([both.right - both.left, both.left[1:] - both.right[:-1]])
    level = np.concatenate([(before + pooled) / 2, pooled[:-1]])
    keep = (width > 0) & (level > 0) & (level < 1)
    if not keep.any():
        return 0.0
    width, level = width[keep], level[keep]
    order = np.argsort(level, kind="stable")
    width, level = width[order], level[order]
    weight = width * np.sqrt(level * (1 - level))
    upto = np.cumsum(weight)
    stretch = np.minimum((upto / upto[-1] * _STRETCHES).astype(np.int64), _STRETCHES - 1)
    w = np.bincount(stretch, weight, _STRETCHES)
    f = np.bincount(stretch, weight * level, _STRETCHES)[w > 0] / w[w > 0]
    w = w[w > 0]
    low, high = np.minimum.outer(f, f), np.maximum.outer(f, f)
    r = np.sqrt(np.clip(low * (1 - high) / (high * (1 - low)), 0.0, 1.0))
    moment = 2 / math.pi * (np.sqrt(1 - r * r) + r * np.arcsin(r))
    return float(w @ moment @ w) * (1 / n + 1 / m)
