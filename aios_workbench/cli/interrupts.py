"""Ctrl-C that is noted and asked for, so that it never strikes in the middle of something."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def noted(limit: int) -> Iterator[Callable[[], int]]:
    """Give a function that returns how often Ctrl-C was pressed; beyond `limit` it raises KeyboardInterrupt."""
    pressed: list[int] = []

    def note(number: int, _frame: object) -> None:
        pressed.append(number)
        if len(pressed) > limit:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not signal.SIG_IGN:  # started in the background: Ctrl-C is for somebody else
            signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: neither
        before = None
    try:
        yield lambda: len(pressed)
    finally:
        if before is not None and before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, before)
