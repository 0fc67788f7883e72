"""What the function of a map, or one that yields, finds around it: its context and its log."""

from __future__ import annotations

from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.work import ItemContext


def item_context(job: Job, attempt: int, others: dict[str, Any]) -> tuple[ItemContext, capture.StepLog]:
    """Return a context and the log that belongs to it; the caller sets and closes them."""
    capture.install()
    ctx = ItemContext(
        job.ws, job.run_id, job.workflow, job.spec.name, attempt, job_run_id=job.job_run_id, _cancelled=job.cancelled,
        _purse=job.purse,
    )  # fmt: skip
    ctx.params = {n: others[n] for n in job.spec.params if n in others}
    log = capture.StepLog(job.ws, ctx)
    ctx._log = lambda text: log.record("INFO", text)
    return ctx, log
