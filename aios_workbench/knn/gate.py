"""Recall as a gate: an index that finds less than is demanded stops the step, and so the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from aios_workbench.errors import KnnInputError, ParameterError, RecallBelowTarget

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.knn.hits import Hits


class Searchable(Protocol):
    """An index that can also be searched exactly, as `Index` can."""

    def search(self, queries: npt.ArrayLike, k: int = 10) -> Hits:
        """Return the neighbours it finds."""

    def exact(self, queries: npt.ArrayLike, k: int = 10) -> Hits:
        """Return the true ones."""


@dataclass(frozen=True)
class Verdict:
    """What a check of recall found; `recall` is a mean over `queries` queries, `low` and `high` bound it (95 %)."""

    passed: bool
    target: float
    recall: float
    low: float
    high: float
    queries: int
    k: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, as a step may hand it on."""
        return dict(self.__dict__)

    def __str__(self) -> str:
        return (
            f"recall@{self.k} is {self.recall:.4f} ({self.low:.4f} to {self.high:.4f}, 95 %) on {self.queries:,} "
            f"queries; {self.target:g} was demanded"
        )


def check_recall(
    index: Searchable, recall: float, queries: npt.ArrayLike, k: int = 10, *,
    by: Literal["mean", "low", "high"] = "mean", own: Any = None, fail: bool = True,
) -> Verdict:  # fmt: skip
    """Refuse to go on when an index finds less than `recall` of the true neighbours.

    In a step of a workflow this makes a gate: it raises, the step fails, and so does the run.

    Parameters
    ----------
    index : Index
        Searched and, for the truth, searched exactly.
    recall : float
        What is demanded, above 0 and at most 1.
    queries : array_like
        (m, dimensions).
    k : int
        Neighbours of each query. Of equally near ones any counts as found.
    by : {"mean", "low", "high"}
        What has to reach `recall`: the mean; the lower bound, to be sure that it is held; the upper bound, to fail
        only when it is surely not.
    own : sequence, optional
        The id of each query that is itself in the index: it does not count as its own neighbour.
    fail : bool
        False: only tell.

    Returns
    -------
    Verdict

    Raises
    ------
    RecallBelowTarget
        When the recall is below.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from aios_workbench.knn import Index, Params, open_vectors
    >>> x = np.random.default_rng(0).standard_normal((2000, 16))
    >>> vectors = open_vectors(x[100:], folder=tempfile.mkdtemp())
    >>> index = Index.build(vectors, Params(family="ivf", nlist=32, nprobe=32))
    >>> print(check_recall(index, 0.99, x[:100], k=5))
    recall@5 is 1.0000 (0.9924 to 1.0000, 95 %) on 100 queries; 0.99 was demanded
    """
    if isinstance(recall, bool) or not 0 < recall <= 1:
        raise ParameterError(f"recall is {recall!r}; give a fraction above 0, at most 1")
    if by not in ("mean", "low", "high"):
        raise ParameterError(f"by is {by!r}; use 'mean', 'low' or 'high'")
    from aios_workbench.knn.recall import interval

    each = recalls(index, queries, k, own)
    if not len(each):
        raise KnnInputError("there are no queries to check recall with; give some")
    mean = float(each.mean())
    low, high = interval(each, k=k)
    verdict = Verdict(
        {"mean": mean, "low": low, "high": high}[by] >= recall, recall, mean, low, high, len(each), k
    )
    if fail and not verdict.passed:
        raise RecallBelowTarget(
            f"{verdict}. Tune again with more time, pick a point of higher recall (tuning.pick(recall=…)), or call "
            "index.recalibrate()", target=recall, recall=mean, low=low, high=high,
        )  # fmt: skip
    return verdict


def recalls(index: Searchable, queries: npt.ArrayLike, k: int, own: Any = None) -> npt.NDArray[np.float64]:
    """Return the recall of each query, counted by distance."""
    import numpy as np

    found = neighbours(index.search, queries, k, own)[1]
    true = neighbours(index.exact, queries, k, own)[1]
    there = np.isfinite(true)
    worst = np.where(there, true, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        hits = (found <= worst + 1e-9 + 1e-5 * np.abs(worst)).sum(axis=1)
    total = there.sum(axis=1)
    return np.where(total > 0, np.minimum(hits, total) / np.maximum(total, 1), 1.0)


def neighbours(
    search: Any, queries: npt.ArrayLike, k: int, own: Any = None
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Return ids and distances of the k nearest others: a query that is in the index is left out of its own."""
    import numpy as np

    if own is None:
        hits = search(queries, k)
        return hits.ids, hits.distances
    hits = search(queries, k + 1)
    mine = hits.ids == np.asarray(own, dtype=object)[:, None]
    mine[:, k] |= ~mine.any(axis=1)  # not found at all: the last one goes
    keep = ~mine
    shape = (len(hits.ids), k)
    return hits.ids[keep].reshape(shape), hits.distances[keep].reshape(shape)
