"""Reason codes: the few columns that count most in each row, in words, for as many rows as were scored."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from aios_workbench._util import write_whole
from aios_workbench.errors import ExplainError, ExplainInputError, hint
from aios_workbench.explain.options import seconds_of
from aios_workbench.explain.reason_files import Reasons, Run, values_of
from aios_workbench.explain.reason_rows import Source
from aios_workbench.explain.reason_words import Towards, Words
from aios_workbench.explain.rows import output_place
from aios_workbench.explain.telling import Cancelled, Progress, Told

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation

#: Rows explained, and written, at a time.
CHUNK = 20_000


def reason_codes(
    explanation: Explanation, rows: Any = None, out: str | Path | None = None, *, top: int = 3,
    output: int | str | None = None, towards: Towards = "any", keep: Sequence[str] = (), values: bool = True,
    budget: float | str | None = None, chunk: int = CHUNK, progress: Progress | bool | None = None,
    cancelled: Cancelled | None = None,
) -> Any:  # fmt: skip
    """Say of each row which columns count most, in words.

    Parameters
    ----------
    explanation : Explanation
        Its model explains the rows, in the same way.
    rows
        The scored rows: a frame, or the path of a Parquet file, which is read in pieces. None: the rows that the
        explanation explains; nothing is computed then.
    out : path, optional
        The Parquet file to write. By default, of a file of rows: beside it, ``scores.reasons.parquet`` of
        ``scores.parquet``. Of a frame: nothing is written, and a frame is returned.
    top : int
        Columns a row.
    output : int or str, optional
        Which output; the one shown first if None.
    towards : {"any", "up", "down"}
        Only columns that raise, or lower, the prediction: for a refusal, what spoke against it.
    keep : sequence of str
        Columns of `rows` to copy into the file, such as an id.
    values : bool
        Name each value. False: only whether it is low or high, so that no raw value is written.
    budget : float or str, optional
        Time for all rows; what was explained by then is kept, and the next call goes on.
    chunk : int
        Rows explained at a time.
    progress, cancelled
        As of `aios.explain`; a step of a workflow shows the progress and may cancel.

    Returns
    -------
    DataFrame or Reasons
        A row for each row: `row` (its position), `prediction` (on the explained scale), and for each of `top` reasons
        `reason_1` (words), `reason_1_column`, `reason_1_contribution`; empty where fewer columns count.

    Raises
    ------
    ExplainInputError
        For options that do not fit, or when the model is needed and not at hand.
    """
    place = output_place(explanation.data, output)
    _checked(top, towards, chunk)
    teller = Words(explanation.data.columns, explanation.data.outputs[place], top, towards, values=values)
    if rows is None:
        found = _own(explanation, place, teller, keep)
        return found if out is None else _written(found, Path(out), explanation, top, place)
    live = explanation.at_hand("a reason for rows that are not yet explained")
    source = Source.of(rows, keep, chunk)
    if out is None and source.path is None:
        parts = [teller.table(*values_of(live, f, place, None), f, at, keep) for at, f in source.parts()]
        return _joined(parts)
    to = Path(out).expanduser() if out is not None else source.beside()
    key = hashlib.sha256(
        json.dumps([
            explanation.data.model.fingerprint or explanation.data.id, source.key(), place, top, towards, list(keep),
            values, chunk, explanation.data.method.name, explanation.data.scale, explanation.columns,
        ]).encode()
    ).hexdigest()  # fmt: skip
    told = Told(progress, cancelled)
    try:
        return Run(live, source, to, key, teller, place, told, seconds_of(budget), list(keep)).go()
    finally:
        told.close()


def _checked(top: int, towards: str, chunk: int) -> None:
    if isinstance(top, bool) or not 1 <= top <= 50:
        raise ExplainInputError(f"top is {top!r}; give 1 to 50 columns")
    if towards not in get_args(Towards):
        raise ExplainInputError(
            f"towards is {towards!r}{hint(str(towards), get_args(Towards))}; 'any', 'up' or 'down'"
        )
    if isinstance(chunk, bool) or chunk < 1:
        raise ExplainInputError(f"chunk is {chunk!r}; give a whole number of rows, 1 or more")


def _own(explanation: Explanation, place: int, teller: Words, keep: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frame = explanation.frame
    if frame is None:
        raise ExplainInputError(
            "this explanation was stored without raw rows, so reasons cannot name values; give the rows, or save with "
            "raw=True"
        )
    for name in keep:
        if name not in frame.columns:
            raise ExplainInputError(f"there is no column {name!r}{hint(name, map(str, frame.columns))}")
    arrays = explanation.arrays
    found = teller.table(arrays.values[:, :, place], arrays.predictions[:, place], frame, 0, keep)
    return found.set_index(pd.Index(frame.index))


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(parts, ignore_index=True)


def _written(found: pd.DataFrame, out: Path, explanation: Explanation, top: int, place: int) -> Reasons:
    held = io.BytesIO()
    found.to_parquet(held, index=False)
    out = out.expanduser()
    write_whole(out, held.getvalue(), ExplainError)
    return Reasons(path=str(out), rows=len(found), top=top, output=explanation.data.outputs[place])
