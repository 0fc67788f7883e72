"""Which columns hang together differently: Spearman's correlation of each pair on both sides.

A pair can change while no column does. Nothing but ranks and their products is computed for all pairs; only for pairs
that look changed is the variance estimated without assuming a distribution, which costs a sort each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.drift.encode import alone, labels, numbers, some
from aios_workbench.drift.models import CorrelationChange, Rules
from aios_workbench.drift.ranking import mid_ranks

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

#: Rows of a side that are looked at: a correlation's standard error is at most .011 with them.
MOST_ROWS = 8_000
#: Pairs are allowed this part of the false alarms that `alpha` allows, so that the columns keep theirs.
SHARE = 0.2
#: Pairs told when none or few changed.
TOLD = 30
_EDGE = 1 - 1e-9


@dataclass(frozen=True)
class _Ranked:
    ranks: Floats  # centred, scaled to (-.5, .5); 0 where null
    there: Floats  # 1.0 or 0.0
    r: Floats
    rows: Floats


def changes(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str] | None = None,
    rules: Rules | None = None,
) -> list[CorrelationChange]:
    """Compare Spearman's correlation of every pair of columns.

    Numbers, times, booleans and categories of two values are compared; other columns, and constant ones, are left out.
    Two correlations differ by Fisher's z [1]_ with the variance of Bonett and Wright [2]_; where that finds a
    difference, the variance is estimated from the rows instead (influence function of Spearman's correlation), which
    holds for ties and any distribution. p-values are corrected for many pairs (Benjamini-Hochberg), and again so that
    all pairs together have a fifth of `alpha`. A pair is `drifted` when it is significant and the correlation moved
    by at least `rules.effect`, noise taken off.

    Parameters
    ----------
    reference, current : DataFrame
        Samples of the two sides; at most `MOST_ROWS` rows of each are used.
    columns : sequence of str, optional
        Which columns; all that both sides have if None.
    rules : Rules, optional
        `alpha`, `effect` and `min_rows` of it count.

    Returns
    -------
    list of CorrelationChange
        All that changed and those that moved most, at least `TOLD`; the most certain first.

    References
    ----------
    .. [1] R. A. Fisher, "On the probable error of a coefficient of correlation", Metron 1, 1921.
    .. [2] D. G. Bonett, T. A. Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman
       correlations", Psychometrika 65, 2000.

    Examples
    --------
    >>> import pandas as pd
    >>> x, y = np.random.default_rng(0).normal(size=(2, 500))
    >>> together = pd.DataFrame({"x": x, "y": x + y})
    >>> [(c.a, c.b, c.verdict) for c in changes(pd.DataFrame({"x": x, "y": y}), together)]
    [('x', 'y', 'drifted')]
    """
    from scipy import special, stats

    rules = rules or Rules()
    have = set(current.columns)
    wanted = [c for c in (reference.columns if columns is None else columns) if c in have]
    generator = np.random.default_rng(0)
    sides = [f.iloc[some(len(f), MOST_ROWS, generator)] for f in (reference, current)]
    names, values = _values(sides[0], sides[1], [c for c in wanted if c in set(reference.columns)])
    if len(names) < 2:
        return []
    with alone():
        left, right = (_ranked(np.column_stack(v)) for v in values)
    i, j = np.triu_indices(len(names), 1)
    enough = (left.rows[i, j] >= rules.min_rows) & (right.rows[i, j] >= rules.min_rows)
    known = enough & np.isfinite(left.r[i, j]) & np.isfinite(right.r[i, j])
    i, j = i[known], j[known]
    if not len(i):
        return []
    a, b = left.r[i, j], right.r[i, j]
    slack = [(1 + r * r / 2) / (s.rows[i, j] - 3) for r, s in ((a, left), (b, right))]
    difference = np.arctanh(np.clip(b, -_EDGE, _EDGE)) - np.arctanh(np.clip(a, -_EDGE, _EDGE))
    p = 2 * special.ndtr(-np.abs(difference) / np.sqrt(slack[0] + slack[1]))
    noise = slack[0] * (1 - a * a) ** 2 + slack[1] * (1 - b * b) ** 2
    for k in np.flatnonzero(p < rules.alpha * SHARE):  # no other can become significant
        spread = [_variance(s, int(i[k]), int(j[k])) for s in (left, right)]
        noise[k] = spread[0] + spread[1]
        # of the z, by the delta method; never surer than the quick one
        z = spread[0] / max(1 - a[k] ** 2, 1e-9) ** 2 + spread[1] / max(1 - b[k] ** 2, 1e-9) ** 2
        p[k] = max(p[k], 2 * special.ndtr(-abs(difference[k]) / np.sqrt(z)) if z > 0 else p[k])
    adjusted = np.minimum(stats.false_discovery_control(p) / SHARE, 1.0)
    moved = np.sqrt(np.maximum((b - a) ** 2 - noise, 0))
    order = np.lexsort((-np.abs(b - a), adjusted))
    told: list[CorrelationChange] = []
    for k in order:
        verdict: Verdict = "stable"
        if adjusted[k] < rules.alpha:
            verdict = "drifted" if moved[k] >= rules.effect else "small"
        elif len(told) >= TOLD:
            break
        told.append(
            CorrelationChange(
                a=str(names[i[k]]), b=str(names[j[k]]), reference=float(a[k]), current=float(b[k]),
                p_value=float(p[k]), p_adjusted=float(adjusted[k]), verdict=verdict,
            )
        )  # fmt: skip
    return told


def _values(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str]
) -> tuple[list[str], tuple[list[Floats], list[Floats]]]:
    """Return the columns that have an order, as floats."""
    from pandas.api import types

    names, left, right = [], [], []
    for name in columns:
        a, b = reference[name], current[name]
        if all(
            (types.is_numeric_dtype(s.dtype) and not types.is_complex_dtype(s.dtype))
            or types.is_datetime64_any_dtype(s.dtype)
            for s in (a, b)
        ):  # fmt: skip
            one, two = numbers(a), numbers(b)
        else:
            pair = _two_values(a, b)
            if pair is None:
                continue
            one, two = pair
        if all(_varies(x) for x in (one, two)):
            names.append(name)
            left.append(one)
            right.append(two)
    return names, (left, right)


def _two_values(a: pd.Series, b: pd.Series) -> tuple[Floats, Floats] | None:
    """Return a column of two different values as 0 and 1; None where it has another number of them."""
    import pandas as pd

    first = pd.concat([a.iloc[:50], b.iloc[:50]]).dropna().astype(str)
    if first.nunique() > 2:
        return None
    one, two = labels(a), labels(b)
    found = sorted(set(one.dropna()) | set(two.dropna()))
    if len(found) != 2:
        return None
    left, right = (
        np.where(s.isna().to_numpy(), np.nan, (s == found[1]).to_numpy(np.float64)) for s in (one, two)
    )
    return left, right


def _varies(x: Floats) -> bool:
    there = x[~np.isnan(x)]
    return bool(len(there) and there.min() < there.max())


def _ranked(x: Floats) -> _Ranked:
    """Rank the columns of (n, d) and correlate the ranks of each pair on the rows where both are there."""
    ranks, there = np.zeros_like(x), ~np.isnan(x)
    for column in range(x.shape[1]):
        known = x[there[:, column], column]
        ranks[there[:, column], column] = (mid_ranks(known)[0] - (len(known) + 1) / 2) / len(known)
    on = there.astype(np.float64)
    if there.all():
        n = np.full((x.shape[1],) * 2, float(len(x)))
        cov = ranks.T @ ranks / n
        var = np.outer(np.diag(cov), np.diag(cov))
    else:
        n = on.T @ on
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (ranks.T @ on) / n
            cov = ranks.T @ ranks / n - mean * mean.T
            spread = ((ranks * ranks).T @ on) / n - mean * mean
        var = spread * spread.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(var > 1e-12, cov / np.sqrt(np.maximum(var, 1e-300)), np.nan)
    return _Ranked(ranks, on, np.clip(r, -1, 1), n)


def _variance(side: _Ranked, i: int, j: int) -> float:
    """Return the variance of one pair's correlation, by its influence function.

    rho = 12 E[(F(X) - 1/2)(G(Y) - 1/2)]; a row adds its own product, and what it moves the ranks of others by.
    """
    both = (side.there[:, i] > 0) & (side.there[:, j] > 0)
    u, v = side.ranks[both, i], side.ranks[both, j]
    n = len(u)
    u, v = u - u.mean(), v - v.mean()
    influence = u * v + _raised(u, v) + _raised(v, u)
    su, sv = float((u * u).mean()), float((v * v).mean())
    r = float((u * v).mean()) / np.sqrt(su * sv)
    # the ranks' own spread is a constant where no value repeats; where some do, it moves too
    tied = min(len(np.unique(u)), len(np.unique(v))) < n
    own = r * (_own(u, su) + _own(v, sv)) / 2 if tied else 0.0
    total = influence / np.sqrt(su * sv) - own
    return float(np.var(total) / n)


def _raised(u: Floats, v: Floats) -> Floats:
    """Return E[(1{U >= u} + 1{U > u}) / 2 · V] at each row, less its mean: what a value at u adds to others' V."""
    order = np.argsort(u)
    ordered = u[order]
    total = np.r_[0.0, np.cumsum(v[order])]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(u)]
    above = total[-1] - (total[starts] + total[ends]) / 2
    out = np.empty(len(u))
    out[order] = np.repeat(above / len(u), ends - starts)
    raised: Floats = out - out.mean()
    return raised


def _own(u: Floats, variance: float) -> Floats:
    """Return the influence of each row on the variance of tied ranks, as a part of it."""
    own = u * u + 2 * _raised(u, u)
    centred: npt.NDArray[np.float64] = (own - own.mean()) / variance
    return centred
