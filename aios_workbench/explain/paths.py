"""Paths from background rows to explained rows, and what is kept of the credits that they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Asker, Floats


def differing(x: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    """Say where rows differ; two NaN do not."""
    import numpy as np

    apart: npt.NDArray[np.bool_] = ~((x == b) | (np.isnan(x) & np.isnan(b)))
    return apart


def walked(
    ask: Asker,
    x: Floats,
    starts: Floats,
    fx: Floats,
    fb: Floats,
    keys: Floats,
    what: Callable[[int, int], str],
) -> Floats:
    """Walk each order from both ends and return the credits of the columns.

    Parameters
    ----------
    x, starts : (U, M) float64
        Where each path ends and starts.
    fx, fb : (U, K) float64
        The model's answer at both.
    keys : (U, M) float64 in [0, 1)
        The order: columns are turned from the smallest key to the largest.
    what : callable
        Names paths from one to another in a message.

    Returns
    -------
    (U, M, K) float64
        Along M they sum to ``fx - fb``.
    """
    import numpy as np

    paths, columns = x.shape
    apart = differing(x, starts)
    turns = apart.sum(axis=1)
    # columns that agree come last and are never turned
    rank = np.argsort(np.argsort(np.where(apart, keys, 2.0), axis=1, kind="stable"), axis=1, kind="stable")
    inner = np.maximum(turns - 1, 0)
    of = np.repeat(np.arange(paths), inner)
    k = np.arange(len(of)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    # gain[u, k]: the answer with the first k columns turned, less the answer with all but these turned
    gain = np.zeros((paths, columns + 1, fx.shape[1]))
    gain[:, 0] = fb - fx
    gain[np.arange(paths), turns] = fx - fb
    step = max(1, ask.rows(columns) // 2)
    at = 0
    while at < len(of):
        u = of[at : at + step]
        turned = rank[u] < k[at : at + step, None]
        ends, begins = x[u], starts[u]
        asked = np.concatenate([np.where(turned, ends, begins), np.where(turned, begins, ends)])

        def names(a: int, b: int, u: npt.NDArray[np.int64] = u) -> str:
            some = u[np.arange(a, b + 1) % len(u)]
            return what(int(some.min()), int(some.max()))

        answers = ask(asked, names)
        gain[u, k[at : at + step]] = answers[: len(u)] - answers[len(u) :]
        at, step = at + len(u), max(1, ask.rows(columns) // 2)
    moved = np.diff(gain, axis=1) / 2
    found = np.take_along_axis(moved, rank[:, :, None], axis=1)
    return np.where(apart[:, :, None], found, 0.0)


@dataclass
class Moments:
    """What is kept of T pairs of orders of one row: means and squares of pairs, merged stably (Chan et al. 1979).

    `mean`, `square` (M, K) are of the pairs' means, `within` (M, K) sums the variance of such a mean that two orders
    from the same start show and `heavy` its square, `start` and `spread` (K,) are of the model's answer at the starts,
    `together` (M, K) multiplies both.
    """

    count: int
    mean: Floats
    square: Floats
    within: Floats
    heavy: Floats
    start: Floats
    spread: Floats
    together: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats, starts: Floats) -> Moments:
        """Take the credits of two orders from each start, (T, M, K), and the answers there, (T, K)."""
        pairs = (first + second) / 2
        mean, start = pairs.mean(axis=0), starts.mean(axis=0)
        apart, away = pairs - mean, starts - start
        within = (first - second) ** 2 / 4
        return cls(
            len(pairs), mean, (apart**2).sum(axis=0), within.sum(axis=0), (within**2).sum(axis=0), start,
            (away**2).sum(axis=0), (apart * away[:, None, :]).sum(axis=0),
        )  # fmt: skip

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        part, shared = other.count / count, self.count * other.count / count
        move, shift = other.mean - self.mean, other.start - self.start
        return Moments(
            count,
            self.mean + move * part,
            self.square + other.square + move**2 * shared,
            self.within + other.within,
            self.heavy + other.heavy,
            self.start + shift * part,
            self.spread + other.spread + shift**2 * shared,
            self.together + other.together + move * shift[None, :] * shared,
        )

    def estimate(self, base: Floats, size: int, z: float) -> tuple[Floats, Floats]:
        """Return values and standard errors, (M, K), when the starts are taken in turn from `size` background rows.

        Starts are a sample without replacement until all had their turn: two-stage sampling (Cochran, "Sampling
        techniques", 1977, 10.15) with a regression on the answer at the start, whose mean over the background is
        known. The slopes sum to -1 over the columns, so that values sum to the prediction less the base exactly.
        """
        import numpy as np
        from scipy.special import stdtrit

        count, over = self.count, self.count % size
        # few starts may bear nearly all of the variance, which is then known as badly as from so few (Satterthwaite)
        known = np.where(
            self.heavy > 0, 3 * self.within**2 / np.where(self.heavy > 0, self.heavy, 1.0), count
        )
        within, degrees = _shrunk(self.within / count, np.minimum(known, count))
        gap = base - self.start
        if over == 0:
            variance = within / count
            values = self.mean + _rounding(self.mean, gap)
        else:
            scale = np.maximum(np.abs(self.start), np.abs(base)) + 1e-300
            told = self.spread > count * (1e-9 * scale) ** 2
            slope = np.where(told, self.together / np.where(told, self.spread, 1.0), 0.0)
            free = max(count - 2, 1)
            left = np.maximum(self.square - slope * self.together, 0.0) / free
            left, _ = _shrunk(left, np.full_like(left, free))
            between = np.maximum(left - within, 0.0) * over * (1 - over / size) / count**2
            variance = between + within / count
            degrees = np.minimum(degrees, free)
            values = self.mean + slope * gap + np.where(told, 0.0, _rounding(self.mean, gap))
        return values, np.sqrt(variance) * (stdtrit(degrees, 0.975) / z)


#: Weight, in degrees of freedom, of what the other columns of the row say about a column's variance.
PRIOR = 4.0


def _shrunk(variances: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    """Draw a row's variances, (M, K), towards their mean (Smyth, "Linear models and empirical Bayes", 2004).

    A rare interaction that no draw has met yet shows no variance at all; other columns tell that there may be some.
    """
    prior = variances.mean(axis=0)
    return (degrees * variances + PRIOR * prior) / (degrees + PRIOR), degrees + PRIOR


def _rounding(values: Floats, gap: Floats) -> Floats:
    """Share out what sums lack, by size; (M, K) for a gap of (K,)."""
    import numpy as np

    sizes = np.abs(values)
    total = sizes.sum(axis=0)
    even = np.full_like(sizes, 1 / len(sizes))
    shares = np.where(total > 0, sizes / np.where(total > 0, total, 1.0), even)
    return shares * gap
