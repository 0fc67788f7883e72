"""How long the chain of runs is that led to an event: jobs that tell each other's events would never end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aios_workbench.workspace import Session

#: So many runs may start one another without a tick or a person among them.
LONGEST = 100


def length(con: Session, job_run_id: str | None) -> int:
    """Return how many runs started one another up to this one, itself included; `LONGEST` at most."""
    found = 0
    while job_run_id is not None and found < LONGEST:
        row = con.execute("select cause from job_runs where job_run_id = :id", {"id": job_run_id}).fetchone()
        if row is None:
            break
        found += 1
        job_run_id = _before(con, row[0] or "")
    return found


def _before(con: Session, cause: str) -> str | None:
    """Return the run that something with this cause came from."""
    kind, _, which = cause.partition(":")
    if kind == "after":
        return which
    if kind != "event":
        return None
    row = con.execute("select run_id, data from events where seq = :seq", {"seq": int(which)}).fetchone()
    if row is None:
        return None
    told = json.loads(row[1]).get("job_run_id")
    if told is None and row[0] is not None:
        run = con.execute("select job_run_id from runs where run_id = :id", {"id": row[0]}).fetchone()
        told = run[0] if run else None
    return None if told is None else str(told)
