"""Which of the measured points to take: the front, the choice under constraints, what a recall would cost.

Pure functions over what was measured; nothing is searched or built. Only points with all vectors count: what was
tried on a part says nothing about the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from aios_workbench.knn.models import Constraints, Cost, Point, Problem

#: Half the width of a 95 % interval, in standard errors.
Z = 1.959964


def estimate(point: Point) -> tuple[float, float]:
    """Return a point's recall and its standard error, of the search's and the verifying queries together.

    Weighted by how precise each is. The search's queries favour what was found with them; verifying ones do not.

    Examples
    --------
    >>> from aios_workbench.knn.models import Params
    >>> point = Point(id="a", params=Params(family="nsg"), recall=0.96, recall_low=0.94, recall_high=0.98,
    ...     queries=200, qps=1, qps_low=1, qps_high=1, bytes_per_vector=4, build_seconds=0, vectors=1, at=0)
    >>> recall, error = estimate(point)
    >>> recall, round(error, 3)
    (0.96, 0.01)
    """
    if point.params.family == "flat" and point.params.codec == "flat":
        return 1.0, 0.0  # exact by construction, however few queries were asked
    error = max(0.0, point.recall - point.recall_low) / Z
    if point.verified is None or point.verified_low is None:
        return point.recall, error
    other = max(0.0, point.verified - point.verified_low) / Z
    if error == 0 or other == 0:
        return (point.verified, other) if error else (min(point.recall, point.verified), error or other)
    a, b = 1 / error**2, 1 / other**2
    return (a * point.recall + b * point.verified) / (a + b), math.sqrt(1 / (a + b))


def assured(point: Point) -> float:
    """Return the recall a point may be trusted with: one standard error below its estimate.

    A point estimate of 200 queries misses its true recall in 29 to 46 % of tunings, this one in 3 to 6 %
    (measured with the prototype).
    """
    recall, error = estimate(point)
    return recall - error


def searched(problem: Problem) -> int:
    """Return how many vectors an index holds while it is measured: all but those held out as queries."""
    held_out = 0 if problem.queries_given else problem.tuning_queries + problem.held_out_queries
    return problem.rows - held_out


def whole(points: Iterable[Point], problem: Problem) -> list[Point]:
    """Return the points measured with all vectors."""
    return [p for p in points if p.vectors >= searched(problem)]


def within(point: Point, constraints: Constraints, problem: Problem) -> bool:
    """True when a point holds everything but the recall. A latency nobody measured is not promised."""
    if (
        constraints.memory_bytes is not None
        and point.bytes_per_vector * problem.rows > constraints.memory_bytes
    ):
        return False
    if constraints.build_seconds is not None and point.build_seconds > constraints.build_seconds:
        return False
    if constraints.latency_ms is not None:
        return point.p95_ms is not None and point.p95_ms <= constraints.latency_ms
    return True


def holds(point: Point, constraints: Constraints, problem: Problem) -> bool:
    """True when a point holds all constraints, the recall with its margin."""
    return within(point, constraints, problem) and assured(point) >= constraints.recall


def choose(points: Iterable[Point], constraints: Constraints, problem: Problem) -> Point | None:
    """Return the fastest point that holds the constraints; of equals the smallest, then the one built soonest."""
    fit = [p for p in whole(points, problem) if holds(p, constraints, problem)]
    return min(fit, key=_order) if fit else None


def _order(point: Point) -> tuple[float, float, float, str]:
    return (-point.qps, point.bytes_per_vector, point.build_seconds, point.id)


def front(points: Iterable[Point], constraints: Constraints, problem: Problem) -> list[str]:
    """Return the ids of the points that no other beats in both recall and speed, by rising recall.

    Those that break a constraint other than the recall are left out: they are no answer.
    """
    fit = [p for p in whole(points, problem) if within(p, constraints, problem)]
    found: list[Point] = []
    for point in sorted(fit, key=lambda p: (-p.recall, *_order(p))):
        if not found or point.qps > found[-1].qps:
            found.append(point)
    return [p.id for p in reversed(found)]


def cost_of(
    points: Iterable[Point],
    recall: float,
    constraints: Constraints,
    problem: Problem,
    chosen: Point | None = None,
) -> Cost:
    """Return what a recall costs: the fastest point that holds it and the other constraints."""
    found = choose(points, constraints.model_copy(update={"recall": recall}), problem)
    if found is None:
        return Cost(recall=recall)
    return Cost(
        recall=recall, point=found.id, qps=found.qps, p95_ms=found.p95_ms, bytes_per_vector=found.bytes_per_vector,
        slower=None if chosen is None or found.qps <= 0 else chosen.qps / found.qps,
    )  # fmt: skip


def why_none(points: Iterable[Point], constraints: Constraints, problem: Problem) -> str:
    """Say why no point holds the constraints, and the change to them that would be enough."""
    known = whole(points, problem)
    if not known:
        return "nothing is measured with all vectors yet"
    said = []
    for name, text in (
        ("latency_ms", _latency), ("memory_bytes", _memory), ("build_seconds", _build), ("recall", _recall),
    ):  # fmt: skip
        if getattr(constraints, name) is None:
            continue
        loose = constraints.model_copy(update={name: 0.0 if name == "recall" else None})
        fit = [p for p in known if holds(p, loose, problem)]
        if fit and (what := text(fit, problem)):
            said.append(what)
    asked = describe(constraints)
    if said:
        together = " together" if " and " in asked else ""
        return f"no point holds {asked}{together}; it would do to {', or to '.join(said)}"
    return f"no point holds {asked}, nor all of that but one; give the tuning more time, or ask for less"


def _latency(fit: Sequence[Point], _problem: Problem) -> str:
    times = [p.p95_ms for p in fit if p.p95_ms is not None]
    return (
        f"allow {min(times):.3g} ms"
        if times
        else "ask for no latency, which nobody measured for those that fit"
    )


def _memory(fit: Sequence[Point], problem: Problem) -> str:
    return f"allow {size(min(p.bytes_per_vector for p in fit) * problem.rows)} of memory"


def _build(fit: Sequence[Point], _problem: Problem) -> str:
    return f"allow {min(p.build_seconds for p in fit):.3g} s for building"


def _recall(fit: Sequence[Point], _problem: Problem) -> str:
    best = math.floor(max(map(assured, fit)) * 1000) / 1000
    return f"ask for recall {best:g}" if best > 0 else ""


def describe(constraints: Constraints) -> str:
    """Return constraints in words.

    Examples
    --------
    >>> describe(Constraints(recall=0.9, latency_ms=5, memory_bytes=2 * 10**9))
    'recall 0.9, 5 ms and 2 GB'
    """
    parts = [f"recall {constraints.recall:g}"]
    if constraints.latency_ms is not None:
        parts.append(f"{constraints.latency_ms:g} ms")
    if constraints.memory_bytes is not None:
        parts.append(size(constraints.memory_bytes))
    if constraints.build_seconds is not None:
        parts.append(f"{constraints.build_seconds:g} s to build")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def size(count: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size(1_540_000)
    '1.54 MB'
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} bytes"
