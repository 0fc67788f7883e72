"""Weaviate, over REST for objects and GraphQL for questions."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import (
    Batch,
    Id,
    Type,
    exact_in_double,
    merged,
    read_id,
    real,
    safe,
    text_id,
    uuid_of,
)
from aios_workbench.knn.stores.filters import And, Compare, Like, Null, OneOf, Or, Scalar
from aios_workbench.knn.stores.http import Http, part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_METRIC: dict[Metric, str] = {"l2": "l2-squared", "ip": "dot", "cosine": "cosine"}
#: all numbers are `number`, so that a column of whole numbers may get others later
_SQL: dict[Type, str] = {"boolean": "boolean", "integer": "number", "number": "number", "text": "text"}
_TYPES: dict[str, Type] = {"boolean": "boolean", "number": "number", "text": "text"}
_OPERATOR = {
    "=": "Equal",
    "!=": "NotEqual",
    "<": "LessThan",
    "<=": "LessThanEqual",
    ">": "GreaterThan",
    ">=": "GreaterThanEqual",
}
_ROWS = 500
_ID = "x_id"


class WeaviateStore(BaseStore):
    """Vectors as objects of a class of Weaviate, without a vectorizer.

    Parameters
    ----------
    url : str
        Such as ``http://localhost:8080``.
    collection : str
        The class; its first letter becomes a capital, as Weaviate wants it.
    metric : {"l2", "ip", "cosine"}, optional
    api_key : str, optional
        ``WEAVIATE_API_KEY`` when left away.
    config : dict, optional
        `vectorIndexType` and `vectorIndexConfig` for a new class; `knn.export` gives them.

    Notes
    -----
    Questions are asked in GraphQL, which Weaviate Cloud switches off on 2027-05-01 and servers of one's own keep at
    least until then. Texts are compared whole, but Weaviate cuts white space off their ends first.
    """

    system = "Weaviate"
    most = 10_000

    def __init__(
        self,
        url: str,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        api_key: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(collection, metric)
        key = api_key or os.environ.get("WEAVIATE_API_KEY")
        self._http = Http(self.system, url, {"Authorization": f"Bearer {key}"} if key else None)
        self._class = collection[0].upper() + collection[1:]
        self._config = config or {}

    def _load(self) -> Shape | None:
        told = self._http.ask("GET", f"/v1/schema/{part(self._class)}", missing=True)
        if told is None:
            return None
        try:
            aios = json.loads(told["description"])["aios"]
            return Shape(aios["dimensions"], aios["metric"], aios["ids"])
        except (KeyError, TypeError, ValueError) as e:
            raise StoreError(
                f"{self} is a class that no store made (its description does not say what it holds); choose another"
            ) from e

    def _columns(self) -> dict[str, Type]:
        told = self._http.ask("GET", f"/v1/schema/{part(self._class)}")
        return {real(p["name"]): _TYPES[p["dataType"][0]] for p in told["properties"] if p["name"] != _ID}

    def _create(self, shape: Shape) -> None:
        note = {"aios": {"dimensions": shape.dimensions, "metric": shape.metric, "ids": shape.kind}}
        config = {**self._config.get("vectorIndexConfig", {}), "distance": _METRIC[shape.metric]}
        body = {
            "class": self._class,
            "description": json.dumps(note),
            "vectorizer": "none",
            "vectorIndexType": self._config.get("vectorIndexType", "hnsw"),
            "vectorIndexConfig": config,
            "invertedIndexConfig": {"indexNullState": True},  # without it IS NULL is refused
            "properties": [_property(_ID, "text")],
        }
        self._http.ask("POST", "/v1/schema", body)

    def _prepare(self, rows: Batch) -> None:
        exact_in_double(self.system, rows.types, rows.columns)
        known = self._columns() if self._shape else {}
        for name, kind in rows.types.items():
            if name in known:
                merged(name, known[name], kind)

    def _write(self, rows: Batch) -> None:
        known = self._columns()
        for name, kind in rows.types.items():
            if name not in known:
                self._http.ask(
                    "POST", f"/v1/schema/{part(self._class)}/properties", _property(safe(name), _SQL[kind])
                )
        for piece in rows.parts(_ROWS):
            objects = [
                {
                    "class": self._class,
                    "id": uuid_of(identity),
                    "vector": piece.vectors[i].tolist(),
                    "properties": {_ID: text_id(identity), **{safe(n): v for n, v in piece.row(i).items()}},
                }
                for i, identity in enumerate(piece.ids)
            ]
            # answers 200 even when single objects were refused
            for told in self._http.ask("POST", "/v1/batch/objects", {"objects": objects}):
                if errors := (told.get("result") or {}).get("errors"):
                    raise StoreError(f"{self} refused an object: {errors['error'][0]['message']}")

    def _delete(self, ids: list[Id]) -> int:
        done = 0
        for at in range(0, len(ids), _ROWS):
            uuids = [uuid_of(i) for i in ids[at : at + _ROWS]]
            where = {"operator": "ContainsAny", "path": ["id"], "valueTextArray": uuids}
            body = {"match": {"class": self._class, "where": where}, "output": "minimal"}
            told = self._http.ask("DELETE", "/v1/batch/objects", body)["results"]
            if told.get("failed"):
                raise StoreError(
                    f"{self}: {told['failed']} of {told['matches']} objects could not be deleted"
                )
            done += told["successful"]
        return done

    def _ask(self, question: str) -> Any:
        answer = self._http.ask("POST", "/v1/graphql", {"query": "{ " + question + " }"})
        if errors := answer.get("errors"):
            raise StoreError(f"{self} refused the question: {errors[0]['message']}")
        return answer["data"]

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        condition = ""
        if where:
            self._columns_known(where, list(self._columns()))
            condition = f", where: {_graphql(_condition(self, where))}"
        found: list[Found] = []
        for query in queries:
            near = f"nearVector: {{vector: {json.dumps(query.tolist())}}}, limit: {k}{condition}"
            answer = self._ask(f"Get {{ {self._class}({near}) {{ {_ID} _additional {{ distance }} }} }}")
            hits = answer["Get"][self._class]
            found.append(
                [(read_id(h[_ID]), _distance(h["_additional"]["distance"], shape.metric)) for h in hits]
            )
        return found

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        names = [_ID, *map(safe, self._columns())]
        found = {}
        for at in range(0, len(ids), _ROWS):
            uuids = [uuid_of(i) for i in ids[at : at + _ROWS]]
            where = _graphql({"operator": "ContainsAny", "path": ["id"], "valueText": uuids})
            answer = self._ask(
                f"Get {{ {self._class}(limit: {_ROWS}, where: {where}) {{ {' '.join(names)} }} }}"
            )
            for row in answer["Get"][self._class]:
                identity = read_id(row.pop(_ID))
                found[identity] = {real(n): v for n, v in row.items() if v is not None}
        return found

    def _count(self) -> int:
        answer = self._ask(f"Aggregate {{ {self._class} {{ meta {{ count }} }} }}")
        return int(answer["Aggregate"][self._class][0]["meta"]["count"])

    def _release(self) -> None:
        self._http.close()


def _property(name: str, kind: str) -> dict[str, Any]:
    extra = {"tokenization": "field"} if kind == "text" else {}  # the whole text is one token
    return {"name": name, "dataType": [kind], "indexFilterable": True, **extra}


def _distance(distance: float, metric: Metric) -> float:
    return math.sqrt(max(distance, 0.0)) if metric == "l2" else distance


def _condition(store: WeaviateStore, node: filters.Node) -> dict[str, Any]:
    """Return a condition as Weaviate writes it. What is missing is never unequal to anything."""
    if isinstance(node, And | Or):
        parts = [_condition(store, p) for p in node.parts]
        return {"operator": "And" if isinstance(node, And) else "Or", "operands": parts}
    path = [safe(node.column)]
    there = {"operator": "IsNull", "path": path, "valueBoolean": False}
    match node:
        case Null(negated=negated):
            return {"operator": "IsNull", "path": path, "valueBoolean": not negated}
        case Like(pattern=pattern, negated=negated):
            if negated:
                raise store._refuse("NOT LIKE")
            if set(pattern) & set("*?"):
                raise store._refuse("LIKE with * or ? in the pattern", "they are its own wildcards")
            return {
                "operator": "Like",
                "path": path,
                "valueText": pattern.replace("%", "*").replace("_", "?"),
            }
        case Compare(operator=operator, value=value):
            if operator not in {"=", "!="} and isinstance(value, bool | str):
                raise store._refuse(
                    f"{operator} with {value!r}: ranges are of numbers", "compare with = or IN"
                )
            asked = {"operator": _OPERATOR[operator], "path": path, **_value(value)}
            return {"operator": "And", "operands": [asked, there]} if operator == "!=" else asked
        case OneOf(values=values, negated=negated):
            word = "NotEqual" if negated else "Equal"
            some = [{"operator": word, "path": path, **_value(v)} for v in values]
            if negated:
                return {"operator": "And", "operands": [*some, there]}
            return {"operator": "Or", "operands": some} if len(some) > 1 else some[0]


def _value(value: Scalar) -> dict[str, Scalar]:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    return {"valueText": value} if isinstance(value, str) else {"valueNumber": float(value)}


def _graphql(value: Any) -> str:
    """Return a condition as a GraphQL literal: names without quotes, operators are words of an enumeration."""
    if isinstance(value, dict):
        shown = (f"{k}: {v if k == 'operator' else _graphql(v)}" for k, v in value.items())
        return "{" + ", ".join(shown) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_graphql, value)) + "]"
    return json.dumps(value)
