"""What a search found: ids and distances by query, and their metadata when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Gives the metadata of ids, one row for each, in their order.
Fetch = Callable[[list[Any]], "pd.DataFrame"]


@dataclass
class Hits:
    """The neighbours of some queries, the nearest first.

    Parameters
    ----------
    ids : numpy.ndarray
        (queries, k) objects: ids, int or str; None where fewer than `k` were found.
    distances : numpy.ndarray
        (queries, k) float64, smaller is nearer whatever the metric: Euclidean, 1 - cosine, or the negative inner
        product; NaN where `ids` is None.
    note : str
        Why there are fewer than `k`, in a sentence; empty when there is nothing to say.
    fetch : callable, optional
        Gives the metadata of a list of ids; asked when `metadata` is first read.

    Examples
    --------
    >>> hits = Hits.of([[("a", 0.1), ("b", 0.4)], [("b", 0.2)]], k=2)
    >>> hits.ids.tolist(), hits.count.tolist()
    ([['a', 'b'], ['b', None]], [2, 1])
    """

    ids: np.ndarray
    distances: np.ndarray
    note: str = ""
    fetch: Fetch | None = field(default=None, repr=False, compare=False)
    _metadata: pd.DataFrame | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls, rows: Sequence[Sequence[tuple[Any, float]]], k: int, note: str = "", fetch: Fetch | None = None
    ) -> Hits:
        """Return hits from a list of (id, distance) for each query, the nearest first; filled up to `k`."""
        import numpy as np

        ids = np.full((len(rows), k), None, dtype=object)
        distances = np.full((len(rows), k), np.nan)
        for i, row in enumerate(rows):
            for j, (found, distance) in enumerate(row[:k]):
                ids[i, j], distances[i, j] = found, distance
        return cls(ids, distances, note, fetch)

    @property
    def count(self) -> np.ndarray:
        """How many neighbours each query has."""
        found: np.ndarray = self._there.sum(axis=1)
        return found

    @property
    def _there(self) -> np.ndarray:
        import numpy as np

        return np.array([i is not None for i in self.ids.ravel()], dtype=bool).reshape(self.ids.shape)

    @property
    def metadata(self) -> pd.DataFrame:
        """The metadata, a row for each neighbour found, indexed by `query` and `rank`, both from 0."""
        import numpy as np
        import pandas as pd

        if self._metadata is None:
            there = self._there
            index = pd.MultiIndex.from_arrays(list(np.nonzero(there)), names=["query", "rank"])
            found = self.fetch(self.ids[there].tolist()) if self.fetch is not None else None
            frame = pd.DataFrame(index=index) if found is None else found.set_axis(index, axis="index")
            self._metadata = frame
        return self._metadata

    def frame(self) -> pd.DataFrame:
        """Return ids and distances as a data frame, the metadata beside them.

        A column of the metadata that is itself called `id` or `distance` is given as `metadata.id`.
        """
        import pandas as pd

        there = self._there
        beside = self.metadata.rename(columns={c: f"metadata.{c}" for c in ("id", "distance")})
        first = pd.DataFrame({"id": self.ids[there], "distance": self.distances[there]}, index=beside.index)
        return pd.concat([first, beside], axis=1)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[list[tuple[Any, float]]]:
        """Give each query's neighbours as a list of (id, distance)."""
        for ids, distances in zip(self.ids, self.distances, strict=True):
            yield [(i, float(d)) for i, d in zip(ids, distances, strict=True) if i is not None]
