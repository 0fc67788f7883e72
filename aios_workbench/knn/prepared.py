"""Vectors that are ready: in a file, checked, with what is known of them; and queries held out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn.fingerprint import fingerprint
from aios_workbench.knn.space import Space
from aios_workbench.knn.spool import spool_without

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.int64]

#: Of few vectors no more than this part is held out.
_PART = 4
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Sample:
    """Queries to tune with, and the vectors to search: none of the queries is among them.

    Attributes
    ----------
    queries : ndarray
        (m, inner) float32, in the inner space.
    rows : ndarray
        Which rows of the vectors they are; empty when queries were given.
    path : Path
        A .npy file of the vectors without these rows.
    """

    queries: Floats
    rows: Rows
    path: Path

    @cached_property
    def x(self) -> Floats:
        """The vectors to search, memory-mapped; row i of them is row `original(i)` of all."""
        return _mapped(self.path)

    def original(self, rows: npt.ArrayLike) -> Rows:
        """Return the row numbers among all vectors of rows of `x`."""
        import numpy as np

        # left out before row r of x are as many as fit below: rows[j] - j grows with j
        found = np.asarray(rows, np.int64)
        below = np.searchsorted(self.rows - np.arange(len(self.rows)), found, side="right")
        return np.where(found < 0, found, found + below)


@dataclass
class Vectors:
    """Checked vectors in a file, with what is known of them; made by `open_vectors`.

    Attributes
    ----------
    path : Path
        A .npy file of float32, (n, space.inner), in the inner space.
    space : Space
    n : int
    fingerprint : str
        Names the vectors, the metric and the queries.
    source : str
        Where they came from, for people.
    ids : ndarray
        One for each row, unique; int64 or str (object).
    metadata : pyarrow.Table or None
        One row for each vector.
    queries : ndarray or None
        The queries that were given, in the inner space.
    repairs : list of str
        What was mended, or should be known, in sentences.
    """

    path: Path
    space: Space
    n: int
    fingerprint: str
    source: str
    ids: npt.NDArray[Any]
    metadata: pa.Table | None = None
    queries: Floats | None = None
    repairs: list[str] = field(default_factory=list)
    lengths: npt.NDArray[np.float32] | None = None
    text_column: str = ""

    @cached_property
    def inner(self) -> Floats:
        """The vectors in the inner space, memory-mapped."""
        return _mapped(self.path)

    def __len__(self) -> int:
        return self.n

    def raw(self, rows: npt.ArrayLike) -> Floats:
        """Return vectors as they were given, (m, dimensions); under cosine up to float32 rounding."""
        import numpy as np

        wanted = np.atleast_1d(np.asarray(rows, np.int64))
        found = np.array(self.inner[wanted, : self.space.dimensions])
        if self.lengths is not None:
            found *= self.lengths[wanted, None]
        return found

    def text(self, row: int) -> str:
        """Return what tells a person which row this is: its text, else its metadata, else nothing."""
        if self.metadata is None:
            return ""
        if self.text_column:
            return str(self.metadata.column(self.text_column)[row].as_py())[:_LONGEST_TEXT]
        values = ((n, self.metadata.column(n)[row].as_py()) for n in self.metadata.column_names[:6])
        return ", ".join(f"{n}: {v}" for n, v in values if v is not None)[:_LONGEST_TEXT]

    def check_k(self, k: int) -> None:
        """Refuse a k that these vectors cannot answer.

        Raises
        ------
        ParameterError
            When k is no whole number from 1 on.
        KnnInputError
            When there are fewer than k vectors beside a query.
        """
        import numpy as np

        given: object = k
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or k < 1:
            raise ParameterError(f"k is {k!r}; give how many neighbours are wanted, a whole number from 1 on")
        most = self.n if self.queries is not None else self.n - 1
        if k > most:
            where = (
                "" if self.queries is not None else ", one of which is asked about (give queries= for others)"
            )
            raise KnnInputError(
                f"k={k} neighbours are wanted, but there are {self.n:,} vectors{where}; use k={most} or less"
                if most
                else f"k={k} neighbours are wanted, but there is one vector; nearest neighbours need more"
            )

    def sample_queries(self, m: int, seed: int = 0) -> Sample:
        """Return up to m queries, and the vectors to search for them.

        Queries that were given are drawn from; else rows are held out: they are not among the vectors searched, so
        that none finds itself. Of few vectors a quarter at most is held out. The same seed gives the same sample.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from aios_workbench.knn.vectors import open_vectors
        >>> v = open_vectors(np.random.default_rng(0).normal(size=(100, 8)), folder=tempfile.mkdtemp())
        >>> sample = v.sample_queries(10)
        >>> sample.queries.shape, sample.x.shape
        ((10, 8), (90, 8))
        """
        import numpy as np

        r = np.random.default_rng(seed)
        if self.queries is not None:
            chosen = r.permutation(len(self.queries))[:m]
            return Sample(self.queries[chosen], np.empty(0, np.int64), self.path)
        order = r.permutation(self.n)
        if self.space.metric == "ip":  # a zero vector asks for nothing
            order = order[self.inner[order, : self.space.dimensions].any(axis=1)]
        rows = np.sort(order[: max(1, min(m, self.n // _PART))])
        if self.n < 2 or not rows.size:
            raise KnnInputError("no vector can be held out to ask with; give queries=, or more vectors")
        path = self.path.with_name(
            f"{self.path.stem}-without-{fingerprint(words=(str(rows.tolist()),))[:12]}.npy"
        )
        if not path.exists():
            spool_without(self.inner, rows, path)
        return Sample(self.space.queries(self.raw(rows)), rows, path)


def _mapped(path: Path) -> Floats:
    import numpy as np

    try:
        found: Floats = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as e:
        raise KnnInputError(f"the vectors of this tuning are gone ({path.name}: {e}); open them again") from e
    return found
