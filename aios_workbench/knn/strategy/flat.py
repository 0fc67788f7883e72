"""Families that scan every vector: exact, and codes with refinement."""

from __future__ import annotations

from aios_workbench.knn import measure
from aios_workbench.knn.kmeans import sample
from aios_workbench.knn.models import Params, Point
from aios_workbench.knn.parts import Parts
from aios_workbench.knn.strategy.session import Data, Session

FACTORS = (2, 4, 8, 16, 32, 64)
_SAMPLE = 16_384
_UNCACHED = 32 << 20  # bytes of vectors that a cache does not hold: scans are bound by memory
_TOO_FEW = 512  # codebooks and lists cost more than they save


def pq_codecs(inner: int) -> list[str]:
    """Fast-scan codecs for `inner` dimensions: half a byte for two dimensions, and for four.

    Examples
    --------
    >>> pq_codecs(128), pq_codecs(7), pq_codecs(1)
    (['pq64x4fs', 'pq32x4fs'], ['pq7x4fs'], ['pq1x4fs'])
    """
    sizes = [inner // each for each in (2, 4) if inner % each == 0 and inner >= each]
    return [f"pq{m}x4fs" for m in (sizes or [inner])]


def exact(s: Session) -> Point:
    """Exact search: what everything has to beat, and the answer when nothing does."""
    s.say("exact", f"exact search of {s.n:,} vectors: the speed to beat")
    s.built(Params(family="flat"))
    few = Data.__new__(Data)  # the same data with fewer queries: exact search is slow and its recall is known
    few.__dict__.update(s.data.__dict__)
    few.queries = s.data.queries[: max(16, min(len(s.data.queries), round(2e8 / (s.n * s.inner))))]
    return s.evaluate(Params(family="flat"), on=few)


def codes(s: Session) -> None:
    """All vectors as fast-scan codes, the best of them refined: an answer in a second or two."""
    for codec in pq_codecs(s.inner):
        params = Params(family="pq", codec=codec)
        if s.n < _TOO_FEW:
            s.prune(params, f"{s.n} vectors are compared exactly sooner than codes are decoded")
            continue
        if s.bytes_of(params.model_copy(update={"refine": 1.0})) > s.tiers[0]:
            s.prune(params, "refinement keeps the vectors beside the codes: more memory than asked")
            continue
        s.say(
            "codes",
            f"{codec}: scanning 4-bit codes and refining the best is often {4 * s.inner // 16}x faster",
        )
        for target in s.targets:
            for factor in FACTORS:
                refined = params.model_copy(update={"refine": float(factor)})
                point = s.evaluate(refined)
                if s.reaches(point, target):
                    break
                if point.recall < target - 0.3 and factor >= 8:
                    break  # its error is in the codes: no factor mends that


def scan_costs(s: Session) -> dict[str, float]:
    """Seconds a scanned vector takes with each codec on this machine, from a sample: below it nothing can go."""
    costs: dict[str, float] = {}
    rows = min(s.n, max(_SAMPLE, _UNCACHED // (4 * s.inner)))
    small = Parts(sample(s.x, rows, s.problem.seed), seed=s.problem.seed, threads=s.problem.threads)
    for codec in (*pq_codecs(s.inner), "rabitq", "sq8", "fp16", "flat"):
        s.control.check()
        coded = codec.startswith("pq")
        params = Params(family="pq" if coded else "rabitq" if codec == "rabitq" else "flat", codec=codec)
        parts = s.parts if coded and s.n >= _TOO_FEW else small
        index = parts.index(params)
        k = min(s.data.k, index.ntotal)
        # few enough for faiss to scan as it scans lists, and not to multiply matrices
        queries = s.data.queries[: 40 if coded else 12]
        both = (measure.batch(index, params, queries, k).cost for _ in range(2))
        costs[codec] = min(both) / index.ntotal
    return costs


def others(s: Session) -> None:
    """RaBitQ, binary and rotated codes, scanned in full: tried on a sample first."""
    if s.n < _TOO_FEW:
        return
    rows = sample(s.x, _SAMPLE, s.problem.seed)
    trial = Data(Parts(rows, seed=s.problem.seed, threads=s.problem.threads), s.data.queries[:200], s.data.k)
    kinds = [
        Params(family="rabitq", codec="rabitq"), Params(family="binary", codec="bits"),
        Params(family="pq", codec=pq_codecs(s.inner)[-1], opq=True), Params(family="flat", codec="sq8"),
        Params(family="flat", codec="fp16"),
    ]  # fmt: skip
    for base in kinds:
        s.control.check()
        factors = (0,) if base.family == "flat" else FACTORS
        for target in s.targets:
            _try(s, base, trial, target, factors)
        s.forget()


def _try(s: Session, base: Params, trial: Data, target: float, factors: tuple[int, ...]) -> None:
    """Find the factor on the sample, predict the cost at full size, and go there only if it could win."""
    size = s.bytes_of(base.model_copy(update={"refine": float(factors[0])}))
    bar = s.to_beat(target, size, smaller=True)
    s.say("codes", f"{base.codec}{' rotated' if base.opq else ''} on a sample of {trial.n:,} vectors")
    index = trial.parts.index(base.model_copy(update={"refine": float(factors[0])}))
    for factor in factors:
        params = base.model_copy(update={"refine": float(factor)})
        point = s.evaluate(params, target, on=trial, index=index)
        cost = 1 / point.qps * s.n / trial.n
        if 0.8 * cost > bar:
            s.prune(
                params,
                f"scanning all would take {cost * 1e6:,.0f} us, the best so far {bar * 1e6:,.0f}",
                cost,
            )
            return
        if s.reaches(point, target):
            break
    else:
        s.prune(
            base, f"reaches recall {target:g} with no refinement up to {factors[-1]}, not even on a sample"
        )
        return
    for factor in factors:  # with more vectors it takes at least as much
        if factor >= params.refine and s.reaches(
            s.evaluate(base.model_copy(update={"refine": float(factor)}), target), target
        ):
            return
