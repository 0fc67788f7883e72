"""Jobs as the workspace's policy sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError, DeniedError
from aios_workbench.govern import policy
from aios_workbench.govern.policy import Decision, Person
from aios_workbench.promote.reading import reading
from aios_workbench.workspace import Session, Workspace


def require(
    ws: Workspace, by: str, action: str, job: Mapping[str, Any], *, version: int | None = None, **context: Any
) -> None:
    """Let nobody pass who may not do this with a job.

    Parameters
    ----------
    job : mapping
        The row of `jobs`.
    version : int, optional
        The version that this is about; the job's current one if not given.

    Raises
    ------
    DeniedError
        Saying which rule of the policy says so.

    Examples
    --------
    >>> require(workspace(), "ada", "job.pause", job_row(workspace(), "claims"))  # doctest: +SKIP
    """
    policy.require(ws, by, action, *_asked(ws, action, job, version, context))


def begun(job: Mapping[str, Any]) -> None:
    """Let nothing start of a job that waits for its first version's approval.

    Raises
    ------
    ConflictError
        Saying so.
    """
    if job["status"] == "waiting":
        raise ConflictError(
            f"job {job['name']!r} has not begun: its first version waits for approval; `aios jobs approvals` lists "
            "what waits"
        )


def ask(
    ws: Workspace, by: str, action: str, job: Mapping[str, Any], *, version: int | None = None, **context: Any
) -> Decision:
    """Say whether somebody may do this with a job, and do nothing."""
    return policy.allowed(ws, by, action, *_asked(ws, action, job, version, context))


def _asked(
    ws: Workspace, action: str, job: Mapping[str, Any], version: int | None, context: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    seen = resource(reading(ws), job, version)
    if action == "job.approve":
        context["version"] = version or job["version"]
    return seen, context


def require_within(
    con: Session, by: str, action: str, job: Mapping[str, Any], *, version: int | None = None, **context: Any
) -> None:
    """Ask so inside a transaction, which the refusal undoes.

    Raises
    ------
    DeniedError
        Saying which rule of the policy says so.
    """
    decision = policy.allowed_within(con, by, action, resource(con, job, version), context)
    if not decision.allowed:
        raise DeniedError(
            f"{by} may not do {action} with {job['name']!r}: {decision.why}", rule=decision.rule
        )


def require_new(ws: Workspace, by: str, name: str) -> None:
    """Let nobody pass who may not promote the first version of a job.

    Raises
    ------
    DeniedError
        Saying which rule of the policy says so.
    """
    policy.require(ws, by, "job.promote", new(name, by))


def new(name: str, by: str) -> dict[str, Any]:
    """Return a job that is not there yet."""
    return {"type": "Job", "id": name, "name": name, "owner": Person(by), "promoter": Person(by)}


def resource(con: Session, job: Mapping[str, Any], version: int | None = None) -> dict[str, Any]:
    """Return a job as the policy sees it; whoever is not known is nobody."""
    found = con.execute(
        "select created_by from job_versions where job_id = :id and version = :version",
        {"id": job["job_id"], "version": version or job["version"]},
    ).fetchone()
    return {
        "type": "Job", "id": job["job_id"], "name": job["name"], "owner": Person(job["created_by"] or ""),
        "promoter": Person((found["created_by"] if found else None) or ""),
    }  # fmt: skip
