"""Random graphs against a model of a dozen lines: what runs, what is skipped, what a rerun does again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.workspace import Workspace

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Node:
    """A step of a random graph: what it needs, whether it fails or is switched off, and a constant in its code."""

    name: str
    deps: tuple[str, ...]
    after: tuple[str, ...]
    fails: bool
    off: bool
    constant: int

    @property
    def upstream(self) -> tuple[str, ...]:
        return (*self.deps, *self.after)


@st.composite
def graphs(draw: st.DrawFn, broken: bool = True) -> list[Node]:
    nodes: list[Node] = []
    for i in range(draw(st.integers(1, 12))):
        before = draw(st.lists(st.sampled_from(nodes), unique=True, max_size=3)) if nodes else []
        values = [draw(st.booleans()) for _ in before]
        rare = st.sampled_from([False] * 7 + [True]) if broken else st.just(value=False)
        nodes.append(Node(
            f"s{i}", tuple(n.name for n, v in zip(before, values, strict=True) if v),
            tuple(n.name for n, v in zip(before, values, strict=True) if not v), draw(rare), draw(rare), i,
        ))  # fmt: skip
    return nodes


def define(wf: aios.Workflow, node: Node, **options: Any) -> None:
    """Define the node as a step that notes its name and adds up what it gets."""
    off = {"when": lambda: False} if node.off else {}
    body = (
        f"def {node.name}({', '.join(node.deps)}):\n"
        "    from sys import aios_box as box\n"
        f"    box.seen.append('{node.name}')\n"
        + ("    raise ValueError('broken')\n" if node.fails else "")
        + f"    return {' + '.join((*node.deps, str(node.constant)))}"
    )
    scope: dict[str, Any] = {}
    exec(body, scope)
    wf.step(after=node.after, **off, **options)(scope[node.name])


def build(nodes: list[Node], order: list[int] | None = None, **options: Any) -> aios.Workflow:
    wf = aios.Workflow("random", max_parallel=3)
    for i in order or range(len(nodes)):
        define(wf, nodes[i], **options)
    return wf


def model(nodes: list[Node]) -> tuple[dict[str, str], dict[str, int]]:
    """What must come of a graph: status and value of every step."""
    status: dict[str, str] = {}
    value: dict[str, int] = {}
    for n in nodes:
        if any(status[u] != "succeeded" for u in n.upstream) or n.off:
            status[n.name] = "skipped"
        elif n.fails:
            status[n.name] = "failed"
        else:
            status[n.name] = "succeeded"
            value[n.name] = sum(value[d] for d in n.deps) + n.constant
    return status, value


def behind(nodes: list[Node], start: set[str]) -> set[str]:
    found = set(start)
    for n in nodes:
        if found.intersection(n.upstream):
            found.add(n.name)
    return found


@pytest.fixture
def seen(box: Box) -> list[Any]:
    return box.seen


@FEW
@given(nodes=graphs(), data=st.data())
def test_a_run_does_what_the_model_says_in_order_each_step_once(
    ws: Workspace, seen: list[Any], nodes: list[Node], data: st.DataObject
) -> None:
    seen.clear()
    run = build(nodes, data.draw(st.permutations(range(len(nodes))))).run()
    status, value = model(nodes)
    assert run.wait(PATIENCE) == ("failed" if "failed" in status.values() else "succeeded")
    assert statuses(run) == status
    assert {n: run[n].output for n in value} == value
    assert sorted(seen) == sorted(n for n, s in status.items() if s != "skipped")
    for n in nodes:
        if n.name in seen:
            assert all(seen.index(u) < seen.index(n.name) for u in n.upstream)


@FEW
@given(nodes=graphs(), data=st.data())
def test_rerun_does_exactly_the_dirty_part(
    ws: Workspace, seen: list[Any], nodes: list[Node], data: st.DataObject
) -> None:
    wf = build(nodes)
    first = wf.run()
    first.wait(PATIENCE)
    status, _ = model(nodes)
    changed = data.draw(st.sets(st.sampled_from([n.name for n in nodes]), max_size=3))
    from_ = data.draw(st.none() | st.sampled_from([n.name for n in nodes]))
    now = [
        n if n.name not in changed else Node(n.name, n.deps, n.after, fails=False, off=n.off, constant=100)
        for n in nodes
    ]
    for n in now:
        define(wf, n)
    dirty = behind(now, changed | ({from_} - {None}) | {n for n, s in status.items() if s != "succeeded"})  # type: ignore[arg-type]
    seen.clear()
    again = first.rerun(from_=from_)
    again.wait(PATIENCE)
    expected, value = model(now)
    assert statuses(again) == expected
    assert {n: again[n].output for n in value} == value
    assert sorted(seen) == sorted(n for n in dirty if expected[n] != "skipped")


@FEW
@given(nodes=graphs(), data=st.data())
def test_resume_does_what_had_not_succeeded_and_nothing_else(
    ws: Workspace, seen: list[Any], nodes: list[Node], data: st.DataObject
) -> None:
    run = build(nodes).run()
    if run.wait(PATIENCE) == "succeeded":
        return
    status, _ = model(nodes)
    seen.clear()
    run.resume().wait(PATIENCE)
    assert statuses(run) == status
    assert sorted(seen) == sorted(n for n, s in status.items() if s == "failed")


@FEW
@given(nodes=graphs(broken=False), data=st.data())
def test_the_cache_never_changes_a_value_and_computes_each_thing_once(
    ws: Workspace, seen: list[Any], nodes: list[Node], data: st.DataObject
) -> None:
    nodes = [Node(n.name, n.deps, n.after, n.fails, n.off, n.constant + 10**6) for n in nodes]
    first = build(nodes, cache=True).run()
    first.wait(PATIENCE)
    changed = data.draw(st.sampled_from([n.name for n in nodes]))
    now = [
        n if n.name != changed else Node(n.name, n.deps, n.after, n.fails, n.off, n.constant + 1)
        for n in nodes
    ]
    seen.clear()
    again = build(now, cache=True).run()
    again.wait(PATIENCE)
    _, value = model(now)
    assert {n: again[n].output for n in value} == value
    by_value = behind([Node(n.name, n.deps, (), n.fails, n.off, n.constant) for n in now], {changed})
    assert set(seen) <= by_value, "something was computed twice"
    assert {n for n in value if again[n].cached} == set(value) - set(seen)
