"""The explained rows as numbers, and the model behind them, for what is asked beyond attributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain.asking import Asker, span
from aios_workbench.explain.names import value_text
from aios_workbench.explain.space import Space

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

#: Rows of the background that are looked at when all of them would take too long.
MOST_BACKGROUND = 5_000


def frame_of(explanation: Explanation, what: str) -> pd.DataFrame:
    """Return the explained rows in the user's columns.

    Raises
    ------
    ExplainInputError
        When it was stored without them, or explains no table.
    """
    if explanation.data.subject != "tabular":
        raise ExplainInputError(
            f"{what} is for tables; this explains {explanation.data.subject}s: look at single rows instead"
        )
    if explanation.frame is None:
        raise ExplainInputError(
            f"{what} needs the rows, and this explanation was stored without them: explain again, or save(raw=True)"
        )
    return explanation.frame


def space_of(explanation: Explanation, what: str) -> Space:
    """Return how columns are written as numbers: the model's own space where it is at hand."""
    kept = explanation.extra.get("space")
    if isinstance(kept, Space):
        return kept
    space = getattr(explanation.live, "space", None)
    if not isinstance(space, Space):
        seen = explanation.live.background if explanation.live else frame_of(explanation, what)
        kinds = {c.name: c.kind for c in explanation.data.columns}
        space = Space.of(seen.iloc[:, : len(kinds)], kinds)
    explanation.extra["space"] = space
    return space


def matrix_of(explanation: Explanation, what: str) -> Floats:
    """Return the explained rows as numbers, (n, M); see `Space.encode`."""
    kept = explanation.extra.get("matrix")
    if kept is None:
        space = space_of(explanation, what)
        kept = explanation.extra["matrix"] = space.encode(frame_of(explanation, what))
    matrix: Floats = kept
    return matrix


def background_of(
    explanation: Explanation, what: str, *, most: int = MOST_BACKGROUND, seed: int = 0
) -> Floats:
    """Return the background as numbers, a sample of it where it is large."""
    live = explanation.at_hand(what)
    space, rows = space_of(explanation, what), live.background
    if len(rows) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
        rows = rows.iloc[chosen]
    return space.encode(rows)


def asker(
    explanation: Explanation,
    what: str,
    *,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Asker:
    """Return the model as a function of numbers, with a counter, a clock and a check of what it answers."""
    live = explanation.at_hand(what)
    space = space_of(explanation, what)
    return Asker(lambda x: live.predict(space.decode(x)), seconds=seconds, cancelled=cancelled)


def column_place(explanation: Explanation, name: str) -> int:
    """Return a column's place.

    Raises
    ------
    ExplainInputError
        When there is none of that name.
    """
    names = explanation.columns
    if name not in names:
        told = ", ".join(map(repr, names[:20]))
        raise ExplainInputError(f"there is no column {name!r}{hint(str(name), names)}; there are: {told}")
    return names.index(name)


def row_place(explanation: Explanation, row: object) -> int:
    """Return a row's position from the start.

    Raises
    ------
    ExplainInputError
        When there is no such row.
    """
    n = len(explanation.arrays.values)
    if isinstance(row, bool) or not isinstance(row, (int, np.integer)) or not -n <= row < n:
        raise ExplainInputError(
            f"there is no row {row!r}; {n:,} rows were explained: give a position, 0 to {n - 1}"
        )
    return int(row) % n


def label_of(explanation: Explanation, row: int) -> str:
    """Return a row's label in the user's frame as text."""
    return str(row) if explanation.frame is None else value_text(explanation.frame.index[row])


def told(name: str) -> str:
    """Return a column's name for a sentence; one that would be overlooked or run into the words is quoted.

    Examples
    --------
    >>> told("age"), told(" "), told("a,b")
    ('age', "' '", "'a,b'")
    """
    plain = name.replace("_", "").replace(".", "").replace("-", "").isalnum()
    return name if plain else repr(name)


def text_at(space: Space, place: int, number: float) -> str:
    """Return a number of a column as text, as the user knows it."""
    if np.isnan(number):
        return "missing"
    column = space.columns[place]
    if column.kind in ("categorical", "text"):
        values = space.categories(place)
        return value_text(values[int(number)]) if 0 <= int(number) < len(values) else "?"
    if column.kind == "boolean":
        return "True" if number else "False"
    if column.kind == "datetime":
        import pandas as pd

        return value_text(pd.Timestamp(number, unit="s"))
    return value_text(int(number) if column.whole and number == round(number) else float(number))


def is_amount(space: Space, place: int) -> bool:
    """Tell whether a column's numbers have an order: amounts and moments, not codes."""
    return space.columns[place].kind in ("numeric", "datetime")


def quantile_values(x: Floats, parts: int) -> Floats:
    """Return at most `parts` + 1 values that occur, from the smallest to the largest, about as many rows between each.

    Examples
    --------
    >>> quantile_values(np.array([3.0, 1.0, 1.0, np.nan, 9.0]), 2).tolist()
    [1.0, 3.0, 9.0]
    """
    there = x[np.isfinite(x)]
    if not len(there):
        return np.empty(0)
    values = np.unique(there)
    if len(values) <= parts + 1:
        return values
    found: Floats = np.unique(np.quantile(there, np.linspace(0, 1, parts + 1), method="nearest"))
    return found


def groups_of(x: Floats, amount: bool, parts: int) -> Ints:
    """Return a group number for each row: of amounts about equally large stretches, of codes the value; nulls -1.

    Of codes only the first `parts` stay apart, the rest are one group.

    Examples
    --------
    >>> groups_of(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), True, 2).tolist()
    [0, 0, 1, 1, -1]
    """
    out = np.full(len(x), -1, np.int64)
    there = np.isfinite(x)
    if not there.any():
        return out
    if not amount:
        out[there] = np.minimum(x[there], parts)
        return out
    values = np.unique(x[there])
    if len(values) <= parts:
        out[there] = np.searchsorted(values, x[there])
        return out
    cuts = np.unique(np.quantile(x[there], np.arange(1, parts) / parts))
    out[there] = np.searchsorted(cuts, x[there], side="left")
    return out


def some(n: int, most: int, seed: int) -> Ints:
    """Return at most `most` of `n` places, in order, drawn at random.

    Raises
    ------
    ExplainInputError
        When `most` is none.
    """
    if most < 1:
        raise ExplainInputError(f"{most} rows are none; give at least one")
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def naming(rows: Ints) -> Callable[[int, int], str]:
    """Return what names stretches of `rows` in a message."""
    return lambda a, b: span(int(rows[a]), int(rows[b]))
