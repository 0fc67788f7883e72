"""What clients may send; anything else is answered with 422 and the field's name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]
Path = Annotated[str, Field(min_length=1, max_length=1024)]
Reason = Annotated[str, Field(max_length=10_000)]


class Body(BaseModel):
    """A JSON object with no field but these, nothing guessed: "1" is no number, 1 no text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An empty object."""


class Rerun(Body):
    """`runs/{id}/rerun`."""

    from_step: Name


class Decision(Body):
    """`runs/{id}/gates/{step}`."""

    approved: bool
    values: dict[str, Any] | None = None
    reason: Reason | None = None


class Trigger(Body):
    """`jobs/{id}/trigger`: parameters that differ from the job's own, this once."""

    params: dict[str, Any] = Field(default_factory=dict)


class Query(BaseModel):
    """Arguments of a query string: always text, so numbers are read from it."""

    model_config = ConfigDict(extra="ignore")


class RunsQuery(Query):
    """`runs`: which, whose, how many, started before when."""

    workflow: Annotated[str, Field(max_length=200)] | None = None
    status: (
        Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled", "interrupted"] | None
    ) = None
    search: Annotated[str, Field(max_length=200)] | None = None
    mine: bool = False
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    before: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class PageQuery(Query):
    """A window on a table."""

    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=0, le=500)] = 50


class AfterQuery(Query):
    """What came after a number the client knows."""

    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000


class EventsQuery(Query):
    """`events`: after a number; without one, only how far they go."""

    after: Annotated[int, Field(ge=0, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000


class LogsQuery(AfterQuery):
    """`runs/{id}/logs`: of one step or of all."""

    step: Annotated[str, Field(max_length=1000)] | None = None


class HistoryQuery(Query):
    """`jobs/{id}/runs`: the newest, or the newest of those due before a time."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    before: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
