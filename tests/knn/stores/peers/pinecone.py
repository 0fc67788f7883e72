"""A peer of Pinecone's REST as its OpenAPI (2025-10) and its guide to metadata filters describe it.

`tests/knn/stores/test_wire.py` has Pinecone's own client talk to it too.
"""

from __future__ import annotations

from typing import Any

from peers.brute import scores
from peers.serving import Answer, Refused, Request, Server


def pinecone(servers: list[Server]) -> Answer:  # noqa: C901 - one case a request
    indexes: dict[str, dict[str, Any]] = {}
    rows: dict[str, dict[str, dict[str, Any]]] = {}

    def control(request: Request, rest: list[str]) -> Any:
        match request.method, rest:
            case "GET", [name]:
                if name not in indexes:
                    raise Refused(
                        404, {"error": {"code": "NOT_FOUND", "message": f"{name} not found"}, "status": 404}
                    )
                return indexes[name]
            case "POST", []:
                body = request.body
                assert body["metric"] in {"cosine", "euclidean", "dotproduct"}
                assert set(body) <= {
                    "name",
                    "dimension",
                    "metric",
                    "spec",
                    "deletion_protection",
                    "vector_type",
                }
                assert set(body["spec"]["serverless"]) == {"cloud", "region"}
                assert body["name"].replace("-", "").isalnum()
                assert body["name"].islower()
                name = body["name"]
                # every index has a host; here they are told apart by the path's first part
                host = f"{servers[0].base}/data/{name}"
                status = {"ready": True, "state": "Ready"}
                indexes[name] = {**body, "host": host, "status": status, "vector_type": "dense"}
                rows[name] = {}
                return indexes[name]
        raise Refused(404, {"code": 5, "message": "no such path", "details": []})

    def data(request: Request, name: str, path: str) -> Any:
        body = request.body or {}
        space = body.get("namespace") or dict(request.query).get("namespace") or "__default__"
        held = rows[name].setdefault(space, {})
        match request.method, path:
            case "POST", "vectors/upsert":
                assert set(body) <= {"vectors", "namespace"}
                assert 1 <= len(body["vectors"]) <= 1000
                for v in body["vectors"]:
                    assert set(v) <= {"id", "values", "metadata", "sparseValues"}
                    assert 1 <= len(v["id"]) <= 512
                    if len(v["values"]) != indexes[name]["dimension"]:
                        raise Refused(
                            400, {"code": 3, "message": "Vector dimension does not match", "details": []}
                        )
                    for key, value in v.get("metadata", {}).items():
                        assert not key.startswith("$")
                        assert isinstance(value, bool | int | float | str)
                    held[v["id"]] = v
                return {"upsertedCount": len(body["vectors"])}
            case "GET", "vectors/fetch":
                ids = [v for k, v in request.query if k == "ids"]
                return {
                    "vectors": {i: held[i] for i in ids if i in held},
                    "namespace": space,
                    "usage": {"readUnits": 1},
                }
            case "POST", "vectors/delete":
                assert set(body) <= {"ids", "namespace", "deleteAll", "filter"}
                assert 1 <= len(body["ids"]) <= 1000
                for i in body["ids"]:
                    held.pop(i, None)
                return {}
            case "POST", "describe_index_stats":
                spaces = {s: {"vectorCount": len(v)} for s, v in rows[name].items()}
                return {
                    "namespaces": spaces,
                    "dimension": indexes[name]["dimension"],
                    "indexFullness": 0,
                    "totalVectorCount": sum(map(len, rows[name].values())),
                    "metric": indexes[name]["metric"],
                    "vectorType": "dense",
                }
            case "POST", "query":
                return {
                    "matches": query(body, indexes[name]["metric"], held),
                    "namespace": space,
                    "usage": {"readUnits": 1},
                }
        raise Refused(404, {"code": 5, "message": "no such path", "details": []})

    def answer(request: Request) -> Any:
        if request.headers.get("api-key") != "peer":
            raise Refused(401, {"code": 16, "message": "Invalid API key", "details": []})
        assert request.headers["x-pinecone-api-version"]
        match request.path.strip("/").split("/", 2):
            case ["indexes", *rest]:
                return control(request, rest)
            case ["data", name, path]:
                return data(request, name, path)
        raise Refused(404, {"code": 5, "message": "no such path", "details": []})

    return answer


def query(body: dict[str, Any], metric: str, held: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    known = {"vector", "topK", "namespace", "filter", "includeValues", "includeMetadata"}
    assert set(body) <= known
    assert 1 <= body["topK"] <= 10_000
    found = [v for v in held.values() if "filter" not in body or holds(body["filter"], v.get("metadata", {}))]
    if not found:
        return []
    near = scores(
        [v["values"] for v in found], body["vector"], "cosine-similarity" if metric == "cosine" else metric
    )
    order = (near if metric == "euclidean" else -near).argsort(kind="stable")[: body["topK"]]
    extra = ["metadata"] if body.get("includeMetadata") else []
    return [
        {
            "id": found[i]["id"],
            "score": float(near[i]),
            "values": [],
            **{e: found[i].get(e, {}) for e in extra},
        }
        for i in order
    ]


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def holds(condition: dict[str, Any], row: dict[str, Any]) -> bool:
    """Pinecone's operators, with the types its guide gives them. A field that is missing is unequal to everything."""
    (key, asked), *others = condition.items()
    assert not others
    if key in {"$and", "$or"}:
        assert asked
        return (all if key == "$and" else any)(holds(part, row) for part in asked)
    (operator, value), *others = asked.items()
    assert not others
    there, found = key in row, row.get(key)
    same = there and (number(found) == number(value)) and isinstance(found, bool) == isinstance(value, bool)
    match operator:
        case "$exists":
            return there == value
        case "$eq":
            return same and found == value
        case "$ne":
            return not (same and found == value)
        case "$in" | "$nin":
            assert all(isinstance(v, str) or number(v) for v in value)
            among = there and not isinstance(found, bool) and found in value
            return among == (operator == "$in")
        case "$lt" | "$lte" | "$gt" | "$gte":
            assert number(value)
            if not (there and number(found)):
                return False
            return {
                "$lt": found < value,
                "$lte": found <= value,
                "$gt": found > value,
                "$gte": found >= value,
            }[operator]
    raise Refused(400, {"code": 3, "message": f"{operator} is not a valid operator", "details": []})
