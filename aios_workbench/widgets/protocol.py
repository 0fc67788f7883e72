"""What the kernel and the browser say to each other. The one source: `protocol.ts` is generated from here.

The kernel shows a `GraphState` (a trait, so it is in the widget's first message) and then `GraphPatch`es. A patch
carries everything that changed since its base, not since the patch before it: the newest state and the newest
patch are always enough, whatever got lost or was read back from a saved notebook.

The browser sends requests (`kind`, `id`); each is answered by an `Answer` or an `ErrorReply` of the same `id`.
After changing anything here: ``python -m aios_workbench.widgets.generate_ts``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

RunStatus = Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled", "interrupted"]
StepStatus = Literal[
    "pending", "running", "retrying", "waiting", "succeeded", "failed", "skipped", "cancelled"
]

#: Nothing moves any more in a run with one of these; an interrupted one may be adopted at any moment.
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


class Message(BaseModel):
    """Base of everything on the wire."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class StepNode(Message):
    """A step as the graph draws it. Times are epoch seconds, durations seconds."""

    name: str
    kind: Literal["step", "gate"] = "step"
    deps: list[str] = []
    after: list[str] = []
    tags: list[str] = []
    status: StepStatus = "pending"
    attempts: int = 0
    max_attempts: int = 1
    started_at: float | None = None
    duration: float | None = None
    cached: bool = False
    stale: bool = False
    progress: float | None = None
    message: str | None = None
    error: str | None = None


class Metric(Message):
    """A figure a step reported."""

    step: str
    name: str
    value: float | None = None
    text: str | None = None
    unit: str | None = None


class GateRequest(Message):
    """A gate that waits for a person; `form` is the JSON schema of what to fill in."""

    step: str
    form: dict[str, Any] | None = None
    requested_at: float | None = None
    deadline_at: float | None = None


class RunInfo(Message):
    """The run behind a graph."""

    run_id: str
    status: RunStatus
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    error: str | None = None
    params: str = ""
    parent_run_id: str | None = None
    rerun_from: str | None = None


class GraphState(Message):
    """The whole picture. `now` is the kernel's clock, so that the browser's may be wrong."""

    workflow: str
    description: str = ""
    seq: int = 0
    now: float = 0.0
    run: RunInfo | None = None
    nodes: list[StepNode] = []
    metrics: list[Metric] = []
    gates: list[GateRequest] = []
    problem: str | None = None


class GraphPatch(Message):
    """All that changed since the state with `seq == base`. `metrics` and `gates` are null when they did not."""

    base: int
    seq: int
    now: float = 0.0
    run: RunInfo | None = None
    nodes: list[StepNode] = []
    metrics: list[Metric] | None = None
    gates: list[GateRequest] | None = None


class Column(Message):
    """A column of a table."""

    name: str
    type: str


class Preview(Message):
    """A window on a stored value: a table's rows, or text."""

    kind: str
    type: str
    shape: list[int] | None = None
    bytes: int = 0
    columns: list[Column] = []
    rows: list[list[Any]] = []
    offset: int = 0
    total: int | None = None
    text: str | None = None
    truncated: bool = False


class Value(Message):
    """A named value: a step's input, a parameter. `hash` names the artifact, where there is one."""

    name: str
    source: str
    type: str = ""
    summary: str = ""
    hash: str | None = None


class LogLine(Message):
    """One captured line of output."""

    seq: int
    attempt: int
    at: float
    stream: str
    level: str | None = None
    text: str


class ErrorInfo(Message):
    """An error as data: the process that raised it may be gone."""

    type: str
    message: str
    traceback: str = ""


class Attempt(Message):
    """One try of a step."""

    attempt: int
    status: str
    started_at: float
    duration: float | None = None
    executor: str | None = None
    error: ErrorInfo | None = None


class Artifact(Message):
    """Where a value is stored and how large it is."""

    hash: str
    kind: str
    type: str
    bytes: int
    shape: list[int] | None = None


class GateOutcome(Message):
    """What was decided at a gate."""

    status: str
    decided_by: str | None = None
    decided_at: float | None = None
    reason: str | None = None
    values: dict[str, Any] = {}


class StepDetail(Message):
    """Everything about one step."""

    step: str
    kind: Literal["step", "gate"] = "step"
    status: StepStatus = "pending"
    doc: str = ""
    code: str = ""
    cell: str = ""
    policy: list[Value] = []
    inputs: list[Value] = []
    artifact: Artifact | None = None
    output: Preview | None = None
    logs: list[LogLine] = []
    more_logs: bool = False
    attempts: list[Attempt] = []
    error: ErrorInfo | None = None
    answered_by: str | None = None
    gate: GateRequest | None = None
    shown: Preview | None = None
    outcome: GateOutcome | None = None


class Request(Message):
    """Base of what the browser asks. `id` is an integer: ipykernel remembers every text id for ever."""

    id: int


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
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=500)


class Logs(Request):
    """Log lines of a step after a number; answered by a `LogPage`."""

    kind: Literal["logs"] = "logs"
    step: str
    after: int = Field(default=0, ge=0)


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


class Decide(Request):
    """Approve or reject at a gate."""

    kind: Literal["decide"] = "decide"
    step: str
    approved: bool
    values: dict[str, Any] = {}
    reason: str = ""


class LogPage(Message):
    """Log lines; `more` when there are further ones."""

    lines: list[LogLine] = []
    more: bool = False


class Done(Message):
    """It was done; `run_id` is the run now shown."""

    run_id: str | None = None


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


AnyRequest = Hello | OpenStep | PreviewPage | Logs | RerunFrom | Resume | Cancel | Decide

#: Reads what the browser sent.
REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="kind")])

#: What each kind of request is answered with.
ANSWERS: dict[type[Request], type[Message]] = {
    Hello: Done,
    OpenStep: StepDetail,
    PreviewPage: Preview,
    Logs: LogPage,
    RerunFrom: Done,
    Resume: Done,
    Cancel: Done,
    Decide: Done,
}

#: In the order they are written to `protocol.ts`.
MODELS: tuple[type[Message], ...] = (
    StepNode, Metric, GateRequest, RunInfo, GraphState, GraphPatch, Column, Preview, Value, LogLine, ErrorInfo,
    Attempt, Artifact, GateOutcome, StepDetail, LogPage, Done, *ANSWERS, Answer, ErrorReply,
)  # fmt: skip
