"""What a job asks of the embedded scheduler, and a target keeps in part or not at all: a sentence each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from aios_workbench.promote.interval import Interval
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.workflow.isolation import format_bytes

_HEADROOM = 512 * 2**20
_MIB = 2**20


def unkept(plan: Plan, keeps: Collection[str], *, busy: str, side: str) -> list[str]:
    """Return what is not kept of how a job starts, how its runs go beside each other, and who looks at them.

    Parameters
    ----------
    keeps : collection of str
        Of "starting", "queue", "replace" and "concurrency" what the target does as the job says.
    busy : str
        What becomes of a tick that finds the job running; empty where it was said elsewhere.
    side : str
        How many runs go side by side.
    """
    spec, found = plan.spec, []
    if spec.starts_at is not None and "starting" not in keeps and spec.starts_at > _day_after(plan):
        found.append(f"starting: ticks before {spec.starting} are not held back; deploy it then")
    if spec.on_event:
        names = ", ".join(dict.fromkeys(trigger.event for trigger in spec.on_event))
        found.append(f"events: {names} starts nothing there; let what tells the event start it")
    if spec.after:
        names = ", ".join(other.job for other in spec.after)
        found.append(f"dependencies: it does not wait for {names}; draw that edge in the target")
    if spec.overlap not in ("forbid", *keeps) and busy:
        found.append(f"overlap: the job wants {spec.overlap!r}; a tick that finds it running is {busy}")
    if spec.concurrency > 1 and "concurrency" not in keeps:
        found.append(f"concurrency: {side}, not up to {spec.concurrency}")
    return found + _looked_after(plan)


def _day_after(plan: Plan) -> float:
    return dt.datetime.combine(plan.since, dt.time.max, dt.UTC).timestamp()


def _looked_after(plan: Plan) -> list[str]:
    spec, found = plan.spec, []
    if spec.memory and plan.steps:
        found.append(
            f"memory: the cap of {format_bytes(spec.memory)} is the notebook's; a step that is a task of its own has "
            "only its own `memory=`"
        )
    if spec.late_after or spec.absent_after:
        found.append(
            "lateness: nobody is told of a late or an absent run; set that in the target's own monitoring"
        )
    if spec.slo:
        found.append("slo: it is not judged there, and no version is rolled back by it")
    if spec.approvals:
        found.append(
            "approvals: whoever deploys these files puts the version to work; review them as you approve"
        )
    return found


def hard_memory(plan: Plan) -> int | None:
    """Return bytes for a limit behind the runner's own, or None: the runner ends the notebook first and says why.

    Examples
    --------
    >>> import datetime as dt
    >>> from aios_workbench.promote.spec import JobSpec
    >>> spec = JobSpec(name="n", notebook="n.ipynb", memory="1GiB")
    >>> hard_memory(Plan(spec, "0" * 64, dt.date(2026, 1, 1)))
    1610612736
    """
    return None if plan.spec.memory is None or plan.steps else plan.spec.memory + _HEADROOM


def mebibytes(count: int) -> int:
    """Return whole mebibytes, rounded up.

    Examples
    --------
    >>> mebibytes(2**20 + 1)
    2
    """
    return -(-count // _MIB)


def resources(plan: Plan) -> dict[str, object]:
    """Return what a container of Kubernetes is given: nothing, or its memory."""
    hard = hard_memory(plan)
    if hard is None:
        return {}
    assert plan.spec.memory is not None
    asked = f"{mebibytes(plan.spec.memory)}Mi"
    return {"resources": {"requests": {"memory": asked}, "limits": {"memory": f"{mebibytes(hard)}Mi"}}}


def interval_of(plan: Plan) -> Interval | None:
    """Return the job's interval when no cron expression says it."""
    ticks = plan.spec.ticks
    return ticks if isinstance(ticks, Interval) else None
