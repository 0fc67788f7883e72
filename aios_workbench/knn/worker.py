"""The process in which a strategy works: `python -m aios_workbench.knn.worker FD JOB`, started by `remote`.

A process of its own, because faiss holds on to a thread that nobody can end, OpenMP hangs after a fork, and what
runs out of memory must not take the kernel along. It is started by its own command and not by `multiprocessing`,
which would import the kernel's `__main__` again. One line of JSON is one message, on a socket it inherits; when
the other end closes, or the parent changes, the parent is dead and so is this.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.knn.control import Control, Stop
from aios_workbench.knn.models import Constraints, Doing, Note, Point, Problem, Pruned

_KINDS: dict[type, str] = {Point: "point", Pruned: "pruned", Doing: "doing", Note: "note"}
#: Seconds between looks at the memory and the parent, and between two sentences about what is being done.
_LOOK, _TALK = 0.1, 0.05


class Worker:
    """Runs one strategy and tells the kernel what it finds."""

    def __init__(self, link: socket.socket, job: dict[str, Any]) -> None:
        self._link, self._reader, self.job = link, link.makefile("rb"), job
        self._sending = threading.Lock()
        self._parent = os.getppid()
        self._talked = 0.0
        self.control = Control(
            job["budget"], Constraints.model_validate(job["constraints"]), job["memory_limit"]
        )
        self.control.on_pause = lambda kind: self.send(kind, None)

    def send(self, kind: str, data: Any) -> None:
        """Tell the kernel something; when nobody listens any more, end."""
        line = json.dumps({"kind": kind, "elapsed": self.control.elapsed, "data": data}, default=float)
        try:
            with self._sending:
                self._link.sendall(line.encode() + b"\n")
        except OSError:
            os._exit(1)

    def emit(self, said: Point | Pruned | Doing | Note) -> None:
        """What the strategy calls. Sentences that nobody could read in time are left out."""
        if isinstance(said, Doing):
            now = time.monotonic()
            if now - self._talked < _TALK and said.fraction != 1:
                return
            self._talked = now
        self.send(_KINDS[type(said)], said.model_dump())

    def listen(self) -> None:
        """Obey the kernel; runs in a thread."""
        for line in self._reader:
            order = json.loads(line)
            if order["kind"] == "constraints":
                self.control.constraints = Constraints.model_validate(order["data"])
            else:
                getattr(self.control, order["kind"])()  # pause, resume, stop
                self.arm()
        os._exit(1)

    def arm(self) -> None:
        """Let the system end this process some time after the budget: a call may keep Python's lock, and `watch`."""
        left = 1.1 * self.control.budget + 3 - self.control.elapsed
        signal.setitimer(signal.ITIMER_REAL, 0 if self.control.paused else max(left, 0.1))

    def watch(self) -> None:
        """End when the parent is gone, or the bound of memory or time is passed; runs in a thread."""
        limit = self.job["memory_limit"]
        # `check` ends a strategy in time unless it is inside a call that takes long: that is given this much more.
        most = 1.1 * self.control.budget + 1
        while True:
            time.sleep(_LOOK)
            if os.getppid() != self._parent:
                os._exit(1)
            if self.control.elapsed > most:
                text = f"the time is over: what was being done did not end with the budget of {self.control.budget:g} s"
                self.send("note", {"text": text})
                self.send("ended", {"status": "finished", "error": None})
                os._exit(0)
            if limit is not None and (taken := memory_taken()) > limit:
                self.send("ended", {"status": "failed", "memory": taken, "error": None})
                os._exit(1)

    def work(self) -> None:
        """Run the strategy to its end and say how it ended."""
        import numpy as np

        job = self.job
        self.arm()
        try:
            for thread in (self.listen, self.watch):
                threading.Thread(target=thread, daemon=True).start()
            module, _, name = job["strategy"].partition(":")
            strategy: Callable[..., None] = getattr(importlib.import_module(module), name)
            x, queries = (np.load(job[what], mmap_mode="r") for what in ("vectors", "queries"))
            strategy(
                x, queries, Problem.model_validate(job["problem"]), self.control.constraints, self.emit,
                self.control, [Point.model_validate(p) for p in job["known"]], **job["more"],
            )  # fmt: skip
            how = {"status": "finished", "error": None}
        except Stop as e:
            if not self.control.stopped:
                self.send("note", {"text": f"{e}: the budget was {self.control.budget:g} s"})
            how = {"status": "stopped" if self.control.stopped else "finished", "error": None}
        except BaseException as e:  # noqa: BLE001 - told, whatever it is
            traceback.print_exc()
            how = {"status": "failed", "error": f"{type(e).__name__}: {e}"}
        self.send("ended", how)


def memory_taken() -> int:
    """Return the bytes this process holds for itself; mapped files do not count, the system can take them back."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Serve one tuning."""
    with contextlib.suppress(OSError):  # when memory runs out the system ends this process, not the kernel
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    _, link, job = sys.argv
    worker = Worker(socket.socket(fileno=int(link)), json.loads(Path(job).read_text(encoding="utf-8")))
    worker.work()
    # Libraries' threads that are still at it would hold the exit up.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
