"""The first process of a step: forks the one that works, watches its time and memory, ends what is left of it.

It is the parent of everything the step starts, and the only one that is told when the run's process is gone: so
nothing outlives the attempt, not after `kill -9` either.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any, NoReturn

from aios_workbench.engine.executors import family, wire

#: Seconds between looks at the memory; a process that fills it in between has gone over by what it got in one.
LOOK_CAPPED, LOOK = 0.01, 0.05
#: Seconds that what a step has started may go on after it, to end by itself.
GRACE = 0.2


def main() -> NoReturn:
    """Wait for a call, make it, tell how its process ended."""
    from aios_workbench.engine.executors import child  # what takes time, before there is something to do

    talk, listen, tell = json.loads(sys.argv[2])
    message = wire.read_frame(0)
    if message is None:  # was a spare, and is not needed any more
        os._exit(0)
    family.adopt_orphans()
    own, ppid = os.getpid(), os.getppid()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        family.die_with(own)
        os.close(tell)
        os.setsid()
        child.main(message, talk, listen)
    os.close(talk)
    os.close(listen)
    verdict = _watch(pid, own, ppid, message["timeout"], message["memory"])
    with contextlib.suppress(OSError):
        wire.write_all(tell, wire.pack(verdict))
    os._exit(0)


def _watch(pid: int, own: int, ppid: int, timeout: float | None, cap: int | None) -> dict[str, Any]:
    deadline = None if timeout is None else time.monotonic() + timeout
    poll = select.poll()
    poll.register(0, select.POLLIN)
    with contextlib.suppress(OSError, AttributeError):  # an old kernel: noticed a look later
        poll.register(os.pidfd_open(pid), select.POLLIN)
    peak, why = 0, None
    while why is None:
        left = LOOK if cap is None else LOOK_CAPPED
        if deadline is not None:
            left = max(0.0, min(left, deadline - time.monotonic()))
        said = dict(poll.poll(left * 1000))
        used = family.memory(family.descendants(own), cap)
        peak = max(peak, used)
        if 0 in said or os.getppid() != ppid:
            why = "left"
        elif cap is not None and used > cap:
            why = "memory"
        elif deadline is not None and time.monotonic() >= deadline:
            why = "timeout"
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            peak = max(peak, usage.ru_maxrss * 1024)
            family.end_all(own, GRACE if why is None else 0.0)
            return {
                "why": why or "ended",
                "code": os.waitstatus_to_exitcode(status),
                "peak": peak,
                "used": used,
            }
    os.kill(pid, signal.SIGKILL)
    _, _, usage = os.wait4(pid, 0)
    family.end_all(own)
    return {"why": why, "code": -signal.SIGKILL, "peak": max(peak, usage.ru_maxrss * 1024), "used": used}
