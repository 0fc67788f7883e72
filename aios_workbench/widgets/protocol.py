"""What the kernel and the browser say to each other. The one source: `protocol.ts` is generated from here.

The kernel shows a `GraphState` (a trait, so it is in the widget's first message) and then `GraphPatch`es. A patch
carries everything that changed since its base, not since the patch before it: the newest state and the newest
patch are always enough, whatever got lost or was read back from a saved notebook.

The browser sends requests (`kind`, `id`); each is answered by an `Answer` or an `ErrorReply` of the same `id`.
After changing anything here: ``python -m aios_workbench.widgets.generate_ts``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from aios_workbench._wire import Message
from aios_workbench.observe.models import (
    ColumnDiff,
    Environment,
    Event,
    EventPage,
    Fact,
    History,
    HistoryRun,
    Lineage,
    LineageEdge,
    LineageNode,
    OutputDiff,
    Overview,
    RuleLine,
    Rules,
    RunDiff,
    RunSide,
    Span,
    StepChange,
    StepDiff,
    StepHistory,
    Timeline,
    TimelineStep,
    ValueDiff,
)  # fmt: skip
from aios_workbench.widgets.messages import (
    TERMINAL,
    Artifact,
    Attempt,
    CellRef,
    CodeEdit,
    Done,
    ErrorInfo,
    Frame,
    GateOutcome,
    GateRequest,
    GraphNews,
    GraphPatch,
    GraphState,
    Letter,
    Letters,
    LogLine,
    LogPage,
    Metric,
    NodeChange,
    NodeMoves,
    Preview,
    RunInfo,
    RunStatus,
    SettingsForm,
    StepDetail,
    StepNode,
    StepPolicy,
    StepStatus,
    Template,
    Templates,
    Value,
)  # fmt: skip
from aios_workbench.workspace.models import (
    Column,
    ColumnProfile,
    Filter,
    Frequent,
    Histogram,
    Media,
    Sort,
    TablePage,
    TableProfile,
    TableQuery,
)  # fmt: skip

__all__ = [
    "ANSWERS",
    "MODELS",
    "REQUEST",
    "TERMINAL",
    "Abort",
    "Answer",
    "AnyRequest",
    "Artifact",
    "AskDiff",
    "AskEvents",
    "AskGraph",
    "AskHistory",
    "AskLetters",
    "AskLineage",
    "AskMedia",
    "AskOverview",
    "AskProfile",
    "AskSettings",
    "AskSql",
    "AskStepDiff",
    "AskTable",
    "AskTemplates",
    "AskTimeline",
    "Attempt",
    "Cancel",
    "CellRef",
    "CodeEdit",
    "Decide",
    "Done",
    "EditStep",
    "ErrorInfo",
    "ErrorReply",
    "Frame",
    "GateOutcome",
    "GateRequest",
    "GraphNews",
    "GraphPatch",
    "GraphState",
    "Hello",
    "Letter",
    "Letters",
    "LogLine",
    "LogPage",
    "Logs",
    "Metric",
    "NewStep",
    "NodeChange",
    "NodeMoves",
    "OpenStep",
    "Preview",
    "PreviewPage",
    "Redrive",
    "Request",
    "RerunFrom",
    "Resume",
    "RunInfo",
    "RunStatus",
    "SettingsForm",
    "StepDetail",
    "StepNode",
    "StepPolicy",
    "StepStatus",
    "Template",
    "Templates",
    "Value",
]  # fmt: skip

#: The name of a stored value: the SHA-256 of its content.
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Request(Message):
    """Base of what the browser asks. `id` is an integer: ipykernel remembers every text id for ever.

    `run_id` names the run; a widget's own when left out, required over HTTP.
    """

    id: int
    run_id: str | None = None


class Hello(Request):
    """The question whether somebody is there."""

    kind: Literal["hello"] = "hello"


class OpenStep(Request):
    """Everything about a step; answered by a `StepDetail`."""

    kind: Literal["open_step"] = "open_step"
    step: str


class PreviewPage(Request):
    """More rows of an artifact; answered by a `Preview`."""

    kind: Literal["preview"] = "preview"
    hash: Hash
    offset: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=50, ge=1, le=500)


class AskTable(Request):
    """Sorted and filtered rows of a data frame; answered by a `TablePage`."""

    kind: Literal["table"] = "table"
    hash: Hash
    query: TableQuery = TableQuery()


class AskProfile(Request):
    """The columns of a data frame summed up; answered by a `TableProfile`. `columns` limits it to some."""

    kind: Literal["profile"] = "profile"
    hash: Hash
    columns: list[str] | None = None


class AskSql(Request):
    """One SQL statement over a step's output (table `output`); answered by a `TablePage`."""

    kind: Literal["sql"] = "sql"
    hash: Hash
    query: str = Field(min_length=1, max_length=20_000)
    limit: int = Field(default=200, ge=1, le=500)


class AskMedia(Request):
    """A stored picture, figure or document; answered by a `Media`."""

    kind: Literal["media"] = "media"
    hash: Hash


class AskGraph(Request):
    """The graph of a run: whole, or what changed since event `since`; answered by a `GraphNews`."""

    kind: Literal["graph"] = "graph"
    since: int | None = Field(default=None, ge=0, le=2**62)


class AskOverview(Request):
    """A run on one page; answered by an `Overview`."""

    kind: Literal["overview"] = "overview"


class AskTimeline(Request):
    """Where a run's time went; answered by a `Timeline`."""

    kind: Literal["timeline"] = "timeline"


class AskEvents(Request):
    """What happened after an event; answered by an `EventPage`."""

    kind: Literal["events"] = "events"
    after: int = Field(default=0, ge=0, le=2**62)
    limit: int = Field(default=200, ge=1, le=1000)


class AskLineage(Request):
    """What a step's output came from and what came from it; answered by a `Lineage`."""

    kind: Literal["lineage"] = "lineage"
    step: str
    depth: int = Field(default=20, ge=1, le=200)


class AskDiff(Request):
    """The run compared with another; answered by a `RunDiff`."""

    kind: Literal["diff"] = "diff"
    other: str


class AskStepDiff(Request):
    """One step compared with the same in another run; answered by a `StepDiff`."""

    kind: Literal["diff_step"] = "diff_step"
    other: str
    step: str


class AskHistory(Request):
    """A workflow's runs, newest first; answered by a `History`."""

    kind: Literal["history"] = "history"
    workflow: str
    limit: int = Field(default=50, ge=1, le=500)
    before: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class AskSettings(Request):
    """A step's settings as the code has them; answered by a `SettingsForm`."""

    kind: Literal["settings"] = "settings"
    step: str


class EditStep(Request):
    """The code that gives a step this policy; answered by a `CodeEdit`. Nothing is changed by asking."""

    kind: Literal["edit_step"] = "edit_step"
    step: str
    settings: StepPolicy


class NewStep(Request):
    """The code of a new step or gate from a template; answered by a `CodeEdit`."""

    kind: Literal["new_step"] = "new_step"
    template: str
    name: str = Field(min_length=1, max_length=200)
    inputs: list[str] = []
    after: list[str] = []


class AskTemplates(Request):
    """What new steps can be made from; answered by `Templates`."""

    kind: Literal["templates"] = "templates"


class Logs(Request):
    """Log lines of a step after a number, or the last ones before a number; answered by a `LogPage`.

    With neither, the very last ones. `more` of the answer tells of further lines in the direction asked.
    """

    kind: Literal["logs"] = "logs"
    step: str | None = None
    after: int = Field(default=0, ge=0, le=2**62)
    before: int | None = Field(default=None, ge=1, le=2**62)
    search: str | None = Field(default=None, max_length=200)
    level: Literal["debug", "info", "warning", "error"] | None = None
    attempt: int | None = Field(default=None, ge=1, le=2**62)


class AskLetters(Request):
    """More of a map's dead letters; answered by a page of `Letters`."""

    kind: Literal["letters"] = "letters"
    step: str
    offset: int = Field(default=0, ge=0, le=2**62)


class Redrive(Request):
    """A new run that does a map's open dead letters again; the widget then shows that run."""

    kind: Literal["redrive"] = "redrive"
    step: str


class RerunFrom(Request):
    """A new run that redoes this step and what depends on it; the widget then shows that run."""

    kind: Literal["rerun_from"] = "rerun_from"
    step: str


class Resume(Request):
    """Go on with a failed, cancelled or interrupted run."""

    kind: Literal["resume"] = "resume"


class Cancel(Request):
    """Stop the run."""

    kind: Literal["cancel"] = "cancel"


class Abort(Request):
    """Nobody waits any more for the answer to `target`; answered at once."""

    kind: Literal["abort"] = "abort"
    target: int


class Decide(Request):
    """Approve or reject at a gate."""

    kind: Literal["decide"] = "decide"
    step: str
    approved: bool
    values: dict[str, Any] = {}
    reason: str = ""


class Answer(Message):
    """The answer to a request; the type of `data` follows from the request's kind."""

    kind: Literal["answer"] = "answer"
    id: int
    data: Any


class ErrorReply(Message):
    """A request that could not be answered. `fields` has messages for single fields of a form."""

    kind: Literal["error"] = "error"
    id: int
    type: str
    message: str
    fields: dict[str, str] = {}


AnyRequest = (
    Hello | OpenStep | PreviewPage | AskTable | AskProfile | AskSql | AskMedia | AskGraph | AskOverview | AskTimeline
    | AskEvents | AskLineage | AskDiff | AskStepDiff | AskHistory | Logs | AskLetters | Redrive
    | RerunFrom | Resume | Cancel | Decide
    | AskSettings | EditStep | NewStep | AskTemplates | Abort
)  # fmt: skip

#: Reads what the browser sent.
REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="kind")])

#: What each kind of request is answered with.
ANSWERS: dict[type[Request], type[Message]] = {
    Hello: Done,
    OpenStep: StepDetail,
    PreviewPage: Preview,
    AskTable: TablePage,
    AskProfile: TableProfile,
    AskSql: TablePage,
    AskMedia: Media,
    AskGraph: GraphNews,
    AskOverview: Overview,
    AskTimeline: Timeline,
    AskEvents: EventPage,
    AskLineage: Lineage,
    AskDiff: RunDiff,
    AskStepDiff: StepDiff,
    AskHistory: History,
    Logs: LogPage,
    AskLetters: Letters,
    Redrive: Done,
    RerunFrom: Done,
    Resume: Done,
    Cancel: Done,
    Decide: Done,
    AskSettings: SettingsForm,
    EditStep: CodeEdit,
    NewStep: CodeEdit,
    AskTemplates: Templates,
    Abort: Done,
}

#: In the order they are written to `protocol.ts`.
MODELS: tuple[type[Message], ...] = (
    NodeMoves, StepNode, NodeChange,
    Metric, GateRequest, RunInfo, GraphState, GraphPatch, Column, Sort, Filter, TableQuery, TablePage,
    Histogram, Frequent, ColumnProfile, TableProfile, Media, Preview, Value, LogLine, CellRef, Frame, ErrorInfo,
    Attempt, Artifact, GateOutcome, StepPolicy, Letter, Letters, StepDetail, Fact, RuleLine, Rules, Environment,
    Overview, Span, TimelineStep, Timeline,
    Event, EventPage, LineageNode, LineageEdge, Lineage, ValueDiff, ColumnDiff, OutputDiff, StepChange, RunSide,
    RunDiff, StepDiff, HistoryRun, StepHistory, History, LogPage, GraphNews, CodeEdit, SettingsForm, Template,
    Templates, Done, *ANSWERS, Answer, ErrorReply,
)  # fmt: skip
