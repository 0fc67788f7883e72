"""What workflows need of the place they run in: secrets by name, and whether this process would find them."""

from __future__ import annotations

from typing import Any

from aios_workbench.engine import submit
from aios_workbench.errors import NotFoundError, hint
from aios_workbench.govern import secrets
from aios_workbench.workspace import Workspace


def secrets_needed(ws: Workspace, name: str | None = None) -> list[dict[str, Any]]:
    """Return the secrets that workflows refer to, each with the steps that do and where it is found.

    Parameters
    ----------
    name : str, optional
        A workflow, or a job (then the workflows its runs have started). Without it all workflows.

    Returns
    -------
    list of dict
        `secret`, `workflow`, `steps` and `found`: a place, or None. Never a value.

    Raises
    ------
    NotFoundError
        When nothing of that name has run yet: what it needs is known from its last run.
    """
    out = []
    for run in _latest(ws, name):
        by_secret: dict[str, list[str]] = {}
        for step in submit.read_spec(ws, run).steps:
            for reference in dict.fromkeys(step.secrets.values()):
                by_secret.setdefault(reference, []).append(step.name)
        out += [
            {"secret": s, "workflow": run["workflow"], "steps": steps, "found": secrets.find(s)}
            for s, steps in sorted(by_secret.items())
        ]
    return out


def _latest(ws: Workspace, name: str | None) -> list[dict[str, Any]]:
    ws.catalog.flush()
    runs = ws.catalog.query(
        "select r.workflow, r.spec_hash, j.name as job from runs r "
        "left join job_runs b on b.job_run_id = r.job_run_id left join jobs j on j.job_id = b.job_id "
        "order by r.created_at desc, r.run_id desc"
    )
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        if name is None or name in (run["workflow"], run["job"]):
            found.setdefault(run["workflow"], run)
    if name is not None and not found:
        known = {str(n) for run in runs for n in (run["workflow"], run["job"]) if n}
        raise NotFoundError(
            f"no workflow or job '{name}' has run here{hint(name, known)}; what it needs is known from its last run"
        )
    return [found[w] for w in sorted(found)]
