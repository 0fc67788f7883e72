"""Vectors in a column of an Arrow table, which is what Parquet, DuckDB, pandas and polars are read as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, hint
from aios_workbench.knn.rows import refuse

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa


def vector_columns(schema: pa.Schema, column: str | None, ids: str | None, *, texts: bool) -> list[str]:
    """Return the column that holds the vectors (or texts to embed), or all the columns that are their dimensions.

    Raises
    ------
    KnnInputError
        When there is none, or more than one to choose from.
    """
    names = list(schema.names)
    if column is not None:
        if column not in names:
            raise KnnInputError(
                f"there is no column {column!r}{hint(column, names)}; there are {_listed(names)}"
            )
        return [column]
    kind, fitting = ("texts", is_text) if texts else ("vectors", is_list)
    found = [f.name for f in schema if f.name != ids and fitting(f.type)]
    if len(found) == 1:
        return found
    if found:
        raise KnnInputError(
            f"there are {len(found)} columns of {kind}, {_listed(found)}; choose one, "
            f"column={found[0]!r}, or give SQL that does"
        )
    numbers = [f.name for f in schema if f.name != ids and (ids or f.name != "id") and is_number(f.type)]
    others = [n for n in names if n not in numbers and n not in (ids, "id")]
    if numbers and not others and not texts:
        return numbers
    shown = ", ".join(f"{f.name} ({f.type})" for f in list(schema)[:8])
    raise KnnInputError(
        f"no column holds {kind}: {shown}; " + ("" if texts else "a column of lists of numbers is wanted, or ")
        + ("a column of texts is wanted" if texts else "nothing but columns of numbers, one for each dimension")
    )  # fmt: skip


def block(columns: Sequence[pa.Array], names: Sequence[str], first: int) -> npt.NDArray[Any]:
    """Return rows of numbers: of one column of lists, or of several columns of numbers.

    Raises
    ------
    KnnInputError
        When a list is missing, has a hole, or another length than most; the message names the rows.
    """
    import numpy as np

    if len(columns) == 1 and is_list(columns[0].type):
        return _lists(columns[0], names[0], first)
    for values, name in zip(columns, names, strict=True):
        if not is_number(values.type):
            raise KnnInputError(
                f"column {name!r} is {values.type}; vectors are a column of lists of numbers"
                + ("; for texts give embed=, a function that makes vectors of them" if is_text(values.type) else "")
            )  # fmt: skip
        missing = values.is_null().to_numpy(zero_copy_only=False)
        refuse(missing, "missing; leave it out with SQL, or fill it", first, f"column {name!r}")
    return np.stack([_numbers(c) for c in columns], axis=1)


def _lists(column: pa.Array, name: str, first: int) -> npt.NDArray[Any]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ExtensionArray):  # a fixed-shape tensor
        column = column.storage
    what = f"column {name!r}"
    advice = f'leave such rows out, as in SQL "where {name} is not null"'
    refuse(column.is_null().to_numpy(zero_copy_only=False), f"missing; {advice}", first, what)
    sizes = pc.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    usual = int(np.bincount(sizes).argmax()) if len(sizes) else 0
    refuse(sizes != usual, f"not of {usual} numbers like most; all must be equally long", first, what)
    flat = column.flatten()
    holes = flat.is_null().to_numpy(zero_copy_only=False).reshape(len(sizes), -1)
    refuse(
        holes.any(axis=1),
        f"incomplete: a number of the list is missing or NaN; {advice}, or fill them",
        first,
        what,
    )
    return _numbers(flat).reshape(len(sizes), usual)


def _numbers(values: pa.Array) -> npt.NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    found: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found


def is_list(kind: pa.DataType) -> bool:
    """Whether a column's values are lists of numbers."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    t = pa.types
    return (t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind)) and (
        is_number(kind.value_type) or t.is_null(kind.value_type)
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether a column's values are numbers."""
    import pyarrow as pa

    t = pa.types
    return bool(t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column's values are texts."""
    import pyarrow as pa

    t = pa.types
    return bool(t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + ("" if len(names) <= 8 else f" and {len(names) - 8} more")
