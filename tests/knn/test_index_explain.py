"""What a search looked at and missed, and whether the reasons hold."""

from __future__ import annotations

import re

import numpy as np
import pytest
from living import FAMILIES, clustered, index_of

from aios_workbench.errors import KnnInputError
from aios_workbench.knn import upkeep
from aios_workbench.knn.models import Params

WEAK = {
    "ivf": Params(family="ivf", nlist=32, nprobe=1),
    "opq": Params(family="ivf", codec="pq4x4fs", opq=True, nlist=32, nprobe=2, refine=1),
    "pq": Params(family="pq", codec="pq2x4fs", refine=1),
    "hnsw": Params(family="hnsw", graph_degree=4, ef_construction=10, ef_search=10),
    "sq8": Params(family="ivf", codec="sq8", nlist=32, nprobe=2),
}


@pytest.mark.parametrize("name", WEAK)
def test_misses_are_named_and_the_advice_holds(name: str) -> None:
    x, q = clustered(2000, clusters=3), clustered(20, seed=4, clusters=3)
    index = index_of(x, WEAK[name], recall=0.5)
    seen = 0
    for query in q:
        told = index.explain(query)
        hits, truth = index.search(query), index.exact(query)
        assert told.found == next(iter(hits))
        assert told.exact == next(iter(truth))
        assert {m.id for m in told.missed} == set(truth.ids[0]) - set(hits.ids[0])
        assert told.recall == pytest.approx(1 - len(told.missed) / 10)
        for missed in told.missed:
            assert truth.ids[0, missed.rank - 1] == missed.id
            seen += 1
            if nprobe := re.search(r"nprobe = (\d+)", missed.why):
                state = index._state.with_effort(1.0)
                lists = state.base.params.model_copy(update={"nprobe": int(nprobe[1]), "refine": 0.0})
                assert int(nprobe[1]) > WEAK[name].nprobe  # type: ignore[operator]
                if name == "ivf":
                    from aios_workbench.knn.build import search

                    assert missed.id in search(state.base.index, lists, state.space.queries(query), 10)[1]
            else:
                assert re.search(r"ef_search = \d+|refine = [\d.]+|more bits", missed.why)
    assert seen > 5


def test_counts_are_those_of_the_lists() -> None:
    x = clustered(2000)
    index = index_of(x, FAMILIES["ivf-pq"], metadata={"n": range(2000)})
    index.add([9000], x[:1])
    index.remove([5])
    told = index.explain(x[0], k=5)
    assert (told.lists, told.lists_scanned, told.vectors, told.buffer, told.dead) == (32, 8, 2000, 1, 1)
    assert told.codes_scanned is not None
    assert 8 < told.codes_scanned < 2000
    assert told.refined >= 5 * 8
    index._state = index._state.with_effort(1000.0)
    assert index.explain(x[0]).codes_scanned == 2000
    text = str(told)
    assert "lists scanned: 8 of 32" in text
    assert "in the buffer, compared exactly: 1" in text


def test_a_filter_is_explained() -> None:
    x = clustered(2000)
    index = index_of(x, metadata={"n": range(2000)})
    told = index.explain(x[0], filter="n < 20")
    assert told.how == "exact over the 20 vectors that the filter keeps"
    assert (told.kept, told.codes_scanned, told.recall, told.missed) == (20, 20, 1.0, [])
    assert index.explain(x[0], filter="n < 0").found == []
    with pytest.raises(KnnInputError, match="explain takes one query"):
        index.explain(x[:2])


def test_graphs_count_their_comparisons() -> None:
    index = index_of(clustered(1500), FAMILIES["hnsw"])
    told = index.explain(clustered(1, seed=3))
    assert told.lists is None
    assert 48 <= (told.codes_scanned or 0) < 1500


def test_recall_is_by_distance() -> None:
    truth, found = np.array([[1.0, 2, 2], [0, 1, np.inf]]), np.array([[1.0, 2, 3], [0, np.inf, np.inf]])
    assert upkeep.recalls(found, truth).tolist() == [2 / 3, 1 / 2]
    assert upkeep.recalls(np.array([[np.inf]]), np.array([[np.inf]])).tolist() == [1.0]
    assert upkeep.recalls(np.array([[2.0, 2, 2, 2]]), np.array([[2.0, 2, np.inf, np.inf]])).tolist() == [1.0]
