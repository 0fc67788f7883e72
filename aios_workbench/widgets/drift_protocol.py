"""What the kernel and the browser say to each other about a drift report; `drift_protocol.ts` is generated from here.

The kernel shows a `DriftView` (a trait): a row for every column, small enough for a thousand of them. What a column's
page shows is asked for when it is opened; the pages of the first few are in the view, for where nobody answers.
Another threshold sends a `DriftPatch` with the verdicts that differ from the view's; a slice sends a new view.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from aios_workbench._wire import Message
from aios_workbench.drift.models import (
    Categories,
    Category,
    ColumnDrift,
    CorrelationChange,
    Discrepancy,
    DomainClassifier,
    Histogram,
    Importance,
    Kind,
    Measured,
    Multivariate,
    Performance,
    PerformanceWindow,
    Reconstruction,
    Role,
    Rules,
    SchemaChange,
    Side,
    SourceInfo,
    Statistic,
    StatisticName,
    StreamAlarm,
    Verdict,
    WindowDrift,
)
from aios_workbench.widgets.protocol import Abort, Done, Hello, Preview

#: What can be taken away as text.
Text = Literal["gate", "code", "contract", "html", "json"]


class Spark(Message):
    """Both sides as small bars, 0 to 99 of the highest; `values` where a bar is a value, not a range."""

    reference: list[int]
    current: list[int]
    values: bool = False


class DriftRow(Message):
    """A column in the table: what it is, how it is judged, and its main statistic.

    `trend` is its effect window by window, the last windows only; `marks` has a letter for each window's verdict:
    its first, and `-` for one that was skipped.
    """

    name: str
    kind: Kind
    role: Role
    verdict: Verdict
    reasons: list[str] = []
    p_adjusted: float | None = None
    effect: float | None = None
    effect_of: StatisticName | None = None
    threshold: float | None = None
    main: StatisticName | None = None
    value: float | None = None
    spark: Spark | None = None
    nulls: list[float] = []
    trend: list[float | None] = []
    marks: str = ""
    changepoint: str | None = None


class Slice(Message):
    """Rows that are looked at alone: those with `value` in `column`, or with a number from `low` to below `high`."""

    column: str = Field(max_length=10_000)
    value: str | None = Field(default=None, max_length=10_000)
    low: float | None = None
    high: float | None = None


class Offers(Message):
    """What the kernel can do with this report; `why` says what is missing."""

    slices: bool = False
    rows: bool = False
    multivariate: bool = False
    why: str = ""


class DriftView(Message):
    """The whole picture. `name` is the variable in the notebook, `windows` those of `trend`."""

    id: str
    seq: int = 0
    name: str = "report"
    title: str = ""
    created_at: float = 0.0
    engine: str = "duckdb"
    reference: SourceInfo
    current: SourceInfo
    by: str | None = None
    windows: list[str] = []
    rules: Rules
    defaults: Rules
    drifted: bool | None = None
    summary: str = ""
    reasons: list[str] = []
    rows: list[DriftRow] = []
    schema_changes: list[SchemaChange] = []
    multivariate: Multivariate | None = None
    performance: Performance | None = None
    slices: list[Slice] = []
    offers: Offers
    pages: dict[str, ColumnDrift] = {}
    notes: list[str] = []
    seconds: float = 0.0


class Judged(Message):
    """Another verdict on the row at this place."""

    at: int
    verdict: Verdict
    reasons: list[str] = []
    p_adjusted: float | None = None
    effect: float | None = None
    threshold: float | None = None
    main: StatisticName | None = None
    value: float | None = None
    marks: str = ""


class DriftPatch(Message):
    """All that differs from the view with `seq == base`."""

    base: int
    seq: int
    rules: Rules
    drifted: bool | None = None
    summary: str = ""
    reasons: list[str] = []
    judged: list[Judged] = []
    multivariate: Multivariate | None = None


class DriftRequest(Message):
    """Base of what the browser asks about a report."""

    id: int


class AskColumn(DriftRequest):
    """Everything about one column; answered by a `ColumnPage`."""

    kind: Literal["column"] = "column"
    column: str = Field(max_length=10_000)


class Judge(DriftRequest):
    """Other rules: the verdicts follow from what was computed, no data is read."""

    kind: Literal["judge"] = "judge"
    rules: Rules


class TakeSlices(DriftRequest):
    """Look at these rows alone, on both sides; none: at all. Reads the data."""

    kind: Literal["slices"] = "slices"
    slices: list[Slice] = Field(max_length=8)


class AskMoved(DriftRequest):
    """The rows that moved most in a column; answered by a `Preview`."""

    kind: Literal["moved"] = "moved"
    column: str = Field(max_length=10_000)
    n: int = Field(default=20, ge=1, le=500)


class AskMultivariate(DriftRequest):
    """Compute what no column shows alone; reads the data."""

    kind: Literal["multivariate"] = "multivariate"


class AskText(DriftRequest):
    """Code, the contract, or the report as a file; answered by a `Written`."""

    kind: Literal["text"] = "text"
    what: Text


class ColumnPage(Message):
    """A column as the report has it now."""

    column: ColumnDrift


class Written(Message):
    """Text to copy or to save as `file`."""

    what: Text
    text: str
    file: str


AnyDriftRequest = Hello | Abort | AskColumn | Judge | TakeSlices | AskMoved | AskMultivariate | AskText

#: Reads what the browser sent.
REQUEST: TypeAdapter[AnyDriftRequest] = TypeAdapter(Annotated[AnyDriftRequest, Field(discriminator="kind")])

#: What each kind of request is answered with, besides those of `protocol.py`.
ANSWERS: dict[type[DriftRequest], type[Message]] = {
    AskColumn: ColumnPage,
    Judge: Done,
    TakeSlices: Done,
    AskMoved: Preview,
    AskMultivariate: Done,
    AskText: Written,
}

#: In the order they are written to `drift_protocol.ts`.
MODELS: tuple[type[Message], ...] = (
    Statistic, Side, Histogram, Category, Categories, WindowDrift, ColumnDrift, SchemaChange, Importance,
    CorrelationChange, DomainClassifier, Reconstruction, Discrepancy, Multivariate, Measured, PerformanceWindow,
    StreamAlarm, Performance, Rules, SourceInfo, Spark, DriftRow, Slice, Offers, DriftView, Judged, DriftPatch,
    ColumnPage, Written, *ANSWERS,
)  # fmt: skip
