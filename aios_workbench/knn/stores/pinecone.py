"""Pinecone, over its REST interface."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ParameterError, StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import Batch, Id, exact_in_double, read_id, real, safe, text_id
from aios_workbench.knn.stores.filters import And, Compare, Like, Null, OneOf, Or
from aios_workbench.knn.stores.http import Http, part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

VERSION = "2025-10"
CONTROLLER = "https://api.pinecone.io"
_METRIC: dict[Metric, str] = {"l2": "euclidean", "ip": "dotproduct", "cosine": "cosine"}
#: a request may have 2 MB and 1,000 vectors; a float32 is about 12 characters
_BYTES, _ROWS, _FETCH = 1_500_000, 1000, 100
_OPERATOR = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


class PineconeStore(BaseStore):
    """Vectors in an index of Pinecone; ids that are ints are written as text.

    Parameters
    ----------
    collection : str
        The index; `_` is written `-`, as Pinecone wants it.
    metric : {"l2", "ip", "cosine"}, optional
    api_key : str, optional
        ``PINECONE_API_KEY`` when left away.
    namespace : str
    cloud, region : str
        Where a new index is made.
    controller : str
        The address of the control plane.

    Notes
    -----
    Pinecone becomes consistent a little later: what was just added may not be found for some seconds.
    """

    system = "Pinecone"
    most = 10_000

    def __init__(
        self,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        api_key: str | None = None,
        namespace: str = "__default__",
        cloud: str = "aws",
        region: str = "us-east-1",
        controller: str = CONTROLLER,
    ) -> None:
        super().__init__(collection.replace("-", "_"), metric)
        key = api_key or os.environ.get("PINECONE_API_KEY")
        if not key:
            raise ParameterError("Pinecone needs a key: pass api_key=…, or set PINECONE_API_KEY")
        self._headers = {"Api-Key": key, "X-Pinecone-Api-Version": VERSION}
        self._control = Http(self.system, controller, self._headers)
        self._http: Http | None = None
        self._name = collection.lower().replace("_", "-")
        self._namespace, self._where = namespace, {"cloud": cloud, "region": region}

    @property
    def _index(self) -> Http:
        assert self._http is not None, "asked before the index is known"
        return self._http

    def _load(self) -> Shape | None:
        told = self._control.ask("GET", f"/indexes/{part(self._name)}", missing=True)
        if told is None:
            return None
        known = {v: k for k, v in _METRIC.items()}
        if told.get("metric") not in known or not told.get("dimension"):
            raise StoreError(
                f"{self} is no index of dense vectors (metric {told.get('metric')!r}); choose another"
            )
        self._connect(told["host"])
        return Shape(told["dimension"], known[told["metric"]])

    def _connect(self, host: str) -> None:
        base = host if "://" in host else f"https://{host}"
        self._http = Http(self.system, base, self._headers)

    def _create(self, shape: Shape) -> None:
        import time

        body = {
            "name": self._name,
            "dimension": shape.dimensions,
            "metric": _METRIC[shape.metric],
            "spec": {"serverless": self._where},
            "deletion_protection": "disabled",
        }
        told = self._control.ask("POST", "/indexes", body)
        end = time.monotonic() + 120
        while not told["status"]["ready"]:
            if time.monotonic() > end:
                raise StoreError(
                    f"{self} was made but is not ready after 120 s (it is {told['status']['state']})"
                )
            time.sleep(1)
            told = self._control.ask("GET", f"/indexes/{part(self._name)}")
        self._connect(told["host"])

    def _prepare(self, rows: Batch) -> None:
        exact_in_double(self.system, rows.types, rows.columns)
        for identity in rows.ids:
            if not text_id(identity).isascii():
                raise ParameterError(f"Pinecone: the id {identity!r} is not ASCII; its ids have to be")

    def _write(self, rows: Batch) -> None:
        fits = max(1, min(_ROWS, _BYTES // (12 * rows.vectors.shape[1] + 200)))
        for piece in rows.parts(fits):
            vectors = [
                {
                    "id": text_id(identity),
                    "values": piece.vectors[i].tolist(),
                    "metadata": {safe(name): value for name, value in piece.row(i).items()},
                }
                for i, identity in enumerate(piece.ids)
            ]
            self._index.ask("POST", "/vectors/upsert", {"vectors": vectors, "namespace": self._namespace})

    def _delete(self, ids: list[Id]) -> int:
        # Pinecone does not say how many it deleted
        there = [text_id(i) for i in self._fetch(ids)]
        for at in range(0, len(there), _ROWS):
            body = {"ids": there[at : at + _ROWS], "namespace": self._namespace}
            self._index.ask("POST", "/vectors/delete", body)
        return len(there)

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        extra = {"filter": _condition(self, where)} if where else {}
        found: list[Found] = []
        for query in queries:
            body = {"vector": query.tolist(), "topK": k, "namespace": self._namespace, **extra}
            matches = self._index.ask("POST", "/query", body).get("matches") or []
            found.append([(read_id(m["id"]), _distance(m.get("score", 0.0), shape.metric)) for m in matches])
        return found

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        found = {}
        for at in range(0, len(ids), _FETCH):
            asked = [("ids", text_id(i)) for i in ids[at : at + _FETCH]]
            answer = self._index.ask("GET", "/vectors/fetch", params=[*asked, ("namespace", self._namespace)])
            for name, vector in answer["vectors"].items():
                found[read_id(name)] = {real(n): v for n, v in (vector.get("metadata") or {}).items()}
        return found

    def _count(self) -> int:
        spaces = self._index.ask("POST", "/describe_index_stats", {}).get("namespaces", {})
        # the namespace nobody named has gone by both names
        alike = {self._namespace} | ({"", "__default__"} if self._namespace in {"", "__default__"} else set())
        return sum(int(told.get("vectorCount", 0)) for name, told in spaces.items() if name in alike)

    def _release(self) -> None:
        self._control.close()
        if self._http is not None:
            self._http.close()


def _distance(score: float, metric: Metric) -> float:
    if metric == "l2":
        return math.sqrt(max(score, 0.0))  # Pinecone gives the square
    return 1.0 - score if metric == "cosine" else -score


def _condition(store: PineconeStore, node: filters.Node) -> dict[str, Any]:
    """Return a condition as Pinecone writes it. What is missing is never unequal to anything."""
    if isinstance(node, And | Or):
        return {"$and" if isinstance(node, And) else "$or": [_condition(store, p) for p in node.parts]}
    key = safe(node.column)
    there = {key: {"$exists": True}}
    match node:
        case Null(negated=negated):
            return there if negated else {key: {"$exists": False}}
        case Like():
            raise store._refuse("LIKE", "compare whole texts with = or IN")
        case Compare(operator=operator, value=value):
            if operator not in {"=", "!="} and isinstance(value, bool | str):
                raise store._refuse(
                    f"{operator} with {value!r}: ranges are of numbers", "compare with = or IN"
                )
            asked = {key: {_OPERATOR[operator]: value}}
            return {"$and": [asked, there]} if operator == "!=" else asked
        case OneOf(values=values, negated=negated):
            if any(isinstance(v, bool) for v in values):
                raise store._refuse("truth values within IN", "compare with = and OR")
            among = {key: {"$nin" if negated else "$in": list(values)}}
            return {"$and": [among, there]} if negated else among
