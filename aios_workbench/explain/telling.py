"""How far it is: told to whoever asked, to the step that runs, to a terminal; and whether it shall end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from aios_workbench import _hooks
from aios_workbench.workspace import stop

#: Is told how far it is, from 0 to 1, and what is being done.
Progress = Callable[[float, str], None]
#: True once nobody wants the result any more.
Cancelled = Callable[[], bool]
#: What is over sooner needs no line on a terminal.
_QUIET_SECONDS = 1.0
_WIDTH = 100


class Told:
    """Where progress goes, and whether it was cancelled.

    Parameters
    ----------
    progress : callable, bool or None
        A function; False: nobody is told; None or True: the step of a workflow that runs in this thread, and a terminal
        or a notebook that waits for more than a second (True: wherever standard error goes).
    cancelled : callable, optional
        Asked besides the step.
    """

    def __init__(self, progress: Progress | bool | None = None, cancelled: Cancelled | None = None) -> None:
        self._asked = cancelled
        self._step = _hooks.step()
        #: A screen that asked, and may have dropped its question meanwhile.
        self._question = stop.current()
        self._function = progress if callable(progress) else None
        stream: Any = sys.stderr
        seen = (
            bool(getattr(stream, "isatty", lambda: False)())
            or "ipykernel.iostream" in type(stream).__module__
        )
        silent = progress is False or self._function is not None or self._step is not None
        self._line = _Line(stream) if not silent and (progress is True or seen) else None
        #: A KeyboardInterrupt was seen: the same as being cancelled from then on.
        self.interrupted = False

    def __call__(self, fraction: float, text: str) -> None:
        """Tell how far it is."""
        if self._function is not None:
            self._function(fraction, text)
        if self._step is not None:
            self._step.progress(min(max(fraction, 0.0), 1.0), text)
        if self._line is not None:
            self._line.show(fraction, text)

    def part(self, start: float, end: float) -> Progress:
        """Return what tells progress of a part of the whole."""
        return lambda fraction, text: self(start + (end - start) * fraction, text)

    def cancelled(self) -> bool:
        """True once nobody wants the result any more."""
        if self.interrupted or (self._asked is not None and self._asked()):
            return True
        if self._question is not None and self._question.stopped:
            return True
        return self._step is not None and bool(self._step.cancelled)

    def close(self) -> None:
        """Take the line away."""
        if self._line is not None:
            self._line.close()


class _Line:
    """One line that changes; nothing at all where it is over in a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._began, self._width, self._last = stream, time.monotonic(), 0, 0.0

    def show(self, fraction: float, text: str) -> None:
        now = time.monotonic()
        if now - self._began < _QUIET_SECONDS or now - self._last < 0.1:
            return
        said = f"{100 * fraction:3.0f} %  {text}"[:_WIDTH]
        self._write("\r" + said.ljust(self._width))
        self._last, self._width = now, len(said)

    def close(self) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, said: str) -> None:
        self._stream.write(said)
        self._stream.flush()
