"""Concept drift: labels that no longer follow a model's scores as they did."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.encode import alone
from aios_workbench.drift.ranking import mid_ranks
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.tables import Floats

#: Labels must be off by so much (root mean square of shares) to count as another concept.
LEAST = 0.05
_MOST_KNOTS, _ROWS_A_KNOT = 9, 50
_ROUNDS = 30
#: Keeps the fit finite where a range of scores has one label only.
_RIDGE = 1e-3


def concept(
    before: tuple[npt.ArrayLike, npt.ArrayLike], now: tuple[npt.ArrayLike, npt.ArrayLike]
) -> tuple[float, float]:
    """Test whether labels still follow the scores as they did, whichever scores there are now.

    One smooth curve (logistic regression on a linear spline of the score's rank) is fitted to the labels of both sides.
    Rao's score test tells whether the two sides lie above or below it, or follow it more or less steeply: chi-square
    with two degrees of freedom. Other scores than before, alone, move nothing; nor do other rows, unless the model's
    score says less of them than it did of the reference's.

    Parameters
    ----------
    before, now : pair of array_like
        Scores (n,) and whether the label is true (n,).

    Returns
    -------
    tuple of float
        The p-value, and the gap: by how much the share of true labels differs from before at the same score, root mean
        square over tenths of the rows now, noise taken off.

    Raises
    ------
    DriftInputError
        When scores and labels of a side are not equally many.

    References
    ----------
    C. R. Rao, "Large sample tests of statistical hypotheses", Proc. Cambridge Phil. Soc. 44, 1948.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> p = g.uniform(size=4_000)
    >>> y = g.uniform(size=4_000) < p
    >>> p_value, gap = concept((p[:2_000], y[:2_000]), (p[2_000:], ~y[2_000:]))
    >>> p_value < 1e-9, round(gap, 1)
    (True, 0.6)
    """
    with alone():
        return _tested(before, now)


def _tested(
    before: tuple[npt.ArrayLike, npt.ArrayLike], now: tuple[npt.ArrayLike, npt.ArrayLike]
) -> tuple[float, float]:
    from scipy import stats

    parts = []
    for score, label in (before, now):
        s, y = np.asarray(score, np.float64), np.asarray(label, np.float64)
        if len(s) != len(y):
            raise DriftInputError(f"{len(s)} scores and {len(y)} labels were given; give one of each a row")
        parts.append((s, y))
    (s, _), (t, _) = parts
    if not (len(s) and len(t)):
        return 1.0, 0.0
    y = np.concatenate([parts[0][1], parts[1][1]])
    side = np.repeat([0.0, 1.0], [len(s), len(t)])
    rank = mid_ranks(np.concatenate([s, t]))[0] / len(y)
    x = _spline(rank, min(_MOST_KNOTS, min(len(s), len(t)) // _ROWS_A_KNOT))
    p = _fitted(x, y)
    w = p * (1 - p)
    added = np.column_stack([side, side * (rank - 0.5)])
    slope = added.T @ (y - p)
    cross = added.T @ (w[:, None] * x)
    own = (x.T * w) @ x + _RIDGE * np.eye(x.shape[1])
    spread = (added.T * w) @ added - cross @ np.linalg.solve(own, cross.T)
    statistic = float(slope @ np.linalg.pinv(spread, hermitian=True) @ slope)
    return float(stats.chi2.sf(statistic, 2)), _gap(rank, y - p, w, side == 1)


def _spline(rank: Floats, knots: int) -> Floats:
    at = np.linspace(0, 1, knots + 2)[1:-1]
    return np.column_stack([np.ones(len(rank)), rank, *(np.maximum(rank - k, 0) for k in at)])


def _fitted(x: Floats, y: Floats) -> Floats:
    """Return probabilities of a logistic regression, by Newton's method."""
    beta = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        w = np.maximum(p * (1 - p), 1e-9)
        step = np.linalg.solve((x.T * w) @ x + _RIDGE * np.eye(len(beta)), x.T @ (y - p) - _RIDGE * beta)
        beta += step * min(1.0, 5.0 / max(float(np.abs(x @ step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    fitted: Floats = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
    return fitted


def _gap(rank: Floats, off: Floats, noise: Floats, now: npt.NDArray[np.bool_]) -> float:
    edges = np.unique(np.quantile(rank[now], np.linspace(0, 1, 11)[1:-1]))
    bins = np.searchsorted(edges, rank, side="right")
    sides = []
    for which in (~now, now):
        weights = (np.ones(int(which.sum())), off[which], noise[which])
        sides.append([np.bincount(bins[which], v, minlength=len(edges) + 1) for v in weights])
    there = (sides[0][0] >= 5) & (sides[1][0] >= 5)
    if not there.any():
        return 0.0
    (n, off_n, noise_n), (m, off_m, noise_m) = ([v[there] for v in side] for side in sides)
    variance = (noise_n + noise_m) / (n + m) * (1 / n + 1 / m)
    d = off_m / m - off_n / n
    return math.sqrt(max(0.0, float((m * (d * d - variance)).sum() / m.sum())))
