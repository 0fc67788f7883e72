"""Doing something once: at most once per key over all runs of a workflow, and honest about what nobody can know.

Before the function is called its key is claimed in the table `effects`; afterwards the claim becomes the output that
every later call is answered with. An exception of the function says that it has not happened: the claim is given back.
A claim whose call was cut off (its process died, its time was up, the run was cancelled) is in doubt: the effect may
have happened or not, and only a look at the outside world tells.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from aios_workbench.engine import leases
from aios_workbench.engine.executors.base import Cancelled
from aios_workbench.engine.job import UNDO, Job
from aios_workbench.errors import (
    ConflictError,
    CorruptArtifactError,
    EffectInDoubt,
    GateRejected,
    MemoryCapExceeded,
    NotFoundError,
    ParameterError,
    SecretExposed,
    SerializationError,
    StepKilled,
    StepTimeout,
    WorkspaceError,
    hint,
)
from aios_workbench.govern import audit_within
from aios_workbench.workflow import digest
from aios_workbench.workspace import Artifact, Workspace

DOING, DONE, IN_DOUBT = "doing", "done", "in_doubt"
LOOK = 0.2
_LONGEST = 500
_CUT_OFF = (StepTimeout, StepKilled, MemoryCapExceeded, Cancelled)
#: The function had returned; what came after failed.
_AFTERWARDS = (SerializationError, SecretExposed, GateRejected, WorkspaceError)


def once(job: Job, attempt: int, make: Callable[[], Artifact]) -> Artifact:
    """Make a call, unless it was made before: then return what that gave.

    Raises
    ------
    EffectInDoubt
        When an earlier call was cut off and the step's policy is to fail.
    """
    if not job.spec.once:
        return make()
    if job.purpose == UNDO:
        output = make()
        job.ws.catalog.write(  # undone: it may be done again
            "delete from effects where workflow = :w and step = :s and run_id = :r and status = 'done'",
            w=job.workflow, s=job.spec.name, r=job.run_id,
        )  # fmt: skip
        return output
    claim = _claim(job, key_of(job), attempt)
    if isinstance(claim, Artifact):
        return claim
    try:
        output = make()
    except BaseException as e:
        _cut_off(job, claim, e)
        raise
    job.ws.catalog.flush()  # nobody may find a finished effect whose output is not described
    job.ws.catalog.write(
        "update effects set status = 'done', output = :o, ended_at = :now, because = null where claim = :c",
        o=output.hash, now=time.time(), c=claim,
    )  # fmt: skip
    return output


def key_of(job: Job) -> str:
    """Return what names the effect: what the step's `once` returns, or a digest of its inputs.

    Raises
    ------
    ParameterError
        When the function gave nothing that can be a key.
    """
    spec = job.spec
    if spec.once_key is None:
        return digest({name: artifact.hash for name, artifact in job.inputs.items()})
    takes = {name: job.inputs[name] for name in spec.once_takes if name in job.inputs}
    key = job.really_load(spec.once_key)(**job.values(takes))
    if key is None or key == "" or isinstance(key, (bytes, dict, set, frozenset, float)):
        raise ParameterError(
            f"the `once` of step '{spec.name}' returned {key!r}; return what names the effect in the outside world, "
            "such as an order number (text, a whole number, or several in a tuple)"
        )
    text = str(key)
    return text if len(text) <= _LONGEST else digest(text)


def _claim(job: Job, key: str, attempt: int) -> str | Artifact:
    """Return a claim to the key, or the output of the call that was made already."""
    ws, claim, told = job.ws, uuid.uuid4().hex, False
    row = {
        "workflow": job.workflow, "step": job.spec.name, "key": key, "claim": claim, "run_id": job.run_id,
        "leg": job.leg, "attempt": attempt, "owner": job.executor,
    }  # fmt: skip
    while True:
        if ws.catalog.write(_INSERT, **row, now=time.time()):
            return claim
        found = _row(ws, job.workflow, job.spec.name, key)
        if found is None:
            continue
        if found["status"] == DONE:
            job.answered = f"done already by run {found['run_id']} (key '{key}'): not done again"
            return ws.artifacts.find(found["output"])
        if found["status"] == IN_DOUBT:
            if job.spec.in_doubt == "again" and ws.catalog.write(
                _TAKE, **row, old=found["claim"], now=time.time()
            ):
                return claim
            if job.spec.in_doubt == "fail":
                raise EffectInDoubt(_doubt(job, found))
            if not told:
                told = True
                _ask(job, found)
        if job.cancelled.wait(LOOK):
            raise Cancelled


def _row(ws: Workspace, workflow: str, step: str, key: str) -> dict[str, Any] | None:
    """Return an effect as it is: a claim whose process is gone is in doubt."""
    found = ws.catalog.one(
        "select * from effects where workflow = :w and step = :s and key = :k", w=workflow, s=step, k=key
    )
    return None if found is None else _honest(ws, found)


def _honest(ws: Workspace, found: dict[str, Any]) -> dict[str, Any]:
    if found["status"] == DOING and not leases.alive(ws, found["owner"]):
        _doubt_it(ws, found["claim"], "its process died")
        found = ws.catalog.one(
            "select * from effects where workflow = :w and step = :s and key = :k",
            w=found["workflow"], s=found["step"], k=found["key"],
        ) or {**found, "status": IN_DOUBT}  # fmt: skip
    return found


def _doubt_it(ws: Workspace, claim: str, because: str) -> None:
    ws.catalog.write(
        "update effects set status = 'in_doubt', because = :b, ended_at = :now where claim = :c and status = 'doing'",
        b=because, now=time.time(), c=claim,
    )  # fmt: skip


def _cut_off(job: Job, claim: str, error: BaseException) -> None:
    """Give a claim back whose function says that it failed; doubt it when it cannot have said so."""
    if isinstance(error, _CUT_OFF):
        _doubt_it(job.ws, claim, f"it was cut off ({type(error).__name__})")
    elif isinstance(error, _AFTERWARDS) and not isinstance(error, CorruptArtifactError):
        _doubt_it(job.ws, claim, f"its function had returned, then: {type(error).__name__}")
    else:
        job.ws.catalog.write("delete from effects where claim = :c and status = 'doing'", c=claim)


def _doubt(job: Job, found: dict[str, Any]) -> str:
    step, run = job.spec.name, found["run_id"]
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found["claimed_at"]))
    return (
        f"step '{step}' began '{found['key']}' in run {run} at {when} and {found['because'] or 'was cut off'}: it may "
        f"have been done, or not. Look whether it was, then say so: run.settle('{step}', 'done') or "
        f"run.settle('{step}', 'not done'), `aios settle {run} {step} --done` or --not-done; then resume. "
        "in_doubt='again' would do it again"
    )


def _ask(job: Job, found: dict[str, Any]) -> None:
    """Say on the screens that somebody has to look."""
    message = _doubt(job, found)
    job.ws.catalog.defer(
        "update steps set status = 'waiting', message = :m where run_id = :r and step = :s",
        {"m": message, "r": job.run_id, "s": job.spec.name},
    )
    job.ws.catalog.event("effect.in_doubt", job.run_id, job.spec.name, key=found["key"], message=message)


def effects(ws: Workspace, run_id: str) -> list[dict[str, Any]]:
    """Return the effects a run has claimed or done, honest about those whose process died."""
    rows = ws.catalog.query("select * from effects where run_id = :r order by claimed_at", r=run_id)
    return [_honest(ws, row) for row in rows]


def settle(
    ws: Workspace, run_id: str, step: str, *, done: bool, by: str, key: str | None = None, output: Any = None
) -> str:
    """Say whether an effect in doubt has happened; return its key.

    Parameters
    ----------
    run_id : str
        The run that was cut off, or one that failed because of it.
    done : bool
        True: later calls are answered with `output`. False: the next one does it.
    key : str, optional
        Needed where several effects of the step are in doubt.

    Raises
    ------
    NotFoundError
        When the step has no such effect.
    ConflictError
        When it is not in doubt, or several are and no key was given.
    """
    run = ws.catalog.one("select workflow from runs where run_id = :r", r=run_id)
    if run is None:
        raise NotFoundError(f"no run '{run_id}' in {ws.place}")
    told = {"w": run["workflow"], "s": step}
    rows = [_honest(ws, r) for r in ws.catalog.query(
        "select * from effects where workflow = :w and step = :s order by claimed_at", **told)]  # fmt: skip
    doubted = [r for r in rows if r["status"] == IN_DOUBT]
    if key is None and len([r for r in doubted if r["run_id"] == run_id]) == 1:
        doubted = [r for r in doubted if r["run_id"] == run_id]
    found = [r for r in rows if r["key"] == key] if key is not None else doubted
    if not found:
        keys = [r["key"] for r in rows]
        what = f"no effect '{key}'{hint(key, keys)}" if key is not None else "no effect in doubt"
        raise NotFoundError(f"step '{step}' of workflow '{run['workflow']}' has {what}")
    if len(found) > 1:
        listed = ", ".join(f"'{r['key']}'" for r in found[:10])
        raise ConflictError(f"step '{step}' has {len(found)} effects in doubt; say which with key=: {listed}")
    effect = found[0]
    if effect["status"] != IN_DOUBT:
        raise ConflictError(f"'{effect['key']}' of step '{step}' is not in doubt: it is {effect['status']}")
    _settle(ws, effect, run_id, done=done, by=by, output=output)
    return str(effect["key"])


def _settle(ws: Workspace, effect: dict[str, Any], run_id: str, *, done: bool, by: str, output: Any) -> None:
    stored = ws.artifacts.put(output) if done else None
    ws.catalog.flush()
    claim = {"c": effect["claim"], "by": by, "now": time.time()}
    with ws.catalog.transaction() as con:
        if stored is None:
            changed = con.execute(
                "delete from effects where claim = :c and status = 'in_doubt'", claim
            ).rowcount
        else:
            changed = con.execute(
                "update effects set status = 'done', output = :o, settled_by = :by, ended_at = :now "
                "where claim = :c and status = 'in_doubt'", {**claim, "o": stored.hash},
            ).rowcount  # fmt: skip
        if not changed:
            raise ConflictError(
                f"'{effect['key']}' of step '{effect['step']}' was settled by somebody else just now"
            )
        audit_within(con, by, "effect.settle", run_id, step=effect["step"], key=effect["key"], done=done)
    ws.catalog.event("effect.settled", run_id, effect["step"], key=effect["key"], done=done, by=by)


_INSERT = (
    "insert into effects (workflow, step, key, status, claim, run_id, leg, attempt, owner, claimed_at) "
    "values (:workflow, :step, :key, 'doing', :claim, :run_id, :leg, :attempt, :owner, :now) "
    "on conflict (workflow, step, key) do nothing"
)
_TAKE = (
    "update effects set status = 'doing', claim = :claim, run_id = :run_id, leg = :leg, attempt = :attempt, "
    "owner = :owner, claimed_at = :now, ended_at = null, because = null where workflow = :workflow and step = :step "
    "and key = :key and claim = :old and status = 'in_doubt'"
)
