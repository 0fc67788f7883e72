"""evidently's own choice of test and threshold, applied to statistics that are there already."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aios_workbench.drift.models import Side, Statistic, StatisticName
from aios_workbench.drift.names import THEIRS, words
from aios_workbench.drift.statistics.numbers import THEIR_SMALL
from aios_workbench.drift.statistics.significance import ks_p

#: Below this p-value, and from this distance on, evidently calls a column drifted.
P_VALUE, DISTANCE = 0.05, 0.1
#: The least that evidently divides a Wasserstein distance by.
_LEAST_STD = 0.001
#: Where the limit is so near the threshold, or the rows are so few, the p-value is counted out as scipy does.
_NEAR, _SMALL = (0.03, 0.1), 2500

Statistics = Mapping[StatisticName, Statistic]


def evidently_test(
    statistics: Statistics, reference: Side | None
) -> tuple[StatisticName, float, float] | None:
    """Return the statistic that evidently's default looks at, its figure (a p-value or a distance), and its threshold.

    With up to 1,000 reference rows: the Kolmogorov-Smirnov test for numbers; for categories and at most five different
    numbers chi-square of one sample, for two values the z test; p < .05. With more: Wasserstein distance over the
    standard deviation for numbers, Jensen-Shannon distance for categories and at most five different numbers; >= .1.
    None where nothing was compared. Nulls play no part. (Of text it would train a classifier; here its parts decide.)

    Examples
    --------
    >>> from aios_workbench.drift.columns import compared, side
    >>> from aios_workbench.drift.tables import NumberTable
    >>> a, b = NumberTable.of([0.0, 1.0] * 40), NumberTable.of([0.0, 1.0, 1.0] * 30)
    >>> name, p_value, threshold = evidently_test(compared(a, b), side(a))
    >>> name, round(p_value, 3), threshold
    ('z', 0.028, 0.05)
    """
    if reference is None or not statistics:
        return None
    rows = reference.rows - reference.nulls - reference.infinite
    few_values: StatisticName | None = next((n for n in THEIRS if n in statistics), None)
    categories = "jensenshannon" in statistics and "ks" not in statistics
    if rows <= THEIR_SMALL and few_values is not None:
        p_value = statistics[few_values].p_value
        return few_values, 1.0 if p_value is None else p_value, P_VALUE
    if few_values is not None or categories:
        return "jensenshannon", statistics["jensenshannon"].value, DISTANCE
    if "ks" not in statistics:
        return None
    if rows <= THEIR_SMALL:
        return "ks", _scipys(statistics["ks"], rows), P_VALUE
    std = reference.std or 0.0
    ours = std or abs(reference.mean or 0.0) or 1.0
    return "wasserstein", statistics["wasserstein"].value * ours / max(std, _LEAST_STD), DISTANCE


def _scipys(ks: Statistic, n: int) -> float:
    """p-value of scipy's `ks_2samp`, which makes no use of ties; where it decides nothing, by its limit."""
    from scipy.special import kolmogorov

    m = (ks.rows or 0) - n
    limit = float(kolmogorov(ks.value * math.sqrt(n * m / (n + m))))
    return _counted(ks.value, n, m) if n * m <= _SMALL or _NEAR[0] < limit < _NEAR[1] else limit


@lru_cache(maxsize=4096)
def _counted(distance: float, n: int, m: int) -> float:
    return ks_p(distance, n, m, counted=True)


def evidently_verdict(statistics: Statistics, reference: Side | None) -> dict[str, Any]:
    """Return what evidently would say: `verdict`, `reasons`, `test` and `threshold` of a column.

    Examples
    --------
    >>> from aios_workbench.drift.columns import compared, side
    >>> from aios_workbench.drift.tables import NumberTable
    >>> a, b = NumberTable.of([0.0, 1.0] * 40), NumberTable.of([0.0, 1.0, 1.0] * 30)
    >>> evidently_verdict(compared(a, b), side(a))["reasons"]
    ['z test: p = 0.028 < 0.05']
    """
    found = evidently_test(statistics, reference)
    if found is None:
        return {"verdict": "few", "reasons": ["nothing to compare"], "test": None, "threshold": None}
    name, figure, threshold = found
    if threshold == DISTANCE:
        drifted, said = figure >= threshold, f"{words(name)} {figure:.2f} >= {threshold:g}"
    else:
        # its Kolmogorov-Smirnov test alone includes the threshold
        drifted = figure <= threshold if name == "ks" else figure < threshold
        said = f"{words(name)}: p {'< 0.001' if figure < 0.001 else f'= {figure:.3f}'} < {threshold:g}"
        if figure < 0.001:
            said = f"{words(name)}: p < 0.001"
    return {
        "verdict": "drifted" if drifted else "stable",
        "reasons": [said] if drifted else [],
        "test": name,
        "threshold": threshold,
    }
