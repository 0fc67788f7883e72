"""Rows of an explanation for the picker: searched, sorted, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.errors import ParameterError
from aios_workbench.widgets.drift_view import cut, short
from aios_workbench.widgets.explain_pages import RowLine, RowOrder, RowsPage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.widgets.explain_protocol import AskRows
    from aios_workbench.widgets.explain_state import Looked

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

#: Columns of the table: the most important ones.
_COLUMNS = 6
_LABEL = 200


def page(looked: Looked, asked: AskRows, output: int) -> RowsPage:
    """Return some of the rows.

    Raises
    ------
    ParameterError
        When rows are to be sorted by what is not known, or one that is not there is wanted.
    """
    import numpy as np

    n = len(looked.arrays.values)
    rows = np.arange(n)
    if asked.among is not None:
        rows = np.unique(np.array([looked.row(r) for r in asked.among], np.int64))
    if asked.search.strip():
        rows = rows[_found(looked, asked.search.strip())[rows]]
    rows = sorted_rows(looked, rows, asked.order, asked.column, output, descending=asked.descending)
    # a piece of an image has a size, which says nothing
    columns = looked.order(output)[:_COLUMNS] if looked.data.subject != "image" else []
    if asked.column is not None and asked.column not in columns:
        columns = [*columns[: _COLUMNS - 1], looked.column(asked.column)]
    shown = rows[asked.offset : asked.offset + asked.limit]
    return RowsPage(
        output=output, offset=asked.offset, total=len(rows), columns=columns,
        lines=lines(looked, shown, columns, output),
    )  # fmt: skip


def lines(looked: Looked, rows: Ints, columns: list[int], output: int) -> list[RowLine]:
    """Return rows as lines of a table."""
    surprise, agreement = looked.surprise(output), looked.agreement(output)
    outside, predictions = looked.arrays.outside, looked.arrays.predictions[:, output]
    return [
        RowLine(
            row=i, label=cut(looked.label(i), _LABEL), prediction=short(float(predictions[i]), 6) or 0.0,
            surprise=short(float(surprise[i])), agreement=short(float(agreement[i])),
            outside=None if outside is None else short(float(outside[i])), cells=looked.cells(i, columns),
        )
        for i in map(int, rows)
    ]  # fmt: skip


def sorted_rows(
    looked: Looked, rows: Ints, order: RowOrder, column: int | None, output: int, *, descending: bool = False
) -> Ints:
    """Return rows in an order; what has no figure comes last, whatever the direction."""
    import numpy as np

    if order == "row":
        return rows[::-1] if descending else rows
    if order == "label":
        keys = np.array([looked.labels()[i] for i in rows], dtype=object)
        by_text = np.argsort(keys, kind="stable")
        return rows[by_text[::-1] if descending else by_text]
    if order in ("value", "shap") and column is None:
        raise ParameterError(f"to sort rows by {order}, say of which column")
    x = looked.axis(order, column, output)[0][rows]
    known = np.isfinite(x)
    first = rows[known][np.argsort(-x[known] if descending else x[known], kind="stable")]
    return np.concatenate([first, rows[~known]])


def _found(looked: Looked, search: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a text in their label or a value, or are at that position or of that number."""
    import numpy as np
    import pandas as pd

    n = len(looked.arrays.values)
    wanted = search.casefold()
    found = np.zeros(n, bool)
    if wanted.isdecimal() and len(wanted) < 12 and int(wanted) < n:
        found[int(wanted)] = True
    frame = looked.explanation.frame
    if frame is None:
        return found
    found |= np.array([wanted in label for label in looked.labels()], bool)
    number = _number(wanted)
    for j, column in enumerate(looked.data.columns[: frame.shape[1]]):
        if column.kind in ("numeric", "datetime"):
            if number is not None and column.kind == "numeric":
                found |= looked.numbers(j) == number
            continue
        codes, values = pd.factorize(frame.iloc[:, j], use_na_sentinel=True)
        hit = np.array([*(wanted in str(v).casefold() for v in values), False], bool)
        found |= hit[codes]
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
