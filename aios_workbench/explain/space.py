"""The user's columns as a matrix of numbers that samplers can mix, and back again with the user's own types."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain.codes import Codes, coded, decoded, frequent, null_of
from aios_workbench.explain.models import Column, ColumnKind

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

#: Values of a categorical column that are named in `Column.values`.
NAMED = 50
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_KINDS: tuple[str, ...] = get_args(ColumnKind)


def as_frame(rows: Any, names: Sequence[Any] | None = None, *, what: str = "rows") -> pd.DataFrame:
    """Return rows, however they are given, as a pandas frame.

    Parameters
    ----------
    rows
        A pandas, polars or Arrow table, a Series (one row), a dict or a list of dicts, an array or a sparse matrix of
        shape (n, columns) or (columns,), or the path of a Parquet or CSV file.
    names : sequence, optional
        What an array's columns are called; ``x0``, ``x1`` and so on if not given.

    Raises
    ------
    ExplainInputError
        When these are no rows.

    Examples
    --------
    >>> as_frame([[1, 2], [3, 4]]).columns.tolist()
    ['x0', 'x1']
    """
    import pandas as pd

    from aios_workbench.explain import reading

    if isinstance(rows, pd.DataFrame):
        return _checked(rows, what)
    if isinstance(rows, pd.Series):
        return _checked(rows.to_frame().T.infer_objects(), what)
    return _checked(reading.table(rows, names, what), what)


def _checked(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ExplainInputError(
            f"the {what} have two columns called {str(twice[0])!r}; rename one: contributions are told by name"
        )
    if not len(frame.columns):
        raise ExplainInputError(f"the {what} have no columns; give the columns the model was trained on")
    return frame


@dataclass
class Space:
    """Which columns there are and how their values are written as numbers.

    Numbers stay numbers, truth values are 0 and 1, moments are seconds since 1970 in UTC, categories and texts are
    codes: 0 for the background's most frequent value, 1 for the next. A missing value is NaN.

    Attributes
    ----------
    columns : list of Column
    labels : list
        The frame's own labels, which need not be strings.

    Examples
    --------
    >>> import pandas as pd
    >>> space = Space.of(pd.DataFrame({"age": [30, 41], "city": ["Ulm", None]}))
    >>> space.encode(pd.DataFrame({"age": [50], "city": ["Bonn"]})).tolist()  # a category nobody has seen yet
    [[50.0, 1.0]]
    >>> space.decode([[41, 0]]).to_dict("records")
    [{'age': 41, 'city': 'Ulm'}]
    """

    columns: list[Column]
    labels: list[Any]
    dtypes: list[Any]
    nulls: list[Any]
    _codes: list[Codes | None]
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, background: Any, kinds: Mapping[str, ColumnKind] | None = None) -> Space:
        """Look at the background.

        Parameters
        ----------
        background
            Rows the model was trained on, or like those; whatever `as_frame` takes.
        kinds : mapping of str to str, optional
            Corrections of what columns hold: ``{"zip": "categorical"}``.

        Raises
        ------
        ExplainInputError
            When a column cannot be used, or `kinds` names what is not there.
        """
        from aios_workbench.explain import reading

        frame = as_frame(background, what="background rows")
        if not len(frame):
            raise ExplainInputError(
                "the background has no rows; give rows the model was trained on, or like those"
            )
        names = reading.names(frame.columns)
        given = dict(kinds or {})
        for name, kind in given.items():
            if name not in names:
                raise ExplainInputError(f"kinds: there is no column {name!r}{hint(str(name), names)}")
            if kind not in _KINDS:
                raise ExplainInputError(
                    f"kinds: {name!r} is to be {kind!r}{hint(str(kind), _KINDS)}; the kinds are {', '.join(_KINDS)}"
                )
        space = cls([], list(frame.columns), [], [], [])
        for name, (_, values) in zip(names, frame.items(), strict=True):
            kind = given.get(name) or reading.kind_of(values)
            space._add(name, kind, values)
        return space

    def _add(self, name: str, kind: ColumnKind, values: pd.Series[Any]) -> None:
        coded = kind in ("categorical", "text")
        codes = Codes() if coded else None
        self.dtypes.append(values.dtype)
        self.nulls.append(null_of(values))
        self._codes.append(codes)
        at = len(self.columns)
        self.columns.append(Column(name=name, kind=kind))
        if codes is not None:
            for value in frequent(values, name):
                codes.add(value)
        numbers = self._encoded(at, values)
        self.columns[at] = self._described(name, kind, numbers, codes)

    @staticmethod
    def _described(name: str, kind: ColumnKind, numbers: Floats, codes: Codes | None) -> Column:
        there = numbers[np.isfinite(numbers)]
        column = Column(name=name, kind=kind, nulls=float(np.isnan(numbers).mean()))
        if codes is not None:
            # texts are long, and rarely twice the same
            shown = [] if kind == "text" else [str(v) for v in codes.values[:NAMED]]
            return column.model_copy(update={"values": shown, "more": len(codes.values) - len(shown)})
        if kind == "boolean":
            return column.model_copy(
                update={"values": ["False", "True"], "low": 0.0, "high": 1.0, "whole": True}
            )
        if not len(there):
            return column
        return column.model_copy(
            update={
                "low": float(there.min()), "high": float(there.max()),
                "quantiles": [float(q) for q in np.quantile(there, _LEVELS)],
                "whole": bool((there == np.round(there)).all()),
            }
        )  # fmt: skip

    # -- what samplers ask

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> list[str]:
        """Names of the columns, as text."""
        return [c.name for c in self.columns]

    @property
    def categorical(self) -> list[int]:
        """Positions of columns whose numbers are only codes: categories, truth values, texts."""
        return [i for i, c in enumerate(self.columns) if c.kind in ("categorical", "boolean", "text")]

    def categories(self, at: int) -> list[Any]:
        """Return the values of a categorical column by code; of another an empty list."""
        codes = self._codes[at]
        return list(codes.values) if codes is not None else []

    def index(self, name: str) -> int:
        """Return a column's position.

        Raises
        ------
        ExplainInputError
            When there is none of that name.
        """
        names = self.names
        if name not in names:
            raise ExplainInputError(
                f"there is no column {name!r}{hint(name, names)}; there are: {', '.join(names[:20])}"
            )
        return names.index(name)

    # -- there and back

    def frame(self, rows: Any, *, what: str = "rows") -> pd.DataFrame:
        """Return rows as a frame with exactly these columns in this order.

        Raises
        ------
        ExplainInputError
            When a column is missing; columns that are not known are left out.
        """
        found = as_frame(rows, self.labels, what=what)
        missing = [label for label in self.labels if label not in found.columns]
        if missing:
            near = hint(str(missing[0]), [str(c) for c in found.columns])
            raise ExplainInputError(
                f"the {what} have no column {str(missing[0])!r}{near}; the model takes: "
                f"{', '.join(self.names[:20])}"
            )
        return found if list(found.columns) == self.labels else found[self.labels]

    def encode(self, rows: Any) -> Floats:
        """Return rows as numbers, (n, columns). Categories that are new are given a code of their own."""
        frame = self.frame(rows)
        out = np.empty((len(frame), len(self)), dtype=np.float64)
        for at, label in enumerate(self.labels):
            out[:, at] = self._encoded(at, frame[label])
        return out

    def _encoded(self, at: int, values: pd.Series[Any]) -> Floats:
        from aios_workbench.explain import reading

        column, codes = self.columns[at], self._codes[at]
        if codes is None:
            if column.kind == "datetime":
                return reading.seconds(values, column.name)
            return reading.numbers(values, column.name)
        with self._lock:
            return coded(values, codes, column.name)

    def decode(self, matrix: Any) -> pd.DataFrame:
        """Return numbers as rows in the user's columns and types.

        A number between two whole ones stays as it is, and its column becomes one of floats: a sampler drew it.

        Raises
        ------
        ExplainInputError
            When the shape is not (n, columns).
        """
        import pandas as pd

        from aios_workbench.explain import reading

        x = np.asarray(matrix, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self):
            raise ExplainInputError(f"a matrix of shape {x.shape} was given for {len(self)} columns")
        made = {}
        for at in range(len(self)):
            codes, dtype = self._codes[at], self.dtypes[at]
            if codes is None:
                made[at] = reading.typed(x[:, at], self.columns[at].kind, dtype, self.nulls[at])
            else:
                made[at] = decoded(x[:, at], codes, dtype, self.nulls[at])
        frame = pd.DataFrame(made)
        frame.columns = pd.Index(self.labels, dtype=None if _plain(self.labels) else object)
        return frame


def _plain(labels: list[Any]) -> bool:
    return all(isinstance(label, str) for label in labels) or all(type(label) is int for label in labels)
