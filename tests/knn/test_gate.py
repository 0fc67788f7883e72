"""Recall as a gate, and single queries looked at, against brute force, with an index that misses what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning_kit import problem

from aios_workbench.errors import KnnInputError, NotFoundError, ParameterError, RecallBelowTarget
from aios_workbench.knn import check_recall, kept, open_vectors
from aios_workbench.knn.gate import neighbours, recalls
from aios_workbench.knn.hits import Hits
from aios_workbench.knn.models import Constraints, TuningState
from aios_workbench.knn.tuning import Tuning
from aios_workbench.workspace import Workspace


@dataclass
class Forgetful:
    """Searches exactly but for the rows it cannot see."""

    x: Any
    ids: Any
    blind: frozenset[int] = frozenset()

    def exact(self, queries: Any, k: int = 10) -> Hits:
        return self._nearest(queries, k, frozenset())

    def search(self, queries: Any, k: int = 10) -> Hits:
        return self._nearest(queries, k, self.blind)

    def explain(self, query: Any, k: int = 10) -> Any:
        return SimpleNamespace(codes_scanned=len(self.x) - len(self.blind))

    def _nearest(self, queries: Any, k: int, blind: frozenset[int]) -> Hits:
        rows = []
        for q in np.asarray(queries, float):
            away = np.sqrt(((self.x - q) ** 2).sum(axis=1))
            order = [int(i) for i in np.argsort(away, kind="stable") if int(i) not in blind][:k]
            rows.append([(self.ids[i], float(away[i])) for i in order])
        return Hits.of(rows, k)


def line(n: int, blind: frozenset[int] = frozenset()) -> Forgetful:
    return Forgetful(np.arange(float(n))[:, None], list(range(n)), blind)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12), st.sets(st.integers(0, 11)), st.integers(1, 6),
    st.booleans(),
)  # fmt: skip
def test_recall_is_what_brute_force_says_and_ties_count(
    places: list[int], blind: set[int], k: int, own: bool
) -> None:
    """Every vector asks; many lie on the same place, so that of several equally near any is right."""
    index = Forgetful(np.array(places, float)[:, None], list(range(len(places))), frozenset(blind))
    each = recalls(index, index.x, k, index.ids if own else None)
    for i, place in enumerate(places):
        others = [j for j in range(len(places)) if not (own and j == i)]
        distances = sorted(abs(places[j] - place) for j in others)[:k]
        if not distances:
            assert each[i] == 1
            continue
        seen = [j for j in others if j not in blind]
        # with its own row blind the query cannot be told from a miss: the last of k + 1 is left out
        found = sorted(abs(places[j] - place) for j in seen)[:k]
        hits = min(sum(f <= distances[-1] for f in found), len(distances))
        assert each[i] == pytest.approx(hits / len(distances))


def test_a_vector_is_not_its_own_neighbour() -> None:
    index = line(10)
    ids, distances = neighbours(index.search, [[3.0], [9.0]], 2, [3, 9])
    assert ids.tolist() == [[2, 4], [8, 7]]
    assert distances.tolist() == [[1, 1], [1, 2]]
    assert neighbours(index.search, [[3.0]], 2)[0].tolist() == [[3, 2]]


def test_a_gate_stays_shut_below_the_target_and_says_by_how_much() -> None:
    index, queries = line(100, frozenset(range(0, 100, 10))), np.arange(0.0, 100)[:, None]
    seen = check_recall(index, 0.5, queries, k=1)
    assert seen.passed
    assert seen.recall == pytest.approx(0.9)
    assert 0.8 < seen.low < 0.9 < seen.high < 0.96
    assert seen.to_dict()["queries"] == 100
    with pytest.raises(
        RecallBelowTarget, match=r"recall@1 is 0\.9000 .* on 100 queries; 0\.95 was demanded"
    ) as e:
        check_recall(index, 0.95, queries, k=1)
    assert (e.value.target, e.value.recall) == (0.95, pytest.approx(0.9))
    assert (e.value.low, e.value.high) == (seen.low, seen.high)
    assert not check_recall(index, 0.95, queries, k=1, fail=False).passed


@pytest.mark.parametrize(("by", "target", "passes"), [
    ("mean", 0.9, True), ("low", 0.9, False), ("high", 0.93, True), ("mean", 0.93, False), ("low", 0.8, True),
])  # fmt: skip
def test_what_has_to_reach_the_target_is_chosen(by: Any, target: float, passes: bool) -> None:
    index, queries = line(100, frozenset(range(0, 100, 10))), np.arange(0.0, 100)[:, None]
    assert check_recall(index, target, queries, k=1, by=by, fail=False).passed == passes


def test_a_gate_refuses_what_it_cannot_check() -> None:
    with pytest.raises(ParameterError, match="recall is 95"):
        check_recall(line(5), 95, [[1.0]])
    with pytest.raises(ParameterError, match="by is 'median'"):
        check_recall(line(5), 0.9, [[1.0]], by="median")  # type: ignore[arg-type]
    with pytest.raises(KnnInputError, match="no queries"):
        check_recall(line(5), 0.9, np.empty((0, 1)))


# ---------------------------------------------------------------- single queries

TEXTS = ["apples", "pears", "plums", "trains", "planes", "ships", "cars", "bikes"]


def embed(texts: list[str]) -> Any:
    return np.array([[len(t), t.count("p"), t.count("s"), float(ord(t[0]))] for t in texts], np.float32)


@pytest.fixture
def tuning(tmp_path: Path) -> Any:
    """A tuning of some words whose index does not see two of them."""
    ws = Workspace(tmp_path / ".aios")
    frame = pd.DataFrame({"id": [f"w{i}" for i in range(8)], "text": TEXTS})
    vectors = open_vectors(frame, embed=embed, column="text", folder=tmp_path)
    asked = kept.ask(vectors, 2, seed=0)
    of = problem(rows=8, dimensions=4, k=2, tuning_queries=1, held_out_queries=1, queries_given=False)
    from fake_strategy import point

    found = point("p0", 0.9, 10.0, vectors=6)
    state = TuningState(id="t", problem=of, constraints=Constraints(recall=0.5), points=[found], chosen="p0")
    made = Tuning(ws, vectors, asked, state.model_copy(update={"status": "finished"}), embed)
    made._indexes["p0"] = Forgetful(vectors.raw(range(8)), vectors.ids, frozenset({1, 2}))
    yield made
    ws.close()


def test_a_text_is_explored_with_its_misses_marked(tuning: Any) -> None:
    found = tuning.explore("pears", k=3)
    assert [(n.id, n.text, n.hit) for n in found.exact] == [
        ("w1", "pears", False), ("w2", "plums", False), ("w4", "planes", True),
    ]  # fmt: skip
    assert found.approximate[0].id == "w4"
    assert [n.hit for n in found.approximate] == [True, False, False]
    assert found.recall == pytest.approx(1 / 3)
    assert (found.query, found.scanned) == ("pears", 6)
    assert found.exact[0].distance == 0
    assert found.milliseconds is not None


def test_a_row_a_vector_and_a_stored_query_are_explored(tuning: Any) -> None:
    near = tuning.explore("#w1", k=1)
    assert (near.query, near.exact[0].id) == ("pears", "w2")  # not itself
    assert tuning.explore(embed(["cars"])[0], k=1).exact[0].text == "cars"
    row = int(tuning.asked.rows[0])
    stored = tuning.explore(0)
    assert stored.query == TEXTS[row]
    assert f"w{row}" not in {n.id for n in (*stored.exact, *stored.approximate)}  # not its own neighbour
    assert len(stored.exact) == 2
    with pytest.raises(NotFoundError, match="no stored query 2; they are numbered from 0 to 1"):
        tuning.explore(2)
    with pytest.raises(NotFoundError, match="no vector has the id 'w9'"):
        tuning.explore("#w9")
    with pytest.raises(KnnInputError, match="takes one query, these are 2"):
        tuning.explore(embed(["cars", "bikes"]))
    tuning.embed = None
    assert tuning.explore("w2", k=1).exact[0].text == "pears"
    with pytest.raises(NotFoundError, match="give tune\\(\\) the embed="):
        tuning.explore("some words")


def test_hard_queries_are_those_that_are_answered_worst(tuning: Any) -> None:
    hard = tuning.hard_queries()
    each = recalls(tuning._indexes["p0"], *[embed([TEXTS[r] for r in tuning.asked.rows]), 2], [
        f"w{r}" for r in tuning.asked.rows
    ])  # fmt: skip
    assert {h.query: h.recall for h in hard} == {i: r for i, r in enumerate(each) if r < 1}
    assert [h.recall for h in hard] == sorted(h.recall for h in hard)
    for h in hard:
        assert h.missed == round(2 * (1 - h.recall))
        assert h.label == TEXTS[tuning.asked.rows[h.query]]
    assert tuning.hard_queries(n=0) == []


def test_a_tuning_is_a_gate(tuning: Any) -> None:
    assert tuning.check(0.01, by="high").passed
    tuning._indexes["p0"].blind = frozenset(range(8))
    with pytest.raises(RecallBelowTarget, match=r"0\.5 was demanded"):
        tuning.check()
