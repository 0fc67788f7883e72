"""Which rows: conditions on columns, positions or masks, and what they are called in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import tabular
from aios_workbench.explain.beyond_models import Condition
from aios_workbench.explain.names import value_text

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats, Mask


def mask_of(explanation: Explanation, given: Any, what: str) -> tuple[Mask, str]:
    """Return which explained rows are meant, (n,) bool, and what they are called.

    Parameters
    ----------
    given
        A dict of columns (``{"city": "Ulm", "age": (30, 50)}``: a value, a list of values, a pair of bounds of which
        the upper one is left out, None for missing), a `Condition` or several (all must hold), a mask of (n,) truth
        values, positions, or a function of the frame that returns a mask.

    Raises
    ------
    ExplainInputError
        When it says no rows of these, or names a column that is not there.
    """
    n = len(explanation.arrays.values)
    if callable(given):
        given = given(tabular.frame_of(explanation, what))
    if isinstance(given, Condition):
        given = [given]
    if isinstance(given, Mapping):
        given = [condition(explanation, str(name), value, what) for name, value in given.items()]
    if isinstance(given, (list, tuple)) and given and all(isinstance(c, Condition) for c in given):
        space, x = tabular.space_of(explanation, what), tabular.matrix_of(explanation, what)
        mask = np.ones(n, bool)
        for c in given:
            mask &= holds(c, space, x)
        return mask, " and ".join(c.words or words(c, space) for c in given)
    return _positions(given, n, what), ""


def _positions(given: Any, n: int, what: str) -> Mask:
    try:
        found = np.asarray(given)
    except (TypeError, ValueError) as e:
        raise ExplainInputError(f"{what}: which rows are meant? ({e})") from None
    if found.ndim == 1 and found.dtype == np.bool_ and len(found) == n:
        return np.array(found)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ExplainInputError(
            f"{what}: give rows as a dict of columns, as positions, or as a mask of {n:,} truth values, "
            f"not as {type(given).__name__} of shape {found.shape}"
        )
    if len(found) and not (-n <= found.min() and found.max() < n):
        raise ExplainInputError(
            f"{what}: there is no row {int(np.abs(found).max())}; {n:,} rows were explained"
        )
    mask = np.zeros(n, bool)
    mask[found] = True
    return mask


def condition(explanation: Explanation, name: str, value: Any, what: str) -> Condition:
    """Return the condition that ``{name: value}`` says."""
    at, space = tabular.column_place(explanation, name), tabular.space_of(explanation, what)
    if value is None:
        found = Condition(column=name, null=True)
    elif tabular.is_amount(space, at):
        low, high = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
        bounds = [None if b is None else _amount(b, space, at, what) for b in (low, high)]
        found = Condition(column=name, low=bounds[0], high=bounds[1], closed=bounds[0] == bounds[1])
    else:
        several = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
        found = Condition(column=name, values=[value_text(v) for v in several])
    found.words = words(found, space)
    return found


def _amount(bound: Any, space: Space, at: int, what: str) -> float:
    import pandas as pd

    try:
        if space.columns[at].kind == "datetime":
            moment = pd.Timestamp(bound)
            return float(moment.tz_localize("UTC").timestamp() if moment.tz is None else moment.timestamp())
        return float(bound)
    except (TypeError, ValueError):
        name = tabular.told(space.columns[at].name)
        raise ExplainInputError(
            f"{what}: {name} holds {space.columns[at].kind} values, and {bound!r} is none; give a value or (low, high)"
        ) from None


def holds(c: Condition, space: Space, x: Floats) -> Mask:
    """Return which rows of a matrix fulfil a condition, (n,)."""
    at = space.index(c.column)
    column = x[:, at]
    if c.null:
        return np.isnan(column)
    if c.values is not None:
        wanted = set(c.values)
        codes = np.unique(column[np.isfinite(column)])
        chosen = [code for code in codes if tabular.text_at(space, at, float(code)) in wanted]
        return np.isin(column, chosen)
    mask: Mask = np.isfinite(column)
    if c.low is not None:
        mask &= column >= c.low
    if c.high is not None:
        mask &= column <= c.high if c.closed else column < c.high
    return mask


def words(c: Condition, space: Space) -> str:
    """Return a condition as a phrase: ``age from 30 to below 50``."""
    name = tabular.told(c.column)
    if c.null:
        return f"{name} is missing"
    if c.values is not None:
        shown = ", ".join(repr(v) for v in c.values[:4]) + (" …" if len(c.values) > 4 else "")
        return f"{name} is {shown}" if len(c.values) == 1 else f"{name} is one of {shown}"
    at = space.index(c.column)
    low, high = (None if b is None else tabular.text_at(space, at, b) for b in (c.low, c.high))
    if low is not None and c.low == c.high:
        return f"{name} is {low}"
    upper = f"up to {high}" if c.closed else f"below {high}"
    if low is None:
        return name if high is None else f"{name} {upper}"
    return (
        f"{name} from {low} on" if high is None else f"{name} from {low} {'' if c.closed else 'to '}{upper}"
    )


def partition(
    space: Space, x: Floats, at: int, *, parts: int = 4, least: int = 1
) -> list[tuple[Condition, Mask]]:
    """Return conditions that split the rows by a column: quarters of amounts, single values of others, missing ones.

    What fewer than `least` rows fulfil is left out.
    """
    name, column = space.columns[at].name, x[:, at]
    made: list[Condition] = []
    if tabular.is_amount(space, at):
        values = np.unique(column[np.isfinite(column)])
        if len(values) <= parts:
            made = [Condition(column=name, low=float(v), high=float(v), closed=True) for v in values]
        else:
            there = column[np.isfinite(column)]
            cuts = np.unique(np.quantile(there, np.arange(1, parts) / parts, method="nearest"))
            bounds = [None, *(float(c) for c in cuts if c > values[0]), None]
            made = [Condition(column=name, low=a, high=b) for a, b in pairwise(bounds)]
    else:
        codes, counts = np.unique(column[np.isfinite(column)], return_counts=True)
        often = codes[np.argsort(-counts, kind="stable")][:50]
        made = [Condition(column=name, values=[tabular.text_at(space, at, float(c))]) for c in often]
    made.append(Condition(column=name, null=True))
    found = []
    for c in made:
        mask = holds(c, space, x)
        if mask.sum() >= least:
            c.words = words(c, space)
            found.append((c, mask))
    return found
