"""In a process of its own: its memory is capped, its time ends when it is up, and its death is an error like others."""

from __future__ import annotations

import contextlib
import itertools
import linecache
import os
import pickle
import selectors
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.engine.executors import wire
from aios_workbench.engine.executors.base import Call, Cancelled
from aios_workbench.engine.executors.spares import Spare, take
from aios_workbench.engine.job import Stored
from aios_workbench.errors import MemoryCapExceeded, RemoteError, RunError, StepKilled, StepTimeout
from aios_workbench.workflow import hooks
from aios_workbench.workflow.isolation import format_bytes
from aios_workbench.workspace import Artifact

#: Seconds between looks whether the run was cancelled; then those that a step has to see `cancelled` and leave.
LOOK, GRACE = 0.05, 0.2
_STUCK = 10.0
_LAST_LINES, _LAST_CHARACTERS = 10, 5_000
_turn = itertools.count()


class Processes:
    """Calls the function in a fresh Python process."""

    def run(self, call: Call) -> Artifact:
        """Call the function; see `Executor`."""
        call.job.kept = call.job.peak = None
        message = _message(call)
        with take() as spare:
            return _Conversation(call, spare).hold(message)


def _message(call: Call) -> dict[str, Any]:
    job, spec = call.job, call.job.spec
    env = dict(os.environ) | {"AIOS_HOME": str(job.ws.root), "AIOS_STEP_KEY": call.context.key}
    return {
        "root": str(job.ws.root), "folder": str(job.ws.artifacts.folder), "durability": job.ws.durability,
        "blobs": job.ws.artifacts.remote.url if job.ws.artifacts.remote else "",
        "env": env, "path": _search_path(), "cwd": _cwd(), "run_id": job.run_id, "leg": job.leg,
        "workflow": job.workflow, "spec": spec, "inputs": call.inputs, "function": _portable(call.function),
        "attempt": call.attempt, "purpose": job.purpose, "part": job.part,
        "job_run_id": job.job_run_id, "secrets": call.secrets, "timeout": call.timeout,
        "memory": spec.memory, "cpus": _cpus(spec.cpu),
    }  # fmt: skip


def _portable(function: Any) -> Any:
    if isinstance(function, Stored):
        return function
    import cloudpickle

    return cloudpickle.dumps(function, protocol=5)


def _search_path() -> list[str]:
    import sys

    return list(sys.path)


def _cwd() -> str:
    try:
        return str(Path.cwd())
    except OSError as e:
        raise RunError(f"the folder this process works in is gone ({e}); change to one that exists") from e


def _cpus(wanted: int | None) -> list[int]:
    """Return the processors a call may use: those that are there, taken in turn."""
    if not wanted or not hasattr(os, "sched_getaffinity"):
        return []
    there = sorted(os.sched_getaffinity(0))
    first = next(_turn) * wanted
    return sorted({there[(first + n) % len(there)] for n in range(min(wanted, len(there)))})


class _Conversation:
    """With one process, until nothing of it is left."""

    def __init__(self, call: Call, spare: Spare) -> None:
        self.call, self.spare = call, spare
        self.frames, self.verdicts = wire.Frames(), wire.Frames()
        self.verdict: dict[str, Any] | None = None
        self.result: Artifact | None = None
        self.error: Any = None
        self.starved = False
        self.told: float | None = None  # that the run was cancelled
        self.last = {"stdout": "", "stderr": ""}
        self.open: dict[int, str] = {spare.hear: "frame", spare.verdict: "verdict", spare.out: "stdout",
                                     spare.err: "stderr"}  # fmt: skip

    def hold(self, message: dict[str, Any]) -> Artifact:
        with contextlib.suppress(BrokenPipeError):  # it died on the way: the verdict, or its absence, says so
            self.spare.send(message)
        with selectors.DefaultSelector() as selector:
            for fd in self.open:
                selector.register(fd, selectors.EVENT_READ)
            while self.verdict is None and self.open and not self._stuck():
                for key, _ in selector.select(LOOK):
                    self._read(key.fd, selector)
                self._look()
        self.spare.end()
        for fd in list(self.open):  # nobody is left who could write: what is there is all there is
            while fd in self.open and self._read(fd, None):
                pass
        return self._outcome()

    def _stuck(self) -> bool:
        return self.told is not None and time.monotonic() - self.told > _STUCK

    def _look(self) -> None:
        if not self.call.job.cancelled.is_set():
            return
        if self.told is None:
            self.told = time.monotonic()
            self.spare.say(("cancel", None))
        elif time.monotonic() - self.told > GRACE:
            self.spare.leave()

    def _read(self, fd: int, selector: Any) -> bool:
        """Take what is there; False when there is nothing now, or will never be."""
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            del self.open[fd]
            if selector is not None:
                selector.unregister(fd)
            return False
        kind = self.open[fd]
        if kind == "verdict":
            for verdict in self.verdicts.feed(data):
                self.verdict, self.call.job.peak = verdict, verdict["peak"]
        elif kind == "frame":
            for name, *rest in self.frames.feed(data):
                getattr(self, f"_on_{name}")(*rest)
        else:
            self._on_write(kind, data.decode("utf-8", "replace"))
        return True

    # -- what the process says

    def _on_write(self, stream: str, text: str) -> None:
        self.last[stream] = (self.last[stream] + text)[-_LAST_CHARACTERS:]
        self.call.log.write(stream, text)

    def _on_record(self, level: str, text: str) -> None:
        self.last["stdout"] = f"{self.last['stdout']}{text}\n"[-_LAST_CHARACTERS:]
        self.call.log.record(level, text)

    def _on_call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if name == "progress":
            self.call.context._last = 0.0  # it waits between two itself
        getattr(self.call.context, name)(*args, **kwargs)

    def _on_defer(self, sql: str, params: dict[str, Any], key: object) -> None:
        self.call.job.ws.catalog.defer(sql, params, key)

    def _on_event(self, kind: str, run_id: str | None, step: str | None, data: dict[str, Any]) -> None:
        self.call.job.ws.catalog.event(kind, run_id, step, **data)

    def _on_ask(self, kind: str, *data: Any) -> None:
        context = self.call.context
        known: dict[str, Callable[..., Any]] = {
            "cell": hooks.cell, "source": linecache.getlines,
            "spending": lambda name, *given: getattr(context._spender, name)(*given),
            "metric": lambda args, kwargs: context.metric(*args, **kwargs),
        }  # fmt: skip
        try:
            answer = known[kind](*data)
        except Exception as e:  # noqa: BLE001 - raised over there
            answer = e
        self.spare.say(("answer", answer))

    def _on_result(self, output: Artifact, kept: Artifact | None) -> None:
        self.result, self.call.job.kept = output, kept

    def _on_error(
        self, described: dict[str, Any], pickled: bytes | None, kept: Artifact | None, starved: bool
    ) -> None:
        self.call.job.kept, self.starved = kept, starved
        self.error = _revived(described, pickled)

    # -- what came of it

    def _outcome(self) -> Artifact:
        if self.result is not None:
            return self.result
        if self.told is not None:
            raise Cancelled
        why = self.verdict["why"] if self.verdict else "lost"
        if why == "timeout":
            raise StepTimeout(self._timeout())
        if why == "memory" or (self.starved and self.call.job.spec.memory):
            raise self._over_cap() from self.error
        if self.error is not None:
            raise self.error
        raise StepKilled(self._killed())

    def _timeout(self) -> str:
        return (
            f"step '{self.call.job.spec.name}' took longer than its timeout of {self.call.timeout:g} s; its process "
            "and all that it had started were killed. Raise timeout=, or do less at a time"
        )

    def _over_cap(self) -> MemoryCapExceeded:
        spec, used = self.call.job.spec, (self.verdict or {}).get("used", 0)
        cap = format_bytes(spec.memory or 0)
        what = f"used {format_bytes(used)} of memory; its cap is {cap}. It was killed"
        if self.starved:
            held = format_bytes((self.verdict or {}).get("peak", 0))
            what = f"asked for more memory at once than its cap of {cap} leaves; it held {held}"
        error = MemoryCapExceeded(
            f"step '{spec.name}' {what}. Raise memory=, or load less at a time (columns, batches, a sample)"
        )
        if self.error is not None:  # where it asked is worth knowing
            told = {**self.error.aios_described, "type": "MemoryCapExceeded", "message": str(error)}
            error.aios_described = told
        return error

    def _killed(self) -> str:
        code = (self.verdict or {}).get("code")
        if code is None:
            how = "was ended together with the process that watches it"
        elif code < 0:
            how = f"was ended by {_signal(-code)}"
        else:
            how = f"ended itself with exit code {code} (os._exit?) before the function returned"
        said = [line for text in self.last.values() for line in text.rstrip().splitlines()[-_LAST_LINES:]]
        last = "\nIts last output:\n  " + "\n  ".join(line[:500] for line in said) if said else ""
        return f"the process of step '{self.call.job.spec.name}' {how}.{last}"


def _revived(described: dict[str, Any], pickled: bytes | None) -> Any:
    """Return the exception as it was raised, or one named like it where it cannot be loaded here."""
    stand_in = type(described["type"], (RemoteError,), {})(described["message"])
    error: Any = None
    if pickled is not None:
        with contextlib.suppress(BaseException):
            error = pickle.loads(pickled)  # noqa: S301 - from a process of our own
    if not isinstance(error, BaseException):
        error = stand_in
    try:
        error.aios_described = described
    except (AttributeError, TypeError):  # its class takes no attributes
        error = stand_in
        error.aios_described = described
    return error


def _signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    why = {
        "SIGKILL": " (the machine may have run out of memory, or somebody killed it)",
        "SIGSEGV": " (a crash in compiled code)",
        "SIGABRT": " (compiled code gave up)",
        "SIGBUS": " (a mapped file was cut short, or the disk is full)",
    }.get(name, "")
    return f"{name}{why}"
