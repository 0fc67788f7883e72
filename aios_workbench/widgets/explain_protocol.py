"""What the kernel and the browser say to each other about an explanation; `explain_protocol.ts` is generated from here.

The kernel shows an `ExplainView` (a trait): the explained output as a whole, a small beeswarm and a few rows, for where
nobody answers. All else is asked for. Nothing that is asked changes what another view of the widget shows, but a `Pin`,
which sends an `ExplainPatch`.

A column is told by its place in `ExplainView.columns`, a row by its position among the explained ones. Many numbers
travel as `Packed`: in a kernel's answer `buffer` is a place in the message's binary buffers (the client puts them on
the answer as `buffers`), elsewhere (in the view, in Panel) the bytes are `base64`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from aios_workbench._wire import Message
from aios_workbench.explain.models import (
    Agreement,
    Check,
    Column,
    ColumnKind,
    LimeInfo,
    MethodInfo,
    ModelInfo,
    Scale,
    Stopped,
    Subject,
    Task,
)
from aios_workbench.widgets.protocol import Abort, Done, Hello, Preview

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

#: The most columns a table, a change or a request may have.
_WIDE = 10_000
_Output = Annotated[int | None, Field(ge=0)]
_Row = Annotated[int, Field(ge=0)]
_Name = Annotated[str, Field(max_length=10_000)]


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


class Pinned(Message):
    """A picture that is to be in the model card."""

    picture: Picture
    title: str
    output: int
    row: int | None = None
    column: int | None = None


class Offers(Message):
    """What the kernel can do with this explanation; `why` says what is missing.

    `model`: what-if, effects and counterfactuals; `values`: the rows' own values; `lime`: there is a second opinion.
    """

    model: bool = False
    values: bool = False
    lime: bool = False
    interactions: bool = False
    why: str = ""


class ExplainView(Message):
    """The whole picture. `name` is the variable in the notebook, `unit` the scale in words ("probability of yes")."""

    id: str
    seq: int = 0
    name: str = "explanation"
    title: str = ""
    created_at: float = 0.0
    subject: Subject = "tabular"
    task: Task
    scale: Scale
    unit: str = ""
    outputs: list[str]
    output: int = 0
    rows: int
    columns: list[Column]
    model: ModelInfo
    method: MethodInfo
    lime: LimeInfo | None = None
    summary: str = ""
    checks: list[Check] = []
    page: GlobalPage
    swarm: Swarm | None = None
    scatter: Scatter | None = None
    pages: list[RowPage] = []
    pinned: list[Pinned] = []
    offers: Offers
    notes: list[str] = []
    seconds: float = 0.0
    cached: bool = False


class ExplainPatch(Message):
    """What differs from the view with `seq == base`."""

    base: int
    seq: int
    pinned: list[Pinned] = []


class ExplainRequest(Message):
    """Base of what the browser asks about an explanation. `output` is the one looked at; None: the view's."""

    id: int
    output: _Output = None


class AskGlobal(ExplainRequest):
    """Another output as a whole; answered by a `GlobalPage`."""

    kind: Literal["global"] = "global"


class AskSwarm(ExplainRequest):
    """A beeswarm of the most important columns (or of `columns`), with at most so many points in all."""

    kind: Literal["swarm"] = "swarm"
    top: int = Field(default=20, ge=1, le=200)
    columns: list[_Row] | None = Field(default=None, max_length=200)
    points: int = Field(default=100_000, ge=100, le=400_000)


class AskRow(ExplainRequest):
    """One row taken apart; bars of `most` columns."""

    kind: Literal["row"] = "row"
    row: _Row
    most: int = Field(default=60, ge=1, le=_WIDE)


class AskRows(ExplainRequest):
    """Rows for the picker: those with `search` in a value or in the label, of `among` alone where that is given."""

    kind: Literal["rows"] = "rows"
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=500)
    order: RowOrder = "row"
    column: int | None = Field(default=None, ge=0)
    descending: bool = False
    search: str = Field(default="", max_length=1_000)
    among: list[_Row] | None = Field(default=None, max_length=200_000)


class AskScatter(ExplainRequest):
    """A point for each row; default: predictions over the direction in which explanations differ most."""

    kind: Literal["scatter"] = "scatter"
    x: Axis = Axis(of="first")
    y: Axis = Axis(of="prediction")
    colour: Axis | None = None
    points: int = Field(default=20_000, ge=100, le=200_000)


class AskDependence(ExplainRequest):
    """How a column's contribution depends on its value; `colour` None: the column it interacts with most."""

    kind: Literal["dependence"] = "dependence"
    column: _Row
    colour: int | None = Field(default=None, ge=0)
    points: int = Field(default=20_000, ge=100, le=200_000)


class AskEffect(ExplainRequest):
    """What is predicted when a column is set to one value after another; asks the model."""

    kind: Literal["effect"] = "effect"
    column: _Row
    lines: int = Field(default=30, ge=0, le=200)


class AskInteractions(ExplainRequest):
    """Interactions of the most important columns; may ask the model for long."""

    kind: Literal["interactions"] = "interactions"
    top: int = Field(default=12, ge=2, le=40)


class AskCohorts(ExplainRequest):
    """Why do these differ from those; `b` None: from all others."""

    kind: Literal["cohorts"] = "cohorts"
    a: Cohort
    b: Cohort | None = None


class AskWhatIf(ExplainRequest):
    """A row with other values, by column's place; a newer one of the same widget ends this one.

    `explain` False: only predicted, at once. `seconds`: the longest that explaining may take.
    """

    kind: Literal["what_if"] = "what_if"
    row: _Row
    changes: dict[int, Cell] = Field(max_length=1_000)
    explain: bool = True
    lime: bool = False
    seconds: float = Field(default=5.0, gt=0, le=600)
    most: int = Field(default=60, ge=1, le=_WIDE)


class AskAgreement(ExplainRequest):
    """SHAP against LIME; at most so many points."""

    kind: Literal["agreement"] = "agreement"
    points: int = Field(default=20_000, ge=100, le=200_000)


class AskColumn(ExplainRequest):
    """A column with all of its values."""

    kind: Literal["column"] = "column"
    column: _Row


class AskCounterfactual(ExplainRequest):
    """The nearest rows that would be predicted otherwise; `target`: a class or a number, None: the other side."""

    kind: Literal["counterfactual"] = "counterfactual"
    row: _Row
    target: _Name | float | None = None
    immutable: list[_Row] = Field(default=[], max_length=_WIDE)


class AskPrototypes(ExplainRequest):
    """Rows that are like this one and are explained alike."""

    kind: Literal["prototypes"] = "prototypes"
    row: _Row
    n: int = Field(default=5, ge=1, le=50)


class AskText(ExplainRequest):
    """Code, a picture, the page, the data or the model card; `raw`: with single rows' values."""

    kind: Literal["text"] = "text"
    what: Text
    picture: Picture = "overview"
    row: int | None = Field(default=None, ge=0)
    column: int | None = Field(default=None, ge=0)
    dark: bool = False
    raw: bool = False


class Pin(ExplainRequest):
    """Put a picture into the model card, or take it out again."""

    kind: Literal["pin"] = "pin"
    picture: Picture
    row: int | None = Field(default=None, ge=0)
    column: int | None = Field(default=None, ge=0)
    remove: bool = False


AnyExplainRequest = (
    Hello | Abort | AskGlobal | AskSwarm | AskRow | AskRows | AskScatter | AskDependence | AskEffect | AskInteractions
    | AskCohorts | AskWhatIf | AskAgreement | AskColumn | AskCounterfactual | AskPrototypes | AskText | Pin
)  # fmt: skip

#: Reads what the browser sent.
REQUEST: TypeAdapter[AnyExplainRequest] = TypeAdapter(
    Annotated[AnyExplainRequest, Field(discriminator="kind")]
)

#: What each kind of request is answered with, besides those of `protocol.py`.
ANSWERS: dict[type[ExplainRequest], type[Message]] = {
    AskGlobal: GlobalPage,
    AskSwarm: Swarm,
    AskRow: RowPage,
    AskRows: RowsPage,
    AskScatter: Scatter,
    AskDependence: DependencePage,
    AskEffect: EffectPage,
    AskInteractions: InteractionsPage,
    AskCohorts: CohortsPage,
    AskWhatIf: WhatIfPage,
    AskAgreement: AgreementPage,
    AskColumn: ColumnPage,
    AskCounterfactual: Preview,
    AskPrototypes: Preview,
    AskText: Written,
    Pin: Done,
}

#: In the order they are written to `explain_protocol.ts`.
MODELS: tuple[type[Message], ...] = (
    Column, ModelInfo, MethodInfo, LimeInfo, Check, Agreement, Packed, ImportanceBar, GlobalPage, Swarm, Bar, Token,
    RowPage, RowLine, RowsPage, Axis, AxisInfo, Scatter, CurvePoint, DependencePage, EffectPage, InteractionsPage,
    Cohort, CohortInfo, Difference, CohortsPage, WhatIfPage, ColumnAgreement, AgreementPage, ColumnPage, Written,
    Pinned, Offers, ExplainView, ExplainPatch, *ANSWERS,
)  # fmt: skip
