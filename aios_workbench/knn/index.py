"""An index in life: searched, added to, removed from, watched, saved, and kept good while all that goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn import build as building
from aios_workbench.knn import packing, upkeep
from aios_workbench.knn.beside import make_ids
from aios_workbench.knn.delta import Delta, Floats, Mask, Rows
from aios_workbench.knn.gate import Verdict, check_recall
from aios_workbench.knn.hits import Hits
from aios_workbench.knn.keeping import Kept
from aios_workbench.knn.metadata import Metadata, as_table
from aios_workbench.knn.models import Params
from aios_workbench.knn.rows import as_rows
from aios_workbench.knn.space import Space
from aios_workbench.knn.state import Base, Found, State
from aios_workbench.knn.watching import Alert, Watch

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.knn.explain import Explanation
    from aios_workbench.knn.vectors import Vectors

#: The buffer is taken in when it has more rows than this, and than this part of the index.
DELTA_ROWS, DELTA_PART = 2_000, 0.05
_FILTERS = 32
#: Vectors that ask when recall is to be checked and no queries are given.
_CHECKED = 200


class Index(Kept):
    """Vectors, ids and metadata, searched approximately as a tuning found best; made by `build` or `load`.

    What is added is found at once: it waits in a buffer that is searched exactly. When that grows large, a thread
    takes it into the index, or builds the index anew where its family cannot take inserts, and puts the new one in
    the place of the old between two searches. Recall is then checked against exact search, and the effort (`nprobe`,
    `ef_search`, `refine`) turned up until it is what it was.

    All methods may be called from several threads.

    Attributes
    ----------
    params : Params
        As built; what is searched with is these times `effort`.
    target : float
        The recall to keep.
    notes : list of str
        What was done by itself, and why, the latest last.

    Examples
    --------
    >>> import tempfile
    >>> from aios_workbench.knn.vectors import open_vectors
    >>> x = np.random.default_rng(0).normal(size=(2000, 16))
    >>> vectors = open_vectors(x, metadata={"price": range(2000)}, folder=tempfile.mkdtemp())
    >>> index = Index.build(vectors, Params(family="ivf", nlist=32, nprobe=8))
    >>> index.search(x[:2], 1).ids.tolist()
    [[0], [1]]
    >>> index.add([5000], x[:1] + 0.001, {"price": [7]})
    >>> index.search(x[0], 2, filter="price < 10").ids.tolist()
    [[0, 5000]]
    >>> index.remove([0, 12345]), len(index)
    (1, 2000)
    """

    @classmethod
    def build(
        cls, vectors: Vectors, params: Params, *, recall: float = 0.95, k: int = 10, seed: int = 0,
        threads: int | None = None, built: Any = None, folder: str | Path | None = None,
    ) -> Index:  # fmt: skip
        """Build an index.

        Parameters
        ----------
        vectors : Vectors
            With their ids and metadata; see `open_vectors`.
        params : Params
            How; a tuning's point has them.
        recall : float
            What is to be kept while vectors come and go.
        k : int
            How many neighbours recall is about.
        built : Built or faiss.Index, optional
            Made of just these vectors and parameters already.
        folder : path, optional
            Where vectors are laid when the index is built anew; the system's temporary folder without it.

        Raises
        ------
        ParameterError
            When the parameters do not go with the vectors.
        """
        upkeep.check_params(params)
        x = vectors.inner
        if built is None:
            built = building.build(params, x, seed=seed, threads=threads)
        index = getattr(built, "index", built)
        n = len(x)
        base = Base(x, vectors.ids, np.arange(n), index, params, trained=n, seed=seed)
        state = State(base, np.ones(n, bool), Delta.empty(vectors.space.inner), vectors.space)
        metadata = Metadata()
        metadata.put(base.keys, vectors.metadata)
        return cls(state, metadata, params, target=recall, k=k, threads=threads, folder=folder)

    # ------------------------------------------------------------ asking

    @property
    def version(self) -> int:
        """A number that grows when vectors are added or removed."""
        return self._state.version

    @property
    def space(self) -> Space:
        """How vectors are held inside."""
        return self._state.space

    @property
    def effort(self) -> float:
        """What nprobe, ef_search and refine are multiplied by, since recall was last checked."""
        return self._state.effort

    @property
    def columns(self) -> list[str]:
        """Columns of the metadata, which filters may ask about."""
        return self._metadata.columns

    def __len__(self) -> int:
        return len(self._state)

    def count(self) -> int:
        """How many vectors there are."""
        return len(self._state)

    def __contains__(self, id_: object) -> bool:
        with self._lock:  # upkeep moves ids from the buffer into the built part
            state = self._state
            ids = np.array([id_], dtype=object)
            if _kind(ids) != self._kind(state):
                return False
            row = int(state.base.rows_of(ids)[0])
            return id_ in self._where or (row >= 0 and bool(state.live[row]))

    def __repr__(self) -> str:
        state = self._state
        label = building.label(state.params())
        return f"<Index of {len(state):,} vectors, {state.space.metric}: {label}; {len(state.delta):,} in the buffer>"

    def search(self, queries: npt.ArrayLike, k: int = 10, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the `k` nearest of each query.

        Parameters
        ----------
        queries : array_like
            (n, dimensions), or one query.
        k : int
            How many; fewer come back when there are no more, or when the filter keeps no more.
        filter : str, optional
            A condition on the metadata in SQL, such as ``price < 50 and color in ('red', 'blue')``.

        Raises
        ------
        KnnInputError
            When queries cannot be compared with the vectors, or the filter is no condition.
        """
        raw = as_rows(queries, "queries")
        k = checked_k(k)
        state, allowed = self._filters.allowed(self, filter)
        inside = state.space.queries(raw)
        effort = self._filters.effort(self, state, filter, allowed, inside, k)
        found = state.search(inside, k, allowed, effort)
        self._remember(state, inside, k, allowed, found)
        return self._hits(state, raw, k, filter, allowed, found)

    def exact(self, queries: npt.ArrayLike, k: int = 10, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the true nearest of each query, compared with every vector; otherwise as `search`."""
        raw = as_rows(queries, "queries")
        k = checked_k(k)
        state, allowed = self._filters.allowed(self, filter)
        found = state.exact(state.space.queries(raw), k, allowed)
        return self._hits(state, raw, k, filter, allowed, found)

    def explain(self, query: npt.ArrayLike, k: int = 10, filter: str | None = None) -> Explanation:  # noqa: A002
        """Return what a search for one query looks at, and what it misses and why; see `Explanation`."""
        from aios_workbench.knn.explain import explain

        raw = as_rows(query, "queries")
        if len(raw) != 1:
            raise KnnInputError(f"explain takes one query, these are {len(raw)}; give queries[0]")
        k = checked_k(k)
        state, allowed = self._filters.allowed(self, filter)
        inside = state.space.queries(raw)
        effort = self._filters.effort(self, state, filter, allowed, inside, k) or state.effort
        return explain(state, raw, inside, k, allowed, effort)

    def _hits(
        self, state: State, raw: Any, k: int, text: str | None, allowed: Mask | None, found: Found
    ) -> Hits:
        ids = state.ids(found.slots)
        keys = state.keys(found.slots)
        keys = keys[keys >= 0]
        note = ""
        if (there := state.count(allowed)) < k:
            note = f"the filter {text!r} keeps" if text is not None else "the index has"
            note = f"{note} {there or 'no'} vector{'s' * (there != 1)}, fewer than k = {k}"
        metadata = self._metadata

        def fetch(_: list[Any]) -> pd.DataFrame:
            return metadata.frame(keys)

        return Hits(ids, state.space.distances(found.squared, raw), note, fetch)

    def _remember(self, state: State, queries: Floats, k: int, allowed: Mask | None, found: Found) -> None:
        some = range(0, len(queries), max(1, len(queries) // 8))
        self._asked.extend(queries[i].copy() for i in some)
        for watch in list(self._watches):
            watch.offer(state, queries, k, allowed, found)

    # ------------------------------------------------------------ changing

    def add(self, ids: Any, vectors: npt.ArrayLike, metadata: Any = None) -> None:
        """Add vectors; those whose ids are there already take the place of the old ones, metadata and all.

        Parameters
        ----------
        ids : sequence of int or of str
            As those the index was built with.
        vectors : array_like
            (n, dimensions).
        metadata : table, optional
            A data frame, Arrow table, dict of columns or list of dicts, a row for each vector.

        Raises
        ------
        KnnInputError
            When something is wrong with them; nothing is added then.
        """
        raw = as_rows(vectors)
        found = self._ids(ids, len(raw))
        table = as_table(metadata, len(raw))
        if not len(raw):
            return
        self._write(found, raw, table)

    def remove(self, ids: Any) -> int:
        """Remove vectors; returns how many there were. Ids that are not there are no error."""
        wanted = [ids] if isinstance(ids, (int, str)) else list(ids)
        if not wanted:
            return 0
        found = self._ids(list(dict.fromkeys(wanted)), None)
        return self._erase(found)

    def _ids(self, ids: Any, n: int | None) -> npt.NDArray[Any]:
        ids = [ids] if isinstance(ids, (int, str)) else list(ids)
        if not ids and not n:
            return np.empty(0, object)
        found, _ = make_ids(ids, len(ids) if n is None else n)
        kind, own = _kind(found), self._kind(self._state)
        if own is not None and kind != own:
            raise KnnInputError(f"ids are {kind}, but those of this index are {own}; give them alike")
        if kind == "texts" and any("\ud800" <= c <= "\udfff" for i in found for c in i if not i.isascii()):
            raise KnnInputError("an id has half a character (a lone surrogate), which no file can hold")
        return found

    @staticmethod
    def _kind(state: State) -> str | None:
        ids = state.base.ids if len(state.base) else state.delta.ids
        return _kind(ids) if len(ids) else None

    def watch(
        self, on_alert: Callable[[Alert], object] | None = None, *, fraction: float = 0.01,
        target: float | None = None, window: int = 200, retune: bool = True, seed: int = 0,
    ) -> Watch:  # fmt: skip
        """Check a part of all queries against exact search, on a thread of its own; see `Watch`.

        Parameters
        ----------
        on_alert : callable, optional
            Called with an `Alert` when recall is below `target` beyond doubt.
        fraction : float
            Of the queries, chosen at random.
        target : float, optional
            The index's own without it.
        window : int
            How many of the latest checks count.
        retune : bool
            Turn the effort up after an alert, and build anew when that does not do.
        """
        watch = Watch(
            self,
            on_alert,
            fraction=fraction,
            target=target or self.target,
            window=window,
            retune=retune,
            seed=seed,
        )
        self._watches.add(watch)
        return watch

    def check(
        self, recall: float | None = None, queries: npt.ArrayLike | None = None, k: int | None = None, *,
        by: Literal["mean", "low", "high"] = "mean", fail: bool = True,
    ) -> Verdict:  # fmt: skip
        """Refuse to go on when this finds less than `recall`: in a step of a workflow, a gate; see `check_recall`.

        Parameters
        ----------
        recall : float, optional
            What is demanded; the index's own target without it.
        queries : array_like, optional
            (m, dimensions); without it 200 of the vectors ask for their neighbours.

        Raises
        ------
        RecallBelowTarget
            When it finds less.
        """
        state, own = self._state, None
        if queries is None:
            some = np.random.default_rng(0).permutation(state.slots)[:_CHECKED]
            queries, own = state.vectors(some)[:, : state.space.dimensions], state.ids(some)
        target = self.target if recall is None else recall
        return check_recall(
            self, target, queries, self.k if k is None else checked_k(k), by=by, own=own, fail=fail
        )

    # ------------------------------------------------------------ keeping

    def save(self, path: str | Path) -> None:
        """Save into a folder; what was there before stays until the new files are complete.

        Raises
        ------
        KnnError
            When it cannot be written (a full disk): an index saved there before is then as it was.
        """
        from aios_workbench.knn.files import save

        with self._lock:
            save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Index:
        """Load what `save` wrote; vectors stay in the file and are mapped into memory.

        Raises
        ------
        CorruptIndexError
            When a file is damaged, foreign, missing, or written by a newer version.
        NotFoundError
            When there is no index.
        """
        from aios_workbench.knn.files import load

        return cls(**load(Path(path)))

    def __reduce__(self) -> tuple[Callable[[bytes], Index], tuple[bytes]]:
        """Travel from step to step as the files of `save`: neither faiss nor any object of it is pickled."""
        return _unpack, (packing.packed(self.save),)

    def close(self) -> None:
        """Stop watching and wait for upkeep to end."""
        for watch in list(self._watches):
            watch.stop()
        thread = self._tending
        if thread is not None:
            thread.join()


def _kind(ids: npt.NDArray[Any]) -> str:
    return "texts" if isinstance(ids[0], str) else "whole numbers"


def checked_k(k: Any) -> int:
    """Refuse a k that is none."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k is {k!r}; give how many neighbours are wanted, a whole number from 1 on")
    return int(k)


def _unpack(data: bytes) -> Index:
    with packing.unpacked(data) as folder:
        return Index.load(folder)


def load(path: str | Path) -> Index:
    """Load an index that `Index.save` wrote; see `Index.load`."""
    return Index.load(path)


__all__ = ["Index", "Rows", "load"]
