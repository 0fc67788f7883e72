"""How two columns of values without an order differ, from their counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from aios_workbench.drift.counttable import BUCKETS, bucket
from aios_workbench.drift.models import Categories, Category, Statistic, StatisticName
from aios_workbench.drift.statistics import shares as by_share
from aios_workbench.drift.statistics.noise import corrected, jensenshannon_square
from aios_workbench.drift.statistics.numbers import contingency, theirs
from aios_workbench.drift.tables import CountTable, Ints


@dataclass(frozen=True)
class Aligned:
    """Counts of the same values on both sides, in order of their text; `shared` cells hold several values each."""

    values: list[str]
    a: Ints
    b: Ints
    shared_a: Ints
    shared_b: Ints

    @property
    def exact(self) -> bool:
        """True when every value has a count of its own."""
        return not len(self.shared_a)

    @property
    def all(self) -> tuple[Ints, Ints]:
        """Both sides' counts of everything."""
        return np.concatenate([self.a, self.shared_a]), np.concatenate([self.b, self.shared_b])


def aligned(a: CountTable, b: CountTable) -> Aligned:
    """Bring two tables to the same values.

    A value that one side counts on its own and the other has among its buckets cannot be told apart there: it goes into
    its bucket. Buckets of other numbers are one cell. That loses, it never invents.

    Examples
    --------
    >>> both = aligned(CountTable(("x", "y"), np.array([2, 1])), CountTable(("z",), np.array([4])))
    >>> both.values, both.a.tolist(), both.b.tolist()
    (['x', 'y', 'z'], [2, 1, 0], [0, 0, 4])
    """
    one, two = dict(zip(a.values, a.counts, strict=True)), dict(zip(b.values, b.counts, strict=True))
    values = sorted(v for v in one.keys() | two.keys() if (v in one or a.exact) and (v in two or b.exact))
    count_a = np.array([one.get(v, 0) for v in values], np.int64)
    count_b = np.array([two.get(v, 0) for v in values], np.int64)
    shared_a, shared_b = np.zeros(0, np.int64), np.zeros(0, np.int64)
    if not (a.exact and b.exact):
        kept = set(values)
        shared_a, shared_b = (_shared(t, kept) for t in (a, b))
        if len(shared_a) != len(shared_b):
            shared_a, shared_b = np.array([shared_a.sum()]), np.array([shared_b.sum()])
        if not (shared_a.any() or shared_b.any()):
            shared_a, shared_b = np.zeros(0, np.int64), np.zeros(0, np.int64)
    return Aligned(values, count_a, count_b, shared_a, shared_b)


def _shared(table: CountTable, kept: Collection[str]) -> Ints:
    """Return a table's buckets with the values that are not kept put into theirs."""
    buckets = np.zeros(BUCKETS, np.int64) if table.exact else table.buckets.astype(np.int64)
    rest = {v: n for v, n in zip(table.values, table.counts.tolist(), strict=True) if v not in kept}
    if len(buckets) != BUCKETS:
        return np.array([buckets.sum() + sum(rest.values())])
    for value, n in rest.items():
        buckets[bucket(value)] += n
    return buckets


def counts(a: CountTable, b: CountTable) -> dict[StatisticName, Statistic]:
    """Compare a column's values; without nulls, which `nulls` compares. Empty without rows.

    PSI, KL divergence, Jensen-Shannon (with its `effect`), Hellinger and total variation over the values; chi-square as
    of a two-sample table and Cramér's V; the share of current rows whose value the reference has not. Where rare values
    share buckets, distances are lower bounds (Jensen-Shannon, Hellinger and total variation with `high`).

    Examples
    --------
    >>> a, b = CountTable(("x", "y"), np.array([50, 50])), CountTable(("x", "z"), np.array([50, 50]))
    >>> found = counts(a, b)
    >>> found["total_variation"].value, found["new_share"].value
    (0.5, 0.5)
    """
    if not (a.rows and b.rows):
        return {}
    both = aligned(a, b)
    count_a, count_b = both.all
    there = (count_a + count_b) > 0
    count_a, count_b = count_a[there], count_b[there]
    p, q = by_share.shares(count_a, count_b)
    rows = a.rows + b.rows
    found: dict[StatisticName, Statistic] = {
        "psi": _statistic(by_share.psi(p, q), rows, both),
        "jensenshannon": _statistic(by_share.jensenshannon(p, q), rows, both),
        "total_variation": _statistic(by_share.total_variation(p, q), rows, both),
        "hellinger": _statistic(by_share.hellinger(p, q), rows, both),
        "kl_div": _statistic(by_share.kl(p, q), rows, both),
        **contingency(count_a, count_b),
    }
    effect = corrected(found["jensenshannon"].value, jensenshannon_square(count_a, count_b))
    found["jensenshannon"] = found["jensenshannon"].model_copy(update={"effect": effect})
    if both.exact:
        new = int(both.b[both.a == 0].sum())
        found["new_share"] = Statistic(value=new / b.rows, rows=rows)
        found |= theirs(both.a, both.b)
    else:
        _bound(found, both)
    return found


def _statistic(value: float, rows: int, both: Aligned) -> Statistic:
    if both.exact:
        return Statistic(value=value, rows=rows)
    return Statistic(value=value, low=value, method="bounds", rows=rows)


def _bound(found: dict[StatisticName, Statistic], both: Aligned) -> None:
    """Add upper bounds: as if no value in a bucket were on both sides."""
    none = np.zeros(len(both.shared_a), np.int64)
    p, q = by_share.shares(
        np.concatenate([both.a, both.shared_a, none]), np.concatenate([both.b, none, both.shared_b])
    )
    highs: dict[StatisticName, float] = {
        "jensenshannon": by_share.jensenshannon(p, q),
        "total_variation": by_share.total_variation(p, q),
        "hellinger": by_share.hellinger(p, q),
    }
    for name, high in highs.items():
        found[name] = found[name].model_copy(update={"high": max(high, found[name].value)})


def categories(a: CountTable, b: CountTable, top: int = 30) -> Categories:
    """Return both sides' most frequent values, those frequent on either side first; the rest as one.

    Examples
    --------
    >>> a, b = CountTable(("x", "y"), np.array([6, 2])), CountTable(("x", "z"), np.array([3, 3]))
    >>> shown = categories(a, b, top=2)
    >>> [(c.label, c.reference, c.current, c.rest) for c in shown.values], shown.new, shown.gone_share
    ([('x', 6, 3, False), ('z', 0, 3, False), ('', 2, 0, True)], 1, 0.25)
    """
    both = aligned(a, b)
    n, m = max(a.rows, 1), max(b.rows, 1)
    # the order is by the larger share: a value that is new with many rows is seen
    order = np.lexsort((np.arange(len(both.values)), -np.maximum(both.a / n, both.b / m)))
    shown = [
        Category(label=both.values[i], reference=int(both.a[i]), current=int(both.b[i])) for i in order[:top]
    ]
    rest = Category(
        label="",
        reference=a.rows - sum(c.reference for c in shown),
        current=b.rows - sum(c.current for c in shown),
        rest=True,
    )
    if rest.reference or rest.current:
        shown.append(rest)
    new, gone = (both.a == 0) & (both.b > 0), (both.b == 0) & (both.a > 0)
    return Categories(
        values=shown,
        new=int(new.sum()),
        gone=int(gone.sum()),
        new_share=float(both.b[new].sum() / m),
        gone_share=float(both.a[gone].sum() / n),
    )
