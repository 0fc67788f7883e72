"""Columns over all explained rows: how much each counts, how sure that is, and whether it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.models import Importance

if TYPE_CHECKING:
    from aios_workbench.drift.models import ImportanceChange, Rules
    from aios_workbench.explain.explanation import Arrays, Explanation

    Floats = npt.NDArray[np.float64]


def importance(arrays: Arrays, columns: Sequence[str], *, output: int = 0) -> list[Importance]:
    """Return how much each column counts for one output, the most important first.

    Parameters
    ----------
    arrays : Arrays
        n rows, M columns, K outputs.
    columns : sequence of str
        The M names.
    output : int
        Which of the K outputs.

    Returns
    -------
    list of Importance
        `value` is the mean absolute contribution, in the unit of the predictions; `error` its standard error: the
        spread over rows, which the sampling error of each value widens. LIME's are over the rows it explained.

    Examples
    --------
    >>> from aios_workbench.explain.explanation import Arrays
    >>> values = np.array([[[1.0], [-3.0]], [[-1.0], [-5.0]]])
    >>> found = importance(Arrays(values, np.zeros(1), values.sum(axis=1)), ["age", "income"])
    >>> [(i.column, i.value, i.signed, i.rank) for i in found]
    [('income', 4.0, -4.0, 1), ('age', 1.0, 0.0, 2)]
    """
    values = arrays.values[:, :, output]
    errors = None if arrays.errors is None else arrays.errors[:, :, output]
    size, error = mean_absolute(values, errors)
    signed = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
    ranks = ranked(size)
    found = [
        Importance(
            column=str(c), value=float(size[j]), error=None if error is None else float(error[j]),
            signed=float(signed[j]), rank=int(ranks[j]),
        )
        for j, c in enumerate(columns)
    ]  # fmt: skip
    if arrays.lime is not None and len(arrays.lime):
        told = None if arrays.lime_errors is None else arrays.lime_errors[:, :, output]
        lime, lime_error = mean_absolute(arrays.lime[:, :, output], told)
        lime_ranks = ranked(lime)
        for j, i in enumerate(found):
            i.lime, i.lime_rank = float(lime[j]), int(lime_ranks[j])
            i.lime_error = None if lime_error is None else float(lime_error[j])
    return sorted(found, key=lambda i: i.rank)


def mean_absolute(values: Floats, errors: Floats | None = None) -> tuple[Floats, Floats | None]:
    """Return mean absolute values of (n, M) and their standard errors, (M,) each; of one row, the row's own errors.

    Examples
    --------
    >>> size, error = mean_absolute(np.array([[1.0], [-3.0], [2.0]]))
    >>> float(size[0]), round(float(error[0]), 3)
    (2.0, 0.577)
    """
    n = len(values)
    if not n:
        return np.zeros(values.shape[1]), None
    size = np.abs(values)
    if n > 1:
        return size.mean(axis=0), size.std(axis=0, ddof=1) / np.sqrt(n)
    return size[0], None if errors is None or not np.isfinite(errors[0]).all() else errors[0]


def ranked(size: Floats) -> npt.NDArray[np.int64]:
    """Return ranks from 1 on, the largest first; of equals the earlier column."""
    ranks = np.empty(len(size), np.int64)
    ranks[np.argsort(-size, kind="stable")] = np.arange(1, len(size) + 1)
    return ranks


def drift(
    explanation: Explanation,
    other: Explanation,
    *,
    output: int | str | None = None,
    rules: Rules | None = None,
) -> list[ImportanceChange]:
    """Compare what a model leans on in two sets of rows, say of two months: which columns' importance drifted.

    Parameters
    ----------
    explanation, other : Explanation
        The earlier and the later one, of the same model in the same scale. Columns are matched by name.
    output : int or str, optional
        Which output; the one shown first if None.
    rules : Rules, optional
        See `aios_workbench.drift.importance.importance_drift`, which does the work.

    Returns
    -------
    list of ImportanceChange
        One of each column, the one whose share of all importance moved most first.

    Raises
    ------
    ExplainInputError
        When scale or columns differ.
    """
    from aios_workbench.drift.importance import importance_drift
    from aios_workbench.explain.rows import output_place

    a, b = explanation.data, other.data
    if a.scale != b.scale:
        raise ExplainInputError(
            f"one explanation is in {a.scale}, the other in {b.scale}; explain both with the same scale="
        )
    names, theirs = explanation.columns, other.columns
    if sorted(names) != sorted(theirs):
        odd = sorted(set(names) ^ set(theirs))[:5]
        raise ExplainInputError(f"the explanations are of different columns: {odd}; explain the same columns")
    at = output_place(a, output)
    there = output_place(b, a.outputs[at]) if a.outputs[at] in b.outputs else output_place(b, output)
    order = [theirs.index(n) for n in names]
    changes: list[ImportanceChange] = importance_drift(
        explanation.arrays.values[:, :, at], other.arrays.values[:, order, there], names, rules=rules
    )
    return changes
