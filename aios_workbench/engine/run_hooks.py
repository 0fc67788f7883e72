"""Hooks: functions called when a run starts, succeeds, fails, or has not ended in its time.

Each call is claimed in the table `hook_calls` before it is made: once per leg of a run. A process that dies while it
calls one leaves the claim; whoever takes it up calls again: after `kill -9` it may be twice, and is never not at all.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine import capture, leases, submit
from aios_workbench.engine.context import Context, current
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import Job
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Workspace, dumps

#: A hook that takes longer is left to itself: it must not keep a run from ending.
PATIENCE = 60.0
SUCCESS, FAILURE, MISS, START = "on_success", "on_failure", "on_sla_miss", "on_start"


@dataclass(frozen=True)
class RunInfo:
    """What a hook is told of its run.

    Attributes
    ----------
    status : str
        What the run ends with: "succeeded" or "failed"; "running" in `on_start`, "late" in `on_sla_miss`.
    leg : int
        0, and one more with every resume.
    error : dict or None
        `type`, `message` and `step` of the first step that failed.
    """

    run_id: str
    workflow: str
    status: str
    leg: int = 0
    user: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    started_at: float | None = None
    seconds: float | None = None
    sla: float | None = None
    error: dict[str, Any] | None = None


def call(
    ws: Workspace, executor: str, run_id: str, hook: str, status: str, error: dict[str, Any] | None = None
) -> None:
    """Call the functions of one hook that have not been called yet; what they raise is written down, no more."""
    run = ws.catalog.one("select * from runs where run_id = :r", r=run_id)
    if run is None:
        return
    spec = submit.read_spec(ws, run)
    now = time.time()
    told = {k: error.get(k) for k in ("type", "message", "step")} if error else None
    info = RunInfo(
        run_id, spec.name, status, run["leg"], run["user"], json.loads(run["params"]), run["started_at"],
        None if run["started_at"] is None else max(0.0, now - run["started_at"]), spec.sla, told,
    )  # fmt: skip
    for position, stored in enumerate(spec.hooks.get(hook, ())):
        key = {"run_id": run_id, "leg": run["leg"], "hook": hook, "position": position}
        if _claimed(ws, executor, key, stored["name"]):
            _make(ws, executor, info, key, stored)


def _claimed(ws: Workspace, executor: str, key: dict[str, Any], name: str) -> bool:
    row = {**key, "name": name, "owner": executor, "now": time.time()}
    if ws.catalog.write(_INSERT, **row):
        return True
    found = ws.catalog.one(f"select status, owner from hook_calls where {_KEY}", **key)  # noqa: S608 - our own
    if found is None or found["status"] != "calling":
        return False
    if found["owner"] == executor and (*key.values(),) in _calling:
        return False
    # Only who executes the run, or has seen the other one dead, gets here: that one died while it called, or before.
    return bool(ws.catalog.write(
        f"update hook_calls set owner = :owner, started_at = :now where {_KEY} "  # noqa: S608
        "and status = 'calling' and owner = :old", **key, owner=executor, now=row["now"], old=found["owner"],
    ))  # fmt: skip


_calling: set[tuple[Any, ...]] = set()


def _make(ws: Workspace, executor: str, info: RunInfo, key: dict[str, Any], stored: dict[str, Any]) -> None:
    hook, marked = str(key["hook"]), (*key.values(),)
    _calling.add(marked)
    errors: list[dict[str, Any]] = []

    def work() -> None:
        ctx = Context(ws, info.run_id, info.workflow, f"hook:{hook}", info.leg + 1)
        log = capture.StepLog(ws, ctx)
        ctx._log = lambda text: log.record("INFO", text)
        current.set(ctx)
        capture.sink.set(log)
        function = None
        try:
            step = StepSpec(name=hook, cell=stored.get("where", ""))
            job = Job(ws, executor, info.run_id, info.leg, info.workflow, step, {})
            function = job.really_load(stored["fn"])
            answer = function(info)
            if inspect.isawaitable(answer):
                asyncio.run(_settle(answer))
        except BaseException as e:  # noqa: BLE001 - a hook's failure is not the run's
            errors.append(describe(e, hook, function))
            log.record("ERROR", f"hook {stored['name']} failed: {type(e).__name__}: {errors[0]['message']}")
        finally:
            log.close()

    capture.install()
    # A thread of its own, with nothing of the journal's context: what it starts is no part of the run.
    thread = threading.Thread(target=work, name=f"aios:{hook}", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        errors.append({"type": "TimeoutError", "message": (
            f"not over after {PATIENCE:g} s: it goes on by itself, and the run does not wait for it"
        ), "step": hook, "traceback": ""})  # fmt: skip
    status = "failed" if errors else "done"
    _calling.discard(marked)
    ws.catalog.flush()
    ws.catalog.write(
        f"update hook_calls set status = :status, ended_at = :now, error = :error where {_KEY}",  # noqa: S608
        status=status, now=time.time(), error=dumps(errors[0]) if errors else None, **key,
    )  # fmt: skip
    ws.catalog.event("hook", info.run_id, hook=hook, name=stored["name"], status=status)


async def _settle(awaitable: Any) -> Any:
    return await awaitable


def ended(
    ws: Workspace, executor: str, run: dict[str, Any], status: str, error: dict[str, Any] | None
) -> None:
    """Call what belongs to the end of a run, before it is said to have ended: who waits for it has it all."""
    run_id = run["run_id"]
    late = ws.catalog.one("select deadline_at, late from runs where run_id = :r", r=run_id) or {}
    if late.get("deadline_at") is not None and not late["late"] and time.time() > late["deadline_at"]:
        missed(ws, executor, run_id)
    hook = {"succeeded": SUCCESS, "failed": FAILURE}.get(status)
    if hook is not None:
        call(ws, executor, run_id, hook, status, error)


def given_up(ws: Workspace, run: dict[str, Any], error: dict[str, Any]) -> None:
    """Leave the calls for the failure of a run that nobody executes any more; `recover` makes them."""
    for position, stored in enumerate(submit.read_spec(ws, run).hooks.get(FAILURE, ())):
        ws.catalog.write(
            _INSERT, run_id=run["run_id"], leg=run["leg"], hook=FAILURE, position=position, name=stored["name"],
            owner=run["owner"] or "", now=time.time(),
        )  # fmt: skip
    ws.catalog.event("hook", run["run_id"], hook=FAILURE, status="left", because=error["type"])


def look(ws: Workspace, executor: str) -> None:
    """Find runs that are late, and calls whose process died in them; any living process does."""
    for run in ws.catalog.query(
        "select run_id from runs where deadline_at is not null and late = 0 and deadline_at < :now "
        "and status not in ('succeeded', 'failed', 'cancelled')", now=time.time(),
    ):  # fmt: skip
        missed(ws, executor, run["run_id"], wait=False)


def recover(ws: Workspace, executor: str) -> None:
    """Call again what a dead process was calling for a run that is over, or that it found late."""
    for row in ws.catalog.query(
        "select h.run_id, h.hook, h.owner, r.status, r.error from hook_calls h join runs r on r.run_id = h.run_id "
        "and r.leg = h.leg where h.status = 'calling' "
        "and (h.hook = 'on_sla_miss' or r.status in ('succeeded', 'failed', 'cancelled'))"
    ):
        if not leases.alive(ws, row["owner"]):
            status = "late" if row["hook"] == MISS else row["status"]
            error = json.loads(row["error"]) if row["error"] else None
            _aside(ws, executor, row["run_id"], row["hook"], status, error)


def missed(ws: Workspace, executor: str, run_id: str, *, wait: bool = True) -> None:
    """Say that a run is late, once, and call what wants to know."""
    run = ws.catalog.one("select * from runs where run_id = :r", r=run_id)
    if run is None:
        return
    spec, now = submit.read_spec(ws, run), time.time()
    with ws.catalog.transaction() as con:  # the calls too: whoever finds them left behind makes them
        first = con.execute(
            "update runs set late = 1 where run_id = :r and leg = :leg and late = 0",
            {"r": run_id, "leg": run["leg"]},
        ).rowcount
        for position, stored in enumerate(spec.hooks.get(MISS, ()) if first else ()):
            con.execute(_INSERT, {
                "run_id": run_id, "leg": run["leg"], "hook": MISS, "position": position, "name": stored["name"],
                "owner": executor, "now": now,
            })  # fmt: skip
    if not first:
        return
    ws.catalog.event("sla.missed", run_id, workflow=spec.name, sla=spec.sla, status=run["status"])
    if wait:
        call(ws, executor, run_id, MISS, "late")
    else:
        _aside(ws, executor, run_id, MISS, "late", None)


def _aside(
    ws: Workspace, executor: str, run_id: str, hook: str, status: str, error: dict[str, Any] | None
) -> None:
    threading.Thread(
        target=call, args=(ws, executor, run_id, hook, status, error), name="aios-hooks", daemon=True
    ).start()


def calls(ws: Workspace, run_id: str) -> list[dict[str, Any]]:
    """Return the calls of a run's hooks, in the order they were made."""
    rows = ws.catalog.query(
        "select * from hook_calls where run_id = :r order by leg, started_at, position", r=run_id
    )
    return [{**row, "error": json.loads(row["error"]) if row["error"] else None} for row in rows]


_KEY = "run_id = :run_id and leg = :leg and hook = :hook and position = :position"
_INSERT = (
    "insert into hook_calls (run_id, leg, hook, position, name, status, owner, started_at) "
    "values (:run_id, :leg, :hook, :position, :name, 'calling', :owner, :now) "
    "on conflict (run_id, leg, hook, position) do nothing"
)
