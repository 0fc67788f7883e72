"""What predictions do when a column changes in all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aios_workbench.drift.models import Measured
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import given, tabular
from aios_workbench.explain.asking import OutOfTime
from aios_workbench.explain.beyond_models import PartialDependence
from aios_workbench.explain.means import mean
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats

_CATEGORIES = 20


def partial_dependence(
    explanation: Explanation,
    column: str,
    *,
    output: int | str | None = None,
    grid: int | Sequence[Any] = 20,
    rows: int = 300,
    curves: int = 50,
    seconds: float | None = 30.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> PartialDependence:
    """Predict rows as if a column had other values: the mean [1]_ and single rows' curves (ICE [2]_).

    Parameters
    ----------
    explanation : Explanation
    column : str
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    grid : int or sequence
        How many values of the background, about as many rows between each, or which. Of a category its most frequent.
    rows : int
        How many of the explained rows are asked about, a sample.
    curves : int
        How many of these are shown one by one.
    seconds : float, optional
        Time for it. When it is up, or `cancelled` says so, the mean is of the rows done by then.

    Returns
    -------
    PartialDependence
        In the unit of the predictions; the interval is that of a mean of as many rows.

    Raises
    ------
    ExplainInputError
        When there is no such column, or the model is not at hand.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation", Annals of Statistics 29, 2001.
    .. [2] A. Goldstein et al., "Peeking inside the black box", JCGS 24, 2015.
    """
    what = "partial_dependence"
    place, at = output_place(explanation.data, output), tabular.column_place(explanation, column)
    space, x = tabular.space_of(explanation, what), tabular.matrix_of(explanation, what)
    background = tabular.background_of(explanation, what, seed=seed)
    values = _grid(space, at, background[:, at], grid)
    chosen = tabular.some(len(x), rows, seed)
    ask = tabular.asker(explanation, what, seconds=seconds, cancelled=cancelled)
    found: list[Floats] = []
    stopped: Literal["done", "budget", "cancelled"] = "done"
    # whole rows at a time, so that what is there when time is up has all of the grid
    step = max(1, ask.rows(x.shape[1]) // len(values))
    done = 0
    while done < len(chosen):
        these = chosen[done : done + step]
        asked = np.repeat(x[these], len(values), axis=0)
        asked[:, at] = np.tile(values, len(these))
        try:
            answer = ask(asked, tabular.naming(np.repeat(these, len(values))), must=not found)
        except OutOfTime as e:
            stopped = "cancelled" if e.why == "cancelled" else "budget"
            break
        found.append(answer[:, place].reshape(len(these), len(values)))
        done += len(these)
    table = np.concatenate(found) if found else np.empty((0, len(values)))
    categories = (
        [] if tabular.is_amount(space, at) else [tabular.text_at(space, at, float(v)) for v in values]
    )
    means = [
        mean(c) or Measured(value=float(c.mean()), low=float(c.mean()), high=float(c.mean())) for c in table.T
    ]
    return PartialDependence(
        column=column, kind=space.columns[at].kind, output=explanation.data.outputs[place],
        scale=explanation.data.scale, grid=[float(i) for i in range(len(values))] if categories else values.tolist(),
        categories=categories, mean=means if len(table) else [],
        share=_near(background[:, at], values, bool(categories)),
        position=chosen[: min(done, curves)].tolist(), curves=table[:curves].tolist(), rows=done,
        evaluations=ask.evaluations, stopped=stopped, words=_range(column, means, categories, values),
        notes=_unlike(explanation, column),
    )  # fmt: skip


def _grid(space: Space, at: int, x: Floats, grid: int | Sequence[Any]) -> Floats:
    if not isinstance(grid, int):
        values = np.array([given.number_for(space, at, v) for v in grid])
        if not len(values):
            raise ExplainInputError("grid is empty; give values, or how many")
        return values
    if grid < 2:
        raise ExplainInputError(f"grid is {grid}; give at least two values")
    if tabular.is_amount(space, at):
        found = tabular.quantile_values(x, grid - 1)
    else:
        codes, counts = np.unique(x[np.isfinite(x)], return_counts=True)
        found = codes[np.argsort(-counts, kind="stable")][: max(grid, _CATEGORIES)]
    if not len(found):
        raise ExplainInputError(f"{tabular.told(space.columns[at].name)} has no value in the background")
    return found


def _near(x: Floats, values: Floats, codes: bool) -> list[float]:
    there = x[np.isfinite(x)]
    if codes:
        return [float((there == v).mean()) if len(there) else 0.0 for v in values]
    order = np.argsort(values)
    middles = (values[order][1:] + values[order][:-1]) / 2
    counts = np.bincount(np.searchsorted(middles, there), minlength=len(values))
    out = np.empty(len(values))
    out[order] = counts / max(len(there), 1)
    return [float(v) for v in out]


def _range(column: str, means: list[Measured], categories: list[str], values: Floats) -> str:
    told = [m.value for m in means]
    name = tabular.told(column)
    if not told:
        return f"{name}: stopped before anything was known."
    low, high = int(np.argmin(told)), int(np.argmax(told))
    if told[high] - told[low] <= 1e-12 * max(map(abs, told)):
        return f"{name} changes nothing."
    at = [repr(categories[i]) if categories else f"{values[i]:.4g}" for i in (low, high)]
    return f"{name}: the mean prediction goes from {told[low]:.4g} (at {at[0]}) to {told[high]:.4g} (at {at[1]})."


def _unlike(explanation: Explanation, column: str) -> list[str]:
    tied = next((c.correlated for c in explanation.data.columns if c.name == column), [])
    if not tied:
        return []
    others = ", ".join(map(tabular.told, tied[:3]))
    return [
        f"It goes along with {others}: changed alone it makes rows that do not occur, and the model guesses there."
    ]
