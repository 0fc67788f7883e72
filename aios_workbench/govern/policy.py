"""Who may do what: the workspace's policy, asked wherever something is done in a person's name.

While a workspace has none of its own, `default.cedar` holds. `use` puts another in force: it is kept in the catalog,
so that it is the same on all machines of a team, and so that a file edited, emptied or deleted changes nothing. A
`policy.cedar` or `people.json` in the workspace's folder that is not what is in force denies everything until it is
put in force or taken away: nobody shall believe in a rule that nobody asks.

Whoever may write the workspace's database can do without any of this. What was put in force stands in the audit trail.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import AiosError, ConflictError, DeniedError, ParameterError, hint
from aios_workbench.govern import cedar
from aios_workbench.govern.audit import audit, audit_within
from aios_workbench.govern.cedar import Decision, Person

if TYPE_CHECKING:
    from aios_workbench.workspace.database import Session
    from aios_workbench.workspace.home import Workspace

__all__ = ["ACTIONS", "Decision", "Person", "allowed", "allowed_within", "in_force", "require", "use"]

#: Everything that is asked about.
ACTIONS = (
    "job.promote", "job.approve", "job.activate", "job.rollback", "job.trigger", "job.pause", "job.resume",
    "job.cancel", "job.remove", "job.rollout", "job.backfill", "gate.decide", "policy.use",
)  # fmt: skip
POLICY, PEOPLE = "policy.cedar", "people.json"
_NEWEST = "select * from policies order by seq desc limit 1"
_WORKSPACE = {"type": "Workspace", "id": "workspace"}


@dataclass(frozen=True)
class InForce:
    """The policy that holds.

    Attributes
    ----------
    policy : str or None
        Cedar; None for the default.
    people : str
        JSON, groups by person.
    at, by : float, str or None
        When and by whom it was put in force.
    """

    policy: str | None = None
    people: str = "{}"
    digest: str | None = None
    at: float | None = None
    by: str | None = None

    @property
    def text(self) -> str:
        """The policy to read, the default's too."""
        return cedar.text_of("default.cedar") if self.policy is None else self.policy


def allowed(
    ws: Workspace,
    actor: str,
    action: str,
    resource: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
) -> Decision:
    """Say whether somebody may do something.

    Parameters
    ----------
    actor : str
        Who, as `govern.actor()` and the server name people.
    action : str
        One of `ACTIONS`.
    resource : mapping
        `type`, `id` and the attributes that the schema gives this type.
    context : mapping, optional
        What the schema says of the action.

    Returns
    -------
    Decision
        Not allowed when no rule allows it, when a rule forbids it, and when the policy cannot be asked.

    Raises
    ------
    ParameterError
        For an action that does not exist.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> job = {"type": "Job", "id": "job-1", "name": "claims", "owner": Person("ada"), "promoter": Person("ada")}
    >>> allowed(workspace(), "ada", "job.approve", job, {"version": 2}).why
    'whoever promoted a version does not agree to it; somebody else must'
    """
    found = in_force(ws)
    stray = _stray(ws, found)
    if stray and action != "policy.use":
        return cedar.denied(stray)
    return _decide(found, actor, action, resource, context or {})


def allowed_within(
    con: Session,
    actor: str,
    action: str,
    resource: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
) -> Decision:
    """Say so inside a transaction, by the policy that the transaction sees."""
    row = con.execute(_NEWEST).fetchone()
    return _decide(_of(dict(row) if row else None), actor, action, resource, context or {})


def require(
    ws: Workspace,
    actor: str,
    action: str,
    resource: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
) -> None:
    """Let nobody pass who may not; the attempt is audited.

    Raises
    ------
    DeniedError
        Saying which rule says so.
    """
    decision = allowed(ws, actor, action, resource, context)
    if decision.allowed:
        return
    subject = str(resource.get("name") or resource["id"])
    with contextlib.suppress(AiosError):  # a disk that is full must not turn a refusal into another error
        audit(ws, actor, "policy.denied", subject, action=action, why=decision.why, rule=decision.rule)
    raise DeniedError(
        f"{actor} may not do {action} with {subject!r}: {decision.why} "
        f"(`aios policy test {actor} {action} …` asks again)",
        rule=decision.rule,
    )


def in_force(ws: Workspace) -> InForce:
    """Return the policy that holds."""
    return _of(ws.catalog.one(_NEWEST))


def use(ws: Workspace, by: str, policy: str | None, people: str = "{}") -> InForce:
    """Put a policy in force, or the default again with None.

    Parameters
    ----------
    policy : str or None
        Cedar.
    people : str
        JSON: groups by person.

    Raises
    ------
    ParameterError
        When it cannot be read, does not fit the schema, or would let nobody ever change it.
    DeniedError
        When the policy in force does not let `by` change it.
    ConflictError
        When it is in force already.
    """
    if policy is not None:
        read = cedar.read(policy, people)
        keepers = [n for n in {by, *read.groups} if read.decide(n, "policy.use", _WORKSPACE, {}).allowed]
        if not keepers:
            raise ParameterError(
                f"nobody could ever change this policy: neither {by} nor anyone in people.json may do policy.use; "
                'add a rule such as permit (principal in Group::"admins", action == Action::"policy.use", resource);'
            )
    require(ws, by, "policy.use", _WORKSPACE)
    with ws.catalog.transaction() as con:
        row = con.execute(_NEWEST).fetchone()
        now = _of(dict(row) if row else None)
        new = {
            "at": time.time(), "actor": by, "digest": _digest(policy, people), "policy": policy, "people": people,
        }  # fmt: skip
        if (now.digest or _digest(None, "{}")) == new["digest"]:
            raise ConflictError("this policy is in force already; nothing was changed")
        decision = allowed_within(
            con, by, "policy.use", _WORKSPACE
        )  # the policy may have changed since it was asked
        if not decision.allowed:
            raise DeniedError(f"{by} may not do policy.use: {decision.why}", rule=decision.rule)
        con.execute(
            "insert into policies (at, actor, digest, policy, people) values (:at, :actor, :digest, :policy, :people)",
            new,
        )
        audit_within(
            con, by, "policy.use", "policy", digest=new["digest"], policy=policy, people=json.loads(people)
        )
    ws.catalog.event("policy.used", by=by, digest=new["digest"])
    ws.catalog.flush()
    return in_force(ws)


def _of(row: Mapping[str, Any] | None) -> InForce:
    if row is None:
        return InForce()
    return InForce(row["policy"], row["people"], row["digest"], row["at"], row["actor"])


def _decide(
    found: InForce, actor: str, action: str, resource: Mapping[str, Any], context: Mapping[str, Any]
) -> Decision:
    if action not in ACTIONS:
        raise ParameterError(
            f"there is no action {action!r}{hint(action, ACTIONS)}; there are {', '.join(ACTIONS)}"
        )
    if found.digest is not None and found.digest != _digest(found.policy, found.people):
        return cedar.denied(
            "the policy in the catalog is not what was put in force; see policy.use in the audit trail"
        )
    if found.policy is None:
        return _default(actor, action, resource)
    try:
        policy = cedar.read(found.policy, found.people)
    except ParameterError as e:
        return cedar.denied(str(e))
    return policy.decide(actor, action, resource, context)


def _default(actor: str, action: str, resource: Mapping[str, Any]) -> Decision:
    """Decide as `default.cedar` does, which a test holds it to: a workspace without a policy needs no cedarpy."""
    if action == "job.approve" and resource.get("promoter") == Person(actor):
        why = "whoever promoted a version does not agree to it; somebody else must"
        return Decision(allowed=False, why=why, rule="not-your-own")
    return Decision(allowed=True, why="anyone who has the workspace may", rule="anyone")


def _stray(ws: Workspace, found: InForce) -> str:
    """Say what lies in the workspace's folder and looks as if it were in force."""
    kept = {POLICY: found.policy, PEOPLE: found.people}
    for name, text in kept.items():
        path = ws.root / name
        if path.exists() and _text(path.read_text) != text:
            return (
                f"{path} is not the policy in force; `aios policy use` puts it in force, "
                "or take the file away"
            )
    return ""


def _text(read: Callable[..., str]) -> str | None:
    try:
        return read(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _digest(policy: str | None, people: str) -> str:
    return hashlib.sha256(json.dumps([policy, people]).encode()).hexdigest()
