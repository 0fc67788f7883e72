"""An index in life: what it finds, what it takes in, what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from living import FAMILIES, IVF, clustered, index_of, recall

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn import keeping, upkeep
from aios_workbench.knn import state as states
from aios_workbench.knn.index import Index
from aios_workbench.knn.models import Params


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upkeep begins after a few hundred changes, and small indexes are not searched exactly."""
    monkeypatch.setattr(keeping, "DELTA_ROWS", 200)
    monkeypatch.setattr(upkeep, "SMALL", 200)


def distances(x: np.ndarray, q: np.ndarray, metric: str) -> np.ndarray:
    x, q = x.astype(float), q.astype(float)
    if metric == "l2":
        return np.linalg.norm(x[None] - q[:, None], axis=2)
    if metric == "ip":
        return -q @ x.T
    return 1 - (q / np.linalg.norm(q, axis=1)[:, None]) @ (x / np.linalg.norm(x, axis=1)[:, None]).T


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_distances_are_those_people_know(metric: str) -> None:
    x, q = clustered(600, 7), clustered(9, 7, seed=5)
    index = index_of(x, Params(family="flat"), metric=metric)
    late = 3 * clustered(40, 7, seed=8)  # under inner product longer than the space has room for
    index.add(range(1000, 1040), late)
    hits = index.search(q, 12)
    every = distances(np.concatenate([x, late]), q, metric)
    assert np.allclose(hits.distances, np.sort(every, axis=1)[:, :12], atol=1e-4)
    ids = np.concatenate([np.arange(600), np.arange(1000, 1040)])
    assert np.array_equal(hits.ids, ids[np.argsort(every, axis=1)[:, :12]])
    index.renew(anew=True)
    again = index.search(q, 12)
    assert np.array_equal(again.ids, hits.ids)
    assert np.allclose(again.distances, hits.distances, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_lives(name: str, eager: None) -> None:
    x, new, q = clustered(1500), clustered(700, seed=3), clustered(40, seed=4)
    index = index_of(x, FAMILIES[name], recall=0.9)
    assert recall(index, q) >= 0.85
    for at in range(0, 700, 100):
        index.add(range(5000 + at, 5100 + at), new[at : at + 100])
        assert index.search(new[at : at + 100], 1).ids.ravel().tolist() == list(range(5000 + at, 5100 + at))
        assert index.remove(range(at, at + 100)) == 100
    index.settle()
    assert len(index) == 1500
    assert recall(index, q) >= 0.85
    found = {i for row in index.search(q, 50).ids.tolist() for i in row}
    assert not any(i < 700 for i in found)
    assert (upkeep.no_inserts(FAMILIES[name]) is not None) == any("inserts" in n for n in index.notes)


def test_a_full_turnover_with_a_shift_keeps_the_recall(eager: None) -> None:
    x = clustered(2000, seed=1)
    index = index_of(x, IVF, recall=0.95)
    alerts: list[object] = []
    watch = index.watch(alerts.append, fraction=0.2)
    before = recall(index, clustered(200, seed=2))
    moved = clustered(2000, seed=7) @ np.diag(np.linspace(0.2, 3, 16)).astype("f4") + 4
    for at in range(0, 2000, 250):
        index.remove(range(at, at + 250))
        index.add(range(10_000 + at, 10_250 + at), moved[at : at + 250])
    index.settle()
    assert len(index._state.delta.ids) <= 200  # all but a rest has been taken in
    index.search(moved[:100], 10)
    after = recall(index, moved[::10] + 0.05)
    watch.stop()
    assert len(index) == 2000
    assert after >= before - 0.005 or alerts
    assert any("recall" in n for n in index.notes)


def test_lossy_codes_far_from_what_they_were_trained_on_are_built_anew(eager: None) -> None:
    x = clustered(1500, seed=1)
    index = index_of(x, FAMILIES["sq8"], recall=0.98)
    index.add(range(5000, 5600), 30 * clustered(600, seed=2))
    index.settle()
    assert "built anew" in index.notes[-1]
    assert recall(index, 30 * clustered(50, seed=3)) >= 0.97


def test_upsert_replaces_vector_and_metadata() -> None:
    x = clustered(300)
    index = index_of(x, ids=[f"n{i}" for i in range(300)], metadata={"price": np.arange(300)})
    version = index.version
    index.add(["n7", "new"], np.stack([x[0] + 50, x[0] + 51]), [{"price": 1000}, {"size": 3}])
    assert index.version > version
    assert len(index) == 301
    hits = index.search(x[0] + 50, 2)
    assert hits.ids.tolist() == [["n7", "new"]]
    assert hits.frame()[["price", "size"]].fillna(-1).to_numpy().tolist() == [[1000, -1], [-1, 3]]
    assert "n7" in index
    assert 7 not in index
    assert "n7" not in index.search(x[7], 5).ids
    assert index.search(x[7], 5, "price = 7").ids.tolist() == [[None] * 5]
    index.add("n7", x[7])
    assert index.search(x[7], 1).ids.tolist() == [["n7"]]
    assert index.remove("n7") == 1
    assert index.remove(["n7", "never"]) == 0
    assert "n7" not in index


def test_everything_can_go_and_come_again(eager: None) -> None:
    x = clustered(500)
    index = index_of(x)
    assert index.remove(range(500)) == 500
    hits = index.search(x[:2], 3)
    assert hits.ids.tolist() == [[None] * 3] * 2
    assert hits.note == "the index has no vectors, fewer than k = 3"
    index.renew()
    assert len(index) == 0
    index.add(range(500), x)
    assert index.search(x[:3], 1).ids.ravel().tolist() == [0, 1, 2]
    index.settle()
    assert recall(index, x[:50]) == 1.0


def test_k_larger_than_the_index_and_wrong_k() -> None:
    index = index_of(clustered(30), Params(family="flat"))
    hits = index.search(clustered(3, seed=1), 50)
    assert hits.count.tolist() == [30] * 3
    assert "30 vectors, fewer than k = 50" in hits.note
    big = index_of(clustered(900))
    assert big.search(clustered(3, seed=1), 1000).count.tolist() == [900] * 3
    for k in (0, -1, 1.5, True, "3"):
        with pytest.raises(ParameterError, match="k is"):
            index.search(clustered(1), k)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["ivf", "hnsw", "ivf-pq", "pq"])
@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5, 0.9])
def test_filters_reach_the_recall(family: str, part: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "EXACT_ROWS", 30)  # the others fetch more
    monkeypatch.setattr(states, "EXACT_PART", 0.02)
    x, q = clustered(3000), clustered(60, seed=9)
    # clusters far from the queries are the ones kept: what a plain over-fetch finds nothing of
    rank = np.argsort(np.argsort(x[:, 0]))
    index = index_of(
        x, FAMILIES[family], metadata={"rank": rank, "shuffled": np.random.default_rng(0).permutation(3000)}
    )
    for column in ("rank", "shuffled"):
        where = f"{column} < {int(part * 3000)}"
        hits = index.search(q, 10, where)
        assert recall(index, q, 10, where) >= 0.95
        assert hits.count.tolist() == [min(10, int(part * 3000))] * 60
        assert (hits.metadata[column] < part * 3000).all()


def test_filters_see_what_was_added_and_removed() -> None:
    x = clustered(400)
    index = index_of(x, metadata=pd.DataFrame({"price": np.arange(400.0), "name": "a"}))
    index.add(range(1000, 1010), x[:10], {"price": np.arange(10) / 2, "name": ["it's"] * 10})
    index.remove([0, 1, 1001])
    hits = index.search(x[:1], 50, "price < 4")
    assert sorted(i for i in hits.ids[0] if i is not None) == [2, 3, 1000, 1002, 1003, 1004, 1005, 1006, 1007]
    assert hits.note == "the filter 'price < 4' keeps 9 vectors, fewer than k = 50"
    assert index.search(x[:1], 5, "name = 'it''s'").count.tolist() == [5]
    none = index.search(x[:2], 5, "price > 1e9")
    assert none.ids.tolist() == [[None] * 5] * 2
    assert none.note == "the filter 'price > 1e9' keeps no vectors, fewer than k = 5"
    assert none.frame().empty
    with pytest.raises(KnnInputError, match="did you mean 'price'"):
        index.search(x[:1], 5, "prize < 4")
    with pytest.raises(KnnInputError, match="one condition"):
        index.search(x[:1], 5, "price < 4; drop table known")


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    x = clustered(100)
    index = index_of(x, metadata={"price": range(100)})
    version, good = index.version, x[:2]
    nan = good.copy()
    nan[1, 3] = np.nan
    for ids, vectors, metadata, words in [
        (["a", "b"], good, None, "ids are texts"),
        ([1, 1], good, None, "more than once"),
        ([1], good, None, "give one for each"),
        ([200, 201], good[:, :5], None, "another embedding model"),
        ([200, 201], nan, None, "row 1"),
        ([200, 201], good, {"price": ["cheap", "dear"]}, "metadata"),
        ([200, 201], good, {"price": [1]}, "metadata has 1 rows"),
        ([True, False], good, None, "true and false"),
        ([None, 1], good, None, "missing"),
    ]:
        with pytest.raises(KnnInputError, match=words):
            index.add(ids, vectors, metadata)
    assert index.version == version
    assert len(index) == 100
    assert index.search(x, 1).ids.ravel().tolist() == list(range(100))
    with pytest.raises(KnnInputError, match="dimensions"):
        index.search(x[:, :3])
    with pytest.raises(ParameterError, match="nprobe"):
        Index.build(index_of(x)._state and None, Params(family="ivf", nlist=3))  # type: ignore[arg-type]


def test_recalibration_turns_the_effort_until_the_target_is_reached() -> None:
    x = clustered(4000, 24, clusters=3)
    index = index_of(x, Params(family="ivf", nlist=64, nprobe=1), recall=0.95)
    assert index.baseline < 0.9
    found = index.recalibrate()
    assert index.effort > 1
    assert found.recall >= 0.95
    assert recall(index, clustered(100, 24, seed=2, clusters=3)) >= 0.93
    assert "recall" in index.notes[-1]


def test_repr_says_what_it_is() -> None:
    index = index_of(clustered(300))
    index.add([1000], clustered(1))
    assert repr(index) == "<Index of 301 vectors, l2: IVF32, Flat, nprobe 8; 1 in the buffer>"
