"""A slow call gets a second one beside it; the first answer counts."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

T = TypeVar("T")
Call = Callable[[threading.Event], T]  # told to stop by the event
_LOOK_SECONDS = 0.05


@dataclass
class _Runner(Generic[T]):
    call: Call[T]
    some_end: threading.Condition
    stop: threading.Event = field(default_factory=threading.Event)
    over: bool = False
    value: T | None = None
    error: BaseException | None = None

    def start(self, name: str) -> None:
        state = contextvars.copy_context()
        threading.Thread(target=state.run, args=(self._work,), name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            self.value = self.call(self.stop)
        except BaseException as e:  # noqa: BLE001 - raised again in the thread that waits
            self.error = e
        with self.some_end:
            self.over = True
            self.some_end.notify_all()

    @property
    def answered(self) -> bool:
        return self.over and self.error is None


def race(
    first: Call[T],
    second: Callable[[], Call[T] | None],
    after: float,
    cancelled: threading.Event,
    name: str = "aios",
) -> tuple[int, T]:
    """Call `first`; start a second call when it has not ended after so many seconds.

    Parameters
    ----------
    second : function
        Asked once, when its time has come: returns the second call, or None for no second call.
    cancelled : Event
        Both calls are told when it is set.

    Returns
    -------
    tuple
        0 or 1, for whose answer it is, and the answer. The other call has been told to stop; its thread may go on.

    Raises
    ------
    BaseException
        What the last of them raised, when none answers.
    """
    some_end = threading.Condition()
    runners: list[_Runner[T]] = [_Runner(first, some_end)]
    runners[0].start(name)
    at, asked = time.monotonic() + after, False
    while not _decided(runners):
        if cancelled.is_set():
            asked = True
            for r in runners:
                r.stop.set()
        if not asked and time.monotonic() >= at:
            asked, call = True, second()
            if call is not None:
                runners.append(_Runner(call, some_end))
                runners[1].start(f"{name}:hedge")
        with some_end:
            if not _decided(runners):
                some_end.wait(_LOOK_SECONDS if asked else min(_LOOK_SECONDS, max(0.0, at - time.monotonic())))
    for r in runners:
        r.stop.set()
    for i, r in enumerate(runners):
        if r.answered:
            return i, cast("T", r.value)
    raise runners[-1].error or RuntimeError("neither answer nor error")


def _decided(runners: list[_Runner[T]]) -> bool:
    return any(r.answered for r in runners) or all(r.over for r in runners)
