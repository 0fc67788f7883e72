"""One batch: every item called, retried by the step's policy, its failures collected."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine.allowance import claim
from aios_workbench.engine.attempts import FINAL
from aios_workbench.engine.calls import Cancelled
from aios_workbench.engine.context import Context
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.calls import Calls, OneArgument
from aios_workbench.engine.mapping.source import Piece, Source, cut
from aios_workbench.engine.retrying import judge
from aios_workbench.errors import MapFailed

#: So long at most are items called without a look whether the run was cancelled.
_LOOK_SECONDS = 0.05
Row = dict[str, Any]


@dataclass
class Letter:
    """An item that failed for good."""

    item: int
    value: Any
    error: dict[str, Any]
    attempts: int


@dataclass
class Batch:
    """Consecutive items to do; with `holes` only those of them, whose results belong into the part `before`."""

    first: int
    items: int
    piece: Piece
    holes: Sequence[int] = ()
    before: Row | None = None


@dataclass
class Outcome:
    """What came of a batch, or of the part of it that was done when it was stopped."""

    batch: Batch
    began: float
    items: int = 0
    values: Any = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    attempts: int = 0
    skipped: int = 0
    ended: float = 0.0
    error: BaseException | None = None  # the map ends here


class ItemContext(Context):
    """`part` is the number of the item that is being called: looked up when somebody asks, not told for every item."""

    at: Callable[[], int | None] = staticmethod(lambda: None)

    @property
    def part(self) -> int | None:
        """Number of the item, from 0."""
        return self.at()

    @part.setter
    def part(self, _value: int | None) -> None:
        pass


class Worker:
    """What one thread of a map works with."""

    def __init__(
        self, job: Job, source: Source, function: Callable[..., Any], fallbacks: list[Callable[..., Any]],
        values: dict[str, Any], ctx: ItemContext,
    ) -> None:  # fmt: skip
        self.job, self.spec, self.source, self.ctx = job, job.spec, source, ctx
        self.calls = Calls(job.spec.name, job.spec.timeout)
        self.function = function
        self.call = self.calls.ready(function, job.spec.item, values)
        self.fallbacks = [self.calls.ready(f, job.spec.item, values) for f in fallbacks]
        self.slice = 1
        self.out: list[Any] = []  # of the batch at hand; its length is the progress within

    def close(self) -> None:
        """End what was started for the calls."""
        self.calls.close()

    def do(self, batch: Batch) -> Outcome:
        """Work through a batch; an error that ends the map is in the outcome, with what was done before it."""
        outcome = Outcome(batch, time.time())
        self.out = outcome.values
        try:
            if batch.holes:
                self._holes(outcome)
            elif self.spec.batches:
                self._vector(outcome)
            else:
                self._items(outcome)
        except BaseException as e:  # noqa: BLE001 - raised by who gathers the outcomes
            outcome.error = e
        outcome.ended, self.out = time.time(), []
        return outcome

    # -- one by one

    def _items(self, outcome: Outcome) -> None:
        batch, out = outcome.batch, outcome.values
        start = batch.first - batch.piece.first
        chunk = cut(self.source.load(batch.piece), start, start + batch.items, whole=False)
        left: Iterator[Any] = iter(chunk)
        gone = 0  # items that were skipped: no result stands for them
        self.ctx.at = lambda: batch.first + len(out) + gone
        try:
            while len(out) + gone < len(chunk):
                error = _error_of(self._some, out, left)
                if error is not None:
                    at = len(out) + gone
                    gone += not self._settle(outcome, at + batch.first, chunk[at], error, out)
        finally:
            outcome.items = len(out) + gone

    def _some(self, out: list[Any], left: Iterator[Any]) -> None:
        """Call for as many items as fit between two looks."""
        if self.job.cancelled.is_set():
            raise Cancelled
        began, n = time.perf_counter(), self.slice
        # At the speed of C: what was called before an error stays in the list.
        out.extend(map(self.call, itertools.islice(left, n)))
        took = time.perf_counter() - began
        if took < _LOOK_SECONDS / 2:
            self.slice = min(n * 2, 1_000_000)
        elif took > _LOOK_SECONDS:
            self.slice = max(1, n // 2)

    def _settle(self, outcome: Outcome, item: int, value: Any, error: Exception, out: list[Any]) -> bool:
        """Retry an item that failed; True when a result, or None in its place, was added."""
        found, answer = self._again(outcome, value, error)
        if found:
            out.append(answer)
            return True
        if self.spec.on_error == "fail":
            raise answer
        if self.spec.on_error == "skip":
            outcome.skipped += 1
            return False
        outcome.letters.append(self._letter(item, value, answer, outcome))
        out.append(None)
        return True

    def _again(self, outcome: Outcome, value: Any, error: Exception) -> tuple[bool, Any]:
        """Return (True, result), or (False, the last error) when nothing is left to try."""
        if isinstance(error, FINAL):
            raise error
        first, made = error, 1
        try:
            while (verdict := judge(self.spec, error, made)).retry:
                if self.job.cancelled.wait(verdict.wait):
                    raise Cancelled
                made += 1
                try:
                    return True, self._try(self.call, value, made, outcome)
                except FINAL:
                    raise
                except Exception as e:  # noqa: BLE001 - the user's
                    first = error = e
            for fallback in self.fallbacks:
                try:
                    return True, self._try(fallback, value, made, outcome)
                except FINAL:
                    raise
                except Exception:  # noqa: BLE001, S112 - the function's own error is what counts
                    continue
            return False, first
        finally:
            self.made, self.ctx.attempt = made, 1

    def _try(self, call: OneArgument, value: Any, attempt: int, outcome: Outcome) -> Any:
        claim(self.job)
        outcome.attempts += 1
        self.ctx.attempt = attempt
        return call(value)

    def _letter(self, item: int, value: Any, error: Exception, outcome: Outcome) -> Letter:
        known = (outcome.batch.before or {}).get("tried", {}).get(item, 0)
        return Letter(
            item, value, describe(error, self.spec.name, self.function, self.spec), self.made + known
        )

    # -- only those that failed before

    def _holes(self, outcome: Outcome) -> None:
        batch = outcome.batch
        values = self.source.load(batch.piece)
        self.out = outcome.values = list(self.job.ws.artifacts.get((batch.before or {})["artifact"]))
        at = batch.first
        self.ctx.at = lambda: at
        for at in batch.holes:
            if self.job.cancelled.is_set():
                raise Cancelled
            start = at - batch.piece.first
            found: list[Any] = []
            if self.spec.batches:
                self._whole(outcome, cut(values, start, start + 1, whole=True), at, found)
                found = list(found[0]) if found else []
            else:
                value = cut(values, start, start + 1, whole=False)[0]
                error = _error_of(lambda: found.append(self.call(value)))  # noqa: B023 - called at once
                if error is not None:
                    self._settle(outcome, at, value, error, found)
            outcome.values[at - batch.first] = found[0] if found else None
        outcome.items = batch.items

    # -- a batch at a time

    def _vector(self, outcome: Outcome) -> None:
        batch = outcome.batch
        start = batch.first - batch.piece.first
        chunk = cut(self.source.load(batch.piece), start, start + batch.items, whole=True)
        self.ctx.at = lambda: batch.first
        found: list[Any] = []
        self._whole(outcome, chunk, batch.first, found)
        outcome.values = join(found, self.spec.name) if found else []
        outcome.items = batch.items

    def _whole(self, outcome: Outcome, chunk: Any, first: int, found: list[Any]) -> None:
        """Call for a chunk; one that fails is halved until what fails is alone, unless one failure ends the map."""
        if self.job.cancelled.is_set():
            raise Cancelled
        error = _error_of(lambda: found.append(self._fitting(chunk, self.call(chunk))))
        if error is None:
            return
        worked, answer = self._again(outcome, chunk, error)
        if worked:
            found.append(self._fitting(chunk, answer))
        elif self.spec.on_error == "fail" or isinstance(answer, MapFailed):
            raise answer
        elif len(chunk) > 1:
            middle = len(chunk) // 2
            self._whole(outcome, cut(chunk, 0, middle, whole=True), first, found)
            self._whole(outcome, cut(chunk, middle, len(chunk), whole=True), first + middle, found)
        elif self.spec.on_error == "skip":
            outcome.skipped += 1
        else:
            value = cut(chunk, 0, 1, whole=False)[0]
            outcome.letters.append(self._letter(first, value, answer, outcome))
            found.append([None])

    def _fitting(self, chunk: Any, result: Any) -> Any:
        if not hasattr(result, "__len__") or isinstance(result, (str, bytes, dict, set)):
            raise MapFailed(
                f"map '{self.spec.name}' takes batches, so it must return a list, array, series or data frame with a "
                f"result for each item, not {type(result).__name__}"
            )
        if len(result) != len(chunk):
            raise MapFailed(
                f"map '{self.spec.name}' got a batch of {len(chunk):,} items and returned {len(result):,} results; "
                "return one for each, in order"
            )
        return list(result) if isinstance(result, tuple) else result


def _error_of(call: Callable[..., Any], *arguments: Any) -> Exception | None:
    """Return what a call raised: handled outside of an `except`, its retries have no context of ours."""
    try:
        call(*arguments)
    except Exception as e:  # noqa: BLE001 - of the user's function
        return e
    return None


def join(values: list[Any], what: str) -> Any:
    """Put results of consecutive batches together: lists, arrays, series or data frames.

    Raises
    ------
    MapFailed
        When they are of different types. What stands for an item that failed is left out of all but lists.
    """
    kinds = {type(v).__name__ for v in values if not _is_gap(v)}
    if kinds <= {"list"}:
        return list(itertools.chain.from_iterable(values)) if len(values) != 1 else values[0]
    if len(kinds) > 1:
        raise MapFailed(
            f"map '{what}' returned a {' for one batch and a '.join(sorted(kinds))} for another; "
            "return the same type for all"
        )
    values = [v for v in values if not _is_gap(v)]
    if len(values) == 1:
        return values[0]
    if "ndarray" in kinds:
        import numpy as np

        return np.concatenate(values)
    if kinds <= {"DataFrame", "Series"}:
        import pandas as pd

        return pd.concat(values)
    return list(itertools.chain.from_iterable(values))


def _is_gap(value: Any) -> bool:
    return type(value) is list and len(value) == 1 and value[0] is None
