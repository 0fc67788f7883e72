"""From a map's function to something that is called with an item alone: as little as possible around each call."""

from __future__ import annotations

import asyncio
import functools
import inspect
import queue
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from aios_workbench.errors import StepTimeout

OneArgument = Callable[[Any], Any]


def one_argument(function: Callable[..., Any], item: str, values: dict[str, Any]) -> OneArgument:
    """Return the function with everything bound but the item."""
    parameters = list(inspect.signature(function).parameters.values())
    first = parameters[0]
    if first.name == item and first.kind is first.POSITIONAL_OR_KEYWORD:
        return functools.partial(function, **values) if values else function  # no frame of ours per call
    return lambda value: function(**{item: value}, **values)


class Calls:
    """Calls in one worker thread: coroutines are awaited, what takes too long is given up."""

    def __init__(self, step: str, timeout: float | None) -> None:
        self._step, self._timeout = step, timeout
        self._runner: asyncio.Runner | None = None
        self._helper: _Helper | None = None

    def ready(self, function: Callable[..., Any], item: str, values: dict[str, Any]) -> OneArgument:
        """Return what calls the function with an item."""
        call = one_argument(function, item, values)
        if inspect.iscoroutinefunction(function):
            call = self._awaiting(call)
        return call if self._timeout is None else self._in_time(call, self._timeout)

    def close(self) -> None:
        """End the threads and loops that were made."""
        if self._helper is not None:
            self._helper.end()
        if self._runner is not None:
            self._runner.close()

    def _awaiting(self, call: OneArgument) -> OneArgument:
        if self._timeout is not None:  # in the helper's thread
            return lambda value: asyncio.run(call(value))
        runner = self._runner = self._runner or asyncio.Runner()
        return lambda value: runner.run(call(value))

    def _in_time(self, call: OneArgument, timeout: float) -> OneArgument:
        def timed(value: Any) -> Any:
            if self._helper is None:
                self._helper = _Helper(f"aios:{self._step}")
            done, result, error = self._helper.call(call, value, timeout)
            if not done:
                self._helper = None  # it goes on in the background; the next item gets another
                raise StepTimeout(
                    f"an item of map '{self._step}' took longer than its timeout of {timeout:g} s; its thread goes on "
                    "in the background and its result is dropped. Raise timeout=, or make it look at "
                    "aios.context().cancelled"
                )
            if error is not None:
                raise error
            return result

        return timed


class _Helper:
    """A thread that makes calls for another, which may stop waiting for it."""

    def __init__(self, name: str) -> None:
        self._asked: queue.SimpleQueue[tuple[OneArgument, Any] | None] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=copy_context().run, args=(self._work,), name=name, daemon=True).start()

    def call(self, call: OneArgument, value: Any, timeout: float) -> tuple[bool, Any, BaseException | None]:
        self._asked.put((call, value))
        try:
            return (True, *self._told.get(timeout=timeout))
        except queue.Empty:
            self.end()
            return False, None, None

    def end(self) -> None:
        self._asked.put(None)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            try:
                self._told.put((asked[0](asked[1]), None))
            except BaseException as e:  # noqa: BLE001 - raised in the thread that waits
                self._told.put((None, e))
