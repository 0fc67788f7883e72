"""What the `aios/` endpoints answer. `labextension/src/api_types.ts` is written from it.

After changing anything here: ``python -m aios_workbench.server.generate_ts``. What a client sends is in `bodies`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from aios_workbench._wire import Message
from aios_workbench.server.models_promote import NotebookParameter
from aios_workbench.widgets import messages
from aios_workbench.widgets.messages import RunStatus, StepStatus

JobRunStatus = Literal["queued", "running", "succeeded", "failed", "skipped", "cancelled", "timeout"]
JobState = Literal["healthy", "late", "failing", "absent", "paused", "waiting", "new"]


def _sometimes() -> Any:
    """Return the default of a field that only some of the endpoints fill."""
    return Field(default=None, json_schema_extra={"absent": True})


class StepError(Message):
    """An error, however it was recorded."""

    type: str
    message: str
    traceback: str


class JobTag(Message):
    """The job that started a run."""

    job_id: str
    name: str


class Run(Message):
    """A run. Lists count its steps by status, the snapshot says how far it is."""

    run_id: str
    workflow: str
    status: RunStatus
    params: dict[str, Any]
    source: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    error: StepError | None
    parent_run_id: str | None
    rerun_from: str | None
    leg: int
    owner: str | None
    user: str | None
    job_run_id: str | None
    adoptions: int
    orphaned: bool
    counts: dict[str, int] = _sometimes()
    steps_total: int = _sometimes()
    steps_done: int = _sometimes()
    current: str | None = _sometimes()
    job: JobTag | None = _sometimes()


class Step(Message):
    """A step of a run."""

    run_id: str
    step: str
    position: int
    kind: Literal["step", "gate"]
    status: StepStatus
    attempts: int
    max_attempts: int
    started_at: float | None
    ended_at: float | None
    cached: bool
    output: Any
    inputs: Any
    error: StepError | None
    code_hash: str | None
    cache_key: str | None
    progress: float | None
    message: str | None
    answered_by: str | None
    leg: int
    kept: str | None


class RunMetric(Message):
    """A figure or text a step reported."""

    run_id: str
    step: str
    name: str
    value: float | None
    text: str | None
    unit: str | None
    at: float
    kpi: int


class RunGate(Message):
    """A gate of a run, as it is stored."""

    run_id: str
    step: str
    status: str
    form: dict[str, Any] | None
    data: Any
    requested_at: float
    deadline_at: float | None
    decided_at: float | None
    decided_by: str | None
    values: Any
    reason: str | None


class RunDetail(Run):
    """A run with its steps, gates and metrics."""

    param_refs: Any
    spec_hash: str
    cwd: str | None
    gate_policy: Any
    seed: Any
    environment: str | None
    notebook: str | None
    message: str | None
    priority: int
    budget: dict[str, float] | None
    attempts_used: int
    attempts_allowed: int | None
    deaths: int
    done_at_death: int
    deadline_at: float | None
    late: bool
    steps: list[Step]
    gates: list[RunGate]
    metrics: list[RunMetric]


class Preview(messages.Preview):
    """A window on a stored value; `hash` names the artifact."""

    hash: str


class LogLine(messages.LogLine):
    """One captured line of output of a run."""

    run_id: str


class StepAttempt(Message):
    """One try of a step."""

    run_id: str
    step: str
    attempt: int
    status: str
    started_at: float
    ended_at: float | None
    error: StepError | None
    executor: str | None
    kind: str
    name: str | None
    message: str | None
    peak_bytes: int | None


class StepDetail(Step):
    """A step with its attempts, its inputs' descriptions and a window on its output."""

    inputs: dict[str, Any]
    attempts_list: list[StepAttempt]
    preview: Preview | None


class Gate(Message):
    """A gate that waits."""

    run_id: str
    step: str
    status: str
    requested_at: float
    deadline_at: float | None
    form: dict[str, Any] | None
    workflow: str


class GateDetail(Gate):
    """A gate with a window on the data to decide on."""

    decided_at: float | None
    decided_by: str | None
    values: Any
    reason: str | None
    preview: Preview | None


class Decision(Message):
    """A gate that is over: who decided, when and why."""

    run_id: str
    step: str
    workflow: str
    status: str
    requested_at: float
    decided_at: float
    decided_by: str | None
    reason: str | None


class JobRun(Message):
    """A run of a job; whether it left files, not where."""

    job_run_id: str
    job_id: str
    version: int
    tick_at: float | None
    trigger: str
    status: JobRunStatus
    attempt: int
    queued_at: float
    started_at: float | None
    ended_at: float | None
    params: Any
    error: StepError | None
    html: bool
    notebook: bool
    runs: list[str]
    logical_at: float | None
    peak_bytes: int | None
    role: str | None
    backfill_id: str | None
    resumed_from: str | None


class JobResult(Message):
    """How a run of a job went, when, how long it took, and in a line why it did not succeed."""

    job_run_id: str
    status: JobRunStatus
    at: float
    seconds: float | None
    reason: str | None


class JobAlarm(Message):
    """Something that is wrong with a job since a while."""

    kind: str
    subject: str
    since: float


class JobHealth(Message):
    """How a job does, and why it is said to; figures are of its last runs."""

    state: JobState
    why: str
    success_share: float | None
    median_seconds: float | None
    last_success_at: float | None
    alarms: list[JobAlarm]


class Job(Message):
    """A job with its last run; lists tell its health and `recent`, oldest first, promoting tells `changed`."""

    job_id: str
    name: str
    version: int
    status: Literal["active", "paused", "waiting"]
    notebook: str
    schedule: str | None
    schedule_words: str
    triggers: str
    timezone: str
    next_tick_at: float | None
    parameters: dict[str, Any]
    missed: str
    retries: int
    timeout: Any
    gates: dict[str, Any]
    options: dict[str, Any]
    created_at: float
    created_by: str | None
    last: JobRun | None
    health: JobHealth = _sometimes()
    recent: list[JobResult] = _sometimes()
    changed: bool = _sometimes()
    promoted: int | None = _sometimes()


class Place(Message):
    """The workspace: its folder, the same as a person reads it, whether it is there yet."""

    path: str
    shown: str
    exists: bool


class NewestRun(Message):
    """The newest run, whatever the filter shows."""

    run_id: str
    workflow: str
    status: RunStatus


class FailedRun(NewestRun):
    """The last failed run that no later run of its workflow has made good."""

    ended_at: float | None


class Snapshot(Message):
    """The panel's whole picture. `decided` is newest first; `workflows` are names to filter by."""

    workspace: Place
    now: float
    actor: str
    seq: int
    runs: list[Run]
    gates: list[Gate]
    decided: list[Decision]
    jobs: list[Job]
    counts: dict[str, int]
    newest: NewestRun | None
    failure: FailedRun | None
    workflows: list[str]
    workers: int


class Event(Message):
    """Something that happened."""

    seq: int
    run_id: str | None
    step: str | None
    kind: str
    at: float
    data: Any


class Events(Message):
    """What a client missed, and the number to ask from next."""

    workspace: str
    events: list[Event]
    seq: int
    more: bool


class Runs(Message):
    """Runs, newest first."""

    runs: list[Run]


class RunRef(Message):
    """The run that now stands for what was asked."""

    run_id: str


class Logs(Message):
    """Log lines, and the number to ask from next."""

    logs: list[LogLine]
    after: int


class Jobs(Message):
    """Jobs by name."""

    jobs: list[Job]


class JobRef(Message):
    """The job that was removed."""

    job_id: str


class JobRunRef(Message):
    """The job run that was triggered."""

    job_run_id: str


class JobParameters(Message):
    """What a run of a job may be given."""

    parameters: list[NotebookParameter]


class JobHistory(Message):
    """Runs of a job, newest first."""

    runs: list[JobRun]


#: What each handler answers, by method and address. `ask` answers with `widgets.protocol`; files are files.
ANSWERS: dict[str, type[Message]] = {
    "GET snapshot": Snapshot,
    "GET events": Events,
    "GET runs": Runs,
    "GET runs/{id}": RunDetail,
    "POST runs/{id}/cancel": RunRef,
    "POST runs/{id}/resume": RunRef,
    "POST runs/{id}/rerun": RunRef,
    "GET runs/{id}/logs": Logs,
    "GET runs/{id}/steps/{step}": StepDetail,
    "GET runs/{id}/gates/{step}": GateDetail,
    "POST runs/{id}/gates/{step}": GateDetail,
    "GET jobs": Jobs,
    "GET jobs/{id}": Job,
    "DELETE jobs/{id}": JobRef,
    "POST jobs/{id}/pause": Job,
    "POST jobs/{id}/resume": Job,
    "POST jobs/{id}/trigger": JobRunRef,
    "GET jobs/{id}/parameters": JobParameters,
    "GET jobs/{id}/runs": JobHistory,
    "POST jobs/{id}/runs/{id}/cancel": JobRun,
    "POST promote": Job,
}
