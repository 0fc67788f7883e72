"""Waiting for permits on the engine's loop: no thread, no slot, and hardly a look at the catalog while nothing changes.

What this process gives back wakes its own waiting steps at once. What other processes do is seen by looking: at
the catalog's version often, which costs microseconds, into its tables when that has changed, and every second for
processes that died.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from aios_workbench.engine.flow import store
from aios_workbench.engine.flow.store import Outcome, Request
from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace

GLANCE_SECONDS = (0.02, 0.25)
SWEEP_SECONDS = 1.0
_TOLD = 50  # so many of those that wait longest are told anew what they wait for

Tell = Callable[[str], None]


class Admission:
    """Lets what this process executes in when there are permits for it. Use from one event loop."""

    def __init__(self, ws: Workspace, executor: str) -> None:
        self.ws, self.executor = ws, executor
        self._waiting: dict[str, tuple[asyncio.Future[None], Request, Tell]] = {}
        self._said: dict[str, str] = {}
        self._owed: set[str] = set()  # tickets that could not be given back yet: disk full, locked
        self._opens = float("inf")
        self._changed: asyncio.Event | None = None
        self._watch: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def enter(self, request: Request, cancelled: asyncio.Future[None], tell: Tell) -> bool:
        """Wait until a request is granted; False when it was cancelled. `tell` hears what it waits for.

        Raises
        ------
        ParameterError
            When it wants more than there is.
        """
        return await self.attempt(request) or await self.wait(request, cancelled, tell)

    async def attempt(self, request: Request) -> bool:
        """Queue a request; True when it was granted at once. If not, `wait` for it."""
        self._loop = asyncio.get_running_loop()
        try:
            outcome = await asyncio.to_thread(store.ask, self.ws, request)
        except asyncio.CancelledError:  # the thread goes on, and may have been given permits
            self._owe(request.ticket)
            raise
        self._hand_out(outcome)
        return request.ticket in outcome.granted

    async def wait(self, request: Request, cancelled: asyncio.Future[None], tell: Tell) -> bool:
        """Wait for a request that `attempt` has queued; False when it was cancelled."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[request.ticket] = future, request, tell
        self._start()
        try:
            self._say(request.ticket, (await asyncio.to_thread(self._reasons, [request]))[request.ticket])
            await asyncio.wait((future, cancelled), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._owe(request.ticket)
            raise
        finally:
            self._waiting.pop(request.ticket, None)
            self._said.pop(request.ticket, None)
        if future.done():
            return True
        await asyncio.to_thread(self.leave, request.ticket)
        return False

    def leave(self, ticket: str) -> None:
        """Give permits back; from any thread. What cannot be written down now is tried again until it can."""
        try:
            outcome = store.leave(self.ws, ticket)
        except WorkspaceError:
            self._call(self._owe, ticket)
        else:
            self._call(self._hand_out, outcome)

    def _call(self, function: Callable[[Any], None], value: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(
                RuntimeError
            ):  # the loop is closed: the process ends, and its permits with it
                self._loop.call_soon_threadsafe(function, value)

    def _owe(self, ticket: str) -> None:
        self._owed.add(ticket)
        self._start()

    def _hand_out(self, outcome: Outcome) -> None:
        if outcome.opens < self._opens and self._changed is not None:
            self._opens = outcome.opens
            self._changed.set()
        for ticket in outcome.granted:
            found = self._waiting.get(ticket)
            if found is not None and not found[0].done():
                found[0].set_result(None)

    # -- looking

    def _start(self) -> None:
        self._changed = self._changed or asyncio.Event()
        self._changed.set()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._look_on())

    async def _look_on(self) -> None:
        assert self._changed is not None
        seen, looked, pause = -1, 0.0, GLANCE_SECONDS[0]
        while self._waiting or self._owed:
            try:
                version = self.ws.catalog.data_version()
                if time.monotonic() - looked >= SWEEP_SECONDS or time.time() >= self._opens:
                    looked = time.monotonic()
                    await self._look(changed=version != seen)
                elif version != seen:
                    self._hand_out(await asyncio.to_thread(store.held, self.ws, self.executor))
                seen = version
            except WorkspaceError:  # a full or locked disk passes
                logging.getLogger("aios_workbench").debug("permits", exc_info=True)
                pause = GLANCE_SECONDS[1]
            self._changed.clear()
            left = max(self._opens - time.time(), GLANCE_SECONDS[0])
            try:
                await asyncio.wait_for(self._changed.wait(), min(pause, left))
            except TimeoutError:
                pause = min(pause * 2, GLANCE_SECONDS[1])
            else:
                pause = GLANCE_SECONDS[0]

    async def _look(self, *, changed: bool) -> None:
        for ticket in list(self._owed):
            await asyncio.to_thread(store.leave, self.ws, ticket)
            self._owed.discard(ticket)
        self._opens = float("inf")
        self._hand_out(await asyncio.to_thread(store.look, self.ws, self.executor))
        if changed:
            waiting = [r for f, r, _ in list(self._waiting.values())[:_TOLD] if not f.done()]
            for ticket, text in (await asyncio.to_thread(self._reasons, waiting)).items():
                self._say(ticket, text)

    def _say(self, ticket: str, text: str) -> None:
        if self._said.get(ticket) != text and ticket in self._waiting:
            self._said[ticket] = text
            self._waiting[ticket][2](text)

    def _reasons(self, requests: list[Request]) -> dict[str, str]:
        """Return ticket -> what it waits for; those that want the same wait for the same."""
        known: dict[tuple[tuple[str, int], ...], str] = {}
        found = {}
        for request in requests:
            alike = tuple(request.wants.items())
            if alike not in known:
                known[alike] = store.why(self.ws, request)
            found[request.ticket] = known[alike]
        return found
