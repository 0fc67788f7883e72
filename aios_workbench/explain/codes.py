"""Values of categorical columns as codes, and back as values of the column's own type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


@dataclass
class Codes:
    """Values of a categorical column by code, in the order in which they were met."""

    values: list[Any] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)

    def add(self, value: Any) -> int:
        """Return a value's code; a value nobody has seen is given the next one."""
        # 1, 1.0 and True are one key of a dict, but three values of a column
        key = (type(value), value)
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = len(self.values)
            self.values.append(value)
        return found


def null_of(values: pd.Series[Any]) -> Any:
    """Return what a missing value is in this column: None and NaN are different things to an encoder."""
    import pandas as pd

    if values.dtype != np.object_:
        return None
    missing = values[pd.isna(values)]
    return missing.iloc[0] if len(missing) else np.nan


def frequent(values: pd.Series[Any], name: str) -> list[Any]:
    """Return the values of a column, the most frequent first; those that are as frequent as they come."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        # a model may be asked about a category that the background happens not to have
        return list(values.value_counts(sort=True).index)
    try:
        counts: dict[Any, tuple[int, Any]] = {}
        for value in values[~pd.isna(values)]:
            key = (type(value), value)
            counts[key] = (counts.get(key, (0, None))[0] + 1, value)
    except TypeError as e:
        raise ExplainInputError(
            f"column {name!r} holds values that cannot be told apart ({e}); leave it out, or turn it into numbers or "
            "text"
        ) from e
    return [value for _, value in sorted(counts.values(), key=lambda c: -c[0])]


def coded(values: pd.Series[Any], codes: Codes, name: str) -> Floats:
    """Return a column's codes, (n,); missing values are NaN."""
    import pandas as pd

    try:
        if values.dtype == np.object_:
            # factorize takes 1 and True for the same
            missing = pd.isna(values).to_numpy()
            return np.array(
                [np.nan if gone else codes.add(v) for v, gone in zip(values, missing, strict=True)],
                np.float64,
            )
        places, found = pd.factorize(values)
    except TypeError as e:
        raise ExplainInputError(
            f"column {name!r} holds values that cannot be told apart ({e}); leave it out, or turn it into numbers or "
            "text"
        ) from e
    table = np.array([*(codes.add(v) for v in found), np.nan], dtype=np.float64)
    out: Floats = table[places]
    return out


def decoded(x: Floats, codes: Codes, dtype: Any, null: Any) -> pd.Series[Any]:
    """Return codes as values of the column's own type, where they fit it."""
    import pandas as pd

    missing = np.isnan(x)
    at = np.where(missing, 0, x).round().astype(np.int64).clip(0, max(len(codes.values) - 1, 0))
    if isinstance(dtype, pd.CategoricalDtype):
        whole = _widened(dtype, codes)
        places = whole.categories.get_indexer(pd.Index(codes.values, dtype=whole.categories.dtype))
        taken = np.where(missing, -1, places[at]) if len(places) else np.full(len(x), -1)
        made: pd.Series[Any] = pd.Series(pd.Categorical.from_codes(taken, dtype=whole))
        return made
    table = np.empty(len(codes.values) + 1, dtype=object)
    table[:-1], table[-1] = codes.values, null if dtype == np.object_ else None
    found = table[np.where(missing, -1, at)]
    series: pd.Series[Any]
    try:
        series = pd.Series(found, dtype=dtype)
    except (TypeError, ValueError):
        # nothing may be missing among whole numbers, and a text is none of them
        texts = any(isinstance(v, str) for v in codes.values)
        series = pd.Series(found, dtype=np.float64 if dtype.kind in "iub" and not texts else np.object_)
    return series


def _widened(dtype: pd.CategoricalDtype, codes: Codes) -> pd.CategoricalDtype:
    """Return the type with what else was met in the rows; a model may know it."""
    import pandas as pd

    known = pd.Index(dtype.categories)
    new = [v for v in codes.values if v not in known]
    if not new:
        return dtype
    return pd.CategoricalDtype(pd.Index([*known, *new]), ordered=dtype.ordered)
