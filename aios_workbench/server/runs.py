"""Handlers for runs, steps, gates and logs. All of it is asked of `engine.control`, which runs no user code."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import ParameterError
from aios_workbench.server import bodies
from aios_workbench.server.base import AiosHandler, Problem
from aios_workbench.server.views import gate_view, problems, run_view, step_view


class RunsHandler(AiosHandler):
    """`GET runs`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List runs, newest first."""
        q = self.arguments(bodies.RunsQuery)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            ws = self.places.existing(self.focus())
            rows = control.list_runs(ws, **filters(q, self.actor)) if ws else []
            return {"runs": [run_view(r) for r in rows]}

        await self.reply(work)


class RunHandler(AiosHandler):
    """`GET runs/{id}`."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Give a run with its steps, gates and metrics."""

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            return run_view(control.get_run(self.workspace(), run_id))

        await self.reply(work)


class StepHandler(AiosHandler):
    """`GET runs/{id}/steps/{step}`."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, step: str) -> None:
        """Give a step with its attempts and a window on its output."""
        q = self.arguments(bodies.PageQuery)
        await self.reply(lambda: step_view(self.workspace(), run_id, step, q.offset, q.limit))


class GateHandler(AiosHandler):
    """`GET` and `POST runs/{id}/gates/{step}`."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, step: str) -> None:
        """Give the form and a window on the data to decide on."""
        q = self.arguments(bodies.PageQuery)
        await self.reply(lambda: gate_view(self.workspace(), run_id, step, q.offset, q.limit))

    @web.authenticated
    @authorized
    async def post(self, run_id: str, step: str) -> None:
        """Approve or reject."""
        body = self.body(bodies.Decision)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            ws = self.workspace()
            try:
                control.decide(
                    ws,
                    run_id,
                    step,
                    body.approved,
                    by=self.actor,
                    values=body.values,
                    reason=body.reason or None,
                )
            except ParameterError as e:
                raise Problem(422, str(e), fields=problems(ws, run_id, step, body.values or {})) from None
            if control.get_run(ws, run_id)["orphaned"]:
                control.ensure_worker(ws)  # the process that asked is gone: somebody has to go on
            return gate_view(ws, run_id, step, 0, 0)

        await self.reply(work)


class LogsHandler(AiosHandler):
    """`GET runs/{id}/logs`."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Give log lines after a number."""
        q = self.arguments(bodies.LogsQuery)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            ws = self.workspace()
            control.get_run(ws, run_id)  # an unknown run is a 404, not an empty log
            rows = control.logs(ws, run_id, step=q.step, after=q.after, limit=q.limit)
            return {"logs": rows, "after": rows[-1]["seq"] if rows else q.after}

        await self.reply(work)


class RunActionHandler(AiosHandler):
    """`POST runs/{id}/cancel|resume|rerun`."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str, action: str) -> None:
        """Do it; give the run that now stands for it (a rerun is a new one)."""
        from_step = self.body(bodies.Rerun).from_step if action == "rerun" else ""
        if action != "rerun":
            self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            from aios_workbench.engine import control

            ws = self.workspace()
            if action == "cancel":
                control.cancel(ws, run_id, by=self.actor)
                return {"run_id": run_id}
            if action == "resume":
                return {"run_id": control.resume(ws, run_id, by=self.actor)}
            if action == "rerun":
                return {"run_id": control.rerun(ws, run_id, from_step, by=self.actor)}
            raise Problem(404, f"a run cannot {action!r}")  # pragma: no cover - the route knows only these

        await self.reply(work)


def filters(q: bodies.RunsQuery, actor: str) -> dict[str, Any]:
    """Return a query as the arguments of `list_runs`; "mine" is whoever asks."""
    return {**q.model_dump(exclude={"mine"}), "user": actor if q.mine else None}
