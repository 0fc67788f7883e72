"""What is looked at of an explanation: its numbers by column, by row and by output, each computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aios_workbench.errors import ParameterError
from aios_workbench.explain.models import Column, Importance
from aios_workbench.widgets.drift_view import cut
from aios_workbench.widgets.explain_pages import AxisInfo, AxisOf, Cell
from aios_workbench.widgets.explain_protocol import Pinned

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.explanation import Arrays, Explanation
    from aios_workbench.explain.models import ExplanationData

    Floats = npt.NDArray[np.float64]

T = TypeVar("T")

#: A name is to be told apart, not read.
NAME = 400
#: Rows of which the directions of the explanations are learned.
_LEARNED = 5_000
_TITLES: dict[AxisOf, str] = {
    "surprise": "how far the prediction lies from the base", "agreement": "agreement of SHAP and LIME",
    "outside": "share of training rows that are less unusual", "first": "first direction of the explanations",
    "second": "second direction of the explanations",
}  # fmt: skip


class Looked:
    """An explanation as a screen asks about it. Safe on any thread.

    Parameters
    ----------
    explanation : Explanation
        What is shown.
    name : str
        The variable that holds it in the notebook.
    """

    def __init__(self, explanation: Explanation, name: str = "explanation") -> None:
        self.explanation, self.name = explanation, name
        self._guard = threading.RLock()
        self._kept: dict[Any, Any] = {}

    @property
    def data(self) -> ExplanationData:
        """What is not an array."""
        return self.explanation.data

    @property
    def arrays(self) -> Arrays:
        """The numbers."""
        return self.explanation.arrays

    @property
    def pinned(self) -> list[Pinned]:
        """Pictures that are to be in the model card; kept with the explanation, for the card to read."""
        return [Pinned.model_validate(p) for p in self.explanation.extra.get("pinned", [])]

    @property
    def unit(self) -> str:
        """What the numbers are, in words."""
        return self.unit_of(self.data.output)

    def unit_of(self, output: int) -> str:
        """Return what the numbers of an output are, in words: "log-odds of yes"."""
        from aios_workbench.explain import names

        said = names.SCALES[self.data.scale]
        if self.data.task not in ("binary", "multiclass"):
            return said
        return f"{said} of {cut(self.data.outputs[output], 80)}"

    # -- places

    def output(self, at: int | None) -> int:
        """Return the place of the output that is meant."""
        from aios_workbench.explain import rows

        return rows.output_place(self.data, at)

    def column(self, at: int) -> int:
        """Return a column's place, if there is such a column."""
        if at >= len(self.data.columns):
            raise ParameterError(f"there is no column {at}; there are {len(self.data.columns):,}")
        return at

    def row(self, at: int) -> int:
        """Return a row's position, if there is such a row."""
        if at >= len(self.arrays.values):
            raise ParameterError(
                f"there is no row {at:,}; {len(self.arrays.values):,} rows were explained, from 0 on"
            )
        return at

    # -- numbers

    def importance(self, output: int) -> list[tuple[int, Importance]]:
        """Return all columns' places with their importance, the most important first."""
        from aios_workbench.explain import importances

        def made() -> list[tuple[int, Importance]]:
            if not len(self.arrays.values) and output == self.data.output and self.data.importance:
                names = [c.name for c in self.data.columns]  # stored without single values
                return [(names.index(i.column), i) for i in self.data.importance]
            # by place: names may be alike
            places = [str(j) for j in range(len(self.data.columns))]
            return [(int(i.column), i) for i in importances.importance(self.arrays, places, output=output)]

        return self._once(("importance", output), made)

    def order(self, output: int) -> list[int]:
        """Return the places of the columns, the most important first."""
        return [at for at, _ in self.importance(output)]

    def numbers(self, at: int) -> Floats:
        """Return a column's values as numbers, (n,): of a category its place in `Column.values`, NaN for none."""
        return self._once(("numbers", at), lambda: self._numbers(at))

    def agreement(self, output: int) -> Floats:
        """Return how far SHAP and LIME agree on each row, (n,); NaN where LIME did not explain it."""
        import numpy as np

        from aios_workbench.explain import agreement

        def made() -> Floats:
            found = np.full(len(self.arrays.values), np.nan)
            a = self.arrays
            if a.lime is not None and a.lime_rows is not None and len(a.lime_rows):
                k = agreement.top(a.values.shape[1], self.data.lime.top if self.data.lime else 5)
                both = agreement.of_rows(a.values[a.lime_rows, :, output], a.lime[:, :, output], k)
                found[a.lime_rows] = both.score
            return found

        return self._once(("agreement", output), made)

    def surprise(self, output: int) -> Floats:
        """Return how far each row's prediction lies from the base, in its usual distance, (n,)."""
        from aios_workbench.explain import ranking

        return self._once(("surprise", output), lambda: abs(ranking.surprise(self.explanation, output)))

    def direction(self, output: int, which: int) -> Floats:
        """Return where each row lies along a direction in which explanations differ most, (n,)."""
        return self._once(("directions", output), lambda: _directions(self.arrays.values[:, :, output]))[
            which
        ]

    def axis(self, of: AxisOf, column: int | None, output: int) -> tuple[Floats, AxisInfo]:
        """Return what is shown along an axis: a number for each row, and its label.

        Raises
        ------
        ParameterError
            When there is nothing to show: no such column, no values, no LIME.
        """
        import numpy as np

        if of in ("value", "shap", "lime"):
            if column is None:
                raise ParameterError(f"an axis of {of} needs a column")
            at = self.column(column)
            name = cut(self.data.columns[at].name, NAME)
            if of == "value":
                return self.numbers(at), self._value_axis(at)
            if of == "shap":
                return self.arrays.values[:, at, output], AxisInfo(of=of, column=at, title=f"SHAP of {name}")
            a = self.arrays
            if a.lime is None or a.lime_rows is None:
                raise ParameterError("LIME did not explain these rows; explain with lime=True")
            found = np.full(len(a.values), np.nan)
            found[a.lime_rows] = a.lime[:, at, output]
            return found, AxisInfo(of=of, column=at, title=f"LIME of {name}")
        made: dict[str, Callable[[], Floats]] = {
            "prediction": lambda: self.arrays.predictions[:, output],
            "surprise": lambda: self.surprise(output), "agreement": lambda: self.agreement(output),
            "outside": self._outside,
            "first": lambda: self.direction(output, 0), "second": lambda: self.direction(output, 1),
        }  # fmt: skip
        title = self.unit_of(output) if of == "prediction" else _TITLES[of]
        return made[of](), AxisInfo(of=of, title=title)

    def cells(self, row: int, columns: list[int]) -> list[Cell]:
        """Return a row's values; none where raw rows are not at hand."""
        frame = self.explanation.frame
        if frame is None:
            return []
        kinds = self.data.columns
        return [as_cell(frame.iat[row, j], kinds[j]) if j < frame.shape[1] else None for j in columns]

    def label(self, row: int) -> str:
        """Return a row's label."""
        from aios_workbench.explain.names import value_text

        frame = self.explanation.frame
        label = row if frame is None else frame.index[row]
        return str(label) if isinstance(label, int) else value_text(label)

    def labels(self) -> list[str]:
        """Return all rows' labels in lower case, for searching and sorting."""
        n = len(self.arrays.values)
        return self._once("labels", lambda: [self.label(i).casefold() for i in range(n)])

    # -- inside

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        with self._guard:
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found

    def _outside(self) -> Floats:
        import numpy as np

        found = self.arrays.outside
        return np.full(len(self.arrays.values), np.nan) if found is None else found

    def _value_axis(self, at: int) -> AxisInfo:
        c = self.data.columns[at]
        values = [cut(v, 60) for v in c.values]
        if c.kind in ("categorical", "text") and bool((self.numbers(at) >= len(values)).any()):
            values.append("other")
        return AxisInfo(of="value", column=at, title=cut(c.name, NAME), kind=c.kind, values=values)

    def _numbers(self, at: int) -> Floats:
        import numpy as np
        import pandas as pd

        frame, column = self.explanation.frame, self.data.columns[at]
        if frame is None:
            raise ParameterError(
                "this explanation was stored without its rows: their values are not known here"
            )
        values = frame.iloc[:, at]
        if column.kind in ("categorical", "text"):
            codes, found = pd.factorize(values, use_na_sentinel=True)
            known = {v: i for i, v in enumerate(column.values)}
            places = np.array([*(known.get(str(v), len(known)) for v in found), np.nan], np.float64)
            made: Floats = places[codes]
            return made
        from aios_workbench.explain import reading

        read = reading.seconds if column.kind == "datetime" else reading.numbers
        made = read(values, column.name)
        return np.where(np.isfinite(made), made, np.nan)


def as_cell(value: Any, column: Column) -> Cell:
    """Return a value as it is sent: a number, a truth value, a time in seconds, else text; None for none."""
    from aios_workbench.explain.names import number_of

    if column.kind in ("categorical", "text"):
        import pandas as pd

        return None if pd.api.types.is_scalar(value) and pd.isna(value) else cut(str(value), 500)
    number = number_of(value)
    if column.kind == "boolean" and number is not None:
        return bool(number)
    if number is None and isinstance(value, str):
        return cut(value, 500)
    return number


def _directions(values: Floats) -> tuple[Floats, Floats]:
    """Return the first two principal components of contributions, (n,) each; their signs do not depend on chance."""
    import numpy as np

    n = len(values)
    if n < 2 or values.shape[1] == 0:
        return np.zeros(n), np.zeros(n)
    centred = values - values.mean(axis=0)
    learned = centred[np.linspace(0, n - 1, min(n, _LEARNED)).astype(int)]
    _, axes = np.linalg.eigh(learned.T @ learned)
    out = []
    for i in (1, 2):
        axis = axes[:, -i] if i <= axes.shape[1] else np.zeros(values.shape[1])
        # towards higher predictions
        out.append(centred @ (axis if axis.sum() >= 0 else -axis))
    return out[0], out[1]
