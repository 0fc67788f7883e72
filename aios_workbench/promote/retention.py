"""Which files of runs are kept: the newest by count, by age and by bytes. Rows always stay.

Files go first, the row's `folder` after them: whoever is killed in between, or cannot write to a full disk, leaves it
to the next. A folder that cannot be deleted keeps its row's `folder` and is tried again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.promote.records import job_folder, load_error, load_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

log = logging.getLogger(__name__)

#: Folders without a row are left alone while they are younger: somebody may be about to write the row.
_YOUNG = 86_400.0

Row = dict[str, Any]


def keep_files(ws: Workspace, job_id: str, now: float) -> list[str]:
    """Delete the files of a job's oldest runs beyond its retention; returns the ids of those runs.

    Kept in any case: runs that wait or go on, the run that ended last, the newest failed one if nothing has succeeded
    since (it can be taken up again from where it failed), and one that a run under way was resumed from.

    Parameters
    ----------
    now : float
        Epoch seconds, for `retention_for`.

    Examples
    --------
    >>> keep_files(ws, job_id, time.time())  # doctest: +SKIP
    ['jr-0d5c1e7f2a3b']
    """
    job = ws.catalog.one("select spec from jobs where job_id = :id", id=job_id)
    spec = load_spec(job["spec"]) if job is not None else None
    if spec is None:
        return []
    runs = ws.catalog.query(_ENDED, id=job_id)
    needed = _needed(ws, job_id, runs)
    gone = []
    for run in _surplus(ws, runs, spec, now, needed):
        folder = ws.root / run["folder"]
        if not delete(folder):
            log.warning("the files of job run %s could not be deleted (%s)", run["job_run_id"], folder)
            continue
        try:
            ws.catalog.write(
                "update job_runs set folder = null where job_run_id = :id and status not in ('queued', 'running')",
                id=run["job_run_id"],
            )
        except AiosError as e:  # the disk is full, the catalog locked: the next run's end does it
            log.warning(
                "it could not be noted that the files of job run %s are gone: %s", run["job_run_id"], e
            )
        gone.append(run["job_run_id"])
    return gone


_ENDED = (
    "select job_run_id, folder, status, ended_at, error from job_runs where job_id = :id and folder is not null "
    "and status not in ('queued', 'running') order by ended_at desc, queued_at desc"
)


def _needed(ws: Workspace, job_id: str, runs: list[Row]) -> set[str]:
    needed = {run["job_run_id"] for run in runs[:1]}
    for run in runs:
        if run["status"] == "succeeded":
            break
        if run["status"] in ("failed", "timeout") and load_error(run).get("type") != "WorkerLost":
            needed.add(run["job_run_id"])
            break
    resumed = ws.catalog.query(
        "select resumed_from from job_runs where job_id = :id and resumed_from is not null "
        "and status in ('queued', 'running')",
        id=job_id,
    )
    return needed | {row["resumed_from"] for row in resumed}


def _surplus(ws: Workspace, runs: list[Row], spec: JobSpec, now: float, needed: set[str]) -> list[Row]:
    """Return the runs whose files go, oldest first."""
    surplus = []
    room = spec.retention_bytes
    for place, run in enumerate(runs):
        over = place >= spec.retention
        over = over or (spec.retention_for is not None and run["ended_at"] < now - spec.retention_for)
        if room is not None and not over:
            room -= folder_bytes(ws.root / run["folder"])
            over = room < 0
        if over and run["job_run_id"] not in needed:
            surplus.append(run)
    return surplus[::-1]


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take; 0 when it is gone."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(base) / name).st_size
    return total


def delete(folder: Path) -> bool:
    """Delete a folder; False when something of it is left.

    What a notebook has made read-only goes too; what somebody has open goes, and stays readable to whoever has it open.
    """

    def again(remove: Callable[..., Any], path: str, _: Any) -> None:
        with contextlib.suppress(OSError):
            os.chmod(Path(path).parent, stat.S_IRWXU)  # noqa: PTH101 - of any kind of name
            if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
                os.chmod(path, stat.S_IRWXU)  # noqa: PTH101
                shutil.rmtree(path, ignore_errors=True)
            else:
                remove(path)

    shutil.rmtree(folder, onerror=again)
    return not os.path.lexists(folder)


def sweep(ws: Workspace, now: float) -> int:
    """Delete what grows old while no run of its job ends, and what removed jobs have left; returns how many folders.

    A worker does it from time to time, beside its work.
    """
    count = 0
    for row in ws.catalog.query("select job_id, spec from jobs"):
        spec = load_spec(row["spec"])
        if spec is not None and spec.retention_for is not None:
            count += len(keep_files(ws, row["job_id"], now))
    return count + _leftovers(ws, now)


def _leftovers(ws: Workspace, now: float) -> int:
    """Delete folders of jobs and runs that no row knows: their removal was killed, or was said on another machine."""
    known = {row["job_id"] for row in ws.catalog.query("select job_id from jobs")}
    count = 0
    for folder in _folders(ws.root / "jobs"):
        if folder.name not in known:
            count += _old(folder, now) and delete(folder)
            continue
        runs = _folders(job_folder(ws, folder.name) / "runs")
        old = [run for run in runs if _old(run, now)]
        if not old:
            continue
        rows = ws.catalog.query("select job_run_id from job_runs where job_id = :id", id=folder.name)
        ids = {row["job_run_id"] for row in rows}
        count += sum(delete(run) for run in old if run.name not in ids)
    return count


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []


def _old(folder: Path, now: float) -> bool:
    # By the machine's clock and the worker's: either may be wrong.
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime < min(now, time.time()) - _YOUNG
    return False
