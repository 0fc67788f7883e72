"""Which locked environments are still needed."""

from __future__ import annotations

import contextlib
import json
import time

from aios_workbench.errors import AiosError
from aios_workbench.promote.environment.build import collect, environments
from aios_workbench.promote.environment.lock import read_lock
from aios_workbench.promote.records import bundle_folder
from aios_workbench.workspace import Workspace

_DAY = 86_400.0
_YOUNG = 3_600.0


def collect_environments(
    ws: Workspace, *, keep_days: float, dry_run: bool = False, now: float | None = None
) -> tuple[int, int]:
    """Delete the environments that no job's present version and no run under way needs, and nobody used for days.

    Parameters
    ----------
    keep_days : float
        One used since is kept; any is for an hour.
    now : float, optional
        Epoch seconds; the clock's if not given.

    Returns
    -------
    tuple of int
        How many, and how many bytes.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> collect_environments(workspace(), keep_days=30)
    (0, 0)
    """
    root = environments(ws)
    if not root.is_dir():
        return 0, 0
    before = (time.time() if now is None else now) - max(keep_days * _DAY, _YOUNG)
    return collect(root, needed(ws), before=before, dry_run=dry_run)


def needed(ws: Workspace) -> set[str]:
    """Return the keys of environments that jobs run in: of present versions, versions on trial, and runs under way."""
    rows = ws.catalog.query(
        "select distinct v.job_id, v.version, v.spec from job_versions v join jobs j on j.job_id = v.job_id "
        "where v.version = j.version or exists (select 1 from job_runs r where r.job_id = v.job_id "
        "and r.version = v.version and r.status in ('queued', 'running')) or exists (select 1 from rollouts o "
        "where o.rollout_id = j.rollout_id and o.version = v.version)"
    )
    found = set()
    for row in rows:
        if json.loads(row["spec"]).get("environment") == "locked":
            with contextlib.suppress(AiosError):
                lock = read_lock(bundle_folder(ws, row["job_id"], row["version"]))
                if lock is not None:
                    found.add(lock.key)
    return found
