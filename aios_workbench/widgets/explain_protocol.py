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
    LimeInfo,
    MethodInfo,
    ModelInfo,
    Scale,
    Subject,
    Task,
)
from aios_workbench.widgets.explain_pages import (
    AgreementPage,
    Axis,
    AxisInfo,
    Bar,
    Cell,
    Cohort,
    CohortInfo,
    CohortsPage,
    ColumnAgreement,
    ColumnPage,
    CurvePoint,
    DependencePage,
    Difference,
    EffectPage,
    GlobalPage,
    ImportanceBar,
    InteractionsPage,
    Packed,
    Picture,
    RowLine,
    RowOrder,
    RowPage,
    RowsPage,
    Scatter,
    Swarm,
    Text,
    Token,
    WhatIfPage,
    Written,
)
from aios_workbench.widgets.protocol import Abort, Done, Hello, Preview

#: The most columns a table, a change or a request may have.
_WIDE = 10_000
_Output = Annotated[int | None, Field(ge=0)]
_Row = Annotated[int, Field(ge=0)]
_Name = Annotated[str, Field(max_length=10_000)]


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
