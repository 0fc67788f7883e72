"""Graphs: grown on parts of the data, and given up once their prediction for all of it cannot win."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from aios_workbench.errors import ParameterError
from aios_workbench.knn.kmeans import sample
from aios_workbench.knn.models import Params, Point
from aios_workbench.knn.parts import GRAPH_CHUNK, Parts
from aios_workbench.knn.strategy.session import Data, Session

_SHAPES = ((16, 60), (32, 100))
_EFFORTS = (
    10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768,
)  # fmt: skip
_TOO_FEW = 1000
_NSG_SAMPLE = 8192


@dataclass
class Shape:
    """One graph and its costs as it grows: seconds a query by target, for each part so far."""

    degree: int
    construction: int
    costs: dict[float, list[float]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    alive: bool = True

    def params(self, **more: object) -> Params:
        """Its parameters."""
        return Params(family="hnsw", graph_degree=self.degree, ef_construction=self.construction).model_copy(
            update=more
        )

    def predicted(self, target: float, n: int) -> float:
        """Seconds a query over all `n`: cost grows with a small power of the size, measured when there are two."""
        costs = self.costs[target]
        power = 0.30
        if len(costs) > 1 and all(map(math.isfinite, costs[-2:])):
            measured = math.log(costs[-1] / costs[-2]) / math.log(self.sizes[-1] / self.sizes[-2])
            power = min(max(measured, 0.1), 0.5)
        return float(costs[-1] * (n / self.sizes[-1]) ** power)

    def build_seconds(self, n: int) -> float:
        """CPU seconds to build over all `n`, from the last part: n log n."""
        size = self.sizes[-1]
        return self.seconds[-1] * (n / size) * math.log(n) / math.log(max(size, 2))


def search(s: Session, *, smaller: bool) -> None:
    """Grow each shape on parts of 1/16 and 1/4; build in full what could win, and serve all codecs from its links.

    With `smaller`, also for tiers of less memory, where links beside codes may beat lists beside vectors.
    """
    if s.n < _TOO_FEW:
        if not smaller:
            s.prune(Params(family="hnsw", graph_degree=16), f"{s.n:,} vectors: exact search is as fast")
        return
    shapes = [Shape(m, c) for m, c in _SHAPES]
    if smaller:
        shapes = [x for x in shapes if not any(_built(s, p, x) for p in s.points.values())]
        _nsg(s)
    for size in (sizes := _sizes(s.n)):
        trial = _trial(s, size)
        for shape in shapes:
            if shape.alive and s.trials[size][1].graph_size(shape.degree, shape.construction) <= size:
                _grow(s, shape, trial, smaller=smaller)
        _give_up(s, shapes, last=size == sizes[-1], smaller=smaller)
    for shape in shapes:
        if shape.alive:
            _full(s, shape, smaller=smaller)
        if (
            shape.alive or smaller
        ):  # one that was given up may yet win with less memory: it goes on from there
            s.parts.drop_graph(shape.degree, shape.construction)
        s.forget()


def _sizes(n: int) -> list[int]:
    """Sizes of the trials; whole chunks, so that a graph grown from them is the one a build makes in one go."""
    if n > 60_000:
        return [n // 16 // GRAPH_CHUNK * GRAPH_CHUNK or GRAPH_CHUNK, n // 4 // GRAPH_CHUNK * GRAPH_CHUNK]
    return [n // 8, n // 2] if n > 8000 else [n // 2]


def _built(s: Session, point: Point, shape: Shape) -> bool:
    p = point.params
    whole = point.vectors == s.n and p.family == "hnsw"
    return whole and (p.graph_degree, p.ef_construction) == (shape.degree, shape.construction)


def _trial(s: Session, size: int) -> Data:
    """Part of the data, with its exact neighbours: the first rows when rows come in no order, else a sample.

    A graph over the first rows is the beginning of the whole one; but of sorted rows they are a corner.
    """
    if size not in s.trials:
        inside = (s.data.rows < size).sum(1)
        share = size / s.n
        spread = s.data.k * share * (1 - share)
        mixed = abs(inside.mean() / s.data.k - share) < 0.1 and inside.var() < 4 * spread + 0.1
        if mixed:
            parts = s.parts
            x = s.x[:size]
        else:
            x = sample(s.x, size, s.problem.seed)
            parts = Parts(x, seed=s.problem.seed, threads=s.problem.threads, check=s.control.check)
        data = Data(
            Parts(x, seed=s.problem.seed, threads=s.problem.threads, check=s.control.check),
            s.data.queries,
            s.data.k,
        )
        s.trials[size] = (data, parts)
    return s.trials[size][0]


def _grow(s: Session, shape: Shape, trial: Data, *, smaller: bool) -> None:
    """Build the shape up to the trial's size and find what each target costs there."""
    params = shape.params()
    s.say("graphs", f"HNSW{shape.degree} over {trial.n:,} of {s.n:,} vectors: could it win with all of them?")
    key = (shape.degree, shape.construction)
    parts = s.trials[trial.n][1]
    graph = parts.graph(*key, upto=trial.n)
    shape.sizes.append(trial.n)
    shape.seconds.append(parts.graph_seconds[key])
    usual = s.evaluate(shape.params(ef_search=64), on=trial, index=graph, build_seconds=shape.seconds[-1])
    for target in s.targets:
        bar = s.to_beat(target, _least_bytes(s, shape), smaller=smaller)
        if not bar:
            shape.costs.setdefault(target, []).append(math.inf)
            continue
        # cost rises and recall falls with the number of vectors: what cannot do it here below the bar never will
        most = 768 if math.isinf(bar) else min(768, max(16, 64 * bar * usual.qps))
        point = _least_effort(s, params, target, most, on=trial, index=graph, seconds=shape.seconds[-1])
        shape.costs.setdefault(target, []).append(1 / point.qps if point is not None else math.inf)


def _least_effort(
    s: Session, params: Params, target: float, most: float, *, on: Data | None = None, index: object = None,
    seconds: float | None = None,
) -> Point | None:  # fmt: skip
    """The point of the smallest efSearch up to `most` that reaches `target`."""
    efforts = [e for e in _EFFORTS if e <= most]
    low, high, best = 0, len(efforts) - 1, None
    while low <= high:
        middle = high if best is None and low == 0 and high == len(efforts) - 1 else (low + high) // 2
        asked = params.model_copy(update={"ef_search": efforts[middle]})
        point = s.evaluate(asked, target, on=on, index=index, build_seconds=seconds)
        if s.reaches(point, target):
            best, high = point, middle - 1
        elif middle == len(efforts) - 1:
            return None
        else:
            low = middle + 1
    if best is not None and on is None:
        best = s.evaluate(best.params, on=on, index=index, build_seconds=seconds)
    return best


def _least_bytes(s: Session, shape: Shape) -> float:
    return s.bytes_of(shape.params(codec="sq8"))


def _give_up(s: Session, shapes: list[Shape], *, last: bool, smaller: bool) -> None:
    """Drop shapes whose optimistic prediction beats no incumbent, that a rival beats, or that time is too short for."""
    optimism = 0.8 if last else 0.6
    for shape in shapes:
        if not shape.alive or not shape.sizes:
            continue
        size = _least_bytes(s, shape)
        predicted = {t: shape.predicted(t, s.n) for t in s.targets}
        bars = {t: s.to_beat(t, size, smaller=smaller) for t in s.targets}
        hope = [t for t in s.targets if optimism * predicted[t] < bars[t]]
        rivals = [o for o in shapes if o.alive and o.sizes and o is not shape]
        ahead = [t for t in hope if all(predicted[t] < 1.15 * o.predicted(t, s.n) for o in rivals)]
        takes = shape.build_seconds(s.n)
        reason = ""
        if not hope:
            said = ", ".join(
                f"{t:g} in {predicted[t] * 1e6:,.0f} us against {bars[t] * 1e6:,.0f}"
                if math.isfinite(predicted[t]) else f"{t:g} not within {bars[t] * 1e6:,.0f} us"
                for t in s.targets
            )  # fmt: skip
            reason = f"predicted from {shape.sizes[-1]:,} vectors: recall {said}"
        elif not ahead:
            reason = f"another graph is predicted to be faster from {shape.sizes[-1]:,} vectors on"
        elif s.constraints.build_seconds is not None and takes > s.constraints.build_seconds:
            reason = f"would take {takes:.0f} s of CPU to build, asked are {s.constraints.build_seconds:g}"
        elif not s.time_for((takes - shape.seconds[-1]) / s.problem.threads):
            reason = f"building it would take {takes:.0f} s of CPU, the budget leaves {s.control.left:.0f} s"
        if reason:
            shape.alive = False
            cost = min(predicted.values())
            s.prune(shape.params(), reason, optimism * cost)


def _full(s: Session, shape: Shape, *, smaller: bool) -> None:
    """Build over all vectors; the same links then serve float16 and 8-bit codes."""
    s.say("graphs", f"HNSW{shape.degree} over all {s.n:,} vectors: predicted to win")
    key = (shape.degree, shape.construction)
    for codec, refine in (("flat", 0.0), ("fp16", 0.0), ("sq8", 0.0), ("sq8", 2.0)):
        params = shape.params(codec=codec, refine=refine)
        size = s.bytes_of(params)
        if not s.to_beat(s.targets[0], size, smaller=smaller):
            s.prune(params, f"takes {size:,.0f} bytes a vector, asked are {s.tiers[0]:,.0f}")
            continue
        start = time.process_time()
        s.parts.graph(*key)
        s.built(params)
        rest = time.process_time() - start if codec != "flat" else 0.0
        for target in s.targets:
            _least_effort(s, params, target, 768, seconds=s.parts.graph_seconds[key] + rest)
        s.forget()


def _nsg(s: Session) -> None:
    """NSG on a sample beside HNSW over the same vectors: it is built from all neighbours, so it must be worth that."""
    params = Params(family="nsg", graph_degree=32)
    x = sample(s.x, min(_NSG_SAMPLE, s.n // 2), s.problem.seed)
    trial = Data(
        Parts(x, seed=s.problem.seed, threads=s.problem.threads, check=s.control.check),
        s.data.queries,
        s.data.k,
    )
    s.say("graphs", f"NSG beside HNSW over a sample of {trial.n:,} vectors")
    target = s.targets[0]
    try:
        start = time.process_time()
        nsg = trial.parts.index(params)
        took = time.process_time() - start
    except (ParameterError, RuntimeError) as error:
        s.prune(params, str(error).strip().splitlines()[-1][:200])
        return
    rival = Params(family="hnsw", graph_degree=16, ef_construction=60)
    graph = trial.parts.index(rival)
    mine = _least_effort(s, params, target, 768, on=trial, index=nsg, seconds=took)
    other = _least_effort(
        s, rival, target, 768, on=trial, index=graph, seconds=trial.parts.graph_seconds[16, 60]
    )
    if mine is None:
        s.prune(params, f"does not reach recall {target:g} on a sample of {trial.n:,}")
        return
    cost = 1 / mine.qps * (s.n / trial.n) ** 0.3
    bar = s.to_beat(target, s.bytes_of(params), smaller=True)
    takes = took * (s.n / trial.n) ** 1.3
    if 0.8 * cost >= bar:
        s.prune(
            params,
            f"predicted {cost * 1e6:,.0f} us a query from a sample, the best so far {bar * 1e6:,.0f}",
            cost,
        )
    elif other is not None and mine.qps < 1.2 * other.qps:
        s.prune(
            params,
            f"no faster than HNSW16 on a sample ({mine.qps:,.0f} against {other.qps:,.0f} a second)",
            cost,
        )
    elif not s.time_for(takes / s.problem.threads):
        s.prune(
            params,
            f"building it would take {takes:.0f} s of CPU, the budget leaves {s.control.left:.0f} s",
            cost,
        )
    else:
        start = time.process_time()
        s.built(params)
        _least_effort(s, params, target, 768, seconds=time.process_time() - start)
    s.forget()
