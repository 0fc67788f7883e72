"""The protocol of a vector store, and what all of ours share: checks, one order of distances, one kind of answer."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, get_args, runtime_checkable

from aios_workbench.errors import ConflictError, KnnInputError, ParameterError, hint
from aios_workbench.knn.hits import Hits
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.batch import Batch, Id, Kind, batch, checked_ids

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_DEFAULT: Metric = "l2"
#: what one store finds for one query: ids and distances, the nearest first
Found = list[tuple[Id, float]]


@runtime_checkable
class Store(Protocol):
    """Where vectors live with their ids and metadata: five methods, the same for every system."""

    def add(self, ids: Any, vectors: npt.ArrayLike, metadata: Any = None) -> None:
        """Store vectors; an id that is there already is replaced, its metadata too."""
        ...

    def remove(self, ids: Any) -> int:
        """Remove ids; those that are not there are passed over. Return how many were."""
        ...

    def search(self, queries: npt.ArrayLike, k: int = 10, *, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the `k` nearest vectors of each query."""
        ...

    def count(self) -> int:
        """Return how many vectors there are."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the store cannot be used afterwards."""
        ...


@dataclass(frozen=True)
class Shape:
    """What a collection holds, fixed when its first vectors come. `kind` None: the system does not tell."""

    dimensions: int
    metric: Metric
    kind: Kind | None = None


class BaseStore(ABC):
    """What every store does before and after asking its system.

    Parameters
    ----------
    collection : str
        The name of the table, collection, class or index.
    metric : {"l2", "ip", "cosine"}, optional
        None: as the collection has it; l2 for a new one.

    Notes
    -----
    A collection is made by the first `add`, which decides its dimensions and whether ids are int or str. Distances
    are the same everywhere, and smaller is nearer: Euclidean for l2, 1 - cosine, the negative inner product for ip.
    """

    #: as a person says it
    system: ClassVar[str] = ""
    #: the most neighbours the system gives for one query
    most: ClassVar[int | None] = None

    def __init__(self, collection: str = "vectors", metric: Metric | None = None) -> None:
        if metric is not None and metric not in get_args(Metric):
            raise ParameterError(
                f"there is no metric {metric!r}{hint(str(metric), get_args(Metric))}; use 'l2', 'ip' or 'cosine'"
            )
        if not collection or not collection.replace("_", "").isalnum() or not collection.isascii():
            raise ParameterError(f"collection {collection!r}: a name has letters, digits and '_' alone")
        self.collection = collection
        self._metric = metric
        self._shape: Shape | None = None
        self._closed = False
        self._lock = threading.RLock()

    # ------------------------------------------------------------ the five methods

    def add(self, ids: Any, vectors: npt.ArrayLike, metadata: Any = None) -> None:
        """Store vectors; an id that is there already is replaced, its metadata too.

        Parameters
        ----------
        ids : sequence of int or of str
            Of an id given twice the last row stays.
        vectors : array_like
            (n, dimensions) finite numbers; not zero under cosine.
        metadata : pandas.DataFrame, pyarrow.Table, dict of columns or list of dicts, optional
            Values are bool, int, float, str or missing.

        Raises
        ------
        KnnInputError
            Naming the rows or columns that are wrong; nothing is stored then.
        StoreError
            When the system cannot be reached or refuses.
        """
        import numpy as np

        if len(np.shape(ids)) == 1 and np.shape(ids)[0] == 0 and np.size(vectors) == 0:
            return
        rows = batch(ids, vectors, metadata)
        with self._lock:
            shape = self._known()
            dimensions = rows.vectors.shape[1]
            if shape is None:
                shape = Shape(dimensions, self._metric or _DEFAULT, rows.kind)
                self._check(rows.vectors, shape, "vectors")
                self._prepare(rows)
                self._create(shape)
                self._shape = shape
            else:
                self._check(rows.vectors, shape, "vectors")
                if shape.kind is not None and shape.kind != rows.kind:
                    raise KnnInputError(
                        f"{self} has {shape.kind} ids, these are {rows.kind}: convert them first"
                    )
                self._prepare(rows)
            self._write(rows)
            if shape.kind is None:
                self._shape = Shape(shape.dimensions, shape.metric, rows.kind)

    def remove(self, ids: Any) -> int:
        """Remove ids and return how many were there."""
        names, kind = checked_ids(ids)
        with self._lock:
            shape = self._known()
            if shape is None or not names:
                return 0
            if shape.kind is not None and shape.kind != kind:
                raise KnnInputError(f"{self} has {shape.kind} ids, these are {kind}: convert them first")
            return self._delete(list(dict.fromkeys(names)))

    def search(self, queries: npt.ArrayLike, k: int = 10, *, filter: str | None = None) -> Hits:  # noqa: A002
        """Return the `k` nearest vectors of each query.

        Parameters
        ----------
        queries : array_like
            (n, dimensions), or one query.
        k : int
        filter : str, optional
            A condition on the metadata as in SQL: comparisons with a value, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL.

        Returns
        -------
        Hits
            Fewer than `k` where there are no more.

        Raises
        ------
        ParameterError
            When the filter cannot be read, or asks what this system cannot; it names the part.
        """
        with self._lock:
            rows, where, shape = self._asked(queries, k, filter)
            if shape is None:
                return self._nothing(rows, k)
            found = self._search(rows, k, where, shape)
        short = min((len(f) for f in found), default=k)
        note = (
            ""
            if short >= k
            else f"fewer than {k} vectors" + (" match the filter" if where else " in the store")
        )
        return Hits.of(found, k, note, self._metadata)

    def _asked(
        self, queries: npt.ArrayLike, k: int, text: str | None
    ) -> tuple[npt.NDArray[np.float32], filters.Node | None, Shape | None]:
        """Return what is searched for, checked."""
        from aios_workbench.knn.rows import as_rows, check_numbers

        if type(k) is not int or k < 1:
            raise ParameterError(f"k is {k!r}: give a whole number from 1")
        if self.most is not None and k > self.most:
            raise ParameterError(f"k is {k}: {self.system} gives {self.most:,} neighbours at most")
        where = None if text is None else filters.parse(text)
        rows = as_rows(queries, "queries")
        check_numbers(rows, 0, "queries")
        shape = self._known()
        if shape is not None:
            self._check(rows, shape, "queries")
        return rows.astype("float32"), where, shape

    @staticmethod
    def _nothing(rows: npt.NDArray[np.float32], k: int) -> Hits:
        return Hits.of([[] for _ in rows], k, "the store is empty")

    def count(self) -> int:
        """Return how many vectors there are."""
        with self._lock:
            return 0 if self._known() is None else self._count()

    def close(self) -> None:
        """Let go of files and connections; doing it twice does no harm."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._release()

    # ------------------------------------------------------------ shared

    @property
    def metric(self) -> Metric:
        """How nearness is measured."""
        shape = self._known()
        return shape.metric if shape else self._metric or _DEFAULT

    def _known(self) -> Shape | None:
        if self._closed:
            raise ConflictError(f"{self} is closed; open it again with open_store")
        if self._shape is None:
            shape = self._load()
            if shape and self._metric and shape.metric != self._metric:
                raise ConflictError(
                    f"{self} is there with metric {shape.metric!r}, not {self._metric!r}; leave the metric away, or "
                    "choose another collection"
                )
            self._shape = shape
        return self._shape

    @staticmethod
    def _check(rows: np.ndarray, shape: Shape, what: str) -> None:
        from aios_workbench.knn.space import Space

        # refuses other dimensions, and zero under cosine
        space = Space.sized("cosine" if shape.metric == "cosine" else "l2", shape.dimensions)
        space.vectors(rows) if what == "vectors" else space.queries(rows)

    def _metadata(self, ids: list[Id]) -> pd.DataFrame:
        import pandas as pd

        with self._lock:
            self._known()
            rows = self._fetch(list(dict.fromkeys(ids))) if ids else {}
        return pd.DataFrame([rows.get(i, {}) for i in ids], index=range(len(ids)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{self.system} collection {self.collection!r}"

    def _refuse(self, what: str, instead: str = "") -> ParameterError:
        """Return the error for a filter that this system has no way to ask."""
        return ParameterError(
            f"filter: {self.system} does not support {what}{'; ' + instead if instead else ''}"
        )

    def _columns_known(self, where: filters.Node | None, known: Sequence[str]) -> None:
        """Refuse a filter on columns that the collection does not have, where the system would tell."""
        for column in sorted(filters.columns(where)) if where else ():
            if column not in known:
                raise ParameterError(
                    f"filter: {self} has no column {column!r}{hint(column, known)}; it has {', '.join(known) or 'none'}"
                )

    # ------------------------------------------------------------ what a system has to do

    @abstractmethod
    def _load(self) -> Shape | None:
        """Return what the collection holds, None when it is not there."""

    @abstractmethod
    def _create(self, shape: Shape) -> None: ...

    def _prepare(self, rows: Batch) -> None:  # noqa: B027 - most systems hold everything
        """Refuse rows that the system cannot hold, before anything is made or written."""

    @abstractmethod
    def _write(self, rows: Batch) -> None: ...

    @abstractmethod
    def _delete(self, ids: list[Id]) -> int: ...

    @abstractmethod
    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]: ...

    @abstractmethod
    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        """Return the metadata of ids; ids that are gone may be missing."""

    @abstractmethod
    def _count(self) -> int: ...

    @abstractmethod
    def _release(self) -> None: ...
