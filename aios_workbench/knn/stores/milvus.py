"""Milvus: the server over gRPC, or Milvus Lite in a file; both through pymilvus."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, cast

from aios_workbench.errors import StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import LONGEST_ID, Batch, Id, Kind, real, safe
from aios_workbench.knn.stores.filters import And, Compare, Like, Null, OneOf, Or

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_METRIC: dict[Metric, str] = {"l2": "L2", "ip": "IP", "cosine": "COSINE"}
#: rows in one request, far below gRPC's 64 MB
_ROWS = 1000


class MilvusStore(BaseStore):
    """Vectors in a collection of Milvus: a primary key, the vector, and the metadata in one JSON field.

    Parameters
    ----------
    url : str
        ``http://host:19530`` for a server; the path of a file that ends in ``.db`` for Milvus Lite.
    collection : str
    metric : {"l2", "ip", "cosine"}, optional
    token : str, optional
        ``user:password`` or an API key.
    index : dict, optional
        For a new collection: `index_type` and `params` as `knn.export(params, "milvus", problem)["index"]` gives
        them; FLAT, which is exact, when left away.
    search : dict, optional
        Search parameters such as ``{"nprobe": 16}``.
    """

    system = "Milvus"
    most = 16_384

    def __init__(
        self,
        url: str,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        token: str = "",
        index: dict[str, Any] | None = None,
        search: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(collection, metric)
        try:
            import pymilvus
        except ImportError as e:
            raise StoreError('Milvus needs pymilvus: pip install "aios-workbench[stores]"') from e
        # it logs every refused request with a traceback, beside raising it
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self._milvus = pymilvus
        self._index = index or {"index_type": "FLAT", "params": {}}
        self._params = search or {}
        try:
            self._db = pymilvus.MilvusClient(url, token=token, timeout=20)
        except (pymilvus.MilvusException, OSError) as e:
            raise StoreError(f"Milvus cannot be reached at {url}: {e}") from e

    def _load(self) -> Shape | None:
        try:
            if not self._db.has_collection(self.collection):
                return None
            told = self._db.describe_collection(self.collection)
            fields = {f["name"]: f for f in told["fields"]}
            kinds: dict[Any, Kind] = {
                self._milvus.DataType.INT64: "int",
                self._milvus.DataType.VARCHAR: "str",
            }
            kind = kinds[fields["id"]["type"]]
            dimensions = int(fields["vector"]["params"]["dim"])
            metric = self._db.describe_index(self.collection, "vector")["metric_type"]
        except self._milvus.MilvusException as e:
            raise StoreError(f"{self}: {e.message}") from e
        except (KeyError, TypeError) as e:
            raise StoreError(
                f"{self} is a collection that no store made (no {e}); choose another name"
            ) from e
        self._db.load_collection(self.collection)
        return Shape(dimensions, {v: k for k, v in _METRIC.items()}[metric], kind)

    def _create(self, shape: Shape) -> None:
        kinds = self._milvus.DataType
        schema = self._db.create_schema(auto_id=False, enable_dynamic_field=False)
        if shape.kind == "int":
            schema.add_field("id", kinds.INT64, is_primary=True)
        else:
            schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=LONGEST_ID)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=shape.dimensions)
        schema.add_field("metadata", kinds.JSON)
        plan = self._db.prepare_index_params()
        plan.add_index(
            "vector",
            index_type=self._index["index_type"],
            metric_type=_METRIC[shape.metric],
            params=self._index.get("params", {}),
        )
        self._ask(
            self._db.create_collection,
            self.collection,
            schema=schema,
            index_params=plan,
            # a store that does not find what it was just given is no store; it costs some latency
            consistency_level="Strong",
        )

    def _ask(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except self._milvus.MilvusException as e:
            raise StoreError(f"{self}: {e.message}") from e

    def _write(self, rows: Batch) -> None:
        for part in rows.parts(_ROWS):
            entities = [
                {
                    "id": identity,
                    "vector": part.vectors[i].tolist(),
                    "metadata": {safe(name): value for name, value in part.row(i).items()},
                }
                for i, identity in enumerate(part.ids)
            ]
            self._ask(self._db.upsert, self.collection, data=entities)

    def _get(self, ids: list[Id], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for at in range(0, len(ids), _ROWS):
            asked = _among(ids[at : at + _ROWS])
            found += self._ask(self._db.query, self.collection, filter=asked, output_fields=fields)
        return found

    def _delete(self, ids: list[Id]) -> int:
        # Milvus counts what was asked for, not what was there
        there = [row["id"] for row in self._get(ids, ["id"])]
        for at in range(0, len(there), _ROWS):
            self._ask(self._db.delete, self.collection, filter=_among(there[at : at + _ROWS]))
        return len(there)

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        import math

        metric = shape.metric
        answers = self._ask(
            self._db.search,
            self.collection,
            data=queries.tolist(),
            anns_field="vector",
            limit=k,
            filter=expression(where) if where else "",
            search_params={"metric_type": _METRIC[metric], "params": self._params},
        )

        def distance(score: float) -> float:
            if metric == "l2":
                return math.sqrt(max(score, 0.0))  # Milvus gives the square
            return 1.0 - score if metric == "cosine" else -score

        return [[(hit["id"], distance(hit["distance"])) for hit in hits] for hits in answers]

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        rows = self._get(ids, ["id", "metadata"])
        return {row["id"]: {real(n): v for n, v in _read(row["metadata"]).items()} for row in rows}

    def _count(self) -> int:
        rows = self._ask(self._db.query, self.collection, filter="", output_fields=["count(*)"])
        return int(rows[0]["count(*)"])

    def _release(self) -> None:
        self._db.close()


def _among(ids: list[Id]) -> str:
    # not pymilvus's `ids=`, which puts them between quotes as they are: an id with a quote in it ends the text
    return f"id in {json.dumps(ids, ensure_ascii=False)}"


def _read(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(value) if isinstance(value, str | bytes) else value)


def expression(node: filters.Node) -> str:
    """Return a condition as Milvus writes it, on the JSON field `metadata`.

    Examples
    --------
    >>> from aios_workbench.knn.stores.filters import parse
    >>> expression(parse("price < 50 AND shop IN ('a', 'b')"))
    '(metadata["price"] < 50 and (metadata["shop"] == "a" or metadata["shop"] == "b"))'
    """
    if isinstance(node, And | Or):
        word = " and " if isinstance(node, And) else " or "
        return "(" + word.join(map(expression, node.parts)) + ")"
    field = f'metadata["{safe(node.column)}"]'
    match node:
        case Null():
            return f"{'' if node.negated else 'not '}exists {field}"
        case Compare():
            operator = "==" if node.operator == "=" else node.operator
            asked = f"{field} {operator} {json.dumps(node.value, ensure_ascii=False)}"
            # a missing value is not "unequal", as in SQL
            return f"(exists {field} and {asked})" if node.operator == "!=" else asked
        case OneOf():
            # Milvus Lite takes `in` for whole fields alone
            operator, word = ("!=", "and") if node.negated else ("==", "or")
            asked = f" {word} ".join(
                f"{field} {operator} {json.dumps(v, ensure_ascii=False)}" for v in node.values
            )
            return f"(exists {field} and {asked})" if node.negated else f"({asked})"
        case Like():
            pattern = json.dumps(node.pattern.replace("\\", "\\\\"), ensure_ascii=False)
            return (
                f"(exists {field} and not ({field} like {pattern}))"
                if node.negated
                else f"{field} like {pattern}"
            )
