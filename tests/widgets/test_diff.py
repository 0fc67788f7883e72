"""Whatever arrives, the newest state and the newest patch give the picture."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.widgets.diff import Differ, apply, change
from aios_workbench.widgets.protocol import (
    GateRequest,
    GraphPatch,
    GraphState,
    Metric,
    NodeChange,
    NodeMoves,
    RunInfo,
    StepNode,
)


def state(*nodes: StepNode, status: str = "running", **more: object) -> GraphState:
    run = RunInfo(run_id="r", status=status, created_at=1.0)  # type: ignore[arg-type]
    return GraphState(workflow="w", run=run, nodes=list(nodes), **more)  # type: ignore[arg-type]


def test_nothing_new_sends_nothing() -> None:
    differ = Differ(state(StepNode(name="a")))
    assert differ.update(state(StepNode(name="a"))) is None


def test_only_what_moved_is_sent() -> None:
    differ = Differ(state(StepNode(name="a"), StepNode(name="b", deps=["a"])))
    news = differ.update(state(StepNode(name="a", status="running"), StepNode(name="b", deps=["a"])))
    assert isinstance(news, GraphPatch)
    assert [n.name for n in news.nodes] == ["a"]
    assert (news.base, news.seq, news.metrics, news.gates) == (0, 1, None, None)


def test_another_graph_is_sent_whole() -> None:
    differ = Differ(state(StepNode(name="a")))
    assert isinstance(differ.update(state(StepNode(name="a"), StepNode(name="b"))), GraphState)
    other = state(StepNode(name="a"), StepNode(name="b"))
    other.run = RunInfo(run_id="r2", status="running", created_at=2.0)
    news = differ.update(other)
    assert isinstance(news, GraphState)
    assert news.seq == 2


def test_a_patch_carries_what_changed_before_it_too() -> None:
    differ = Differ(state(StepNode(name="a"), StepNode(name="b")))
    differ.update(
        state(StepNode(name="a", status="running"), StepNode(name="b"), gates=[GateRequest(step="b")])
    )
    news = differ.update(
        state(
            StepNode(name="a", status="running"),
            StepNode(name="b", status="failed"),
            gates=[GateRequest(step="b")],
        )
    )
    assert isinstance(news, GraphPatch)
    assert {n.name: n.status for n in news.nodes} == {"a": "running", "b": "failed"}
    assert news.gates == [GateRequest(step="b")]


def test_a_stale_patch_says_nothing_about_a_newer_state() -> None:
    now = state(StepNode(name="a", status="succeeded"), seq=5)
    assert apply(now, GraphPatch(base=1, seq=2, nodes=[NodeChange(name="a")])) is now


_MOVES = st.builds(
    NodeMoves,
    **{
        name: st.one_of(st.just(field.default), st.from_type(field.annotation))  # type: ignore[arg-type]
        for name, field in NodeMoves.model_fields.items()
        if field.annotation is not None and "float" not in str(field.annotation)
    },
    duration=st.none() | st.floats(0, 9),
    progress=st.none() | st.just(0.0) | st.just(1.0),
)


def test_what_does_not_differ_from_a_step_that_never_ran_is_not_sent() -> None:
    moved = StepNode(name="a", kind="gate", deps=["b"], max_attempts=4, status="running", attempts=1)
    assert json.loads(change(moved).model_dump_json()) == {"name": "a", "status": "running", "attempts": 1}


def test_a_step_that_is_put_back_is_told_so() -> None:
    done = StepNode(name="a", deps=["x"], status="succeeded", rows=4, cached=True, max_attempts=3)
    back = apply(state(done), GraphPatch(base=0, seq=1, nodes=[NodeChange(name="a")]))
    assert back.nodes == [StepNode(name="a", deps=["x"], max_attempts=3)]


@given(
    size=st.integers(1, 90),
    moves=st.lists(st.tuples(st.integers(0, 89), _MOVES, st.booleans()), max_size=120),
)
def test_a_reader_that_misses_messages_sees_the_same(
    size: int, moves: list[tuple[int, NodeMoves, bool]]
) -> None:
    nodes = [StepNode(name=f"s{i}") for i in range(size)]
    metrics: list[Metric] = []
    differ = Differ(state(*nodes))
    graph = state(*nodes)
    patch: GraphPatch | None = None
    last = -1
    for i, moved, metric in moves:
        nodes = list(nodes)
        nodes[i % size] = nodes[i % size].model_copy(update=dict(moved))
        if metric:
            metrics = [*metrics, Metric(step="s0", name=f"m{len(metrics)}", value=1.0)]
        news = differ.update(state(*nodes, metrics=metrics))
        if news is None:
            continue
        assert news.seq > last
        last = news.seq
        # Traits: each holds only the newest value, and may have skipped any number before it.
        if isinstance(news, GraphState):
            graph = GraphState.model_validate(json.loads(news.model_dump_json()))
        else:
            patch = GraphPatch.model_validate(json.loads(news.model_dump_json()))
        seen = apply(graph, patch) if patch else graph
        assert seen.nodes == nodes
        assert seen.metrics == metrics
