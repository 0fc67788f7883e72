"""A map from its first batch to its result: workers take batches, one thread stores what they have done."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aios_workbench.engine import capture
from aios_workbench.engine.attempts import make_attempts
from aios_workbench.engine.calls import Cancelled
from aios_workbench.engine.context import current
from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.progress import Progress
from aios_workbench.engine.mapping.source import Source, Stored
from aios_workbench.engine.mapping.store import Parts, chained
from aios_workbench.engine.mapping.stream import SourceEnded, Streamed
from aios_workbench.engine.mapping.telling import item_context
from aios_workbench.engine.mapping.work import Batch, ItemContext, Outcome, Worker
from aios_workbench.engine.records import SKIPPED, SUCCEEDED, Record
from aios_workbench.errors import MapFailed, StepTimeout
from aios_workbench.workspace import Artifact

#: Batches that end within this time are stored together: a kill loses no more than that, and what is in work.
STORE_SECONDS = 0.05


def run_map(job: Job, record: Record) -> None:
    """Do what is left of a map; the record is its outcome. To the run it is one attempt, items have their own."""
    spec = job.spec
    walk = _Walk()
    whole = replace(spec, retries=0, fallbacks=[], fallback_names=[], timeout=None, hedge=None, breaker=None)
    make_attempts(
        replace(job, spec=whole),
        record,
        lambda j, f, _inputs, n, _timeout: _metered(
            job, lambda left: walk.go(replace(j, spec=spec), f, n, left)
        ),
    )
    if record.status == SUCCEEDED:
        record.message = walk.said
        if job.stream is not None and job.stream.artifact is not None:
            record.inputs[spec.item] = job.stream.artifact.hash
    elif walk.source_ended is not None:
        record.status, record.error, record.message = (
            SKIPPED,
            None,
            f"not run to its end: {walk.source_ended}",
        )


def _metered(job: Job, go: Callable[[float | None], Artifact]) -> Artifact:
    """Go over the map within its budget; `go` gets the seconds it has, if there is a bound."""
    return go(None) if job.meter is None else job.meter.around(None, go)


class _Walk:
    """One attempt at a map."""

    said: str | None = None
    source_ended: SourceEnded | None = None

    def go(
        self, job: Job, function: Callable[..., Any], attempt: int, seconds: float | None = None
    ) -> Artifact:
        """Return the results."""
        source = self._source(job)
        parts = Parts(job)
        batches = chained(parts.batches(piece) for piece in source.pieces())
        others = job.values({n: a for n, a in job.inputs.items() if n != job.spec.item})
        fallbacks = [job.really_load(f) for f in job.spec.fallbacks]
        ctx, log = item_context(job, attempt, others)
        ctx.attempt = 1  # of the item
        tokens = current.set(ctx), capture.sink.set(log)
        try:
            crew = _Crew(
                job, source, parts, batches, lambda c: Worker(job, source, function, fallbacks, others, c)
            )
            crew.until = None if seconds is None else time.monotonic() + seconds
            crew.work(ctx)
        except SourceEnded as e:
            self.source_ended = e
            raise
        finally:
            source.leave()
            log.close()
            current.reset(tokens[0])
            capture.sink.reset(tokens[1])
        total = source.total
        counts = parts.counts()
        if total is not None and counts["items"] != total:
            raise MapFailed(
                f"map '{job.spec.name}' has results for {counts['items']:,} of {total:,} items; resume the run"
            )
        self.said = _said(counts)
        return parts.result()

    def _source(self, job: Job) -> Source:
        if job.stream is not None:
            return Streamed(job, job.stream)
        artifact = job.inputs.get(job.spec.item)
        what = f"'{job.spec.over}'"
        if artifact is None:
            raise MapFailed(f"map '{job.spec.name}' has nothing to go over: {what} gave nothing")
        return Stored(job.ws, artifact, what)


def _said(counts: dict[str, int]) -> str:
    parts = [f"{counts['items']:,} items"]
    if counts["failed"]:
        parts.append(f"{counts['failed']:,} in dead letters")
    if counts["skipped"]:
        parts.append(f"{counts['skipped']:,} skipped")
    return ", ".join(parts)


class _Crew:
    """The workers of a map and who stores what they do."""

    def __init__(
        self, job: Job, source: Source, parts: Parts, batches: Iterator[Batch], hire: Callable[[ItemContext], Worker]
    ) -> None:  # fmt: skip
        self.job, self.source, self.parts, self._hire = job, source, parts, hire
        self._batches, self._taking = batches, threading.Lock()
        self._finished: deque[Outcome] = deque()
        self._news, self._idle = threading.Event(), threading.Event()
        self._stop = False
        self.until: float | None = None  # of the monotonic clock; no batch begins after it
        self._workers: list[Worker] = []
        self._busy = self._did = 0
        self._failed: BaseException | None = None

    def work(self, ctx: ItemContext) -> None:
        """Work until nothing is left; what was done is stored, whatever happens."""
        # Of a stream nothing is taken ahead: it may wait for what was taken to be done.
        streaming = self.job.stream is not None
        ahead = deque() if streaming else self._some(self.job.spec.concurrency)
        self._progress = Progress(self.job, self.source.total, self.parts.items)
        try:
            if self.job.spec.concurrency > 1 and (streaming or len(ahead) > 1):
                self._in_threads(ahead, ctx)
            else:
                self._here(ahead, ctx)
        finally:
            self._store()
        if self._failed is not None:
            raise self._failed

    # -- taking

    def _some(self, n: int) -> deque[Batch]:
        """Take the first batches, to see how many threads there is work for."""
        found: deque[Batch] = deque()
        while len(found) < n and (batch := self._take()) is not None:
            found.append(batch)
        return found

    def _take(self) -> Batch | None:
        with self._taking:
            if self.until is not None and time.monotonic() >= self.until and not self._stop:
                self._fail(StepTimeout(f"map '{self.job.spec.name}' has used up its seconds"))
            if self._stop:
                return None
            # What is done and not stored yet counts: who waits for it to be stored would wait for us to come back.
            self.source.taken(self.parts.reused + self._did)
            return next(self._batches, None)

    # -- working

    def _here(self, ahead: deque[Batch], ctx: ItemContext) -> None:
        """In the step's own thread: no switch between threads at all."""
        worker = self._hire(ctx)
        self._workers.append(worker)
        stored = time.monotonic()
        try:
            while not self._stop and (batch := ahead.popleft() if ahead else self._take()) is not None:
                self._take_in(worker.do(batch))
                now = time.monotonic()
                if now - stored >= STORE_SECONDS:
                    self._store()
                    stored = time.monotonic()
                self._progress.tell(self._items(), self.source.total)
        finally:
            worker.close()

    def _in_threads(self, ahead: deque[Batch], ctx: ItemContext) -> None:
        threads = []
        self._busy = len(ahead) or self.job.spec.concurrency
        for i in range(self._busy):
            own = ItemContext(**vars_of(ctx))
            state = contextvars.copy_context()
            name = f"aios:{self.job.spec.name}:{i}"
            threads.append(threading.Thread(
                target=state.run, args=(self._thread, own, ahead), name=name, daemon=True
            ))  # fmt: skip
        for thread in threads:
            thread.start()
        while self._busy:
            self._news.wait(1.0)
            self._news.clear()
            self._idle.wait(STORE_SECONDS)  # what ends meanwhile is stored with it
            self._store()
            self._progress.tell(self._items(), self.source.total)

    def _thread(self, ctx: ItemContext, ahead: deque[Batch]) -> None:
        current.set(ctx)
        log = capture.StepLog(self.job.ws, ctx)  # its own: what two threads print must not mix within a line
        ctx._log = lambda text: log.record("INFO", text)
        capture.sink.set(log)
        worker: Worker | None = None
        try:
            worker = self._hire(ctx)
            self._workers.append(worker)
            batch: Batch | None = ahead.popleft() if ahead else self._take()
            while batch is not None:
                self._take_in(worker.do(batch))
                self._news.set()
                batch = self._take()
        except BaseException as e:  # noqa: BLE001 - raised in the step's thread
            self._fail(e)
        finally:
            if worker is not None:
                worker.close()
            log.close()
            with self._taking:
                self._busy -= 1
                if not self._busy:
                    self._idle.set()
            self._news.set()

    def _take_in(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._fail(outcome.error)
        self._finished.append(outcome)
        self._did += outcome.items
        self.source.taken(self.parts.reused + self._did)

    def _fail(self, error: BaseException) -> None:
        """Start nothing more; a failure says more than the cancelling that it caused."""
        self._stop = True
        self.source.leave()
        if self._failed is None or isinstance(self._failed, Cancelled):
            self._failed = error

    # -- storing

    def _store(self) -> None:
        done = [self._finished.popleft() for _ in range(len(self._finished))]
        if done:
            self.parts.add(done)

    def _items(self) -> int:
        return self.parts.reused + self._did + sum(len(w.out) for w in self._workers)


def vars_of(ctx: ItemContext) -> dict[str, Any]:
    """Return what makes another context of the same step."""
    kept = {k: v for k, v in vars(ctx).items() if k not in ("at", "_last", "_kept", "_spender")}
    return {**kept, "part": None}
