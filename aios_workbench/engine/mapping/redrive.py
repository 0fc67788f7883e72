"""Doing dead letters again: a new run that takes over everything else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from aios_workbench.engine.mapping.store import OPEN, REDRIVEN, REDRIVING, key_of
from aios_workbench.errors import ConflictError
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Workspace

_PARTS = ("first", "items", "source", "status", "output", "results", "attempts", "failed", "skipped", "started_at",
          "ended_at", "executor")  # fmt: skip
_LETTERS = ("item", "type", "reason", "traceback", "attempts", "value", "artifact")


def check_redrive(ws: Workspace, run: Mapping[str, Any], now: StepSpec, before: StepSpec) -> list[int]:
    """Return the numbers of the items that are to be done again.

    Raises
    ------
    ConflictError
        When there is nothing to do, or what there is does not fit.
    """
    run_id, step = run["run_id"], now.name
    if not before.over or not now.over:
        raise ConflictError(f"step '{step}' is no map: rerun it with run.rerun(from_='{step}')")
    if run["status"] not in ("succeeded", "failed", "cancelled"):
        raise ConflictError(
            f"run {run_id} is {run['status']}: its dead letters can be redriven when it is over"
        )
    same = ("deps", "params", "over", "item", "batches", "names")
    if any(getattr(now, f) != getattr(before, f) for f in same):
        raise ConflictError(
            f"step '{step}' takes other inputs than in run {run_id}: its other results would not fit. Do all of it "
            f"again with run.rerun(from_='{step}')"
        )
    rows = ws.catalog.query(
        "select item from dead_letters where run_id = :r and step = :s and status = :open order by item",
        r=run_id, s=step, open=OPEN,
    )  # fmt: skip
    if not rows:
        raise ConflictError(
            f"step '{step}' of run {run_id} has no open dead letters; see run['{step}'].dead_letters"
        )
    return [row["item"] for row in rows]


def hand_over(
    con: Any, old: str, new: str, step: StepSpec, inputs: Mapping[str, str], items: list[int]
) -> None:
    """Give a step's parts and open letters to another run, in the transaction that writes that run.

    From then on the letters are the new run's: whoever looks finds each item open, or being redriven, in one run.
    """
    told = {"old": old, "new": new, "s": step.name}
    columns, now = ", ".join(_PARTS), time.time()
    con.execute(
        f"insert into map_parts (run_id, step, key, {columns}) select :new, step, :key, {columns} from map_parts "  # noqa: S608
        "where run_id = :old and step = :s",
        {**told, "key": key_of(step, dict(inputs))},
    )
    columns = ", ".join(_LETTERS)
    con.execute(
        f"insert into dead_letters (run_id, step, status, at, {columns}) "  # noqa: S608
        f"select :new, step, :redriving, :now, {columns} from dead_letters "
        "where run_id = :old and step = :s and status = :open",
        {**told, "redriving": REDRIVING, "open": OPEN, "now": now},
    )
    changed = con.execute(
        "update dead_letters set status = :redriven, redriven_by = :new, at = :now where run_id = :old and step = :s "
        "and status = :open",
        {**told, "redriven": REDRIVEN, "open": OPEN, "now": now},
    ).rowcount
    if changed != len(items):
        raise ConflictError(
            f"the dead letters of step '{step.name}' of run {old} were redriven by somebody else just now"
        )
