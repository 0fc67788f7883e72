"""What is given to a store, checked and in one shape: plain Python ids, float32 rows, metadata as typed columns."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aios_workbench.errors import KnnInputError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Id = int | str
Kind = Literal["int", "str"]
Scalar = bool | int | float | str
Type = Literal["boolean", "integer", "number", "text"]

#: PostgreSQL's limit; one rule everywhere, so that a store can be exchanged for another
LONGEST_NAME = 63
LONGEST_ID = 512
_INT64 = 2**63
_SPACE = uuid.UUID("8c1f3d5e-53a7-4b52-9a0e-7d1c0f7f6f5a")


@dataclass(frozen=True)
class Batch:
    """Rows to store; of an id given twice the last row is the one that stays.

    Attributes
    ----------
    vectors : numpy.ndarray
        (rows, dimensions) float32, C-contiguous.
    columns : dict of str to list
        One value or None a row.
    types : dict of str to str
        `boolean`, `integer`, `number` or `text`; columns without any value are in neither.
    """

    ids: list[Id]
    kind: Kind
    vectors: npt.NDArray[np.float32]
    columns: dict[str, list[Scalar | None]] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)

    def row(self, i: int) -> dict[str, Scalar]:
        """Return a row's metadata without what it lacks."""
        return {name: value for name, values in self.columns.items() if (value := values[i]) is not None}

    def parts(self, rows: int) -> Iterator[Batch]:
        """Give the batch in pieces of so many rows at most."""
        for at in range(0, len(self.ids), rows):
            cut = slice(at, at + rows)
            columns = {name: values[cut] for name, values in self.columns.items()}
            yield Batch(self.ids[cut], self.kind, self.vectors[cut], columns, self.types)


def batch(ids: Any, vectors: npt.ArrayLike, metadata: Any = None) -> Batch:
    """Check what is to be stored.

    Raises
    ------
    KnnInputError
        Naming the rows or columns that are wrong.
    """
    import numpy as np

    from aios_workbench.knn.rows import as_rows, check_numbers

    names, kind = checked_ids(ids)
    rows = as_rows(vectors)
    check_numbers(rows)
    if len(rows) != len(names):
        raise KnnInputError(f"{len(names)} ids for {len(rows)} vectors: give one id for each vector")
    columns = _columns(metadata, len(names))
    last = {name: i for i, name in enumerate(names)}
    held = np.ascontiguousarray(rows, np.float32)
    if len(last) < len(names):
        keep = sorted(last.values())
        names, held = [names[i] for i in keep], held[keep]
        columns = {name: [values[i] for i in keep] for name, values in columns.items()}
    typed: dict[str, Type] = {}
    for name, values in columns.items():
        if kind_of := _type(name, values):
            typed[name] = kind_of
    full: dict[str, list[Scalar | None]] = {name: columns[name] for name in typed}
    for name, values in full.items():
        if typed[name] == "number":
            full[name] = [None if v is None else float(v) for v in values]
    return Batch(names, kind, held, full, typed)


def checked_ids(ids: Any) -> tuple[list[Id], Kind]:
    """Return ids as Python values, and their kind; refuse mixtures and what is neither int nor str."""
    import numpy as np

    if isinstance(ids, int | str | bytes) or not hasattr(ids, "__iter__"):
        raise KnnInputError(f"ids are a list of ints or of strs, not {ids!r}")
    plain = [i.item() if isinstance(i, np.generic) else i for i in ids]
    kinds = {type(i) for i in plain}
    if kinds == {int} or not plain:
        wrong = [i for i in plain if not -_INT64 <= i < _INT64]
        if wrong:
            raise KnnInputError(f"id {wrong[0]} does not fit 64 bits; give it as a str")
        return plain, "int"
    if kinds != {str}:
        found = ", ".join(sorted(k.__name__ for k in kinds))
        raise KnnInputError(
            f"ids are all int or all str, not {found}: convert them, for example with map(str, ids)"
        )
    for i in plain:
        if not i or "\0" in i or len(i.encode(errors="surrogatepass")) > LONGEST_ID:
            raise KnnInputError(f"id {i[:40]!r}: a str id has 1 to {LONGEST_ID} bytes and no NUL")
    return plain, "str"


def _columns(metadata: Any, rows: int) -> dict[str, list[Any]]:
    columns = _by_column(metadata)
    for name, values in columns.items():
        if not isinstance(name, str) or not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
            raise KnnInputError(
                f"metadata column {name!r}: a name is a str of 1 to {LONGEST_NAME} bytes; rename it"
            )
        if name.lower().startswith("_aios"):
            raise KnnInputError(
                f"metadata column {name!r}: names that begin with _aios are the store's own; rename it"
            )
        if len(values) != rows:
            raise KnnInputError(f"metadata column {name!r} has {len(values)} values for {rows} vectors")
    folded: dict[str, str] = {}
    for name in columns:
        if other := folded.get(name.casefold()):
            raise KnnInputError(f"metadata columns {other!r} and {name!r} differ in case alone; rename one")
        folded[name.casefold()] = name
    return {name: [_plain(v) for v in values] for name, values in columns.items()}


def _by_column(metadata: Any) -> dict[Any, list[Any]]:
    if metadata is None:
        return {}
    if hasattr(metadata, "to_pylist") and hasattr(metadata, "column_names"):  # an Arrow table
        found: dict[Any, list[Any]] = metadata.to_pydict()
        return found
    if hasattr(metadata, "columns") and hasattr(metadata, "iloc"):  # a pandas frame
        if metadata.columns.has_duplicates:
            twice = metadata.columns[metadata.columns.duplicated()][0]
            raise KnnInputError(f"metadata has two columns called {twice!r}; rename one")
        return {name: metadata[name].tolist() for name in metadata.columns}
    if isinstance(metadata, Mapping):
        return {name: list(values) for name, values in metadata.items()}
    if isinstance(metadata, Sequence) and all(isinstance(row, Mapping) for row in metadata):
        named = dict.fromkeys(name for row in metadata for name in row)
        return {name: [row.get(name) for row in metadata] for name in named}
    raise KnnInputError(
        "metadata is a data frame, an Arrow table, a dict of columns or a list of dicts, not "
        f"{type(metadata).__name__}"
    )


def _plain(value: Any) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


_NAMES: dict[type, Type] = {bool: "boolean", int: "integer", float: "number", str: "text"}


def _type(name: str, values: list[Any]) -> Type | None:
    found: dict[Type, int] = {}
    for i, value in enumerate(values):
        if value is None:
            continue
        kind = _NAMES.get(type(value))
        if kind is None:
            raise KnnInputError(
                f"metadata column {name!r}, row {i}: stores hold bool, int, float and str, not {type(value).__name__}; "
                "write times as ISO 8601 texts or as seconds, and lists as one column each"
            )
        if kind == "text" and "\0" in value:
            raise KnnInputError(f"metadata column {name!r}, row {i}: a text may not hold the character NUL")
        if kind == "number" and math.isinf(value):
            raise KnnInputError(
                f"metadata column {name!r}, row {i} is infinite: no system's filters agree on that"
            )
        if kind == "integer" and not -_INT64 <= value < _INT64:
            raise KnnInputError(f"metadata column {name!r}, row {i}: {value} does not fit 64 bits")
        found.setdefault(kind, i)
    if set(found) == {"integer", "number"}:
        return "number"
    if len(found) > 1:
        rows = ", ".join(f"{kind} in row {i}" for kind, i in found.items())
        raise KnnInputError(
            f"metadata column {name!r} holds different kinds of values ({rows}); make them one kind"
        )
    return next(iter(found), None)


def merged(name: str, old: Type, new: Type) -> Type:
    """Return the type a column has after more rows came; refuse what cannot be one column."""
    if old == new:
        return old
    if {old, new} == {"integer", "number"}:
        return "number"
    raise KnnInputError(f"metadata column {name!r} holds {old}s in this store, the new rows have {new}s")


# ---------------------------------------------------------------- names and ids for systems that want others


def safe(column: str) -> str:
    """Return a column's name where a system allows letters, digits and `_` alone; `real` turns it back.

    Examples
    --------
    >>> safe("price"), safe('a "b"'), real(safe('a "b"'))
    ('price', 'x_6120226222', 'a "b"')
    """
    plain = column.isascii() and column.isidentifier() and column[0].islower() and not column.startswith("x_")
    return column if plain and column not in _RESERVED else "x_" + column.encode().hex()


#: words with a meaning in some system's filters or objects
_RESERVED = {
    "id",
    "vector",
    "vectors",
    "additional",
    "exists",
    "in",
    "like",
    "and",
    "or",
    "not",
    "is",
    "null",
    "true",
}
_RESERVED |= {"false", "json", "array", "metadata"}


def real(name: str) -> str:
    """Return the column that `safe` wrote as `name`."""
    return bytes.fromhex(name[2:]).decode() if name.startswith("x_") else name


def text_id(identity: Id) -> str:
    """Return an id as text for systems that know no others; `read_id` turns it back.

    Examples
    --------
    >>> [text_id(i) for i in (7, "7", "int:7")], read_id("int:7"), read_id("str:int:7")
    (['int:7', '7', 'str:int:7'], 7, 'int:7')
    """
    if isinstance(identity, int):
        return f"int:{identity}"
    return f"str:{identity}" if identity.startswith(("int:", "str:")) else identity


def read_id(text: str) -> Id:
    """Return the id that `text_id` wrote; a text that it did not write is an id as it stands."""
    if text.startswith("int:"):
        try:
            return int(text[4:])
        except ValueError:
            return text
    return text.removeprefix("str:")


def uuid_of(identity: Id) -> str:
    """Return the UUID under which an id is kept where ids must be UUIDs."""
    return str(uuid.uuid5(_SPACE, text_id(identity)))


def exact_in_double(system: str, types: Mapping[str, Type], columns: Mapping[str, Sequence[Any]]) -> None:
    """Refuse whole numbers that a system would round, because it keeps all numbers as 64-bit floats."""
    for name, kind in types.items():
        if kind == "integer" and any(v is not None and abs(v) > 2**53 for v in columns[name]):
            raise ParameterError(
                f"{system} keeps numbers as 64-bit floats: metadata column {name!r} has values beyond 2**53, "
                "which would be rounded; store them as text"
            )
