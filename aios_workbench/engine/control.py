"""What any process may ask of runs, without executing a line of the user's code: the CLI, the server, jobs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from aios_workbench.engine import decisions, joins, leases, submit
from aios_workbench.engine.records import RUN_TERMINAL, Record, end_unfinished
from aios_workbench.errors import ConflictError, NotFoundError, hint
from aios_workbench.govern import audit_within
from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workspace import Workspace

_workers: list[subprocess.Popen[bytes]] = []
_JSON_COLUMNS = (
    "params",
    "error",
    "gate_policy",
    "budget",
    "data",
    "form",
    "values",
    "inputs",
    "detail",
    "meta",
    "shape",
)


def list_runs(
    ws: Workspace, *, workflow: str | None = None, status: str | None = None, search: str | None = None,
    user: str | None = None, limit: int = 50, before: float | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return runs, newest first, each with counts of its steps by status.

    Parameters
    ----------
    search : str, optional
        Words, each of which stands in the run's id, workflow, parameters or error, or in the name or error of one
        of its steps.
    user : str, optional
        Only runs this person started.
    before : float, optional
        Only runs created before this time (seconds since the epoch), for paging.
    """
    ws.catalog.flush()
    stored = "running" if status == "interrupted" else status
    rows = ws.catalog.query(
        "select run_id, workflow, status, params, source, created_at, started_at, ended_at, error, parent_run_id, "
        "rerun_from, leg, owner, user, job_run_id, adoptions from runs "
        "where (:workflow is null or workflow = :workflow) "
        "and (:status is null or status = :status) and (:before is null or created_at < :before) "
        "and (:user is null or user = :user) and not exists (select 1 from json_each(:words) w where not ("
        "instr(lower(run_id || ' ' || workflow || ' ' || params || ' ' || coalesce(error, '')), w.value) > 0 "
        "or exists ("
        "select 1 from steps s where s.run_id = runs.run_id "
        "and instr(lower(s.step || ' ' || coalesce(s.error, '')), w.value) > 0))) "
        "order by created_at desc, run_id desc limit :limit",
        workflow=workflow, status=stored, user=user, limit=limit, before=before,
        words=json.dumps((search or "").lower().split(), ensure_ascii=False),
    )  # fmt: skip
    known: dict[str | None, bool] = {}
    out = [r for r in (_honest(ws, row, known) for row in rows) if status is None or r["status"] == status]
    counts = ws.catalog.query(
        "select run_id, status, count(*) as n from steps where run_id in (select value from json_each(:ids)) "
        "group by run_id, status", ids=json.dumps([r["run_id"] for r in out]),
    )  # fmt: skip
    by_run: dict[str, dict[str, int]] = {}
    for row in counts:
        by_run.setdefault(row["run_id"], {})[row["status"]] = row["n"]
    for run in out:
        run["counts"] = by_run.get(run["run_id"], {})
    return out


def get_run(ws: Workspace, run_id: str) -> dict[str, Any]:
    """Return a run with its steps, gates and metrics.

    Raises
    ------
    NotFoundError
        With the nearest known ids.
    """
    run = _honest(ws, read_run(ws, run_id), {})
    for table in ("steps", "gates", "metrics"):
        order = "position" if table == "steps" else "rowid"
        rows = ws.catalog.query(f"select * from {table} where run_id = :r order by {order}", r=run_id)  # noqa: S608
        run[table] = [_parsed(row) for row in rows]
    run["spec"] = submit.read_spec(ws, run).to_dict()
    run["counts"] = {}
    for step in run["steps"]:
        run["counts"][step["status"]] = run["counts"].get(step["status"], 0) + 1
    return run


def read_run(ws: Workspace, run_id: str) -> dict[str, Any]:
    """Return the row of a run as it is stored."""
    ws.catalog.flush()
    row = ws.catalog.one("select * from runs where run_id = :r", r=run_id)
    if row is None:
        ids = [
            r["run_id"]
            for r in ws.catalog.query("select run_id from runs order by created_at desc limit 500")
        ]
        raise NotFoundError(f"no run '{run_id}' in {ws.root}{hint(run_id, ids)}; `aios runs` lists them")
    return row


def run_status(ws: Workspace, run_id: str) -> str:
    """Return a run's status, `interrupted` when its process is gone."""
    return str(_honest(ws, read_run(ws, run_id), {})["status"])


def attempts(ws: Workspace, run_id: str, step: str) -> list[dict[str, Any]]:
    """Return a step's attempts in order."""
    ws.catalog.flush()
    rows = ws.catalog.query(
        "select * from attempts where run_id = :r and step = :s order by attempt", r=run_id, s=step
    )
    return [_parsed(r) for r in rows]


def logs(
    ws: Workspace, run_id: str, step: str | None = None, *, after: int = 0, limit: int = 1000
) -> list[dict[str, Any]]:
    """Return log lines behind the sequence number `after`, in order."""
    ws.catalog.flush()
    return ws.catalog.query(
        "select * from logs where run_id = :r and (:s is null or step = :s) and seq > :after order by seq limit :limit",
        r=run_id, s=step, after=after, limit=limit,
    )  # fmt: skip


def events(ws: Workspace, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
    """Return what happened behind the sequence number `after`, in order."""
    ws.catalog.flush()
    rows = ws.catalog.query(
        "select * from events where seq > :after order by seq limit :limit", after=after, limit=limit
    )
    return [_parsed(r) for r in rows]


def waiting_gates(ws: Workspace) -> list[dict[str, Any]]:
    """Return the gates somebody has to decide, oldest first."""
    rows = ws.catalog.query(
        "select g.*, r.workflow from gates g join runs r using (run_id) where g.status = 'waiting' "
        "and r.status not in ('succeeded', 'failed', 'cancelled') order by g.requested_at"
    )
    return [_parsed(r) for r in rows]


def decided_gates(ws: Workspace, limit: int = 20) -> list[dict[str, Any]]:
    """Return the gates that a person, a policy or their deadline decided, newest first."""
    rows = ws.catalog.query(
        "select g.*, r.workflow from gates g join runs r using (run_id) where g.decided_at is not null "
        "order by g.decided_at desc limit :limit",
        limit=limit,
    )
    return [_parsed(r) for r in rows]


def decide(
    ws: Workspace, run_id: str, step: str, approved: bool, *,
    by: str, values: Mapping[str, Any] | None = None, reason: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Approve or reject a waiting gate; see `decisions.decide`."""
    read_run(ws, run_id)
    return decisions.decide(
        ws, run_id, step, approved=approved, by=by, values=dict(values or {}), reason=reason
    )


def cancel(ws: Workspace, run_id: str, *, by: str) -> None:
    """Cancel a run: steps not started yet never start, a running one is told and its result is dropped.

    Raises
    ------
    ConflictError
        When the run is over already.
    """
    run = _honest(ws, read_run(ws, run_id), {})
    if run["status"] in RUN_TERMINAL:
        raise ConflictError(f"run {run_id} is over ({run['status']}); there is nothing to cancel")
    now = time.time()
    with ws.catalog.transaction() as con:
        con.execute(
            "insert into signals (run_id, kind, at, data) values (:r, 'cancel', :now, :data)",
            {"r": run_id, "now": now, "data": json.dumps({"leg": run["leg"]})},
        )
        if not leases.alive(ws, run["owner"]):  # nobody executes it: nobody else will say so
            con.execute(
                "update runs set status = 'cancelled', ended_at = case when started_at > :now then started_at "
                "else :now end where run_id = :r",
                {"now": now, "r": run_id},
            )
            end_unfinished(con, run_id)
        audit_within(con, by, "run.cancel", run_id)
    ws.catalog.event("run", run_id, status="cancelling")
    ws.catalog.flush()


def prepare_resume(
    ws: Workspace, run_id: str, *, by: str, owner: str | None = None, allow_more: bool = True
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Open a new leg of a failed or cancelled run; return its number and the outcomes it starts from.

    Parameters
    ----------
    allow_more : bool
        Give a run with a cap on its attempts as many again: what a person asks for is paid for knowingly. What resumes
        by itself (a job's next attempt, a repeated idempotency key) must not raise the cap.

    Raises
    ------
    ConflictError
        When the run is going on, or has succeeded.
    """
    run = read_run(ws, run_id)
    if run["status"] not in ("failed", "cancelled"):
        why = "it has succeeded: use rerun" if run["status"] == "succeeded" else f"it is {run['status']}"
        raise ConflictError(f"run {run_id} cannot be resumed: {why}")
    spec = submit.read_spec(ws, run)
    done = submit.finished(ws, run)
    again = joins.to_redo(spec, done, skipped_steps(ws, run_id))
    seed = {s.name: done[s.name] for s in spec.steps if s.name not in again}
    leg = run["leg"] + 1
    data = {n: r.to_dict() for n, r in seed.items()}
    with ws.catalog.transaction() as con:
        changed = con.execute(
            "update runs set status = 'queued', leg = :leg, error = null, message = null, ended_at = null, "
            "deadline_at = :deadline, late = 0, "
            "owner = :owner, adoptions = 0, deaths = 0, done_at_death = 0, seed = :seed, "
            "attempts_allowed = coalesce(attempts_used + cast(:more as integer), attempts_allowed) "
            "where run_id = :r and leg = :leg - 1 and status in ('failed', 'cancelled')",
            {
                "leg": leg,
                "r": run_id,
                "owner": owner,
                "seed": json.dumps(data, default=str),
                "more": spec.max_attempts if allow_more else None,
                "deadline": None if spec.sla is None else time.time() + spec.sla,
            },
        ).rowcount
        if not changed:
            raise ConflictError(f"run {run_id} was resumed by somebody else just now")
        parameters = {"leg": leg, "r": run_id, "done": json.dumps(list(seed))}
        con.execute(
            "update steps set status = 'pending', error = null, message = null, progress = null, started_at = null, "
            "kept = null, ended_at = null, leg = :leg where run_id = :r and step not in "
            "(select value from json_each(:done))",
            parameters,
        )  # fmt: skip
        con.execute(
            "delete from gates where run_id = :r and step not in (select value from json_each(:done))",
            parameters,
        )  # asked again; what was said before stays in the audit trail
        audit_within(con, by, "run.resume", run_id, leg=leg)
    ws.catalog.event("run", run_id, status="queued")
    return leg, data


def skipped_steps(ws: Workspace, run_id: str) -> set[str]:
    """Return the steps of a run that were not run."""
    rows = ws.catalog.query("select step from steps where run_id = :r and status = 'skipped'", r=run_id)
    return {row["step"] for row in rows}


def resume(ws: Workspace, run_id: str, *, by: str) -> str:
    """Go on with a failed or cancelled run from its finished steps, in a worker; return its id.

    An interrupted run needs no resume: a worker adopts it, so one is started if none lives.
    """
    from aios_workbench.engine.journal import WORKER_QUEUE, enqueue

    if run_status(ws, run_id) != "interrupted":
        leg, seed = prepare_resume(ws, run_id, by=by)
        enqueue(ws, run_id, leg, seed, WORKER_QUEUE)
    ensure_worker(ws)
    return run_id


def rerun(ws: Workspace, run_id: str, from_step: str, *, by: str) -> str:
    """Start a new run from a step of an old one, with the old run's code and parameters, in a worker."""
    run = read_run(ws, run_id)
    return start_again(ws, run, submit.read_spec(ws, run), from_step, by=by)


def start_again(
    ws: Workspace, run: Mapping[str, Any], spec: WorkflowSpec, from_step: str, *, by: str, action: str = "run.rerun",
    beside: Callable[[Any, str], None] | None = None,
) -> str:  # fmt: skip
    """Start a new run of the same code from a step, in a worker; return its id. `beside` as in `write_run`."""
    from aios_workbench.engine.journal import WORKER_QUEUE, enqueue

    spec.step(from_step)
    seed = reusable(ws, run, spec.downstream([from_step]), [s.name for s in spec.steps])
    new = submit.new_run_id(run["workflow"])
    submit.write_run(
        ws, spec, json.loads(run["params"]), json.loads(run["param_refs"]), run_id=new, by=by, source="rerun",
        policy=json.loads(run["gate_policy"]), parent=run["run_id"], rerun_from=from_step, seed=seed, action=action,
        beside=beside,
    )  # fmt: skip
    enqueue(ws, new, 0, {n: r.to_dict() for n, r in seed.items()}, WORKER_QUEUE)
    ensure_worker(ws)
    return new


def reusable(ws: Workspace, run: Mapping[str, Any], dirty: set[str], steps: list[str]) -> dict[str, Record]:
    """Return the outcomes of an earlier run that need not be made again."""
    done = submit.finished(ws, run)
    seed = {}
    for name in steps:
        if name in done and name not in dirty:
            record = done[name]
            record.cached, record.message = True, f"reused from {run['run_id']}"
            seed[name] = record
    return seed


def ensure_worker(ws: Workspace, *, stays: bool = False) -> bool:
    """Start a worker in the background unless one lives; True when one was started.

    It ends when it has had nothing to do for a minute; one that `stays`, for schedules, only with the machine.
    """
    if leases.workers_alive(ws):
        return False
    log = (ws.root / "worker.log").open("ab")
    until = [] if stays else ["--exit-when-idle", "60"]
    with log:
        _workers[:] = [w for w in _workers if w.poll() is None]  # reaps those that have ended
        worker = subprocess.Popen(
            [sys.executable, "-m", "aios_workbench.cli", "worker", *until],
            cwd=ws.project, env=_environment(ws), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    _workers.append(worker)
    return True


def _environment(ws: Workspace) -> dict[str, str]:
    import os

    drop = (
        "AIOS_JOB_RUN", "AIOS_PARAMETERS", "AIOS_GATES", "AIOS_LOGICAL_TIME", "AIOS_CONTINUES", "JPY_PARENT_PID",
        "JPY_SESSION_NAME",
    )  # fmt: skip
    return {k: v for k, v in os.environ.items() if k not in drop} | {"AIOS_HOME": str(ws.root)}


def _honest(ws: Workspace, row: dict[str, Any], known: dict[str | None, bool]) -> dict[str, Any]:
    row = _parsed(row)
    row["orphaned"] = False
    if row["status"] in ("running", "waiting"):
        owner = row["owner"]
        if owner not in known:
            known[owner] = leases.alive(ws, owner)
        row["orphaned"] = not known[owner]
        if row["orphaned"] and row["status"] == "running":
            row["status"] = "interrupted"
    return row


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    for column in _JSON_COLUMNS:
        value = row.get(column)
        if isinstance(value, str) and value[:1] in "{[":
            row[column] = json.loads(value)
    return row
