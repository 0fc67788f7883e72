"""One column of both sides: all there is to say about it but the verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aios_workbench.drift.models import (
    LEVELS,
    ColumnDrift,
    Kind,
    Role,
    Side,
    Statistic,
    StatisticName,
    WindowDrift,
)
from aios_workbench.drift.statistics.adjusted import bonferroni
from aios_workbench.drift.statistics.counts import categories, counts
from aios_workbench.drift.statistics.nulls import nulls
from aios_workbench.drift.statistics.numbers import histogram, numbers, quantiles
from aios_workbench.drift.tables import CountTable, NumberTable

if TYPE_CHECKING:
    import numpy.typing as npt

#: By which p-value a distribution is judged: the first of these that was computed. One test, chosen beforehand.
TESTS: tuple[StatisticName, ...] = ("ks", "chisquare", "domain_auc", "mmd")

Table = NumberTable | CountTable


def column(
    name: str,
    role: Role,
    kind: Kind,
    a: Table | None,
    b: Table | None,
    *,
    sample_a: npt.ArrayLike | None = None,
    sample_b: npt.ArrayLike | None = None,
) -> ColumnDrift:
    """Compare a column of both sides.

    `test`, `p_value`, `effect` and `effect_of` are as `judge` finds them when both sides have rows enough. A column
    with nothing to compare is `skipped`, with the reason: an id, or numbers on one side and other values on the other.

    Parameters
    ----------
    name, role, kind
        What the column is.
    a, b
        Counts of reference and current, both of numbers or both of values.
    sample_a, sample_b
        Values of numbers from both sides, for the Anderson-Darling and Cramér-von Mises statistics.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, b = NumberTable.of(rng.normal(0, 1, 2000)), NumberTable.of(rng.normal(1, 1, 2000))
    >>> found = column("income", "feature", "numeric", a, b)
    >>> found.test, found.effect_of, found.psi > 0.5
    ('ks', 'wasserstein', True)
    """
    sides: dict[str, Any] = {
        "reference": None if a is None else side(a),
        "current": None if b is None else side(b),
    }
    why = _why_not(kind, a, b)
    if why is not None:
        return ColumnDrift(name=name, kind=kind, role=role, verdict="skipped", reasons=[why], **sides)
    statistics = compared(a, b)
    shown: dict[str, Any] = {}
    if isinstance(a, NumberTable) and isinstance(b, NumberTable):
        if sample_a is not None and sample_b is not None:
            from aios_workbench.drift.statistics.samples import samples

            statistics |= samples(sample_a, sample_b)
        shown["histogram"] = histogram(a, b)
    elif isinstance(a, CountTable) and isinstance(b, CountTable):
        shown["categories"] = categories(a, b)
    test, p_value = significance(statistics)
    effect_of, effect = size(statistics)
    return ColumnDrift(
        name=name, kind=kind, role=role, statistics=statistics, test=test, p_value=p_value, effect=effect,
        effect_of=effect_of, **sides, **shown,
    )  # fmt: skip


def _why_not(kind: Kind, a: Table | None, b: Table | None) -> str | None:
    if kind == "id":
        return "an id: it names its row, so every value is its own"
    if a is None or b is None:
        return f"the {'reference' if a is None else 'current data'} has no such column"
    if isinstance(a, NumberTable) != isinstance(b, NumberTable):
        one, two = ("numbers", "other values") if isinstance(a, NumberTable) else ("other values", "numbers")
        return f"it holds {one} in the reference and {two} in the current data"
    return None


def compared(a: Table | None, b: Table | None) -> dict[StatisticName, Statistic]:
    """Return all statistics of two tables of the same sort; none when they are not."""
    found: dict[StatisticName, Statistic] = {}
    if isinstance(a, NumberTable) and isinstance(b, NumberTable):
        found = numbers(a, b)
    elif isinstance(a, CountTable) and isinstance(b, CountTable):
        found = counts(a, b)
    else:
        return found
    shift = nulls(a, b)
    if shift is not None:
        found["null_shift"] = shift
    return found


def window(name: str, a: Table, b: Table) -> WindowDrift:
    """Compare one window of the current side with the reference; the verdict is `judge`'s.

    Examples
    --------
    >>> found = window("May", NumberTable.of([1.0, 2.0]), NumberTable.of([2.0, 4.0, None]))
    >>> found.rows, found.median, round(found.null_share, 2)
    (3, 3.0, 0.33)
    """
    statistics = compared(a, b)
    middle = quantiles(b, [0.5]) if isinstance(b, NumberTable) else []
    return WindowDrift(
        window=name, rows=b.total, verdict="stable", effect=size(statistics)[1],
        p_value=significance(statistics)[1], null_share=b.nulls / b.total if b.total else None,
        median=middle[0] if middle else None, statistics=statistics,
    )  # fmt: skip


def significance(
    statistics: dict[StatisticName, Statistic], *, distribution: bool = True
) -> tuple[StatisticName | None, float | None]:
    """Return the test that decides and the column's p-value: the least of distribution and nulls, for two tests.

    `distribution=False` leaves the distribution out: too few rows have a value.
    """
    tests: dict[StatisticName, float] = {}
    for name in TESTS if distribution else ():
        found = statistics.get(name)
        if found is not None and found.p_value is not None:
            tests[name] = found.p_value
            break
    shift = statistics.get("null_shift")
    if shift is not None and shift.p_value is not None:
        tests["null_shift"] = shift.p_value
    if not tests:
        return None, None
    return min(tests, key=lambda n: tests[n]), bonferroni(list(tests.values()))


def size(
    statistics: dict[StatisticName, Statistic], *, distribution: bool = True
) -> tuple[StatisticName | None, float | None]:
    """Return the largest effect of a column's statistics, and whose it is."""
    effects = {
        name: s.effect
        for name, s in statistics.items()
        if s.effect is not None and (distribution or name == "null_shift")
    }
    if not effects:
        return None, None
    largest = max(effects, key=lambda n: effects[n])
    return largest, effects[largest]


def side(table: Table) -> Side:
    """Return one side of a column in figures.

    Examples
    --------
    >>> side(NumberTable.of([1.0, 3.0, None])).mean
    2.0
    """
    if isinstance(table, CountTable):
        return Side(
            rows=table.total, nulls=table.nulls, distinct=table.distinct or len(table.values),
            distinct_exact=table.exact,
        )  # fmt: skip
    if not table.rows:
        return Side(rows=table.total, nulls=table.nulls, infinite=sum(table.infinite), distinct=0)
    return Side(
        rows=table.total,
        nulls=table.nulls,
        infinite=sum(table.infinite),
        distinct=len(table.keys) if table.by_value else None,
        distinct_exact=table.by_value,
        mean=_finite(table.mean),
        std=_finite(table.std),
        minimum=_finite(table.minimum),
        maximum=_finite(table.maximum),
        quantiles=quantiles(table, LEVELS),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
