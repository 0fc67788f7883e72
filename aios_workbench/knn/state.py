"""An index as one moment saw it: the built part, what is dead in it, and the exact buffer. It never changes.

A search takes the state there is when it begins and is not disturbed by what comes after; a writer puts another
state in its place. Slots number all vectors: the rows of the built part first, those of the buffer after them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from aios_workbench.knn import build as building
from aios_workbench.knn.delta import Delta, Floats, Mask, Rows, Squares, measured, nearest
from aios_workbench.knn.models import Params
from aios_workbench.knn.space import Space

#: A filter that keeps no more vectors than this, or than this part of them, is answered exactly: an approximate
#: search would have to fetch twenty times as many as asked for to be left with enough.
EXACT_ROWS, EXACT_PART = 10_000, 0.05
_BLOCK = 1024  # queries at once


@dataclass(frozen=True)
class Base:
    """Vectors in a faiss index, the row numbers of which are theirs; `x` is also kept as it is, often mapped."""

    x: npt.NDArray[Any]
    ids: npt.NDArray[Any]
    keys: Rows
    index: Any
    params: Params
    #: How many there were when lists and codebooks were trained; those added since only use them.
    trained: int
    seed: int = 0
    #: Rows that were dead when this was put together: their ids may be there twice.
    dead: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _lookup(self) -> tuple[Any, Rows]:
        import pandas as pd

        alive = np.ones(len(self.ids), bool)
        alive[self.dead] = False
        rows = np.flatnonzero(alive)
        return pd.Index(self.ids[rows]), rows

    def rows_of(self, ids: npt.NDArray[Any]) -> Rows:
        """Return the row of each id, -1 where there is none."""
        index, rows = self._lookup
        if not len(rows):
            return np.full(len(ids), -1)
        at = index.get_indexer(ids)
        return np.where(at < 0, -1, rows[at])


@dataclass(frozen=True)
class Found:
    """Neighbours by slot, -1 where there is none; `how` says in words how they were looked for."""

    squared: Squares
    slots: Rows
    how: str
    fetched: int = 0


@dataclass(frozen=True)
class State:
    """See the module. `effort` multiplies what the parameters say of nprobe, ef and refine."""

    base: Base
    live: Mask
    delta: Delta
    space: Space
    effort: float = 1.0
    version: int = 0

    @cached_property
    def alive(self) -> int:
        """How many rows of the built part live."""
        return int(self.live.sum())

    def __len__(self) -> int:
        return self.alive + len(self.delta)

    @property
    def slots(self) -> Rows:
        """All slots that live, in the order they came."""
        return np.concatenate([np.flatnonzero(self.live), len(self.base) + np.flatnonzero(self.delta.live)])

    def ids(self, slots: Rows) -> npt.NDArray[Any]:
        """Return ids, None for -1."""
        flat, n = slots.ravel(), len(self.base)
        out = np.full(len(flat), None, dtype=object)
        old, new = (flat >= 0) & (flat < n), flat >= n
        out[old] = self.base.ids[flat[old]]
        out[new] = self.delta.ids[flat[new] - n]
        return out.reshape(slots.shape)

    def keys(self, slots: Rows) -> Rows:
        """Return the keys of slots, -1 for -1."""
        n = len(self.base)
        out = np.full(slots.shape, -1, np.int64)
        old, new = (slots >= 0) & (slots < n), slots >= n
        out[old], out[new] = self.base.keys[slots[old]], self.delta.keys[slots[new] - n]
        return out

    def vectors(self, slots: Rows) -> Floats:
        """Return the vectors of slots, (m, inner)."""
        n = len(self.base)
        out = np.empty((len(slots), self.space.inner), np.float32)
        old = slots < n
        out[old], out[~old] = self.base.x[slots[old]], self.delta.vectors[slots[~old] - n]
        return out

    def allowed(self, keys: Rows) -> Mask:
        """Return which slots have one of these keys."""
        out = np.zeros(len(self.base) + len(self.delta.ids), bool)
        for at, own in ((0, self.base.keys), (len(self.base), self.delta.keys)):
            if len(own):  # both ascend
                places = np.searchsorted(own, keys).clip(max=len(own) - 1)
                out[at + places[own[places] == keys]] = True
        return out

    def count(self, allowed: Mask | None) -> int:
        """Return how many live, of those allowed."""
        if allowed is None:
            return len(self)
        n = len(self.base)
        return int((self.live & allowed[:n]).sum() + (self.delta.live & allowed[n:]).sum())

    # ------------------------------------------------------------ searching

    def exact(self, queries: Floats, k: int, allowed: Mask | None = None) -> Found:
        """Return the true neighbours."""
        live = self.live if allowed is None else self.live & allowed[: len(self.base)]
        rows = None if live.all() else np.flatnonzero(live)
        return self._with_delta(queries, k, allowed, *nearest(self.base.x, queries, k, rows), "exact", 0)

    def search(
        self, queries: Floats, k: int, allowed: Mask | None = None, effort: float | None = None
    ) -> Found:
        """Return neighbours as the parameters say, with `effort` in place of the state's own."""
        n = len(self.base)
        live = self.live if allowed is None else self.live & allowed[:n]
        count = self.alive if allowed is None else int(live.sum())
        if self.answers_exactly(count, k, filtered=allowed is not None):
            squared, rows = nearest(self.base.x, queries, k, None if count == n else np.flatnonzero(live))
            how = (
                f"exact over the {count:,} vectors that the filter keeps" if allowed is not None else "exact"
            )
            return self._with_delta(queries, k, allowed, squared, rows, how, 0)
        parts, fetched = [], 0
        for at in range(0, len(queries), _BLOCK):
            rows, most = self._fetch(queries[at : at + _BLOCK], k, live, count, effort or self.effort)
            parts.append(rows)
            fetched = max(fetched, most)
        rows = np.concatenate(parts) if parts else np.empty((0, k), np.int64)
        squared = np.full(rows.shape, np.inf)
        for at in range(0, len(rows), _BLOCK):
            part = rows[at : at + _BLOCK]
            exact = measured(queries[at : at + _BLOCK], self.base.x[part.clip(min=0)])
            squared[at : at + _BLOCK] = np.where(part < 0, np.inf, exact)
        how = building.label(self.params(effort))
        return self._with_delta(queries, k, allowed, squared, rows, how, fetched)

    def answers_exactly(self, count: int, k: int, *, filtered: bool) -> bool:
        """Say whether so many vectors of the built part are better compared one by one."""
        if self.base.index is None or count <= 4 * k:
            return True
        return filtered and count <= max(EXACT_ROWS, EXACT_PART * len(self.base))

    def params(self, effort: float | None = None) -> Params:
        """Return the parameters searched with: nprobe, ef and refine times the effort."""
        return harder(self.base.params, effort or self.effort)

    def _fetch(self, queries: Floats, k: int, live: Mask, count: int, effort: float) -> tuple[Rows, int]:
        """Return the first k living rows of each query, fetching more where many are dead or filtered out."""
        n, whole = len(self.base), count == len(self.base)
        out = np.full((len(queries), k), -1, np.int64)
        todo, want = np.arange(len(queries)), k if whole else math.ceil(1.3 * k * n / count) + 4
        while True:
            want = min(want, n)
            asked = np.ascontiguousarray(queries[todo])
            _, rows = building.search(self.base.index, harder(self.base.params, effort), asked, want)
            good = rows >= 0 if whole else (rows >= 0) & live[rows]
            order = np.argsort(~good, axis=1, kind="stable")[:, :k]
            width = order.shape[1]
            taken = np.take_along_axis(rows, order, 1)
            out[todo, :width] = np.where(np.take_along_axis(good, order, 1), taken, -1)
            todo = todo[good.sum(axis=1) < k]
            if not len(todo):
                return out, want
            if want >= n // 4 or effort > 64:
                _, exact = nearest(self.base.x, queries[todo], k, np.flatnonzero(live))
                out[todo, : exact.shape[1]] = exact
                return out, want
            want, effort = 4 * want, 4 * effort

    def _with_delta(
        self, queries: Floats, k: int, allowed: Mask | None, squared: Squares, rows: Rows, how: str, most: int
    ) -> Found:
        n = len(self.base)
        if len(self.delta):
            more, found = self.delta.search(queries, k, None if allowed is None else allowed[n:])
            squared, rows = np.concatenate([squared, more], 1), np.concatenate([rows, found + n], 1)
        if squared.shape[1] < k:
            wide = ((0, 0), (0, k - squared.shape[1]))
            squared = np.pad(squared, wide, constant_values=np.inf)
            rows = np.pad(rows, wide, constant_values=-1)
        order = np.lexsort((rows, squared), axis=1)[:, :k]
        return Found(np.take_along_axis(squared, order, 1), np.take_along_axis(rows, order, 1), how, most)

    # ------------------------------------------------------------ changing

    def with_effort(self, effort: float) -> State:
        """Return the same, searched with another effort."""
        return replace(self, effort=effort)


def harder(params: Params, effort: float) -> Params:
    """Return parameters that scan `effort` times as much.

    Examples
    --------
    >>> harder(Params(family="ivf", nlist=64, nprobe=8), 2).nprobe
    16
    """
    if effort == 1.0:
        return params
    change: dict[str, Any] = {}
    if params.nprobe:
        change["nprobe"] = min(math.ceil(params.nprobe * effort), params.nlist or params.nprobe)
    if params.ef_search:
        change["ef_search"] = math.ceil(params.ef_search * effort)
    if params.refine:
        change["refine"] = params.refine * effort
    return params.model_copy(update=change)


def can_try_harder(params: Params) -> bool:
    """Say whether there is anything to turn: flat codes without refinement have nothing."""
    return bool(params.nprobe or params.ef_search or params.refine)
