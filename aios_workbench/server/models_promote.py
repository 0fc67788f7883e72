"""What the endpoints behind the promote dialog answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from aios_workbench._wire import Message


class NotebookParameter(Message):
    """What a notebook may be given."""

    name: str
    type: str
    default: Any
    required: bool
    annotated: bool
    computed: bool
    cell: int
    line: int
    schema_: dict[str, Any] = Field(alias="schema")


class FindingEdit(Message):
    """A piece of a cell's source and what to put in its place: lines from 1, columns from 0."""

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class QuickFix(Message):
    """A safe change of the notebook that mends a finding."""

    title: str
    edits: list[FindingEdit]
    clear_outputs: int | None


class Finding(Message):
    """What stands in the way of promoting a notebook; `why` says what happens in production."""

    severity: Literal["error", "warning", "note"]
    code: str
    message: str
    fix: str
    cell: int | None
    line: int | None
    rule: str
    column: int | None
    variable: str | None
    cell_id: str | None
    quick_fix: QuickFix | None
    why: str
    ignorable: bool


class IgnoredFinding(Finding):
    """What the notebook's author has looked at, and the reason."""

    reason: str


class PromoteCheck(Message):
    """What a notebook takes, and what stands in its way.

    `seen` is the SHA-256 of the file, `problems` what is wrong with the job's options, by option.
    """

    name: str
    parameters: list[NotebookParameter]
    gates: list[str]
    findings: list[Finding]
    ignored: list[IgnoredFinding]
    modules: list[str]
    data: list[str]
    seen: str
    problems: dict[str, str]


class PreviewLine(Message):
    """A run to come, or runs that the clock leaves out."""

    at: float
    local: str
    utc: str
    runs: bool
    note: str | None


class PromotePreview(Message):
    """When a job would run, in words and in instants, and what is wrong with its options, by option."""

    words: str
    lines: list[PreviewLine]
    problems: dict[str, str]
    message: str | None


class Mended(Message):
    """A cell before and after."""

    cell: int
    cell_id: str | None
    before: str
    after: str
    clear_outputs: bool


class PromoteMend(Message):
    """The changes that mend findings; they are made by whoever has the notebook open. Nothing is written."""

    seen: str
    cells: list[Mended]
    metadata: dict[str, Any] | None
    made: list[Finding]


class TargetInfo(Message):
    """A scheduler a job can be written for, and how far that is proven."""

    name: str
    title: str
    evidence: Literal["real", "wire", "schema", "untested"]
    evidence_words: str
    proof: str
    grains: list[Literal["notebook", "steps"]]
    folder: str


class PromoteOpening(Message):
    """What the dialog starts with: the job this notebook is already, the other jobs, the targets."""

    notebook: str
    job_id: str | None
    version: int | None
    status: str | None
    options: dict[str, Any] | None
    jobs: list[str]
    targets: list[TargetInfo]
    folder: str


class TargetFile(Message):
    """A file that would be written. `diff` is against what lies there; `problem` says why it cannot be."""

    path: str
    status: Literal["new", "changed", "same", "blocked"]
    text: str
    diff: str
    problem: str | None


class TargetFiles(Message):
    """What a target's files are, before or after they are written."""

    target: str
    title: str
    evidence: Literal["real", "wire", "schema", "untested"]
    grain: Literal["notebook", "steps"]
    folder: str
    bundle: str
    bundle_hash: str
    bundle_status: Literal["new", "changed", "same", "blocked"]
    limits: list[str]
    files: list[TargetFile]
    written: bool
    commands: list[str]


class ReviewChange(Message):
    """An option of the job that promoting changes."""

    option: str
    old: Any
    new: Any


class ReviewCell(Message):
    """A cell that promoting changes."""

    kind: Literal["added", "removed", "changed", "moved"]
    old: int | None
    new: int | None
    diff: str


class PromoteReview(Message):
    """What promoting changes against the version that runs."""

    job_id: str | None
    version: int | None
    next_version: int
    status: str | None
    notebook: str | None
    same: bool
    options: list[ReviewChange]
    cells: list[ReviewCell]
    others: list[str]
    approvals_needed: int
    approvals_why: str
    seen: str


class CleanRunCell(Message):
    """How far a run in a clean kernel is: cells done of how many, in the first or the second run."""

    done: int
    count: int
    round: int


class CleanRunState(Message):
    """A run in a clean kernel: going, over with what was found, cancelled, or broken."""

    run_id: str
    status: Literal["running", "done", "cancelled", "failed"]
    started_at: float
    seconds: float
    progress: CleanRunCell | None
    findings: list[Finding]
    run_status: str | None
    run_seconds: float | None
    peak_bytes: int | None
    compared: int | None
    error: str | None


class PromoteBadge(Message):
    """Whether a notebook is a job, and whether it differs from what was promoted."""

    job: str | None
    job_id: str | None
    version: int | None
    differs: bool
    what: list[str]


#: By method and address, as in `models`.
ANSWERS: dict[str, type[Message]] = {
    "POST promote/open": PromoteOpening,
    "POST promote/check": PromoteCheck,
    "POST promote/preview": PromotePreview,
    "POST promote/mend": PromoteMend,
    "POST promote/files": TargetFiles,
    "POST promote/write": TargetFiles,
    "POST promote/review": PromoteReview,
    "GET promote/badge": PromoteBadge,
    "POST promote/clean-run": CleanRunState,
    "GET promote/clean-run/{id}": CleanRunState,
    "POST promote/clean-run/{id}/cancel": CleanRunState,
}
