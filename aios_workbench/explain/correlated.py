"""Columns that carry the same information: credit between them is arbitrary, whoever deals it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.models import Column, ColumnKind

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]

#: From this strength on: one column's ranks tell half (0.7 squared) of the other's.
STRONG = 0.7
#: More rows make it no clearer, but slower.
MOST_ROWS = 5_000
#: A categorical column of more values than this (an id, say) is compared by its most frequent ones.
MOST_VALUES = 50


def association(matrix: Floats, kinds: Sequence[ColumnKind], *, seed: int = 0) -> Floats:
    """Return how strongly each pair of columns is associated, 0 to 1.

    Two ordered columns: |Spearman's rank correlation|. Two unordered ones: Cramér's V with Bergsma's correction of
    its bias [1]_. One of each: the correlation ratio of the ordered one's ranks, the root of epsilon squared, which
    small samples do not inflate [2]_. Rows where one of the two is missing do not count.

    Parameters
    ----------
    matrix : (n, M) float64
        Categories as codes, NaN where a value is missing: `Space.encode`.
    kinds : sequence of str
        `Column.kind` of each.

    Returns
    -------
    (M, M) float64
        Zero where a correlation so strong may be chance: p >= 0.05, corrected for all pairs (Bonferroni).

    References
    ----------
    .. [1] W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Statistical Society 42, 2013.
    .. [2] T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21, 1935.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=200)
    >>> found = association(np.c_[x, np.exp(x), -x[::-1], x > 0], ["numeric", "numeric", "numeric", "boolean"])
    >>> round(float(found[0, 1]), 2), bool(found[0, 2] < 0.3), bool(found[0, 3] > 0.8)
    (1.0, True, True)
    """
    n, columns = matrix.shape
    if n > MOST_ROWS:
        matrix = matrix[np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))]
    ordered = [k in ("numeric", "boolean", "datetime") for k in kinds]
    found = np.eye(columns)
    alpha = 0.05 / max(1, columns * (columns - 1) / 2)
    plain = [j for j in range(columns) if ordered[j]]
    whole = (
        _spearman_all(matrix[:, plain]) if len(plain) > 1 and not np.isnan(matrix[:, plain]).any() else None
    )
    at = {j: i for i, j in enumerate(plain)}
    for i in range(columns):
        for j in range(i):
            if whole is not None and ordered[i] and ordered[j]:
                strength = float(whole[at[i], at[j]])
                chance = _chance(strength, len(matrix))
            else:
                there = ~(np.isnan(matrix[:, i]) | np.isnan(matrix[:, j]))
                strength, chance = _pair(matrix[there, i], matrix[there, j], ordered[i], ordered[j])
            found[i, j] = found[j, i] = strength if chance < alpha else 0.0
    return found


def mark(
    columns: Sequence[Column], strengths: Floats, *, strong: float = STRONG
) -> list[tuple[str, str, float]]:
    """Set `Column.correlated` of each, the strongest first; return the pairs, the strongest first."""
    pairs = []
    for i, column in enumerate(columns):
        others = [
            (float(strengths[i, j]), j) for j in range(len(columns)) if j != i and strengths[i, j] >= strong
        ]
        others.sort(key=lambda o: (-o[0], o[1]))
        column.correlated = [columns[j].name for _, j in others]
        pairs += [(column.name, columns[j].name, s) for s, j in others if i < j]
    return sorted(pairs, key=lambda p: -p[2])


def _spearman_all(matrix: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks = rankdata(matrix, axis=0)
    ranks -= ranks.mean(axis=0)
    spread = np.sqrt((ranks**2).sum(axis=0))
    below = np.outer(spread, spread)
    found: Floats = np.abs(np.divide(ranks.T @ ranks, below, out=np.zeros_like(below), where=below > 1e-12))
    return np.minimum(found, 1.0)


def _pair(a: Floats, b: Floats, a_ordered: bool, b_ordered: bool) -> tuple[float, float]:
    """Return the strength of an association, and the probability of one so strong by chance."""
    if len(a) < 4:
        return 0.0, 1.0
    if a_ordered and b_ordered:
        strength = float(_spearman_all(np.c_[a, b])[0, 1])
        return strength, _chance(strength, len(a))
    if a_ordered or b_ordered:
        return _ratio(*((b, a) if a_ordered else (a, b)))
    return _cramer(a, b)


def _few(codes: Floats) -> npt.NDArray[np.int64]:
    """Return labels 0 to k - 1; all but the most frequent values are one, so that tables are never sparse."""
    _, labels, counts = np.unique(codes, return_inverse=True, return_counts=True)
    most = max(2, min(MOST_VALUES, int(np.sqrt(len(codes) / 5))))
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(counts), np.int64)
    place[order] = np.minimum(np.arange(len(counts)), most - 1)
    return place[labels]


def _ratio(groups: Floats, values: Floats) -> tuple[float, float]:
    from scipy.special import fdtrc
    from scipy.stats import rankdata

    labels, ranks = _few(groups), rankdata(values)
    n, k = len(ranks), int(labels.max()) + 1
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if k < 2 or n <= k or total <= 0:
        return 0.0, 1.0
    counts = np.bincount(labels, minlength=k)
    means = np.bincount(labels, weights=ranks, minlength=k) / np.maximum(counts, 1)
    within = float(((ranks - means[labels]) ** 2).sum())
    strength = float(np.sqrt(max(0.0, 1 - within * (n - 1) / (total * (n - k)))))
    if within <= 1e-12 * total:
        return strength, _chance(1.0, n)
    return strength, float(fdtrc(k - 1, n - k, (total - within) / (k - 1) / (within / (n - k))))


def _cramer(a: Floats, b: Floats) -> tuple[float, float]:
    from scipy.special import chdtrc

    left, right = _few(a), _few(b)
    n, rows, cols = len(left), int(left.max()) + 1, int(right.max()) + 1
    if min(rows, cols) < 2:
        return 0.0, 1.0
    table = np.bincount(left * cols + right, minlength=rows * cols).reshape(rows, cols).astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    square = float(((table - expected) ** 2 / expected).sum())
    freedom = (rows - 1) * (cols - 1)
    phi = max(0.0, square / n - freedom / (n - 1))
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), cols - (cols - 1) ** 2 / (n - 1)) - 1
    strength = float(min(1.0, np.sqrt(phi / smaller))) if smaller > 0 else 0.0
    return strength, float(chdtrc(freedom, square))


def _chance(strength: float, rows: int) -> float:
    """Return the probability of a correlation so strong by chance: t test of a correlation coefficient."""
    from scipy.special import stdtr

    if rows < 4:
        return 1.0
    t = strength * np.sqrt((rows - 2) / max(1 - strength**2, 1e-12))
    return float(2 * stdtr(rows - 2, -t))
