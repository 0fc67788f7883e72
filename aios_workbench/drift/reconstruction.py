"""How badly rows are rebuilt from the reference's principal components: worse when columns no longer agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.drift.encode import Encoded, alone
from aios_workbench.drift.models import Reconstruction, Rules
from aios_workbench.drift.ranking import area, beyond

if TYPE_CHECKING:
    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

#: Part of the variance that the components hold; the library's default [1]_.
VARIANCE = 0.65
#: Chunks of the held-out reference whose mean errors give the band.
CHUNKS = 10
_MOST_COLUMNS = 1_500


def reconstruction(
    both: Encoded, *, rules: Rules | None = None, share: float = 1.0, seed: int = 0
) -> Reconstruction | None:
    """Rebuild the rows of both sides from the reference's principal components [1]_.

    Categories become the share of the reference that has them, nulls the mean (a category: the most frequent), columns
    are scaled to the reference's standard deviation. Components and scales come from one half of the reference and the
    errors of the reference from its other half: rows that made the components are rebuilt better than any new ones.
    The two sides' errors are compared by their ranks (Mann and Whitney); the band is the mean of `CHUNKS` chunks of the
    held-out half, three standard deviations to either side.

    Returns
    -------
    Reconstruction or None
        None where there are fewer than two columns, or where it takes all components to hold `VARIANCE`.

    References
    ----------
    .. [1] NannyML, "Data reconstruction with PCA", its documentation of multivariate drift.

    Examples
    --------
    >>> from aios_workbench.drift.encode import encode
    >>> import pandas as pd
    >>> g = np.random.default_rng(0)
    >>> x = g.normal(size=600)
    >>> a = pd.DataFrame({"x": x, "y": x + 0.1 * g.normal(size=600)})
    >>> b = pd.DataFrame({"x": x, "y": g.normal(size=600)})
    >>> reconstruction(encode(a, b, {"x": "numeric", "y": "numeric"})).verdict
    'drifted'
    """
    rules = rules or Rules()
    n, m = len(both.reference), len(both.current)
    if not 2 <= len(both.names) <= _MOST_COLUMNS:
        return None
    if min(n // 2, m) < rules.min_rows:
        return Reconstruction(
            components=0, reference=0.0, current=0.0, p_value=1.0, rows=n + m, verdict="few"
        )
    order = np.random.default_rng(seed).permutation(n)
    base, held = both.reference[order[: n // 2]], both.reference[order[n // 2 :]]
    scaled = _Scale(base, both)
    z = scaled(base)
    with alone():
        values, axes = np.linalg.eigh(z.T @ z / len(z))
    values = np.maximum(values[::-1], 0)
    total = values.sum()
    if not total > 0:
        return None
    components = int(np.searchsorted(np.cumsum(values) / total, VARIANCE - 1e-12) + 1)
    if components >= int((values > total * 1e-12).sum()):
        return None
    kept = axes[:, ::-1][:, :components]
    with alone():
        errors = [_errors(scaled(x), kept) for x in (held, both.current)]
    ranked = area(np.repeat([False, True], [len(held), m]), np.concatenate(errors))
    p = math.erfc(abs(ranked.value - 0.5) / math.sqrt(2 * ranked.idle)) if ranked.idle > 0 else 1.0
    verdict: Verdict = "stable"
    if p < rules.alpha * share:
        large = beyond(2 * ranked.value - 1, 4 * ranked.variance) >= rules.effect
        verdict = "drifted" if large else "small"
    means = [float(c.mean()) for c in np.array_split(errors[0], CHUNKS) if len(c)]
    middle, wide = float(np.mean(means)), 3 * float(np.std(means))
    return Reconstruction(
        components=components, reference=float(errors[0].mean()), current=float(errors[1].mean()),
        low=max(0.0, middle - wide), high=middle + wide, p_value=p, rows=n + m, verdict=verdict,
    )  # fmt: skip


class _Scale:
    """Numbers in standard deviations of the base, nulls filled, categories as their share of it."""

    def __init__(self, base: Floats, both: Encoded) -> None:
        self.categorical = np.flatnonzero(both.categorical)
        self.shares = {}
        for column in self.categorical:
            codes = base[~np.isnan(base[:, column]), column].astype(np.int64)
            self.shares[column] = np.bincount(codes) / max(len(codes), 1) if len(codes) else np.zeros(1)
        x = self._numbers(base)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            there = ~np.isnan(x)
            count = np.maximum(there.sum(axis=0), 1)
            self.mean = np.where(there, x, 0).sum(axis=0) / count
            deviation = np.where(there, x - self.mean, 0)
            self.std = np.sqrt((deviation**2).sum(axis=0) / count)
        self.std[~(self.std > 0) | ~np.isfinite(self.std)] = np.inf  # constant in the base: it says nothing

    def __call__(self, x: Floats) -> Floats:
        z = (self._numbers(x) - self.mean) / self.std
        # far beyond anything the base has: one wild value must not be all there is
        filled: Floats = np.clip(np.where(np.isnan(z), 0.0, z), -1e6, 1e6)
        return filled

    def _numbers(self, x: Floats) -> Floats:
        x = x.copy()
        for column in self.categorical:
            shares = self.shares[column]
            codes = x[:, column]
            known = np.where(np.isnan(codes), int(np.argmax(shares)), codes).astype(np.int64)
            x[:, column] = np.where(known < len(shares), shares[np.minimum(known, len(shares) - 1)], 0.0)
        return x


def _errors(z: Floats, kept: Floats) -> Floats:
    """Return the Euclidean length of what is lost of each row."""
    errors: Floats = np.linalg.norm(z - (z @ kept) @ kept.T, axis=1)
    return errors
