"""Taking up what dead processes left unfinished: exactly one of the living does, and no finished step is done again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aios_workbench.engine import joins, leases, run_hooks, submit
from aios_workbench.engine.capture import last_words
from aios_workbench.engine.failures import plain
from aios_workbench.engine.journal import QUEUE, enqueue, leg_id
from aios_workbench.engine.outcome import outcome
from aios_workbench.engine.records import CANCELLED, FAILED, Record, end_unfinished, tell_run, tell_step
from aios_workbench.workspace import Catalog, Workspace

#: So many processes in a row may die of a run that gets no further; see `deaths`.
MAX_DEATHS = 20


def adopt(ws: Workspace, lease: leases.Lease, inherit: Callable[[str], list[str]]) -> list[str]:
    """Take up what dead processes left unfinished; returns the runs' ids. Not beside a running loop.

    Parameters
    ----------
    inherit : callable
        Takes up what one process left, by its id.
    """
    if ws.shared:
        return _adopt_in_team(ws, lease, inherit)
    adopted: list[str] = []
    for row in ws.catalog.query(
        "select distinct owner from runs where status in ('running', 'waiting') and owner is not null"
    ):  # a lock file that someone deleted: put it back, unlocked, for all adopters to compete for
        if row["owner"] != lease.executor_id and not leases.lock_file(ws, row["owner"]).exists():
            leases.lock_file(ws, row["owner"]).touch()
    for path in leases.left_behind(ws, lease.executor_id):
        with leases.inherit(path) as mine:
            if mine:
                adopted += inherit(path.stem)
                path.unlink(missing_ok=True)
    return adopted


def _adopt_in_team(ws: Workspace, lease: leases.Lease, inherit: Callable[[str], list[str]]) -> list[str]:
    adopted: list[str] = []
    if not lease.steady:
        return adopted
    for dead in leases.orphaned(ws, lease.executor_id):
        with leases.claim(ws, dead, lease.executor_id) as mine:
            if mine:
                adopted += inherit(dead)
                leases.lock_file(ws, dead).unlink(missing_ok=True)
    return adopted


def recover_lost(ws: Workspace) -> None:
    """Take up runs whose process died on the way into the queue, or just out of it."""
    from dbos import DBOS

    for run in ws.catalog.query(
        "select * from runs where status = 'queued' and owner is null and created_at < :before",
        before=time.time() - 10,
    ):
        wid = leg_id(run["run_id"], run["leg"])
        found = DBOS.get_workflow_status(wid)
        if found is None:
            enqueue(ws, run["run_id"], run["leg"], json.loads(run["seed"]), QUEUE)
        elif found.status == "PENDING" and not leases.alive(ws, found.executor_id):
            taken = ws.catalog.write(  # by one of all who saw it like that
                "update runs set adoptions = adoptions + 1 where run_id = :r and status = 'queued' and owner is null "
                "and adoptions = :n", r=run["run_id"], n=run["adoptions"],
            )  # fmt: skip
            if taken:
                DBOS.resume_workflow(wid, queue_name=QUEUE)  # its taker died before it wrote itself down


def inherit(ws: Workspace, dead: str) -> list[str]:
    """Put the unfinished runs of a dead process into the queue of all; returns their ids."""
    catalog = ws.catalog
    now = time.time()
    last_words(catalog, dead)
    catalog.write(  # it ended when the process was last there, which may be long ago
        "update attempts set status = 'lost', ended_at = case when started_at > :seen then started_at "
        "else :seen end where executor = :dead and status = 'running'",
        dead=dead, seen=min(now, leases.last_seen(ws, dead) or now),
    )  # fmt: skip
    adopted = []
    for run in catalog.query(
        "select * from runs where owner = :dead and status not in ('succeeded', 'failed', 'cancelled')",
        dead=dead,
    ):
        died = deaths(catalog, run, dead)
        if died > MAX_DEATHS:
            error = plain("Abandoned", (
                f"{died} processes in a row died while executing this run, and none got further; it is not tried "
                "again by itself. Find out what kills them (memory?), then resume it"
            ))  # fmt: skip
            run_hooks.given_up(ws, run, error)
            tell_run(catalog, run["run_id"], FAILED, error)
            with catalog.transaction() as con:
                end_unfinished(con, run["run_id"])
            continue
        catalog.write("update runs set adoptions = adoptions + 1 where run_id = :r", r=run["run_id"])
        _take_up(ws, run)
        catalog.write(  # unless another process has taken it from the queue already
            "update runs set owner = null, status = 'queued' where run_id = :r and owner = :dead "
            "and status not in ('succeeded', 'failed', 'cancelled')", r=run["run_id"], dead=dead,
        )  # fmt: skip
        adopted.append(run["run_id"])
    catalog.write(
        "update executors set ended_at = coalesce(ended_at, :now) where executor_id = :dead",
        now=time.time(),
        dead=dead,
    )
    return adopted


def _take_up(ws: Workspace, run: dict[str, Any]) -> None:
    from dbos import DBOS

    wid = leg_id(run["run_id"], run["leg"])
    found = DBOS.get_workflow_status(wid)
    if found is None:  # died between writing the run down and starting it
        enqueue(ws, run["run_id"], run["leg"], json.loads(run["seed"]), QUEUE)
    elif found.status in ("PENDING", "ENQUEUED", "DELAYED"):
        DBOS.resume_workflow(wid, queue_name=QUEUE)
    elif found.status == "SUCCESS" and found.output:  # finished; only the catalog had not heard of it
        conclude(ws, run["run_id"], run["leg"], found.output)
    else:
        tell_run(ws.catalog, run["run_id"], FAILED, plain(
            "JournalError",
            f"the journal says {found.status} for {wid}; resume the run to go on from its finished steps",
        ))  # fmt: skip


def deaths(catalog: Catalog, run: dict[str, Any], dead: str) -> int:
    """Count the death of a process for a run, and return how many have died of it since it got further.

    A process that was stopped in good order did not die of anything, nor one whose run waited for a person. Further
    means: more steps have ended than when the last process died.
    """
    innocent = run["status"] == "waiting" or catalog.one(
        "select 1 from executors where executor_id = :e and ended_at is not null", e=dead
    )
    counted = catalog.one(
        "select count(*) as n from steps where run_id = :r and status in ('succeeded', 'skipped')",
        r=run["run_id"],
    )
    done = int(counted["n"]) if counted else 0
    died = (0 if done > run["done_at_death"] else int(run["deaths"])) + (not innocent)
    catalog.write(
        "update runs set deaths = :died, done_at_death = :done where run_id = :r",
        died=died, done=done, r=run["run_id"],
    )  # fmt: skip
    return died


def conclude(ws: Workspace, run_id: str, leg: int, output: dict[str, Any]) -> None:
    """Bring the catalog up to a journal that is ahead of it."""
    records = [Record.from_dict(r) for r in output.values()]
    for record in records:
        for stored in record.stored:
            ws.artifacts.restore(stored)
        tell_step(ws.catalog, run_id, leg, record)
    run = ws.catalog.one("select spec_hash from runs where run_id = :r", r=run_id)
    ended = outcome(
        records,
        cancelled=not any(r.status == FAILED for r in records)
        and any(r.status == CANCELLED for r in records),
        made_up=joins.made_up(submit.read_spec(ws, run or {}), {r.step: r for r in records}),
    )
    tell_run(ws.catalog, run_id, ended.status, ended.error, message=ended.message)
