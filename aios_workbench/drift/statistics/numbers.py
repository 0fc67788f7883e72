"""How two columns of numbers differ, from their counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aios_workbench.drift.models import LEVELS, Histogram, Statistic, StatisticName
from aios_workbench.drift.statistics import shares as by_share
from aios_workbench.drift.statistics.cells import ATOM, FEW_VALUES, Cells, binned, cells
from aios_workbench.drift.statistics.noise import corrected, jensenshannon_square, wasserstein_square
from aios_workbench.drift.statistics.significance import chisquare, ks_p, one_sample_chisquare_p, z_test
from aios_workbench.drift.tables import MOST_ATOMS, Floats, Ints, NumberTable

#: Bins of a picture.
_PICTURE = 40
#: The largest figure that is told: an infinite one is no JSON.
_MOST = 1e300
#: evidently takes a column of so few different numbers for categories, and tests p-values up to so many rows.
THEIR_FEW, THEIR_SMALL = 5, 1000


def numbers(a: NumberTable, b: NumberTable) -> dict[StatisticName, Statistic]:
    """Compare a column's numbers; without infinite ones and nulls, which `nulls` compares. Empty without rows.

    =================  ===================================================================================
    ks                 Greatest distance of the distribution functions. From cells `value` is its lower bound,
                       and `p_value` of that, so it never overstates.
    wasserstein        Area between the distribution functions over the reference's standard deviation (a
                       constant reference: over its |mean|, or 1). Has an `effect`.
    psi, kl_div,       Over bins: tenths of the reference with values that 5 % of either side's rows have on
    jensenshannon,     their own; each value its own bin where there are at most 20. Only Jensen-Shannon has
    hellinger,         an `effect`.
    total_variation
    quantile_shift     Largest move of a quantile at `LEVELS`, in robust standard deviations of the reference
                       (its interquartile range / 1.349).
    chisquare, ...     For at most 20 different values: as of categories.
    =================  ===================================================================================

    Parameters
    ----------
    a, b
        Reference and current.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = numbers(NumberTable.of(rng.normal(0, 1, 5000)), NumberTable.of(rng.normal(0.5, 1, 5000)))
    >>> round(found["wasserstein"].effect, 1), found["ks"].p_value < 0.001
    (0.5, True)
    """
    if not (a.rows and b.rows):
        return {}
    both = cells(a, b)
    rows = a.rows + b.rows
    found: dict[StatisticName, Statistic] = {}
    counted = binned(both)
    found["psi"], found["jensenshannon"], *others = _divergences(*counted, rows)
    found["ks"] = _ks(both, rows)
    found["wasserstein"] = _wasserstein(both, spread(a), rows)
    found["total_variation"], found["hellinger"], found["kl_div"] = others
    found["quantile_shift"] = Statistic(
        value=_quantile_shift(a, b), method="exact" if both.by_value else "bounds", rows=rows
    )
    if both.by_value and len(both.a) <= FEW_VALUES:
        found |= contingency(both.a, both.b)
        if len(both.a) <= THEIR_FEW:
            found |= theirs(both.a, both.b)
    return found


def evidently_bins(a: NumberTable, b: NumberTable) -> tuple[Ints, Ints]:
    """Return both sides' counts in evidently's bins: as many of equal width over both as Sturges' rule says.

    With at most 20 different values in the reference each is a bin. Exact where both sides are counted by value and
    either is not whole numbers alone (numpy makes no bin of whole numbers narrower than 1).

    Raises
    ------
    ValueError
        When a side is counted in cells.

    Examples
    --------
    >>> evidently_bins(NumberTable.of([1.0, 1.0, 2.0]), NumberTable.of([2.0, 3.0]))[1].tolist()
    [0, 1, 1]
    """
    if not (a.by_value and b.by_value):
        raise ValueError("evidently's bins need both sides counted by value")
    both = cells(a, b)
    if len(a.keys) <= FEW_VALUES:
        return both.a, both.b
    values = np.unique(np.concatenate([a.keys, b.keys])).astype(np.float64)
    many = math.ceil(math.log2(a.rows + b.rows) + 1)
    edges = np.linspace(values[0], values[-1], many + 1)
    one, two = (np.histogram(values, edges, weights=c)[0].astype(np.int64) for c in (both.a, both.b))
    return one, two


def _divergences(a: Ints, b: Ints, rows: int) -> list[Statistic]:
    """PSI, Jensen-Shannon, total variation, Hellinger and KL of counts in the same bins."""
    p, q = by_share.shares(a, b)
    distance = by_share.jensenshannon(p, q)
    return [
        Statistic(value=by_share.psi(p, q), rows=rows),
        Statistic(value=distance, effect=corrected(distance, jensenshannon_square(a, b)), rows=rows),
        Statistic(value=by_share.total_variation(p, q), rows=rows),
        Statistic(value=by_share.hellinger(p, q), rows=rows),
        Statistic(value=by_share.kl(p, q), rows=rows),
    ]


def contingency(a: Ints, b: Ints) -> dict[StatisticName, Statistic]:
    """Chi-square of a two-sample table, and Cramér's V, its root over the rows (Cramér, 1946)."""
    value, p = chisquare(a, b)
    rows = int(a.sum() + b.sum())
    return {
        "chisquare": Statistic(value=value, p_value=p, rows=rows),
        "cramers_v": Statistic(value=math.sqrt(value / rows), rows=rows),
    }


def theirs(a: Ints, b: Ints) -> dict[StatisticName, Statistic]:
    """Return evidently's forms of the tests it takes for up to 1,000 rows; the values in ascending order."""
    there = (a + b) > 0
    a, b = a[there], b[there]
    rows = int(a.sum() + b.sum())
    if len(a) <= 2:
        value, p = z_test(a, b)
        return {"z": Statistic(value=value, p_value=p, rows=rows)}
    value, p = one_sample_chisquare_p(a, b)
    # of a new category it is infinite
    return {"chisquare_one_sample": Statistic(value=min(value, _MOST), p_value=p, rows=rows)}


def _ks(both: Cells, rows: int) -> Statistic:
    n, m = both.rows
    gaps = both.gaps
    low = float(np.abs(gaps).max())
    below = np.cumsum(both.a + both.b)[:-1] if both.by_value else None
    p_value = ks_p(low, n, m, below)
    if both.by_value:
        return Statistic(value=low, p_value=p_value, rows=rows)
    # in a cell that both have rows in, all of the one may come before all of the other
    share_a, share_b = both.shares
    inner = np.maximum(np.abs(gaps[:-1] + share_a), np.abs(gaps[:-1] - share_b))[~both.points]
    high = min(1.0, max(low, float(inner.max(initial=0.0))))
    return Statistic(value=low, low=low, high=high, p_value=p_value, method="bounds", rows=rows)


def _wasserstein(both: Cells, sigma: float, rows: int) -> Statistic:
    """Area between the distribution functions (Vallender, 1974). Where they may cross inside a cell, bounds."""
    before, after = both.gaps[:-1], both.gaps[1:]
    share_a, share_b = both.shares
    n, m = both.rows
    width = both.right - both.left
    between = float((np.abs(after[:-1]) * (both.left[1:] - both.right[:-1])).sum())
    area = np.abs(before * width + both.sum_a / n - both.sum_b / m)
    most, least = before + share_a, before - share_b
    may_cross = (most > 0) & (least < 0)
    top = np.where(may_cross, np.maximum(area, width * np.maximum(most, -least)), area)
    # as if both rose evenly
    with np.errstate(divide="ignore", invalid="ignore"):
        even = width * (before**2 + after**2) / (2 * (np.abs(before) + np.abs(after)))
    likely = np.where(may_cross & (before * after < 0), np.clip(even, area, top), area)
    area_likely = between + float(likely.sum())
    noiseless = corrected(area_likely, wasserstein_square(both))
    value, low, high, effect = (
        _measured(x, both.unit, sigma)
        for x in (area_likely, between + float(area.sum()), between + float(top.sum()), noiseless)
    )
    if both.by_value:
        return Statistic(value=value, effect=effect, rows=rows)
    return Statistic(value=value, effect=effect, low=low, high=high, method="bounds", rows=rows)


def _measured(length: float, unit: float, sigma: float) -> float:
    """Return a length in standard deviations; of the widest there can be a number that can be written."""
    return min(length * (unit / sigma), _MOST) if length > 0 else 0.0


def spread(table: NumberTable) -> float:
    """What a distance is measured in: the standard deviation; of a constant its |mean|, or 1.

    Examples
    --------
    >>> spread(NumberTable.of([1.0, 3.0])), spread(NumberTable.of([-2.0, -2.0])), spread(NumberTable.of([0.0]))
    (1.0, 2.0, 1.0)
    """
    if table.minimum == table.maximum:
        return abs(table.minimum) or 1.0
    if not table.by_value:
        return table.std or 1.0
    values = table.keys.astype(np.float64)
    unit = float(np.abs(values).max())
    share = table.counts / table.rows
    scaled = values / unit
    mean = float((scaled * share).sum())
    return unit * math.sqrt(float((share * (scaled - mean) ** 2).sum())) or 1.0


def quantiles(table: NumberTable, levels: Sequence[float] | Floats = LEVELS) -> list[float]:
    """Return quantiles as `numpy.quantile` does; from cells as if the values in a cell lay evenly. Empty without rows.

    Examples
    --------
    >>> quantiles(NumberTable.of([1.0, 2.0, 4.0]), [0.5, 0.75])
    [2.0, 3.0]
    """
    if not table.rows:
        return []
    at = np.asarray(levels, np.float64) * (table.rows - 1)
    upto = np.cumsum(table.counts)
    left, right = table.edges()
    if not table.by_value:
        cell = np.minimum(np.searchsorted(upto, at, side="right"), len(upto) - 1)
        inside = (at - (upto[cell] - table.counts[cell]) + 0.5) / table.counts[cell]
        value = left[cell] + np.clip(inside, 0, 1) * (right[cell] - left[cell])
        return [float(x) for x in np.where(np.isfinite(value), value, left[cell])]
    low = np.floor(at)
    part = at - low
    one = left[np.searchsorted(upto, low, side="right")]
    two = left[
        np.minimum(np.searchsorted(upto, np.minimum(low + 1, table.rows - 1), side="right"), len(left) - 1)
    ]
    return [float(x) for x in one * (1 - part) + two * part]


def qq(a: NumberTable, b: NumberTable, points: int = 99) -> tuple[list[float], list[float]]:
    """Return both sides' quantiles at the same evenly spaced levels: a quantile-quantile picture.

    Examples
    --------
    >>> qq(NumberTable.of([1.0, 3.0]), NumberTable.of([2.0, 6.0]), 1)
    ([2.0], [4.0])
    """
    levels = np.arange(1, points + 1) / (points + 1)
    return quantiles(a, levels), quantiles(b, levels)


def _quantile_shift(a: NumberTable, b: NumberTable) -> float:
    one, two = np.array(quantiles(a)), np.array(quantiles(b))
    q1, q3 = quantiles(a, [0.25, 0.75])
    sigma = (q3 - q1) / 1.349 or spread(a)
    with np.errstate(over="ignore"):
        return float(np.minimum(np.abs(two / sigma - one / sigma).max(), _MOST))


def histogram(a: NumberTable, b: NumberTable) -> Histogram | None:
    """Return both sides in the same bins for a picture; None when a side has no rows.

    At most 20 different values are all atoms; else values with 5 % of either side's rows are. Bins go from the least
    to the greatest value, or where a few far values would squeeze the rest, the outermost two are open: they hold
    what lies beyond the 0.5 % and 99.5 % quantiles as well.

    Examples
    --------
    >>> shown = histogram(NumberTable.of([1.0, 1.0, 2.0, 2.0]), NumberTable.of([1.0, 2.0, 2.0, 2.0]))
    >>> shown.atoms, shown.reference_atoms, shown.current_atoms
    ([1.0, 2.0], [0.5, 0.5], [0.25, 0.75])
    """
    if not (a.rows and b.rows):
        return None
    both = cells(a, b)
    share_a, share_b = both.shares
    all_atoms = both.by_value and len(both.a) <= FEW_VALUES
    alone = both.points & (all_atoms | (np.maximum(share_a, share_b) >= ATOM))
    if not all_atoms and alone.sum() > MOST_ATOMS:
        least = np.sort(np.maximum(share_a, share_b)[alone])[-MOST_ATOMS]
        alone &= np.maximum(share_a, share_b) >= least
    edges = _edges(both)
    # F of what is left at each edge; in a cell evenly
    inner = ~alone
    shares = []
    for share in (share_a[inner], share_b[inner]):
        upto = np.concatenate([[0.0], np.cumsum(share)])
        shares.append(np.diff(_at(edges, both.left[inner], both.right[inner], upto)))
    real = [float(x) for x in both.origin + both.unit * edges]
    values = both.origin + both.unit * both.left[alone]
    return Histogram(
        edges=real,
        reference=[float(x) for x in np.maximum(shares[0], 0)],
        current=[float(x) for x in np.maximum(shares[1], 0)],
        atoms=[float(x) for x in values],
        reference_atoms=[float(x) for x in share_a[alone]],
        current_atoms=[float(x) for x in share_b[alone]],
    )


def _edges(both: Cells) -> Floats:
    """Edges of a picture's bins, in the cells' unit."""
    low, high = float(both.left[0]), float(both.right[-1])
    total = (both.shares[0] + both.shares[1]) / 2
    upto = np.cumsum(total)
    near = float(both.left[np.searchsorted(upto, 0.005)])
    far = float(both.right[min(int(np.searchsorted(upto, 0.995)), len(upto) - 1)])
    if far > near and high - low > 3 * (far - near):
        low, high = near, far
    if high <= low:
        half = abs(low) / 2 or 0.5
        low, high = low - half, low + half
    edges: Floats = np.linspace(low, high, _PICTURE + 1)
    return edges


def _at(edges: Floats, left: Floats, right: Floats, upto: Floats) -> Floats:
    """Share of rows below each edge; all at the last, none at the first, so that the outermost bins are open."""
    if not len(left):
        return np.zeros(len(edges))
    cell = np.searchsorted(right, edges, side="left")
    here = np.minimum(cell, len(left) - 1)
    width = right[here] - left[here]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(width > 0, np.clip((edges - left[here]) / width, 0, 1), 0.0)
    below: Floats = np.where(cell < len(left), upto[here] + part * (upto[here + 1] - upto[here]), upto[-1])
    below[0], below[-1] = 0.0, upto[-1]
    return below
