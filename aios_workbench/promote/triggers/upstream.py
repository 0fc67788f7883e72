"""Jobs that start after others: which ends have been heard of, and whether they start each other in a circle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import JobError, hint
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, Workspace

if TYPE_CHECKING:
    from aios_workbench.promote.spec_parts import After

_ENDS = {
    "succeeded": ("succeeded",),
    "failed": ("failed", "timeout"),
    "ended": ("succeeded", "failed", "timeout", "cancelled"),
}


def mark(other: After) -> str:
    """Return under which source of `job_sources` it is noted that an upstream job has ended."""
    return f"after:{other.on}:{other.job}"


def heard(con: Session, job_id: str, spec: JobSpec, data: dict[str, Any], now: float) -> bool:
    """Note that another job has ended; True when this one starts now.

    With ``after_mode: all`` the newest end of each upstream job is kept until there is one of all of them; then
    all are used up.
    """
    meant = [o for o in spec.after if o.job == data["job"] and data["status"] in _ENDS[o.on]]
    if not meant or spec.after_mode == "any":
        return bool(meant)
    for other in meant:
        con.execute(
            "insert into job_sources (job_id, source, seen, at) values (:job_id, :source, :seen, :now) "
            "on conflict (job_id, source) do update set seen = :seen, at = :now",
            {"job_id": job_id, "source": mark(other), "seen": data["job_run_id"], "now": now},
        )
    noted = con.execute("select source from job_sources where job_id = :id", {"id": job_id}).fetchall()
    if not {mark(other) for other in spec.after} <= {row[0] for row in noted}:
        return False
    con.execute("delete from job_sources where job_id = :id and source like 'after:%'", {"id": job_id})
    return True


def check_circle(con: Session, spec: JobSpec) -> None:
    """Refuse a job that, by way of others, would start after itself.

    Raises
    ------
    JobError
        Naming the jobs of the circle.
    """
    found = _circle(_after(con), spec) if spec.after else None
    if found:
        raise JobError(
            f"the jobs would start each other in a circle: {' after '.join(found)}; take one `after` out"
        )


def dependents(con: Session, name: str) -> list[str]:
    """Return the names of the jobs that start after the one of this name."""
    return sorted(job for job, others in _after(con).items() if name in others)


def problems(ws: Workspace, spec: JobSpec) -> list[str]:
    """Return why a job may never start after another one, a sentence each.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> problems(workspace(), JobSpec(name="load", notebook="load.ipynb", after=[{"job": "extract"}]))
    ["there is no job 'extract' to start after; promote one of that name, or take it out of `after`"]
    """
    if not spec.after:
        return []
    jobs = ws.catalog.query("select name, status, spec from jobs")
    found = absent(spec, {job["name"]: job["status"] for job in jobs})
    if circle := _circle({job["name"]: _others(job["spec"]) for job in jobs}, spec):
        found.append(f"the jobs start each other in a circle: {' after '.join(circle)}")
    return found


def absent(spec: JobSpec, jobs: Mapping[str, str]) -> list[str]:
    """Return which of the jobs that it starts after are gone, or start nothing now, a sentence each.

    Parameters
    ----------
    jobs : mapping
        The status of every job by name.

    Examples
    --------
    >>> absent(JobSpec(name="load", notebook="-", after=[{"job": "extract"}]), {"extract": "paused"})
    ["job 'extract', after which it starts, is paused"]
    """
    found = []
    for name in dict.fromkeys(other.job for other in spec.after):
        if name not in jobs:
            found.append(
                f"there is no job {name!r} to start after{hint(name, jobs)}; promote one of that name, or take it out "
                "of `after`"
            )
        elif jobs[name] != "active":
            found.append(f"job {name!r}, after which it starts, is {jobs[name]}")
    return found


def _after(con: Session) -> dict[str, list[str]]:
    return {row[0]: _others(row[1]) for row in con.execute("select name, spec from jobs").fetchall()}


def _others(spec: str) -> list[str]:
    return [other["job"] for other in json.loads(spec).get("after") or []]


def _circle(graph: dict[str, list[str]], spec: JobSpec) -> list[str] | None:
    """Return a way from the job back to itself, its name at both ends."""
    graph = {**graph, spec.name: [other.job for other in spec.after]}
    came_from: dict[str, str] = {}
    waiting = [spec.name]
    while waiting:
        name = waiting.pop(0)
        for other in graph.get(name, []):
            if other == spec.name:
                way = [name]
                while way[-1] != spec.name:
                    way.append(came_from[way[-1]])
                return [*reversed(way), spec.name]
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    return None
