"""Where a run's time went: spans per step, the critical path, slack.

A step is ready when the last step it waits for has ended (the run's creation, if it waits for none). From there to
its first attempt it queues: for a free slot, a worker, or a process that takes up a run whose own has died. Times
come from clocks that may jump: no span is ever negative, and the path is computed from durations.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aios_workbench.observe.models import Span, Timeline, TimelineStep
from aios_workbench.observe.stored import OVER, Row, Stored, call, read
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.locks import alive, last_seen

_TRIED = frozenset(("failed", "timeout"))
_EPSILON = 1e-6


def timeline(ws: Workspace, run_id: str) -> Timeline:
    """Return the waterfall of a run.

    Returns
    -------
    Timeline
        `end` is None while the run goes on; open spans then count until `now`. A step a rerun took over has no
        spans; one answered from the cache has the time of looking it up.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    return of(read(ws, run_id))


def of(run: Stored, now: float | None = None) -> Timeline:
    """Return the waterfall of a run that was read already."""
    return _Reader(run, time.time() if now is None else now).read()


class _Reader:
    def __init__(self, run: Stored, now: float) -> None:
        self.run, self.now = run, now
        self.start = float(run.row["created_at"])
        self.over = run.status in OVER
        said = [s["ended_at"] for n, s in run.steps.items() if s["ended_at"] and not run.reused(n)]
        self.limit = max(self.start, float(run.row["ended_at"] or now) if self.over else now, *said)
        self.gone: dict[str | None, bool] = {}
        query, r = run.ws.catalog.query, run.run_id
        self.attempts = _grouped(
            query("select * from attempts where run_id = :r order by step, attempt", r=r)
        )
        self.gates = {g["step"]: g for g in query("select * from gates where run_id = :r", r=r)}
        marks = query(
            "select step, at, kind, json_extract(data, '$.status') as status from events where run_id = :r and "
            "(kind = 'run' or (kind = 'step' and step in "
            "(select step from steps where run_id = :r and kind = 'gate'))) order by seq", r=r,
        )  # fmt: skip
        self.legs = [m["at"] for m in marks if m["kind"] == "run" and m["status"] == "queued"][1:]
        self.asked = {m["step"]: m["at"] for m in marks if m["kind"] == "step" and m["status"] == "running"}

    def read(self) -> Timeline:
        lines: dict[str, TimelineStep] = {}
        for name, row in self.run.steps.items():
            spec = self.run.spec_of(name)
            upstream = [lines[u] for u in (spec.upstream if spec else ()) if u in lines]
            lines[name] = self._line(name, row, upstream)
        ends = [s.end for line in lines.values() for s in line.spans if s.end is not None]
        end = max([self.limit, *ends]) if self.over else None
        now = max([self.now, *ends])
        path = _Path(self.start, now if end is None else end, lines, self.run)
        path.mark()
        wall = (now if end is None else end) - self.start
        busy = sum(length(s, now) for line in lines.values() for s in line.spans if s.kind == "run")
        return Timeline(
            start=self.start, end=end, now=now, steps=list(lines.values()), critical_path=path.names,
            parallelism=busy / wall if wall > 0 else None, code=call(self.run.run_id, ".timeline()"),
        )  # fmt: skip

    def _line(self, name: str, row: Row, upstream: Sequence[TimelineStep]) -> TimelineStep:
        line = TimelineStep(step=name, kind=row["kind"], status=row["status"], cached=bool(row["cached"]))
        if self.run.reused(name) or row["status"] == "skipped":
            return line
        ready = self._ready(upstream)
        spans = self._gate(name, row) if row["kind"] == "gate" else self._work(name, row)
        if ready is not None and not spans:
            spans = self._unbegun(row, ready)
        elif ready is not None and spans and spans[0].start > ready:
            spans.insert(0, Span(kind="queue", start=ready, end=spans[0].start))
        if spans:
            line.ready_at = min(ready, spans[0].start) if ready is not None else spans[0].start
        line.spans = _in_order(spans, self.limit if self.over else None)
        return line

    def _ready(self, upstream: Sequence[TimelineStep]) -> float | None:
        """When all a step waits for had ended; None while something has not, or never will."""
        ready = self.start
        for before in upstream:
            if before.status != "succeeded":
                return None
            if before.spans:
                ready = max(ready, before.spans[-1].end or ready)
        return ready

    def _unbegun(self, row: Row, ready: float) -> list[Span]:
        if row["status"] == "pending" and not self.over:
            return [Span(kind="queue", start=ready, end=None)]
        if row["status"] == "cancelled" and self.over:
            return [Span(kind="queue", start=ready, end=max(ready, self.limit))]
        return []

    def _work(self, name: str, row: Row) -> list[Span]:
        if row["cached"]:
            return [Span(kind="run", start=row["started_at"], end=row["ended_at"], status="cached")]
        spans: list[Span] = []
        before: Row | None = None
        for attempt in self.attempts.get(name, ()):
            if before is not None:
                paused = before["status"] in _TRIED and not self._interrupted(before, attempt)
                spans.append(Span(
                    kind="retry" if paused else "queue", start=spans[-1].end or attempt["started_at"],
                    end=attempt["started_at"],
                ))  # fmt: skip
            spans.append(self._attempt(attempt, row))
            before = attempt
        if before is not None and spans[-1].end is not None:
            spans += self._after(row, before, spans[-1].end)
        return spans

    def _attempt(self, attempt: Row, row: Row) -> Span:
        status, end = attempt["status"], attempt["ended_at"]
        if (
            end is None and self.over
        ):  # its thread could not be stopped, or nobody was left to say how it went
            status, end = "cancelled", row["ended_at"] or self.limit
        elif end is None and self._lost(attempt["executor"]):
            status, end = "lost", last_seen(self.run.ws, attempt["executor"]) or attempt["started_at"]
        if attempt.get("kind") == "fallback" and status == "succeeded":
            status = "fallback"
        return Span(kind="run", start=attempt["started_at"], end=end, attempt=attempt["attempt"], status=status,
                    executor=attempt["executor"])  # fmt: skip

    def _after(self, row: Row, last: Row, end: float) -> list[Span]:
        """What followed the last attempt: a pause that goes on, a wait for a process, fallbacks."""
        spec = self.run.spec_of(row["step"])
        if row["status"] == "retrying" and not self.over:
            return [Span(kind="queue" if self._lost(last["executor"]) else "retry", start=end, end=None)]
        going = row["status"] in ("running", "pending") and not self.over
        if (
            last["status"] in _TRIED
            and last.get("kind", "step") == "step"  # fallbacks have had attempts of their own since catalog 6
            and spec
            and spec.fallbacks
            and not (going and self._lost(last["executor"]))
        ):
            if going or (row["ended_at"] or end) > end:
                return [
                    Span(
                        kind="run",
                        start=end,
                        end=row["ended_at"],
                        status="fallback",
                        executor=last["executor"],
                    )
                ]
        elif going and last["status"] != "succeeded":
            return [Span(kind="queue", start=end, end=None)]
        return []

    def _gate(self, name: str, row: Row) -> list[Span]:
        gate = self.gates.get(name)
        asked = self.asked.get(name)
        if gate is None:  # its question is being asked, or could not be, or nobody had to be asked
            if row["started_at"] is None:
                return []
            return [Span(kind="run", start=row["started_at"], end=row["ended_at"], status=row["status"])]
        spans = []
        if asked is not None and asked < gate["requested_at"]:
            spans.append(
                Span(kind="run", start=asked, end=gate["requested_at"], attempt=1, status="succeeded")
            )
        spans.append(
            Span(kind="wait", start=gate["requested_at"], end=gate["decided_at"], status=gate["status"])
        )
        return spans

    def _lost(self, executor: str | None) -> bool:
        if executor not in self.gone:
            self.gone[executor] = not alive(self.run.ws, executor)
        return self.gone[executor]

    def _interrupted(self, before: Row, after: Row) -> bool:
        """True when between two attempts the run was resumed, or another process took it up."""
        ended = before["ended_at"] or before["started_at"]
        return before["executor"] != after["executor"] or any(
            ended <= at <= after["started_at"] for at in self.legs
        )


def length(span: Span, now: float) -> float:
    """Return a span's seconds; an open one counts until now."""
    return max(0.0, (now if span.end is None else span.end) - span.start)


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["step"], []).append(row)
    return found


def _in_order(spans: Sequence[Span], limit: float | None) -> list[Span]:
    """Return spans one behind the other, none negative; one that a jumping clock put back is moved, not shortened."""
    out: list[Span] = []
    at = float("-inf")
    for span in spans:
        took = None if span.end is None else max(0.0, span.end - span.start)
        start = max(at, span.start)
        if limit is not None:
            start = min(start, max(limit, at))
        end = None if took is None else start + took
        if limit is not None and (end is None or end > limit):
            end = max(limit, start)
        if span.kind in ("queue", "retry") and end is not None and end - start <= _EPSILON:
            continue
        out.append(span.model_copy(update={"start": start, "end": end}))
        at = start if end is None else end
    return out


@dataclass
class _Path:
    """The longest chain of durations through the graph, and how much every other step could have taken longer."""

    start: float
    end: float
    lines: Mapping[str, TimelineStep]
    run: Stored
    names: list[str] = field(default_factory=list)

    def mark(self) -> None:
        """Name the critical path and give every step that took part its slack."""
        ran = {n: line for n, line in self.lines.items() if line.spans}
        if not ran:
            return
        done, took, by = self._forward(ran)
        last = max(ran, key=lambda n: (done[n], took[n]))
        at: str | None = last
        while at is not None:
            self.names.append(at)
            at = by[at]
        self.names.reverse()
        latest = self._backward(ran, took, done[last])
        for name, line in ran.items():
            slack = latest[name] - done[name]
            line.slack = slack if slack > _EPSILON else 0.0
            line.critical = name in self.names

    def _forward(
        self, ran: Mapping[str, TimelineStep]
    ) -> tuple[dict[str, float], dict[str, float], dict[str, str | None]]:
        done: dict[str, float] = {}
        took: dict[str, float] = {}
        by: dict[str, str | None] = {}
        seen: dict[str, float] = {}  # as the clock said, to see how long a step took from being ready
        for name, line in ran.items():
            before = [u for u in self._upstream(name) if u in ran]
            by[name] = max(before, key=lambda u: (done[u], took[u])) if before else None
            said = max([self.start, *(seen[u] for u in before)])
            ended = line.spans[-1].end
            seen[name] = self.end if ended is None else ended
            took[name] = max(0.0, seen[name] - said)
            done[name] = max([self.start, *(done[u] for u in before)]) + took[name]
        return done, took, by

    def _backward(
        self, ran: Mapping[str, TimelineStep], took: Mapping[str, float], end: float
    ) -> dict[str, float]:
        latest = dict.fromkeys(ran, end)
        for name in reversed(list(ran)):
            for before in self._upstream(name):
                if before in latest:
                    latest[before] = min(latest[before], latest[name] - took[name])
        return latest

    def _upstream(self, name: str) -> list[str]:
        spec = self.run.spec_of(name)
        return spec.upstream if spec else []


def totals(line: Timeline) -> dict[str, float]:
    """Return seconds by kind of span, over all steps: steps side by side count each."""
    now = line.now if line.end is None else line.end
    sums = dict.fromkeys(("queue", "run", "retry", "wait"), 0.0)
    for step in line.steps:
        for span in step.spans:
            sums[span.kind] += length(span, now)
    return sums
