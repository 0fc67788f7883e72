"""Why one group of rows is predicted differently from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift.models import Measured
from aios_workbench.drift.statistics.adjusted import benjamini_hochberg
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import conditions, tabular
from aios_workbench.explain.beyond_models import CohortColumn, Cohorts
from aios_workbench.explain.means import difference, mean
from aios_workbench.explain.names import signed
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.beyond_models import Finding
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats


def cohorts(
    explanation: Explanation,
    a: Any,
    b: Any = None,
    *,
    output: int | str | None = None,
    names: Sequence[str] | None = None,
    least: int = 10,
    alpha: float = 0.05,
) -> Cohorts:
    """Say why the rows `a` are predicted differently from the rows `b`.

    A prediction is the base plus the row's contributions, so the difference of two cohorts' mean predictions is the sum
    of the differences of the columns' mean contributions. Each of these has Welch's interval [1]_, and a p-value
    corrected for the number of columns (Benjamini-Hochberg).

    Parameters
    ----------
    explanation : Explanation
    a, b
        Rows: ``{"city": "Ulm", "age": (30, 50)}``, positions, a mask, a function of the frame, or a `Condition` (a
        slice's, for example). Without `b`, all other rows.
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    names : two str, optional
        What to call them.
    least : int
        Cohorts of fewer rows are not judged.
    alpha : float
        Share of false findings allowed among the columns said to differ.

    Returns
    -------
    Cohorts
        In the unit of the predictions.

    Raises
    ------
    ExplainInputError
        When a cohort has fewer than two rows, both have rows in common, or a column is not there.

    References
    ----------
    .. [1] B. L. Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947.
    """
    place = output_place(explanation.data, output)
    mask_a, name_a = conditions.mask_of(explanation, a, "cohort a")
    mask_b, name_b = (~mask_a, "all others") if b is None else conditions.mask_of(explanation, b, "cohort b")
    both = int((mask_a & mask_b).sum())
    if both:
        raise ExplainInputError(
            f"the cohorts have {both:,} rows in common; give rows that are in one of them, or leave b out to compare "
            "with all others"
        )
    if names is not None and len(names) != 2:
        raise ExplainInputError(f"names: give two, of a and of b, not {len(names)}")
    name_a, name_b = names or (name_a or "a", name_b or "b")
    for name, mask in ((name_a, mask_a), (name_b, mask_b)):
        if mask.sum() < 2:
            raise ExplainInputError(
                f"the cohort {name!r} has {int(mask.sum())} of {len(mask):,} rows; at least two are needed"
            )
    values, predictions = explanation.arrays.values[..., place], explanation.arrays.predictions[:, place]
    # what is left of adding up in floating point differs between any two groups
    values = np.where(np.abs(values) > 1e-9 * np.abs(values).max(initial=0.0), values, 0.0)
    few = min(mask_a.sum(), mask_b.sum()) < least
    found = [difference(values[mask_a, j], values[mask_b, j]) for j in range(values.shape[1])]
    adjusted = benjamini_hochberg([p for _, p in found])
    whole, p = difference(predictions[mask_a], predictions[mask_b])
    told = p < alpha and abs(whole.value) > 1e-12
    typical = _typical(explanation, [mask_a, mask_b])
    columns = []
    for j, (apart, single) in enumerate(found):
        finding: Finding = "few" if few else "differs" if adjusted[j] < alpha else "same"
        columns.append(
            CohortColumn(
                column=explanation.columns[j], a=float(values[mask_a, j].mean()), b=float(values[mask_b, j].mean()),
                difference=apart, part=apart.value / whole.value if told else None, p_value=single,
                p_adjusted=adjusted[j], finding=finding, typical_a=typical[0][j], typical_b=typical[1][j],
            )
        )  # fmt: skip
    columns.sort(key=lambda c: -abs(c.difference.value))
    return Cohorts(
        a=name_a, b=name_b, rows_a=int(mask_a.sum()), rows_b=int(mask_b.sum()),
        output=explanation.data.outputs[place], scale=explanation.data.scale,
        prediction_a=mean(predictions[mask_a]), prediction_b=mean(predictions[mask_b]), difference=whole,
        columns=columns, words=_words(name_a, name_b, whole, columns, few=few, told=told, least=least),
        notes=_notes(explanation, columns),
    )  # fmt: skip


def _typical(explanation: Explanation, masks: list[Any]) -> list[list[str]]:
    if explanation.frame is None:
        return [[""] * len(explanation.columns)] * len(masks)
    space, x = tabular.space_of(explanation, "cohorts"), tabular.matrix_of(explanation, "cohorts")
    return [[_middle(space, j, x[mask, j]) for j in range(x.shape[1])] for mask in masks]


def _middle(space: Space, place: int, x: Floats) -> str:
    there = x[np.isfinite(x)]
    if 2 * len(there) < len(x):
        return "missing"
    if tabular.is_amount(space, place):
        return tabular.text_at(space, place, float(np.quantile(there, 0.5, method="nearest")))
    codes, counts = np.unique(there, return_counts=True)
    return tabular.text_at(space, place, float(codes[counts.argmax()]))


def _words(
    a: str, b: str, whole: Measured, columns: list[CohortColumn], *, few: bool, told: bool, least: int
) -> str:
    if few:
        return f"Not enough data: a cohort has fewer than {least} rows, so what differs may be chance."
    if not told:
        return (
            f"The mean predictions of {a!r} and {b!r} differ by {signed(whole.value)}, which may be chance "
            f"(95 %: {signed(whole.low)} to {signed(whole.high)})."
        )
    # the reasons are what moves the mean in the direction of the difference
    reasons = [c for c in columns if c.finding == "differs" and c.part is not None and c.part > 0][:3]
    because = ", ".join(f"{tabular.told(c.column)} ({signed(c.difference.value)})" for c in reasons)
    return (
        f"{a!r} is predicted {signed(whole.value)} against {b!r} on average (95 %: {signed(whole.low)} to "
        f"{signed(whole.high)})" + (f", most of all by {because}." if because else ".")
    )


def _notes(explanation: Explanation, columns: list[CohortColumn]) -> list[str]:
    tied = {c.name: c.correlated for c in explanation.data.columns if c.correlated}
    named = [c.column for c in columns if c.finding == "differs" and c.column in tied]
    if not named:
        return []
    others = ", ".join(map(tabular.told, tied[named[0]][:3]))
    same = f"{tabular.told(named[0])} carries the same information as {others}"
    return [f"{same}: how the difference is shared between them is arbitrary."]
