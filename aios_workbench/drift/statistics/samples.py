"""Statistics that need the values themselves: of samples, and so with the rows they were computed from.

scipy has both tests; its figures are these. Here one sort serves both, and no filter of warnings is touched, so that
columns can be compared in threads.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.models import Statistic
from aios_workbench.drift.names import StatisticName
from aios_workbench.drift.tables import Floats

#: Up to so many rows a side the Cramér-von Mises p-value is that of all permutations, as scipy has it.
_FEW = 20
#: Scholz and Stephens, table 2: critical values at these levels, for two samples.
_LEVELS = np.array([0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001])
_CRITICAL = (
    np.array([0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085])
    + np.array([-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615])
    + np.array([-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154])
)
_LOG_LEVEL = np.polyfit(_CRITICAL, np.log(_LEVELS), 2)


def samples(a: npt.ArrayLike, b: npt.ArrayLike) -> dict[StatisticName, Statistic]:
    """Compare two samples of a column of numbers; nulls and infinite values are left out. Empty below two rows.

    Examples
    --------
    >>> found = samples([1.0, 2.0, 3.0], [1.5, 2.5, 9.0, float("nan")])
    >>> found["cramer_von_mises"].rows, round(found["cramer_von_mises"].value, 4)
    (6, 0.0833)
    """
    x, y = _values(a), _values(b)
    if min(len(x), len(y)) < 2:
        return {}
    pooled = _Pooled.of(x, y)
    found: dict[StatisticName, Statistic] = {}
    darling = anderson(pooled)
    if darling is not None:
        found["anderson"] = darling
    found["cramer_von_mises"] = cramer_von_mises(pooled)
    return found


def _values(a: npt.ArrayLike) -> Floats:
    x = np.asarray(a, np.float64).ravel()
    kept: Floats = x[np.isfinite(x)]
    return kept


@dataclass(frozen=True)
class _Pooled:
    """Two sorted samples and, for each different value of both, how many rows have it and how many are not above."""

    x: Floats
    y: Floats
    n: npt.NDArray[np.int64]
    mine: npt.NDArray[np.int64]
    upto: npt.NDArray[np.int64]
    mine_upto: npt.NDArray[np.int64]

    @classmethod
    def of(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> _Pooled:
        """Sort and count.

        Examples
        --------
        >>> pooled = _Pooled.of([1.0, 2.0], [2.0, 5.0])
        >>> pooled.n.tolist(), pooled.mine.tolist()
        ([1, 2, 1], [1, 1, 0])
        """
        one, two = np.sort(np.asarray(x, np.float64)), np.sort(np.asarray(y, np.float64))
        both = np.sort(np.concatenate([one, two]))
        last = np.flatnonzero(np.r_[both[1:] != both[:-1], True])
        upto, mine_upto = last + 1, np.searchsorted(one, both[last], side="right")
        return cls(one, two, np.diff(upto, prepend=0), np.diff(mine_upto, prepend=0), upto, mine_upto)


def anderson(pooled: _Pooled) -> Statistic | None:
    """Anderson-Darling statistic of two samples, normalized, mid-ranks for ties (Scholz and Stephens, JASA 82, 1987).

    The p-value is read from their table, as scipy's is, and ends where that does: at .001 and .25. None where all
    values are the same, and for fewer than four.

    Examples
    --------
    >>> anderson(_Pooled.of(np.arange(50.0), np.arange(50.0) + 30)).p_value
    0.001
    """
    sizes, total = (len(pooled.x), len(pooled.y)), len(pooled.x) + len(pooled.y)
    if len(pooled.n) < 2 or total < 4:
        return None
    below = pooled.upto - pooled.n / 2
    weight = pooled.n / total / (below * (total - below) - total * pooled.n / 4)
    apart = total * (pooled.mine_upto - pooled.mine / 2) - below * sizes[0]
    # the other sample's distances are the same with the sign turned
    square = float((weight * apart**2).sum()) * (1 / sizes[0] + 1 / sizes[1]) * (total - 1) / total
    value = (square - 1) / math.sqrt(_anderson_variance(*sizes))
    if not math.isfinite(value):
        return None
    if value < _CRITICAL[0]:
        p_value = float(_LEVELS[0])
    elif value > _CRITICAL[-1]:
        p_value = float(_LEVELS[-1])
    else:
        p_value = math.exp(float(np.polyval(_LOG_LEVEL, value)))
    return Statistic(value=value, p_value=p_value, method="sample", rows=total)


@functools.lru_cache(maxsize=64)
def _anderson_variance(n: int, m: int) -> float:
    """Return the variance of the statistic of two samples (Scholz and Stephens, equation 4)."""
    k, total = 2, n + m
    inverse = 1 / n + 1 / m
    sums = np.cumsum(1 / np.arange(total - 1, 1, -1))
    h, g = float(sums[-1]) + 1, float((sums / np.arange(2, total)).sum())
    a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * k**2 + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * k**2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * k**2 - 4 * h * k
    return (a * total**3 + b * total**2 + c * total + d) / ((total - 1) * (total - 2) * (total - 3))


def cramer_von_mises(pooled: _Pooled) -> Statistic:
    """Cramér-von Mises statistic of two samples (Anderson, Ann. Math. Stat. 33, 1962), as scipy has it.

    Examples
    --------
    >>> round(cramer_von_mises(_Pooled.of(np.arange(50.0), np.arange(50.0) + 30)).value, 2)
    5.4
    """
    n, m = len(pooled.x), len(pooled.y)
    if max(n, m) <= _FEW:
        from scipy.stats import cramervonmises_2samp

        found = cramervonmises_2samp(pooled.x, pooled.y)
        p_value = float(np.clip(found.pvalue, 0.0, 1.0))
        return Statistic(value=float(found.statistic), p_value=p_value, method="sample", rows=n + m)
    rank = pooled.upto - (pooled.n - 1) / 2
    away = [
        float(((np.repeat(rank, count) - np.arange(1, size + 1)) ** 2).sum())
        for count, size in ((pooled.mine, n), (pooled.n - pooled.mine, m))
    ]
    total, product = n + m, n * m
    value = (n * away[0] + m * away[1]) / (product * total) - (4 * product - 1) / (6 * total)
    mean = (1 + 1 / total) / 6
    variance = (
        (total + 1) * (4 * product * total - 3 * (n**2 + m**2) - 2 * product) / (180 * total**2 * product)
    )
    limit = 1 / 6 + (value - mean) / math.sqrt(45 * variance)
    p_value = 1.0 if limit < 0.003 else min(max(1.0 - _cramer_von_mises_cdf(limit), 0.0), 1.0)
    return Statistic(value=value, p_value=p_value, method="sample", rows=total)


def _cramer_von_mises_cdf(x: float) -> float:
    """Return the limiting distribution (Csörgő and Faraway, J. R. Stat. Soc. B 58, 1996, equation 1.2)."""
    from scipy.special import gammaln, kv

    told: float = 0.0
    k = 0
    while True:
        y = 4 * k + 1
        q = y**2 / (16 * x)
        factor = math.exp(float(gammaln(k + 0.5) - gammaln(k + 1))) / math.pi**1.5
        term = factor * math.sqrt(y / x) * math.exp(-q) * float(kv(0.25, q))
        told, k = told + term, k + 1
        if abs(term) < 1e-7:  # where scipy ends, too
            return told
