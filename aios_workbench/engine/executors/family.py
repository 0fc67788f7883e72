"""A process and all that came from it, as Linux tells: who they are, what memory they hold, how to end them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the watch on the pipe is left
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, daemons that detached themselves included."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Be killed when the parent dies, however it dies."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def descendants(pid: int) -> list[int]:
    """Return the ids of a process's children, their children and so on."""
    found, todo = [], [pid]
    while todo:
        for child in _children(todo.pop()):
            found.append(child)
            todo.append(child)
    return found


def _children(pid: int) -> list[int]:
    out: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                out += map(int, (task / "children").read_text().split())
    return out


def memory(pids: list[int], cap: int | None = None) -> int:
    """Return bytes of memory that processes hold together.

    Pages that several share count once for each; only where that would pass `cap` are they shared out, which the
    kernel takes milliseconds for.
    """
    resident = sum(_resident(pid) for pid in pids)
    if cap is None or resident <= cap or len(pids) < 2:
        return resident
    return sum(_share(pid) for pid in pids)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):  # ended meanwhile
        return 0


def _share(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return _resident(pid)


def end_all(own: int, grace: float = 0.0) -> None:
    """Kill every descendant and wait until none is left; they may end by themselves first, for `grace` seconds."""
    patience = time.monotonic() + grace
    while True:
        left = descendants(own)
        _reap()
        if not left:
            return
        if time.monotonic() >= patience:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
