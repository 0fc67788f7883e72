"""Processes that have started and imported what they need, and wait for one call: the next one costs no start."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from aios_workbench.engine.executors import wire
from aios_workbench.errors import WorkspaceError

#: Seconds after which one that nobody has called is ended.
IDLE = 120.0
_MOST = min(4, os.cpu_count() or 1)
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from aios_workbench.engine.executors.keeper import main; main()"
)
#: What Python and the C library read only when they start.
_EARLY = ("PYTHON", "LD_", "MALLOC_", "GLIBC_", "LANG", "LC_")


class Spare:
    """One process that takes one call."""

    def __init__(self) -> None:
        if not sys.executable:
            raise WorkspaceError(
                "this Python does not know its own program (sys.executable): it starts no others"
            )
        self.key, self.since = _key(), time.monotonic()
        self.hear, talk = os.pipe()
        listen, self._say = os.pipe()
        self.verdict, tell = os.pipe()
        theirs = (talk, listen, tell)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, json.dumps(sys.path), json.dumps(theirs)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=theirs, start_new_session=True, bufsize=0,
            )  # fmt: skip
        finally:
            for fd in theirs:
                os.close(fd)
        pipes: Any = self.process
        self.out, self.err, self._in = pipes.stdout.fileno(), pipes.stderr.fileno(), pipes.stdin

    def send(self, message: dict[str, Any]) -> None:
        """Make the call."""
        wire.write_all(self._in.fileno(), wire.pack(message))

    def say(self, message: Any) -> None:
        """Answer the process, or tell it that the run was cancelled."""
        with contextlib.suppress(OSError):
            wire.write_all(self._say, wire.pack(message))

    def leave(self) -> None:
        """Be gone, to the process: it ends, and all that it has started."""
        with contextlib.suppress(OSError):
            self._in.close()

    def end(self) -> None:
        """Make sure that nothing of it is left."""
        self.leave()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # somebody stopped or harmed the keeper
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for fd in (self.hear, self.verdict, self.out, self.err):
            os.set_blocking(fd, False)

    def close(self) -> None:
        """Give the pipes back."""
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        for fd in (self.hear, self._say, self.verdict):
            os.close(fd)


_lock = threading.Lock()
_waiting: list[Spare] = []
_busy = 0
_janitor: threading.Timer | None = None


@contextlib.contextmanager
def take() -> Iterator[Spare]:
    """Give a process for one call; start as many more as are at work, for the calls after it."""
    global _busy  # noqa: PLW0603 - of this process
    spare = _found() or Spare()
    with _lock:
        _busy += 1
    threading.Thread(target=_refill, name="aios-spare", daemon=True).start()
    try:
        yield spare
    finally:
        with _lock:
            _busy -= 1
        spare.close()


def _found() -> Spare | None:
    key = _key()
    with _lock:
        fitting = next((s for s in _waiting if s.key == key and s.process.poll() is None), None)
        if fitting is not None:
            _waiting.remove(fitting)
        return fitting


def _refill() -> None:
    global _janitor  # noqa: PLW0603 - one for all that wait
    _drop(lambda s: s.key != _key() or s.process.poll() is not None)
    with _lock:
        if len(_waiting) < min(_busy, _MOST) and not _ending.is_set():
            with contextlib.suppress(OSError, WorkspaceError):  # the next call says why it cannot be started
                _waiting.append(Spare())
        if _janitor is None and not _ending.is_set():
            _janitor = threading.Timer(IDLE, _tidy)
            _janitor.daemon = True
            _janitor.start()


def _tidy() -> None:
    global _janitor  # noqa: PLW0603 - the same
    with _lock:
        _janitor = None
    _drop(lambda s: time.monotonic() - s.since >= IDLE)


def _drop(which: Any) -> None:
    with _lock:
        gone = [s for s in _waiting if which(s)]
        _waiting[:] = [s for s in _waiting if s not in gone]
    for spare in gone:
        spare.close()


def _key() -> tuple[Any, ...]:
    early = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(_EARLY)))
    return (os.getpid(), sys.executable, tuple(sys.path), early)


_ending = threading.Event()


def drop_all() -> None:
    """End the processes that wait."""
    _ending.set()
    if _janitor is not None:
        _janitor.cancel()
    _drop(lambda _: True)


atexit.register(drop_all)
