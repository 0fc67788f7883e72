"""How far SHAP and LIME tell the same story: of a row, of all rows, of a column of a row.

Both are estimates of different things, so they never agree wholly: SHAP shares the whole difference from the average
out, LIME gives slopes of a plane fitted near the row. Where they differ by more than their errors, the model is bent
or jumps near the row, or columns stand in for each other: one should trust neither blindly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.models import Agreement

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Arrays

    Floats = npt.NDArray[np.float64]

#: Errors further than this many standard errors away are not chance (95 %).
Z95 = 1.959963984540054
#: Rows listed as agreeing least.
WORST = 20


class RowAgreement(NamedTuple):
    """Agreement of each of m rows, (m,): see `Agreement`; `score` is the mean of those of the three that are known."""

    rank: Floats
    overlap: Floats
    sign: Floats
    score: Floats


def top(columns: int, wanted: int = 5) -> int:
    """Return how many columns count as the top ones: never more than half of all, so that overlap says something.

    Examples
    --------
    >>> top(30), top(6), top(1)
    (5, 3, 1)
    """
    return max(1, min(wanted, columns // 2))


def of_rows(shap: Floats, lime: Floats, k: int) -> RowAgreement:
    """Compare contributions of m rows, (m, M) each; NaN where something cannot be told (all contributions alike).

    Examples
    --------
    >>> a = of_rows(np.array([[3.0, -2.0, 1.0, 0.5]]), np.array([[2.0, 1.0, 0.5, 0.1]]), k=2)
    >>> float(a.rank[0]), float(a.overlap[0]), float(a.sign[0])
    (1.0, 1.0, 0.5)
    """
    m, columns = shap.shape
    if not (m and columns):
        nothing = np.full(m, np.nan)
        return RowAgreement(nothing, nothing, nothing, nothing)
    a, b = np.abs(shap), np.abs(lime)
    rank = _spearman(a, b)
    first, second = (np.argsort(-x, axis=1, kind="stable")[:, :k] for x in (a, b))
    in_both = (first[:, :, None] == second[:, None, :]).any(axis=2)
    told = (a.max(axis=1) > 0) & (b.max(axis=1) > 0)
    overlap = np.where(told, in_both.mean(axis=1), np.nan)
    ours, theirs = (np.sign(np.take_along_axis(x, first, axis=1)) for x in (shap, lime))
    counted = ours != 0
    with np.errstate(invalid="ignore"):
        sign = np.where(told, ((ours == theirs) & counted).sum(axis=1) / counted.sum(axis=1), np.nan)
    three = np.stack([rank, overlap, sign])
    known = ~np.isnan(three)
    score = np.where(known.any(axis=0), np.nansum(three, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
    return RowAgreement(rank, overlap, sign, score)


def agreement(arrays: Arrays, *, output: int = 0, wanted: int = 5) -> Agreement | None:
    """Return how far SHAP and LIME agree over the rows that both explained; None without LIME."""
    if arrays.lime is None or arrays.lime_rows is None or not len(arrays.lime_rows):
        return None
    k = top(arrays.values.shape[1], wanted)
    shap = arrays.values[arrays.lime_rows][:, :, output]
    found = of_rows(shap, arrays.lime[:, :, output], k)
    order = np.argsort(found.score, kind="stable")  # NaN last
    worst = [int(arrays.lime_rows[i]) for i in order[:WORST] if found.score[i] < 1]
    return Agreement(
        rows=len(arrays.lime_rows), k=k, rank=_median(found.rank), overlap=_median(found.overlap),
        sign=_median(found.sign), worst=worst,
    )  # fmt: skip


def agrees(
    shap: Floats, lime: Floats, k: int, shap_errors: Floats | None = None, lime_errors: Floats | None = None
) -> list[bool | None]:
    """Say of each column of one row, (M,), whether SHAP and LIME agree on it; None outside both top `k`.

    They disagree when both are sure of the sign and it differs, or when the column is for sure among the top `k` of
    one and for sure not of the other; sure is what 1.96 standard errors cannot turn.

    Examples
    --------
    >>> agrees(np.array([3.0, -2.0, 0.1, 0.0]), np.array([2.0, 1.0, 0.2, 0.0]), 2)
    [True, False, None, None]
    >>> agrees(np.array([3.0, -2.0, 0.1, 0.0]), np.array([2.0, 1.0, 0.2, 0.0]), 2, lime_errors=np.full(4, 0.9))
    [True, True, None, None]
    """
    columns = len(shap)
    both = [(shap, shap_errors), (lime, lime_errors)]
    made = [(np.asarray(v), np.zeros(columns) if e is None else np.asarray(e)) for v, e in both]
    sure = [np.where(np.abs(v) > Z95 * e, np.sign(v), 0.0) for v, e in made]
    turned = sure[0] * sure[1] < 0
    best, worst, shown = [], [], np.zeros(columns, bool)
    for v, e in made:
        size = np.abs(v)
        # how far column i lies above column j, and what their errors allow
        above = size[:, None] - size[None, :]
        slack = Z95 * np.hypot(e[:, None], e[None, :])
        best.append(1 + (above < -slack).sum(axis=1))
        worst.append(columns - (above > slack).sum(axis=1))
        shown[np.argsort(-size, kind="stable")[:k]] = True
    moved = ((worst[0] <= k) & (best[1] > k)) | ((worst[1] <= k) & (best[0] > k))
    bad = turned | moved
    return [bool(not bad[j]) if shown[j] else None for j in range(columns)]


def _spearman(a: Floats, b: Floats) -> Floats:
    """Return Spearman's correlation of each row of two (m, M); NaN where one of them is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(x, axis=1) for x in (a, b)]
    ranks = [r - r.mean(axis=1, keepdims=True) for r in ranks]
    above = (ranks[0] * ranks[1]).sum(axis=1)
    below = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    found: Floats = np.divide(above, below, out=np.full(len(a), np.nan), where=below > 1e-12)
    return found


def _median(x: Floats) -> float | None:
    there = x[~np.isnan(x)]
    return float(np.median(there)) if len(there) else None
