"""Single queries looked at: what an index finds beside what is true, and which queries it answers badly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, NotFoundError, ParameterError
from aios_workbench.knn.gate import neighbours, recalls
from aios_workbench.knn.models import Explored, HardQuery, Neighbour, Point

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.knn.tuning import Tuning

_LONGEST = 200


def explore(tuning: Tuning, query: Any, k: int | None, point: Point) -> Explored:
    """Return a query's neighbours, exact beside those that a point's index finds.

    Parameters
    ----------
    query : int, str or array_like
        The number of a stored query, as `hard_queries` gives it; a text, when the tuning has an embedder; the id of
        a vector, as a text, with ``#`` before it where texts are embedded; or a vector.

    Raises
    ------
    NotFoundError
        When there is no such query or id.
    """
    import numpy as np

    k = tuning.state.problem.k if k is None else k
    name, asked, own = _query(tuning, query)
    index = tuning.index(point)
    found_ids, found = neighbours(index.search, asked, k, own)
    began = time.perf_counter()
    index.search(asked, k)
    took = time.perf_counter() - began
    true_ids, true = neighbours(index.exact, asked, k, own)
    there = np.isfinite(true[0])
    worst = float(true[0][there].max(initial=-np.inf))
    hits = found[0] <= worst + 1e-9 + 1e-5 * abs(worst)
    mine = set(found_ids[0].tolist())
    return Explored(
        query=name,
        exact=_list(tuning, true_ids[0], true[0], [i in mine for i in true_ids[0]]),
        approximate=_list(tuning, found_ids[0], found[0], hits.tolist()),
        recall=min(1.0, float(hits.sum()) / max(1, int(there.sum()))),
        scanned=_scanned(index, asked, k), milliseconds=1000 * took,
    )  # fmt: skip


def hard_queries(tuning: Tuning, point: Point, n: int) -> list[HardQuery]:
    """Return the stored queries that a point's index answers worst, the worst first; those it misses nothing of not."""
    import numpy as np

    k = tuning.state.problem.k
    asked, own = stored(tuning)
    each = recalls(tuning.index(point), asked, k, own)
    worst = np.argsort(each, kind="stable")[:n]
    return [
        HardQuery(query=int(i), label=_label(tuning, int(i)), recall=float(each[i]), missed=round(k * (1 - each[i])))
        for i in worst if each[i] < 1
    ]  # fmt: skip


def stored(tuning: Tuning) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any] | None]:
    """Return the stored queries as an index takes them, and their own ids when they are vectors of it.

    Queries are stored as the space holds them: scaled, which changes no order of neighbours.
    """
    asked, vectors = tuning.asked, tuning.vectors
    if len(asked.rows):
        return vectors.raw(asked.rows), vectors.ids[asked.rows]
    return asked.queries[:, : vectors.space.dimensions], None


def _query(tuning: Tuning, query: Any) -> tuple[str, npt.NDArray[Any], Any]:
    import numpy as np

    if isinstance(query, (int, np.integer)) and not isinstance(query, bool):
        there = len(tuning.asked.queries)
        if not 0 <= query < there:
            raise NotFoundError(f"there is no stored query {query}; they are numbered from 0 to {there - 1}")
        asked, own = stored(tuning)
        at = int(query)
        return _label(tuning, at), asked[at : at + 1], None if own is None else own[at : at + 1]
    if isinstance(query, str):
        return _text(tuning, query)
    vector = np.asarray(query)
    if vector.ndim == 2 and len(vector) != 1:
        raise KnnInputError(f"explore takes one query, these are {len(vector)}; give one row")
    return "a vector", vector.reshape(1, -1), None


def _text(tuning: Tuning, query: str) -> tuple[str, npt.NDArray[Any], Any]:
    import numpy as np

    if not query.strip():
        raise ParameterError("the query is empty; give a text, or the id of a vector")
    if tuning.embed is not None and not query.startswith("#"):
        return query[:_LONGEST], np.asarray(tuning.embed([query]), np.float32).reshape(1, -1), None
    vectors, wanted = tuning.vectors, query.removeprefix("#").strip()
    ids = vectors.ids
    rows = np.flatnonzero(ids.astype(str) == wanted) if ids.dtype.kind not in "iu" else _row(ids, wanted)
    if not len(rows):
        raise NotFoundError(
            f"no vector has the id {wanted!r}"
            + ("" if tuning.embed else "; to ask with texts, give tune() the embed= that made the vectors")
        )
    row = int(rows[0])
    return vectors.text(row) or f"#{wanted}", vectors.raw(row), ids[row : row + 1]


def _row(ids: npt.NDArray[Any], wanted: str) -> npt.NDArray[Any]:
    import numpy as np

    try:
        return np.flatnonzero(ids == int(wanted))
    except (ValueError, OverflowError):
        return np.empty(0, np.int64)


def _label(tuning: Tuning, query: int) -> str:
    row = tuning.asked.row(query)
    if row is None:
        return f"query {query}"
    return tuning.vectors.text(row)[:_LONGEST] or f"#{tuning.vectors.ids[row]}"


def _list(tuning: Tuning, ids: Any, distances: Any, hits: list[bool]) -> list[Neighbour]:
    import numpy as np

    known, vectors = tuning.vectors.ids, tuning.vectors
    found = []
    for id_, distance, hit in zip(ids, distances, hits, strict=True):
        if id_ is None:
            continue
        rows = np.flatnonzero(known == id_)
        text = vectors.text(int(rows[0])) if len(rows) else ""
        found.append(Neighbour(id=str(id_), distance=float(distance), text=text, hit=bool(hit)))
    return found


def _scanned(index: Any, asked: Any, k: int) -> int:
    explained = index.explain(asked, k)
    return int(explained.vectors if explained.codes_scanned is None else explained.codes_scanned)
