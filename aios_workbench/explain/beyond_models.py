"""What the questions beyond attribution answer with, as data; each has its words, and a table where it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aios_workbench._wire import Message
from aios_workbench.drift.models import Measured
from aios_workbench.explain.models import ColumnKind, RowExplanation, Scale

if TYPE_CHECKING:
    import pandas as pd

#: `differs`: by more than chance, with many questions reckoned in. `few`: not enough data to tell. `reference`: what is
#: compared with.
Finding = Literal["differs", "same", "few", "reference"]


class Answer(Message):
    """An answer in `words`, with what a reader has to know in `notes`."""

    words: str
    notes: list[str] = []

    def __repr__(self) -> str:
        return "\n".join([self.words, *self.notes])

    __str__ = __repr__


class Condition(Message):
    """Rows whose `column` is from `low` up to, but not including, `high`, or one of `values`, or null.

    Bounds of None are open; datetimes are in seconds since 1970. `closed`: `high` belongs to it.
    """

    column: str
    low: float | None = None
    high: float | None = None
    closed: bool = False
    values: list[str] | None = None
    null: bool = False
    words: str = ""


# ------------------------------------------------------------ interactions, dependence


class Pair(Message):
    """Two columns' interaction: what both together do beyond what each does, over the explained rows.

    `value` is the root mean square of the Shapley interaction index, without what sampling noise would show; between
    `low` and `high` at 95 %. `signed` is its mean. `found`: more than chance, and
    of exact ones more than a trifle.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    signed: float
    found: bool


class Interactions(Answer):
    """How strongly pairs of columns act together; `matrix` holds `Pair.value` in the order of `columns`."""

    output: str
    scale: Scale
    columns: list[str]
    matrix: list[list[float]]
    pairs: list[Pair]
    method: Literal["tree", "sampling"]
    exact: bool
    rows: int
    samples: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    stopped: Literal["done", "budget", "cancelled"] = "done"

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each pair, the strongest first."""
        return frame_of(self.pairs)


class Bin(Message):
    """A stretch of the axis: mean of the contributions of its `rows`, with its interval; None of too few rows."""

    label: str
    at: float
    low: float | None = None
    high: float | None = None
    rows: int
    mean: Measured | None


class Colour(Message):
    """A column that may colour the points: the `share` of what `column` leaves unexplained that it explains."""

    column: str
    share: float


class Dependence(Answer):
    """Each row's contribution of a column against its value.

    `x` are numbers, of a category its place in `categories`; None is null. `shade` is the same of the colouring
    column. `position` says which explained row a point is. `colours` are candidates, the best first.
    """

    column: str
    kind: ColumnKind
    output: str
    scale: Scale
    position: list[int]
    x: list[float | None]
    y: list[float]
    error: list[float] | None = None
    categories: list[str] = []
    color: str | None = None
    color_kind: ColumnKind | None = None
    shade: list[float | None] | None = None
    color_categories: list[str] = []
    colours: list[Colour] = []
    trend: list[Bin] = []
    rows: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each point."""
        import pandas as pd

        x = [None if v is None else self.categories[int(v)] for v in self.x] if self.categories else self.x
        return pd.DataFrame({"position": self.position, "value": x, "contribution": self.y})


# ------------------------------------------------------------ cohorts


class CohortColumn(Message):
    """What a column adds to the difference of two cohorts' mean predictions.

    `a` and `b` are mean contributions, `difference` is a - b; `part` its share of the whole difference. `typical_a` and
    `typical_b` are the middle or the most frequent values, as text.
    """

    column: str
    a: float
    b: float
    difference: Measured
    part: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    finding: Finding
    typical_a: str = ""
    typical_b: str = ""


class Cohorts(Answer):
    """Why two groups of rows are predicted differently: the columns' differences add up to the predictions'."""

    a: str
    b: str
    rows_a: int
    rows_b: int
    output: str
    scale: Scale
    prediction_a: Measured | None
    prediction_b: Measured | None
    difference: Measured | None
    columns: list[CohortColumn]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each column, the one that adds most first."""
        return frame_of(self.columns, "column")


# ------------------------------------------------------------ one row: changes, neighbours


class Change(Message):
    """A column's value before and after, as text and, where they are numbers, as numbers."""

    column: str
    before: str
    after: str
    before_number: float | None = None
    after_number: float | None = None


class Counterfactual(Message):
    """A row that differs in `changes` and reaches the target: `prediction` is the model's own of exactly that row.

    `distance` counts a category as 1 and a number by how many of the background's rows lie between. `plausible` is the
    share of background rows that lie at least as far from the rest as this one does; near 0: there is none like it.
    """

    changes: list[Change]
    prediction: float
    probability: float | None = None
    distance: float
    plausible: float | None = None


class Counterfactuals(Answer):
    """The least changes of a row that lead to another prediction; empty `found` when none does within the limits."""

    row: int
    label: str
    output: str
    scale: Scale
    prediction: float
    low: float | None
    high: float | None
    target: str
    found: list[Counterfactual]
    fixed: list[str] = []
    nearest: float | None = None
    evaluations: int = 0
    seconds: float = 0.0
    stopped: Literal["done", "budget", "cancelled"] = "done"

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each counterfactual; columns that stay are left empty."""
        import pandas as pd

        rows = [
            {c.column: c.after for c in f.changes}
            | {"(prediction)": f.prediction, "(distance)": f.distance, "(plausible)": f.plausible}
            for f in self.found
        ]
        return pd.DataFrame(rows)


class Shift(Message):
    """A column's contribution before and after a change."""

    column: str
    before: float
    after: float
    difference: float
    error: float | None = None
    changed: bool = False


class WhatIf(Answer):
    """A row as it is and as it would be: both taken apart by the same explainer."""

    changes: list[Change]
    before: RowExplanation
    after: RowExplanation
    prediction: Measured
    columns: list[Shift]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each column, the one whose contribution moved most first."""
        return frame_of(self.columns, "column")


class Neighbour(Message):
    """A row like the one asked about. `position` is in the background, or in the explained rows."""

    position: int
    label: str
    distance: float
    prediction: float
    values: dict[str, str]
    differs: list[str]


class Prototypes(Answer):
    """The rows nearest to a row: `like` are predicted alike, `unlike` are the nearest that are predicted otherwise."""

    row: int
    label: str
    output: str
    scale: Scale
    prediction: float
    by: Literal["values", "contributions"]
    among: int
    like: list[Neighbour]
    unlike: list[Neighbour]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each neighbour."""
        import pandas as pd

        sides = (("like", self.like), ("unlike", self.unlike))
        return pd.DataFrame(
            [
                {"side": side, "distance": n.distance, "prediction": n.prediction} | n.values
                for side, found in sides
                for n in found
            ]
        )


# ------------------------------------------------------------ effects over all rows


class PartialDependence(Answer):
    """The mean prediction if a column had another value in every row, and single rows' curves.

    `grid` holds numbers, of a category its place in `categories`. `curves` (ICE) has a list over the grid for each row
    of `position`. `share` is the part of the background's rows at or near each point of the grid.
    """

    column: str
    kind: ColumnKind
    output: str
    scale: Scale
    grid: list[float]
    categories: list[str] = []
    mean: list[Measured]
    share: list[float]
    position: list[int]
    curves: list[list[float]]
    rows: int
    evaluations: int = 0
    stopped: Literal["done", "budget", "cancelled"] = "done"

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each point of the grid."""
        import pandas as pd

        x = [self.categories[int(v)] for v in self.grid] if self.categories else self.grid
        return pd.DataFrame(
            [
                {"value": v} | m.model_dump() | {"share": s}
                for v, m, s in zip(x, self.mean, self.share, strict=True)
            ]
        )


class Permuted(Message):
    """How much worse the model gets when a column, or a group of columns, is shuffled: increase of the loss."""

    column: str
    columns: list[str]
    loss: Measured
    p_value: float | None = None
    finding: Finding


class PermutationImportance(Answer):
    """What the model loses without each column. `metric` is the loss; `loss` that of the model as it is."""

    metric: str
    loss: Measured
    columns: list[Permuted]
    rows: int
    repeats: int
    evaluations: int = 0
    stopped: Literal["done", "budget", "cancelled"] = "done"

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each column, the one that is missed most first."""
        import pandas as pd

        rows = [{"column": p.column} | p.loss.model_dump() | {"finding": p.finding} for p in self.columns]
        return pd.DataFrame(rows).set_index("column")


def frame_of(messages: list[Any], index: str | None = None) -> pd.DataFrame:
    """Flatten messages: a `Measured` becomes its value, low and high."""
    import pandas as pd

    rows = []
    for message in messages:
        row: dict[str, Any] = {}
        for name in type(message).model_fields:
            value = getattr(message, name)
            if isinstance(value, Measured):
                row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            else:
                row[name] = value
        rows.append(row)
    frame = pd.DataFrame(rows)
    return frame.set_index(index) if index and len(frame) else frame
