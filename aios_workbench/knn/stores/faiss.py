"""Our own index of faiss as a store: tuned, filtered with SQL, kept in a folder."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ConflictError, NotFoundError, StoreError
from aios_workbench.knn.hits import Hits
from aios_workbench.knn.models import Metric, Params
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import Batch, Id, Kind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.knn.index import Index


class _Home:
    """An index that the stores of this process on one folder share, and no other process has open."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.index: Index | None = None
        self.users = 0
        self.saved = -1
        self.lock = threading.RLock()
        self._held: int | None = None
        if path is not None:
            self._hold(path)
        self.scratch = tempfile.TemporaryDirectory(prefix="aios-store-")
        if path is not None:
            self._load(path)

    def _hold(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # beside the folder: what is in it belongs to the index
            held = os.open(path.with_name(f".{path.name}.open"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as e:
            raise StoreError(f"the index cannot be kept in {path}: {e.strerror}") from e
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            os.close(held)
            raise ConflictError(
                f"another process has {path} open: an index of faiss lives in one process. Close it there, or use "
                "pgvector or a Milvus server for several"
            ) from e
        self._held = held

    def _load(self, path: Path) -> None:
        from aios_workbench.knn.index import load

        try:
            self.index = load(path)
            self.saved = self.index.version
        except NotFoundError:
            self.index = None
        except BaseException:
            self.let_go()
            raise

    def save(self) -> None:
        if self.path is not None and self.index is not None and self.index.version != self.saved:
            self.index.save(self.path)
            self.saved = self.index.version

    def let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None
        self.scratch.cleanup()


_homes: dict[Path, _Home] = {}
_guard = threading.Lock()


class FaissStore(BaseStore):
    """Vectors in an `Index`: the fastest of the stores, in this process and, if a path is given, in a folder.

    Parameters
    ----------
    path : str or Path, optional
        The folder, as `Index.save` and `tuning.best.save` write it; None keeps everything in memory.
    collection : str
        A name for messages; a folder holds one index.
    metric : {"l2", "ip", "cosine"}, optional
    params : Params, optional
        How a new index is built, of the first vectors; exact when left away. Take them from a tuning's point.
    recall : float
        What a new index is to keep while vectors come and go.

    Notes
    -----
    The folder is written by `save` and `close`, not by every `add`. Stores of one process on one folder share the
    index; a second process is refused.

    Examples
    --------
    >>> with FaissStore(metric="cosine") as store:
    ...     store.add(["a", "b"], [[1.0, 0.0], [0.0, 1.0]], {"price": [5, 50]})
    ...     store.search([1.0, 0.1], k=2, filter="price < 20").ids.tolist()
    [['a', None]]
    """

    system = "faiss"

    def __init__(
        self,
        path: str | Path | None = None,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        params: Params | None = None,
        recall: float = 0.95,
    ) -> None:
        super().__init__(collection, metric)
        self._params, self._recall = params or Params(family="flat"), recall
        place = Path(path).expanduser().resolve() if path else None
        with _guard:
            home = _homes.get(place) if place else None
            if home is None:
                home = _Home(place)
                if place:
                    _homes[place] = home
            home.users += 1
        self._home = home

    @property
    def index(self) -> Index:
        """The index inside, for what stores do not have: `explain`, `watch`.

        Raises
        ------
        ConflictError
            When nothing was added yet.
        """
        if self._home.index is None:
            raise ConflictError(f"{self} is empty: its index is built of the first vectors that are added")
        return self._home.index

    def save(self) -> None:
        """Write the folder now."""
        with self._home.lock:
            self._known()
            self._home.save()

    def _load(self) -> Shape | None:
        index = self._home.index
        if index is None:
            return None
        kind: Kind | None = None
        if len(index):
            import numpy as np

            near = index.search(np.ones(index.space.dimensions), 1).ids[0, 0]
            kind = "str" if isinstance(near, str) else "int"
        return Shape(index.space.dimensions, index.space.metric, kind)

    def _create(self, shape: Shape) -> None:
        """Nothing: the index is built of the first batch."""

    def _write(self, rows: Batch) -> None:
        from aios_workbench.knn.index import Index
        from aios_workbench.knn.vectors import open_vectors

        with self._home.lock:
            if self._home.index is not None:
                self._home.index.add(rows.ids, rows.vectors, rows.columns or None)
                return
            vectors = open_vectors(
                rows.vectors,
                folder=tempfile.mkdtemp(dir=self._home.scratch.name),
                metric=self._metric or "l2",
                ids=rows.ids,
                metadata=rows.columns or None,
            )
            self._home.index = Index.build(vectors, self._params, recall=self._recall)

    def _delete(self, ids: list[Id]) -> int:
        with self._home.lock:
            return self.index.remove(ids)

    def search(self, queries: npt.ArrayLike, k: int = 10, *, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the `k` nearest vectors of each query; as every store does, the filter's language included."""
        with self._lock:
            rows, where, shape = self._asked(queries, k, filter)
        if shape is None:
            return self._nothing(rows, k)
        self._columns_known(where, self.index.columns)
        # searching takes no lock: an index may be asked from several threads
        return self.index.search(rows, k, filters.sql(where) if where else None)

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        raise NotImplementedError(f"`search` asks the index itself: {queries.shape}, {k}, {where}, {shape}")

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        raise NotImplementedError(f"hits of an index bring their metadata with them: {ids}")

    def _count(self) -> int:
        return len(self.index)

    def _release(self) -> None:
        with _guard, self._home.lock:
            self._home.users -= 1
            if self._home.users:
                return
            if self._home.path is not None:
                _homes.pop(self._home.path, None)
            try:
                self._home.save()
            finally:
                if self._home.index is not None:
                    self._home.index.close()
                self._home.let_go()
