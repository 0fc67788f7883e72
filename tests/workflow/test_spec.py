"""The graph as data: there and back, one hash in every process, order, what lies behind a step."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import CycleError, DefinitionError
from aios_workbench.workflow import Decision, StepSpec, Workflow, WorkflowSpec, topological


@st.composite
def graphs(draw: st.DrawFn) -> list[StepSpec]:
    """Random acyclic graphs, their steps in random order."""
    n = draw(st.integers(1, 12))
    steps = []
    for i in range(n):
        before = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()
        kinds = [draw(st.booleans()) for _ in before]
        names = [f"s{j}" for j in sorted(before)]
        steps.append(StepSpec(
            f"s{i}", deps={n: n for n, k in zip(names, kinds, strict=True) if k},
            after=[n for n, k in zip(names, kinds, strict=True) if not k],
        ))  # fmt: skip
    return draw(st.permutations(steps))


@given(graphs())
def test_every_step_comes_after_what_it_waits_for(steps: list[StepSpec]) -> None:
    order = [s.name for s in topological(steps, "w")]
    assert sorted(order) == sorted(s.name for s in steps)
    for step in steps:
        assert all(order.index(up) < order.index(step.name) for up in step.upstream)


@given(graphs(), st.data())
def test_downstream_is_reachability(steps: list[StepSpec], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from([s.name for s in steps]))
    found = {start}
    while more := {s.name for s in steps if found.intersection(s.upstream)} - found:
        found |= more
    assert WorkflowSpec("w", topological(steps, "w")).downstream([start]) == found


@given(graphs(), st.data())
def test_one_more_edge_backwards_is_a_circle(steps: list[StepSpec], data: st.DataObject) -> None:
    ordered = topological(steps, "w")
    linked = [s for s in ordered if s.upstream]
    if not linked:
        return
    last = data.draw(st.sampled_from(linked))
    first = data.draw(st.sampled_from(last.upstream))
    broken = [
        s if s.name != first else StepSpec(first, deps=s.deps, after=[*s.after, last.name]) for s in ordered
    ]
    with pytest.raises(CycleError, match=first):
        topological(broken, "w")


def example() -> WorkflowSpec:
    wf = Workflow("Überprüfung <b>", description="d")

    @wf.step(retries=2, timeout="5s", tags=["t"], cache=True, fallback=lambda n: 0)
    def a(n: int = 1) -> int:
        """Doc."""
        return n

    @wf.gate(when=lambda a: a > 1, timeout="1h")
    def g(a: int) -> int:
        return a

    return wf.spec()


def test_there_and_back() -> None:
    spec = example()
    again = WorkflowSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.hash == spec.hash
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_unknown_fields_of_a_step_are_left_out() -> None:
    data = example().to_dict()
    data["steps"][0]["invented_later"] = 1
    assert WorkflowSpec.from_dict(data) == example()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format 2"), ({"format": None}, "format None"), ({"steps": None}, "not a workflow"),
        ({"steps": [{}]}, "not a workflow"), ({"steps": [3]}, "not a workflow"),
    ],
)  # fmt: skip
def test_what_is_no_workflow_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        WorkflowSpec.from_dict({**example().to_dict(), **change})


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("code", "other text", True), ("doc", "other", True), ("cell", "In[9]", True), ("fn", {"hash": "1"}, True),
        ("code_hash", "0" * 32, False), ("retries", 9, False), ("timeout", 9.0, False), ("deps", {"x": "y"}, False),
        ("tags", ["u"], False), ("form", {"a": 1}, False), ("name", "z", False),
    ],
)  # fmt: skip
def test_the_hash_is_of_what_is_done_not_of_where_it_is_written(field: str, value: Any, same: bool) -> None:
    data = example().to_dict()
    one = WorkflowSpec(data["name"], [StepSpec(**s) for s in data["steps"]], data["parameters"])
    data["steps"][0][field] = value
    two = WorkflowSpec(data["name"], [StepSpec(**s) for s in data["steps"]], data["parameters"])
    assert (one.hash == two.hash) is same


class TestDecision:
    given = Decision(
        approved=True, by="ana", at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), values={"note": "ok", "by": "x"}
    )

    def test_form_values_are_attributes_unless_they_hide_a_field(self) -> None:
        assert self.given.note == "ok"
        assert self.given.by == "ana"
        assert bool(self.given)
        assert not Decision(approved=False)

    def test_an_unknown_value_names_the_nearest(self) -> None:
        with pytest.raises(AttributeError, match="'not'; did you mean 'note'"):
            getattr(self.given, "not")

    def test_it_can_be_pickled_and_copied(self) -> None:
        import copy

        assert pickle.loads(pickle.dumps(self.given)) == self.given
        assert copy.deepcopy(self.given) == self.given
