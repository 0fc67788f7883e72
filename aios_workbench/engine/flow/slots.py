"""The places of one run in which steps execute: a semaphore that lets the higher priority go first."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class Slots:
    """At most `count` at once; who waits goes by priority, then in the order of coming. For one event loop."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def take(self, priority: int = 0) -> None:
        """Wait for a place."""
        if self._free > 0:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # it was given to us just now
                self.give()
            raise

    def give(self) -> None:
        """Give a place back."""
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
