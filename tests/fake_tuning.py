"""A `Tuning` that replays a realistic search without searching: for tests of what shows one."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from aios_workbench.errors import ParameterError
from aios_workbench.knn.models import (
    Constraints,
    Cost,
    Explored,
    HardQuery,
    Neighbour,
    Params,
    Point,
    Problem,
    Pruned,
    TuningState,
)

EVIL = "<img src=x onerror=window.hacked=1>"
ROWS, DIMENSIONS = 200_000, 128


def point(
    number: int, params: Params, recall: float, qps: float, memory: float, build: float, **more: Any
) -> Point:
    """A measured point with the spread that 200 queries give."""
    rng = np.random.default_rng(number)
    half = 1.96 * math.sqrt(max(recall * (1 - recall), 1e-5) / 1000)
    p50 = 1000 / qps * 2.2 if params.family != "flat" else 4.1
    times = p50 * rng.lognormal(0, 0.22, 200)
    quantiles = np.quantile(times, [0.5, 0.95, 0.99])
    known: dict[str, Any] = {
        "id": f"p{number}", "params": params, "recall": recall, "recall_low": max(0.0, recall - half),
        "recall_high": min(1.0, recall + half), "queries": 200, "qps": qps,
        "qps_low": qps * 0.95, "qps_high": qps * 1.05,
        "batch": 256, "p50_ms": quantiles[0], "p95_ms": quantiles[1], "p99_ms": quantiles[2],
        "latencies_ms": [round(float(t), 5) for t in times], "bytes_per_vector": memory, "build_seconds": build,
        "vectors": ROWS, "at": 0.4 + 0.11 * number,
    }  # fmt: skip
    return Point(**(known | more))


def points(scale: int = 1) -> Iterator[Point]:  # noqa: C901 - a list, long but plain
    """What a tuning of 200,000 x 128 measures, in its order; `scale` multiplies how many."""
    flat = DIMENSIONS * 4.0
    number = 0

    def make(params: Params, recall: float, *figures: float, **more: Any) -> Point:
        nonlocal number
        number += 1
        return point(number, params, round(min(1.0, recall), 4), *figures, **more)

    yield make(Params(family="flat"), 1.0, 1950, flat, 0.01)
    for m, bits in ((64, 40.0), (32, 24.0)):
        for refine in (2.0, 4.0, 8.0, 16.0, 32.0):
            recall = 1 - (0.42 if m == 64 else 0.7) * math.exp(-0.9 * math.log2(refine))
            yield make(
                Params(family="pq", codec=f"pq{m}x4fs", refine=refine),
                recall,
                26000 / (1 + refine / 9) * (0.45 if m == 64 else 0.75),
                flat + bits,
                1.4,
            )
    codecs = (("flat", flat, 1.0, 0.0), ("sq8", 136.0, 0.985, 0.0), ("pq64x4fs", flat + 40, 0.999, 6.0))
    for step in range(scale):
        for nlist in (512, 1024, 2048):
            for codec, memory, ceiling, refine in codecs:
                for nprobe in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128):
                    share = nprobe * (1 + 0.07 * step)
                    recall = ceiling * (1 - 0.55 * math.exp(-1.1 * math.log2(1 + share * 512 / nlist / 1.6)))
                    scanned = ROWS * nprobe / nlist + 40 * nlist / 100
                    speed = {"flat": 5.2e7, "sq8": 6.1e7, "pq64x4fs": 1.9e8}[codec]
                    yield make(
                        Params(
                            family="ivf", codec=codec, nlist=nlist, nprobe=nprobe, refine=refine, opq=step > 0
                        ),
                        recall - 0.002 * step, speed / (scanned + 3000) * (1 - 0.04 * step), memory, 1.1 + nlist / 900,
                    )  # fmt: skip
        for degree in (16, 32):
            for ef in (16, 24, 32, 48, 64, 96, 128, 192, 256):
                yield make(
                    Params(family="hnsw", codec="sq8", graph_degree=degree, ef_construction=200 + step, ef_search=ef),
                    1 - 0.5 * math.exp(-1.15 * math.log2(1 + ef * degree / 260)), 290000 / ef / (degree / 16) ** 0.6,
                    136 + degree * 8.4, 21.0 * degree / 16,
                )  # fmt: skip
    for ef in (32, 64, 128):
        yield make(
            Params(family="nsg", graph_degree=32, ef_search=ef),
            1 - 0.3 * math.exp(-1.2 * math.log2(ef / 16)), 240000 / ef, flat + 128, 64.0, vectors=40_000,
        )  # fmt: skip
    for refine in (4.0, 8.0):
        yield make(
            Params(family="rabitq", codec="rabitq", nlist=1024, nprobe=32, refine=refine),
            0.86 + refine / 100,
            8800 - 200 * refine,
            flat + 24,
            2.9,
        )
    yield make(Params(family="binary", codec="bits", refine=16.0), 0.71, 7400, flat + 16, 0.2)


PRUNED = (
    ("NSG, degree 32", "nsg", "at 40,000 vectors slower than HNSW at every recall, and 3 times its build", 3100.0),
    ("IVF4096, Flat", "ivf", "predicted 4,100 queries/s at recall 0.95; IVF2048, PQ64x4fs has 15,200", 4100.0),
    ("binary, refine 16", "binary", "recall 0.71 with every vector re-ranked: cannot reach 0.95", None),
)  # fmt: skip


@functools.cache
def _kept(scale: int) -> tuple[Point, ...]:
    return tuple(points(scale))


class FakeTuning:
    """Shows what it is told to: `measure` goes on by some points. Verbs are remembered in `calls`."""

    def __init__(self, *, scale: int = 1, evil: bool = False, recall: float = 0.95) -> None:
        self.todo = list(_kept(scale))
        self.calls: list[tuple[Any, ...]] = []
        self.listeners: list[Callable[..., Any]] = []
        self.evil, self.lock = evil, threading.RLock()
        name = EVIL if evil else "articles.parquet"
        problem = Problem(
            fingerprint="f" * 64, source=name, rows=ROWS, dimensions=DIMENSIONS, k=10, metric="cosine",
            tuning_queries=200, held_out_queries=800, queries_given=False, budget_seconds=60, threads=1, seed=0,
            machine="Xeon, 2 cores, AVX-512", repairs=[f"3 zero vectors left out: rows 17, 40 and 41 of {name}"],
        )  # fmt: skip
        self.state = TuningState(
            id="tuning-1", problem=problem, constraints=Constraints(recall=recall), phase="exact answers",
            doing="Matrix products of 1,000 queries with 200,000 vectors: what every recall is measured against",
        )  # fmt: skip

    def on_change(self, listener: Callable[..., Any]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def set(self, **fields: Any) -> None:
        with self.lock:
            self.state = self.state.model_copy(update={"seq": self.state.seq + 1, **fields})
        for listener in list(self.listeners):
            listener(self.state)

    def measure(self, n: int | None = None, **fields: Any) -> FakeTuning:
        """Go on by `n` points (default: all)."""
        count = len(self.todo) if n is None else n
        new, self.todo = self.todo[:count], self.todo[count:]
        known = [*self.state.points, *new]
        pruned = [
            Pruned(label=EVIL if self.evil else a, family=b, reason=c, qps_at_best=d, at=9.0)  # type: ignore[arg-type]
            for a, b, c, d in PRUNED[: len(known) // 30]
        ]
        doing = "IVF2048, PQ64x4fs, refine 6: nprobe 24 to 48, because 0.95 lies between" if new else ""
        told = {"phase": "IVF", "doing": doing, "elapsed": known[-1].at if known else 0.0, "pruned": pruned}
        self.set(points=known, **(told | fields))
        self._follow()
        return self

    def finish(self, status: str = "finished", **fields: Any) -> FakeTuning:
        chosen = next((p for p in self.state.points if p.id == self.state.chosen), None)
        known = list(self.state.points)
        if chosen is not None:
            verified = {
                "verified": chosen.recall - 0.002,
                "verified_low": chosen.recall - 0.008,
                "verified_high": chosen.recall + 0.004,
            }
            known[known.index(chosen)] = chosen.model_copy(update=verified)
        self.set(points=known, status=status, phase="", doing="", **fields)
        return self

    def _follow(self) -> None:
        state = self.state
        front: list[Point] = []
        for p in sorted((p for p in state.points if self._fits(p, 0.0)), key=lambda p: (-p.recall, -p.qps)):
            if not front or p.qps > front[-1].qps:
                front.append(p)
        best = self._fastest(state.constraints.recall)
        chosen = state.chosen if state.picked_by_hand else best and best.id
        self.set(front=[p.id for p in reversed(front)], chosen=chosen)

    def _fits(self, p: Point, recall: float) -> bool:
        c = self.state.constraints
        return (
            p.vectors >= ROWS
            and (p.recall + p.recall_low) / 2 >= recall
            and (c.latency_ms is None or (p.p95_ms or 1e9) <= c.latency_ms)
            and (c.memory_bytes is None or p.bytes_per_vector * ROWS <= c.memory_bytes)
            and (c.build_seconds is None or p.build_seconds <= c.build_seconds)
        )

    def _fastest(self, recall: float) -> Point | None:
        return max((p for p in self.state.points if self._fits(p, recall)), key=lambda p: p.qps, default=None)

    # -- what the widget calls

    def stop(self) -> None:
        self.calls.append(("stop",))
        self.finish("stopped")

    def pause(self) -> None:
        self.calls.append(("pause",))
        self.set(status="paused")

    def resume(self) -> None:
        self.calls.append(("resume",))
        self.set(status="running")

    def choose(self, point_id: str) -> None:
        self.calls.append(("choose", point_id))
        self.set(chosen=point_id, picked_by_hand=True)

    def constrain(self, constraints: Constraints) -> None:
        self.calls.append(("constrain", constraints))
        self.set(constraints=constraints, picked_by_hand=False)
        self._follow()

    def cost_of(self, recall: float) -> Cost:
        chosen = next((p for p in self.state.points if p.id == self.state.chosen), None)
        p = self._fastest(recall)
        if p is None:
            return Cost(recall=recall)
        return Cost(
            recall=recall, point=p.id, qps=p.qps, p95_ms=p.p95_ms, bytes_per_vector=p.bytes_per_vector,
            slower=None if chosen is None else chosen.qps / p.qps,
        )  # fmt: skip

    def explore(self, query: Any, k: int | None = None, point: str | None = None) -> Explored:
        self.calls.append(("explore", query, k, point))
        if isinstance(query, str) and not self.evil:
            raise ParameterError("this tuning has no embedder: give `embed=` to tune(), or pick a row")
        said = [EVIL if self.evil else f"Article {i}: how the {i}th index was tuned" for i in range(12)]
        exact = [
            Neighbour(id=str(i * 971), distance=0.1 + i / 50, text=said[i], hit=i not in (6, 8))
            for i in range(10)
        ]
        found = [n for n in exact if n.hit] + [
            Neighbour(id=str(i * 971), distance=0.1 + i / 50, text=said[i], hit=False) for i in (10, 11)
        ]
        name = query if isinstance(query, str) else f"query {query}"
        return Explored(
            query=name, exact=exact, approximate=found, recall=0.8, scanned=4_310, milliseconds=0.21
        )

    def hard_queries(self, point: str | None = None, n: int = 20) -> list[HardQuery]:
        self.calls.append(("hard", point, n))
        label = EVIL if self.evil else ""
        return [HardQuery(query=7 * i, label=label, recall=0.4 + i / 40, missed=6 - i // 4) for i in range(n)]

    def code(self, point: str | None = None) -> str:
        return f"import faiss\nindex = faiss.index_factory(128, 'IVF2048,Flat')  # {point}\n"

    def export(self, system: str, point: str | None = None) -> dict[str, Any]:
        self.calls.append(("export", system, point))
        if system == "pgvector":
            made = "CREATE INDEX ON vectors USING ivfflat (v vector_cosine_ops) WITH (lists = 2048)"
            return {
                "system": system,
                "sql": [made],
                "search": {"ivfflat.probes": 24},
                "notes": [f"{system} has no refine"],
            }
        return {
            "index_type": "IVF_FLAT",
            "params": {"nlist": 2048},
            "search": {"nprobe": 24},
            "notes": [f"{system} has no refine"],
        }


def tuned(n: int | None = None, **options: Any) -> FakeTuning:
    """A tuning that has measured `n` points."""
    return FakeTuning(**options).measure(n)
