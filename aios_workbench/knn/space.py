"""One metric inside: everything is squared Euclidean distance on float32, whatever the person asked for.

Cosine becomes Euclidean by normalising. Inner product becomes Euclidean by one more dimension [1]_: every vector is
lifted onto a sphere of radius `bound`, every query is scaled to that radius, which changes no order of neighbours and
makes both kinds of points lie alike, so that inverted lists and graphs work as well as for cosine.

References
----------
.. [1] Y. Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation for
   inner-product spaces", RecSys 2014.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

from aios_workbench.errors import KnnInputError, ParameterError, hint
from aios_workbench.knn.models import Metric
from aios_workbench.knn.rows import as_rows, check_numbers, norms, refuse

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

#: Vectors that come later may be so much longer than the longest of the first under inner product.
HEAD_ROOM = 1.05
#: What faiss says where it found fewer than k.
_NOTHING = 3e38


@dataclass(frozen=True)
class Space:
    """How vectors of a metric are held inside, and how distances inside are told outside.

    Attributes
    ----------
    metric : {"l2", "ip", "cosine"}
    dimensions : int
        Of the vectors as they are given.
    inner : int
        Of the vectors inside: an even number (product quantizers cut vectors into pairs), filled up with zeros.
    bound : float
        Inner product only: the radius of the sphere; no vector may be longer.

    Examples
    --------
    >>> import numpy as np
    >>> space = Space.of(np.array([[3.0, 4.0], [0.0, 2.0]]), "cosine")
    >>> space.vectors([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    >>> space.distances(np.array([[2.0]]), [[3.0, 4.0]])  # a right angle
    array([[1.]])
    """

    metric: Metric
    dimensions: int
    inner: int
    bound: float = 0.0

    @classmethod
    def of(cls, x: npt.ArrayLike, metric: Metric = "l2") -> Space:
        """Return the space for these vectors, (n, dimensions).

        Raises
        ------
        KnnInputError
            When they are no vectors, or not numbers; see `vectors`.
        ParameterError
            When there is no such metric.
        """
        values = as_rows(x)
        check_numbers(values)
        return cls.sized(metric, values.shape[1], float(norms(values).max(initial=0.0)))

    @classmethod
    def sized(cls, metric: Metric, dimensions: int, longest: float = 0.0) -> Space:
        """Return the space for vectors of so many dimensions, the longest of which has the norm `longest`."""
        if metric not in get_args(Metric):
            known = ", ".join(map(repr, get_args(Metric)))
            raise ParameterError(
                f"there is no metric {metric!r}{hint(str(metric), get_args(Metric))}; use one of {known}"
            )
        if dimensions < 1:
            raise KnnInputError("the vectors have no dimensions; give at least one number a row")
        if metric == "cosine" and dimensions == 1:
            raise KnnInputError(
                "vectors of one dimension differ under cosine by their sign alone; use metric='l2'"
            )
        wide = dimensions + (metric == "ip")
        # a bound of 0 (nothing but zero vectors) would leave nothing to scale queries to
        bound = (longest * HEAD_ROOM or 1.0) if metric == "ip" else 0.0
        return cls(metric, dimensions, wide + wide % 2, bound)

    def vectors(self, x: npt.ArrayLike, *, first: int = 0) -> Floats:
        """Return vectors as they are held inside, (n, inner).

        Parameters
        ----------
        x : array_like
            (n, dimensions) or one vector, of any real type.
        first : int
            The row number of the first one, for messages.

        Raises
        ------
        KnnInputError
            When a row has NaN or infinite values, too many or too few dimensions, is zero under cosine or too long
            under inner product; the message names the rows.
        """
        import numpy as np

        rows = self._checked(x, "vectors", first)
        out = np.zeros((len(rows), self.inner), np.float32)
        if self.metric == "cosine":
            length = norms(rows)
            refuse(length == 0, _ZERO, first, "vectors")
            np.divide(rows, length[:, None], out=out[:, : self.dimensions])
            return out
        out[:, : self.dimensions] = rows
        if self.metric == "ip":
            length = norms(rows)
            refuse(length > self.bound, _LONG.format(self.bound), first, "vectors")
            out[:, self.dimensions] = self.lift(length)
        return out

    def lift(self, length: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the last coordinate that puts vectors of these norms on the sphere (inner product only)."""
        import numpy as np

        return np.asarray(np.sqrt(np.maximum((self.bound - length) * (self.bound + length), 0.0)), np.float32)

    def queries(self, q: npt.ArrayLike) -> Floats:
        """Return queries as they are held inside, (n, inner).

        Raises
        ------
        KnnInputError
            As `vectors`; and for a zero query under inner product, to which all vectors are equally near.
        """
        import numpy as np

        rows = self._checked(q, "queries", 0)
        out = np.zeros((len(rows), self.inner), np.float32)
        if self.metric == "l2":
            out[:, : self.dimensions] = rows
            return out
        length = norms(rows)
        refuse(length == 0, _ZERO if self.metric == "cosine" else _FLAT, 0, "queries")
        radius = self.bound if self.metric == "ip" else 1.0
        np.divide(rows, (length / radius)[:, None], out=out[:, : self.dimensions])
        return out

    def distances(self, squared: npt.ArrayLike, queries: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return distances for people: the smaller, the nearer; NaN where nothing was found.

        Parameters
        ----------
        squared : array_like
            Squared distances inside, (n, k).
        queries : array_like
            The queries as they were given, (n, dimensions): inner products need their lengths.

        Returns
        -------
        ndarray
            Euclidean distance for l2, 1 - cosine for cosine, the negative inner product for ip.
        """
        import numpy as np

        sq = np.asarray(squared, np.float64)
        with np.errstate(invalid="ignore"):
            sq = np.where((sq < _NOTHING) & (sq > -_NOTHING), sq, np.nan)
        if self.metric == "l2":
            return np.sqrt(np.maximum(sq, 0.0))
        if self.metric == "cosine":
            return np.asarray(np.clip(sq, 0.0, 4.0) / 2)
        length = norms(self._checked(queries, "queries", 0))
        # |q'|^2 = |x'|^2 = bound^2, and q' = q * bound / |q|
        return np.asarray(-length[:, None] * (2 * self.bound**2 - sq) / (2 * self.bound))

    def fits(self, x: npt.ArrayLike) -> bool:
        """Say whether these vectors can be added: not so when one is longer than `bound` under inner product."""
        rows = as_rows(x)
        return rows.shape[1] == self.dimensions and (
            self.metric != "ip" or bool((norms(rows) <= self.bound).all())
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Space:
        """Read what `to_dict` wrote.

        Raises
        ------
        KnnInputError
            When this is not such a dict.
        """
        try:
            found = cls(data["metric"], int(data["dimensions"]), int(data["inner"]), float(data["bound"]))
            made = cls.sized(found.metric, found.dimensions)
        except (KeyError, TypeError, ValueError, ParameterError) as e:
            raise KnnInputError(f"not a description of a space of vectors: {data!r}") from e
        if found.inner != made.inner or (found.metric == "ip") != (found.bound > 0):
            raise KnnInputError(f"a space of vectors that contradicts itself: {data!r}")
        return found

    def _checked(self, x: npt.ArrayLike, what: str, first: int) -> npt.NDArray[Any]:
        rows = as_rows(x, what)
        if rows.shape[1] != self.dimensions:
            raise KnnInputError(
                f"{what} have {rows.shape[1]} dimensions, but this space has {self.dimensions}: "
                "were they made by another embedding model?"
            )
        check_numbers(rows, first, what)
        return rows


_ZERO = (
    "zero under cosine, which is a matter of directions; leave them out, x[np.linalg.norm(x, axis=1) > 0], or use "
    "metric='l2'"
)
_LONG = "longer than {:.6g}, the bound that was set when the first vectors came; rebuild the space with all of them"
_FLAT = "zero: their inner product with every vector is 0, so that all are equally near; leave them out"
