"""Answers kept by similarity."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn.cache import SimilarityCache
from aios_workbench.knn.hits import Hits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_alike_enough_and_young_enough() -> None:
    clock = Clock()
    cache = SimilarityCache("m@1", ttl=10, threshold=0.9, clock=clock)
    cache.put([1, 0], "a")
    clock.now = 9.0
    found = cache.get([2, 0.5])
    assert found is not None
    assert (found.value, found.age) == ("a", 9.0)
    assert found.similarity == pytest.approx(2 / np.hypot(2, 0.5))
    assert cache.get([1, 1]) is None
    clock.now = 10.0
    assert cache.get([1, 0]) is None
    assert (cache.counts.hits, cache.counts.misses, cache.counts.expired, len(cache)) == (1, 2, 1, 0)


def test_another_model_empties_it_and_its_vectors_are_refused() -> None:
    cache = SimilarityCache("m@1")
    cache.put([1, 0], "a", model="m@1")
    with pytest.raises(KnnInputError, match=r"cache\.model = 'm@2'"):
        cache.get([1, 0], model="m@2")
    cache.model = "m@1"
    assert cache.get([1, 0])
    cache.model = "m@2"
    assert cache.get([1, 0, 0]) is None  # other dimensions are fine now
    assert cache.counts.refreshed == 1
    cache.put([1, 0, 0], "b")
    with pytest.raises(KnnInputError, match="was the embedding model changed"):
        cache.get([1, 0])


def test_scopes_do_not_mix_and_the_nearest_wins() -> None:
    cache = SimilarityCache("m@1", threshold=0.5)
    cache.put([1, 0], "far")
    cache.put([1, 0.5], "near")
    cache.put([1, 0.6], "other", scope="tenant 2")
    assert cache.get([1, 0.6]).value == "near"  # type: ignore[union-attr]
    assert cache.get([1, 0.6], scope="tenant 2").value == "other"  # type: ignore[union-attr]
    assert cache.get([1, 0.6], scope="tenant 3") is None


def test_the_least_used_goes_first_and_the_same_is_replaced() -> None:
    cache = SimilarityCache("m@1", size=3)
    for i in range(3):
        cache.put(np.eye(5)[i], i)
    cache.put(np.eye(5)[1], "again")
    assert cache.get(np.eye(5)[0])
    cache.put(np.eye(5)[3], 3)
    kept = [cache.get(v) for v in np.eye(5)]
    assert [k and k.value for k in kept] == [0, "again", None, 3, None]


@pytest.mark.parametrize(
    "wrong", [{"model": "m"}, {"model": "@1"}, {"ttl": 0}, {"threshold": 2}, {"size": 0}]
)
def test_wrong_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        SimilarityCache(**({"model": "m@1"} | wrong))


@pytest.mark.parametrize("vector", [[0, 0], [np.nan, 1], [np.inf, 1]])
def test_vectors_that_mean_nothing(vector: list[float]) -> None:
    with pytest.raises(KnnInputError, match="zero, NaN or infinite"):
        SimilarityCache("m@1").get(vector)


def test_an_index_that_changed_is_asked_again() -> None:
    class Store:
        version = 1
        asked = 0

        def search(self, query: Any, k: int, filter: str | None = None) -> Hits:  # noqa: A002
            self.asked += 1
            return Hits.of([[("a", 0.0)]], k)

    store, cache = Store(), SimilarityCache("m@1")
    for version, k, text, asked in [
        (1, 1, None, 1),
        (1, 1, None, 1),
        (1, 2, None, 2),
        (1, 1, "n < 1", 3),
        (2, 1, None, 4),
    ]:
        store.version = version
        cache.search(store, [1, 0], k, text)
        assert store.asked == asked


def test_threads() -> None:
    cache, wrong = SimilarityCache("m@1", size=20), []

    def hammer(seed: int) -> None:
        r = np.random.default_rng(seed)
        for _ in range(200):
            i = int(r.integers(0, 30))
            cache.put(np.eye(30)[i], i)
            found = cache.get(np.eye(30)[i])
            if found is not None and found.value != i:
                wrong.append((i, found))

    threads = [threading.Thread(target=hammer, args=(s,)) for s in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert len(cache) <= 20
