"""A tuning's state as screens draw it, and the least that has to be sent when it moves."""

from __future__ import annotations

import functools
import hashlib
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from aios_workbench.knn.choice import searched
from aios_workbench.knn.models import Constraints, Cost, Params, Point, TuningState
from aios_workbench.widgets.tuning_protocol import Latency, TuningPatch, TuningPoint, TuningView

#: Recalls people ask about: the slider's marks.
ROUND_RECALLS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
#: Points a patch may hold before the whole is sent and patches begin again: 24 points are about 15 kB.
_MAX_POINTS = 24
_BINS = 28

#: What is turned between two searches of one index, in the order it is looked for.
_KNOBS = ("nprobe", "ef_search", "refine")


def view(
    state: TuningState, *, cost_of: Callable[[float], Cost] | None = None, name: str = "tuning"
) -> TuningView:
    """Return a state as it is sent to the browser.

    Parameters
    ----------
    state : TuningState
        What `Tuning.state` gives.
    cost_of : callable, optional
        `Tuning.cost_of`; without it the slider has no marks.
    name : str, optional
        The variable that holds the tuning in the notebook.
    """
    costs = [cost_of(r) for r in ROUND_RECALLS] if cost_of is not None and state.points else []
    return _view(state, [drawn(p, searched(state.problem)) for p in state.points], costs, name)


def _view(state: TuningState, points: list[TuningPoint], costs: list[Cost], name: str) -> TuningView:
    return TuningView(
        id=state.id, seq=state.seq, now=time.time(), name=name, problem=state.problem,
        constraints=_sane(state.constraints), status=state.status, phase=state.phase, doing=state.doing,
        elapsed=state.elapsed, points=points, pruned=list(state.pruned),
        front=list(state.front), chosen=state.chosen, picked_by_hand=state.picked_by_hand, costs=costs,
        notes=list(state.notes), error=state.error,
    )  # fmt: skip


def label(params: Params) -> str:
    """Return a short name of an index, as the tuner says it."""
    return _label(params.model_dump_json())


def knob_of(params: Params) -> str | None:
    """Return the name of what is turned between two searches of this index; None when nothing is."""
    return next((k for k in _KNOBS if getattr(params, k)), None)


class TuningDiffer:
    """Turns successive states into messages, each of a bounded size.

    A patch holds everything since its base, so the newest one is enough; past `_MAX_POINTS` points the whole view
    becomes the next base.

    Parameters
    ----------
    tuning : Tuning
        Only `state` and `cost_of` are read.
    name : str
        The variable that holds it in the notebook.
    """

    def __init__(self, tuning: Any, name: str = "tuning") -> None:
        self._tuning, self._name = tuning, name
        #: Id -> the point as measured and as drawn: neither made nor compared anew while it stays the same.
        self._known: dict[str, tuple[Point, TuningPoint]] = {}
        self._costs: list[Cost] = []
        self._costs_of: Any = None
        self.view = self._base = self._read()
        self._seq = self.view.seq

    def update(self) -> TuningView | TuningPatch | None:
        """Return what to send so that a reader sees the tuning as it is now; None when it does already."""
        now = self._read()
        last = self.view
        if _same(now, last):
            return None
        # Counted here: `seq` of the state need not move when a choice or a constraint does.
        self._seq = max(self._seq + 1, now.seq)
        now.seq = self._seq
        self.view = now
        base = self._base
        known = {p.id: p for p in base.points}
        points = [p for p in now.points if known.get(p.id) != p]
        grown = (
            len(now.points) >= len(base.points) and now.pruned[: len(base.pruned)] == base.pruned
        )  # else: taken up anew
        if not grown or len(points) > _MAX_POINTS or (now.id, now.problem) != (base.id, base.problem):
            self._base = now
            return now
        return TuningPatch(
            base=base.seq, seq=now.seq, now=now.now, constraints=now.constraints, status=now.status, phase=now.phase,
            doing=now.doing, elapsed=now.elapsed, points=points, pruned=now.pruned[len(base.pruned):],
            front=None if now.front == base.front else now.front, chosen=now.chosen,
            picked_by_hand=now.picked_by_hand, costs=None if now.costs == base.costs else now.costs,
            notes=None if now.notes == base.notes else now.notes, error=now.error,
        )  # fmt: skip

    def _read(self) -> TuningView:
        state = self._tuning.state
        points = [self._draw(p, searched(state.problem)) for p in state.points]
        judged = (points, state.front, state.chosen)
        if judged != self._costs_of:
            self._costs_of = judged
            self._costs = [self._tuning.cost_of(r) for r in ROUND_RECALLS] if points else []
        return _view(state, points, self._costs, self._name)

    def _draw(self, point: Point, rows: int) -> TuningPoint:
        known = self._known.get(point.id)
        if known is not None and (known[0] is point or known[0] == point):
            return known[1]
        made = drawn(point, rows)
        self._known[point.id] = (point, made)
        return made


def _same(a: TuningView, b: TuningView) -> bool:
    unwatched = {"now": 0.0, "seq": 0, "elapsed": 0.0}  # the browser has a clock of its own
    return a.model_copy(update=unwatched) == b.model_copy(update=unwatched)


def drawn(point: Point, rows: int) -> TuningPoint:
    """Return a point as it is drawn; `rows` is how many vectors a whole index holds while it is measured."""
    params = point.params
    knob = knob_of(params)
    setting = getattr(params, knob) if knob else None
    plain: dict[str, Any] = {"nprobe": None, "ef_search": None}
    if knob == "refine":
        plain["refine"] = 0.0
    same = params.model_copy(update=plain).model_dump_json() + f"/{point.vectors}"
    figures: dict[str, Any] = {n: _short(point, n, 6) for n in _RECALLS}
    figures |= {n: _short(point, n, 4) for n in _FIGURES}
    return TuningPoint(
        id=point.id, label=label(params), family=params.family, codec=params.codec,
        curve=hashlib.blake2b(same.encode(), digest_size=6).hexdigest(),
        knob=knob, setting=None if setting is None else float(setting),
        queries=point.queries, batch=point.batch, latency=histogram(point.latencies_ms), vectors=point.vectors,
        part=point.vectors < rows,
        **figures,
    )  # fmt: skip


#: Recalls keep six digits, other figures four: more is noise, and much of what would be sent.
_RECALLS = (
    "recall", "recall_low", "recall_high", "verified", "verified_low", "verified_high",
)  # fmt: skip
_FIGURES = (
    "qps", "qps_low", "qps_high", "p50_ms", "p95_ms", "p99_ms", "bytes_per_vector", "build_seconds", "at",
)  # fmt: skip
_OPTIONAL = frozenset({"verified", "verified_low", "verified_high", "p50_ms", "p95_ms", "p99_ms"})


def histogram(latencies: Sequence[float]) -> Latency | None:
    """Return times of single queries (ms) counted in bins of equal width on a log scale.

    Examples
    --------
    >>> histogram([1.0, 1.0, 4.0]).counts[0]
    2
    """
    times = [t for t in latencies if math.isfinite(t) and t > 0]
    if len(times) < 2:
        return None
    low, high = min(times), max(times)
    if high <= low * 1.001:
        low, high = low * 0.9, high * 1.1
    counts = [0] * _BINS
    scale = _BINS / math.log(high / low)
    for t in times:
        counts[min(_BINS - 1, int(math.log(t / low) * scale))] += 1
    return Latency(low=low, high=high, counts=counts)


def _short(point: Point, name: str, digits: int) -> float | None:
    """What is not finite has no place in JSON."""
    value: float | None = getattr(point, name)
    if value is None or not math.isfinite(value):
        return None if name in _OPTIONAL else 0.0
    return float(f"{value:.{digits}g}")


def _sane(constraints: Constraints) -> Constraints:
    known = constraints.latency_ms is None or math.isfinite(constraints.latency_ms)
    return constraints if known else constraints.model_copy(update={"latency_ms": None})


@functools.lru_cache(maxsize=4096)
def _label(params: str) -> str:
    from aios_workbench.knn import build

    return build.label(Params.model_validate_json(params))
