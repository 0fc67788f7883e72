"""What our peers and our requests say is held against things that are not ours: makers' clients and models."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from peers.serving import Refused, Request, Server, serving

from aios_workbench.errors import ParameterError, StoreError, UnknownOptionError
from aios_workbench.knn.stores import open_store
from aios_workbench.knn.stores.filters import parse
from aios_workbench.knn.stores.milvus import expression
from aios_workbench.knn.stores.pinecone import PineconeStore

X = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_pinecones_own_client_and_ours_see_one_index(pinecone_peer: Server, metric: Any) -> None:
    """The peer understands Pinecone's client, so what our store is tested against is not only our reading of it."""
    from pinecone import Pinecone

    name = f"own-{metric}"
    with contextlib.ExitStack() as stack:
        options = {"api_key": "peer", "controller": pinecone_peer.base}
        store = stack.enter_context(open_store(f"pinecone://{name}", metric=metric, **options))
        store.add(["a", "b"], X[:2], {"price": [5, 50]})
        theirs = Pinecone(api_key="peer", host=pinecone_peer.base)
        stack.callback(theirs.close)
        # the data plane: of indexes it speaks a later version than we do
        index = theirs.Index(host=f"{pinecone_peer.base}/data/{name}")
        stack.callback(index.close)
        assert index.describe_index_stats().total_vector_count == 2
        index.upsert(vectors=[{"id": "c", "values": [0.0, 0.0, 2.0, 0.0], "metadata": {"price": 500}}])
        assert store.count() == 3
        asked = {
            "vector": X[1].tolist(),
            "top_k": 2,
            "filter": {"price": {"$lte": 50}},
            "include_metadata": True,
        }
        found = index.query(**asked, namespace="__default__")
        assert [m.id for m in found.matches] == store.search(X[1], 2, filter="price <= 50").ids[0].tolist()
        assert found.matches[0].metadata == {"price": 50}
        fetched = index.fetch(ids=["a", "zzz"], namespace="__default__")
        assert set(fetched.vectors) == {"a"}
        index.delete(ids=["a"], namespace="__default__")
        assert store.search(X[0], 3).ids[0].tolist().count("a") == 0


def test_a_key_travels_in_a_header_and_in_no_message(pinecone_peer: Server) -> None:
    with open_store("pinecone://secret", api_key="s3cr3t", controller=pinecone_peer.base) as store:
        with pytest.raises(StoreError, match="refused the API key") as refused:
            store.count()
        assert "s3cr3t" not in f"{refused.value!r} {store!r} {store.__dict__['_control'].base}"
    assert pinecone_peer.requests[-1].headers["api-key"] == "s3cr3t"


def test_pinecone_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    with pytest.raises(ParameterError, match="PINECONE_API_KEY"):
        PineconeStore("x")


@pytest.mark.parametrize("scheme", ["qdrant", "weaviate"])
def test_nobody_there(scheme: str) -> None:
    with open_store(f"{scheme}://127.0.0.1:9") as store, pytest.raises(StoreError, match="cannot be reached"):
        store.count()


@pytest.mark.parametrize("scheme", ["qdrant", "weaviate"])
def test_what_a_server_says_is_handed_on(scheme: str) -> None:
    def broken(request: Request) -> Any:
        raise Refused(507, {"status": {"error": "no room left"}})

    with serving(broken) as server, open_store(f"{scheme}:{server.base.removeprefix('http:')}") as store:
        with pytest.raises(StoreError) as refused:
            store.add([1], X[:1])
        assert "507" in str(refused.value)
        assert "no room left" in str(refused.value)


def test_weaviate_objects_that_were_refused_are_an_error(weaviate_peer: Server) -> None:
    url = f"weaviate:{weaviate_peer.base.removeprefix('http:')}"
    with open_store(url, collection="refusing") as store:
        store.add([1], X[:1], {"n": [1]})
        store._columns = lambda: {"n": "boolean", "t": "text"}  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match="invalid number property 'n'"):
            store._write(batch_of({"n": [True]}))  # type: ignore[attr-defined]


def batch_of(columns: Any) -> Any:
    from aios_workbench.knn.stores.batch import batch

    return batch([2], X[1:2], columns)


@pytest.mark.parametrize("name", ["qdrant", "weaviate", "pinecone"])
def test_whole_numbers_that_would_be_rounded_are_refused(request: Any, name: str) -> None:
    server = request.getfixturevalue(f"{name}_peer")
    url = "pinecone://rounding" if name == "pinecone" else f"{name}:{server.base.removeprefix('http:')}"
    options = (
        {"api_key": "peer", "controller": server.base} if name == "pinecone" else {"collection": "rounding"}
    )
    with open_store(url, **options) as store:
        with pytest.raises(ParameterError, match="beyond 2\\*\\*53"):
            store.add([1], X[:1], {"n": [2**53 + 1]})
        assert store.count() == 0


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("qdrnt://host:1", "did you mean 'qdrant'"),
        ("vectors.txt", "no such address"),
        ("qdrant://", "host and the port"),
        ("milvus-lite:vectors.sqlite", ".db"),
        ("ftp+https://x", "no such address"),
        ("duckdb+ssh:x", "no such address"),
    ],
)
def test_addresses_that_cannot_be_read(url: str, names: str) -> None:
    with pytest.raises(ParameterError) as refused:
        open_store(url)
    assert names in str(refused.value)


def test_options_and_collections_that_are_not_there() -> None:
    with pytest.raises(UnknownOptionError, match="did you mean 'api_key'"):
        open_store("qdrant://127.0.0.1:9", api_kee="x")
    with pytest.raises(ParameterError, match="letters, digits"):
        open_store("duckdb", collection='x"; DROP')
    with pytest.raises(ParameterError, match="'cosine'"):
        open_store("duckdb", metric="cosin")  # type: ignore[arg-type]


def test_a_path_is_address_enough(tmp_path: Any) -> None:
    with open_store(tmp_path / "x.duckdb") as store:
        store.add([1], X[:1])
    with open_store(f"duckdb://{tmp_path / 'x.duckdb'}") as store:
        assert store.count() == 1


def test_milvus_writes_what_milvus_reads() -> None:
    node = parse('NOT (price < 5 AND shop LIKE \'%"x\') OR "a b" IS NULL')
    assert expression(node) == (
        '((metadata["price"] >= 5 or (exists metadata["shop"] and not (metadata["shop"] like "%\\"x"))) '
        'or not exists metadata["x_612062"])'
    )
