"""Statistics that need the values themselves: of samples, and so with the rows they were computed from."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.models import Statistic
from aios_workbench.drift.names import StatisticName
from aios_workbench.drift.tables import Floats


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
    found: dict[StatisticName, Statistic] = {}
    darling = anderson(x, y)
    if darling is not None:
        found["anderson"] = darling
    found["cramer_von_mises"] = cramer_von_mises(x, y)
    return found


def _values(a: npt.ArrayLike) -> Floats:
    x = np.asarray(a, np.float64).ravel()
    kept: Floats = x[np.isfinite(x)]
    return kept


def anderson(x: Floats, y: Floats) -> Statistic | None:
    """Anderson-Darling statistic of two samples, normalized, mid-ranks for ties (Scholz and Stephens, JASA 82, 1987).

    The p-value is scipy's: read from a table that ends at .001 and .25. None where all values are the same.

    Examples
    --------
    >>> anderson(np.arange(50.0), np.arange(50.0) + 30).p_value
    0.001
    """
    from scipy.stats import anderson_ksamp

    if min(x.min(), y.min()) == max(x.max(), y.max()):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the p-value is at an end of the table
        found = anderson_ksamp([x, y], variant="midrank")
    value = float(found.statistic)
    if not math.isfinite(value):
        return None
    return Statistic(value=value, p_value=float(found.pvalue), method="sample", rows=len(x) + len(y))


def cramer_von_mises(x: Floats, y: Floats) -> Statistic:
    """Cramér-von Mises statistic of two samples (Anderson, Ann. Math. Stat. 33, 1962), as scipy has it.

    Examples
    --------
    >>> round(cramer_von_mises(np.arange(50.0), np.arange(50.0) + 30).value, 2)
    5.4
    """
    from scipy.stats import cramervonmises_2samp

    found = cramervonmises_2samp(x, y)
    p_value = float(np.clip(found.pvalue, 0.0, 1.0))
    return Statistic(value=float(found.statistic), p_value=p_value, method="sample", rows=len(x) + len(y))
