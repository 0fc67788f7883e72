"""Exports, made real where we have the system: the index is created from them, used, and its recall looked at."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.knn.export import export
from aios_workbench.knn.models import Family, Metric, Params, Problem
from aios_workbench.knn.stores import open_store

sys.path.append(str(Path(__file__).parent / "stores"))

SYSTEMS = ["milvus", "pgvector", "qdrant", "weaviate", "pinecone"]
RNG = np.random.default_rng(3)
CENTRES = RNG.normal(size=(20, 16)) * 3
X = (CENTRES[RNG.integers(20, size=1500)] + RNG.normal(size=(1500, 16))).astype(np.float32)
Q = (CENTRES[RNG.integers(20, size=20)] + RNG.normal(size=(20, 16))).astype(np.float32)

EVERY = [
    Params(family="flat"),
    Params(family="ivf", nlist=32, nprobe=12),
    Params(family="ivf", codec="fp16", nlist=32, nprobe=12),
    Params(family="ivf", codec="sq8", nlist=32, nprobe=12, refine=2),
    Params(family="ivf", codec="pq8x4fs", nlist=32, nprobe=12, refine=4),
    Params(family="ivf", codec="pq7x4fs", nlist=32, nprobe=12),
    Params(family="ivf", codec="rabitq", nlist=32, nprobe=12, refine=4),
    Params(family="pq", codec="pq8x4fs", refine=4, opq=True),
    Params(family="hnsw", graph_degree=16, ef_construction=80, ef_search=60),
    Params(family="hnsw", codec="fp16", graph_degree=64, ef_construction=20, ef_search=4),
    Params(family="hnsw", codec="sq8", graph_degree=16, ef_construction=80, ef_search=60, refine=2),
    Params(family="nsg", graph_degree=32, ef_search=60),
    Params(family="rabitq", codec="rabitq", refine=8),
    Params(family="binary", codec="bits", refine=8),
]


def task(metric: Metric = "l2", dimensions: int = 16) -> Problem:
    return Problem(
        fingerprint="",
        source="",
        rows=1500,
        dimensions=dimensions,
        k=5,
        metric=metric,
        tuning_queries=0,
        held_out_queries=0,
        queries_given=False,
        budget_seconds=1,
        threads=1,
        seed=0,
        machine="",
    )


def name(params: Params) -> str:
    return f"{params.family}-{params.codec}{'-refined' * bool(params.refine)}"


def exact(metric: str) -> np.ndarray:
    x, q = X.astype(float), Q.astype(float)
    if metric == "l2":
        near = ((q[:, None] - x) ** 2).sum(2)
    else:
        near = -(q @ x.T)
        if metric == "cosine":
            near /= np.linalg.norm(x, axis=1)
    return np.argsort(near, axis=1)[:, :5]


def recall(store: Any, metric: str) -> float:
    found = store.search(Q, 5).ids
    return float(np.mean([len(set(a) & set(b)) / 5 for a, b in zip(found, exact(metric), strict=True)]))


def test_every_family_is_here() -> None:
    assert {p.family for p in EVERY} == set(get_args(Family))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("params", EVERY, ids=name)
def test_every_index_has_a_nearest_and_says_what_is_lost(params: Params, system: str) -> None:
    made = export(params, system, task())
    assert json.loads(json.dumps(made)) == made
    assert made["system"] == system
    assert made["notes"]
    assert all(n.endswith((".", "!")) for n in made["notes"])
    assert "search" in made
    assert len({"index", "sql", "collection", "class"} & set(made)) == 1
    if params.opq and system != "pinecone":
        assert any("OPQ" in n for n in made["notes"])


def test_parameters_carry_over_by_name() -> None:
    hnsw = Params(family="hnsw", graph_degree=24, ef_construction=120, ef_search=77)
    problem = task("cosine")
    milvus = export(hnsw, "milvus", problem)
    assert milvus["index"] == {
        "index_type": "HNSW",
        "metric_type": "COSINE",
        "params": {"M": 24, "efConstruction": 120},
    }
    assert milvus["search"] == {"ef": 77}
    assert export(hnsw, "pgvector", problem)["sql"] == [
        "CREATE INDEX ON vectors USING hnsw (_aios_vector vector_cosine_ops) WITH (m = 24, ef_construction = 120)"
    ]
    assert export(hnsw, "qdrant", problem)["collection"]["hnsw_config"] == {"m": 24, "ef_construct": 120}
    weaviate = export(hnsw, "weaviate", problem)["class"]["vectorIndexConfig"]
    assert weaviate == {"distance": "cosine", "maxConnections": 24, "efConstruction": 120, "ef": 77}
    scann = export(Params(family="ivf", codec="pq8x4fs", nlist=64, nprobe=9, refine=3), "milvus", problem)
    assert (scann["index"]["index_type"], scann["search"]) == ("SCANN", {"nprobe": 9, "reorder_k": 15})


def test_ef_is_at_least_k_and_limits_are_kept() -> None:
    small = Params(family="hnsw", graph_degree=300, ef_construction=4, ef_search=1)
    assert export(small, "milvus", task())["search"] == {"ef": 5}
    assert "m = 100, ef_construction = 200" in export(small, "pgvector", task())["sql"][0]
    wide = export(Params(family="hnsw"), "pgvector", task(dimensions=3000))
    assert "halfvec(3000)" in wide["sql"][0]
    assert "halfvec(3000)" in wide["order_by"]
    assert export(Params(family="hnsw"), "pgvector", task(dimensions=5000))["sql"] == []


def test_an_unknown_system() -> None:
    with pytest.raises(ParameterError, match="did you mean 'pgvector'"):
        export(Params(family="flat"), "pgvecto", task())


# ---------------------------------------------------------------- against the systems


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    from pg_server import cluster

    with cluster("vector") as server:
        yield server.url


_numbers = itertools.count()
METRICS: list[Metric] = ["l2", "ip", "cosine"]


@pytest.mark.parametrize("params", EVERY, ids=name)
def test_pgvector_makes_and_uses_the_index(postgres: str, params: Params) -> None:
    import psycopg

    metric = METRICS[next(_numbers) % 3]
    table = f"t{next(_numbers)}"
    made = export(params, "pgvector", task(metric), table=table)
    with (
        open_store(
            postgres, collection=table, metric=metric, settings={**made["search"], "enable_seqscan": "off"}
        ) as store,
        contextlib.closing(psycopg.connect(postgres, autocommit=True)) as db,
    ):
        store.add(range(1500), X)
        for statement in made["sql"]:
            db.execute(statement)  # type: ignore[arg-type]
            db.execute("SET enable_seqscan = off")
            ordered = made["order_by"].replace("$1", "'" + str(X[0].tolist()) + "'")
            plan = db.execute(f"EXPLAIN SELECT * FROM {table} ORDER BY {ordered} LIMIT 5").fetchall()  # type: ignore[arg-type]
            assert "Index Scan" in str(plan)
        assert bool(made["sql"]) == (params.family != "flat")
        assert recall(store, metric) >= 0.9


#: what Milvus Lite has; the server has the others too
LITE = {"FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "HNSW_SQ"}


@pytest.mark.parametrize("params", EVERY, ids=name)
def test_milvus_lite_makes_and_uses_the_index(tmp_path: Path, params: Params) -> None:
    metric = METRICS[next(_numbers) % 3]
    made = export(params, "milvus", task(metric))
    kind = made["index"]["index_type"]
    assert (kind in LITE) == (not any("not in Milvus Lite" in n for n in made["notes"]))
    if kind not in LITE:
        return
    address = f"milvus-lite:{tmp_path / 'x.db'}"
    with open_store(address, metric=metric, index=made["index"], search=made["search"]) as store:
        store.add(range(1500), X)
        store._db.flush("vectors")  # type: ignore[attr-defined]
        told = store._db.describe_index("vectors", "vector")  # type: ignore[attr-defined]
        assert told["index_type"] == kind
        assert recall(store, metric) >= 0.9


@pytest.mark.parametrize("params", EVERY, ids=name)
def test_qdrants_own_models_accept_it(params: Params) -> None:
    from qdrant_client.http import models

    made = export(params, "qdrant", task())
    models.CreateCollection.model_validate(made["collection"])
    asked = {"query": [0.0] * 16, "limit": 5, "params": made["search"]}
    models.QueryRequest.model_validate(asked)
