"""What the kernel answers about an explanation, page by page; see `explain_protocol`.

A column is told by its place in `ExplainView.columns`, a row by its position among the explained ones. Many numbers
travel as `Packed`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aios_workbench._wire import Message
from aios_workbench.explain.models import Agreement, Column, ColumnKind, Stopped

#: What a picture can be of.
Picture = Literal[
    "overview", "importance", "beeswarm", "waterfall", "force", "compare", "dependence", "agreement", "interactions"
]  # fmt: skip
#: What can be taken away as a file or to be copied.
Text = Literal["code", "html", "json", "svg", "png", "card"]
#: What an axis is of: `first` and `second` are the directions in which explanations differ most (PCA of SHAP values).
AxisOf = Literal[
    "value", "shap", "lime", "prediction", "surprise", "agreement", "outside", "first", "second"
]  # fmt: skip
#: What rows are sorted by; `value` and `shap` are of a column.
RowOrder = Literal["row", "label", "prediction", "surprise", "agreement", "outside", "value", "shap"]
#: A single value; a datetime in seconds since 1970.
Cell = bool | float | str | None

_Row = Annotated[int, Field(ge=0)]


class Packed(Message):
    """Numbers as bytes, little-endian: codes from 0 to `top` stand for numbers from `low` to `high`, evenly.

    `i8` runs from -127 to 127, `u32` are numbers themselves (`top` 0). `missing` is the code of what is no number.
    """

    dtype: Literal["u8", "i8", "u16", "u32"]
    length: int
    low: float = 0.0
    high: float = 1.0
    top: int = 0
    missing: int | None = None
    base64: str | None = None
    buffer: int | None = None


class ImportanceBar(Message):
    """How much a column counts over all rows: mean absolute contribution by SHAP and by LIME, standard errors."""

    at: int
    value: float
    error: float | None = None
    signed: float = 0.0
    lime: float | None = None
    lime_error: float | None = None
    lime_rank: int | None = None


class GlobalPage(Message):
    """An output as a whole; the most important column first."""

    output: int
    base: float
    importance: list[ImportanceBar]
    agreement: Agreement | None = None


class Swarm(Message):
    """A beeswarm: for each of `columns` a point for each of `rows`, so `columns` x `rows` points, column by column.

    `x` is the contribution, one scale for all columns. `colour` is the column's value: of a number 0 to 254 from its
    5 % to its 95 % quantile, of a category its place in `Column.values` (254: another); 255: none. `offset`, from -127
    to 127, is how far from the middle of its line a point lies so that none hides another. `of` rows there are.
    """

    output: int
    columns: list[int]
    of: int
    rows: Packed
    x: Packed
    colour: Packed
    offset: Packed


class Bar(Message):
    """A column's part in a row's prediction; `value` as text, `number` where it is one. Errors are standard errors."""

    at: int
    value: str
    number: float | None = None
    shap: float
    error: float | None = None
    lime: float | None = None
    lime_error: float | None = None
    agrees: bool | None = None


class Token(Message):
    """A piece of a text, in its order, white space included; `shap` is None of what was not explained."""

    text: str
    shap: float | None = None
    error: float | None = None
    lime: float | None = None
    agrees: bool | None = None


class RowPage(Message):
    """One row taken apart: `base`, all bars and `rest` make `prediction` (up to `gap`); the largest first.

    `rest` sums the columns that have no bar of their own (`left` of them). `values` are the row's, one for each column,
    for what-if; none where raw rows are not at hand. `image` is a data URI: the picture with what counts marked.
    """

    row: int
    label: str
    output: int
    base: float
    prediction: float
    gap: float = 0.0
    probabilities: dict[str, float] = {}
    bars: list[Bar]
    rest: float = 0.0
    left: int = 0
    lime_r2: float | None = None
    lime_intercept: float | None = None
    stability: float | None = None
    outside: float | None = None
    agreement: float | None = None
    surprise: float | None = None
    values: list[Cell] = []
    tokens: list[Token] = []
    image: str | None = None
    notes: list[str] = []


class RowLine(Message):
    """A row in the table of rows; `cells` are its values in the columns of the page."""

    row: int
    label: str
    prediction: float
    surprise: float | None = None
    agreement: float | None = None
    outside: float | None = None
    cells: list[Cell] = []


class RowsPage(Message):
    """Some of the rows: from `offset`, of `total` that were found. `columns` are those shown."""

    output: int
    offset: int
    total: int
    columns: list[int]
    lines: list[RowLine]


class Axis(Message):
    """What is shown along an axis, or as colour: of a column, or of the row as a whole (`column` is None then)."""

    of: AxisOf
    column: int | None = Field(default=None, ge=0)


class AxisInfo(Message):
    """An axis as it is labelled. Of a categorical one the numbers are places in `values`, from 0."""

    of: AxisOf
    column: int | None = None
    title: str
    kind: ColumnKind = "numeric"
    values: list[str] = []


class Scatter(Message):
    """A point for each of `rows`. A number that is missing has the code `missing`; such a point lies at the axis."""

    output: int
    of: int
    x_axis: AxisInfo
    y_axis: AxisInfo
    colour_axis: AxisInfo | None = None
    rows: Packed
    x: Packed
    y: Packed
    colour: Packed | None = None


class CurvePoint(Message):
    """A place on a curve with its 95 % interval; `x` is a place in the axis's values where it is categorical."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    n: int = 0


class DependencePage(Message):
    """How a column's contribution depends on its value; `curve` is the mean. `why` this colour and not another."""

    scatter: Scatter
    curve: list[CurvePoint] = []
    candidates: list[int] = []
    why: str = ""
    notes: list[str] = []


class EffectPage(Message):
    """What is predicted on average when a column is set to `x` in all rows (PDP), and for single rows (ICE)."""

    output: int
    axis: AxisInfo
    curve: list[CurvePoint]
    lines: list[list[float | None]] = []
    rows: list[int] = []
    notes: list[str] = []


class InteractionsPage(Message):
    """Mean absolute interaction of pairs: `strength[i][j]` of `columns[i]` and `columns[j]`; [i][i]: main effects."""

    output: int
    columns: list[int]
    strength: list[list[float | None]]
    errors: list[list[float | None]] = []
    rows: int
    method: str
    exact: bool = False
    seconds: float = 0.0
    stopped: Stopped = "done"
    notes: list[str] = []


class Cohort(Message):
    """Rows that are looked at together: those named, those of a value or a range (to below `high`), or all others."""

    name: str = Field(default="", max_length=200)
    rows: list[_Row] | None = Field(default=None, max_length=200_000)
    column: int | None = Field(default=None, ge=0)
    value: str | None = Field(default=None, max_length=10_000)
    low: float | None = None
    high: float | None = None


class CohortInfo(Message):
    """A cohort that was found: how many rows, and what is predicted for them on average, with a 95 % interval."""

    name: str
    rows: int
    prediction: float
    low: float | None = None
    high: float | None = None


class Difference(Message):
    """A column's part in the difference of two cohorts (a minus b), with a 95 % interval; `clear`: it excludes 0."""

    at: int
    a: float
    b: float
    difference: float
    low: float | None = None
    high: float | None = None
    clear: bool | None = None
    words: str = ""


class CohortsPage(Message):
    """Why these differ from those: the differences of all columns make the difference in predictions."""

    output: int
    a: CohortInfo
    b: CohortInfo
    differences: list[Difference]
    summary: str = ""
    notes: list[str] = []


class WhatIfPage(Message):
    """A row with other values: predicted anew, and explained anew where that was asked (`after` is None else)."""

    row: int
    output: int
    before: float
    prediction: float
    probabilities: dict[str, float] = {}
    after: RowPage | None = None
    outside: float | None = None
    seconds: float = 0.0
    notes: list[str] = []


class ColumnAgreement(Message):
    """How far both agree on a column over the rows both explained; `sign`: share of rows with the same sign."""

    at: int
    rank: float | None = None
    sign: float | None = None
    shap: float
    lime: float


class AgreementPage(Message):
    """SHAP against LIME: a point for each column of each row both explained, the columns of `rows[i]` after another.

    `points` have one scale for both axes; point p is of `rows[p // len(columns)]` and `columns[p % len(columns)]`.
    """

    output: int
    agreement: Agreement | None
    columns: list[int]
    rows: Packed
    shap: Packed
    lime: Packed
    by_column: list[ColumnAgreement] = []
    worst: list[RowLine] = []


class ColumnPage(Message):
    """A column with all of its values; the view has the most frequent ones only."""

    column: Column


class Written(Message):
    """Text to copy or to save as `file`; `base64` says that it is bytes in base64."""

    what: Text
    text: str
    file: str
    mime: str
    base64: bool = False
