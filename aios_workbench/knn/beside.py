"""What stands beside vectors: their ids, and the metadata that filters ask about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, hint

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

_SHOWN = 5


def make_ids(ids: Any, rows: int, what: str = "ids") -> tuple[npt.NDArray[Any], list[str]]:
    """Return ids as int64 or str, one for each row, and what had to be mended.

    Parameters
    ----------
    ids : array_like
        Whole numbers or texts; UUIDs and other objects become texts.

    Raises
    ------
    KnnInputError
        When there are too many or too few, some are missing, or two are equal.

    Examples
    --------
    >>> make_ids([1.0, 2.0], 2)
    (array([1, 2]), ['ids were floating-point numbers and are held as whole ones'])
    """
    import numpy as np
    import pandas as pd

    values = pd.Series(ids.to_pylist() if hasattr(ids, "to_pylist") else ids)
    notes: list[str] = []
    if len(values) != rows:
        raise KnnInputError(f"{what}: there are {len(values):,} for {rows:,} vectors; give one for each")
    missing = values.isna().to_numpy()
    if missing.any():
        raise KnnInputError(f"{what}: missing for {_rows(missing)}; every vector needs one")
    if pd.api.types.is_bool_dtype(values):
        raise KnnInputError(f"{what} are true and false; they must tell the vectors apart")
    if pd.api.types.is_float_dtype(values):
        whole = values.to_numpy(np.float64)
        broken = (whole != np.floor(whole)) | (np.abs(whole) >= 2**53)
        if broken.any():
            raise KnnInputError(f"{what}: no whole number at {_rows(broken)}; use whole numbers or texts")
        notes.append(f"{what} were floating-point numbers and are held as whole ones")
        found: npt.NDArray[Any] = whole.astype(np.int64)
    elif pd.api.types.is_integer_dtype(values):
        if values.max() > np.iinfo(np.int64).max:
            raise KnnInputError(f"{what} are larger than 2^63 - 1; use texts, ids.astype(str)")
        found = values.to_numpy(np.int64)
    else:
        if not values.map(lambda v: isinstance(v, str)).all():
            notes.append(f"{what} were {type(values.iloc[0]).__name__} and are held as texts")
        found = np.array([str(v) for v in values], dtype=object)
    again = pd.Series(found).duplicated().to_numpy()
    if again.any():
        names = ", ".join(repr(v) for v in dict.fromkeys(found[again].tolist()[:_SHOWN]))
        raise KnnInputError(
            f"{what}: {int(again.sum()):,} occur more than once, such as {names}; make them unique, or leave ids out "
            "to number the rows"
        )
    return found, notes


def make_table(metadata: Any, rows: int | None) -> pa.Table:
    """Return metadata as an Arrow table, one row for each vector.

    Parameters
    ----------
    metadata
        A data frame, an Arrow table, a dict of columns, a list of dicts, or a DuckDB relation.

    Raises
    ------
    KnnInputError
        When it is no table or has another number of rows.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(metadata, pd.DataFrame):
            frame = metadata.set_axis([str(c) for c in metadata.columns], axis=1)
            table = pa.Table.from_pandas(frame, preserve_index=False)
        elif isinstance(metadata, dict):
            table = pa.table({str(k): v for k, v in metadata.items()})
        elif isinstance(metadata, list):
            table = pa.Table.from_pylist(metadata)
        elif hasattr(metadata, "__arrow_c_stream__"):
            table = pa.table(metadata)
        else:
            raise KnnInputError(
                f"metadata is {type(metadata).__name__}; give a data frame, an Arrow table, a dict of columns or a "
                "list of dicts"
            )
    except (pa.ArrowInvalid, pa.ArrowTypeError, AttributeError, ValueError) as e:
        raise KnnInputError(f"metadata cannot be made a table: {e}") from e
    if rows is not None and table.num_rows != rows:
        raise KnnInputError(
            f"metadata has {table.num_rows:,} rows for {rows:,} vectors; give one for each, in the same order"
        )
    same = {n.lower() for n in table.column_names}
    if len(same) < table.num_columns:
        raise KnnInputError(
            "two columns of the metadata have the same name but for case; SQL cannot tell them apart"
        )
    return table


def take_ids(table: pa.Table | None, name: str | None) -> tuple[Any, str | None]:
    """Return the column of a table that holds ids (its name, or else `id`), and its name.

    Raises
    ------
    KnnInputError
        When `name` is none of its columns.
    """
    names: Sequence[str] = table.column_names if table is not None else []
    if name is None:
        return (table.column("id"), "id") if table is not None and "id" in names else (None, None)
    if name not in names:
        near = hint(name, names)
        raise KnnInputError(
            f"ids={name!r} names no column{near}; there are {', '.join(names) or 'none beside the vectors'}"
        )
    assert table is not None
    return table.column(name), name


def _rows(bad: npt.NDArray[Any]) -> str:
    found = bad.nonzero()[0]
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return f"row{'s' * (len(found) > 1)} {', '.join(f'{i:,}' for i in found[:_SHOWN])}{more} (counted from 0)"
