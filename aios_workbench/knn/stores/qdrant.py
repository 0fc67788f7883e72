"""Qdrant, over its REST interface."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import Batch, Id, exact_in_double, real, safe, uuid_of
from aios_workbench.knn.stores.filters import And, Compare, Like, Null, OneOf, Or, Scalar
from aios_workbench.knn.stores.http import Http, part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_METRIC: dict[Metric, str] = {"l2": "Euclid", "ip": "Dot", "cosine": "Cosine"}
_ROWS = 500
_RANGE = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
#: where the id is kept when it is no unsigned integer, the only kind beside UUIDs that Qdrant knows
_ID = "x_id"


class QdrantStore(BaseStore):
    """Vectors in a collection of Qdrant; the metadata are payload, texts as ids become UUIDs.

    Parameters
    ----------
    url : str
        Such as ``http://localhost:6333``.
    collection : str
    metric : {"l2", "ip", "cosine"}, optional
    api_key : str, optional
        ``QDRANT_API_KEY`` when left away.
    config : dict, optional
        For a new collection, such as ``{"hnsw_config": {"m": 16}}``; `knn.export` gives it.
    search : dict, optional
        Search parameters such as ``{"hnsw_ef": 128}`` or ``{"exact": True}``.
    """

    system = "Qdrant"

    def __init__(
        self,
        url: str,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        api_key: str | None = None,
        config: dict[str, Any] | None = None,
        search: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(collection, metric)
        key = api_key or os.environ.get("QDRANT_API_KEY")
        self._http = Http(self.system, url, {"api-key": key} if key else None)
        self._at = f"/collections/{part(collection)}"
        self._config, self._params = config or {}, search

    def _load(self) -> Shape | None:
        told = self._http.ask("GET", self._at, missing=True)
        if told is None:
            return None
        vectors = told["result"]["config"]["params"]["vectors"]
        known = {v: k for k, v in _METRIC.items()}
        if vectors.get("distance") not in known:
            raise StoreError(
                f"{self} holds {vectors}: stores use one unnamed vector with Euclid, Dot or Cosine"
            )
        some = self._http.ask("POST", f"{self._at}/points/scroll", {"limit": 1, "with_payload": [_ID]})
        points = some["result"]["points"]
        kind = type(_identity(points[0])).__name__ if points else None
        return Shape(vectors["size"], known[vectors["distance"]], kind)  # type: ignore[arg-type]

    def _create(self, shape: Shape) -> None:
        own = {"size": shape.dimensions, "distance": _METRIC[shape.metric]}
        vectors = {**self._config.get("vectors", {}), **own}
        self._http.ask("PUT", self._at, {**self._config, "vectors": vectors})

    def _prepare(self, rows: Batch) -> None:
        # comparisons are ranges of floats
        exact_in_double(self.system, rows.types, rows.columns)

    def _write(self, rows: Batch) -> None:
        for piece in rows.parts(_ROWS):
            points = []
            for i, identity in enumerate(piece.ids):
                payload: dict[str, Any] = {safe(name): value for name, value in piece.row(i).items()}
                if (at := _point(identity)) != identity:
                    payload[_ID] = identity
                points.append({"id": at, "vector": piece.vectors[i].tolist(), "payload": payload})
            self._http.ask("PUT", f"{self._at}/points", {"points": points}, params={"wait": "true"})

    def _delete(self, ids: list[Id]) -> int:
        # Qdrant does not say how many it deleted
        there = [_point(i) for i in self._fetch(ids)]
        for at in range(0, len(there), _ROWS):
            body = {"points": there[at : at + _ROWS]}
            self._http.ask("POST", f"{self._at}/points/delete", body, params={"wait": "true"})
        return len(there)

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        extra = {"filter": _filter(self, where)} if where else {}
        if self._params:
            extra["params"] = self._params
        asked = [{"query": q.tolist(), "limit": k, "with_payload": [_ID], **extra} for q in queries]
        found: list[Found] = []
        for at in range(0, len(asked), 100):
            body = {"searches": asked[at : at + 100]}
            answer = self._http.ask("POST", f"{self._at}/points/query/batch", body)
            found += [
                [(_identity(p), _distance(p["score"], shape.metric)) for p in r["points"]]
                for r in answer["result"]
            ]
        return found

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        found = {}
        for at in range(0, len(ids), _ROWS):
            body = {"ids": [_point(i) for i in ids[at : at + _ROWS]], "with_payload": True}
            for point in self._http.ask("POST", f"{self._at}/points", body)["result"]:
                payload = point.get("payload") or {}
                found[_identity(point)] = {real(n): v for n, v in payload.items() if n != _ID}
        return found

    def _count(self) -> int:
        return int(self._http.ask("POST", f"{self._at}/points/count", {"exact": True})["result"]["count"])

    def _release(self) -> None:
        self._http.close()


def _point(identity: Id) -> Id:
    return identity if isinstance(identity, int) and identity >= 0 else uuid_of(identity)


def _identity(point: dict[str, Any]) -> Id:
    identity: Id = (point.get("payload") or {}).get(_ID, point["id"])
    return identity


def _distance(score: float, metric: Metric) -> float:
    if metric == "l2":
        return score
    return 1.0 - score if metric == "cosine" else -score


def _filter(store: QdrantStore, node: filters.Node) -> dict[str, Any]:
    condition = _condition(store, node)
    return condition if set(condition) <= {"must", "should", "must_not"} else {"must": [condition]}


def _condition(store: QdrantStore, node: filters.Node) -> dict[str, Any]:
    """Return a condition as Qdrant writes it. What is missing is `is_empty`, and never unequal to anything."""
    if isinstance(node, And):
        return {"must": [_condition(store, p) for p in node.parts]}
    if isinstance(node, Or):
        return {"should": [_condition(store, p) for p in node.parts]}
    key = safe(node.column)
    empty = {"is_empty": {"key": key}}
    match node:
        case Null(negated=negated):
            return {"must_not": [empty]} if negated else empty
        case Like():
            raise store._refuse("LIKE", "compare whole texts with = or IN")
        case Compare(operator="!=", value=value):
            return {"must_not": [_equal(key, value), empty]}
        case Compare(operator="=", value=value):
            return _equal(key, value)
        case Compare(operator=operator, value=value):
            if isinstance(value, bool | str):
                raise store._refuse(
                    f"{operator} with {value!r}: ranges are of numbers", "compare with = or IN"
                )
            return {"key": key, "range": {_RANGE[operator]: value}}
        case OneOf(values=values, negated=negated):
            some = [_equal(key, v) for v in values]
            return {"must_not": [*some, empty]} if negated else {"should": some}


def _equal(key: str, value: Scalar) -> dict[str, Any]:
    if isinstance(value, bool | str):
        return {"key": key, "match": {"value": value}}
    # `match` compares integers with integers alone: 5 would not find 5.0
    return {"key": key, "range": {"gte": value, "lte": value}}
