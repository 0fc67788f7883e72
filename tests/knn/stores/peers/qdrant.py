"""Qdrant's REST in front of the local mode of Qdrant's own client.

Requests are read by the client's models, generated from Qdrant's OpenAPI, which refuse unknown fields; the answers are
made of the same models. What a request means is decided by code that is not ours.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

from peers.serving import Answer, Refused, Request
from qdrant_client import QdrantClient
from qdrant_client.http import models


def qdrant() -> Answer:  # noqa: C901 - one case a request
    client = QdrantClient(":memory:")

    def answer(request: Request) -> Any:
        match request.method, request.path.strip("/").split("/"), request.body:
            case "GET", ["collections", name], _:
                missing(client, name)
                found = client.get_collection(name)
                return shown(found)
            case "PUT", ["collections", name], body:
                asked = models.CreateCollection.model_validate(body)
                if client.collection_exists(name):
                    raise Refused(409, {"status": {"error": f"Collection `{name}` already exists!"}})
                return shown(client.create_collection(name, vectors_config=asked.vectors))
            case "PUT", ["collections", name, "points"], body:
                asked = models.PointsList.model_validate(body)
                missing(client, name)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the local mode says that it is slow
                    return shown(client.upsert(name, asked.points))
            case "POST", ["collections", name, "points"], body:
                asked = models.PointRequest.model_validate(body)
                return shown(client.retrieve(name, asked.ids, with_payload=asked.with_payload))
            case "POST", ["collections", name, "points", "scroll"], body:
                asked = models.ScrollRequest.model_validate(body)
                points, following = client.scroll(name, limit=asked.limit, with_payload=asked.with_payload)
                return shown(models.ScrollResult(points=points, next_page_offset=following))
            case "POST", ["collections", name, "points", "delete"], body:
                asked = models.PointIdsList.model_validate(body)
                return shown(client.delete(name, asked))
            case "POST", ["collections", name, "points", "count"], body:
                asked = models.CountRequest.model_validate(body)
                return shown(client.count(name, exact=asked.exact))
            case "POST", ["collections", name, "points", "query", "batch"], body:
                asked = models.QueryRequestBatch.model_validate(body)
                return shown(client.query_batch_points(name, asked.searches))
            case _:
                raise Refused(404, {"status": {"error": f"no {request.method} {request.path}"}})

    return answer


def missing(client: QdrantClient, name: str) -> None:
    if not client.collection_exists(name):
        raise Refused(404, {"status": {"error": f"Not found: Collection `{name}` doesn't exist!"}})


def shown(result: Any) -> dict[str, Any]:
    plain = [json.loads(r.model_dump_json()) for r in result] if isinstance(result, list) else result
    return {
        "result": json.loads(plain.model_dump_json()) if hasattr(plain, "model_dump_json") else plain,
        "status": "ok",
        "time": 0.001,
    }
