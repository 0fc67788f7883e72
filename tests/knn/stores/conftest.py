"""The systems that the conformance suite runs on: real ones, and peers that speak the wire."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from peers.pinecone import pinecone
from peers.qdrant import qdrant
from peers.serving import Server, serving
from peers.weaviate import weaviate
from pg_server import cluster

from aios_workbench.knn.stores import open_store
from aios_workbench.knn.stores.base import BaseStore

_numbers = itertools.count()


@dataclass
class Place:
    """A system with room for one collection of a test's own.

    `refuses` are words of the filter language that it has no way to ask.
    """

    name: str
    url: str
    options: dict[str, Any] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    knows_columns: bool = False

    def open(self, metric: Any = None, **more: Any) -> BaseStore:
        return open_store(self.url, metric=metric, **{**self.options, **more})


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with cluster("vector") as server:
        yield server.url


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Milvus Lite behind a TCP port: the gRPC that a Milvus server speaks, in a process of its own."""
    folder = tmp_path_factory.mktemp("milvus")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    log = folder / "log"
    command = [
        sys.executable,
        "-m",
        "milvus_lite",
        "server",
        "--data-dir",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
    try:
        end = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def qdrant_peer() -> Iterator[Server]:
    with serving(qdrant()) as server:
        yield server


@pytest.fixture(scope="session")
def weaviate_peer() -> Iterator[Server]:
    with serving(weaviate()) as server:
        yield server


@pytest.fixture(scope="session")
def pinecone_peer() -> Iterator[Server]:
    servers: list[Server] = []
    with serving(pinecone(servers)) as server:
        servers.append(server)
        yield server


def _duckdb(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    return Place("duckdb", f"duckdb:{folder / 'vectors.duckdb'}", {"collection": name}, knows_columns=True)


def _faiss(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    return Place("faiss", f"faiss:{folder / 'index'}", {"collection": name}, knows_columns=True)


def _milvus_lite(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    return Place("milvus-lite", f"milvus-lite:{folder / 'vectors.db'}", {"collection": name})


def _milvus(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    return Place("milvus", f"milvus://{request.getfixturevalue('milvus_server')}", {"collection": name})


def _pgvector(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    return Place("pgvector", request.getfixturevalue("postgres"), {"collection": name}, knows_columns=True)


def _qdrant(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    url = request.getfixturevalue("qdrant_peer").base
    refuses = frozenset({"like", "order of texts"})
    return Place("qdrant", f"qdrant:{url.removeprefix('http:')}", {"collection": name}, refuses)


def _weaviate(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    url = request.getfixturevalue("weaviate_peer").base
    refuses = frozenset({"not like", "order of texts"})
    return Place(
        "weaviate", f"weaviate:{url.removeprefix('http:')}", {"collection": name}, refuses, knows_columns=True
    )


def _pinecone(request: pytest.FixtureRequest, folder: Path, name: str) -> Place:
    server = request.getfixturevalue("pinecone_peer")
    options = {"api_key": "peer", "controller": server.base}
    refuses = frozenset({"like", "order of texts", "truth values in"})
    return Place("pinecone", f"pinecone://{name}", options, refuses)


PLACES: dict[str, Callable[[pytest.FixtureRequest, Path, str], Place]] = {
    "faiss": _faiss,
    "duckdb": _duckdb,
    "milvus-lite": _milvus_lite,
    "milvus": _milvus,
    "pgvector": _pgvector,
    "qdrant": _qdrant,
    "weaviate": _weaviate,
    "pinecone": _pinecone,
}


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](request, tmp_path, f"c{next(_numbers)}")
