"""What was added since the last build: searched exactly, so an insert is found at once and costs no recall.

A `Delta` never changes: adding and removing give another one, and a search goes on with the one it began with.
Vectors are in the internal space (see `space`). Distances there are squared L2 as ``|q|^2 + |x|^2 - 2 q.x`` with
`|x|^2` held beside the vectors: for inner product it is the space's constant for every vector, so that one longer
than the space has room for is ranked rightly too, until the next rebuild makes a larger space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Squares = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Vectors compared at once: 16 MB of 256 dimensions.
_BLOCK = 16_384
#: Candidates more than asked for, because a product in float32 ranks near ties wrongly.
_SPARE = 8


def measured(queries: Floats, vectors: npt.NDArray[Any], squares: npt.NDArray[Any] | None = None) -> Squares:
    """Return squared distances of (n, d) queries to (n, m, d) vectors in float64."""
    q, v = queries.astype(np.float64), vectors.astype(np.float64)
    if squares is None:
        difference = v - q[:, None]
        return np.asarray(np.einsum("nmd,nmd->nm", difference, difference))
    own = np.einsum("nd,nd->n", q, q)
    return np.asarray(own[:, None] + squares - 2 * np.einsum("nmd,nd->nm", v, q))


def nearest(
    x: npt.NDArray[Any], queries: Floats, k: int, rows: Rows | None = None, squares: Squares | None = None
) -> tuple[Squares, Rows]:
    """Return the exact `k` nearest of `x`, or of its `rows`, in blocks that need little memory.

    Parameters
    ----------
    x : ndarray
        (n, d), may be memory-mapped.
    rows : ndarray, optional
        Ascending row numbers to look at; all without it.
    squares : ndarray, optional
        (n,) what counts as the squared length of each vector.

    Returns
    -------
    squared : ndarray
        (queries, min(k, number of rows)) float64, ascending.
    found : ndarray
        Rows of `x`.

    Examples
    --------
    >>> x = np.array([[0, 0], [3, 4], [1, 0]], np.float32)
    >>> squared, found = nearest(x, x[:1], 2)
    >>> squared.tolist(), found.tolist()
    ([[0.0, 1.0]], [[0, 2]])
    """
    n = len(x) if rows is None else len(rows)
    want = min(k, n)
    if want == 0 or not len(queries):
        return np.zeros((len(queries), want)), np.zeros((len(queries), want), np.int64)
    keep = min(want + _SPARE, n)
    shift = _far(x if squares is None else x[:0], rows)
    asked = queries if shift is None else queries - shift
    scores = np.empty((len(queries), 0), np.float32)
    found = np.empty((len(queries), 0), np.int64)
    for at in range(0, n, _BLOCK):
        some = np.arange(at, min(at + _BLOCK, n)) if rows is None else rows[at : at + _BLOCK]
        part = x[at : at + _BLOCK] if rows is None else x[some]
        part = part if shift is None else part - shift
        own = np.einsum("ij,ij->i", part, part) if squares is None else squares[some]
        # |q|^2 is the same for all vectors of a query: left out of the ranking
        score = own.astype(np.float32) - 2 * (asked @ part.T)
        best = _smallest(score, keep)
        scores = np.concatenate([scores, np.take_along_axis(score, best, 1)], 1)
        found = np.concatenate([found, some[best]], 1)
        if scores.shape[1] > keep:
            best = _smallest(scores, keep)
            scores, found = np.take_along_axis(scores, best, 1), np.take_along_axis(found, best, 1)
    exact = np.empty(found.shape)
    step = max(1, 2**22 // (keep * x.shape[1]))  # 32 MB of float64 at a time
    for at in range(0, len(queries), step):
        mine = found[at : at + step]
        exact[at : at + step] = measured(
            queries[at : at + step], x[mine], None if squares is None else squares[mine]
        )
    order = np.lexsort((found, exact), axis=1)[:, :want]
    return np.take_along_axis(exact, order, 1), np.take_along_axis(found, order, 1)


def _far(x: npt.NDArray[Any], rows: Rows | None) -> Floats | None:
    """Return the middle of vectors that lie close together far from the origin, where float32 would cancel."""
    n = len(x) if rows is None else len(rows)
    if not len(x) or not n:
        return None
    places = np.linspace(0, n - 1, min(n, 64)).astype(np.int64)
    some = np.asarray(x[places if rows is None else rows[places]], np.float64)
    middle = some.mean(axis=0)
    spread = ((some - middle) ** 2).sum(axis=1).mean()
    return middle.astype(np.float32) if (middle**2).sum() > 1000 * spread else None


def _smallest(scores: npt.NDArray[Any], keep: int) -> Rows:
    if scores.shape[1] <= keep:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(scores, keep - 1, axis=1)[:, :keep]


@dataclass
class _Shared:
    """Arrays with room behind what is used; those of an older `Delta` look at the front only."""

    vectors: Floats
    squares: Squares
    keys: Rows
    used: int = 0


@dataclass(frozen=True)
class Delta:
    """Vectors with their ids and keys, in the order they came; `live` is False for what was removed.

    Examples
    --------
    >>> delta = Delta.empty(2).with_added(["a", "b"], np.eye(2, dtype=np.float32), np.ones(2), np.array([7, 8]))
    >>> gone = delta.without(np.array([0]))
    >>> len(delta), len(gone), gone.search(np.eye(2, dtype=np.float32)[:1], 5)[1].tolist()
    (2, 1, [[1]])
    """

    ids: npt.NDArray[Any]
    live: Mask
    _shared: _Shared = field(repr=False)

    @classmethod
    def empty(cls, inner: int) -> Delta:
        """Return one with nothing in it, for vectors of `inner` dimensions."""
        none = _Shared(np.empty((0, inner), np.float32), np.empty(0), np.empty(0, np.int64))
        return cls(np.empty(0, object), np.empty(0, bool), none)

    @property
    def vectors(self) -> Floats:
        """(rows, inner), the dead ones too."""
        return self._shared.vectors[: len(self.ids)]

    @property
    def squares(self) -> Squares:
        """What counts as the squared length of each."""
        return self._shared.squares[: len(self.ids)]

    @property
    def keys(self) -> Rows:
        """The number each was given when it came: ascending, never given twice."""
        return self._shared.keys[: len(self.ids)]

    def __len__(self) -> int:
        return int(self.live.sum())

    def with_added(
        self, ids: Sequence[Any] | npt.NDArray[Any], vectors: Floats, squares: npt.NDArray[Any], keys: Rows
    ) -> Delta:
        """Return one with these behind. Only the newest of a family may grow: writers take turns."""
        old, at, n = self._shared, len(self.ids), len(ids)
        if old.used != at:
            raise AssertionError("an older state of the delta cannot grow")
        shared = old if at + n <= len(old.keys) else _grown(old, at + n)
        shared.vectors[at : at + n] = vectors
        shared.squares[at : at + n] = squares
        shared.keys[at : at + n] = keys
        shared.used = at + n
        more = np.empty(n, object)
        more[:] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)  # no numpy scalars
        return Delta(np.concatenate([self.ids, more]), np.concatenate([self.live, np.ones(n, bool)]), shared)

    def without(self, rows: Rows) -> Delta:
        """Return one in which these rows are dead."""
        live = self.live.copy()
        live[rows] = False
        return Delta(self.ids, live, self._shared)

    def after(self, row: int) -> Delta:
        """Return one of the rows from `row` on, on arrays of its own."""
        inner = self.vectors.shape[1]
        return Delta.empty(inner).with_added(
            self.ids[row:], self.vectors[row:], self.squares[row:], self.keys[row:]
        ).without(np.flatnonzero(~self.live[row:]))  # fmt: skip

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Squares, Rows]:
        """Return the exact `k` nearest of the living, or of those `allowed`; fewer when there are no more."""
        live = self.live if allowed is None else self.live & allowed
        rows = None if live.all() else np.flatnonzero(live)
        return nearest(self.vectors, queries, k, rows, self.squares)


def _grown(old: _Shared, need: int) -> _Shared:
    room = max(256, need, 2 * len(old.keys))
    new = _Shared(
        np.empty((room, old.vectors.shape[1]), np.float32), np.empty(room), np.empty(room, np.int64), old.used
    )
    for name in ("vectors", "squares", "keys"):
        getattr(new, name)[: old.used] = getattr(old, name)[: old.used]
    return new
