"""Deciding a gate: from any process, validated against the form, exactly once."""

from __future__ import annotations

import json
import time
from typing import Any

from aios_workbench.errors import ConflictError, NotFoundError, ParameterError, hint
from aios_workbench.govern import audit_within, policy
from aios_workbench.workspace import Workspace, dumps

POLICY = "policy"


def decide(
    ws: Workspace, run_id: str, step: str, *,
    approved: bool, by: str, values: dict[str, Any] | None = None, reason: str | None = None,
    auto: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Decide a waiting gate: validated, audited, exactly once.

    Parameters
    ----------
    auto : bool
        The run's own gate policy decides, and no person: nobody is asked whether he may. Not told by `by`, which a
        person may choose.

    Raises
    ------
    NotFoundError
        When the run has no such gate.
    ConflictError
        When the gate is not waiting (any more): says who decided.
    DeniedError
        When the workspace's policy does not let `by` decide it.
    ParameterError
        When the values do not fit the gate's form.
    """
    row = ws.catalog.one("select * from gates where run_id = :r and step = :s", r=run_id, s=step)
    if row is None:
        raise NotFoundError(f"run {run_id} has no gate '{step}' that was reached; see `aios show {run_id}`")
    if row["status"] != "waiting":
        raise ConflictError(
            f"gate '{step}' of run {run_id} is not waiting: {row['status']} by {row['decided_by'] or 'nobody'}"
        )
    by, reason = _printable(by), None if reason is None else _printable(reason)
    if not auto:
        _permit(ws, run_id, step, by, approved=approved)
    filled = (
        fill(json.loads(row["form"]), values or {}, step) if row["form"] and approved else dict(values or {})
    )
    status = "approved" if approved else "rejected"
    with ws.catalog.transaction() as con:
        changed = con.execute(
            'update gates set status = :status, decided_at = :now, decided_by = :by, "values" = :v, reason = :reason '
            "where run_id = :r and step = :s and status = 'waiting'",
            {
                "status": status,
                "now": time.time(),
                "by": by,
                "v": dumps(filled),
                "reason": reason,
                "r": run_id,
                "s": step,
            },
        ).rowcount
        if changed:
            con.execute(
                "insert into signals (run_id, kind, step, at) values (:r, 'decision', :s, :now)",
                {"r": run_id, "s": step, "now": time.time()},
            )
            audit_within(con, by, f"gate.{status}", f"{run_id}/{step}", values=filled, reason=reason)
    if not changed:
        # Lost a race: the second look says to whom.
        return decide(ws, run_id, step, approved=approved, by=by, values=values, reason=reason, auto=auto)
    ws.catalog.event("gate", run_id, step, status=status, by=by)
    ws.catalog.flush()
    return {"run_id": run_id, "step": step, "status": status, "by": by, "values": filled, "reason": reason}


def _permit(ws: Workspace, run_id: str, step: str, by: str, *, approved: bool) -> None:
    run = ws.catalog.one('select workflow, "user" from runs where run_id = :r', r=run_id) or {}
    what = {
        "type": "Gate", "id": f"{run_id}/{step}", "name": step, "workflow": run.get("workflow") or "", "run": run_id,
        "starter": policy.Person(run.get("user") or ""),
    }  # fmt: skip
    policy.require(ws, by, "gate.decide", what, {"approved": approved})


def _printable(text: str) -> str:
    """Replace what no database takes: half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def fill(schema: dict[str, Any], values: dict[str, Any], step: str) -> dict[str, Any]:
    """Return the form's values with defaults filled in.

    Raises
    ------
    ParameterError
        Naming each field that does not fit.
    """
    from jsonschema import Draft202012Validator

    properties = schema.get("properties", {})
    for name in values:
        if properties and name not in properties and schema.get("additionalProperties") is not True:
            raise ParameterError(
                f"gate '{step}': the form has no field '{name}'{hint(name, properties)} "
                f"(it has: {', '.join(properties)})"
            )
    filled = {n: p["default"] for n, p in properties.items() if "default" in p} | values
    problems = [
        f"{'.'.join(map(str, e.absolute_path)) or 'form'}: {e.message}"
        for e in Draft202012Validator(schema).iter_errors(filled)
    ]
    if problems:
        raise ParameterError(f"gate '{step}': " + "; ".join(problems[:5]))
    return filled


def check_policies(
    policies: dict[str, Any], gates: dict[str, dict[str, Any] | None], workflow: str
) -> dict[str, Any]:
    """Return gate policies in their long form, checked before anything runs.

    Raises
    ------
    ParameterError
        For a gate that does not exist, a word that is no decision, or a form the policy leaves unfilled.
    """
    out: dict[str, Any] = {}
    for name, given in policies.items():
        if name != "*" and name not in gates:
            raise ParameterError(f"workflow '{workflow}' has no gate '{name}'{hint(name, gates)}")
        policy: dict[str, Any] = (
            {"decision": given} if isinstance(given, str) else dict(given) if isinstance(given, dict) else {}
        )
        if policy.get("decision") not in ("approve", "reject", "wait"):
            raise ParameterError(
                f"gate policy for '{name}' is {given!r}; use 'approve', 'reject', 'wait' or "
                "{'decision': 'approve', 'values': {…}}"
            )
        for gate, form in gates.items():
            if (
                form
                and policy["decision"] == "approve"
                and (name == gate or (name == "*" and gate not in policies))
            ):
                fill(form, policy.get("values") or {}, gate)
        out[name] = policy
    return out
