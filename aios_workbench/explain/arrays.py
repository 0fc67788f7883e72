"""The numbers of an explanation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.errors import ExplainInputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass
class Arrays:
    """The numbers of an explanation: n rows, M columns, K outputs.

    Attributes
    ----------
    values, errors : (n, M, K) float64
        Shapley values and their standard errors; `errors` is None where the values are exact.
    base : (K,) float64
    predictions : (n, K) float64
        On the explained scale.
    probabilities : (n, C) float64 or None
        What the model says of each class where the scale is another.
    lime_rows : (m,) int64
        Which of the n rows LIME explained.
    lime, lime_errors : (m, M, K) float64
        LIME's contributions on the axis of `values`: coefficient times standardised distance from the mean, or, with
        discretised columns, the coefficient.
    lime_r2, lime_intercept : (m, K) float64
    stability : (m,) float64
        Mean Jaccard overlap of the top columns between seeds.
    outside : (n,) float64 or None
        See `RowExplanation.outside`.
    """

    values: Floats
    base: Floats
    predictions: Floats
    errors: Floats | None = None
    probabilities: Floats | None = None
    lime_rows: npt.NDArray[np.int64] | None = None
    lime: Floats | None = None
    lime_errors: Floats | None = None
    lime_r2: Floats | None = None
    lime_intercept: Floats | None = None
    stability: Floats | None = None
    outside: Floats | None = None


#: Fields of `Arrays` with a row for each explained row, and for each row that LIME explained.
_BY_ROW = ("values", "predictions", "errors", "probabilities", "outside")
_BY_LIME_ROW = ("lime", "lime_errors", "lime_r2", "lime_intercept", "stability")


def kept(arrays: Arrays, rows: npt.NDArray[np.int64]) -> Arrays:
    """Return the arrays of some rows, at these positions, in this order.

    Examples
    --------
    >>> a = Arrays(np.arange(3.0).reshape(3, 1, 1), np.zeros(1), np.arange(3.0)[:, None], lime_rows=np.array([0, 2]),
    ...            lime=np.arange(2.0).reshape(2, 1, 1))
    >>> b = kept(a, np.array([2, 1]))
    >>> b.values.ravel().tolist(), b.lime_rows.tolist(), b.lime.ravel().tolist()
    ([2.0, 1.0], [0], [1.0])
    """
    update: dict[str, object] = {}
    for name in _BY_ROW:
        found = getattr(arrays, name)
        update[name] = None if found is None else found[rows]
    if arrays.lime_rows is not None:
        place = {int(r): i for i, r in enumerate(arrays.lime_rows)}
        both = [(i, place[int(r)]) for i, r in enumerate(rows) if int(r) in place]
        update["lime_rows"] = np.array([i for i, _ in both], np.int64)
        there = [j for _, j in both]
        for name in _BY_LIME_ROW:
            found = getattr(arrays, name)
            update[name] = None if found is None else found[there]
    return replace(arrays, **update)  # type: ignore[arg-type]


def fit(arrays: Arrays, columns: int, outputs: int) -> None:
    """Check that all arrays are of the same rows, columns and outputs.

    Raises
    ------
    ExplainInputError
        When they are not; the message names the array.
    """
    values = arrays.values
    if values.ndim != 3 or values.shape[1:] != (columns, outputs):
        raise ExplainInputError(
            f"contributions have the shape {values.shape}; (rows, {columns} columns, {outputs} outputs) is expected"
        )
    n, m = len(values), 0 if arrays.lime_rows is None else len(arrays.lime_rows)
    whole, lime = (columns, outputs), (m, columns, outputs)
    shapes: dict[str, tuple[int, ...]] = {
        "errors": (n, *whole), "base": (outputs,), "predictions": (n, outputs), "lime": lime, "lime_errors": lime,
        "lime_r2": (m, outputs), "lime_intercept": (m, outputs), "stability": (m,), "outside": (n,), "lime_rows": (m,),
    }  # fmt: skip
    for field in fields(arrays):
        found = getattr(arrays, field.name)
        if found is None:
            continue
        expected = shapes.get(field.name, found.shape)
        if found.shape != expected or len(found) != (n if field.name == "probabilities" else len(found)):
            raise ExplainInputError(f"{field.name} has the shape {found.shape}; {expected} is expected")
    if (
        m
        and arrays.lime_rows is not None
        and not (arrays.lime_rows.min() >= 0 and arrays.lime_rows.max() < n)
    ):
        raise ExplainInputError(f"LIME explained rows beyond the {n} that were explained")
