"""One attempt of a job run: bundle checked, fresh kernel, parameters as data, everything kept in its folder."""

from __future__ import annotations

import contextlib
import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.engine import continuing
from aios_workbench.errors import AiosError, ConflictError, JobError
from aios_workbench.promote import data, logical, resuming, shadow
from aios_workbench.promote.activation import HELD
from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.cells import Recorder
from aios_workbench.promote.environment.kernels import Stopped, settle
from aios_workbench.promote.execution import Execution, Stop
from aios_workbench.promote.kernel import bury
from aios_workbench.promote.memory import Meter
from aios_workbench.promote.notebooks import code_cells, read_notebook
from aios_workbench.promote.parameters import NotebookParameters, inject
from aios_workbench.promote.records import intact_bundle, run_folder, version_row
from aios_workbench.promote.report import Log, write_html
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Workspace, dumps

_ORPHAN_POLLS = 120  # half a minute: workers look for orphans every few seconds


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes
    ----------
    status : {"succeeded", "failed", "timeout", "cancelled", "stopped"}
        "stopped": the worker was told to go; the run is to be taken up again.
    final : bool
        True when trying again cannot help.
    """

    status: str
    error: dict[str, Any] | None = None
    final: bool = False


def execute(ws: Workspace, run: dict[str, Any], watch: Callable[[], Stop | None]) -> Outcome:
    """Run one attempt of a job run to its end.

    Parameters
    ----------
    run : dict
        A row of `job_runs`, taken by this process.
    watch : callable
        Returns "cancel" or "stop" when the run shall end early.

    Returns
    -------
    Outcome
        Never raises for what the notebook does.
    """
    folder = run_folder(ws, run["job_id"], run["job_run_id"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Log(folder / "log.txt") as log:
        log.say(
            f"attempt {run['attempt']} of {run['job_run_id']}, version {run['version']}, by {run['owner']}"
        )
        if run.get("resumed_from"):
            log.say(f"goes on with {run['resumed_from']}: what its workflows have finished is not done again")
        if bury(folder):
            log.say("killed the kernel an earlier attempt left behind")
        try:
            outcome = _attempt(ws, run, folder, log, watch)
        except Stopped as e:
            outcome = Outcome("cancelled" if e.why == "cancel" else "stopped")
        except AiosError as e:
            outcome = Outcome("failed", _error(e, ""), final=isinstance(e, JobError))
        except Exception as e:  # noqa: BLE001 - the worker outlives whatever a notebook, its kernel or the disk does
            outcome = Outcome("failed", _error(e, traceback.format_exc()))
        log.say(
            outcome.status
            + (f": {outcome.error['type']}: {outcome.error['message']}" if outcome.error else "")
        )
    return outcome


def _attempt(
    ws: Workspace, run: dict[str, Any], folder: Path, log: Log, watch: Callable[[], Stop | None]
) -> Outcome:
    version = version_row(ws, run["job_id"], run["version"])
    if version is None:
        raise JobError(f"version {run['version']} of the job is gone")
    if version["status"] in HELD:
        raise JobError(
            f"version {run['version']} of the job is not approved ({version['status']}); it does not run"
        )
    spec = JobSpec.from_dict(json.loads(version["spec"]))
    bundle, wrong = intact_bundle(ws, run["job_id"], run["version"])
    if wrong is not None:
        log.say(f"{wrong}; it was restored to what was promoted")
    cwd = _cwd(ws, spec, folder, bundle)
    for problem in data.require(bundle, cwd, spec.data):
        log.say(f"warning: the data is not what was promoted: {problem}")
    book = read_notebook(bundle / NOTEBOOK)
    parameters = NotebookParameters(code_cells(book))
    values = parameters.coerce(json.loads(run["params"]))
    parameters.require(values)
    if parameters.cell is not None:
        inject(book, parameters)
    given = {"values": values, "types": {p.name: p.type for p in parameters}}
    (folder / "params.json").write_text(
        json.dumps(given, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _keep_earlier(folder, run["attempt"])
    env, told = settle(ws, bundle, spec, _environment(ws, run, spec, bundle, folder), log.say, watch)
    ws.catalog.write(
        "update job_runs set environment = :told where job_run_id = :id",
        told=dumps(told),
        id=run["job_run_id"],
    )

    meter = Meter(spec.memory, f"AIOS_JOB_RUN={run['job_run_id']}")

    def progress(cell: int, count: int) -> None:
        ws.catalog.event(
            "job.cell", job_id=run["job_id"], job_run_id=run["job_run_id"], cell=cell, count=count
        )
        _note_peak(ws, run, meter)

    execution = Execution(
        book, folder, cwd, env, log, spec.timeout,
        watch, progress, _Settled(ws, run["job_run_id"], log), Recorder(ws, run, log), meter,
    )  # fmt: skip
    try:
        why, error = execution.run()
    finally:
        _note_peak(ws, run, meter)
        ws.catalog.flush()
    execution.save()
    try:
        write_html(book, folder / "report.html", version["name"])
    except Exception as e:  # noqa: BLE001 - a broken output must not fail a run that did its work
        log.say(f"the HTML report could not be written: {type(e).__name__}: {e}")
    return _outcome(ws, run, spec, why, error)


def _note_peak(ws: Workspace, run: dict[str, Any], meter: Meter) -> None:
    """Store the most memory of any attempt, as soon as the catalog can."""
    ws.catalog.defer(
        "update job_runs set peak_bytes = :peak where job_run_id = :id and coalesce(peak_bytes, 0) < :peak",
        {"id": run["job_run_id"], "peak": meter.peak}, ("peak_bytes", run["job_run_id"]),
    )  # fmt: skip


def _outcome(
    ws: Workspace, run: dict[str, Any], spec: JobSpec, why: Stop | None, error: dict[str, Any] | None
) -> Outcome:
    if why == "timeout":
        limit = format_duration(spec.timeout)
        return Outcome(
            "timeout", {"type": "Timeout", "message": f"took longer than {limit}", "traceback": ""}
        )
    if why == "cancel":
        return Outcome("cancelled")
    if why == "stop":
        return Outcome("stopped")
    error = error or _failed_workflow(ws, run["job_run_id"])
    return Outcome("failed", error) if error else Outcome("succeeded")


def _error(e: Exception, trace: str) -> dict[str, Any]:
    return {"type": type(e).__name__, "message": str(e), "traceback": trace}


def _environment(
    ws: Workspace, run: dict[str, Any], spec: JobSpec, bundle: Path, folder: Path
) -> dict[str, str]:
    paths = [
        str(bundle),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]  # promoted modules win over edited ones
    return {
        **os.environ,
        "AIOS_GATES": dumps(spec.gates),
        "AIOS_HOME": str(ws.root),
        "AIOS_JOB_RUN": run["job_run_id"],
        continuing.VARIABLE: ",".join(resuming.chain(ws, run)),
        logical.VARIABLE: logical.text(run, spec.timezone),
        shadow.VARIABLE: run.get("role") or "",
        "AIOS_PARAMETERS": str(folder / "params.json"),
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _cwd(ws: Workspace, spec: JobSpec, folder: Path, bundle: Path) -> Path:
    """Relative data paths mean what they mean in the notebook; without its folder, the run gets the copies."""
    home = (ws.project / spec.notebook).parent
    if home.is_dir():
        return home
    empty = folder / "work"  # not the bundle: what a run writes there would make it differ from its manifest
    empty.mkdir(exist_ok=True)
    data.place(bundle, empty)
    return empty


def _keep_earlier(folder: Path, attempt: int) -> None:
    executed = folder / "executed.ipynb"
    if executed.exists():
        executed.replace(folder / f"executed.attempt-{attempt - 1}.ipynb")


class _Settled:
    """Says whether the workflows a notebook started have ended: `wf.run()` returns at once, a kernel must not.

    One that waits at a gate is not waited for. One whose process died is, for a while: a worker takes it up.
    """

    def __init__(self, ws: Workspace, job_run_id: str, log: Log) -> None:
        self._ws, self._id, self._log = ws, job_run_id, log
        self._told = False
        self._patience = _ORPHAN_POLLS

    def __call__(self) -> bool:
        going = self._ws.catalog.query(
            "select run_id, workflow, status, owner from runs where job_run_id = :id and status in "
            "('queued', 'running', 'interrupted')",
            id=self._id,
        )
        if going and not self._told:
            self._told = True
            self._log.say(f"waiting for workflow {', '.join(sorted({r['workflow'] for r in going}))} to end")
        from aios_workbench.engine import leases

        owned = [r for r in going if r["status"] == "queued" or leases.alive(self._ws, r["owner"])]
        self._patience = _ORPHAN_POLLS if owned else self._patience - 1
        return not going or self._patience < 0


def _failed_workflow(ws: Workspace, job_run_id: str) -> dict[str, Any] | None:
    """Return the error of a workflow run that did not end well and was not rerun: nobody may have looked."""
    row = ws.catalog.one(
        "select run_id, workflow, status, error from runs r where job_run_id = :id "
        "and status in ('failed', 'running', 'interrupted') and not exists "
        "(select 1 from runs n where n.parent_run_id = r.run_id) order by created_at limit 1",
        id=job_run_id,
    )
    if row is None:
        return None
    message = (
        f"workflow {row['workflow']!r} failed (run {row['run_id']}); `aios show {row['run_id']}` says where"
    )
    return {"type": "WorkflowFailed", "message": message, "traceback": row["error"] or ""}


def cancel_workflows(ws: Workspace, job_run_id: str) -> None:
    """Cancel the workflow runs of a cancelled or timed-out job run: other workers would go on with them."""
    rows = ws.catalog.query(
        "select run_id from runs where job_run_id = :id and status in ('queued', 'running', 'waiting', 'interrupted')",
        id=job_run_id,
    )
    if not rows:
        return
    from aios_workbench.engine import control

    for row in rows:
        with contextlib.suppress(ConflictError):  # it ended meanwhile
            control.cancel(ws, row["run_id"], by="job")
