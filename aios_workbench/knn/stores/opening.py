"""From an address to a store."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError, UnknownOptionError, hint
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores.base import BaseStore

_FORMS = (
    "'duckdb', 'duckdb:vectors.duckdb', 'faiss', 'faiss:folder', 'milvus-lite:vectors.db', 'milvus://host:19530', "
    "'postgresql://user@host/database', 'qdrant://host:6333', 'weaviate://host:8080', 'pinecone://index'"
)


def open_store(
    url: str | Path, *, collection: str | None = None, metric: Metric | None = None, **options: Any
) -> BaseStore:
    """Open a store of vectors by its address.

    Parameters
    ----------
    url : str or Path
        ``duckdb:file.duckdb`` (exact search in a file; ``duckdb`` alone: in memory), ``faiss:folder`` (a tuned index of
        ours), ``milvus-lite:file.db``, ``milvus://host:19530``, ``postgresql://user@host/database`` (pgvector),
        ``qdrant://host:6333``, ``weaviate://host:8080``, ``pinecone://index``. With ``+https`` behind the scheme the
        connection is encrypted: ``qdrant+https://host:6333``. A path that ends in .duckdb or .db needs no scheme.
    collection : str, optional
        The table, collection, class or index; ``vectors`` when left away.
    metric : {"l2", "ip", "cosine"}, optional
        For a new collection, l2 when left away; one that is there must have it.
    **options
        Of the system: `api_key`, `token`, `index`, `search`, …; see the store's class.

    Returns
    -------
    Store
        With `add`, `remove`, `search`, `count` and `close`; also a context manager.

    Raises
    ------
    ParameterError
        When the address cannot be read.
    UnknownOptionError
        When the system has no such option.
    StoreError
        When the system cannot be reached, or its client is not installed.

    Examples
    --------
    >>> with open_store("duckdb", metric="l2") as store:
    ...     store.add([1, 2, 3], [[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]], {"price": [5, 50, 500]})
    ...     hits = store.search([0.0, 0.0], k=2, filter="price < 100")
    >>> hits.ids.tolist(), hits.distances.tolist()
    ([[1, 2]], [[0.0, 5.0]])
    """
    text = str(url)
    scheme, colon, rest = text.partition(":")
    if not colon and text not in _BY_SCHEME:
        suffix = Path(text).suffix
        scheme, rest = {".duckdb": "duckdb", ".db": "milvus-lite"}.get(suffix, scheme), text
    system, _, transport = scheme.lower().partition("+")
    if system not in _BY_SCHEME or transport not in {"", "http", "https"}:
        raise ParameterError(
            f"store {text!r}: no such address{hint(system, _BY_SCHEME)}; use one of {_FORMS}"
        )
    make, arguments = _BY_SCHEME[system](rest.removeprefix("//"), transport or "http", text)
    known = [
        p.name
        for p in inspect.signature(make).parameters.values()
        if p.kind is p.KEYWORD_ONLY or p.name in {"collection", "metric"}
    ]
    if collection is not None:
        if "collection" in arguments:
            raise ParameterError(f"store {text!r}: the address names the index; leave collection away")
        arguments["collection"] = collection
    for name in options:
        if name not in known:
            raise UnknownOptionError(
                f"store {text!r} has no option {name!r}{hint(name, known)}; it has {', '.join(known)}"
            )
    return make(**arguments, metric=metric, **options)


_Way = tuple[Callable[..., BaseStore], dict[str, Any]]


def _duckdb(rest: str, _: str, __: str) -> _Way:
    from aios_workbench.knn.stores.duckdb import DuckDBStore

    return DuckDBStore, {"path": rest or None}


def _faiss(rest: str, _: str, __: str) -> _Way:
    from aios_workbench.knn.stores.faiss import FaissStore

    return FaissStore, {"path": rest or None}


def _milvus_lite(rest: str, _: str, text: str) -> _Way:
    from aios_workbench.knn.stores.milvus import MilvusStore

    if not rest.endswith(".db"):
        raise ParameterError(f"store {text!r}: the file of Milvus Lite has to end in .db")
    return MilvusStore, {"url": str(Path(rest).expanduser())}


def _milvus(rest: str, transport: str, text: str) -> _Way:
    from aios_workbench.knn.stores.milvus import MilvusStore

    return MilvusStore, {"url": f"{transport}://{_host(rest, text)}"}


def _pgvector(_: str, __: str, text: str) -> _Way:
    from aios_workbench.knn.stores.pgvector import PgVectorStore

    return PgVectorStore, {"url": text}


def _qdrant(rest: str, transport: str, text: str) -> _Way:
    from aios_workbench.knn.stores.qdrant import QdrantStore

    return QdrantStore, {"url": f"{transport}://{_host(rest, text)}"}


def _weaviate(rest: str, transport: str, text: str) -> _Way:
    from aios_workbench.knn.stores.weaviate import WeaviateStore

    return WeaviateStore, {"url": f"{transport}://{_host(rest, text)}"}


def _pinecone(rest: str, _: str, __: str) -> _Way:
    from aios_workbench.knn.stores.pinecone import PineconeStore

    return PineconeStore, {"collection": rest} if rest else {}


def _host(rest: str, text: str) -> str:
    if not rest:
        raise ParameterError(f"store {text!r}: name the host and the port behind the scheme, as in {_FORMS}")
    return rest.rstrip("/")


_BY_SCHEME: dict[str, Callable[[str, str, str], _Way]] = {
    "duckdb": _duckdb,
    "faiss": _faiss,
    "milvus": _milvus,
    "milvus-lite": _milvus_lite,
    "pinecone": _pinecone,
    "postgres": _pgvector,
    "postgresql": _pgvector,
    "qdrant": _qdrant,
    "weaviate": _weaviate,
}
