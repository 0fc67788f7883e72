"""What a pipeline makes of the user's columns before its model sees them, and which column each number came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    #: For each encoded column the user's columns that are in it.
    Sources = list[frozenset[int]]

#: Transformers that write each column into one of its own.
_ONE_TO_ONE = frozenset({
    "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "QuantileTransformer", "PowerTransformer",
    "OrdinalEncoder", "Binarizer",
})  # fmt: skip
#: Rows on which a step that is not known shows which columns it mixes.
_PROBES = 200


@dataclass(frozen=True)
class Encoding:
    """Rows as the last step of a pipeline sees them.

    Attributes
    ----------
    sources : list of int
        For each encoded column the position of the one user's column it was made of.
    grouped : bool
        Some user's column became several encoded ones.
    """

    transform: Any
    sources: list[int]
    grouped: bool

    def of(self, frame: pd.DataFrame) -> Any:
        """Return rows as the model sees them."""
        return frame if self.transform is None else dense(self.transform.transform(frame))

    def back(self, values: Floats, columns: int) -> Floats:
        """Add up (n, encoded, K) per user's column: (n, columns, K)."""
        out = np.zeros((values.shape[0], columns, values.shape[2]))
        for at, source in enumerate(self.sources):
            out[:, source] += values[:, at]
        return out


class Mixed(Exception):
    """Encoded columns have several sources: attributions cannot be added up per column."""


def dense(x: Any) -> Any:
    """Return a sparse matrix as a full one; anything else as it is."""
    return x.toarray() if hasattr(x, "toarray") else x


def encoding(transform: Any | None, rows: pd.DataFrame) -> Encoding:
    """Find out of which column each encoded one is made.

    Parameters
    ----------
    transform
        A fitted transformer, or None: the model sees the user's columns themselves.
    rows : DataFrame
        Rows to look at; explained and background ones.

    Raises
    ------
    Mixed
        When a column is made of several, as by principal components, or of none.
    """
    columns = rows.shape[1]
    if transform is None:
        return Encoding(None, list(range(columns)), grouped=False)
    width = dense(transform.transform(rows.head(2))).shape[1]
    found = _known(transform, [frozenset({i}) for i in range(columns)], list(rows.columns))
    if found is None or len(found) != width:
        found = _probed(transform, rows)
    mixed = next((i for i, s in enumerate(found) if len(s) > 1), None)
    if mixed is not None:
        names = ", ".join(repr(str(rows.columns[i])) for i in sorted(found[mixed])[:3])
        raise Mixed(f"the pipeline mixes columns before the model sees them ({names} in one number)")
    if any(not s for s in found):
        raise Mixed("which column some of the pipeline's numbers are made of cannot be told")
    sources = [next(iter(s)) for s in found]
    return Encoding(transform, sources, grouped=len(set(sources)) < len(sources))


def _known(step: Any, inputs: Sources, names: Sequence[Any] | None) -> Sources | None:
    """Return the sources of a transformer's columns where its kind is known; None where it is not."""
    name = type(step).__name__
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return inputs
    if name == "Pipeline":
        made: Sources | None = inputs
        for _, inner in step.steps:
            made = _known(inner, made, names) if made is not None else None
            names = None
        return made
    if name == "ColumnTransformer":
        return _of_columns(step, inputs, names)
    if name == "OneHotEncoder":
        return [s for s, n in zip(inputs, step._n_features_outs, strict=True) for _ in range(n)]
    if name == "SimpleImputer":
        missing = [v is None or v != v for v in np.asarray(step.statistics_, dtype=object)]  # noqa: PLR0124
        kept = not any(missing) or step.keep_empty_features  # a column of nothing is left out
        return inputs if kept and not step.add_indicator else None
    if name in _ONE_TO_ONE:
        return inputs
    if hasattr(step, "get_support"):
        return [s for s, kept in zip(inputs, step.get_support(), strict=True) if kept]
    if len(inputs) == 1 and hasattr(step, "get_feature_names_out"):
        return inputs * len(step.get_feature_names_out())
    return None


def _of_columns(step: Any, inputs: Sources, names: Sequence[Any] | None) -> Sources | None:
    where = {name: i for i, name in enumerate(names)} if names is not None else {}
    known = list(getattr(step, "feature_names_in_", range(len(inputs))))
    parts: dict[int, Sources] = {}
    for name, inner, columns in step.transformers_:
        taken = step.output_indices_[name]
        if isinstance(inner, str) and inner == "drop":
            continue
        places = _places(columns, known, where, len(inputs))
        if places is None:
            return None
        given = [inputs[i] for i in places]
        # a text vectoriser takes one column, not a table of one
        made = _known(inner, given, None)
        if made is None or len(made) != taken.stop - taken.start:
            return None
        parts[taken.start] = made
    return [s for start in sorted(parts) for s in parts[start]]


def _places(columns: Any, known: list[Any], where: dict[Any, int], count: int) -> list[int] | None:
    """Return positions of columns as a ColumnTransformer names them: labels, positions, a mask, a slice."""
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            return None
        return list(range(count))[columns]
    listed = [columns] if isinstance(columns, (str, int)) else list(columns)
    if listed and all(isinstance(c, (bool, np.bool_)) for c in listed):
        listed = [i for i, kept in enumerate(listed) if kept]
    found = []
    for c in listed:
        label = known[c] if isinstance(c, (int, np.integer)) else c
        at = where.get(label, c if isinstance(c, (int, np.integer)) else None)
        if at is None:
            return None
        found.append(int(at))
    return found


def _probed(transform: Any, rows: pd.DataFrame) -> Sources:
    """Return the sources that show when columns are given other rows' values, one after the other."""
    some = rows.iloc[np.linspace(0, len(rows) - 1, min(len(rows), _PROBES)).astype(int)].reset_index(
        drop=True
    )
    before = dense(transform.transform(some))
    width = before.shape[1]
    out: list[set[int]] = [set() for _ in range(width)]
    for at in range(some.shape[1]):
        moved = some.copy()
        label = some.columns[at]
        # turned by more than one distance: values may repeat with a period
        for by in (1, max(1, len(some) // 3)):
            moved[label] = some[label].to_numpy()[np.roll(np.arange(len(some)), by)]
            moved[label] = moved[label].astype(some[label].dtype)
            for column in np.flatnonzero(_differs(before, dense(transform.transform(moved)))):
                out[column].add(at)
    return [frozenset(s) for s in out]


def _differs(a: Any, b: Any) -> npt.NDArray[np.bool_]:
    x, y = np.asarray(a, dtype=object), np.asarray(b, dtype=object)
    same = (x == y) | ((x != x) & (y != y))  # noqa: PLR0124 - NaN is not itself
    found: npt.NDArray[np.bool_] = ~same.astype(bool).all(axis=0)
    return found
