"""All models of the wire in one place: what each endpoint answers, and the bodies it takes by their TypeScript name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.server import bodies, bodies_jobs, models, models_jobs

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aios_workbench._wire import Message

#: Modules of which every message becomes a TypeScript interface, in this order.
MODULES = (models, models_jobs)

ANSWERS: dict[str, type[Message]] = {**models.ANSWERS, **models_jobs.ANSWERS}

REQUESTS: dict[str, type[BaseModel]] = {
    "RerunRequest": bodies.Rerun,
    "DecisionRequest": bodies.Decision,
    "TriggerRequest": bodies.Trigger,
    "CheckRequest": bodies.Check,
    "PromoteRequest": bodies.Promote,
    "RollbackRequest": bodies_jobs.Rollback,
    "ApproveRequest": bodies_jobs.Approve,
    "StartRolloutRequest": bodies_jobs.StartRollout,
    "FinishRolloutRequest": bodies_jobs.FinishRollout,
    "BackfillRangeRequest": bodies_jobs.BackfillRange,
    "StartBackfillRequest": bodies_jobs.StartBackfill,
}
