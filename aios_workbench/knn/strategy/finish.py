"""Settling the answer: rivals timed in turn, the winner verified on unseen queries; then the curves around it."""

from __future__ import annotations

import math

import numpy as np

from aios_workbench.knn import measure
from aios_workbench.knn.choice import assured
from aios_workbench.knn.exact import exact_search
from aios_workbench.knn.models import Params, Point
from aios_workbench.knn.recall import interval, recall_at_k
from aios_workbench.knn.strategy.session import Session, latencies

_RIVALS, _ROUNDS, _TIMED = 4, 3, 250
_STEPS = 20  # where the machine is uneven the leader changes with every timing
_UPWARD = 1.12


def settle(s: Session, *, smaller: bool) -> None:
    """Time the front runners in turn and verify the winner, until the winner is a verified one.

    A point that only luck with the search's queries made good falls back by its verification; then the next best
    has to pass, or the same index with a little more effort.
    """
    for target in s.targets:
        for tier in s.tiers if smaller else s.tiers[:1]:
            held = s.best.get((target, tier))
            if held is not None and not (smaller and held.verified is not None):
                _settle(s, target, tier)
                best = _best(s, target, tier)
                if best is not None:
                    s.best[target, tier] = best
                s.forget()


def _settle(s: Session, target: float, tier: float) -> None:
    timed: set[str] = set()
    for _ in range(_STEPS):
        best = _best(s, target, tier)
        if best is None:
            if _more_effort(s, target, tier) is None:
                return
        elif best.id not in timed:  # until the leader has been compared
            timed |= _time_in_turn(s, target, tier)
        elif best.verified is None:
            checked = _verify(s, best, target)
            harder = _raised(checked.params, s.n)
            if not s.reaches(checked, target) and harder is not None:
                s.evaluate(harder, build_seconds=checked.build_seconds)
        else:
            return


def _fit(s: Session, tier: float) -> list[Point]:
    return [p for p in s.points.values() if p.vectors == s.n and p.bytes_per_vector <= tier and s.allowed(p)]


def _best(s: Session, target: float, tier: float) -> Point | None:
    fit = [p for p in _fit(s, tier) if s.reaches(p, target)]
    return max(fit, key=lambda p: p.qps, default=None)


def _time_in_turn(s: Session, target: float, tier: float) -> set[str]:
    """The machine's mood changes within seconds: rivals are compared within the same ones."""
    rivals = sorted((p for p in _fit(s, tier) if s.reaches(p, target)), key=lambda p: -p.qps)[:_RIVALS]
    rivals = [p for p in rivals if p.qps > 0.6 * rivals[0].qps]
    s.say("settle", f"timing the {len(rivals)} fastest for recall {target:g} in turn")
    queries = s.data.queries[:_TIMED]
    times: list[list[float]] = [[] for _ in rivals]
    for _ in range(_ROUNDS):
        for i, point in enumerate(rivals):
            s.control.check()
            few = queries[: max(16, min(len(queries), round(0.2 * point.qps)))]
            times[i].extend(
                measure.batch(s.built(point.params), point.params, few, s.data.k, pieces=2).seconds
            )
    for point, taken in zip(rivals, times, strict=True):
        seconds = np.array(taken)
        slowest, fastest = measure.bounds(seconds)
        alone = measure.singles(
            s.built(point.params), point.params, s.data.queries[:200], s.data.k, most_seconds=0.25
        )
        s.keep(
            point.model_copy(
                update={
                    "qps": 1 / measure.typical(seconds), "qps_low": slowest, "qps_high": fastest, **latencies(alone),
                }
            )
        )  # fmt: skip
    return {p.id for p in rivals}


def _verify(s: Session, point: Point, target: float) -> Point:
    """Measure recall on queries the search never used."""
    if not len(s.held):
        low, high = point.recall_low, point.recall_high
        return s.keep(
            point.model_copy(update={"verified": point.recall, "verified_low": low, "verified_high": high})
        )
    s.say("verify", f"recall {target:g} checked on {len(s.held)} queries the search never used")
    if s.held_truth is None:
        s.held_truth = exact_search(s.x, s.held, s.data.k, threads=s.problem.threads, check=s.control.check)
    squared, rows = s.held_truth
    s.control.check()
    if point.params.family == "flat" and point.params.codec == "flat":
        return s.keep(point.model_copy(update={"verified": 1.0, "verified_low": 1.0, "verified_high": 1.0}))
    found = measure.batch(s.built(point.params), point.params, s.held, s.data.k).rows
    recalls = recall_at_k(found, rows, squared, s.x, s.held, s.data.k)
    low, high = interval(recalls, k=s.data.k)
    checked = s.keep(
        point.model_copy(
            update={"verified": float(recalls.mean()), "verified_low": low, "verified_high": high}
        )
    )
    if not s.reaches(checked, target):
        s.note(
            f"a point of recall {point.recall:.4f} in the search had {recalls.mean():.4f} on unseen queries: for "
            f"{target:g} more effort is taken"
        )
    return checked


def _more_effort(s: Session, target: float, tier: float) -> Point | None:
    """The nearest miss again with a little more nprobe or efSearch."""
    near = [p for p in _fit(s, tier) if _raised(p.params, 1) is not None and p.recall >= target - 0.02]
    if not near:
        return None
    closest = max(near, key=lambda p: (assured(p), p.qps))
    params = _raised(closest.params, s.n)
    return s.evaluate(params, build_seconds=closest.build_seconds) if params is not None else None


def _raised(params: Params, most: int, by: float = _UPWARD) -> Params | None:
    for name, top in (("nprobe", params.nlist or 1), ("ef_search", max(most, 1))):
        value = getattr(params, name)
        if value is not None and (most == 1 or value < top):
            new = max(value + 1, math.ceil(value * by)) if by > 1 else max(1, math.floor(value * by))
            return params.model_copy(update={name: min(new, top) if most > 1 else new})
    return None


def curves(s: Session) -> None:
    """Recall against nprobe, efSearch and refinement around every winner: cheap points of indexes that are there."""
    winners = {p.id: p for p in s.best.values() if p.params.family != "flat"}
    for i, point in enumerate(winners.values()):
        s.say("curves", "recall against effort around the best points", i / max(len(winners), 1))
        params = point.params
        asked: list[Params] = []
        for by in (0.25, 0.5, 0.7, 1.4, 2.0, 4.0):
            if params.nprobe is not None:
                nprobe = min(max(1, round(params.nprobe * by)), params.nlist or 1)
                asked.append(params.model_copy(update={"nprobe": nprobe}))
            if params.ef_search is not None:
                asked.append(
                    params.model_copy(update={"ef_search": max(s.data.k, round(params.ef_search * by))})
                )
        if params.refine:
            asked += [params.model_copy(update={"refine": f}) for f in (1.0, 2.0, 4.0, 8.0, 16.0)]
        for each in asked:
            if not s.time_for(len(s.data.queries) / point.qps * 4):
                return
            s.evaluate(each, build_seconds=point.build_seconds)
