"""A step that yields: what it yields is stored as it comes, and a map over it begins with the first of it.

The stored items are the truth. After a crash the function is called again and what it yields is dropped as far as it
is stored; a map goes on where it was. A producer that is too far ahead of a map waits.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.attempts import make_attempts
from aios_workbench.engine.calls import Cancelled
from aios_workbench.engine.context import current
from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.source import Loader, Piece
from aios_workbench.engine.mapping.store import Parts
from aios_workbench.engine.mapping.telling import item_context
from aios_workbench.engine.mapping.work import Batch, Outcome
from aios_workbench.engine.records import SUCCEEDED, Record
from aios_workbench.errors import MapFailed, StepTimeout
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Artifact, Part

#: What was yielded is stored at the latest after this time, when the next comes: a slow source is not held back.
_STORE_SECONDS = 0.25
_ITEMS = 500
_LOOK_SECONDS = 0.2


class SourceEnded(Exception):
    """The step that yields has failed."""


class Stream:
    """Between a step that yields and the maps over it, in the process that executes both."""

    def __init__(self, producer: str, maps: Iterable[StepSpec]) -> None:
        self.producer = producer
        maps = list(maps)
        self.ahead = min((m.buffer * m.batch for m in maps), default=0)
        self.size = min([max(_ITEMS, *(m.batch for m in maps)), self.ahead]) if maps else _ITEMS
        self.pieces: list[Piece] = []
        self.artifact: Artifact | None = None
        self.over = False
        self.news = threading.Condition()
        self._readers: dict[str, int] = {}
        self._begun = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def begun(self, reader: str, producing: asyncio.Task[None]) -> None:
        """Wait until the producer has begun, or is over already; from here on it waits for this map."""
        task = asyncio.current_task()
        if task is not None:  # however the map ends
            self.taken(reader, 0)
            task.add_done_callback(lambda _: self.taken(reader, None))
        waiting = asyncio.ensure_future(self._begun.wait())
        try:
            await asyncio.wait({waiting, producing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    # -- the producer's side

    def begin(self) -> None:
        """Let maps begin."""
        self._loop.call_soon_threadsafe(self._begun.set)

    def publish(self, pieces: Iterable[Piece]) -> None:
        """Give maps what is stored."""
        with self.news:
            known = len(self.pieces)
            self.pieces += [p for i, p in enumerate(pieces) if i >= known]
            self.news.notify_all()

    def room(self, stop: Callable[[], bool]) -> None:
        """Wait until no map that has begun is too far behind."""
        with self.news:
            while self._readers and not stop() and self._stored() - min(self._readers.values()) >= self.ahead:
                self.news.wait(_LOOK_SECONDS)

    def end(self, artifact: Artifact | None) -> None:
        """Say that nothing follows; without the whole it has failed."""
        with self.news:
            self.over, self.artifact = True, artifact
            self.news.notify_all()

    def _stored(self) -> int:
        return 0 if not self.pieces else self.pieces[-1].first + self.pieces[-1].items

    # -- a map's side

    def taken(self, reader: str, items: int | None) -> None:
        """Hear how many items a map is done with; None when it reads no more."""
        with self.news:
            if items is None:
                self._readers.pop(reader, None)
            else:
                self._readers[reader] = items
            self.news.notify_all()


class Streamed:
    """A source that is still being made."""

    def __init__(self, job: Job, stream: Stream) -> None:
        self._job, self._stream, self._left = job, stream, False
        self._loader = Loader(job.ws, f"'{stream.producer}'")

    @property
    def total(self) -> int | None:
        """How many items there are, once that is known."""
        whole = self._stream.artifact
        return None if whole is None else (whole.shape or (0,))[0]

    def pieces(self) -> Iterator[Piece]:
        """Yield what is stored; wait for more."""
        for i in itertools.count():
            with self._stream.news:
                while i >= len(self._stream.pieces) and not self._stream.over and not self._left:
                    if self._job.cancelled.is_set():
                        raise Cancelled
                    self._stream.news.wait(_LOOK_SECONDS)
                if self._left:
                    return
                if i >= len(self._stream.pieces):
                    if self._stream.artifact is None:
                        raise SourceEnded(f"'{self._stream.producer}' did not come to its end")
                    return
                piece = self._stream.pieces[i]
            yield piece

    def load(self, piece: Piece) -> Any:
        """Return a piece's items."""
        return self._loader.load(piece)

    def taken(self, items: int) -> None:
        """Let the producer go on."""
        self._stream.taken(self._job.spec.name, items)

    def leave(self) -> None:
        """Read no more."""
        self._left = True
        self._stream.taken(self._job.spec.name, None)


class Streams:
    """The streams of one walk over a graph."""

    def __init__(self, spec: WorkflowSpec) -> None:
        self.of: dict[str, Stream] = {}
        self.reading: dict[str, Stream] = {}
        for step in spec.steps:
            if step.yields:
                self.of[step.name] = Stream(step.name, [s for s in spec.steps if streams_from(s, step.name)])

    def source(self, step: StepSpec, done: Mapping[str, Record]) -> str | None:
        """Return the step that a map may begin before the end of."""
        return next((n for n in self.of if n not in done and streams_from(step, n)), None)


def streams_from(step: StepSpec, producer: str) -> bool:
    """True when a map needs nothing of a step but its items, one after another."""
    if not step.over or step.needs != "all" or step.cache or step.deps.get(step.item) != producer:
        return False
    others = [up for p, up in step.deps.items() if p != step.item]
    return producer not in (*others, *step.when_deps.values(), *step.after)


def run_spool(job: Job, record: Record) -> None:
    """Execute a step that yields; its output is the list of all it yielded."""
    stream = job.spool
    stream.begin()
    try:
        make_attempts(
            replace(job, spec=replace(job.spec, hedge=None)), record,
            lambda j, f, _inputs, n, timeout: _spool(j, f, n, timeout, stream),
        )  # fmt: skip
    finally:
        stream.end(record.artifact if record.status == SUCCEEDED else None)


def _spool(
    job: Job, function: Callable[..., Any], attempt: int, timeout: float | None, stream: Stream
) -> Artifact:
    parts = Parts(job)
    pieces = parts.prefix()
    stream.publish(pieces)
    arguments = job.values(job.inputs)
    ctx, log = item_context(job, attempt, arguments)
    tokens = current.set(ctx), capture.sink.set(log)
    try:
        yielded = iter(function(**arguments))
        known = sum(1 for _ in itertools.islice(yielded, parts.items))
        if known < parts.items:
            raise MapFailed(
                f"step '{job.spec.name}' yielded {known:,} items, but {parts.items:,} were stored when it was called "
                "before; a step that yields must yield the same again"
            )
        for chunk in _chunks(job, yielded, timeout, stream):
            now = time.time()
            nothing = Piece(0, 0, Artifact("", "list", "list", 0))
            batch = Batch(parts.items, len(chunk), nothing)
            parts.add([Outcome(batch, now, len(chunk), chunk, ended=now)])
            pieces.append(Piece(batch.first, batch.items, parts.done[batch.first]["artifact"]))
            stream.publish(pieces)
            stream.room(job.cancelled.is_set)
    finally:
        log.close()
        current.reset(tokens[0])
        capture.sink.reset(tokens[1])
    return job.ws.artifacts.put_parts([Part(p.artifact, p.items) for p in pieces])


def _chunks(job: Job, yielded: Iterator[Any], timeout: float | None, stream: Stream) -> Iterator[list[Any]]:
    """Gather what is yielded until there is enough of it, or enough time has passed."""
    chunk: list[Any] = []
    worked, since = 0.0, time.monotonic()
    for value in yielded:
        chunk.append(value)
        now = time.monotonic()
        if job.cancelled.is_set():
            raise Cancelled
        if timeout is not None and worked + now - since > timeout:
            raise StepTimeout(f"step '{job.spec.name}' yielded for longer than its timeout of {timeout:g} s")
        if len(chunk) >= stream.size or now - since > _STORE_SECONDS:
            worked += now - since
            yield chunk  # the time that a map takes is not the producer's
            chunk, since = [], time.monotonic()
    if chunk:
        yield chunk
