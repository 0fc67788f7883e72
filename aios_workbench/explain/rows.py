"""One row of an explanation taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain import agreement
from aios_workbench.explain.models import Contribution, RowExplanation
from aios_workbench.explain.names import number_of, value_text

if TYPE_CHECKING:
    import numpy.typing as npt

    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.models import ExplanationData

    Floats = npt.NDArray[np.float64]

#: Below it LIME's plane explains less than half of what the model does around the row.
POOR_FIT = 0.5
#: A row further from the training data than this share of the training rows is unlike them.
FAR = 0.99


def output_place(data: ExplanationData, output: int | str | None = None) -> int:
    """Return the place of an output by its place or name; of None, the one shown first.

    Raises
    ------
    ExplainInputError
        When there is no such output.
    """
    if output is None:
        return data.output
    if isinstance(output, str):
        if output in data.outputs:
            return data.outputs.index(output)
        raise ExplainInputError(
            f"there is no output {output!r}{hint(output, data.outputs)}; there are {', '.join(data.outputs[:20])}"
        )
    at = int(output)
    if isinstance(output, bool) or not 0 <= at < len(data.outputs):
        raise ExplainInputError(f"there is no output {output!r}; there are 0 to {len(data.outputs) - 1}")
    return at


def row(explanation: Explanation, at: int, *, output: int | str | None = None) -> RowExplanation:
    """Take one row apart.

    Parameters
    ----------
    explanation : Explanation
    at : int
        The row's position, from 0 on; from the end where it is negative.
    output : int or str, optional
        Place or name of the output; the one shown first if None.

    Returns
    -------
    RowExplanation
        Contributions in the unit of the predictions, the largest first. Values are empty where the explanation was
        stored without raw rows.

    Raises
    ------
    ExplainInputError
        When there is no such row or output.
    """
    data, arrays, frame = explanation.data, explanation.arrays, explanation.frame
    place, n = output_place(data, output), len(arrays.values)
    if isinstance(at, bool) or not isinstance(at, (int, np.integer)):
        raise ExplainInputError(f"a row is told by its position, not by {at!r}; give 0 to {n - 1}")
    if not -n <= at < n:
        raise ExplainInputError(f"there is no row {at}; {n:,} rows were explained: give 0 to {n - 1}")
    at = int(at) % n
    shap = arrays.values[at, :, place]
    errors = _known(None if arrays.errors is None else arrays.errors[at, :, place])
    base, prediction = float(arrays.base[place]), float(arrays.predictions[at, place])
    found = RowExplanation(
        row=at, label=str(at) if frame is None else value_text(frame.index[at]), output=data.outputs[place],
        base=base, prediction=prediction, gap=prediction - base - float(shap.sum()),
        probabilities=_probabilities(explanation, at), contributions=[],
        outside=None if arrays.outside is None else float(arrays.outside[at]),
    )  # fmt: skip
    lime, lime_errors = None, None
    same: list[bool | None] = [None] * len(shap)
    where = lime_place(explanation, at)
    if where is not None and arrays.lime is not None:
        lime = arrays.lime[where, :, place]
        lime_errors = _known(None if arrays.lime_errors is None else arrays.lime_errors[where, :, place])
        k = agreement.top(len(shap), data.lime.top if data.lime else 5)
        same = agreement.agrees(shap, lime, k, errors, lime_errors)
        score = agreement.of_rows(shap[None], lime[None], k).score[0]
        found.agreement = None if np.isnan(score) else float(score)
        if arrays.lime_r2 is not None:
            found.lime_r2 = float(arrays.lime_r2[where, place])
        if arrays.lime_intercept is not None:
            found.lime_intercept = float(arrays.lime_intercept[where, place])
        if arrays.stability is not None:
            found.stability = float(arrays.stability[where])
    cells = None if frame is None else [frame.iat[at, j] for j in range(len(shap))]  # two names may be alike
    for j in np.argsort(-np.abs(shap), kind="stable"):
        found.contributions.append(
            Contribution(
                column=data.columns[j].name, value="" if cells is None else value_text(cells[j]),
                number=None if cells is None else number_of(cells[j]), shap=float(shap[j]),
                error=None if errors is None else float(errors[j]),
                lime=None if lime is None else float(lime[j]),
                lime_error=None if lime_errors is None else float(lime_errors[j]), agrees=same[j],
            )
        )  # fmt: skip
    found.notes = _notes(found, explanation)
    return found


def lime_place(explanation: Explanation, at: int) -> int | None:
    """Return where LIME's arrays hold a row; None when LIME did not explain it."""
    rows = explanation.arrays.lime_rows
    if rows is None:
        return None
    found = np.flatnonzero(rows == at)
    return int(found[0]) if len(found) else None


def _known(errors: Floats | None) -> Floats | None:
    """Return standard errors, None where an explainer knows none (all are NaN)."""
    return None if errors is None or not np.isfinite(errors).all() else errors


def _probabilities(explanation: Explanation, at: int) -> dict[str, float]:
    p, outputs = explanation.arrays.probabilities, explanation.data.outputs
    if p is None:
        return {}
    # of two classes only the positive one, the last, is an output
    told = p[at] if p.shape[1] == len(outputs) else p[at, -len(outputs) :]
    return {name: float(x) for name, x in zip(outputs, told, strict=False)}


def _notes(found: RowExplanation, explanation: Explanation) -> list[str]:
    notes = []
    if found.outside is not None and found.outside > FAR:
        notes.append(
            f"This row is unlike the training data: {found.outside:.1%} of the training rows lie nearer to the rest of "
            "it. What the model says here is a guess, and so is the explanation."
        )
    if explanation.data.lime is not None:
        if found.lime_r2 is None and lime_place(explanation, found.row) is None:
            notes.append("LIME did not explain this row.")
        elif found.lime_r2 is not None and found.lime_r2 < POOR_FIT:
            notes.append(
                f"LIME's plane explains {max(found.lime_r2, 0):.0%} of what the model does around this row: the model "
                "is bent here, so read LIME's bars with care."
            )
    apart = [c.column for c in found.contributions if c.agrees is False]
    if apart:
        told = ", ".join(repr(c) for c in apart[:3]) + (
            f" and {len(apart) - 3} more" if len(apart) > 3 else ""
        )
        notes.append(f"SHAP and LIME disagree on {told}.")
    return notes
