"""A rollout as people start it, look at it and end it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError, ParameterError
from aios_workbench.promote import permits
from aios_workbench.promote.records import job_row, tell
from aios_workbench.promote.rollout.life import begin, end
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.promote.rollout.watch import judgement
from aios_workbench.workspace import Workspace, dumps

MODES = ("canary", "shadow")
_SHARE = {"canary": 0.2, "shadow": 1.0}
_WORDS = {"promote": "promoted", "roll_back": "rolled_back"}


def start(
    ws: Workspace, job: str, version: int, by: str, *, mode: str = "canary", share: float | None = None,
    rules: Mapping[str, Any] | Rules | None = None, now: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Put a version on trial beside the one that runs.

    Parameters
    ----------
    version : int
        Any version that runs may have but the current one. One that waits for approval begins when it is approved.
    mode : {"canary", "shadow"}
        A canary gets `share` of the runs. A shadow runs beside `share` of them: no alert, no job started after it, and
        no part in what the job promises follows from its runs. What the notebook itself writes or sends cannot be
        held back: it is told by ``aios.is_shadow()``.
    share : float, optional
        More than 0, at most 1; 0.2 for a canary and 1 for a shadow if not given.
    rules : Rules or mapping, optional
        By what it is judged.

    Returns
    -------
    dict
        As `status`.

    Raises
    ------
    NotFoundError, ParameterError, UnknownOptionError, JobError
        For what does not exist or fit.
    ConflictError
        When a rollout of the job is going, or the version cannot be one that runs.
    DeniedError
        When the policy says no.

    Examples
    --------
    >>> start(workspace(), "claims", 4, "ada", share=0.1, rules={"runs": 50, "promote": True})  # doctest: +SKIP
    """
    found = job_row(ws, job)
    asked = checked(mode, share, rules)
    permit(ws, by, found, asked, version)
    now = time.time() if now is None else now
    with ws.catalog.transaction() as con:
        begin(con, job_row(ws, found["job_id"]), version, by, asked, now)
    told = status(ws, found["job_id"])
    assert told is not None
    tell(
        ws,
        "job.rollout",
        found["job_id"],
        job=found["name"],
        version=version,
        mode=mode,
        status=told["status"],
    )
    return told


def checked(
    mode: str = "canary", share: float | None = None, rules: Mapping[str, Any] | Rules | None = None
) -> dict[str, Any]:
    """Return how a version is to be tried, as columns of `rollouts`.

    Raises
    ------
    ParameterError, UnknownOptionError, JobError
        For what does not fit.
    """
    if mode not in MODES:
        raise ParameterError(f"a version is tried as canary or shadow, not as {mode!r}")
    share = _SHARE[mode] if share is None else share
    if not 0 < share <= 1:
        raise ParameterError(
            f"the share of runs must be more than 0 and at most 1, not {share}; 0.2 is every fifth"
        )
    return {"mode": mode, "share": float(share), "rules": dumps(Rules.of(rules).model_dump(mode="json"))}


def permit(
    ws: Workspace, by: str, job: Mapping[str, Any], asked: Mapping[str, Any], version: int | None = None
) -> None:
    """Let nobody pass who may not start this; rules that promote by themselves need what promoting needs."""
    modes = [asked["mode"], *(["promote"] if json.loads(asked["rules"])["promote"] else [])]
    for mode in modes:
        permits.require(ws, by, "job.rollout", job, version=version, mode=mode)


def status(ws: Workspace, job: str) -> dict[str, Any] | None:
    """Say how a job's rollout stands, or how the newest one ended; None when there was none.

    Returns
    -------
    dict
        The columns of `rollouts` with `rules` read, and `judgement`: runs of either version with their failures,
        what speaks against the new one, and the differences of each pair of runs.
    """
    found = job_row(ws, job)
    row = ws.catalog.one(
        "select * from rollouts where job_id = :id order by ended_at is null desc, started_at desc limit 1",
        id=found["job_id"],
    )
    if row is None:
        return None
    return {
        **row,
        "job": found["name"],
        "rules": json.loads(row["rules"]),
        "judgement": judgement(ws, row).to_dict(),
    }


def finish(
    ws: Workspace, job: str, by: str, decision: str, reason: str | None = None, *, now: float | None = None
) -> dict[str, Any]:
    """End a job's rollout by hand.

    Parameters
    ----------
    decision : {"promote", "roll_back"}
        Whether the new version takes the other's place.

    Returns
    -------
    dict
        As `status`.

    Raises
    ------
    NotFoundError, ParameterError
        For an unknown job or decision.
    ConflictError
        When no version is on trial.
    DeniedError
        When the policy says no.
    """
    if decision not in _WORDS:
        raise ParameterError(f"a rollout ends with 'promote' or 'roll_back', not {decision!r}")
    found = job_row(ws, job)
    permits.require(ws, by, "job.rollout", found, mode=decision)
    now = time.time() if now is None else now
    with ws.catalog.transaction() as con:
        trial = con.execute(
            "select * from rollouts where job_id = :job_id and status in ('running', 'waiting') "
            "order by status = 'running' desc limit 1",
            found,
        ).fetchone()
        if trial is None or (trial["status"] == "waiting" and decision == "promote"):
            said = "the version waits for approval" if trial else "no version is on trial"
            raise ConflictError(
                f"{found['name']!r}: {said}; `aios jobs rollout status {found['name']}` says more"
            )
        end(con, dict(trial), _WORDS[decision], reason or f"by {by}", by, now)
    told = status(ws, found["job_id"])
    assert told is not None
    tell(
        ws, "job.rollout", found["job_id"], job=found["name"], version=told["version"], status=told["status"]
    )
    return told
