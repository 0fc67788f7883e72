"""What clients may send to the endpoints below `jobs/`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from aios_workbench.server.bodies import Body, Query, Reason

Version = Annotated[int, Field(ge=1, le=10**9)]
Instant = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]
When = Annotated[str, Field(min_length=1, max_length=40)]


class Rollback(Body):
    """`jobs/{id}/rollback`."""

    version: Version
    reason: Reason | None = None


class Approve(Body):
    """`jobs/{id}/approvals`: `bundle_hash` is what was looked at."""

    version: Version
    bundle_hash: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    decision: Literal["approve", "reject"]
    reason: Reason | None = None


class StartRollout(Body):
    """`jobs/{id}/rollout`: a version on a share of the runs, or beside all of them."""

    version: Version
    mode: Literal["canary", "shadow"]
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.2


class FinishRollout(Body):
    """`jobs/{id}/rollout/finish`."""

    decision: Literal["promote", "roll_back"]
    reason: Reason | None = None


class BackfillRange(Body):
    """`jobs/{id}/backfills/preview`: from one time to another, on the clock of the job's zone."""

    start: When
    end: When
    again: bool = False


class StartBackfill(BackfillRange):
    """`jobs/{id}/backfills`."""

    concurrency: Annotated[int, Field(ge=1, le=100)] = 1
    newest_first: bool = False
    parameters: dict[str, Any] | None = None


class DiffQuery(Query):
    """`jobs/{id}/diff`: from a version to another, or without one to the notebook as it is saved now."""

    old: Version
    new: Version | None = None


class LogQuery(Query):
    """`…/log`: what comes after a number the client knows."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
