"""Two samples as one kind of numbers: what models that look at all columns at once are given.

Both sides are encoded alike and without a look at which side a row is of, so that no encoding tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.models import Kind
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.tables import Floats

#: Kinds that are one number or one category a row. A datetime is not: it tells any two periods apart.
COMPARED: tuple[Kind, ...] = ("numeric", "boolean", "categorical")
#: Categories of a column that have a code of their own; scikit-learn's histogram trees take 255 with one for null.
MOST_CATEGORIES = 250
#: Numbers beyond this are taken for it: squares of them are still finite.
_LARGEST = 1e100


@dataclass(frozen=True)
class Encoded:
    """Both sides as float matrices, NaN where null. `categorical` says which columns are codes 0, 1, …, not amounts."""

    names: tuple[str, ...]
    reference: Floats
    current: Floats
    categorical: npt.NDArray[np.bool_]


def encode(reference: pd.DataFrame, current: pd.DataFrame, kinds: Mapping[str, Kind]) -> Encoded:
    """Return the numeric, boolean and categorical columns that both sides have, as numbers.

    A category's code is its rank by frequency on both sides together; those beyond `MOST_CATEGORIES` share one. A
    column with the same value everywhere is left out. Infinite numbers become the largest there are.

    Raises
    ------
    DriftInputError
        When a kind is of no column of either side, or two columns have one name.

    Examples
    --------
    >>> import pandas as pd
    >>> a, b = pd.DataFrame({"x": ["u", "u", "v"]}), pd.DataFrame({"x": ["u", None]})
    >>> both = encode(a, b, {"x": "categorical"})
    >>> both.reference.ravel().tolist(), both.current.ravel().tolist()
    ([0.0, 0.0, 1.0], [0.0, nan])
    """
    names, left, right, codes = [], [], [], []
    for name in comparable(reference, current, kinds):
        kind, a, b = kinds[name], reference[name], current[name]
        if kind == "categorical" or not (_is_number(a) and _is_number(b)):
            one, two = _codes(a, b)
            coded = True
        else:
            one, two, coded = numbers(a), numbers(b), False
        if _constant(one, two):
            continue
        names.append(name)
        left.append(one)
        right.append(two)
        codes.append(coded)
    return Encoded(
        tuple(names),
        np.column_stack(left) if left else np.zeros((len(reference), 0)),
        np.column_stack(right) if right else np.zeros((len(current), 0)),
        np.array(codes, bool),
    )


def comparable(reference: pd.DataFrame, current: pd.DataFrame, kinds: Mapping[str, Kind]) -> list[str]:
    """Return the numeric, boolean and categorical columns that both sides have.

    Raises
    ------
    DriftInputError
        When a kind is of no column of either side, or two columns have one name.
    """
    known = [*reference.columns, *(c for c in current.columns if c not in set(reference.columns))]
    for name in kinds:
        if name not in known:
            raise DriftInputError(
                f"there is no column {name!r} on either side{hint(name, map(str, known))}; "
                "give kinds of columns there are"
            )
    for side, frame in (("reference", reference), ("current", current)):
        if not frame.columns.is_unique:
            twice = str(frame.columns[frame.columns.duplicated()][0])
            raise DriftInputError(f"the {side} has two columns called {twice!r}; give each a name of its own")
    here, there = set(reference.columns), set(current.columns)
    return [c for c, kind in kinds.items() if kind in COMPARED and c in here and c in there]


def numbers(column: pd.Series) -> Floats:
    """Return a column of numbers, booleans or times as floats: NaN where null, infinities made finite."""
    if column.dtype.kind in "Mm" or str(column.dtype).startswith(("datetime", "timedelta")):
        whole = column.astype("int64").to_numpy(np.float64)
        x = np.where(column.isna().to_numpy(), np.nan, whole)
    else:
        x = column.to_numpy(dtype=np.float64, na_value=np.nan)
    floats: Floats = np.clip(x, -_LARGEST, _LARGEST)
    return floats


def _is_number(column: pd.Series) -> bool:
    from pandas.api import types

    return bool(types.is_numeric_dtype(column.dtype)) and not bool(types.is_complex_dtype(column.dtype))


def _codes(a: pd.Series, b: pd.Series) -> tuple[Floats, Floats]:
    import pandas as pd

    both = pd.concat([labels(a), labels(b)], ignore_index=True)
    counts = both.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    found = counts.index.get_indexer(pd.Index(both)).astype(np.float64)
    found = np.where(found < 0, np.nan, np.minimum(found, MOST_CATEGORIES))
    return found[: len(a)], found[len(a) :]


def labels(column: pd.Series) -> pd.Series:
    """Return values as text, so that any kinds of values can be counted and sorted together; null stays null."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        return column
    text = column.astype(object).map(str, na_action="ignore")
    return text.where(column.notna().to_numpy(), None)


def _constant(a: Floats, b: Floats) -> bool:
    both = np.concatenate([a, b])
    there = ~np.isnan(both)
    if not there.any():
        return True
    first = both[there][0]
    return bool(there.all() and (both == first).all())


def some(n: int, most: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return which of `n` rows to take: all, or `most` of them at random, in their order."""
    if n <= most:
        return np.arange(n)
    return np.sort(generator.choice(n, most, replace=False))


def vectors(frame: pd.DataFrame, of: str | Sequence[str]) -> Floats:
    """Return an embedding as (rows, dimensions): a column of lists or arrays, or several columns of numbers.

    Rows with a null or an infinity in them are left out.

    Raises
    ------
    DriftInputError
        When the column is not there, or its vectors are of several lengths or not of numbers.
    """
    named = [of] if isinstance(of, str) else list(of)
    for name in named:
        if name not in frame.columns:
            raise DriftInputError(
                f"there is no embedding column {name!r}{hint(name, map(str, frame.columns))}; "
                "name a column of lists, or several columns of numbers"
            )
    if isinstance(of, str):
        rows = [v for v in frame[named[0]] if v is not None and np.ndim(v) == 1]
        lengths = {len(v) for v in rows}
        if len(lengths) > 1:
            raise DriftInputError(
                f"the vectors of {named[0]!r} have {min(lengths)} to {max(lengths)} numbers; give them one length"
            )
        if not rows and frame[named[0]].notna().any():
            raise DriftInputError(
                f"{named[0]!r} holds no vectors; name a column of lists or arrays of numbers"
            )
        try:
            x = np.asarray(rows, np.float64).reshape(len(rows), -1)
        except (TypeError, ValueError) as error:
            raise DriftInputError(
                f"the vectors of {named[0]!r} are not of numbers ({error}); give lists or arrays of numbers"
            ) from None
    else:
        x = np.column_stack([frame[name].to_numpy(np.float64, na_value=np.nan) for name in named])
    found: Floats = x[np.isfinite(x).all(axis=1)]
    return found


def one_length(*columns: pd.Series) -> bool:
    """Return whether columns hold vectors, all of one length.

    Examples
    --------
    >>> import pandas as pd
    >>> one_length(pd.Series([[1, 2], None]), pd.Series([[3, 4]])), one_length(pd.Series([[1], [1, 2]]))
    (True, False)
    """
    return len({len(v) if np.ndim(v) == 1 else -1 for c in columns for v in c if v is not None} - {-1}) == 1


def alone() -> Any:
    """Return a context in which models are trained and matrices multiplied on one thread.

    On samples of these sizes threads gain little, and where other work keeps the cores busy they wait for each other:
    measured at 2 threads on 2 busy cores, the domain classifier was 15 times slower, correlations 20 times.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
