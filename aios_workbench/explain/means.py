"""Means, shares, and differences of two of them, with 95 % intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.drift.models import Measured

if TYPE_CHECKING:
    from aios_workbench.explain.tabular import Floats

_ALMOST = 1e-12


def mean(x: Floats) -> Measured | None:
    """Return a mean with Student's interval; None of fewer than two values.

    Examples
    --------
    >>> found = mean(np.array([1.0, 2.0, 3.0]))
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (2.0, -0.48, 4.48)
    """
    from scipy import special

    n = len(x)
    if n < 2:
        return None
    value = float(x.mean())
    wide = float(special.stdtrit(n - 1, 0.975)) * float(x.std(ddof=1)) / math.sqrt(n)
    return Measured(value=value, low=value - wide, high=value + wide)


def difference(a: Floats, b: Floats) -> tuple[Measured, float]:
    """Return mean(a) - mean(b) with Welch's interval, and the two-sided p-value of none.

    Both need two values. Where neither varies, the difference is known exactly.

    Examples
    --------
    >>> apart, p = difference(np.array([3.0, 4.0, 5.0]), np.array([1.0, 1.0, 1.0]))
    >>> apart.value, round(apart.low, 2), round(p, 3)
    (3.0, 0.52, 0.035)
    """
    from scipy import special

    d = float(a.mean() - b.mean())
    parts = [float(x.var(ddof=1)) / len(x) for x in (a, b)]
    error = math.sqrt(sum(parts))
    size = max(float(np.abs(a).max()), float(np.abs(b).max()))
    if error <= _ALMOST * size:
        return Measured(value=d, low=d, high=d), float(abs(d) <= _ALMOST * size)
    freedom = sum(parts) ** 2 / sum(p * p / (len(x) - 1) for p, x in zip(parts, (a, b), strict=True))
    wide = float(special.stdtrit(freedom, 0.975)) * error
    p = 2 * float(special.stdtr(freedom, -abs(d) / error))
    return Measured(value=d, low=d - wide, high=d + wide), p
