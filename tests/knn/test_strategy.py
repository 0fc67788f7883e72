from collections import Counter

import numpy as np
import pytest

from aios_workbench.knn import measure
from aios_workbench.knn.choice import assured
from aios_workbench.knn.models import Constraints, Doing, Note, Point, Problem, Pruned
from aios_workbench.knn.strategy import flat, graphs, run
from aios_workbench.knn.strategy.session import Free, Session, built_as, point_id


def clustered(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, n // 60), d))
    return (centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, d)) * 0.3).astype(np.float32)


def problem(n, d, *, k=10, tuning=100, held=50, budget=60.0, seed=0):
    return Problem(
        fingerprint="f", source="numpy", rows=n, dimensions=d, k=k, metric="l2", tuning_queries=tuning,
        held_out_queries=held, queries_given=True, budget_seconds=budget, threads=1, seed=seed, machine="",
    )  # fmt: skip


def tuned(x, queries, constraints=None, *, control=None, known=(), **about):
    said = []
    asked = constraints or Constraints(recall=0.9)
    about.setdefault("tuning", max(1, len(queries) * 2 // 3))
    run(x, queries, problem(*x.shape, **about), asked, said.append, control or Free(), list(known))
    return said


def points(said, n=None):
    """The last word on each point."""
    found = {p.id: p for p in said if isinstance(p, Point)}
    return [p for p in found.values() if n is None or p.vectors == n]


class Stops(Free):
    """Raises at the n-th check."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def check(self):
        self.after -= 1
        if self.after < 0:
            raise InterruptedError


class Hasty(Free):
    """Has no time for anything that can be put off."""

    left = 0.5


@pytest.fixture(scope="module")
def data():
    both = clustered(2800, 16)
    return both[:2500], both[2500:]


@pytest.fixture(scope="module")
def whole(data):
    return tuned(*data, tuning=250)


class TestASearch:
    def test_answers_every_recall_and_verifies_it(self, whole, data):
        found = points(whole, len(data[0]))
        for target in (0.9, 0.95, 0.99):
            best = max((p for p in found if assured(p) >= target), key=lambda p: p.qps)
            assert best.verified is not None
            assert best.verified_low <= best.verified <= best.verified_high

    def test_numbers_are_in_order(self, whole):
        for p in points(whole):
            assert p.recall_low <= p.recall <= p.recall_high
            assert p.qps_low <= p.qps * 1.01
            assert p.p50_ms <= p.p95_ms <= p.p99_ms
            assert p.latencies_ms
            assert p.id == point_id(p.params, p.vectors)
            assert p.batch >= 1

    def test_says_what_it_does_and_why_it_stopped(self, whole):
        phases = [d.phase for d in whole if isinstance(d, Doing)]
        assert list(dict.fromkeys(phases))[:4] == ["truth", "exact", "codes", "lists"]
        assert phases[-1] == "done"
        pruned = [p for p in whole if isinstance(p, Pruned)]
        assert all(p.reason for p in pruned)
        assert {"hnsw", "nsg", "ivf"} <= {p.family for p in pruned} | {p.params.family for p in points(whole)}

    def test_has_curves_around_the_winners(self, whole, data):
        # which one wins is a matter of microseconds; that one built index was searched in many ways is not
        built = Counter(built_as(p.params) for p in points(whole, len(data[0])))
        assert max(built.values()) > 3

    def test_what_is_known_is_not_measured_again(self, whole, data):
        again = tuned(*data, tuning=250, known=points(whole))
        new = [p for p in points(again, len(data[0])) if p.id not in {q.id for q in points(whole)}]
        assert len(new) < len(points(whole))
        assert any(p.verified is not None for p in points(whole))

    def test_stops_where_it_is_told(self, data):
        for after in (0, 3, 40):
            with pytest.raises(InterruptedError):
                tuned(*data, control=Stops(after))


class TestConstraints:
    def test_memory_is_kept_to(self, data):
        x, queries = data
        said = tuned(x, queries, Constraints(recall=0.8, memory_bytes=40 * len(x)))
        good = [p for p in points(said, len(x)) if p.bytes_per_vector <= 40 and assured(p) >= 0.8]
        assert good
        assert max(good, key=lambda p: p.qps).verified is not None
        assert any("memory" in p.reason for p in said if isinstance(p, Pruned))

    def test_build_time_is_kept_to(self, data, monkeypatch):
        monkeypatch.setattr(graphs, "_TOO_FEW", 500)
        said = tuned(*data, Constraints(recall=0.9, build_seconds=1e-9))
        assert not [p for p in points(said, 2500) if p.params.family == "hnsw"]

    def test_what_a_person_changes_is_looked_for(self, data):
        x, queries = data

        class Changes(Free):
            """Asks for another recall once the first answer stands."""

            def check(self):
                if any(isinstance(s, Doing) and s.phase == "verify" for s in said):
                    self.constraints = Constraints(recall=0.97)

        said = []
        run(x, queries, problem(*x.shape, tuning=250), Constraints(recall=0.8), said.append, Changes(), [])
        assert any("recall 0.97" in n.text for n in said if isinstance(n, Note))
        best = max((p for p in points(said, len(x)) if assured(p) >= 0.97), key=lambda p: p.qps)
        assert best.verified is not None

    def test_few_queries_are_told(self, data):
        said = tuned(*data, Constraints(recall=0.999))
        assert any("queries are few" in n.text for n in said if isinstance(n, Note))


def test_no_time_still_gives_an_answer(data):
    said = tuned(*data, control=Hasty())
    assert any(assured(p) >= 0.9 and p.verified is not None for p in points(said, 2500))


def test_graphs_are_built_where_they_may_win(monkeypatch, data):
    x, queries = data
    monkeypatch.setattr(Session, "to_beat", lambda *_, **__: float("inf"))
    said = []
    session = Session(x[:1200], queries, problem(1200, 16), Constraints(recall=0.9), said.append, Free(), [])
    graphs.search(session, smaller=False)
    graphs.search(session, smaller=True)
    codecs = {p.params.codec for p in points(said, 1200) if p.params.family == "hnsw"}
    assert codecs == {"flat", "fp16", "sq8"}
    assert any(p.params.family == "nsg" for p in points(said))


@pytest.mark.parametrize(
    ("n", "d", "k"),
    [
        (20, 1, 5),
        (20, 2, 20),
        (3, 4, 10),
        (1, 2, 1),
        (600, 1, 10),
        (700, 7, 10),
        (900, 97, 3),
        (1100, 2, 1000),
    ],
)
def test_small_and_odd_data(n, d, k):
    x = clustered(n + 30, d)
    said = tuned(x[:n], x[n:], k=k)
    best = [p for p in points(said, n) if assured(p) >= 0.9]
    assert best
    if n <= 20:
        assert max(best, key=lambda p: p.qps).params.family == "flat"


@pytest.mark.parametrize("n", [20, 1500])
def test_all_vectors_the_same(n):
    said = tuned(np.ones((n, 4), np.float32), np.ones((30, 4), np.float32))
    assert any(assured(p) >= 0.9 for p in points(said, n))


def test_one_query_is_enough_to_run(data):
    assert points(tuned(data[0][:1500], data[1][:1]))


def test_sorted_rows_are_tried_on_a_sample(data):
    x, queries = data
    order = np.argsort(x[:, 0])
    assert points(tuned(x[order], queries))


def test_the_same_seed_finds_the_same_recalls(data):
    one, two = ({p.id: p.recall for p in points(tuned(*data, seed=4))} for _ in range(2))
    both = set(one) & set(two)
    assert len(both) > 10
    assert all(one[i] == two[i] for i in both)


def test_codecs_fit_the_dimensions():
    for inner in range(1, 200):
        for codec in flat.pq_codecs(inner):
            assert inner % int(codec[2:-4]) == 0


def test_a_clock_that_stands_still_fails_nothing(monkeypatch, data):
    monkeypatch.setattr(measure.time, "thread_time", lambda: 1.0)
    said = tuned(data[0][:400], data[1][:60])
    assert all(np.isfinite(p.qps) for p in points(said))
