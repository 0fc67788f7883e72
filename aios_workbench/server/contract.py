"""All models of the wire in one place: what each endpoint answers, and the bodies it takes by their TypeScript name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.server import bodies, bodies_jobs, bodies_promote, models, models_jobs, models_promote

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aios_workbench._wire import Message

#: Modules of which every message becomes a TypeScript interface, in this order.
MODULES = (models, models_jobs, models_promote)

ANSWERS: dict[str, type[Message]] = {**models.ANSWERS, **models_jobs.ANSWERS, **models_promote.ANSWERS}

REQUESTS: dict[str, type[BaseModel]] = {
    "RerunRequest": bodies.Rerun,
    "DecisionRequest": bodies.Decision,
    "TriggerRequest": bodies.Trigger,
    "JobEvent": bodies_promote.JobEvent,
    "JobAfter": bodies_promote.JobAfter,
    "JobSlo": bodies_promote.JobSlo,
    "DraftRequest": bodies_promote.Draft,
    "PromoteRequest": bodies_promote.Promote,
    "FindingRef": bodies_promote.FindingRef,
    "MendRequest": bodies_promote.Mend,
    "FilesRequest": bodies_promote.Files,
    "RollbackRequest": bodies_jobs.Rollback,
    "ApproveRequest": bodies_jobs.Approve,
    "StartRolloutRequest": bodies_jobs.StartRollout,
    "FinishRolloutRequest": bodies_jobs.FinishRollout,
    "BackfillRangeRequest": bodies_jobs.BackfillRange,
    "StartBackfillRequest": bodies_jobs.StartBackfill,
}
