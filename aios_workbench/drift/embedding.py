"""Embeddings: whether two clouds of vectors lie alike, and by what they can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.classifier import told_apart
from aios_workbench.drift.columns import column
from aios_workbench.drift.encode import alone, some
from aios_workbench.drift.mmd import MOST_ROWS, discrepancy
from aios_workbench.drift.models import ColumnDrift, Discrepancy, Rules, Side, Statistic
from aios_workbench.drift.tables import NumberTable
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

#: Clouds nearer than this have not moved enough to matter.
LEAST = 0.1


#: Longer vectors are projected onto so many random directions before a classifier sees them.
_MOST_DIMENSIONS = 256
#: Rows of a side the classifier needs, two a fold.
_LEAST_ROWS = 10


def parts(
    name: str, reference: npt.ArrayLike, current: npt.ArrayLike, *, seed: int = 0
) -> tuple[list[ColumnDrift], Discrepancy]:
    """Compare an embedding column by its parts.

    They are the vectors' lengths, their distances from the middle of the reference (of half of it; the other half is
    compared), whether a linear classifier tells the sides apart (`domain_auc`), and the discrepancy of the two clouds
    (`mmd`), which finds what is not linear. Verdicts of the parts are `judge`'s.

    Parameters
    ----------
    name : str
        The column's, for messages.
    reference, current : array_like
        (n, d) and (m, d).

    Returns
    -------
    tuple of list of ColumnDrift and Discrepancy

    Raises
    ------
    DriftInputError
        When the two are not of vectors of one length.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> found, whole = parts("e", g.normal(size=(300, 8)), g.normal(0.5, 1, size=(300, 8)))
    >>> [part.name for part in found], whole.verdict
    (['length', 'distance from the middle', 'linear classifier', 'clouds'], 'drifted')
    """
    a, b = checked(name, reference, current)
    whole = cloud(name, a, b, seed=seed)
    if not (len(a) and len(b) and a.shape[1]):
        return [], whole
    g = np.random.default_rng(seed)
    order = g.permutation(len(a))
    base, held = a[order[: len(a) // 2]], a[order[len(a) // 2 :]]
    middle = base.mean(axis=0) if len(base) else a.mean(axis=0)
    found = [
        _numbers("length", np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)),
        _numbers(
            "distance from the middle",
            np.linalg.norm((held if len(base) else a) - middle, axis=1),
            np.linalg.norm(b - middle, axis=1),
        ),
    ]
    one, two = Side(rows=len(a)), Side(rows=len(b))
    if min(len(a), len(b)) >= _LEAST_ROWS:
        far = Statistic(
            value=whole.mmd, effect=whole.mmd, p_value=whole.p_value, method="sample", rows=whole.rows
        )
        with alone():
            told = _linear(a, b, seed)
        found += [
            ColumnDrift(
                name="linear classifier",
                kind="embedding",
                statistics={"domain_auc": told},
                reference=one,
                current=two,
            ),
            ColumnDrift(name="clouds", kind="embedding", statistics={"mmd": far}, reference=one, current=two),
        ]
    return found, whole


def _numbers(name: str, a: Floats, b: Floats) -> ColumnDrift:
    return column(name, "feature", "numeric", NumberTable.of(a), NumberTable.of(b))


def _linear(reference: Floats, current: Floats, seed: int) -> Statistic:
    """Return how well ridge regression on the sides tells them apart."""
    g = np.random.default_rng(seed)
    sides = [x[some(len(x), MOST_ROWS, g)] for x in (reference, current)]
    x, y = np.concatenate(sides), np.repeat([False, True], [len(s) for s in sides])
    x = x - x.mean(axis=0)
    x = x / (np.abs(x).max() or 1.0)
    if x.shape[1] > _MOST_DIMENSIONS:
        x = x @ g.normal(size=(x.shape[1], _MOST_DIMENSIONS))
    std = x.std(axis=0)
    x = x / np.where(std > 0, std, 1.0)

    def scorer(fit: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> Floats:
        of = x[fit]
        middle = of.mean(axis=0)
        of = of - middle
        wanted = np.where(y[fit], 1.0, -1.0)
        ridge = of.T @ of + 0.1 * len(fit) * np.eye(x.shape[1])
        scores: Floats = (x[test] - middle) @ np.linalg.solve(ridge, of.T @ (wanted - wanted.mean()))
        return scores

    return told_apart(y, scorer, seed)


def cloud(
    name: str,
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    rules: Rules | None = None,
    share: float = 1.0,
    seed: int = 0,
) -> Discrepancy:
    """Return the discrepancy of two clouds of vectors with its verdict.

    It is `drifted` when the permutation test is significant and the discrepancy, noise taken off, is at least `LEAST`.

    Parameters
    ----------
    reference, current : array_like
        (n, d) and (m, d), finite.
    share : float
        Part of `rules.alpha` this test may spend.

    Raises
    ------
    DriftInputError
        When the two are not of vectors of one length.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> cloud("e", g.normal(size=(200, 8)), g.normal(1, 1, size=(200, 8))).verdict
    'drifted'
    """
    rules = rules or Rules()
    a, b = checked(name, reference, current)
    if min(len(a), len(b)) < rules.min_rows or not a.shape[1]:
        return Discrepancy(column=name, mmd=0.0, p_value=1.0, rows=len(a) + len(b), verdict="few")
    found = discrepancy(a, b, seed=seed)
    verdict: Verdict = "stable"
    if found.p_value < rules.alpha * share:
        verdict = "drifted" if found.mmd >= LEAST else "small"
    return Discrepancy(
        column=name,
        mmd=found.mmd,
        p_value=found.p_value,
        rows=found.rows,
        verdict=verdict,
        mean_shift=found.shift,
    )


def checked(name: str, reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return both as (rows, dimensions) of finite floats; an empty side takes the other's dimensions.

    Raises
    ------
    DriftInputError
        When they are not of vectors of one length.
    """
    sides = []
    for side, given in (("reference", reference), ("current", current)):
        try:
            x = np.asarray(given, np.float64)
        except (TypeError, ValueError) as error:
            raise DriftInputError(
                f"the {side} vectors of {name!r} are not of numbers ({error}); give an array (rows, dimensions)"
            ) from None
        if not x.size:
            x = np.zeros((0, x.shape[1] if x.ndim == 2 else 0))
        if x.ndim != 2:
            raise DriftInputError(
                f"the {side} vectors of {name!r} have {x.ndim} dimensions; give an array (rows, dimensions)"
            )
        sides.append(x[np.isfinite(x).all(axis=1)])
    a, b = sides
    if len(a) and len(b) and a.shape[1] != b.shape[1]:
        raise DriftInputError(
            f"the vectors of {name!r} have {a.shape[1]} numbers in the reference and {b.shape[1]} in the current "
            "data; compare vectors of one model"
        )
    if a.shape[1] != b.shape[1]:
        a, b = (x if len(x) else np.zeros((0, max(a.shape[1], b.shape[1]))) for x in (a, b))
    return a, b
