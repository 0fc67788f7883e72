"""A peer of Weaviate's REST and GraphQL as its documentation describes them; graphql-core reads the questions."""

from __future__ import annotations

import re
from typing import Any

from graphql import FieldNode, parse, value_from_ast_untyped
from peers.brute import scores
from peers.serving import Answer, Refused, Request

PROPERTY = re.compile(r"[_a-z][_0-9A-Za-z]{0,230}")
VALUES = {"valueText": "text", "valueNumber": "number", "valueBoolean": "boolean"}


def weaviate() -> Answer:  # noqa: C901 - one case a request
    classes: dict[str, dict[str, Any]] = {}
    objects: dict[str, dict[str, dict[str, Any]]] = {}

    def answer(request: Request) -> Any:  # noqa: C901 - one case a request
        match request.method, request.path.strip("/").split("/"), request.body:
            case "GET", ["v1", "schema", name], _:
                if name not in classes:
                    raise Refused(404, None)
                return classes[name]
            case "POST", ["v1", "schema"], body:
                assert re.fullmatch(r"[A-Z][_0-9A-Za-z]*", body["class"])
                assert body["vectorIndexConfig"]["distance"] in {"l2-squared", "dot", "cosine"}
                if body["class"] in classes:
                    raise Refused(422, {"error": [{"message": f"class name {body['class']} already exists"}]})
                classes[body["class"]] = body
                objects[body["class"]] = {}
                return body
            case "POST", ["v1", "schema", name, "properties"], body:
                assert PROPERTY.fullmatch(body["name"]), body["name"]
                assert body["name"] not in {"id", "vector", "_additional", "_id"}
                assert body["dataType"] in (["text"], ["number"], ["boolean"])
                classes[name]["properties"].append(body)
                return body
            case "POST", ["v1", "batch", "objects"], body:
                return [stored(o, classes, objects) for o in body["objects"]]
            case "DELETE", ["v1", "batch", "objects"], body:
                held = objects[body["match"]["class"]]
                where = body["match"]["where"]
                assert (where["operator"], where["path"]) == ("ContainsAny", ["id"])
                there = [i for i in where["valueTextArray"] if i in held]
                for i in there:
                    del held[i]
                results = {"matches": len(there), "limit": 10_000, "successful": len(there), "failed": 0}
                return {"match": body["match"], "output": body["output"], "results": results}
            case "POST", ["v1", "graphql"], body:
                try:
                    return {"data": dict(asked(f, classes, objects) for f in fields(body["query"]))}
                except KeyError as e:
                    return {"errors": [{"message": f"no such prop or class {e}"}]}
        raise Refused(404, {"error": [{"message": f"no {request.method} {request.path}"}]})

    return answer


def stored(o: dict[str, Any], classes: Any, objects: Any) -> dict[str, Any]:
    assert set(o) == {"class", "id", "vector", "properties"}
    types = {p["name"]: p["dataType"][0] for p in classes[o["class"]]["properties"]}
    python = {"text": str, "number": int | float, "boolean": bool}
    for name, value in o["properties"].items():
        if not isinstance(value, python[types[name]]) or (
            types[name] == "number" and isinstance(value, bool)
        ):
            message = f"invalid {types[name]} property '{name}' on class '{o['class']}'"
            return {**o, "result": {"status": "FAILED", "errors": {"error": [{"message": message}]}}}
    objects[o["class"]][o["id"]] = o
    return {**o, "result": {"status": "SUCCESS"}}


def fields(query: str) -> list[FieldNode]:
    (operation,) = parse(query).definitions
    return list(operation.selection_set.selections)  # type: ignore[attr-defined]


def asked(field: FieldNode, classes: Any, objects: Any) -> tuple[str, Any]:
    (inner,) = field.selection_set.selections
    name = inner.name.value
    held = list(objects[name].values())
    if field.name.value == "Aggregate":
        return "Aggregate", {name: [{"meta": {"count": len(held)}}]}
    assert field.name.value == "Get"
    given = {a.name.value: value_from_ast_untyped(a.value) for a in inner.arguments}
    assert set(given) <= {"nearVector", "limit", "where"}
    assert given["limit"] <= 10_000
    types = {p["name"]: p["dataType"][0] for p in classes[name]["properties"]}
    if "where" in given:
        held = [o for o in held if holds(given["where"], o, types)]
    near = None
    if "nearVector" in given and held:
        metric = classes[name]["vectorIndexConfig"]["distance"]
        near = scores([o["vector"] for o in held], given["nearVector"]["vector"], metric)
        order = near.argsort(kind="stable")
        held, near = [held[i] for i in order], near[order]
    wanted = [s.name.value for s in inner.selection_set.selections]
    rows = []
    for i, o in enumerate(held[: given["limit"]]):
        row = {w: o["properties"].get(w) for w in wanted if w != "_additional" and types[w]}
        if "_additional" in wanted:
            row["_additional"] = {"distance": float(near[i])}
        rows.append(row)
    return "Get", {name: rows}


def holds(where: dict[str, Any], o: dict[str, Any], types: dict[str, str]) -> bool:  # noqa: C901 - one case an operator
    operator = where["operator"]
    if operator in {"And", "Or"}:
        assert set(where) == {"operator", "operands"}
        return (all if operator == "And" else any)(holds(w, o, types) for w in where["operands"])
    (path,) = where["path"]
    ((key, value),) = ((k, v) for k, v in where.items() if k.startswith("value"))
    if operator == "ContainsAny":
        assert path == "id"
        return o["id"] in value
    found = o["properties"].get(path)
    kind = types[path]  # KeyError: no such property
    if operator == "IsNull":
        assert key == "valueBoolean"
        return (found is None) == value
    assert VALUES[key] == kind, f"data type filter cannot use {key!r} on type {kind!r}"
    if operator == "NotEqual":
        return found != value
    if found is None:
        return False
    match operator:
        case "Equal":
            return found == value
        case "Like":
            pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in value)
            return re.fullmatch(pattern, found, re.DOTALL) is not None
        case "LessThan":
            return found < value
        case "LessThanEqual":
            return found <= value
        case "GreaterThan":
            return found > value
        case "GreaterThanEqual":
            return found >= value
    raise KeyError(operator)
