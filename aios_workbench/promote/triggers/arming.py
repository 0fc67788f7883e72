"""From when on a job listens: the numbers in `job_sources`."""

from __future__ import annotations

from typing import Any

from aios_workbench.promote.events import last_number
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.triggers import upstream
from aios_workbench.workspace import Session

#: What a job has heard of events, and of other jobs' ends.
EVENTS, ENDS = "events", "ends"
_LISTEN = (
    "insert into job_sources (job_id, source, seen, at) values (:id, :source, :seen, :now) "
    "on conflict (job_id, source) do nothing"
)
MOVE = _LISTEN.removesuffix("nothing") + "update set seen = :seen, at = :now"


def arm(con: Session, job_id: str, spec: JobSpec, before: JobSpec | None, now: float) -> None:
    """Let a job listen for what happens from now on.

    Call it in the transaction that makes a job active, or gives it another spec.

    Parameters
    ----------
    before : JobSpec, optional
        What it was until now. For what it listened to already it goes on where it was: an event that no worker has
        seen yet is not lost by promoting a fix. None for a job that did not listen: it was paused, or is new.
    """
    for source, wanted, kept in (
        (EVENTS, bool(spec.on_event), before is not None and _names(before) == _names(spec)),
        (ENDS, bool(spec.after), before is not None and _upstream(before) == _upstream(spec)),
    ):
        values = {"id": job_id, "source": source, "seen": str(last_number(con)), "now": now}
        if not wanted:
            con.execute("delete from job_sources where job_id = :id and source = :source", values)
        else:
            con.execute(_LISTEN if kept else MOVE, values)
    marks = {upstream.mark(other) for other in spec.after if spec.after_mode == "all"}
    noted = con.execute("select source from job_sources where job_id = :id", {"id": job_id}).fetchall()
    for source in {row[0] for row in noted} - marks - {EVENTS, ENDS}:
        con.execute(
            "delete from job_sources where job_id = :id and source = :source",
            {"id": job_id, "source": source},
        )


def _names(spec: JobSpec) -> list[Any]:
    return [(trigger.event, trigger.where) for trigger in spec.on_event]


def _upstream(spec: JobSpec) -> tuple[Any, ...]:
    return (spec.after_mode, *spec.after)
