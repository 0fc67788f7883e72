import faiss
import numpy as np
import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.knn.build import build, factory_code, label, memory, search
from aios_workbench.knn.models import Params
from aios_workbench.knn.parts import Parts


def clustered(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, n // 50), d)) * 2
    return (centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, d)) * 0.3).astype(np.float32)


def exactly(x, queries, k):
    return np.argsort(((queries[:, None].astype("f8") - x[None]) ** 2).sum(2), 1, kind="stable")[:, :k]


def overlap(rows, truth):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(rows, truth, strict=True)])


ALL = [
    Params(family="flat"),
    Params(family="flat", codec="fp16"),
    Params(family="flat", codec="sq8", refine=2),
    Params(family="pq", codec="pq16x4fs", refine=8),
    Params(family="pq", codec="pq16x4fs", refine=8, opq=True),
    Params(family="ivf", nlist=16, nprobe=12),
    Params(family="ivf", nlist=16, nprobe=12, codec="fp16"),
    Params(family="ivf", nlist=16, nprobe=12, codec="sq8"),
    Params(family="ivf", nlist=16, nprobe=12, codec="rabitq", refine=8),
    Params(family="ivf", nlist=16, nprobe=12, codec="pq16x4fs", refine=8),
    Params(family="ivf", nlist=16, nprobe=12, codec="pq16x4fs", refine=8, opq=True),
    Params(family="hnsw", graph_degree=16, ef_construction=60, ef_search=64),
    Params(family="hnsw", graph_degree=16, ef_construction=60, ef_search=64, codec="fp16"),
    Params(family="hnsw", graph_degree=16, ef_construction=60, ef_search=64, codec="sq8", refine=2),
    Params(family="nsg", graph_degree=24, ef_search=64),
    Params(family="rabitq", codec="rabitq", refine=16),
    Params(family="binary", codec="bits", refine=32),
]


@pytest.fixture(scope="module")
def parts():
    return Parts(clustered(2000, 32), seed=3, threads=1)


@pytest.mark.parametrize("params", ALL, ids=label)
class TestEveryFamily:
    def test_finds_neighbours_and_survives_a_file(self, params, parts):
        queries = clustered(2030, 32)[2000:]
        built = build(params, parts.x, parts=parts)
        distances, rows = search(built, params, queries, 10)
        assert overlap(rows, exactly(parts.x, queries, 10)) > 0.75
        assert (np.diff(distances, axis=1) >= 0).all()
        again = faiss.deserialize_index(faiss.serialize_index(built.index))
        assert (search(again, params, queries, 10)[1] == rows).all()

    def test_memory_is_predicted(self, params, parts):
        built = build(params, parts.x, parts=parts)
        stored = len(faiss.serialize_index(built.index)) / parts.n
        if params.family == "nsg":  # writes out fewer links than it holds
            assert stored < built.bytes_per_vector
        else:  # fast-scan lists are padded to blocks of 32
            assert built.bytes_per_vector == pytest.approx(stored, rel=0.1, abs=10)
        assert memory(params, 32) <= built.bytes_per_vector

    def test_more_neighbours_than_vectors(self, params):
        n = 130 if params.family == "nsg" else 20  # a graph of that kind is not made of fewer than 128
        x = clustered(n, 32)
        built = build(params, x, threads=1)
        distances, rows = search(built, params, x[:3], n + 10)
        assert rows.shape == (3, n + 10)
        assert (rows[:, n:] == -1).all()
        assert np.isinf(distances[:, n:]).all()

    def test_all_vectors_the_same(self, params):
        x = np.ones((300, 32), np.float32)
        try:
            built = build(params, x, threads=1)
        except ParameterError:
            assert (
                params.family == "nsg"
            )  # its graph needs distances that differ; the search for an index says so
            return
        _, rows = search(built, params, x[:2], 5)
        assert ((rows >= 0) | (params.family == "hnsw")).all()

    def test_plain_faiss_code_runs(self, params):
        vectors = clustered(2000, 32)
        names = {"vectors": vectors, "queries": vectors[:5].copy()}
        exec(factory_code(params, k=3), names)
        assert names["rows"].shape == (5, 3)
        assert (names["rows"][:, 0] == np.arange(5)).mean() > 0.7


@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_odd_dimensions(d):
    x = clustered(200, d)
    for params in (
        Params(family="ivf", nlist=4, nprobe=4, codec=f"pq{d}x4fs", refine=8),
        Params(family="pq", codec=f"pq{d}x4fs", refine=8, opq=True),
        Params(family="ivf", nlist=500, nprobe=500, codec="rabitq", refine=20),
        Params(family="binary", codec="bits", refine=20),
    ):
        rows = search(build(params, x, threads=1), params, x[:20], 1)[1]
        assert (rows >= 0).all()
        if params.family == "ivf":
            assert (rows.ravel() == np.arange(20)).mean() > 0.8


def test_same_seed_same_index():
    x = clustered(3000, 16)
    params = Params(family="ivf", nlist=16, nprobe=2, codec="pq8x4fs", refine=2)
    one, two = (search(build(params, x, seed=5, threads=t), params, x[:100], 5)[1] for t in (1, 2))
    assert (one == two).all()


def test_parts_make_the_index_a_fresh_build_makes():
    x = clustered(3000, 16)
    parts = Parts(x, seed=1)
    for nlist in (64, 16):
        params = Params(family="ivf", nlist=nlist, nprobe=2, codec="sq8")
        shared = search(build(params, x, parts=parts), params, x[:100], 5)[1]
        fresh = search(build(params, x, seed=1, threads=1), params, x[:100], 5)[1]
        assert (shared == fresh).all()


def test_selector_limits_the_answer(parts):
    for params in ALL:
        if params.family in {"pq", "rabitq", "binary", "nsg"}:
            continue
        built = build(params, parts.x, parts=parts)
        rows = search(built, params, parts.x[:5], 5, selector=faiss.IDSelectorRange(0, 1000))[1]
        assert (rows < 1000).all(), label(params)


def test_a_report_that_raises_ends_the_build():
    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        build(Params(family="ivf", nlist=16), clustered(2000, 8), threads=2, report=stop)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (Params(family="hnsw", codec="pq8x4fs"), "it takes flat, fp16, sq8"),
        (Params(family="ivf", codec="flat"), "needs nlist"),
        (Params(family="pq", codec="pq5x4fs"), "m is one of"),
        (Params(family="pq", codec="pq8"), "pq<m>x4fs"),
        (Params(family="flat", opq=True), "OPQ"),
        (Params(family="hnsw", graph_degree=1), "graph_degree"),
    ],
)
def test_wrong_parameters_are_told(params, says):
    with pytest.raises(ParameterError, match=says):
        build(params, clustered(100, 8))


def test_wrong_vectors_are_told():
    with pytest.raises(ParameterError, match="float64"):
        build(Params(family="flat"), np.zeros((3, 2)))
