"""Values a person gives for a row's columns, as the numbers of the row's space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain import tabular
from aios_workbench.explain.beyond_models import Change
from aios_workbench.explain.names import value_text

if TYPE_CHECKING:
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats

_YES, _NO = {"true", "yes", "1", "1.0"}, {"false", "no", "0", "0.0"}


def number_for(space: Space, place: int, value: Any) -> float:
    """Return a value as the number of its column; text is read as what the column holds, None is missing.

    A category that was never seen is given a code of its own.

    Raises
    ------
    ExplainInputError
        When the column cannot hold it.
    """
    column = space.columns[place]
    if value is None or (np.isscalar(value) and value != value):  # noqa: PLR0124
        return float("nan")
    if column.kind in ("categorical", "text"):
        known = space.categories(place)
        for code, other in enumerate(known):
            if type(other) is type(value) and other == value:
                return float(code)
        same = [code for code, other in enumerate(known) if value in (str(other), value_text(other))]
        return float(same[0]) if same else _new(space, place, value)
    try:
        if column.kind == "boolean":
            return _truth(value)
        if column.kind == "datetime":
            import pandas as pd

            if isinstance(value, (int, float, np.number)):  # seconds, as everything sent counts moments
                return float(value)
            moment = pd.Timestamp(value)
            return float((moment.tz_localize("UTC") if moment.tz is None else moment).timestamp())
        return _finite(float(value))
    except (TypeError, ValueError) as e:
        raise ExplainInputError(
            f"{tabular.told(column.name)} holds {column.kind} values, and {value!r} is none ({e})"
        ) from None


def _truth(value: Any) -> float:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise ValueError("give True or False")
    return float(text in _YES)


def _finite(number: float) -> float:
    if not np.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _new(space: Space, place: int, value: Any) -> float:
    frame = space.decode(np.full((1, len(space)), np.nan)).astype(object)
    frame.iat[0, place] = value
    return float(space.encode(frame)[0, place])


def changed(space: Space, row: Floats, changes: Mapping[str, Any]) -> tuple[Floats, list[Change]]:
    """Return a row, (M,), with changes, and what they are; values that are the same as before are no change.

    Raises
    ------
    ExplainInputError
        When a column is not there, or cannot hold its value.
    """
    if not isinstance(changes, Mapping):
        raise ExplainInputError(f"changes are {{column: value}}, not {type(changes).__name__}")
    after, names = row.copy(), space.names
    for name, value in changes.items():
        if name not in names:
            raise ExplainInputError(f"there is no column {name!r}{hint(str(name), names)}")
        place = names.index(name)
        after[place] = number_for(space, place, value)
    return after, changes_between(space, row, after)


def changes_between(space: Space, before: Floats, after: Floats) -> list[Change]:
    """Return what differs between two rows."""
    found = []
    for place in np.flatnonzero(~((before == after) | (np.isnan(before) & np.isnan(after)))):
        at = int(place)
        codes = space.columns[at].kind in ("categorical", "text")
        numbers = [None if codes or np.isnan(x[at]) else float(x[at]) for x in (before, after)]
        found.append(
            Change(
                column=space.columns[at].name, before=tabular.text_at(space, at, float(before[at])),
                after=tabular.text_at(space, at, float(after[at])), before_number=numbers[0], after_number=numbers[1],
            )
        )  # fmt: skip
    return found


def odd(space: Space, row: Floats, changes: list[Change]) -> list[str]:
    """Return what is unusual about changed values: beyond what the model has seen, or new to it."""
    notes = []
    for change in changes:
        place = space.index(change.column)
        column, x = space.columns[place], float(row[place])
        name = tabular.told(change.column)
        if np.isnan(x):
            if not column.nulls:
                notes.append(f"{name} is missing, and in the background it never is.")
        elif column.kind in ("numeric", "datetime") and column.low is not None and column.high is not None:
            # a slider's end is written with fewer digits than the value it stands for
            slack = 1e-6 * (column.high - column.low)
            if x < column.low - slack or x > column.high + slack:
                low, high = (tabular.text_at(space, place, v) for v in (column.low, column.high))
                notes.append(
                    f"{name} is {change.after}, and the background has {low} to {high}: the model is guessing."
                )
            elif column.whole and x != round(x):
                notes.append(f"{name} is {change.after}, and only whole numbers occur in the background.")
        elif column.kind == "categorical" and not column.more and column.values:
            known = {value_text(v) for v in column.values}
            if change.after not in known:
                notes.append(f"{name} is {change.after!r}, which does not occur in the background.")
    return notes
