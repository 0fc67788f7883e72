"""Maximum mean discrepancy: how far apart two clouds of points are, by random Fourier features."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aios_workbench.drift.encode import alone, some

if TYPE_CHECKING:
    from aios_workbench.drift.tables import Floats

MOST_ROWS = 5_000
FEATURES = 512
PERMUTATIONS = 999
#: Rows from which the kernel's width is taken.
_PAIRS = 500


class Apart(NamedTuple):
    """`mmd`: noise taken off, from 0 to 1.41; `shift`: distance of the means in standard deviations of a dimension."""

    mmd: float
    p_value: float
    shift: float
    rows: int


def discrepancy(
    reference: Floats, current: Floats, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Apart:
    """Compare two samples of vectors by the distance of their means in a Gaussian kernel's feature space [1]_.

    The kernel's width is the median distance of pairs of both sides; it is approximated by `FEATURES` random Fourier
    features [2]_, so that a permutation of the sides is one product of matrices. The p-value is of such permutations
    and holds for any distribution. From the squared distance its mean under permutation is taken off.

    Parameters
    ----------
    reference, current : array
        (n, d) and (m, d), finite; at most `MOST_ROWS` rows of each are used.

    References
    ----------
    .. [1] A. Gretton et al., "A kernel two-sample test", JMLR 13, 2012.
    .. [2] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS 2007.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> discrepancy(g.normal(size=(200, 8)), g.normal(0.5, 1, size=(200, 8))).p_value
    0.001
    """
    with alone():
        return _apart(reference, current, permutations, seed)


def _apart(reference: Floats, current: Floats, permutations: int, seed: int) -> Apart:
    g = np.random.default_rng(seed)
    a, b = (x[some(len(x), MOST_ROWS, g)] for x in (reference, current))
    n, m = len(a), len(b)
    both = np.concatenate([a, b])
    both = both - both.mean(axis=0)
    # very large numbers: only their proportions count, and squares must stay finite
    both = both / (np.abs(both).max() or 1.0)
    spread = np.sqrt(float((both[:n].var(axis=0) + both[n:].var(axis=0)).mean() / 2))
    distance = float(np.sqrt(((both[:n].mean(axis=0) - both[n:].mean(axis=0)) ** 2).mean()))
    picked = both[g.permutation(n + m)[:_PAIRS]]
    half = len(picked) // 2
    squares = ((picked[:half, None, :] - picked[None, half : 2 * half, :]) ** 2).sum(axis=-1)
    width = float(np.median(squares)) or float(squares.mean())
    if not width > 0:
        # all points in one place, but for a few
        return Apart(0.0, 1.0, 0.0, n + m)
    w = g.normal(0, math.sqrt(2 / width), (both.shape[1], FEATURES)).astype(np.float32)
    phase = g.uniform(0, 2 * np.pi, FEATURES).astype(np.float32)
    z = np.cos(both.astype(np.float32) @ w + phase) * np.float32(math.sqrt(2 / FEATURES))
    total = z.sum(axis=0, dtype=np.float64)
    found = _squared(z[:n].sum(axis=0, dtype=np.float64)[None], total, n, m)[0]
    chance = np.empty(permutations)
    step = 100
    for start in range(0, permutations, step):
        size = min(step, permutations - start)
        side = np.zeros((size, n + m), np.float32)
        for row in side:
            row[g.permutation(n + m)[:n]] = 1
        chance[start : start + size] = _squared((side @ z).astype(np.float64), total, n, m)
    # sums in other orders differ by rounding: what is equal but for that counts as reached
    p = (1 + int((chance >= found * (1 - 1e-6)).sum())) / (permutations + 1)
    return Apart(
        math.sqrt(max(0.0, float(found - chance.mean()))), p, distance / spread if spread > 0 else 0.0, n + m
    )


def _squared(sums: Floats, total: Floats, n: int, m: int) -> Floats:
    squared: Floats = ((sums / n - (total - sums) / m) ** 2).sum(axis=1)
    return squared
