"""The cap on the attempts of a whole run: retries of retries must not multiply what it costs."""

from __future__ import annotations

from aios_workbench.engine.job import Job
from aios_workbench.errors import AttemptsExhausted


def claim(job: Job, attempts: int = 1) -> None:
    """Take attempts from what the run may still make: stored on return, whatever process makes them.

    Raises
    ------
    AttemptsExhausted
        Naming the steps that used them up.
    """
    if not job.capped:
        return
    taken = job.ws.catalog.write(
        "update runs set attempts_used = attempts_used + :n where run_id = :r "
        "and (attempts_allowed is null or attempts_used + :n <= attempts_allowed)", r=job.run_id, n=attempts,
    )  # fmt: skip
    if not taken:
        raise AttemptsExhausted(_why(job))


def _why(job: Job) -> str:
    catalog = job.ws.catalog
    catalog.flush()
    run = (
        catalog.one("select attempts_used, attempts_allowed from runs where run_id = :r", r=job.run_id) or {}
    )
    steps = catalog.query(
        "select step, count(*) as n, sum(case when status = 'succeeded' then 0 else 1 end) as bad from attempts "
        "where run_id = :r and kind <> 'compensation' group by step order by n desc, step limit 5", r=job.run_id,
    )  # fmt: skip
    used = ", ".join(
        f"'{s['step']}' {s['n']}" + (f" ({s['bad']} without success)" if s["bad"] else "") for s in steps
    )
    return (
        f"step '{job.spec.name}' could not make another attempt: run {job.run_id} has made "
        f"{run.get('attempts_used')} of the {run.get('attempts_allowed')} its workflow '{job.workflow}' allows "
        f"(max_attempts){': ' + used if used else ''}. What has finished is kept; run.resume() goes on with as many "
        "again"
    )
