"""Whatever arrives, the newest state and the newest patch give the picture."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.widgets.diff import Differ, apply
from aios_workbench.widgets.protocol import GateRequest, GraphPatch, GraphState, Metric, RunInfo, StepNode


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
    assert apply(now, GraphPatch(base=1, seq=2, nodes=[StepNode(name="a")])) is now


_STATUS = st.sampled_from(["pending", "running", "succeeded", "failed"])


@given(
    size=st.integers(1, 90),
    moves=st.lists(st.tuples(st.integers(0, 89), _STATUS, st.booleans(), st.booleans()), max_size=120),
)
def test_a_reader_that_misses_messages_sees_the_same(
    size: int, moves: list[tuple[int, str, bool, bool]]
) -> None:
    nodes = [StepNode(name=f"s{i}") for i in range(size)]
    metrics: list[Metric] = []
    differ = Differ(state(*nodes))
    graph = state(*nodes)
    patch: GraphPatch | None = None
    last = -1
    for i, status, metric, _ in moves:
        nodes = list(nodes)
        nodes[i % size] = nodes[i % size].model_copy(update={"status": status})
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
        assert [n.status for n in seen.nodes] == [n.status for n in nodes]
        assert seen.metrics == metrics
