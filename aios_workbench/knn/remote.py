"""The kernel's end of a worker: starts it, hears it, ends it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds a worker has to end by itself once told to stop; the whole must stay below one.
GRACE = 0.4


class Remote:
    """A worker process.

    Parameters
    ----------
    folder : Path
        Where its log goes.
    job : dict
        What `worker.Worker` reads.
    threads : int
        So many it may use; libraries read that when they are loaded.
    held : int
        A file descriptor to hand on: the lock is held while either process lives.
    heard, ended : callable
        Called on a thread of this object: `heard(message)` for each, `ended(code, log)` once.
    """

    def __init__(
        self, folder: Path, job: dict[str, Any], threads: int, held: int, *, heard: Callable[[dict[str, Any]], None],
        ended: Callable[[int, str], None],
    ) -> None:  # fmt: skip
        self._heard, self._ended = heard, ended
        self._log = folder / "worker.log"
        # A file and not a message: nothing waits until the worker has come up to read it.
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        self._link, theirs = socket.socketpair()
        with theirs, self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "aios_workbench.knn.worker", str(theirs.fileno()), "job.json"],
                env=_environment(job["path"], threads), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(theirs.fileno(), held), start_new_session=True, cwd=folder,
            )  # fmt: skip
        self.thread = threading.Thread(target=self._listen, name=f"aios-knn-{folder.name}", daemon=True)
        self.thread.start()

    def send(self, order: dict[str, Any]) -> None:
        """Tell the worker something; a dead one hears nothing."""
        with contextlib.suppress(OSError):
            self._link.sendall(json.dumps(order).encode() + b"\n")

    def end(self) -> None:
        """Let the worker end, by itself or by force; it is dead when this returns."""
        self.send({"kind": "stop"})
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if threading.current_thread() is not self.thread:
            self.thread.join()

    def _listen(self) -> None:
        with self._link, self._link.makefile("rb") as lines:
            with contextlib.suppress(OSError):
                for line in lines:
                    if line.endswith(b"\n"):  # the last one of a killed worker may be cut short
                        try:
                            self._heard(json.loads(line))
                        except Exception:
                            logging.getLogger(__name__).exception(
                                "a message of the worker was not understood"
                            )
            code = self.process.wait()
        self._ended(code, _tail(self._log))


def _environment(path: list[str], threads: int) -> dict[str, str]:
    path = [str(Path(__file__).parents[2]), *path, *filter(None, (os.environ.get("PYTHONPATH"),))]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        env[name] = str(threads)
    return env


def _tail(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_bytes()[-4000:].decode("utf-8", "replace").strip()
    return ""


def death(code: int, log: str) -> str:
    """Say how a worker died that did not say so itself."""
    last = f" Its last words: {log.splitlines()[-1][:300]}" if log else ""
    if code >= 0:
        return f"the tuning's process ended with code {code} before it was done.{last}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if -code == signal.SIGKILL:
        return (
            "the tuning's process was killed (SIGKILL), as the system does when memory runs out; give it less: "
            "a smaller sample, or close what else is open."
        )
    fatal = next((line for line in log.splitlines() if line.startswith("Fatal")), "")
    return f"the tuning's process crashed ({name}).{f' {fatal}' if fatal else last}"
