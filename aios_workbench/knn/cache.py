"""Answers kept by similarity: a question almost like one asked before is answered without asking again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.knn.hits import Hits


@dataclass(frozen=True)
class Cached:
    """An answer from the cache: the value, how alike the question it was kept for is, and its age in seconds."""

    value: Any
    similarity: float
    age: float


@dataclass
class CacheCounts:
    """What a cache has done: `expired` counts answers too old, `refreshed` those dropped with their model."""

    hits: int = 0
    misses: int = 0
    expired: int = 0
    refreshed: int = 0


class SimilarityCache:
    """Answers by embedding vector, given again for vectors at least `threshold` alike (cosine).

    Parameters
    ----------
    model : str
        The embedding model as ``name@version``. Vectors of two models mean nothing to each other, so everything is
        dropped when `model` is set to another one, and a vector said to be another model's is refused.
    ttl : float
        Seconds an answer stays good.
    threshold : float
        Cosine similarity from which two questions count as one.
    size : int
        Answers kept at most; the one not used for longest goes first.
    clock : callable
        Gives the time in seconds.

    Examples
    --------
    >>> cache = SimilarityCache("minilm@2", ttl=600, threshold=0.95)
    >>> cache.put([1.0, 0.0], "refund within 14 days")
    >>> cache.get([0.99, 0.05]).value, cache.get([0.0, 1.0])
    ('refund within 14 days', None)
    >>> cache.model = "minilm@3"
    >>> cache.get([1.0, 0.0]) is None
    True
    """

    def __init__(
        self,
        model: str,
        *,
        ttl: float = 3600.0,
        threshold: float = 0.97,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not ttl > 0:
            raise ParameterError(f"ttl is {ttl!r} seconds; give a positive number")
        if not 0 < threshold <= 1:
            raise ParameterError(
                f"threshold is {threshold!r}; give a cosine similarity above 0 and at most 1"
            )
        if size < 1:
            raise ParameterError(f"size is {size!r}; keep at least one answer")
        self.ttl, self.threshold, self.size = float(ttl), float(threshold), int(size)
        self.counts = CacheCounts()
        self._model = _named(model)
        self._clock = clock
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._vectors: npt.NDArray[np.float32] | None = None
        self._entries: list[tuple[Any, Any, float]] = []  # scope, value, when
        self._used: list[int] = []
        self._tick = 0

    @property
    def model(self) -> str:
        """The embedding model whose vectors these are; setting another one empties the cache."""
        return self._model

    @model.setter
    def model(self, model: str) -> None:
        with self._lock:
            if _named(model) != self._model:
                self.counts.refreshed += len(self._entries)
                self._model = model
                self._clear()

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._clear()

    def get(self, vector: npt.ArrayLike, *, scope: Any = None, model: str | None = None) -> Cached | None:
        """Return the answer to the most similar question, None when there is none alike enough and young enough.

        Parameters
        ----------
        vector : array_like
            (d,) the question's embedding.
        scope : hashable, optional
            Only answers kept under an equal scope count (a filter, a user, a tenant).
        model : str, optional
            The model that made the vector, when the caller knows: one other than the cache's is refused.
        """
        import numpy as np

        unit = self._unit(vector, model)
        with self._lock:
            self._drop_old()
            if self._vectors is None or not self._entries:
                self.counts.misses += 1
                return None
            alike = self._vectors[: len(self._entries)] @ unit
            for i in np.argsort(-alike, kind="stable"):
                if alike[i] < self.threshold:
                    break
                kept, value, at = self._entries[i]
                if kept == scope:
                    self._touch(int(i))
                    self.counts.hits += 1
                    return Cached(value, min(1.0, float(alike[i])), self._clock() - at)
            self.counts.misses += 1
            return None

    def put(self, vector: npt.ArrayLike, value: Any, *, scope: Any = None, model: str | None = None) -> None:
        """Keep an answer. One kept for the same vector and scope is replaced."""
        import numpy as np

        unit = self._unit(vector, model)
        with self._lock:
            self._drop_old()
            at = len(self._entries)
            if self._vectors is None:
                self._vectors = np.empty((min(self.size, 64), len(unit)), np.float32)
            same = np.flatnonzero((self._vectors[:at] == unit).all(axis=1))
            place = next((int(i) for i in same if self._entries[i][0] == scope), None)
            if place is None and at == self.size:
                place = int(np.argmin(self._used))
            if place is None:
                place = at
                if at == len(self._vectors):
                    more = np.empty((min(self.size, 2 * at), len(unit)), np.float32)
                    more[:at] = self._vectors
                    self._vectors = more
                self._entries.append((None, None, 0.0))
                self._used.append(0)
            self._vectors[place] = unit
            self._entries[place] = (scope, value, self._clock())
            self._touch(place)

    def search(self, index: Any, query: npt.ArrayLike, k: int = 10, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the hits of one query, from the cache when an almost equal one was asked of the same index.

        An answer is given again only while the index has not changed: what was removed is never found.
        """
        scope = (id(index), index.version, k, filter)
        kept = self.get(query, scope=scope)
        if kept is not None:
            found: Hits = kept.value
            return found
        found = index.search(query, k, filter=filter)
        self.put(query, found, scope=scope)
        return found

    def _unit(self, vector: npt.ArrayLike, model: str | None) -> npt.NDArray[np.float32]:
        import numpy as np

        if model is not None and _named(model) != self._model:
            raise KnnInputError(
                f"this vector is of {model!r}, the cache of {self._model!r}; set cache.model = {model!r}, which "
                "empties it, or keep a cache for each model"
            )
        found = np.asarray(vector, np.float32).reshape(-1)
        length = float(np.linalg.norm(found))
        if not np.isfinite(length) or length == 0:
            raise KnnInputError("the question's vector is zero, NaN or infinite; nothing is similar to it")
        if self._vectors is not None and len(found) != self._vectors.shape[1]:
            raise KnnInputError(
                f"the vector has {len(found)} dimensions, the cache's have {self._vectors.shape[1]}: was the "
                "embedding model changed? Set cache.model to its name@version"
            )
        return found / np.float32(length)

    def _touch(self, place: int) -> None:
        self._tick += 1
        self._used[place] = self._tick

    def _drop_old(self) -> None:
        now = self._clock()
        young = [i for i, (_, _, at) in enumerate(self._entries) if now - at < self.ttl]
        if len(young) == len(self._entries) or self._vectors is None:
            return
        self.counts.expired += len(self._entries) - len(young)
        self._vectors[: len(young)] = self._vectors[young]
        self._entries = [self._entries[i] for i in young]
        self._used = [self._used[i] for i in young]


def _named(model: str) -> str:
    name, _, version = str(model).partition("@")
    if not name or not version:
        raise ParameterError(
            f"model is {model!r}; give the embedding model as name@version, such as minilm@2"
        )
    return model
