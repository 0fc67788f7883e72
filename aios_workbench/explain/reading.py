"""Tables of any kind read as frames, and single columns as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.models import ColumnKind

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

_MICRO = 1e6
#: Beyond this a float no longer holds every whole number.
_EXACT = 2**53


def table(rows: Any, names: Sequence[Any] | None, what: str) -> pd.DataFrame:
    """Read what is no pandas frame; see `space.as_frame`."""
    import pandas as pd

    if isinstance(rows, (str, Path)):
        return _file(Path(rows).expanduser(), what)
    if isinstance(rows, Mapping):
        one = not any(isinstance(v, (list, tuple, np.ndarray, pd.Series)) for v in rows.values())
        return pd.DataFrame([rows]) if one else pd.DataFrame(dict(rows))
    if isinstance(rows, (list, tuple)) and rows and isinstance(rows[0], Mapping):
        return pd.DataFrame(list(rows))
    if hasattr(rows, "collect") and hasattr(rows, "lazy"):  # a polars query
        rows = rows.collect()
    if hasattr(rows, "to_pandas"):  # polars, Arrow
        made = rows.to_pandas()
        return made if isinstance(made, pd.DataFrame) else made.to_frame()
    return _array(rows.toarray() if hasattr(rows, "toarray") else rows, names, what)


def _array(rows: Any, names: Sequence[Any] | None, what: str) -> pd.DataFrame:
    import pandas as pd

    try:
        x = np.asarray(rows)
    except ValueError as e:
        raise ExplainInputError(f"the {what} are no table ({e}); give a data frame or an array") from e
    if x.ndim == 1 and x.size and (names is None or len(names) == len(x)):
        x = x[None]
    if x.ndim != 2 or x.dtype.names is not None:
        raise ExplainInputError(
            f"the {what} are {type(rows).__name__} of shape {x.shape}; give a data frame, or an array (rows, columns)"
        )
    if names is not None and len(names) != x.shape[1]:
        raise ExplainInputError(
            f"the {what} have {x.shape[1]} columns and the model takes {len(names)}: "
            f"{', '.join(map(str, names[:20]))}"
        )
    frame = pd.DataFrame(
        x, columns=list(names) if names is not None else [f"x{i}" for i in range(x.shape[1])]
    )
    return frame.infer_objects() if x.dtype == np.object_ else frame


def _file(path: Path, what: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path) if path.suffix in (".parquet", ".pq") else pd.read_csv(path)
    except FileNotFoundError as e:
        raise ExplainInputError(f"the {what} are to be read from {path}, which is not there") from e
    except (OSError, ValueError) as e:
        raise ExplainInputError(f"the {what} cannot be read from {path}: {e}") from e


def names(labels: Iterable[Any]) -> list[str]:
    """Return labels as texts that differ.

    Examples
    --------
    >>> names([1, "1", "age"])
    ['1', '1 (2)', 'age']
    """
    out: list[str] = []
    for label in labels:
        name, n = str(label), 2
        while name in out:
            name, n = f"{label} ({n})", n + 1
        out.append(name)
    return out


def kind_of(values: pd.Series[Any]) -> ColumnKind:
    """Return what a column holds.

    Examples
    --------
    >>> import pandas as pd
    >>> kind_of(pd.Series([True, None, False])), kind_of(pd.Series(["a", "b"])), kind_of(pd.Series([1, 2.5]))
    ('boolean', 'categorical', 'numeric')
    """
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if pd.api.types.is_numeric_dtype(dtype):
        # a number a float cannot hold is a name, not an amount
        whole = pd.api.types.is_integer_dtype(dtype) and len(values)
        return "categorical" if whole and values.abs().max() > _EXACT else "numeric"
    there = values.dropna()
    if dtype == np.object_ and len(there):
        types = {type(v) for v in there}
        if types <= {bool, np.bool_}:
            return "boolean"
        if all(issubclass(t, (int, float, np.number)) and t is not bool for t in types):
            return "numeric"
        if hasattr(next(iter(there)), "as_tuple") and len(types) == 1:  # decimals
            return "numeric"
        if pd.api.types.infer_dtype(there) in ("datetime", "datetime64", "date"):
            return "datetime"
    return "text" if _free_text(there) else "categorical"


def _free_text(values: pd.Series[Any]) -> bool:
    if len(values) < 20 or not all(isinstance(v, str) for v in values):
        return False
    if values.nunique() / len(values) <= 0.2:
        return False
    words = [len(re.findall(r"\S+", v)) for v in values]
    return float(np.mean(words)) >= 3 and float(values.str.len().mean()) >= 20


def numbers(values: pd.Series[Any], name: str) -> Floats:
    """Return a column of numbers or truth values as floats, (n,); missing ones are NaN."""
    import pandas as pd

    try:
        if values.dtype == np.object_:
            out = np.array(
                [np.nan if gone else float(v) for v, gone in zip(values, pd.isna(values), strict=True)]
            )
        else:
            out = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as e:
        raise ExplainInputError(
            f"column {name!r} holds numbers in the background and something else in the rows ({e}); give both the same "
            f'type, or say kinds={{{name!r}: "categorical"}}'
        ) from e
    return out.astype(np.float64)


def seconds(values: pd.Series[Any], name: str) -> Floats:
    """Return a column of dates or moments as seconds since 1970 in UTC, (n,), to the microsecond."""
    import pandas as pd

    try:
        moments = pd.to_datetime(values, utc=True)
    except (TypeError, ValueError) as e:
        raise ExplainInputError(
            f"column {name!r} holds moments in the background and something else in the rows ({e})"
        ) from e
    # whole microseconds: as nanoseconds a float would round
    micro = moments.dt.as_unit("us").astype("int64").to_numpy() / _MICRO
    out: Floats = np.where(moments.isna().to_numpy(), np.nan, micro)
    return out


def typed(x: Floats, kind: ColumnKind, dtype: Any, null: Any) -> pd.Series[Any]:
    """Return numbers as a column of the user's type, where they fit it."""
    import pandas as pd

    missing = np.isnan(x)
    if kind == "datetime":
        return _moments(x, missing, dtype, null)
    if dtype == np.object_:
        if kind == "boolean":
            found = [null if gone else bool(v > 0.5) for v, gone in zip(x, missing, strict=True)]
            return pd.Series(found, dtype=object)
        return pd.Series(
            [null if gone else v for v, gone in zip(x.tolist(), missing, strict=True)], dtype=object
        )
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        whole = pd.api.types.is_integer_dtype(dtype)
        if whole and not (x[~missing] == np.round(x[~missing])).all():
            return pd.Series(x)
        values: list[Any] = (x > 0.5).tolist() if kind == "boolean" else x.tolist()
        boxed: Any = [None if gone else v for v, gone in zip(values, missing, strict=True)]
        return pd.Series(boxed, dtype=dtype)
    if kind == "boolean":
        if missing.any() or dtype.kind != "b":
            return pd.Series(x if dtype.kind != "b" else np.where(missing, np.nan, x))
        return pd.Series(x > 0.5)
    if dtype.kind in "iu" and (missing.any() or not (x == np.round(x)).all()):
        return pd.Series(x)
    return pd.Series(x.astype(dtype))


def _moments(x: Floats, missing: npt.NDArray[np.bool_], dtype: Any, null: Any) -> pd.Series[Any]:
    import pandas as pd

    micro = np.where(missing, 0, np.round(x * _MICRO)).astype("int64")
    moments = pd.Series(micro.astype("datetime64[us]")).mask(missing)
    if dtype == np.object_:
        plain = [null if gone else m.to_pydatetime() for m, gone in zip(moments, missing, strict=True)]
        return pd.Series(plain, dtype=object)
    zone = getattr(dtype, "tz", None)
    if zone is not None:
        moments = moments.dt.tz_localize("UTC").dt.tz_convert(zone)
    return moments.astype(dtype)
