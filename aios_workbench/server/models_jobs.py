"""What the endpoints below `jobs/` answer of a job that is opened: times, versions, approvals, backfills, runs."""

from __future__ import annotations

from typing import Any, Literal

from aios_workbench._wire import Message
from aios_workbench.server.models import JobRun, JobRunRef


class JobTick(Message):
    """A coming tick on the clock of the job's zone; `note` says what the change of the clock does to it."""

    at: float
    local: str
    note: str | None


class JobTimes(Message):
    """When a job runs: all its triggers in words, and its next ticks."""

    words: str
    timezone: str
    ticks: list[JobTick]


class JobAlert(Message):
    """Something people were told of a job, or will be."""

    kind: str
    at: float
    subject: str
    body: str
    status: str
    attempts: int
    told_at: float | None
    error: str | None
    job_run_id: str


class JobAlerts(Message):
    """Alerts of a job, newest first."""

    alerts: list[JobAlert]


class JobVersion(Message):
    """A version of a job; `current` is what its next run is made of."""

    version: int
    status: str
    created_at: float
    created_by: str | None
    note: str | None
    bundle_hash: str
    current: bool
    runs: int
    files: dict[str, str]


class JobVersions(Message):
    """Versions of a job, newest first; `notebook` when there is a file to compare them with."""

    versions: list[JobVersion]
    notebook: str | None


class OptionChange(Message):
    """An option of the job that differs."""

    option: str
    old: Any
    new: Any


class CellChange(Message):
    """A cell that differs; `diff` is a unified diff of its source."""

    kind: Literal["added", "removed", "changed", "moved"]
    old: int | None
    new: int | None
    diff: str


class FileChange(Message):
    """A module or a data file that differs: its hashes, and a unified diff or why there is none."""

    path: str
    kind: Literal["added", "removed", "changed"]
    old: str | None
    new: str | None
    diff: str


class PackageChange(Message):
    """A package of the locked environment that differs, by its version."""

    package: str
    old: str | None
    new: str | None


class JobDiff(Message):
    """What differs between two versions, or between a version and the notebook as it is saved now."""

    spec: list[OptionChange]
    cells: list[CellChange]
    files: list[FileChange]
    packages: list[PackageChange]
    data: list[FileChange]
    same: bool


class Approval(Message):
    """What one person said of a version."""

    actor: str
    decision: str
    reason: str | None
    at: float


class JobApproval(Message):
    """A version that waits: how many must agree, who did, and what the one who asks may; `why_not` if not agree."""

    version: int
    bundle_hash: str
    created_by: str | None
    needed: int
    given: list[Approval]
    why: str
    may_approve: bool
    may_reject: bool
    why_not: str


class JobApprovals(Message):
    """Versions of a job that wait for somebody to agree, newest first."""

    approvals: list[JobApproval]


class RolloutCount(Message):
    """Runs of one version in a rollout; bad are those that failed or were too slow."""

    runs: int
    failed: int
    slow: int
    bad: int


class RolloutPair(Message):
    """A run with its shadow, and how that differs; null while they are not compared."""

    run: str
    shadow: str
    differences: list[str] | None


class Rollout(Message):
    """A version on trial, or one that was; `decision` and `because` are what its runs say so far."""

    rollout_id: str
    version: int
    base_version: int
    mode: Literal["canary", "shadow"]
    share: float
    status: str
    reason: str | None
    started_at: float
    started_by: str
    ended_at: float | None
    ended_by: str | None
    runs_wanted: int
    by_itself: bool
    base: RolloutCount
    new: RolloutCount
    compared: int
    differing: int
    pairs: list[RolloutPair]
    decision: Literal["roll_back", "promote"] | None
    because: str


class JobRollout(Message):
    """A version on trial, or the last one that was; null when there never was one."""

    rollout: Rollout | None


class BackfillTick(Message):
    """A tick of the past; `done` when a run of it has succeeded already."""

    at: float
    local: str
    done: bool


class BackfillPreview(Message):
    """What a backfill would run; `limit` is the most it may."""

    ticks: list[BackfillTick]
    total: int
    limit: int


class Backfill(Message):
    """A backfill and how far it is: how many of its runs are in which state, and the share that ended."""

    backfill_id: str
    job_id: str
    version: int
    starts_at: float
    ends_at: float
    concurrency: int
    newest_first: bool
    total: int
    status: str
    created_at: float
    created_by: str
    ended_at: float | None
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    share: float


class Backfills(Message):
    """Backfills of a job, newest first."""

    backfills: list[Backfill]


class JobCell(Message):
    """A cell of a job run; `cell` is its number in the notebook."""

    position: int
    cell: int | None
    label: str
    status: str
    started_at: float | None
    ended_at: float | None


class JobRunWorkflow(Message):
    """A workflow run that a job run started."""

    run_id: str
    workflow: str
    status: str


class JobRunDetail(JobRun):
    """A job run, opened. `cannot_resume` says why it cannot go on where it failed; null when it can."""

    name: str
    cells: list[JobCell]
    workflows: list[JobRunWorkflow]
    cannot_resume: str | None


class LogPart(Message):
    """What was printed from `after` on, and where to go on from; `more` when there is more already."""

    text: str
    next: int
    more: bool


class Workers(Message):
    """Whether a worker was started; none is when one lives."""

    started: bool


#: What each handler answers, by method and address, as `models.ANSWERS`.
ANSWERS: dict[str, type[Message]] = {
    "POST workers": Workers,
    "GET jobs/{id}/next": JobTimes,
    "GET jobs/{id}/alerts": JobAlerts,
    "GET jobs/{id}/versions": JobVersions,
    "GET jobs/{id}/diff": JobDiff,
    "POST jobs/{id}/rollback": JobVersions,
    "GET jobs/{id}/approvals": JobApprovals,
    "POST jobs/{id}/approvals": JobApprovals,
    "GET jobs/{id}/rollout": JobRollout,
    "POST jobs/{id}/rollout": JobRollout,
    "POST jobs/{id}/rollout/finish": JobRollout,
    "GET jobs/{id}/backfills": Backfills,
    "POST jobs/{id}/backfills": Backfills,
    "POST jobs/{id}/backfills/preview": BackfillPreview,
    "POST jobs/{id}/backfills/{id}/cancel": Backfills,
    "POST jobs/{id}/backfills/{id}/pause": Backfills,
    "POST jobs/{id}/backfills/{id}/resume": Backfills,
    "GET jobs/{id}/runs/{id}": JobRunDetail,
    "POST jobs/{id}/runs/{id}/resume": JobRunRef,
    "GET jobs/{id}/runs/{id}/log": LogPart,
    "GET jobs/{id}/runs/{id}/cells/{id}/log": LogPart,
}
