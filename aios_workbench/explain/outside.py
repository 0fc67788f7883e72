"""Rows unlike the training data: what a model says there is a guess, and so is every explanation of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.models import ColumnKind

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]

#: Training rows that are looked at, at most.
MOST_ROWS = 5_000
#: The distance is the mean one to so many nearest training rows.
NEAREST = 5


class Outside(NamedTuple):
    """How far rows lie from the training data, (n,) each.

    `share` of the training rows lie nearer to the rest of the training data than this row does. `ratio` is the row's
    distance over that of the training row which 99 % lie nearer than. So many training rows were looked at.
    """

    share: Floats
    ratio: Floats
    training: int


def outside(rows: Floats, training: Floats, kinds: Sequence[ColumnKind], *, seed: int = 0) -> Outside:
    """Say how far rows lie from the training data.

    Numbers and times are measured in their own spread (the interquartile range as a standard deviation, so that single
    extreme values do not set the scale), another category counts as much as a distance of one standard deviation, and
    so does a value that is missing on one side only.

    Parameters
    ----------
    rows, training : (n, M) and (b, M) float64
        Categories as codes, NaN where a value is missing: `Space.encode`.
    kinds : sequence of str
        `Column.kind` of each of the M columns.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> training = g.normal(size=(500, 3))
    >>> far = outside(np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]), training, ["numeric"] * 3)
    >>> bool(far.share[0] < 0.5), float(far.share[1]), bool(far.ratio[1] > 2)
    (True, 1.0, True)
    """
    from sklearn.neighbors import NearestNeighbors

    n, b = len(rows), len(training)
    if not n or b < 3:
        return Outside(np.zeros(n), np.zeros(n), b)
    if b > MOST_ROWS:
        training = training[np.random.default_rng(seed).choice(b, MOST_ROWS, replace=False)]
    near, far = placed(training, rows, kinds)
    k = min(NEAREST, len(near) - 1)
    index = NearestNeighbors(n_neighbors=k).fit(near)
    own = index.kneighbors()[0].mean(axis=1)  # of training rows, each without itself
    distance = index.kneighbors(far)[0].mean(axis=1)
    own.sort()
    # what rounding alone tells apart is not further
    share = np.searchsorted(own, distance * (1 - 1e-9) - 1e-12, side="left") / len(own)
    limit = float(np.quantile(own, 0.99))
    ratio = distance / limit if limit > 0 else np.where(distance > 0, np.inf, 0.0)
    return Outside(share, ratio, len(near))


def placed(training: Floats, rows: Floats, kinds: Sequence[ColumnKind]) -> tuple[Floats, Floats]:
    """Return both as points of one space, in which distances mean what `outside` says."""
    left: list[Floats] = []
    right: list[Floats] = []
    for j, kind in enumerate(kinds):
        a, b = training[:, j], rows[:, j]
        for side, x in ((left, a), (right, b)):
            side.append(np.isnan(x).astype(np.float64)[:, None])
        if kind in ("categorical", "text"):
            # a value of its own for what the training data never had; missing is told already
            values, counts = np.unique(a[~np.isnan(a)], return_counts=True)
            values = np.sort(values[np.argsort(-counts, kind="stable")[:50]])
            for side, x in ((left, a), (right, b)):
                at = np.searchsorted(values, x)
                known = (
                    (at < len(values)) & (values[np.minimum(at, len(values) - 1)] == x)
                    if len(values)
                    else at < 0
                )
                hot = np.zeros((len(x), len(values) + 1))
                hot[np.arange(len(x)), np.where(known, at, len(values))] = np.sqrt(0.5)
                hot[np.isnan(x)] = 0.0
                side.append(hot)
        else:
            there = a[~np.isnan(a)]
            middle = float(np.median(there)) if len(there) else 0.0
            scale = _scale(there)
            for side, x in ((left, a), (right, b)):
                side.append(np.nan_to_num((x - middle) / scale, nan=0.0)[:, None])
    return np.hstack(left), np.hstack(right)


def _scale(x: Floats) -> float:
    if not len(x):
        return 1.0
    low, high = np.quantile(x, [0.25, 0.75])
    for scale in ((high - low) / 1.349, float(x.std()), abs(float(x[0]))):
        if scale > 0:
            return float(scale)
    return 1.0
