"""What the promote dialog sends: a job's options as far as they are known, and what is asked about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from aios_workbench.server.bodies import Body, Name, Path, Query, Reason

_Text = Annotated[str, Field(max_length=200)]
_Zone = Annotated[str, Field(max_length=100)]
_Span = Annotated[str, Field(max_length=50)]
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class JobEvent(Body):
    """An event that starts the job; `parameters` by the path of a value in the event's data."""

    event: Annotated[str, Field(min_length=1, max_length=200)]
    where: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)


class JobAfter(Body):
    """Another job after whose runs this one starts."""

    job: Annotated[str, Field(min_length=1, max_length=100)]
    on: Literal["succeeded", "failed", "ended"] = "succeeded"


class JobSlo(Body):
    """What the job promises."""

    failures: Annotated[float, Field(ge=0, lt=1)] | None = None
    within: _Span | None = None


class Options(Body):
    """A job's options; what is not said stays as it was in the version before."""

    name: Annotated[str, Field(max_length=200)] = ""
    schedule: _Text | None = None
    every: _Span | None = None
    starting: _Span | None = None
    on_event: Annotated[list[JobEvent], Field(max_length=20)] = Field(default_factory=list)
    after: Annotated[list[JobAfter], Field(max_length=50)] = Field(default_factory=list)
    after_mode: Literal["all", "any"] = "all"
    timezone: _Zone = "UTC"
    parameters: dict[str, Any] = Field(default_factory=dict)
    missed: Literal["skip", "latest", "all"] = "latest"
    catch_up: Annotated[int, Field(ge=1, le=1000)] = 24
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    retry_delay: _Span = "1m"
    timeout: _Span | None = None
    memory: _Span | None = None
    overlap: Literal["forbid", "queue", "replace"] = "forbid"
    concurrency: Annotated[int, Field(ge=1, le=100)] = 1
    late_after: _Span | None = None
    absent_after: _Span | None = None
    slo: JobSlo | None = None
    approvals: Annotated[int, Field(ge=0, le=10)] = 0
    gates: dict[str, Any] = Field(default_factory=dict)
    alerts: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=20)] = Field(
        default_factory=list
    )


class Draft(Options):
    """A notebook and the job it shall become: `promote/check`, `promote/preview`, `promote/review`."""

    notebook: Path


class Promote(Draft):
    """`promote`. With `seen`, the notebook must still be the file of that SHA-256."""

    name: Name
    note: Reason | None = None
    seen: _Hash | None = None
    rollout: Literal["canary", "shadow"] | None = None


class Opening(Body):
    """`promote/open`."""

    notebook: Path


class FindingRef(Body):
    """A finding, as far as needed to find it again."""

    rule: Annotated[str, Field(pattern="^AIOS[0-9]{3}$")]
    cell: Annotated[int, Field(ge=1)] | None = None
    line: Annotated[int, Field(ge=1)] | None = None


class Mend(Draft):
    """`promote/mend`: make quick fixes (of all findings that have one, when none is named), or ignore one."""

    findings: Annotated[list[FindingRef], Field(max_length=1000)] | None = None
    ignore: FindingRef | None = None
    reason: Annotated[str, Field(max_length=300)] = ""


class Files(Draft):
    """`promote/files` and `promote/write`: a target's files in a folder below the project's."""

    target: Annotated[str, Field(max_length=50)]
    grain: Literal["notebook", "steps"] = "notebook"
    folder: Annotated[str, Field(max_length=500)] = ""
    seen: _Hash | None = None


class BadgeQuery(Query):
    """`promote/badge`."""

    notebook: Path
