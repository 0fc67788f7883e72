"""The choice among points against a brute-force model: front, margin, constraints, what a recall costs."""

from __future__ import annotations

import math

import pytest
from fake_strategy import point
from hypothesis import given
from hypothesis import strategies as st
from tuning_kit import problem

from aios_workbench.knn import choice
from aios_workbench.knn.models import Constraints, Params, Point

ROWS = 1000
PROBLEM = problem(rows=ROWS)
RECALLS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0])


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    made = []
    for i in range(draw(st.integers(0, 12))):
        recall = draw(RECALLS)
        made.append(
            point(
                f"p{i}", recall, draw(st.sampled_from([10.0, 100.0, 200.0, 500.0])),
                vectors=draw(st.sampled_from([ROWS, ROWS, ROWS, 100])),
                recall_low=recall - draw(st.sampled_from([0.0, 0.01, 0.04])),
                p95_ms=draw(st.sampled_from([None, 0.5, 2.0])),
                bytes_per_vector=draw(st.sampled_from([16.0, 64.0, 512.0])),
                build_seconds=draw(st.sampled_from([0.1, 5.0])),
                **draw(st.sampled_from([{}, {"verified": 0.9, "verified_low": 0.88, "verified_high": 0.92}])),
            )
        )  # fmt: skip
    return made


constraints = st.builds(
    Constraints, recall=RECALLS, latency_ms=st.sampled_from([None, 0.4, 1.0, 5.0]),
    memory_bytes=st.sampled_from([None, 20 * ROWS, 100 * ROWS, 1000 * ROWS]),
    build_seconds=st.sampled_from([None, 1.0, 10.0]),
)  # fmt: skip


def allowed(p: Point, c: Constraints) -> bool:
    return (
        p.vectors == ROWS
        and (c.latency_ms is None or (p.p95_ms is not None and p.p95_ms <= c.latency_ms))
        and (c.memory_bytes is None or p.bytes_per_vector * ROWS <= c.memory_bytes)
        and (c.build_seconds is None or p.build_seconds <= c.build_seconds)
    )


@given(points(), constraints)
def test_the_choice_is_the_fastest_that_holds_everything(known: list[Point], asked: Constraints) -> None:
    fit = [p for p in known if allowed(p, asked) and choice.assured(p) >= asked.recall]
    found = choice.choose(known, asked, PROBLEM)
    assert (found is None) == (not fit)
    if found is not None:
        assert found in fit
        assert found.qps == max(p.qps for p in fit)
        equals = [p for p in fit if p.qps == found.qps]
        assert found.bytes_per_vector == min(p.bytes_per_vector for p in equals)
    assert choice.choose(known[::-1], asked, PROBLEM) == found
    if found is None:
        assert choice.why_none(known, asked, PROBLEM)


@given(points(), constraints)
def test_the_front_is_what_no_other_point_beats(known: list[Point], asked: Constraints) -> None:
    fit = [p for p in known if allowed(p, asked)]
    front = choice.front(known, asked, PROBLEM)
    by_id = {p.id: p for p in known}
    on = [by_id[i] for i in front]
    assert [p.recall for p in on] == sorted(p.recall for p in on)
    for p in fit:
        beaten = any(
            q.recall >= p.recall and q.qps >= p.qps and (q.recall, q.qps) != (p.recall, p.qps) for q in fit
        )
        if p in on:
            assert not beaten
        else:
            assert beaten or any((q.recall, q.qps) == (p.recall, p.qps) for q in on)


@given(points(), constraints)
def test_what_would_do_really_does(known: list[Point], asked: Constraints) -> None:
    if choice.choose(known, asked, PROBLEM) is not None:
        return
    said = choice.why_none(known, asked, PROBLEM)
    if "ask for recall" in said:
        recall = float(said.split("ask for recall ")[1].split(",")[0])
        assert choice.choose(known, asked.model_copy(update={"recall": recall}), PROBLEM) is not None
    if "it would do" not in said and any(p.vectors == ROWS for p in known):
        for name in ("latency_ms", "memory_bytes", "build_seconds"):
            assert choice.choose(known, asked.model_copy(update={name: None}), PROBLEM) is None


@given(RECALLS, st.floats(0.001, 0.2), RECALLS, st.floats(0.001, 0.2))
def test_an_estimate_lies_between_its_parts_and_is_surer_than_each(
    a: float, wide: float, b: float, other: float
) -> None:
    p = point("p", a, 1.0, recall_low=a - wide, verified=b, verified_low=b - other, verified_high=1.0)
    recall, error = choice.estimate(p)
    assert min(a, b) - 1e-9 <= recall <= max(a, b) + 1e-9
    assert error <= min(wide, other) / 1.95
    # precision-weighted mean, in its textbook form
    weights = (wide**-2, other**-2)
    assert recall == pytest.approx((a * weights[0] + b * weights[1]) / sum(weights))
    assert error == pytest.approx(1 / math.sqrt(sum(weights)) / 1.959964)


def test_a_margin_keeps_a_lucky_point_out() -> None:
    lucky = point("lucky", 0.951, 900.0, recall_low=0.931)
    sure = point("sure", 0.965, 600.0, recall_low=0.955)
    found = choice.choose([lucky, sure], Constraints(recall=0.95), PROBLEM)
    assert found is sure
    found_out = lucky.model_copy(update={"verified": 0.93, "verified_low": 0.92, "verified_high": 0.94})
    assert choice.choose([found_out], Constraints(recall=0.94), PROBLEM) is None


def test_exact_points_need_no_margin() -> None:
    flat = point("flat", 1.0, 10.0, recall_low=0.98, params=Params(family="flat"))
    assert choice.choose([flat], Constraints(recall=1.0), PROBLEM) is flat


def test_a_recall_costs_what_the_fastest_point_that_holds_it_costs() -> None:
    slow, fast = point("slow", 0.99, 100.0, p95_ms=2.0), point("fast", 0.95, 400.0, p95_ms=0.5)
    cost = choice.cost_of([slow, fast], 0.98, Constraints(recall=0.9), PROBLEM, fast)
    assert (cost.point, cost.qps, cost.p95_ms, cost.slower) == ("slow", 100.0, 2.0, 4.0)
    assert choice.cost_of([slow, fast], 0.98, Constraints(latency_ms=1.0), PROBLEM, fast).point is None
    assert choice.cost_of([slow, fast], 0.9, Constraints(), PROBLEM).slower is None


def test_why_nothing_fits_names_the_change_that_would_be_enough() -> None:
    known = [
        point("a", 0.99, 100.0, p95_ms=8.0, bytes_per_vector=600.0),
        point("b", 0.90, 900.0, p95_ms=1.0, bytes_per_vector=80.0),
    ]
    asked = Constraints(recall=0.95, latency_ms=2.0)
    said = choice.why_none(known, asked, PROBLEM)
    assert (
        said
        == "no point holds recall 0.95 and 2 ms together; it would do to allow 8 ms, or to ask for recall 0.899"
    )
    said = choice.why_none(known, Constraints(recall=0.95, memory_bytes=100_000), PROBLEM)
    assert "allow 600 kB of memory" in said
    said = choice.why_none(known, Constraints(recall=0.95, latency_ms=0.1, memory_bytes=1000), PROBLEM)
    assert "nor all of that but one" in said
    assert "nothing is measured" in choice.why_none([], asked, PROBLEM)


def test_vectors_held_out_as_queries_are_not_missing_from_a_point() -> None:
    of = problem(rows=1000, queries_given=False, tuning_queries=30, held_out_queries=20)
    assert choice.searched(of) == 950
    known = [point("a", 0.99, 10.0, vectors=950), point("trial", 0.99, 20.0, vectors=100)]
    assert choice.whole(known, of) == known[:1]
    found = choice.choose(known, Constraints(recall=0.9, memory_bytes=64_000), of)
    assert found is known[0]
    assert choice.choose(known, Constraints(recall=0.9, memory_bytes=63_999), of) is None
