"""Whether a model leans on other columns than it did: drift of the columns' importance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.encode import some
from aios_workbench.drift.models import ImportanceChange, Measured, Rules
from aios_workbench.drift.ranking import Z95
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

MOST_ROWS = 20_000
DRAWS = 500
#: A column's share of all importance must move by so much to matter.
LEAST = 0.02


def importance_drift(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    names: Sequence[str],
    *,
    rules: Rules | None = None,
    seed: int = 0,
) -> list[ImportanceChange]:
    """Compare how much a model leans on each column: its share of the mean absolute attribution.

    Intervals are from `DRAWS` weighted bootstraps [1]_ of the rows; the p-value of a difference is the normal one with
    their spread, corrected for many columns (Benjamini-Hochberg).

    Parameters
    ----------
    reference, current : array_like
        (n, columns) and (m, columns): attributions, for example SHAP values, of one model for rows of both sides.
    names : sequence of str
        The columns.
    rules : Rules, optional
        `alpha` and `min_rows` of it count.

    Returns
    -------
    list of ImportanceChange
        One of each column, the one whose share moved most first.

    Raises
    ------
    DriftInputError
        When shapes and names do not fit, or an attribution is not a number.

    References
    ----------
    .. [1] D. B. Rubin, "The Bayesian bootstrap", Annals of Statistics 9, 1981.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> a, b = g.normal(0, (1, 2), size=(500, 2)), g.normal(0, (2, 1), size=(500, 2))
    >>> [(c.column, c.rank_reference, c.rank_current, c.verdict) for c in importance_drift(a, b, ["x", "y"])]
    [('x', 2, 1, 'drifted'), ('y', 1, 2, 'drifted')]
    """
    from scipy import special, stats

    rules = rules or Rules()
    g = np.random.default_rng(seed)
    sides = [_checked(x, side, len(names)) for side, x in (("reference", reference), ("current", current))]
    sides = [x[some(len(x), MOST_ROWS, g)] for x in sides]
    if not (len(names) and all(map(len, sides))):
        return []
    shares = [_shares(np.full((1, len(x)), 1 / len(x)), x)[0] for x in sides]
    drawn = [_drawn(x, g) for x in sides]
    spread = [d.std(axis=0) for d in drawn]
    measured = [
        [
            Measured(value=float(v), low=float(low), high=float(high))
            for v, low, high in zip(value, *np.quantile(draws, [0.025, 0.975], axis=0), strict=True)
        ]
        for value, draws in zip(shares, drawn, strict=True)
    ]
    change, error = shares[1] - shares[0], np.hypot(*spread)
    z = np.divide(np.abs(change), error, out=np.where(np.abs(change) > 1e-12, np.inf, 0.0), where=error > 0)
    p = 2 * special.ndtr(-z)
    adjusted = stats.false_discovery_control(p)
    ranks = [np.argsort(np.argsort(-s, kind="stable"), kind="stable") + 1 for s in shares]
    few = min(map(len, sides)) < rules.min_rows
    found = []
    for k in np.argsort(-np.abs(change), kind="stable"):
        verdict: Verdict = "few" if few else "stable"
        if not few and adjusted[k] < rules.alpha:
            verdict = "drifted" if abs(change[k]) >= LEAST else "small"
        found.append(
            ImportanceChange(
                column=str(names[k]), reference=measured[0][k], current=measured[1][k],
                low=float(change[k] - Z95 * error[k]), high=float(change[k] + Z95 * error[k]),
                rank_reference=int(ranks[0][k]), rank_current=int(ranks[1][k]),
                p_value=float(p[k]), p_adjusted=float(adjusted[k]), verdict=verdict,
            )
        )  # fmt: skip
    return found


def _checked(given: npt.ArrayLike, side: str, columns: int) -> Floats:
    try:
        x = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise DriftInputError(
            f"the attributions of the {side} are not numbers ({error}); give an array"
        ) from None
    if x.ndim != 2 or x.shape[1] != columns:
        raise DriftInputError(
            f"the attributions of the {side} have the shape {x.shape} for {columns} names; give (rows, columns), "
            "of several classes one of them"
        )
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise DriftInputError(f"row {row} of the {side} has an attribution that is no number; leave it out")
    return np.abs(x)


def _shares(weights: Floats, x: Floats) -> Floats:
    mean = weights @ x
    total = mean.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(mean, total, out=np.zeros_like(mean), where=total > 0)
    return shares


def _drawn(x: Floats, g: np.random.Generator) -> Floats:
    draws = []
    step = max(1, 4_000_000 // len(x))
    for start in range(0, DRAWS, step):
        weights = g.standard_exponential((min(step, DRAWS - start), len(x)))
        draws.append(_shares(weights / weights.sum(axis=1, keepdims=True), x))
    return np.concatenate(draws)
