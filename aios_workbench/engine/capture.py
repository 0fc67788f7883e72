"""A step's prints, logging and progress bars go to the step's own log, live, instead of to the cell."""

from __future__ import annotations

import contextvars
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from aios_workbench.engine.context import Context
from aios_workbench.workspace import Catalog, Workspace, upsert

MAX_LINES = 20_000
_PERCENT = re.compile(r"(\d{1,3})%\|")
_INSERT = (
    "insert into logs (run_id, step, attempt, at, stream, level, text) "
    "values (:run_id, :step, :attempt, :at, :stream, :level, :text)"
)
_EVENT_SECONDS = 0.2
#: What has no line end after so long is put aside, for the case that the process dies before it has one.
_TAIL_SECONDS = 0.05
_TAIL = upsert("log_tails", dict.fromkeys(("run_id", "step", "attempt", "stream", "at", "text")),
               ("run_id", "step", "attempt", "stream"))  # fmt: skip
_END_TAIL = "delete from log_tails where run_id = :run_id and step = :step and attempt = :attempt and stream = :stream"

sink: contextvars.ContextVar[StepLog | None] = contextvars.ContextVar("aios_sink", default=None)
_muted: contextvars.ContextVar[bool] = contextvars.ContextVar("aios_muted", default=False)


class StepLog:
    """Collects one attempt's output, line by line, bounded."""

    def __init__(self, ws: Workspace, ctx: Context) -> None:
        self._ws, self._ctx = ws, ctx
        self._partial = {"stdout": "", "stderr": ""}
        self._lines = 0
        self._told = 0.0
        self._later: threading.Timer | None = None
        self._aside: threading.Timer | None = None
        self._tails: set[str] = set()
        self._lock = threading.Lock()

    def write(self, stream: str, text: str) -> None:
        """Take text as a stream gives it; whole lines are stored, a redrawn bar becomes progress."""
        with self._lock:
            pending = self._partial[stream] + text
            *lines, rest = pending.split("\n")
            for line in lines:
                self._line(stream, None, _last_drawn(line))
            if "\r" in rest:
                rest = rest[rest.rindex("\r") :] if not rest.endswith("\r") else rest
                percent = _PERCENT.search(rest)
                if percent:
                    self._ctx.progress(int(percent[1]) / 100)
            self._partial[stream] = rest[-100_000:]
            if lines and stream in self._tails:
                self._end_tail(stream)
            if rest and self._aside is None:
                self._aside = threading.Timer(_TAIL_SECONDS, self._put_aside)
                self._aside.daemon = True
                self._aside.start()

    def record(self, level: str, text: str) -> None:
        """Store a logging record."""
        with self._lock:
            for line in text.split("\n"):
                self._line("log", level, line)

    def close(self) -> None:
        """Store what has no line end yet."""
        with self._lock:
            for stream, rest in self._partial.items():
                if rest.strip():
                    self._line(stream, None, _last_drawn(rest))
                self._partial[stream] = ""
            if self._aside is not None:
                self._aside.cancel()
            for stream in tuple(self._tails):
                self._end_tail(stream)
            if self._later is not None:
                self._later.cancel()
                self._tell()

    def _put_aside(self) -> None:
        with self._lock:
            self._aside = None
            for stream, rest in self._partial.items():
                if rest.strip() and self._lines < MAX_LINES:
                    self._tails.add(stream)
                    row = {
                        **self._tail_key(stream),
                        "at": time.time(),
                        "text": _storable(self._ctx._mask(_last_drawn(rest))),
                    }
                    self._ws.catalog.defer(_TAIL, row, key=("tail", *self._tail_key(stream).values()))

    def _end_tail(self, stream: str) -> None:
        self._tails.discard(stream)
        key = self._tail_key(stream)
        self._ws.catalog.defer(_END_TAIL, key, key=("tail", *key.values()))

    def _tail_key(self, stream: str) -> dict[str, Any]:
        ctx = self._ctx
        return {"run_id": ctx.run_id, "step": ctx.step, "attempt": ctx.attempt, "stream": stream}

    def _line(self, stream: str, level: str | None, text: str) -> None:
        self._lines += 1
        if self._lines > MAX_LINES:
            return
        if self._lines == MAX_LINES:
            text = f"… more than {MAX_LINES:,} lines: the rest is not kept"
        now = time.time()
        self._ws.catalog.defer(_INSERT, {
            "run_id": self._ctx.run_id, "step": self._ctx.step, "attempt": self._ctx.attempt, "at": now,
            "stream": stream, "level": level, "text": _storable(self._ctx._mask(text)),
        })  # fmt: skip
        if self._later is None:
            # At once, and what follows soon after together: a screen must not wait for the line after it.
            wait = self._told + _EVENT_SECONDS - now
            if not 0 < wait <= _EVENT_SECONDS:  # the clock may have been put back
                self._tell()
            else:
                self._later = threading.Timer(wait, self._tell_later)
                self._later.daemon = True
                self._later.start()

    def _tell_later(self) -> None:
        with self._lock:
            if self._later is not None:
                self._tell()

    def _tell(self) -> None:
        self._later, self._told = None, time.time()
        self._ws.catalog.event("log", self._ctx.run_id, self._ctx.step)


def _storable(text: str) -> str:
    return text[:20_000].encode("utf-8", "replace").decode()


def last_words(catalog: Catalog, dead: str) -> None:
    """Put what a dead process had not ended its line of into the logs of the runs it executed."""
    of_the_dead = "where run_id in (select run_id from runs where owner = :dead)"
    with catalog.transaction() as con:
        con.execute(
            "insert into logs (run_id, step, attempt, at, stream, text) select run_id, step, attempt, at, stream, text "  # noqa: S608
            f"from log_tails {of_the_dead}",
            {"dead": dead},
        )
        con.execute(f"delete from log_tails {of_the_dead}", {"dead": dead})  # noqa: S608 - no value of anybody


def _last_drawn(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


class _Stream:
    """Stands in for sys.stdout or sys.stderr; everything but a step's own writing passes through."""

    def __init__(self, target: Any, name: str) -> None:
        self._target, self._name = target, name

    def write(self, text: str) -> int:
        log = sink.get()
        if log is None:
            written = self._target.write(text)
            return len(text) if written is None else written
        if not _muted.get():
            log.write(self._name, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        return False if sink.get() is not None else bool(self._target.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def install() -> None:
    """Start capturing in this process; does nothing when it already does."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Stream):
            setattr(sys, name, _Stream(stream, name))
    if not getattr(logging.Logger.callHandlers, "_aios", False):
        _hook_logging()


def _hook_logging() -> None:
    # A handler on the root logger would turn a later logging.basicConfig() of the user's into a no-op.
    original = logging.Logger.callHandlers
    formatter = logging.Formatter("%(name)s: %(message)s")

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        log = sink.get()
        if log is None:
            original(self, record)
            return
        try:
            text = formatter.format(record)
        except Exception:  # noqa: BLE001 - a wrong format string: logging itself never raises either
            text = f"{record.name}: {record.msg!s} {record.args!r}"
        log.record(record.levelname, text)
        token = _muted.set(True)  # files and services still get the record; the cell does not
        try:
            for handler in _handlers(self):
                if record.levelno >= handler.level and not _prints(handler):
                    handler.handle(record)
        finally:
            _muted.reset(token)

    call_handlers._aios = True  # type: ignore[attr-defined]
    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    at: logging.Logger | None = logger
    while at is not None:
        yield from at.handlers
        at = at.parent if at.propagate else None


def _prints(handler: logging.Handler) -> bool:
    """True for a handler that writes to the screen; it may have been made before we took its place."""
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    screens = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    screens += [s._target for s in screens if isinstance(s, _Stream)]
    return any(handler.stream is s for s in screens)
