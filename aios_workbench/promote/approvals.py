"""Other people's agreement to a version before it runs.

A version that needs it waits, and the job goes on with the one before. Whoever promoted it does not count; each person
votes once; the last agreement needed makes the version the job's, in the same transaction. An agreement is to exactly
one bundle: a version promoted meanwhile starts anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal

from aios_workbench.errors import ConflictError, DeniedError, NotFoundError, ParameterError
from aios_workbench.govern import audit_within, policy
from aios_workbench.promote import alerts, permits, rollout
from aios_workbench.promote.activation import HELD, activate, spec_of, version_row
from aios_workbench.promote.reading import reading
from aios_workbench.promote.records import job_row, tell
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Session, Workspace

#: The most that a job, or a policy, can ask for.
MOST = 10
_WORDS = {"approve": "approved", "reject": "rejected"}


def first_status(
    con: Session, job: Mapping[str, Any] | None, spec: JobSpec, by: str
) -> Literal["approved", "waiting"]:
    """Return the state in which a version that `by` promotes begins; inside the transaction that writes it.

    Parameters
    ----------
    job : mapping or None
        The row of `jobs`; None for a new job.

    Raises
    ------
    DeniedError
        When the policy lets the version run with no number of approvals.
    """
    return "waiting" if needed(con, job, spec, by) else "approved"


def needed(
    con: Session, job: Mapping[str, Any] | None, spec: JobSpec, by: str, version: int | None = None
) -> int:
    """Return how many other people must agree to a version that `by` promotes.

    The largest of what its own `job.yaml` says, what the version that runs now and the newest one that was approved
    say, and what the policy asks for: a version cannot lower the number for itself.

    Raises
    ------
    DeniedError
        When the policy lets it run with no number of approvals.
    """
    asked = [spec.approvals]
    if job is not None:
        newest = con.execute(
            "select max(version) as version from job_versions where job_id = :id and status = 'approved'",
            {"id": job["job_id"]},
        ).fetchone()["version"]
        for other in {job["version"], newest} - {None, version}:
            row = version_row(con, job["job_id"], other)
            if row is not None and row["status"] == "approved":
                asked.append(JobSpec.from_dict(json.loads(row["spec"])).approvals)
    seen = permits.new(spec.name, by) if job is None else _resource(con, job, by)
    return max(*asked, _by_policy(con, by, seen))


def _resource(con: Session, job: Mapping[str, Any], promoter: str) -> dict[str, Any]:
    return {**permits.resource(con, job), "promoter": policy.Person(promoter)}


def _by_policy(con: Session, by: str, seen: Mapping[str, Any]) -> int:
    for count in range(MOST + 1):
        decision = policy.allowed_within(con, by, "job.activate", seen, {"approvals": count})
        if decision.allowed:
            return count
    raise DeniedError(
        f"{by} may not make a version of {seen['name']!r} run, whoever agrees to it: {decision.why}",
        rule=decision.rule,
    )


def supersede(con: Session, job_id: str, version: int) -> None:
    """End the waiting of all versions older than one that was promoted now, in its transaction."""
    con.execute(
        "update job_versions set status = 'superseded' where job_id = :id and status = 'waiting' "
        "and version < :version",
        {"id": job_id, "version": version},
    )
    con.execute(
        "update rollouts set status = 'superseded' where job_id = :id and status = 'waiting' and version < :version",
        {"id": job_id, "version": version},
    )


def ask(con: Session, job: Mapping[str, Any], version: int, now: float) -> None:
    """Tell the job's channels that a version waits for approval, in the transaction that writes it."""
    row = version_row(con, job["job_id"], version)
    assert row is not None
    stands = _status(con, job, row)
    subject = f"{job['name']}: version {version} waits for approval"
    body = (
        f"{row['created_by']} promoted it; {stands['why']}.\n\n`aios jobs approve {job['name']} --version {version} "
        "--reason …` agrees to it, `aios jobs reject` ends it."
    )
    told = {"job_id": job["job_id"], "version": version}
    alerts.put(con, told, f"approval/{job['job_id']}/{version}", "approval", subject, body, now)


def status(ws: Workspace, job_id: str, version: int) -> dict[str, Any]:
    """Say how the approval of a version stands.

    Returns
    -------
    dict
        `status` of the version, `needed`, `given` (actor, decision, reason, at), `may`: whether it may run, and
        `why`, in words.

    Raises
    ------
    NotFoundError
        When there is no such version.
    """
    job = job_row(ws, job_id)
    con = reading(ws)
    return _status(con, job, _version(con, job, version))


def _status(con: Session, job: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    given = _votes(con, row)
    agreed = [vote["actor"] for vote in given if vote["decision"] == "approved"]
    count = len(agreed)
    if row["status"] == "waiting":
        count = needed(
            con, job, JobSpec.from_dict(json.loads(row["spec"])), row["created_by"] or "", row["version"]
        )
    return {
        "job": job["name"], "version": row["version"], "status": row["status"], "bundle_hash": row["bundle_hash"],
        "created_by": row["created_by"], "created_at": row["created_at"], "needed": count, "given": given,
        "may": row["status"] not in HELD, "why": _why(row, given, agreed, count),
    }  # fmt: skip


def _why(row: Mapping[str, Any], given: list[dict[str, Any]], agreed: list[str], count: int) -> str:
    if row["status"] == "waiting":
        left = count - len(agreed)
        return f"{left} {'approval is' if left == 1 else 'approvals are'} missing of {count}"
    if row["status"] == "rejected":
        no = next((vote for vote in given if vote["decision"] == "rejected"), None)
        return f"rejected by {no['actor']}: {no['reason']}" if no else "rejected"
    if row["status"] == "superseded":
        return "a newer version was promoted before it was approved"
    return f"approved by {', '.join(agreed)}" if agreed else "no approval was needed"


def _votes(con: Session, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the votes on exactly this bundle, not counting the one who promoted it."""
    found = con.execute(
        "select actor, decision, reason, at from approvals where job_id = :job_id and version = :version "
        "and bundle_hash = :bundle_hash and (decision = 'rejected' or actor <> coalesce(:created_by, '')) order by at",
        dict(row),
    )
    return [dict(vote) for vote in found.fetchall()]


def waiting(ws: Workspace) -> list[dict[str, Any]]:
    """Return the versions that wait for approval, oldest first, each as `status` gives it with `job_id`."""
    rows = ws.catalog.query("select * from job_versions where status = 'waiting' order by created_at")
    found = []
    for row in rows:
        job = ws.catalog.one("select * from jobs where job_id = :id", id=row["job_id"])
        if job is not None:
            found.append({"job_id": row["job_id"], **_status(reading(ws), job, row)})
    return found


def decide(
    ws: Workspace, job: str, version: int | None, by: str, decision: str, reason: str | None = None, *,
    bundle_hash: str | None = None, now: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Agree to a version that waits, or reject it.

    Parameters
    ----------
    version : int or None
        None for the one that waits.
    decision : {"approve", "reject"}
        Rejecting ends it, and needs a reason. Who promoted the version may reject it, to take it back.
    bundle_hash : str, optional
        What was looked at; another one is refused.

    Returns
    -------
    dict
        As `status`.

    Raises
    ------
    NotFoundError, ParameterError
        For an unknown job, version or decision, or a rejection without a reason.
    ConflictError
        When the version does not wait (any more), `by` has voted, or another version is on trial that it would end.
    DeniedError
        When `by` promoted it, or the policy says no.

    Examples
    --------
    >>> decide(workspace(), "claims", 3, "bob", "approve", "compared with version 2")["status"]  # doctest: +SKIP
    'approved'
    """
    word = _checked(decision, reason)
    found = job_row(ws, job)
    version = version or _waits(ws, found)
    promoter = _promoter(ws, found, version)
    if by == promoter and word == "approved":
        raise DeniedError(
            f"{by} promoted version {version} of {found['name']!r} and does not count; somebody else must agree to it"
        )
    if by != promoter:
        permits.require(ws, by, "job.approve", found, version=version)
    now = time.time() if now is None else now
    with ws.catalog.transaction() as con:
        found = job_row(ws, found["job_id"])
        row = _version(con, found, version)
        _open(con, found, row, bundle_hash)
        vote = {
            "id": found["job_id"], "version": version, "by": by, "decision": word, "reason": reason, "at": now,
            "hash": row["bundle_hash"],
        }  # fmt: skip
        if not con.execute(_VOTE, vote).rowcount:
            raise ConflictError(
                f"{by} has voted on version {version} of {found['name']!r}; one person has one vote"
            )
        ended = _settle(con, found, row, word, now)
        audit_within(
            con, by, f"job.{word}", found["name"], job_id=found["job_id"], version=version,
            bundle_hash=row["bundle_hash"], reason=reason, settled=ended,
        )  # fmt: skip
        result = _status(con, found, {**row, "status": ended or "waiting"})
    tell(
        ws, f"job.{word}", found["job_id"], job=found["name"], version=version, by=by, status=result["status"]
    )
    return result


_VOTE = (
    "insert into approvals (job_id, version, actor, decision, reason, at, bundle_hash) "
    "values (:id, :version, :by, :decision, :reason, :at, :hash) on conflict do nothing"
)


def _checked(decision: str, reason: str | None) -> str:
    if decision not in _WORDS:
        raise ParameterError(
            f"a version is approved or rejected, not {decision!r}: give 'approve' or 'reject'"
        )
    if decision == "reject" and not (reason or "").strip():
        raise ParameterError("say why: a rejection needs a reason, for the one who promoted it")
    return _WORDS[decision]


def _waits(ws: Workspace, job: Mapping[str, Any]) -> int:
    row = ws.catalog.one(
        "select max(version) as version from job_versions where job_id = :id and status = 'waiting'",
        id=job["job_id"],
    )
    if row is None or row["version"] is None:
        raise ConflictError(
            f"no version of {job['name']!r} waits for approval; version {job['version']} runs"
        )
    return int(row["version"])


def _promoter(ws: Workspace, job: Mapping[str, Any], version: int) -> str | None:
    found: str | None = _version(reading(ws), job, version)["created_by"]
    return found


def _version(con: Session, job: Mapping[str, Any], version: int) -> dict[str, Any]:
    row = version_row(con, job["job_id"], version)
    if row is None:
        name = job["name"]
        raise NotFoundError(f"job {name!r} has no version {version}; `aios jobs versions {name}` lists them")
    return row


def _open(con: Session, job: Mapping[str, Any], row: Mapping[str, Any], bundle_hash: str | None) -> None:
    if row["status"] != "waiting":
        said = _status(con, job, row)["why"]
        raise ConflictError(f"version {row['version']} of {job['name']!r} does not wait for approval: {said}")
    if bundle_hash is not None and bundle_hash != row["bundle_hash"]:
        raise ConflictError(
            f"version {row['version']} of {job['name']!r} is bundle {row['bundle_hash'][:12]}, not {bundle_hash[:12]}; "
            "look at it again"
        )


def _settle(
    con: Session, job: Mapping[str, Any], row: Mapping[str, Any], word: str, now: float
) -> str | None:
    """End the waiting when the vote decided it; returns the version's new state, None while it waits on."""
    values = {"id": job["job_id"], "version": row["version"]}
    if word == "rejected":
        con.execute(_TURN, {**values, "status": "rejected"})
        con.execute(
            "update rollouts set status = 'rejected' where job_id = :id and version = :version and status = 'waiting'",
            values,
        )
        return "rejected"
    spec = spec_of(con, job["job_id"], row["version"])
    assert spec is not None
    count = needed(con, job, spec, row["created_by"] or "", row["version"])
    if sum(vote["decision"] == "approved" for vote in _votes(con, row)) < count:
        return None
    rollout.refuse(con, job)  # and the vote is undone: the trial is ended first
    con.execute(_TURN, {**values, "status": "approved"})
    if not rollout.begin_waiting(con, job, row["version"], now):
        activate(con, job, row["version"], now)
    return "approved"


_TURN = "update job_versions set status = :status where job_id = :id and version = :version"
