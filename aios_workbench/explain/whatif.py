"""A row as it would be with other values: predicted and explained again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.drift.models import Measured
from aios_workbench.drift.ranking import Z95
from aios_workbench.explain import given, tabular
from aios_workbench.explain.beyond_models import Shift, WhatIf
from aios_workbench.explain.names import signed
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.beyond_models import Change
    from aios_workbench.explain.explanation import Explanation


def what_if(
    explanation: Explanation,
    row: int,
    changes: Mapping[str, Any],
    *,
    output: int | str | None = None,
    lime: bool = False,
    seconds: float | None = 5.0,
) -> WhatIf:
    """Change values of a row, and predict and explain it again.

    Parameters
    ----------
    explanation : Explanation
    row : int
        Its position.
    changes : dict of str to value
        ``{"age": 30, "city": "Ulm"}``. Text is read as what the column holds; None is missing.
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    lime : bool
        Also by LIME.
    seconds : float, optional
        Time to explain it; what there is by then is shown with its errors.

    Returns
    -------
    WhatIf
        Both rows taken apart, and what moved. Values beyond what the model has seen are said in the notes.

    Raises
    ------
    ExplainInputError
        When the row or a column is not there, a value does not fit, or the model is not at hand.
    """
    live = explanation.at_hand("what_if")
    at = tabular.row_place(explanation, row)
    place = output_place(explanation.data, output)
    space, x = tabular.space_of(explanation, "what_if"), tabular.matrix_of(explanation, "what_if")
    after, made = given.changed(space, x[at], changes)
    frame = space.decode(after[None])
    frame.index = tabular.frame_of(explanation, "what_if").index[[at]]
    before = explanation.row(at, output=place)
    again = live.again(frame, seconds=seconds, lime=lime)
    found = again.row(0, output=place).model_copy(update={"row": at, "label": before.label})
    step = found.prediction - before.prediction
    old = {c.column: c for c in before.contributions}
    changed = {c.column for c in made}
    columns = [
        Shift(
            column=c.column, before=old[c.column].shap, after=c.shap, difference=c.shap - old[c.column].shap,
            error=_error(c.error, old[c.column].error), changed=c.column in changed,
        )
        for c in found.contributions
    ]  # fmt: skip
    columns.sort(key=lambda c: -abs(c.difference))
    return WhatIf(
        changes=made, before=before, after=found, columns=columns,
        # the model is asked itself, so that this is exact; contributions have errors of their own
        prediction=Measured(value=step, low=step, high=step),
        words=_words(made, before.prediction, found.prediction),
        notes=[*given.odd(space, after, made), *_moved(columns)],
    )  # fmt: skip


def _error(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else math.hypot(a, b)


def _words(changes: list[Change], before: float, after: float) -> str:
    if not changes:
        return "Nothing is changed."
    told = ", ".join(f"{tabular.told(c.column)} {c.before} → {c.after}" for c in changes)
    return f"With {told}, the prediction goes from {before:.4g} to {after:.4g} ({signed(after - before)})."


def _moved(columns: list[Shift]) -> list[str]:
    """Say which columns' contributions move although their values stay: they act together with what was changed."""
    largest = max((abs(c.difference) for c in columns), default=0.0)
    others = [
        c
        for c in columns
        if not c.changed and abs(c.difference) > max(0.1 * largest, Z95 * (c.error or 0.0), 1e-9)
    ]
    if not others:
        return []
    told = ", ".join(f"{tabular.told(c.column)} ({signed(c.difference)})" for c in others[:3])
    return [
        f"Contributions of columns that stay move as well, as they act together with what changed: {told}."
    ]
