"""What the kernel and the server tell the browser, apart from what is read off stored runs (`observe.models`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_serializer

from aios_workbench._wire import Message
from aios_workbench.workspace.models import Column

if TYPE_CHECKING:
    from pydantic import SerializerFunctionWrapHandler

RunStatus = Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled", "interrupted"]
StepStatus = Literal[
    "pending", "running", "retrying", "waiting", "succeeded", "failed", "skipped", "cancelled",
    "compensated",
]  # fmt: skip

#: What a step is for a person: a map calls its function for each of many items, a loop until a condition holds, a
#: stream yields items that a map takes as they come.
Shape = Literal["step", "gate", "map", "loop", "stream"]

#: Nothing moves any more in a run with one of these; an interrupted one may be adopted at any moment.
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


class NodeMoves(Message):
    """What a run changes of a step. Times are epoch seconds, durations seconds; `rows` and `bytes` are its output's."""

    status: StepStatus = "pending"
    attempts: int = 0
    started_at: float | None = None
    duration: float | None = None
    cached: bool = False
    stale: bool = False
    progress: float | None = None
    message: str | None = None
    error: str | None = None
    rows: int | None = None
    bytes: int | None = None


class StepNode(NodeMoves):
    """A step as the graph draws it."""

    name: str
    kind: Literal["step", "gate"] = "step"
    shape: Shape = "step"
    deps: list[str] = []
    after: list[str] = []
    tags: list[str] = []
    max_attempts: int = 1


class NodeChange(NodeMoves):
    """A step that moved, all of it that can move. What is left out has the value of `STILL`.

    Graphs of thousands of steps move hundreds of times a second: a change is a third of the node's size.
    """

    name: str

    @model_serializer(mode="wrap")
    def _brief(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {k: v for k, v in handler(self).items() if k == "name" or v != _STILL[k]}


_STILL = NodeMoves().model_dump()


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
    """The whole picture. `now` is the kernel's clock, so that the browser's may be wrong.

    `logs` is the number of the event that told of the newest lines printed.
    """

    workflow: str
    description: str = ""
    seq: int = 0
    now: float = 0.0
    logs: int = 0
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
    logs: int = 0
    run: RunInfo | None = None
    nodes: list[NodeChange] = []
    metrics: list[Metric] | None = None
    gates: list[GateRequest] | None = None


class Preview(Message):
    """A window on a stored value: a table's rows, or text. `media` is what asking for a picture would answer with."""

    kind: str
    type: str
    shape: list[int] | None = None
    bytes: int = 0
    media: str | None = None
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
    step: str = ""
    attempt: int
    at: float
    stream: str
    level: str | None = None
    text: str


class CellRef(Message):
    """A notebook cell: by its id where the front end told it, and by its source; `line` counts from 1 inside it."""

    cell_id: str | None = None
    notebook: str | None = None
    label: str = ""
    source: str = ""
    line: int | None = None


class Frame(Message):
    """One line of a traceback; `cell` when it lies in a notebook cell."""

    file: str
    line: int
    function: str = ""
    text: str = ""
    cell: CellRef | None = None


class ErrorInfo(Message):
    """An error as data: the process that raised it may be gone."""

    type: str
    message: str
    traceback: str = ""
    frames: list[Frame] = []


class Attempt(Message):
    """One try of a step.

    `made_by` says whose function was called: the step's own, a "fallback" or the undo ("compensation") called `name`,
    the step's a second time ("hedge"). `message` is what was decided about it.
    """

    attempt: int
    status: str
    started_at: float
    duration: float | None = None
    executor: str | None = None
    error: ErrorInfo | None = None
    made_by: str = "step"
    name: str | None = None
    message: str | None = None
    peak_bytes: int | None = None


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


class StepPolicy(Message):
    """How a step is run, as its decorator says it: what the form edits. None means: not said."""

    retries: int | None = None
    backoff: str | None = None
    timeout: str | None = None
    cache: bool | None = None
    after: list[str] = []
    fallback: list[str] = []
    tags: list[str] = []
    when: str | None = None
    on_reject: Literal["fail", "continue"] | None = None
    retry_on: list[str] = []
    give_up_on: list[str] = []
    hedge: str | None = None
    on_error: Literal["fail", "skip", "dead_letter"] | None = None
    executor: Literal["thread", "process"] | None = None
    memory: str | None = None


class Letter(Message):
    """An item that failed for good; `status` is open, redriving, redriven (by run `redriven_by`) or dropped."""

    item: int
    status: str
    type: str
    reason: str
    traceback: str = ""
    attempts: int = 0
    value: str = ""
    at: float = 0.0
    redriven_by: str | None = None


class Letters(Message):
    """A page of a step's dead letters, open ones first."""

    total: int = 0
    open: int = 0
    offset: int = 0
    letters: list[Letter] = []


class StepDetail(Message):
    """Everything about one step."""

    run_id: str | None = None
    step: str
    kind: Literal["step", "gate"] = "step"
    status: StepStatus = "pending"
    doc: str = ""
    code: str = ""
    cell: str = ""
    cell_ref: CellRef | None = None
    policy: list[Value] = []
    settings: StepPolicy | None = None
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
    shape: Shape = "step"
    letters: Letters | None = None


class LogPage(Message):
    """Log lines; `more` when there are further ones."""

    lines: list[LogLine] = []
    more: bool = False


class GraphNews(Message):
    """A run's graph: the whole `state`, or the `nodes` that moved since. `seq` is what to ask from next time."""

    seq: int
    state: GraphState | None = None
    patch: GraphPatch | None = None


class CodeEdit(Message):
    """Source to be put into a notebook.

    With `before`, the cell that holds exactly that text is replaced; without, a new cell is added below the cell
    `below` (at the end, when that is not found). What is not `writable` stands in a file: it can only be copied.
    """

    title: str
    before: str | None = None
    after: str
    cell: CellRef | None = None
    below: CellRef | None = None
    diff: str = ""
    note: str = ""
    writable: bool = True


class SettingsForm(Message):
    """What the form of a step's settings shows: as the code has them now, not as a run was pinned to them.

    With a `problem` they can be read but not changed from a screen.
    """

    step: str
    kind: Literal["step", "gate"] = "step"
    settings: StepPolicy
    fields: list[str] = []
    after_choices: list[str] = []
    functions: list[str] = []
    code: str = ""
    cell: CellRef | None = None
    writable: bool = False
    problem: str = ""


class Template(Message):
    """A kind of step one can start from."""

    id: str
    title: str
    description: str = ""
    kind: Literal["step", "gate"] = "step"
    takes_inputs: bool = True


class Templates(Message):
    """All templates."""

    templates: list[Template] = []


class Done(Message):
    """It was done; `run_id` is the run now shown."""

    run_id: str | None = None
