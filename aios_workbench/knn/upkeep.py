"""Keeping an index good while vectors come and go: taking in the buffer, building anew, checking recall.

Nothing here changes an index: each function returns what could take its place.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aios_workbench.errors import ParameterError
from aios_workbench.knn import build as building
from aios_workbench.knn.delta import Delta, Floats, Mask, Rows, Squares
from aios_workbench.knn.models import Params
from aios_workbench.knn.space import Space
from aios_workbench.knn.state import Base, State, can_try_harder

#: What the effort may be turned to; from 1 on, so that a retuned index never finds less than a tuned one.
EFFORTS = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0)
#: So few vectors are searched exactly: training on them is no use.
SMALL = 1_000
#: Built anew, not merely added to, when so many rows of the built part are dead, or it has grown so much.
DEAD_PART, GROWN = 0.3, 2.0

#: Why a family is not added to. Graphs: a new region far from the old one is never reached from it (measured).
_NO_INSERTS = {
    "nsg": "an NSG graph cannot take inserts",
    "hnsw": "an HNSW graph takes inserts, but does not find those far from what it had, and deletes nothing",
}


def no_inserts(params: Params) -> str | None:
    """Return why an index of these parameters is not added to; None when it is."""
    return _NO_INSERTS.get(params.family)


@dataclass(frozen=True)
class Recall:
    """A recall measured against exact search, a mean over `queries` queries with bounds (95 %)."""

    recall: float
    low: float
    high: float
    queries: int

    @classmethod
    def of(cls, recalls: npt.NDArray[Any] | Sequence[float]) -> Recall:
        """Return the mean of recalls of single queries."""
        values = np.asarray(recalls, float)
        if not len(values):
            return cls(1.0, 0.0, 1.0, 0)
        mean, error = float(values.mean()), standard_error(values)
        return cls(mean, max(0.0, mean - 1.96 * error), min(1.0, mean + 1.96 * error), len(values))


def standard_error(values: npt.NDArray[Any]) -> float:
    """Return the standard error of a mean of recalls; never 0, because 20 perfect queries prove little."""
    n = len(values)
    mean = (values.sum() + 0.5) / (n + 1)  # as if one more query had been half right
    return math.sqrt(max(float(values.var()), mean * (1 - mean) / 10) / n)


def recalls(found: Squares, truth: Squares) -> npt.NDArray[np.float64]:
    """Return the recall of each query by distance: of equally near vectors any is right."""
    there = np.isfinite(truth)
    if not truth.size:
        return np.ones(len(truth))
    worst = np.where(there, truth, -np.inf).max(axis=1, keepdims=True)
    worst[~np.isfinite(worst)] = 0.0  # nothing to find
    hits = found <= worst + 1e-9 + 1e-6 * np.abs(worst)
    total = there.sum(axis=1)
    return np.where(total > 0, np.minimum(hits.sum(axis=1), total) / np.maximum(total, 1), 1.0)


@dataclass(frozen=True)
class Probes:
    """Queries to check recall with; `own` is the slot of a query that is itself a vector, else -1."""

    queries: Floats
    own: Rows

    def without_own(self, squared: Squares, slots: Rows, k: int) -> Squares:
        """Return the distances of `k` neighbours other than the query itself, out of k + 1."""
        mine = (slots == self.own[:, None]) & (self.own >= 0)[:, None]
        return np.sort(np.where(mine, np.inf, squared), axis=1)[:, :k]


def probes(state: State, asked: Sequence[Floats], count: int = 200, seed: int = 0) -> Probes:
    """Return queries asked lately, filled up with vectors, half of them of the newest."""
    live = [q[None] for q in asked if q.shape == (state.space.inner,)][-count // 2 :]
    rest, r, slots = count - len(live), np.random.default_rng(seed), state.slots
    new = slots[-max(rest // 2, len(state.delta)) :]
    picked = [
        r.choice(p, min(n, len(p)), replace=False) for p, n in ((new, rest // 2), (slots, rest - rest // 2))
    ]
    own = np.unique(np.concatenate(picked)) if len(slots) else np.empty(0, np.int64)
    vectors = state.vectors(own)
    if state.space.metric == "ip":  # a query lies elsewhere than the vector: scaled, and not lifted
        d = state.space.dimensions
        fine = vectors[:, :d].any(axis=1)
        own, vectors = own[fine], state.space.queries(vectors[fine, :d]) if fine.any() else vectors[fine]
        own = np.full(len(own), -1)  # under inner product a vector need not be its own nearest
    queries = np.concatenate([*live, vectors]).astype(np.float32)
    return Probes(queries, np.concatenate([np.full(len(live), -1), own]))


def check(
    state: State, given: Probes, k: int, allowed: Mask | None = None, effort: float | None = None
) -> npt.NDArray[np.float64]:
    """Return the recall of each probe against exact search."""
    truth = state.exact(given.queries, k + 1, allowed)
    found = state.search(given.queries, k + 1, allowed, effort)
    return recalls(
        given.without_own(found.squared, found.slots, k), given.without_own(truth.squared, truth.slots, k)
    )


def calibrate(
    state: State, given: Probes, k: int, goal: float, allowed: Mask | None = None
) -> tuple[float, Recall, bool]:
    """Return the least effort whose recall, less a standard error, reaches `goal`; its recall; whether it does."""
    truth = state.exact(given.queries, k + 1, allowed)
    wanted = given.without_own(truth.squared, truth.slots, k)
    best: tuple[float, Recall, bool] | None = None
    for effort in EFFORTS if can_try_harder(state.base.params) else EFFORTS[:1]:
        found = state.search(given.queries, k + 1, allowed, effort)
        each = recalls(given.without_own(found.squared, found.slots, k), wanted)
        now = Recall.of(each)
        if now.recall == 1.0 or now.recall - standard_error(each) >= goal:
            return effort, now, True
        if best is None or now.recall > best[1].recall + 1e-4:
            best = (effort, now, False)
    assert best is not None
    # a mean that reaches the goal without the margin is an answer where nothing can be turned further
    return best[0], best[1], best[1].recall >= goal


# ---------------------------------------------------------------- taking in and building anew


@dataclass(frozen=True)
class Renewed:
    """A state to put in place of another one, and the slot there of each of its rows."""

    state: State
    origin: Rows
    said: str


def grows(state: State) -> bool:
    """Say whether the built part can take the buffer in; else it has to be built anew."""
    base = state.base
    total = len(base) + len(state.delta)
    return (
        base.index is not None
        and no_inserts(base.params) is None
        and len(base) - state.alive <= DEAD_PART * len(base)
        and total <= GROWN * base.trained
        and fits(state)
    )


def fits(state: State) -> bool:
    """Say whether the space has room for all vectors of the buffer; see `Delta`."""
    if state.space.metric != "ip" or not len(state.delta.ids):
        return True
    return state.space.fits(state.delta.vectors[:, : state.space.dimensions])


def take_in(state: State, folder: Path | None = None) -> Renewed:
    """Add the buffer to a copy of the built part: lists and codebooks stay as they were trained."""
    import faiss

    base, n = state.base, len(state.base)
    new = np.flatnonzero(state.delta.live)
    vectors = np.ascontiguousarray(state.delta.vectors[new])
    # not clone_index: it does not know RaBitQ fast scan; and a copy owns memory that a mapped index only looks at
    index = faiss.deserialize_index(faiss.serialize_index(base.index))
    index.add(vectors)
    live = np.concatenate([state.live, np.ones(len(new), bool)])
    grown = Base(
        x=stored([base.x, vectors], state.space.inner, folder), ids=_joined(base.ids, state.delta.ids[new]),
        keys=np.concatenate([base.keys, state.delta.keys[new]]), index=index, params=base.params,
        trained=base.trained, seed=base.seed, dead=np.flatnonzero(~live),
    )  # fmt: skip
    origin = np.concatenate([np.arange(n), n + new])
    fresh = replace(state, base=grown, live=live, delta=Delta.empty(state.space.inner))
    return Renewed(fresh, origin, f"took in {len(new):,} vectors")


def rebuild(
    state: State, params: Params, tuned_for: int, *, threads: int | None = None, folder: Path | None = None
) -> Renewed:
    """Build anew from all that lives; for inner product in a larger space when a vector needs it."""
    slots = state.slots
    n, base_rows = len(state.base), slots[slots < len(state.base)]
    new = slots[slots >= n] - n
    space, change = state.space, None
    if not fits(state):
        longest = float(np.linalg.norm(state.delta.vectors[:, : space.dimensions], axis=1).max())
        space = Space.sized("ip", space.dimensions, max(longest, space.bound))
        change = space
    parts = [_Some(state.base.x, base_rows, change), _Some(state.delta.vectors, new, change)]
    x = stored(parts, space.inner, folder)
    seed = state.base.seed
    fitted, index = sized(params, tuned_for, len(slots)), None
    if len(slots) >= SMALL:
        index = building.build(fitted, x, seed=seed, threads=threads).index
    made = Base(
        x=x, ids=_joined(state.base.ids[base_rows], state.delta.ids[new]),
        keys=np.concatenate([state.base.keys[base_rows], state.delta.keys[new]]), index=index, params=fitted,
        trained=len(slots), seed=seed,
    )  # fmt: skip
    fresh = State(
        made, np.ones(len(slots), bool), Delta.empty(space.inner), space, state.effort, state.version
    )
    return Renewed(fresh, slots, f"built anew from {len(slots):,} vectors")


def sized(params: Params, before: int, now: int) -> Params:
    """Return parameters for another number of vectors: lists grow with its square root, as do those probed.

    Examples
    --------
    >>> sized(Params(family="ivf", nlist=64, nprobe=8), 10_000, 160_000).nlist
    256
    """
    if params.family != "ivf" or not params.nlist or not before or not now or 0.5 <= now / before <= 2.0:
        return params
    factor = 2.0 ** round(math.log2(math.sqrt(now / before)))
    lists = max(1, min(round(params.nlist * factor), now // 20 or 1))
    probed = max(1, min(lists, math.ceil((params.nprobe or 1) * lists / params.nlist)))
    return params.model_copy(update={"nlist": lists, "nprobe": probed})


@dataclass(frozen=True)
class _Some:
    """Some rows of vectors, in another space when one is given."""

    x: npt.NDArray[Any]
    rows: Rows
    space: Space | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self.x[self.rows[part]]
        return found if self.space is None else self.space.vectors(found[:, : self.space.dimensions])


def stored(parts: Sequence[Any], inner: int, folder: Path | None = None) -> npt.NDArray[Any]:
    """Return parts one behind the other, in a file that is mapped and has no name any more: gone with the array."""
    total = sum(map(len, parts))
    if not total:
        return np.empty((0, inner), np.float32)
    with tempfile.NamedTemporaryFile(prefix="aios-knn-", suffix=".npy", dir=folder) as file:
        out = np.lib.format.open_memmap(file.name, "w+", np.float32, (total, inner))
        at, step = 0, max(1, 2**24 // (4 * inner))
        for part in parts:
            for start in range(0, len(part), step):
                some = part[start : start + step]
                out[at : at + len(some)] = some
                at += len(some)
        with contextlib.suppress(OSError):
            out.flush()
    return out


def _joined(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([a, b.astype(a.dtype)])


def check_params(params: Params) -> None:
    """Refuse parameters that cannot be searched with."""
    if params.family == "ivf" and not (params.nlist and params.nprobe):
        raise ParameterError("an ivf index needs nlist and nprobe; take them from a tuning's point")
