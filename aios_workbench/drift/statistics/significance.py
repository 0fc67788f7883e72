"""p-values of two-sample tests from counts: never too small, also with ties, few rows and rare values."""

from __future__ import annotations

import math

import numpy as np

from aios_workbench.drift.tables import Floats, Ints

#: So many rows may the smaller and the larger side have for Kolmogorov-Smirnov's distribution to be counted out.
_EXACT = (200, 10_000)
#: The p-value of rare values is raised by so much: how far it was seen too small, at 1 to .05 % (docs/drift.md).
_OFF = 1.2
#: Up to so many effective rows the one-sample distribution is taken; beyond, its limit, which is larger by up to 3 %.
_LIMIT = 2000
#: With at most this many places to look at, ties are made use of.
_PLACES = 64
#: Up to this many rows of both sides hypergeometric tails are computed as such.
_HYPERGEOMETRIC = 20_000


def ks_p(distance: float, n: int, m: int, below: Ints | None = None, *, counted: bool = False) -> float:
    """p-value of a two-sample Kolmogorov-Smirnov distance, two-sided.

    For small samples by counting lattice paths (Hodges, 1957), otherwise from the distribution of the one-sample
    statistic with n m / (n + m) rows, or for many its limit (Kolmogorov, 1933), as scipy does; but half a step of the
    distance earlier, since scipy's is too small where both sides have as many rows. With ties that is too large, never
    too small (Noether, 1963): the null distribution of tied data is smaller. Where there are few different values, the
    chance that any single one of the cuts between them shows such a distance, summed over the cuts, is another upper
    bound; the lesser is returned.

    Parameters
    ----------
    distance
        Greatest distance of the two distribution functions; a lower bound of it gives a p-value that is too large.
    n, m
        Rows of both sides.
    below
        Rows of both sides together at or below each different value, the last one left out; only if they are few.
    counted
        Count paths out as far as scipy does: 10,000 rows on the larger side. Takes up to seconds.

    Examples
    --------
    >>> round(ks_p(1.0, 3, 3), 3), ks_p(0.0, 5, 7)
    (0.1, 1.0)
    """
    from scipy.special import kolmogorov
    from scipy.stats import kstwo

    if distance <= 0:
        return 1.0
    p = None
    if (counted or min(n, m) <= _EXACT[0]) and max(n, m) <= _EXACT[1]:
        p = _paths_outside(distance, n, m)
    if p is None:
        effective = n * m / (n + m)
        # distances come in steps, wide ones where both sides have as many rows: half a step is enough
        smooth = min(distance, 1.0) - 0.5 / math.lcm(n, m)
        if effective <= _LIMIT:
            p = float(kstwo.sf(smooth, max(1, round(effective))))
        else:
            p = float(kolmogorov(smooth * math.sqrt(effective)))
    if below is not None and len(below) <= _PLACES:
        p = min(p, _any_cut(distance, n, m, below))
    return min(1.0, max(0.0, p))


def _paths_outside(distance: float, n: int, m: int) -> float | None:
    """Return the share of lattice paths that reach the distance; None where so few do that rounding decides."""
    n, m = min(n, m), max(n, m)
    # |i/n - j/m| < distance, in whole numbers: distances are multiples of 1/lcm
    common = math.lcm(n, m)
    reach = round(distance * common)
    step_n, step_m = common // n, common // m
    j = np.arange(m + 1)
    paths = (j * step_m < reach).astype(np.float64)
    scale = 0.0
    for i in range(1, n + 1):
        # |i step_n - j step_m| < reach
        low = max(0, (i * step_n - reach) // step_m + 1)
        high = min(m, -((-i * step_n - reach) // step_m) - 1)
        new = np.zeros(m + 1)
        if low <= high:
            new[low : high + 1] = np.cumsum(paths[low : high + 1])
        top = new.max()
        if top == 0:
            return 1.0
        paths = new / top
        scale += math.log(top)
    if paths[m] == 0:
        return 1.0
    every = math.lgamma(n + m + 1) - math.lgamma(n + 1) - math.lgamma(m + 1)
    outside = -math.expm1(math.log(paths[m]) + scale - every)
    return outside if outside > 1e-8 else None


def _any_cut(distance: float, n: int, m: int, below: Ints) -> float:
    """Bound the chance of the distance at any cut: the sum of their chances, given how many rows lie below each."""
    from scipy.stats import hypergeom, norm

    total = n + m
    least = distance * (1 - 1e-12)
    if total <= _HYPERGEOMETRIC:
        # with x of n below: x/n - (k-x)/m >= least
        high = np.ceil((least + below / m) * n * m / total - 1e-9)
        low = np.floor((below / m - least) * n * m / total + 1e-9)
        tails = hypergeom.sf(high - 1, total, below, n) + hypergeom.cdf(low, total, below, n)
    else:
        share = below / total
        spread = share * (1 - share) * (1 / n + 1 / m)
        # a normal tail is no bound where few rows are expected on one side of the cut
        few = np.minimum(share, 1 - share) * min(n, m) < 100
        if few.any():
            return 1.0
        tails = 2 * norm.sf(least / np.sqrt(spread))
    return float(np.sum(tails))


def chisquare(a: Ints, b: Ints) -> tuple[float, float]:
    """Pearson's chi-square of a two-sample contingency table, and its p-value.

    With at least five rows expected everywhere, from the chi-square distribution; Fisher's exact test for two values.
    With rare values the null distribution is no longer that: then from a Pearson type III distribution with the mean
    and variance of the statistic over all ways to deal the rows out (Dawson, Biometrika 41, 1954: exact) and its
    skewness (of independent binomials, given their sum). It turns into the chi-square distribution as counts grow.
    Values that one row has tell no more than how many they are: for the p-value they count as one. An approximation, so
    the p-value is raised by a fifth.

    Parameters
    ----------
    a, b
        (k,) counts of the same values on both sides.

    Examples
    --------
    >>> [round(x, 4) for x in chisquare(np.array([30, 70]), np.array([50, 50]))]
    [8.3333, 0.0039]
    """
    from scipy.special import gammaincc
    from scipy.stats import fisher_exact, norm

    t = (a + b).astype(np.float64)
    there = t > 0
    a, b, t = a[there], b[there], t[there]
    n, m, total = float(a.sum()), float(b.sum()), float(t.sum())
    k = len(t)
    if k < 2 or not (n and m):
        return 0.0, 1.0
    p = n / total
    v = p * (1 - p)
    value = float(((a - t * p) ** 2 / (t * v)).sum())
    if t.min() * min(p, 1 - p) >= 5:
        return value, float(gammaincc((k - 1) / 2, value / 2))
    single = t == 1
    if single.sum() > 1:
        a, b = (np.append(x[~single], x[single].sum()) for x in (a, b))
        return value, chisquare(a, b)[1]
    if k == 2:
        return value, float(fisher_exact([[int(a[0]), int(a[1])], [int(b[0]), int(b[1])]])[1])
    mean, variance, skew = _moments(t, n, m)
    if variance <= 1e-9 * k:
        return value, 1.0  # any deal looks like this one
    z = (value - mean) / math.sqrt(variance)
    if skew < 1e-6:
        return value, min(1.0, _OFF * float(norm.sf(z)))
    shape = 4 / skew**2
    at = shape + math.sqrt(shape) * z
    return value, min(1.0, _OFF * float(gammaincc(shape, at))) if at > 0 else 1.0


def _moments(t: Floats, n: float, m: float) -> tuple[float, float, float]:
    """Return mean, variance and skewness of chi-square over all ways to deal `t` rows of each value to n and m."""
    total, k = n + m, len(t)
    p, q = n / total, m / total
    v, g = p * q, q - p
    mean = (k - 1) * total / (total - 1)
    # each cell is a quadratic form, less so the fewer rows it has; knowing the sum of all takes one direction out
    w, u2 = np.sqrt(1 - 1 / t), t / total
    wu, wwu, wwwu = (float((w**i * u2).sum()) for i in (1, 2, 3))
    if total <= 1e5:
        variance = _dawson(t, n, m)
    else:
        each = float((2 + (1 - 6 * v) / (t * v)).sum())
        variance = max(0.0, each - (k * g) ** 2 / (total * v) + 2 * (wu * wu - 2 * wwu))
    # Y = s^2 - 1 - d s with s standardized: what is left of a cell when the sum of all is known
    c = np.sqrt(t * v)
    k3, k4 = t * v * g, t * v * (1 - 6 * v)
    k5, k6 = t * v * g * (1 - 12 * v), t * v * (1 - 30 * v + 120 * v * v)
    m3, m4 = k3 / c**3, k4 / c**4 + 3
    m5 = k5 / c**5 + 10 * k3 / c**3
    m6 = k6 / c**6 + 15 * k4 / c**4 + 10 * (k3 / c**3) ** 2 + 15
    d = k * g / (total * v) * c
    each3 = (m6 - 3 * m4 + 2) - 3 * d * (m5 - 2 * m3) + 3 * d * d * (m4 - 1) - d**3 * m3
    third = float(each3.sum()) + 8 * (3 * wwu * wu - 3 * wwwu - wu**3)
    skew = third / variance**1.5 if variance > 0 else 0.0
    return mean, variance, max(0.0, skew)


def _dawson(t: Floats, n: float, m: float) -> float:
    """Exact variance over all deals, from factorial moments of the hypergeometric distribution."""
    total, k = n + m, len(t)
    f = [1.0]
    for r in range(4):  # n(n-1).. / N(N-1)..
        f.append(f[-1] * (n - r) / (total - r) if total > r else 0.0)
    u = t - 1
    s1, s2 = u.sum(), (u * u).sum()
    # sum of a^2/t: its mean, and the mean of its square
    mean = s1 * f[2] + k * f[1]
    t2 = t * u
    t3, t4 = t2 * (t - 2), t2 * (t - 2) * (t - 3)
    own = ((t4 * f[4] + 6 * t3 * f[3] + 7 * t2 * f[2] + t * f[1]) / t**2).sum()
    pairs = (s1 * s1 - s2) * f[4] + 2 * (k - 1) * s1 * f[3] + k * (k - 1) * f[2]
    scale = total * total / (n * m)
    return max(0.0, float((own + pairs - mean * mean) * scale * scale))


def one_sample_chisquare_p(a: Ints, b: Ints) -> tuple[float, float]:
    """Return evidently's chi-square test: it takes the reference's shares as certain, so clean data fails it often."""
    from scipy.special import gammaincc

    expected = a * (b.sum() / a.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(np.where((a == 0) & (b == 0), 0.0, (b - expected) ** 2 / expected).sum())
    return value, float(gammaincc((len(a) - 1) / 2, value / 2)) if len(a) > 1 else 1.0


def z_test(a: Ints, b: Ints) -> tuple[float, float]:
    """Return evidently's test of a column of two values: both sides' shares with a pooled spread."""
    from scipy.stats import norm

    if len(a) < 2:
        return 0.0, 1.0
    n, m = int(a.sum()), int(b.sum())
    p, q = a[0] / n, b[0] / m
    pooled = (a[0] + b[0]) / (n + m)
    z = float((p - q) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)))
    return z, float(2 * norm.sf(abs(z)))
