"""What can be read off stored runs. One definition for Python, the kernel's widget and the server.

Times are epoch seconds, durations seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aios_workbench._wire import Message
from aios_workbench.workspace.models import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

Change = Literal["same", "changed", "added", "removed"]


class Told(Message):
    """An answer a person reads: printed, it is a text of tables."""

    def __repr__(self) -> str:
        from aios_workbench.observe import shown

        return shown.text(self)

    __str__ = __repr__

    def to_frame(self) -> pd.DataFrame:
        """Return the rows of the answer as a data frame; times are timestamps in UTC."""
        from aios_workbench.observe import shown

        return shown.frame(self)


class Fact(Message):
    """A named figure or text; `step` tells where it was reported."""

    name: str
    value: float | None = None
    text: str | None = None
    unit: str | None = None
    step: str | None = None


class RuleLine(Message):
    """One line of a section of rules: a name, how it stands, and the step it is about."""

    name: str
    text: str
    step: str | None = None
    tone: Literal["", "succeeded", "failed", "waiting"] = ""


class Rules(Message):
    """What a run was held to, and how it stands: a cap, a budget, what was undone, which hooks were called."""

    title: str
    lines: list[RuleLine]


class Environment(Message):
    """Where a run was started. `lock_hash` stands for all installed packages and their versions."""

    python: str = ""
    platform: str = ""
    host: str = ""
    cpus: int | None = None
    memory_bytes: int | None = None
    executable: str = ""
    git_commit: str | None = None
    git_branch: str | None = None
    git_dirty: bool | None = None
    packages: dict[str, str] = {}
    lock_hash: str | None = None


class Overview(Told):
    """A run on one page."""

    run_id: str
    workflow: str
    description: str = ""
    status: str
    source: str = ""
    user: str | None = None
    notebook: str | None = None
    cwd: str | None = None
    job: str | None = None
    job_id: str | None = None
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    duration: float | None = None
    queue_seconds: float | None = None
    run_seconds: float | None = None
    retry_seconds: float | None = None
    wait_seconds: float | None = None
    saved_seconds: float | None = None
    error: str | None = None
    message: str | None = None
    params: dict[str, Any] = {}
    code_version: str = ""
    environment: Environment | None = None
    cost: list[Fact] = []
    kpis: list[Fact] = []
    metrics: list[Fact] = []
    rules: list[Rules] = []
    steps: dict[str, int] = {}
    bytes_written: int = 0
    parent_run_id: str | None = None
    rerun_from: str | None = None
    children: list[str] = []
    adoptions: int = 0
    previous_run_id: str | None = None
    code: str = ""


class Span(Message):
    """A stretch of time: `queue` not begun; `run` an attempt; `retry` a pause before it; `wait` for a person."""

    kind: Literal["queue", "run", "retry", "wait"]
    start: float
    end: float | None = None
    attempt: int | None = None
    status: str = ""
    executor: str | None = None


class TimelineStep(Message):
    """A step's line in the waterfall; `critical` when a shorter one would have made the run shorter."""

    step: str
    kind: Literal["step", "gate"] = "step"
    status: str
    cached: bool = False
    spans: list[Span] = []
    ready_at: float | None = None
    critical: bool = False
    slack: float | None = None


class Timeline(Told):
    """Where a run's time went. `critical_path` names the steps that decided how long it took, first to last."""

    start: float
    end: float | None = None
    now: float
    steps: list[TimelineStep] = []
    critical_path: list[str] = []
    parallelism: float | None = None
    code: str = ""


class Event(Message):
    """Something that happened to a run."""

    seq: int
    at: float
    kind: str
    step: str | None = None
    text: str = ""
    data: dict[str, Any] = {}


class EventPage(Told):
    """Events in their order; `more` when there are further ones."""

    events: list[Event] = []
    more: bool = False


class LineageNode(Message):
    """A value and the step that made it; parameters have no step."""

    id: str
    run_id: str
    step: str | None = None
    parameter: str | None = None
    hash: str | None = None
    type: str = ""
    shape: list[int] | None = None
    bytes: int | None = None
    created_at: float | None = None
    exists: bool = True


class LineageEdge(Message):
    """`source` went into `target` under the name `argument`."""

    source: str
    target: str
    argument: str = ""


class Lineage(Told):
    """What a value came from (`up`) and what came from it (`down`), over runs where outputs were reused."""

    focus: str
    nodes: list[LineageNode] = []
    edges: list[LineageEdge] = []
    up: list[str] = []
    down: list[str] = []
    truncated: bool = False
    code: str = ""


class ValueDiff(Message):
    """A named value on both sides, as text."""

    name: str
    change: Change
    a: str | None = None
    b: str | None = None


class ColumnDiff(Message):
    """A column on both sides. `distance` is the Jensen-Shannon distance (base 2, 0 to 1) of the two distributions."""

    name: str
    change: Change
    a: ColumnProfile | None = None
    b: ColumnProfile | None = None
    distance: float | None = None


class OutputDiff(Message):
    """A step's output on both sides; `same` when the content is identical."""

    same: bool
    type_a: str | None = None
    type_b: str | None = None
    hash_a: str | None = None
    hash_b: str | None = None
    shape_a: list[int] | None = None
    shape_b: list[int] | None = None
    bytes_a: int | None = None
    bytes_b: int | None = None
    columns: list[ColumnDiff] = []
    text_a: str | None = None
    text_b: str | None = None
    note: str = ""


class StepChange(Message):
    """How a step differs between two runs, in one line; `why` tells what made it run again."""

    step: str
    change: Change
    code: bool = False
    policy: bool = False
    inputs: bool = False
    output: bool = False
    status_a: str | None = None
    status_b: str | None = None
    cached_a: bool = False
    cached_b: bool = False
    duration_a: float | None = None
    duration_b: float | None = None
    rows_a: int | None = None
    rows_b: int | None = None
    why: list[str] = []


class RunSide(Message):
    """One of the two runs compared."""

    run_id: str
    status: str
    created_at: float
    duration: float | None = None
    user: str | None = None


class RunDiff(Told):
    """Two runs compared; `a` is the earlier one by the caller's choice."""

    a: RunSide
    b: RunSide
    params: list[ValueDiff] = []
    environment: list[ValueDiff] = []
    metrics: list[ValueDiff] = []
    cost: list[ValueDiff] = []
    steps: list[StepChange] = []
    identical: bool = False
    code: str = ""


class StepDiff(Told):
    """One step in two runs. `code_diff` is a unified diff."""

    step: str
    change: Change
    code_diff: str = ""
    policy: list[ValueDiff] = []
    inputs: list[ValueDiff] = []
    output: OutputDiff | None = None
    why: list[str] = []
    code: str = ""


class HistoryRun(Message):
    """One run in a workflow's history."""

    run_id: str
    status: str
    created_at: float
    duration: float | None = None
    user: str | None = None
    source: str = ""
    job: str | None = None
    steps_done: int = 0
    steps_total: int = 0
    cached: int = 0
    retries: int = 0
    error: str | None = None
    failed_step: str | None = None
    params: str = ""
    parent_run_id: str | None = None


class StepHistory(Message):
    """A step over many runs. Flaky: it failed and then succeeded with the same code and inputs, or needed retries."""

    step: str
    runs: int = 0
    success_rate: float | None = None
    cache_rate: float | None = None
    p50: float | None = None
    p95: float | None = None
    share: float | None = None
    retries: int = 0
    failures: int = 0
    flaky_rate: float | None = None
    durations: list[float | None] = []


class History(Told):
    """A workflow's runs, newest first, and what they say about it. `durations` of a step follow `runs`."""

    workflow: str
    runs: list[HistoryRun] = []
    total: int = 0
    more: bool = False
    success_rate: float | None = None
    p50: float | None = None
    p95: float | None = None
    trend: float | None = None
    steps: list[StepHistory] = []
    code: str = ""
