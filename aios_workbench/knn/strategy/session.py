"""One search for an index: what was measured, what is best so far, and how a point is measured."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aios_workbench.knn import measure
from aios_workbench.knn.build import Built, build, label, memory
from aios_workbench.knn.choice import assured, describe
from aios_workbench.knn.exact import exact_search
from aios_workbench.knn.models import Constraints, Doing, Note, Params, Point, Problem, Pruned
from aios_workbench.knn.parts import Parts
from aios_workbench.knn.recall import enough_queries, interval, queries_needed, recall_at_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aios_workbench.knn.kmeans import F32

Said = Point | Pruned | Doing | Note

_QUICK = 120  # queries after which most points are plainly good enough or not
_PIECES = 4


class Control(Protocol):
    """What the strategy asks of whoever runs it."""

    #: What is asked for now: a person may change it. None: nobody does.
    constraints: Constraints | None

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""

    @property
    def elapsed(self) -> float:
        """Seconds spent."""

    def check(self) -> None:
        """Wait while paused; raise to stop."""


class Free:
    """A control that never stops anything."""

    left = math.inf
    constraints: Constraints | None = None

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    def check(self) -> None:
        """Go on."""


class Data:
    """Vectors, queries and their exact neighbours: all of it, or a part that trials are made on."""

    def __init__(self, parts: Parts, queries: F32, k: int) -> None:
        self.parts, self.x, self.queries, self.k = parts, parts.x, queries, min(k, parts.n)
        self.n = parts.n
        start = time.process_time()
        self.squared, self.rows = exact_search(
            self.x, queries, self.k, threads=parts.threads, check=parts.check
        )
        self.exact_seconds = (time.process_time() - start) / len(queries)

    def recalls(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """recall@k of the first queries, as many as there are answers."""
        q = len(rows)
        return recall_at_k(rows, self.rows[:q], self.squared[:q], self.x, self.queries[:q], self.k)


class Session:
    """State of one search; the phases (`flat`, `lists`, `graphs`, `finish`) work on it."""

    def __init__(
        self,
        x: F32,
        queries: F32,
        problem: Problem,
        constraints: Constraints,
        emit: Callable[[Said], None],
        control: Control,
        known: Sequence[Point],
    ) -> None:
        self.problem, self.emit, self.control = problem, emit, control
        self.x, self.n, self.inner = x, len(x), x.shape[1]
        tuning = max(1, min(problem.tuning_queries, len(queries)))
        self.held = np.ascontiguousarray(queries[tuning:], np.float32)
        self.known = {p.id: p for p in known}
        self.best: dict[tuple[float, float], Point] = {}
        self.points: dict[str, Point] = {}
        self.ask(constraints)
        self.indexes: dict[str, Built] = {}
        #: Parts of the data that graphs are tried on, by size, and where their graphs grow.
        self.trials: dict[int, tuple[Data, Parts]] = {}
        #: Exact neighbours of the held-out queries, when they were needed.
        self.held_truth: tuple[Any, Any] | None = None
        self.say(
            "truth", f"exact neighbours of {tuning} queries among {self.n:,} vectors, to measure recall by"
        )
        parts = Parts(x, seed=problem.seed, threads=problem.threads, check=control.check)
        self.data = Data(parts, np.ascontiguousarray(queries[:tuning], np.float32), problem.k)
        self.parts = parts
        if not enough_queries(constraints.recall, tuning):
            self.note(
                f"{tuning} queries are few for recall {constraints.recall:g}: its error is over a quarter of the "
                f"distance to 1; {queries_needed(constraints.recall):,} would do"
            )
        for point in known:
            if point.vectors == self.n:
                self.points[point.id] = point
                self.consider(point)

    # -------------------------------------------------------------- what is asked for

    def ask(self, constraints: Constraints) -> None:
        """Look for what these constraints ask from now on; what was measured is judged anew."""
        self.constraints = constraints
        #: The asked-for recall first: it is answered before the others.
        self.targets = list(dict.fromkeys([constraints.recall, 0.95, 0.99]))
        bound = math.inf
        if constraints.memory_bytes is not None:
            bound = constraints.memory_bytes / max(self.problem.rows, 1)
        #: Bytes per vector; incumbents are kept for each, because less memory may make another family the fastest.
        self.tiers = [bound, *(t for t in (2.2 * self.inner + 16, 1.1 * self.inner + 24) if t < bound)]
        self.best.clear()
        for point in self.points.values():
            self.consider(point)

    def asked_anew(self) -> bool:
        """True when a person has changed the constraints since; they are then the session's."""
        now = self.control.constraints
        if now is None or now == self.constraints:
            return False
        self.note(f"the constraints were changed: looking for {describe(now)}")
        self.ask(now)
        return True

    # -------------------------------------------------------------- saying

    def say(self, phase: str, text: str, fraction: float | None = None) -> None:
        """Tell what is being done and why."""
        self.emit(Doing(phase=phase, text=text, fraction=fraction))

    def note(self, text: str) -> None:
        """Tell the reader something that stays."""
        self.emit(Note(text=text))

    def prune(self, params: Params, reason: str, cost: float | None = None) -> None:
        """Record what is not tried further; `cost` is the optimistic prediction, seconds a query."""
        qps = 1 / cost if cost and math.isfinite(cost) else None
        self.emit(
            Pruned(
                label=label(params),
                family=params.family,
                reason=reason,
                qps_at_best=qps,
                at=self.control.elapsed,
            )
        )

    # -------------------------------------------------------------- best so far

    def reaches(self, point: Point, target: float) -> bool:
        """True when the point's recall can be trusted to be `target`: one standard error below its mean."""
        return assured(point) >= target

    def consider(self, point: Point) -> None:
        """Make the point the incumbent wherever it is better."""
        if point.vectors != self.n or not self.allowed(point):
            return
        for target in self.targets:
            if not self.reaches(point, target):
                continue
            for tier in self.tiers:
                held = self.best.get((target, tier))
                if point.bytes_per_vector <= tier and (
                    held is None or point.qps > held.qps or held.id == point.id
                ):
                    self.best[target, tier] = point

    def allowed(self, point: Point) -> bool:
        """True when build time and latency are within what is asked."""
        asked = self.constraints
        slow = asked.latency_ms is not None and point.p95_ms is not None and point.p95_ms > asked.latency_ms
        return not slow and (asked.build_seconds is None or point.build_seconds <= asked.build_seconds)

    def to_beat(self, target: float, size: float, *, smaller: bool) -> float:
        """Seconds a query below which an index of `size` bytes per vector would win something.

        `smaller`: also in the tiers of less memory; else only where it was asked.
        """
        tiers = [t for t in (self.tiers if smaller else self.tiers[:1]) if size <= t]
        if not tiers:
            return 0.0
        return max(1 / self.best[target, t].qps if (target, t) in self.best else math.inf for t in tiers)

    # -------------------------------------------------------------- measuring

    def built(self, params: Params) -> Built:
        """The index of `params`, built once."""
        key = built_as(params)
        if key not in self.indexes:
            self.control.check()
            self.indexes[key] = build(params, self.x, parts=self.parts)
        return self.indexes[key]

    def known_seconds(self, params: Params) -> float | None:
        """Build seconds of a point measured before, which needs no index."""
        old = self.points.get(point_id(params, self.n))
        return None if old is None else old.build_seconds

    def forget(self, *keep: str) -> None:
        """Free indexes that hold no incumbent and none of its rivals, which are timed against it in the end."""
        wanted = {built_as(p.params) for p in self.best.values()} | set(keep)
        for target in self.targets:
            fit = [p for p in self.points.values() if p.vectors == self.n and self.reaches(p, target)]
            fit = [p for p in fit if p.bytes_per_vector <= self.tiers[0]]
            wanted |= {built_as(p.params) for p in sorted(fit, key=lambda p: -p.qps)[:4]}
        self.indexes = {key: index for key, index in self.indexes.items() if key in wanted}

    def bytes_of(self, params: Params) -> float:
        """Bytes per vector, fixed parts included."""
        return memory(params, self.inner, rows=self.n)

    def evaluate(
        self, params: Params, target: float | None = None, *, on: Data | None = None, index: Any = None,
        build_seconds: float | None = None,
    ) -> Point:  # fmt: skip
        """Measure a point: its recall, its batch speed, and a little of its latency.

        With a `target`, a point that is plainly above or below it after some queries is left at that.
        """
        data = on or self.data
        name = point_id(params, data.n)
        old = self.points.get(name) or self.known.get(name)
        quick = target is not None and len(data.queries) >= 2 * _QUICK
        if old is not None and (
            old.queries == len(data.queries) or (quick and target is not None and plain(old, target))
        ):
            return old
        self.control.check()
        built = index if index is not None else self.built(params)
        if quick:
            point = self._measured(params, data, built, _QUICK, build_seconds)
            if target is not None and plain(point, target):
                return self.keep(point)
        return self.keep(self._measured(params, data, built, len(data.queries), build_seconds))

    def _measured(self, params: Params, data: Data, built: Any, q: int, build_seconds: float | None) -> Point:
        queries = data.queries[:q]
        done = measure.batch(built, params, queries, data.k, pieces=_PIECES if q >= 200 else 2)
        recalls = data.recalls(done.rows)
        low, high = interval(recalls, k=data.k)
        if params.family == "flat" and params.codec == "flat":
            low, high = float(recalls.mean()), 1.0
        alone = measure.singles(built, params, queries, data.k, most_seconds=0.012)
        slowest, fastest = measure.bounds(done.seconds)
        if build_seconds is None:
            build_seconds = built.seconds if isinstance(built, Built) else 0.0
        return Point(
            id=point_id(params, data.n), params=params, recall=float(recalls.mean()), recall_low=low,
            recall_high=high, queries=q, qps=1 / done.cost, qps_low=slowest, qps_high=fastest,
            batch=q // len(done.seconds), **latencies(alone), bytes_per_vector=memory(params, self.inner, rows=data.n),
            build_seconds=build_seconds, vectors=data.n, at=self.control.elapsed,
        )  # fmt: skip

    def keep(self, point: Point) -> Point:
        """Remember and tell a point; what was verified stays so."""
        old = self.points.get(point.id)
        if old is not None and point.verified is None and old.verified is not None:
            point = point.model_copy(
                update={k: getattr(old, k) for k in ("verified", "verified_low", "verified_high")}
            )
        self.points[point.id] = point
        self.emit(point)
        self.consider(point)
        return point

    # -------------------------------------------------------------- time

    def time_for(self, seconds: float) -> bool:
        """True when work of `seconds` ends within the budget, with some left to settle the answer."""
        left = self.control.left
        return math.isinf(left) or seconds < left - max(1.0, 0.05 * left)


def plain(point: Point, target: float) -> bool:
    """True when no further query would change on which side of `target` the point is."""
    error = (point.recall - point.recall_low) / 2 + 0.004
    return abs(point.recall - target) > 4 * error


def built_as(params: Params) -> str:
    """What names an index however it is searched."""
    plain = params.model_copy(update={"nprobe": None, "ef_search": None, "refine": float(params.refine > 0)})
    return plain.model_dump_json()


def point_id(params: Params, vectors: int) -> str:
    """Return the name of a point: the same parameters over as many vectors have the same."""
    return hashlib.sha256(f"{params.model_dump_json()} {vectors}".encode()).hexdigest()[:12]


def latencies(milliseconds: NDArray[np.float64]) -> dict[str, Any]:
    """A point's fields about single queries."""
    p50, p95, p99 = (float(v) for v in np.percentile(milliseconds, [50, 95, 99]))
    return {
        "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
        "latencies_ms": [round(float(v), 5) for v in milliseconds[:200]],
    }  # fmt: skip
