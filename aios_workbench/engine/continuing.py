"""A job that failed and is taken up again: the workflows in its notebook go on where the failed job run left them.

The kernel of such a run is told the job runs it continues (`AIOS_CONTINUES`, the newest first). The same call of the
same workflow, counted from the top of the notebook, then takes over what that call finished last time: a step whose
code, inputs or parameters are no longer the same is done again, and everything behind it, as in `Run.rerun`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine import control, submit
from aios_workbench.engine.again import changed
from aios_workbench.engine.records import RUN_TERMINAL, Record
from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workspace import Workspace

VARIABLE = "AIOS_CONTINUES"


@dataclass
class Before:
    """What the failed job run has left of a workflow.

    Attributes
    ----------
    seed : dict
        Outcomes that are taken over.
    whole : bool
        True when there is nothing to start: the run has succeeded as it would now, or it goes on in another process.
    """

    run_id: str
    seed: dict[str, Record] = field(default_factory=dict)
    whole: bool = False


def continued() -> list[str]:
    """Return the job runs that the one of this kernel continues, newest first."""
    return [name for name in os.environ.get(VARIABLE, "").split(",") if name]


def find(
    ws: Workspace, spec: WorkflowSpec, refs: dict[str, dict[str, Any]], call: str, run_id: str
) -> Before | None:  # fmt: skip
    """Return what was left of this call of a workflow, or None when it begins anew.

    Parameters
    ----------
    call : str
        Which call of the workflow it is in its notebook.
    run_id : str
        The run that would be started; when it is there, an attempt of this job run has started it already.
    """
    ws.catalog.flush()
    if not continued() or ws.catalog.one("select 1 from runs where run_id = :r", r=run_id):
        return None
    for job_run in continued():
        row = _newest(ws, submit.new_run_id(spec.name, f"{job_run}:{call}"))
        if row is not None:
            return _compare(ws, row, spec, refs)
    return None


def _newest(ws: Workspace, run_id: str) -> dict[str, Any] | None:
    """Return a run, or the last of those that its notebook made of it with `rerun`."""
    row = ws.catalog.one("select * from runs where run_id = :r", r=run_id)
    while row is not None:
        again = ws.catalog.one(
            "select * from runs where parent_run_id = :r and job_run_id = :job and run_id <> :r "
            "order by created_at desc limit 1",
            r=row["run_id"], job=row["job_run_id"],
        )  # fmt: skip
        if again is None:
            return row
        row = again
    return None


def _compare(
    ws: Workspace, row: dict[str, Any], spec: WorkflowSpec, refs: dict[str, dict[str, Any]]
) -> Before:
    before, done = submit.read_spec(ws, row), submit.finished(ws, row)
    other = changed(spec, before, refs, json.loads(row["param_refs"]))
    if not other and (row["status"] == "succeeded" or row["status"] not in RUN_TERMINAL):
        return Before(row["run_id"], whole=True)
    lost = {name for name, record in done.items() if not _is_there(ws, record)}
    names = [s.name for s in spec.steps]
    dirty = spec.downstream(other | lost | {name for name in names if name not in done})
    seed = control.reusable(ws, row, dirty, names)
    _say(
        spec.name,
        row,
        seed,
        [name for name in names if name not in seed],
        sorted(other & done.keys()),
        sorted(lost),
    )
    return Before(row["run_id"], seed)


def _is_there(ws: Workspace, record: Record) -> bool:
    found = record.artifact
    return found is None or ws.artifacts.intact(found)


def _say(
    workflow: str, row: dict[str, Any], kept: dict[str, Record], again: list[str], other: list[str], lost: list[str]
) -> None:  # fmt: skip
    """Tell the log and the executed notebook what is done again, and why."""
    why = ""
    if other:
        why += f"; no longer the same: {', '.join(other)}"
    if lost:
        why += f"; what it made is gone or damaged: {', '.join(lost)}"
    print(
        f"workflow {workflow!r} continues run {row['run_id']} ({row['status']}): kept {', '.join(kept) or 'nothing'}; "
        f"done now {', '.join(again) or 'nothing'}{why}",
        flush=True,
    )


def take_over(ws: Workspace, run_id: str) -> None:
    """Let this job run wait for a run that has not succeeded, and answer for it: no longer the one it continues."""
    for job_run in continued():
        ws.catalog.write(
            "update runs set job_run_id = :new where run_id = :r and job_run_id = :old and status <> 'succeeded'",
            new=os.environ.get("AIOS_JOB_RUN"), r=run_id, old=job_run,
        )  # fmt: skip
