"""Distances between two columns counted in the same bins or by the same values."""

from __future__ import annotations

import math

import numpy as np

from aios_workbench.drift.tables import Floats, Ints

#: What stands for a share of nothing in PSI and KL divergence, where a zero would make them infinite.
FLOOR = 1e-4


def shares(a: Ints, b: Ints) -> tuple[Floats, Floats]:
    """Return both sides' shares; cells that neither has are left out."""
    there = (a + b) > 0
    return a[there] / a.sum(), b[there] / b.sum()


def filled(p: Floats) -> Floats:
    """Return shares with no zero: 0.0001 instead, or a millionth of the least share where that is as small.

    evidently's rule (`get_binned_data` with `feel_zeroes`), so that both give the same PSI.
    """
    least = p[p > 0].min()
    return np.where(p == 0, least / 10**6 if least <= FLOOR else FLOOR, p)


def psi(p: Floats, q: Floats) -> float:
    """Population stability index, sum of (p - q) ln(p / q); Siddiqi, Credit Risk Scorecards, 2006.

    Examples
    --------
    >>> round(psi(np.array([0.5, 0.5]), np.array([0.4, 0.6])), 6)
    0.040547
    """
    p, q = filled(p), filled(q)
    return float(((p - q) * np.log(p / q)).sum())


def kl(p: Floats, q: Floats) -> float:
    """Kullback-Leibler divergence of the reference p from the current q in nats; shares as in `psi`, made to sum to 1.

    Kullback and Leibler, 1951.
    """
    p, q = filled(p), filled(q)
    p, q = p / p.sum(), q / q.sum()
    return max(0.0, float((p * np.log(p / q)).sum()))


def divergence(p: Floats, q: Floats) -> Floats:
    """Return the Jensen-Shannon divergence, cell by cell; its sum's root is the distance (Lin, 1991). In nats."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(p > 0, p * np.log(p / middle), 0.0)
        two = np.where(q > 0, q * np.log(q / middle), 0.0)
    found: Floats = (one + two) / 2
    return found


def jensenshannon(p: Floats, q: Floats) -> float:
    """Jensen-Shannon distance, natural logarithm: 0 to sqrt(ln 2) = 0.833.

    Examples
    --------
    >>> round(jensenshannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])), 3)
    0.833
    """
    return math.sqrt(max(0.0, float(divergence(p, q).sum())))


def hellinger(p: Floats, q: Floats) -> float:
    """Hellinger distance, 0 to 1: root of 1 - sum of sqrt(p q) (Hellinger, 1909), without its cancellation."""
    return math.sqrt(float(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()) / 2)


def total_variation(p: Floats, q: Floats) -> float:
    """Total variation, 0 to 1: half the sum of |p - q|, the share of rows that would have to change."""
    return float(np.abs(p - q).sum()) / 2
