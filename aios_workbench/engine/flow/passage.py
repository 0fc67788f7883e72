"""How one run and its steps get in: the run when `max_active` lets it, a step when its permits and a slot are there."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from aios_workbench.engine.flow.admission import Admission
from aios_workbench.engine.flow.slots import Slots
from aios_workbench.engine.flow.store import Request
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workflow.limits import RESERVED
from aios_workbench.workspace import Catalog

#: Who has permits already gets the next slot: what it holds must not lie idle.
_FIRST = 1_000


class Passage:
    """Lets the steps of one run in."""

    def __init__(
        self, admission: Admission, run: dict[str, Any], spec: WorkflowSpec, cancelled: asyncio.Future[None]
    ) -> None:
        self.admission, self.run, self.spec, self.cancelled = admission, run, spec, cancelled
        self.slots = Slots(spec.max_parallel)
        self._ticket: str | None = None

    async def enter(self) -> None:
        """Wait until the run may be active; when it is cancelled, it is to say so and end."""
        if self.spec.max_active is None:
            return
        request = self._request(
            "", self.run["priority"], {RESERVED + self.spec.name: 1}, self.spec.max_active
        )
        if await self.admission.enter(request, self.cancelled, self._tell_run):
            self._ticket = request.ticket

    def leave(self) -> None:
        """Let the next run be active; from any thread."""
        if self._ticket is not None:
            self.admission.leave(self._ticket)
            self._ticket = None

    @contextlib.asynccontextmanager
    async def slot(self, step: StepSpec, *, first: bool = False) -> AsyncIterator[None]:
        """Wait for one of the run's `max_parallel` places, and have it."""
        await self.slots.take(step.priority + _FIRST * first)
        try:
            yield
        finally:
            self.slots.give()

    async def limited(self, step: StepSpec, execute: Callable[[], Any]) -> Any:
        """Call `execute` in a thread with the step's permits and a slot; None when the run was cancelled before.

        Asked is only with a slot in hand, so that no more permits are held than the run can use; who has to wait
        gives it back.

        Raises
        ------
        ParameterError
            When the step wants more than there is.
        """
        request = self._request(step.name, self.run["priority"] + step.priority, step.limits)
        async with self.slot(step):
            if self.cancelled.done():
                return None
            if await self.admission.attempt(request):
                return await self._call(request.ticket, execute)
        if not await self.admission.wait(request, self.cancelled, lambda text: self._tell(step.name, text)):
            return None
        self._tell(step.name, None)
        try:
            await self.slots.take(step.priority + _FIRST)
        except BaseException:
            await asyncio.to_thread(self.admission.leave, request.ticket)
            raise
        try:
            return await self._call(request.ticket, execute)
        finally:
            self.slots.give()

    async def _call(self, ticket: str, execute: Callable[[], Any]) -> Any:
        def work() -> Any:
            try:
                return execute()
            finally:  # by the thread: while it goes on after a cancellation, it still uses what it holds
                self.admission.leave(ticket)

        return await asyncio.to_thread(work)

    def _request(
        self, step: str, priority: int, wants: dict[str, int], capacity: int | None = None
    ) -> Request:
        return Request(
            uuid.uuid4().hex,
            self.admission.executor,
            self.spec.name,
            self.run["run_id"],
            step,
            priority,
            wants,
            capacity,
        )

    def _tell_run(self, message: str) -> None:
        self.admission.ws.catalog.defer(
            "update runs set message = :m where run_id = :r and status = 'queued'",
            {"m": message, "r": self.run["run_id"]}, key=("wait", self.run["run_id"]),
        )  # fmt: skip

    def _tell(self, step: str, text: str | None) -> None:
        tell_waiting(self.admission.ws.catalog, self.run["run_id"], step, text)


def tell_waiting(catalog: Catalog, run_id: str, step: str, message: str | None) -> None:
    """Say what a step waits for; None when it has it."""
    catalog.defer(
        "update steps set status = 'waiting', message = :m where run_id = :r and step = :s "
        "and status in ('pending', 'waiting')", {"m": message, "r": run_id, "s": step}, key=("wait", run_id, step),
    )  # fmt: skip
    catalog.event("step", run_id, step, status="waiting", message=message)
