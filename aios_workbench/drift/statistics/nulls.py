"""Rows without a usable value: nulls, and numbers that are infinite."""

from __future__ import annotations

import numpy as np

from aios_workbench.drift.models import Statistic
from aios_workbench.drift.statistics.noise import corrected, jensenshannon_square
from aios_workbench.drift.statistics.shares import jensenshannon, shares, total_variation
from aios_workbench.drift.statistics.significance import chisquare
from aios_workbench.drift.tables import CountTable, Ints, NumberTable


def _states(table: NumberTable | CountTable) -> Ints:
    """Rows with a value, with none, below and above all numbers."""
    infinite = table.infinite if isinstance(table, NumberTable) else (0, 0)
    return np.array([table.rows, table.nulls, *infinite], np.int64)


def nulls(a: NumberTable | CountTable, b: NumberTable | CountTable) -> Statistic | None:
    """How the share of rows without a usable value moved; None when there are no rows, or none such on either side.

    `value` is the total variation of (value, null, -inf, +inf): the difference of the null shares where nothing is
    infinite. Its `effect` is the noise-corrected Jensen-Shannon distance of the same.

    Examples
    --------
    >>> a, b = NumberTable.of([1.0] * 100), NumberTable.of([1.0] * 20, nulls=80)
    >>> found = nulls(a, b)
    >>> found.value, found.p_value < 1e-9
    (0.8, True)
    """
    one, two = _states(a), _states(b)
    if not (one.sum() and two.sum()) or not (one[1:].any() or two[1:].any()):
        return None
    p, q = shares(one, two)
    return Statistic(
        value=total_variation(p, q),
        p_value=chisquare(one, two)[1],
        effect=corrected(jensenshannon(p, q), jensenshannon_square(one, two)),
        rows=int(one.sum() + two.sum()),
    )
