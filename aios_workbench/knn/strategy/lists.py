"""Inverted lists: every index predicted from nested k-means, and only those built that could win.

Of n lists, nprobe finds the share of neighbours the oracle says, times what the codes with their refinement find
when they scan everything; it costs the ranking of lists, a scan of as many codes as the oracle says, and the
refinement. All of that is known or measured once, so each combination has a prediction, and every measured point
corrects those of its kind.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from aios_workbench.knn.kmeans import finest
from aios_workbench.knn.models import Params, Point
from aios_workbench.knn.oracle import Curve, ivf_curve
from aios_workbench.knn.parts import faiss_threads
from aios_workbench.knn.strategy.flat import FACTORS, pq_codecs, scan_costs
from aios_workbench.knn.strategy.session import Session, built_as, point_id

_FEWEST = 16
_OPTIMISM = 0.85  # of a prediction; below 1, what is predicted to be a little slower is tried too
_FRESH = 0.7  # of a prediction that nothing measured has corrected yet
_LOSING = 1.15
_HOPELESS = 2.0
_NEAR = 1.3  # of the best: another refinement could make up for that
_TRIES = 6
_STEP = 1.08


@dataclass
class Lists:
    """What is known of every number of lists before an index is built, and what building some taught."""

    curves: dict[int, Curve]
    ranking: dict[int, float]  # seconds a query takes to rank the lists
    scan: dict[str, float]  # seconds a vector takes to scan, by codec
    seconds: float
    refining: dict[float, float] = field(default_factory=dict)  # seconds a query more, by factor
    ceiling: dict[str, float] = field(
        default_factory=dict
    )  # recall of codes and refinement that scan everything
    #: Measured over predicted recall, by codec: what is in no list that is looked into, the codes might not have found.
    gain: dict[str, float] = field(default_factory=dict)
    learned: set[str] = field(default_factory=set)
    dearer: dict[str, float] = field(default_factory=dict)  # measured over predicted seconds, by codec
    exactly: set[int] = field(default_factory=set)
    tried: set[tuple[str, float]] = field(default_factory=set)

    def nprobe(self, params: Params, target: float) -> int | None:
        """The smallest nprobe predicted to reach `target` with its margin; None when the codes cannot."""
        curve = self.curves[params.nlist or 1]
        at = curve.nprobe(target, sure=False) - 1
        need = (target + float(curve.error[at])) / max(self.finds(params), 1e-9)
        if need > float(curve.recall[-1]) + 1e-9:
            return None
        return curve.nprobe(need, sure=False)

    def finds(self, params: Params) -> float:
        """The share of the neighbours in the lists looked into that codes and refinement find."""
        coded = _coded(params)
        ceiling = self.ceiling.get(coded, 1.0)
        return ceiling if coded in self.learned else min(1.0, ceiling * self.gain.get(_kind(params), 1.0))

    def cost(self, params: Params, nprobe: int) -> float:
        """Seconds a query, predicted."""
        curve = self.curves[params.nlist or 1]
        plain = self.ranking[curve.lists] + self.scan[params.codec] * float(curve.scanned[nprobe - 1])
        return (plain + self.refining.get(params.refine, 0.0)) * self.dearer.get(_kind(params), 1.0)

    def learn(self, params: Params, point: Point) -> None:
        """Correct the predictions for the codes of a measured point."""
        nprobe = point.params.nprobe or 1
        share = float(self.curves[params.nlist or 1].recall[nprobe - 1])
        coded, found = _coded(params), min(1.0, point.recall / max(share, 1e-9))
        if coded not in self.learned:
            self.gain[_kind(params)] = found / max(self.ceiling.get(coded, 1.0), 1e-9)
            self.learned.add(coded)
        self.ceiling[coded] = found
        ratio = 1 / point.qps / self.cost(params, nprobe) * self.dearer.get(_kind(params), 1.0)
        old = self.dearer.get(_kind(params))
        self.dearer[_kind(params)] = min(max(ratio if old is None else math.sqrt(ratio * old), 0.5), 4.0)


def _kind(params: Params) -> str:
    return f"{params.codec} {params.opq}"


def _coded(params: Params) -> str:
    return f"{params.codec} {params.opq} {params.refine:g}"


def prepare(s: Session) -> Lists | None:
    """Cluster once, nest coarser lists into the finest, and read recall and codes scanned of every nprobe off them."""
    most = finest(s.n)
    if most < _FEWEST:
        s.prune(Params(family="ivf", nlist=most), f"{s.n:,} vectors make too few lists to leave any out")
        return None
    s.say(
        "lists",
        f"k-means into {most:,} lists, coarser ones nested in them: recall of every nprobe, no index built",
    )
    start = time.process_time()
    curves: dict[int, Curve] = {}
    lists = most
    while lists >= max(_FEWEST, most // 16):
        curves[lists] = _curve(s, lists, exactly=lists == most)
        lists //= 2
    found = Lists(curves, {}, {}, time.process_time() - start, exactly={most})
    s.say("lists", "timing codecs and the ranking of lists: together they bound what each index could reach")
    import faiss

    for lists in curves:
        quantizer = faiss.IndexFlatL2(s.inner)
        quantizer.add(s.parts.lists.centroids(lists))
        queries = s.data.queries[:200]
        with faiss_threads(1):
            costs = []
            for _ in range(2):
                began = time.thread_time()
                quantizer.search(queries, min(16, lists))
                costs.append((time.thread_time() - began) / len(queries))
        found.ranking[lists] = min(costs)
    found.scan = scan_costs(s)
    _from_flat(s, found)
    return found


def _from_flat(s: Session, found: Lists) -> None:
    """What scanning all codes taught: how much each refinement finds, and what it costs."""
    slopes = []
    for codec in pq_codecs(s.inner):
        costs = {}
        for factor in FACTORS:
            params = Params(family="pq", codec=codec, refine=float(factor))
            point = s.points.get(point_id(params, s.n))
            if point is not None:
                found.ceiling[_coded(params)] = point.recall
                costs[factor] = 1 / point.qps
        if len(costs) > 1:
            least, most = min(costs), max(costs)
            slopes.append((costs[most] - costs[least]) / (most - least))
    # the differences of single factors are lost in noise; each candidate refined costs the same
    each = max(min(slopes, default=0.0), 0.0)
    found.refining = {float(factor): each * factor for factor in FACTORS}


def search(s: Session, found: Lists, *, smaller: bool) -> None:
    """Measure combinations of codec, lists and refinement in the order of their predicted cost, while one could win.

    With `smaller`, for incumbents in tiers of less memory too.
    """
    for target in s.targets:
        while (chosen := _next(s, found, target, smaller=smaller)) is not None:
            s.forget(built_as(chosen))
            _solve_around(s, found, chosen, target, smaller=smaller)
    s.forget()
    if smaller:
        _tell_rest(s, found)


def _combinations(s: Session, found: Lists, *, smaller: bool) -> list[Params]:
    """Everything there is; a rotation takes seconds to learn, which a first answer does not wait for."""
    codecs = pq_codecs(s.inner)
    bases = [(codec, False, tuple(map(float, FACTORS))) for codec in codecs]
    if smaller and s.inner >= 16:
        bases.append((codecs[-1], True, (4.0, 8.0, 16.0, 32.0)))
    bases += [
        ("rabitq", False, (8.0, 16.0, 32.0)),
        ("sq8", False, (0.0, 2.0)),
        ("fp16", False, (0.0,)),
        ("flat", False, (0.0,)),
    ]
    return [
        Params(family="ivf", codec=codec, opq=opq, refine=factor, nlist=lists)
        for codec, opq, factors in bases for factor in factors for lists in found.curves
    ]  # fmt: skip


def _hope(s: Session, found: Lists, params: Params, target: float, *, smaller: bool) -> tuple[float, float]:
    """Predicted cost over the cost to beat (below one there is hope), and the predicted cost."""
    nprobe = found.nprobe(params, target)
    bar = s.to_beat(target, s.bytes_of(params), smaller=smaller)
    if nprobe is None or not bar:
        return math.inf, math.inf
    trust = _OPTIMISM if _kind(params) in found.dearer else _FRESH
    cost = trust * found.cost(params, nprobe)
    return (cost / bar if math.isfinite(bar) else 1e-3 * cost), cost


def _next(s: Session, found: Lists, target: float, *, smaller: bool) -> Params | None:
    """The untried combination with the best prospects; None when no other could win."""
    best, chosen = 1.0, None
    for params in _combinations(s, found, smaller=smaller):
        if (params.model_dump_json(), target) in found.tried:
            continue
        ratio, _ = _hope(s, found, params, target, smaller=smaller)
        if ratio < best:
            best, chosen = ratio, params
    return chosen


def _tell_rest(s: Session, found: Lists) -> None:
    """For each codec that was left, its best combination and why it was not built."""
    target = s.targets[0]
    kinds: dict[str, tuple[float, Params]] = {}
    for params in _combinations(s, found, smaller=True):
        if any((params.model_dump_json(), t) in found.tried for t in s.targets):
            kinds[_kind(params)] = (-1.0, params)
        _, cost = _hope(s, found, params, target, smaller=True)
        if cost < kinds.get(_kind(params), (math.inf, params))[0]:
            kinds[_kind(params)] = (cost, params)
    for cost, params in kinds.values():
        if cost < 0:
            continue
        bar = s.to_beat(target, s.bytes_of(params), smaller=True)
        reason = f"predicted at best {cost * 1e6:,.0f} us a query, the best so far takes {bar * 1e6:,.0f}"
        s.prune(params, reason if bar else "takes more memory than asked", cost)


def _curve(s: Session, lists: int, *, exactly: bool) -> Curve:
    nested = s.parts.lists
    of = nested.assigned(lists) if exactly else nested.nearly_assigned(lists)
    return ivf_curve(nested.centroids(lists), of, s.data.queries, s.data.rows, s.data.k)


def _solve_around(s: Session, found: Lists, params: Params, target: float, *, smaller: bool) -> None:
    """Solve a combination, and where it is near the best, with half and twice its refinement: that builds nothing."""
    waiting = [params]
    while waiting:
        one = waiting.pop(0)
        if (one.model_dump_json(), target) in found.tried:
            continue
        found.tried.add((one.model_dump_json(), target))
        bar = s.to_beat(target, s.bytes_of(one), smaller=smaller)
        good = _solve(s, found, one, target, smaller=smaller)
        if one.refine and good is not None and 1 / good.qps < _NEAR * bar:
            factors = (one.refine * 2, one.refine / 2)
            waiting += [one.model_copy(update={"refine": f}) for f in factors if f in FACTORS]


def _solve(s: Session, found: Lists, params: Params, target: float, *, smaller: bool) -> Point | None:
    """Find the smallest nprobe that reaches `target`: recall and cost rise with it, and the prediction starts near.

    Each measured point corrects the prediction; what is slower than the incumbent and not yet good enough is left.
    """
    lists = params.nlist or 1
    if lists not in found.exactly:
        found.curves[lists] = _curve(s, lists, exactly=True)
        found.exactly.add(lists)
    bar = s.to_beat(target, s.bytes_of(params), smaller=smaller)
    what = (
        f"{lists:,} lists of {params.codec}{' rotated' if params.opq else ''}, refinement {params.refine:g}"
    )
    low, high, good = 0, lists + 1, None
    for _ in range(_TRIES):
        nprobe = found.nprobe(params, target)
        if nprobe is None:
            nprobe = lists if high > lists else high - 1
        nprobe = min(max(nprobe, math.ceil(low * _STEP), low + 1), high - 1)  # a prediction may stick
        if nprobe <= low or (good is not None and nprobe > high * 11 // 12):
            break
        cost = found.cost(params, nprobe)
        if good is None and cost > (_LOSING if low else _HOPELESS) * bar:
            s.prune(
                params.model_copy(update={"nprobe": nprobe}),
                f"would reach recall {target:g} in {cost * 1e6:,.0f} us, the best so far takes {bar * 1e6:,.0f}", cost,
            )  # fmt: skip
            break
        s.say(
            "lists",
            f"{what}: nprobe {nprobe} should reach recall {target:g} at {1 / cost:,.0f} queries a second",
        )
        point = _at(s, found, params, nprobe, target)
        found.learn(params, point)
        if s.reaches(point, target):
            high, good = nprobe, point
        else:
            low = nprobe
            if 1 / point.qps > _LOSING * bar:
                break
    if good is not None and good.queries < len(s.data.queries):
        good = _at(s, found, params, high, None)
    return good


def _at(s: Session, found: Lists, params: Params, nprobe: int, target: float | None) -> Point:
    asked = params.model_copy(update={"nprobe": nprobe})
    built = s.known_seconds(asked)
    if built is None:
        built = found.seconds + s.built(params).seconds
    return s.evaluate(asked, target, build_seconds=built)
