"""Handlers for a version that is not the job's yet: who agrees to it, and trying it out beside the one that runs."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.server import bodies_jobs
from aios_workbench.server.base import AiosHandler
from aios_workbench.workspace import Workspace

_APPROVAL = ("version", "bundle_hash", "created_by", "needed", "given", "why")
_VOTE = ("actor", "decision", "reason", "at")
_ROLLOUT = (
    "rollout_id", "version", "base_version", "mode", "share", "status", "reason", "started_at", "started_by",
    "ended_at", "ended_by",
)  # fmt: skip
_JUDGED = ("base", "new", "compared", "differing", "pairs", "decision")


class ApprovalsHandler(AiosHandler):
    """`GET` and `POST jobs/{id}/approvals`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give the versions that wait for somebody to agree, and whether the one who asks may."""
        await self.reply(lambda: approvals(self.workspace(), job_id, self.actor))

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Agree to a version, or do not."""
        body = self.body(bodies_jobs.Approve)

        def work() -> dict[str, Any]:
            from aios_workbench.promote.approvals import decide

            ws = self.workspace()
            decide(
                ws, _id(ws, job_id), body.version, self.actor, body.decision, body.reason,
                bundle_hash=body.bundle_hash,
            )  # fmt: skip
            return approvals(ws, job_id, self.actor)

        await self.reply(work)


class RolloutHandler(AiosHandler):
    """`GET` and `POST jobs/{id}/rollout`."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Give the version on trial."""
        await self.reply(lambda: rollout(self.workspace(), job_id))

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Try a version out: on a share of the runs, or beside all of them."""
        body = self.body(bodies_jobs.StartRollout)

        def work() -> dict[str, Any]:
            from aios_workbench.promote.rollout import start

            ws = self.workspace()
            start(ws, _id(ws, job_id), body.version, self.actor, mode=body.mode, share=body.share)
            return rollout(ws, job_id)

        await self.reply(work)


class FinishRolloutHandler(AiosHandler):
    """`POST jobs/{id}/rollout/finish`."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Take the version on trial for all runs, or for none."""
        body = self.body(bodies_jobs.FinishRollout)

        def work() -> dict[str, Any]:
            from aios_workbench.promote.rollout import finish

            ws = self.workspace()
            finish(ws, _id(ws, job_id), self.actor, body.decision, body.reason)
            return rollout(ws, job_id)

        await self.reply(work)


def approvals(ws: Workspace, job_id: str, actor: str) -> dict[str, Any]:
    """Return the versions of a job that wait, each with who agreed so far and what the one who asks may."""
    from aios_workbench.promote import approvals as found

    rows = ws.catalog.query(
        "select version from job_versions where job_id = :job and status = 'waiting' order by version desc",
        job=_id(ws, job_id),
    )
    out = []
    for row in rows:
        stands = found.status(ws, job_id, row["version"])
        given = [{name: vote[name] for name in _VOTE} for vote in stands["given"]]
        out.append({**{n: stands[n] for n in _APPROVAL}, "given": given, **_may(ws, job_id, stands, actor)})
    return {"approvals": out}


def _may(ws: Workspace, job_id: str, stands: dict[str, Any], actor: str) -> dict[str, Any]:
    """Say what somebody may do with a version that waits, and why not agree to it."""
    from aios_workbench.promote import permits
    from aios_workbench.promote.records import job_row

    def answer(why_not: str, *, reject: bool) -> dict[str, Any]:
        return {"may_approve": not why_not, "may_reject": reject, "why_not": why_not}

    if stands["created_by"] == actor:
        return answer("you promoted it, so somebody else must agree; you may take it back", reject=True)
    if any(vote["actor"] == actor for vote in stands["given"]):
        return answer("you have voted already; one person has one vote", reject=False)
    decision = permits.ask(ws, actor, "job.approve", job_row(ws, job_id), version=stands["version"])
    if not decision.allowed:
        return answer(decision.why, reject=False)
    return answer("", reject=True)


def rollout(ws: Workspace, job_id: str) -> dict[str, Any]:
    """Return a job's version on trial, or the last one that was, and what its runs say."""
    from aios_workbench.promote.rollout import status

    row = status(ws, _id(ws, job_id))
    if row is None:
        return {"rollout": None}
    judged = row["judgement"]
    return {
        "rollout": {
            **{name: row[name] for name in _ROLLOUT}, **{name: judged[name] for name in _JUDGED},
            "because": judged["reason"], "runs_wanted": row["rules"]["runs"], "by_itself": row["rules"]["promote"],
        }
    }  # fmt: skip


def _id(ws: Workspace, job_id: str) -> str:
    from aios_workbench.promote.records import job_row

    return str(job_row(ws, job_id)["job_id"])
