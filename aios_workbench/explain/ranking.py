"""Which rows to look at first: the most surprising predictions, and the rows SHAP and LIME tell differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.agreement import of_rows, top
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation

    Floats = npt.NDArray[np.float64]


def surprising(explanation: Explanation, n: int = 20, *, output: int | str | None = None) -> pd.DataFrame:
    """Return the rows whose prediction is the furthest from what is predicted when nothing is known.

    Parameters
    ----------
    n : int
        At most so many rows.
    output : int or str, optional
        The one shown first if None.

    Returns
    -------
    DataFrame
        By position: `label`, `prediction`, `surprise` (distance from the base in units of its usual size, with the
        sign), `outside`, and the column that counts most, `because`.

    Raises
    ------
    ExplainInputError
        When there is no such output, or `n` is not positive.
    """
    at = output_place(explanation.data, output)
    rows = order(explanation, by="surprising", output=at)[: _positive(n)]
    return _table(explanation, rows, at, {"surprise": surprise(explanation, at)[rows]})


def disagreeing(explanation: Explanation, n: int = 20, *, output: int | str | None = None) -> pd.DataFrame:
    """Return the rows where SHAP and LIME agree least, of those both explained; empty without LIME.

    Parameters
    ----------
    n : int
        At most so many rows.
    output : int or str, optional
        The one shown first if None.

    Returns
    -------
    DataFrame
        By position: `label`, `prediction`, `agreement` (mean of rank correlation, overlap and same signs), `rank`,
        `overlap`, `sign`, `lime_r2`, `outside`, `because`.

    Raises
    ------
    ExplainInputError
        When there is no such output, or `n` is not positive.
    """
    at = output_place(explanation.data, output)
    rows = order(explanation, by="disagreeing", output=at)[: _positive(n)]
    arrays = explanation.arrays
    if arrays.lime is None or arrays.lime_rows is None:
        return _table(explanation, rows, at, {"agreement": np.empty(0)})
    place = {int(r): i for i, r in enumerate(arrays.lime_rows)}
    there = [place[int(r)] for r in rows]
    k = top(arrays.values.shape[1], explanation.data.lime.top if explanation.data.lime else 5)
    found = of_rows(arrays.values[rows][:, :, at], arrays.lime[there][:, :, at], k)
    more = {"agreement": found.score, "rank": found.rank, "overlap": found.overlap, "sign": found.sign}
    if arrays.lime_r2 is not None:
        more["lime_r2"] = arrays.lime_r2[there, at]
    return _table(explanation, rows, at, more)


def order(explanation: Explanation, *, by: str, output: int = 0) -> npt.NDArray[np.int64]:
    """Return positions of rows: ``by="surprising"``, ``"disagreeing"`` (of LIME's rows) or ``"outside"``, most first.

    Raises
    ------
    ExplainInputError
        For another order.
    """
    arrays = explanation.arrays
    if by == "surprising":
        return np.argsort(-np.abs(surprise(explanation, output)), kind="stable")
    if by == "outside":
        if arrays.outside is None:
            return np.empty(0, np.int64)
        return np.argsort(-arrays.outside, kind="stable")
    if by != "disagreeing":
        raise ExplainInputError(
            f"rows cannot be put in order by {by!r}; by surprising, disagreeing or outside"
        )
    if arrays.lime is None or arrays.lime_rows is None or not len(arrays.lime_rows):
        return np.empty(0, np.int64)
    k = top(arrays.values.shape[1], explanation.data.lime.top if explanation.data.lime else 5)
    found = of_rows(arrays.values[arrays.lime_rows][:, :, output], arrays.lime[:, :, output], k)
    ranked: npt.NDArray[np.int64] = arrays.lime_rows[np.argsort(found.score, kind="stable")]
    return ranked


def surprise(explanation: Explanation, output: int) -> Floats:
    """Return how far each row's prediction lies from the base, with its sign, in units of its usual distance, (n,)."""
    arrays = explanation.arrays
    apart = arrays.predictions[:, output] - arrays.base[output]
    usual = float(np.sqrt((apart**2).mean())) if len(apart) else 0.0
    found: Floats = apart / usual if usual > 0 else np.zeros(len(apart))
    return found


def _table(
    explanation: Explanation, rows: npt.NDArray[np.int64], output: int, more: dict[str, Floats]
) -> pd.DataFrame:
    import pandas as pd

    arrays, frame, names = explanation.arrays, explanation.frame, explanation.columns
    because = [names[j] for j in np.abs(arrays.values[rows, :, output]).argmax(axis=1)] if len(rows) else []
    made: dict[str, object] = {
        "label": [str(r) for r in rows] if frame is None else [str(frame.index[r]) for r in rows],
        "prediction": arrays.predictions[rows, output],
        **more,
    }
    if arrays.outside is not None:
        made["outside"] = arrays.outside[rows]
    return pd.DataFrame({**made, "because": because}, index=pd.Index(rows, name="row"))


def _positive(n: int) -> int:
    if isinstance(n, bool) or n < 1:
        raise ExplainInputError(f"n is {n!r}; give a whole number of rows, 1 or more")
    return int(n)
