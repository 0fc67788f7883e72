"""Embeddings: whether two clouds of vectors lie alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.mmd import discrepancy
from aios_workbench.drift.models import Discrepancy, Rules
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

#: Clouds nearer than this have not moved enough to matter.
LEAST = 0.1


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
