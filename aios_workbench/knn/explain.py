"""What one search looked at, what it missed, and why: by doing it again, exactly and step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aios_workbench.knn import build as building
from aios_workbench.knn import upkeep
from aios_workbench.knn.delta import Floats, Mask
from aios_workbench.knn.models import Params
from aios_workbench.knn.state import Found, State

#: So far down the list of candidates is looked for what was missed.
_DEEP = 4096
_LARGEST_EF = 2048


@dataclass(frozen=True)
class Missed:
    """A true neighbour that was not found: the `rank`th nearest, counted from 1."""

    id: Any
    distance: float
    rank: int
    why: str


@dataclass(frozen=True)
class Explanation:
    """What a search for one query looked at and missed; ``print`` it, or read its fields.

    Attributes
    ----------
    how : str
        The parameters searched with, or that it was exact.
    vectors : int
        In the index; `kept` of them are kept by the filter, None without one.
    lists, lists_scanned : int or None
        Inverted lists, and how many were scanned; None where there are none.
    codes_scanned : int or None
        Vectors, or their codes, compared with the query in the built part; for graphs as faiss counts it.
    refined : int
        Candidates compared again with exact vectors.
    buffer : int
        Vectors of the buffer, compared exactly.
    dead : int
        Removed ones still in the built part, found and thrown away.
    found, exact : list of (id, distance)
        The answer, and the true one.
    missed : list of Missed
        True neighbours that are not in the answer.
    recall : float
        By distance: of equally near vectors any is right.
    """

    how: str
    vectors: int
    kept: int | None
    lists: int | None
    lists_scanned: int | None
    codes_scanned: int | None
    refined: int
    buffer: int
    dead: int
    found: list[tuple[Any, float]]
    exact: list[tuple[Any, float]]
    missed: list[Missed]
    recall: float

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"searched: {self.how}"
        yield f"vectors: {self.vectors:,}" + (
            f", the filter keeps {self.kept:,}" if self.kept is not None else ""
        )
        if self.lists is not None:
            yield f"lists scanned: {self.lists_scanned:,} of {self.lists:,}"
        if self.codes_scanned is not None:
            yield f"codes scanned: {self.codes_scanned:,}; candidates refined: {self.refined:,}"
        if self.buffer or self.dead:
            yield f"in the buffer, compared exactly: {self.buffer:,}; removed but still inside: {self.dead:,}"
        yield f"recall: {self.recall:.2f}, {len(self.missed)} missed"
        for m in self.missed:
            yield f"  number {m.rank}, {m.id!r} at {m.distance:.4g}: {m.why}"


def explain(
    state: State, raw: npt.NDArray[Any], query: Floats, k: int, allowed: Mask | None, effort: float
) -> Explanation:
    """Explain a search for one query on a state; see `Index.explain`."""
    n = len(state.base)
    live = state.live if allowed is None else state.live & allowed[:n]
    count = int(live.sum())
    before = _graph_count()
    found = state.search(query, k, allowed, effort)
    compared = _graph_count() - before
    truth = state.exact(query, k, allowed)
    params = state.params(effort)
    plain = state.answers_exactly(count, k, filtered=allowed is not None)
    inner = None if plain else _Inside(state.base.index, query)
    lists = scanned = None
    codes: int | None = count
    if inner is not None:
        codes = compared if params.family in ("hnsw", "nsg") else n
        if inner.lists is not None:
            lists, scanned = inner.lists, min(params.nprobe or 1, inner.lists)
            codes = inner.codes(scanned)
    reached = found.fetched if inner is not None else 0
    return Explanation(
        how=found.how, vectors=len(state), kept=None if allowed is None else state.count(allowed), lists=lists,
        lists_scanned=scanned, codes_scanned=codes or None,
        refined=min(round(reached * params.refine), codes or n) if params.refine else 0,
        buffer=len(state.delta), dead=n - state.alive, found=_pairs(state, found, raw),
        exact=_pairs(state, truth, raw), missed=_missed(state, raw, query, found, truth, params, inner),
        recall=float(upkeep.recalls(found.squared, truth.squared)[0]),
    )  # fmt: skip


def _pairs(state: State, found: Found, raw: npt.NDArray[Any]) -> list[tuple[Any, float]]:
    ids, distances = state.ids(found.slots)[0], state.space.distances(found.squared, raw)[0]
    return [(i, float(d)) for i, d in zip(ids, distances, strict=True) if i is not None]


def _missed(
    state: State, raw: npt.NDArray[Any], query: Floats, found: Found, truth: Found, params: Params,
    inner: _Inside | None,
) -> list[Missed]:  # fmt: skip
    if inner is None:
        return []
    have = set(found.slots[0].tolist())
    last = found.squared[0, -1]
    ids, distances = state.ids(truth.slots)[0], state.space.distances(truth.squared, raw)[0]
    out = []
    for rank, (slot, squared) in enumerate(zip(truth.slots[0].tolist(), truth.squared[0], strict=True)):
        tied = squared >= last - 1e-6 * abs(last) - 1e-9
        if slot >= 0 and slot not in have and not tied:
            why = inner.why(slot, state.base.x[slot], params, found.fetched, query)
            out.append(Missed(ids[rank], float(distances[rank]), rank + 1, why))
    return out


class _Inside:
    """A faiss index without its refinement and rotation, and a query turned like its vectors."""

    def __init__(self, index: Any, query: Floats) -> None:
        import faiss

        self.whole, self.turns = index, []
        self.coded = faiss.downcast_index(index.base_index) if isinstance(index, faiss.IndexRefine) else index
        inner = self.coded
        while isinstance(inner, faiss.IndexPreTransform):
            self.turns += [inner.chain.at(i) for i in range(inner.chain.size())]
            inner = faiss.downcast_index(inner.index)
        self.index, self.lists = inner, None
        if isinstance(inner, faiss.IndexIVF):
            self.lists = int(inner.nlist)
            self.order = self._near(query, self.lists)

    def _near(self, vectors: Floats, k: int) -> list[int]:
        import faiss

        for turn in self.turns:
            vectors = turn.apply(np.ascontiguousarray(vectors, np.float32))
        quantizer = faiss.downcast_index(self.index.quantizer)
        found: list[int] = quantizer.search(np.ascontiguousarray(vectors, np.float32), k)[1][0].tolist()
        return found

    def codes(self, probed: int) -> int:
        """Codes in the nearest lists."""
        return sum(self.index.invlists.list_size(i) for i in self.order[:probed] if i >= 0)

    def why(self, slot: int, vector: Any, params: Params, fetched: int, query: Floats) -> str:
        """Return why a row of the built part was not found."""
        if self.lists is not None:
            own = self._near(np.array(vector)[None], 1)[0]
            place = self.order.index(own) + 1 if own in self.order else self.lists
            probed = params.nprobe or 1
            if place > probed:
                return (
                    f"its list is the {_th(place)} nearest of {self.lists}, and {probed} were scanned; "
                    f"nprobe = {place} would reach it"
                )
        if params.family in ("hnsw", "nsg"):
            return self._reach(slot, params, fetched, query)
        return self._rank(slot, params, fetched, query)

    def _reach(self, slot: int, params: Params, fetched: int, query: Floats) -> str:
        ef = params.ef_search or 16
        while (ef := 2 * ef) <= _LARGEST_EF:
            harder = params.model_copy(update={"ef_search": ef})
            if slot in building.search(self.whole, harder, query, max(fetched, 1))[1]:
                return f"the walk over the graph ended before it; ef_search = {ef} reaches it"
        return f"no walk over the graph reaches it, up to ef_search = {_LARGEST_EF}; build it with a larger degree"

    def _rank(self, slot: int, params: Params, fetched: int, query: Floats) -> str:
        plain = params.model_copy(update={"refine": 0.0})
        rows = building.search(self.coded, plain, query, min(_DEEP, self.whole.ntotal))[1][0].tolist()
        place = rows.index(slot) + 1 if slot in rows else None
        kept = max(round(fetched * max(params.refine, 1)), 1)
        if place is None:
            return f"its code is beyond the first {_DEEP:,} candidates; a codec with more bits would tell it apart"
        factor = np.ceil(10 * place / max(fetched, 1)) / 10
        return (
            f"by its {params.codec} code it is the {_th(place)} candidate, and {kept} were kept; refine = {factor:g} "
            "would compare it exactly"
        )


def _graph_count() -> int:
    """Distances that faiss computed in graphs so far, in this process: other searches of the moment count too."""
    import faiss

    return int(faiss.cvar.hnsw_stats.ndis)


def _th(n: int) -> str:
    if 10 <= n % 100 <= 20:
        return f"{n:,}th"
    return f"{n:,}" + {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


__all__ = ["Explanation", "Missed", "explain"]
