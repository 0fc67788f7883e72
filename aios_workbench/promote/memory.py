"""What memory a notebook's kernel and all that came from it hold, and their end when it is too much.

Counted is the resident set (RSS) of the kernel and its descendants, summed; pages that several of them share count once
for each. Only where that would pass the cap the proportional share (PSS) is taken, which counts each page once. It is
sampled: what is taken and given back between two looks is seen of the kernel itself (its high-water mark), not of its
children. Without /proc (macOS) nothing is known, and nothing is capped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from aios_workbench.engine.executors import family
from aios_workbench.workflow.isolation import format_bytes

_LOOK_CAPPED, _LOOK = 0.05, 0.25
#: How often processes are looked for that left the kernel's family: daemons that detached themselves.
_SEARCH = 1.0


class Meter:
    """Watches a kernel from a thread of its own.

    Parameters
    ----------
    cap : int, optional
        Bytes beyond which the kernel and all of its family are killed.
    mark : str, optional
        "NAME=value" in the environment of every process that belongs to the kernel, also of one whose parents have
        ended.

    Attributes
    ----------
    peak : int
        The most bytes seen so far; 0 where nothing is known.
    over : int or None
        What they held when they were killed.
    """

    def __init__(self, cap: int | None = None, mark: str | None = None) -> None:
        self.cap, self.peak = cap, 0
        self.over: int | None = None
        self._mark = None if mark is None else mark.encode()
        self._pid = 0
        self._known: dict[int, bool] = {}
        self._searched = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, pid: int) -> None:
        """Begin to watch the kernel with this process id."""
        self._pid = pid
        self._look()
        self._thread = threading.Thread(target=self._watch, name="aios-memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last look; the kernel still lives."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._look()

    def explain(self) -> str:
        """Return what to tell when the cap was passed."""
        return (
            f"the kernel and its children held {format_bytes(self.peak)} together, more than the job's memory cap of "
            f"{format_bytes(self.cap or 0)}, and were killed; raise `memory`, or read and compute in smaller parts"
        )

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK if self.cap is None else _LOOK_CAPPED) and self.over is None:
            self._look()

    def _look(self) -> None:
        pids = self._family()
        used = family.memory(pids, self.cap)
        self.peak = max(self.peak, used, _high_water(self._pid) if len(pids) == 1 else 0)
        if self.cap is not None and used > self.cap and self.over is None:
            self.over = used
            self._kill()

    def _family(self) -> list[int]:
        found = [self._pid, *family.descendants(self._pid)]
        if self._mark is not None and time.monotonic() - self._searched > _SEARCH:
            self._searched = time.monotonic()
            self._search()
        return list(dict.fromkeys([*found, *(pid for pid, ours in self._known.items() if ours)]))

    def _search(self) -> None:
        """Look at the environment of every process there is, once: reading it is what costs."""
        now: dict[int, bool] = {}
        with contextlib.suppress(OSError):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    pid = int(entry.name)
                    now[pid] = self._known[pid] if pid in self._known else self._is_ours(pid)
        self._known = now

    def _is_ours(self, pid: int) -> bool:
        try:
            return self._mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:  # another user's, or ended meanwhile
            return False

    def _kill(self) -> None:
        """Kill all of them: the kernel first, which would notice; then again, for what was forked meanwhile."""
        for _ in range(3):
            self._searched = 0.0
            for pid in self._family():
                if pid != os.getpid():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)


def _high_water(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
