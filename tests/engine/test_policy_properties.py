"""Random graphs with random failures and policies against a model written for the test: one page, no engine in it.

Compared over up to three legs: the status of every step, every attempt's row, every call of every function, and in
which order what had finished is undone.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.workspace import Workspace

MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
ERRORS = {"conn": ConnectionError, "value": ValueError, "key": KeyError}
FAMILY = {"conn": {"ConnectionError", "OSError"}, "value": {"ValueError"}, "key": {"KeyError", "LookupError"}}
CLASSES = {c.__name__: c for c in (ConnectionError, OSError, ValueError, LookupError)}


@dataclass(frozen=True)
class Node:
    """A step: what it needs, how its calls end one after the other, and what its policies are."""

    name: str
    deps: tuple[str, ...]
    after: tuple[str, ...]
    script: tuple[str, ...]  # how the first call ends, the second …; the last word for all that follow
    retries: int
    retry_on: tuple[str, ...]
    give_up_on: tuple[str, ...]
    fallbacks: tuple[bool, ...]
    on_error: str
    off: bool
    undo: str  # none, works, breaks

    @property
    def upstream(self) -> tuple[str, ...]:
        return (*self.deps, *self.after)


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    ends = st.sampled_from(["ok", "ok", "ok", "ok", "conn", "conn", "value", "key"])
    classes = st.lists(st.sampled_from(sorted(CLASSES)), max_size=2, unique=True).map(tuple)
    for i in range(draw(st.integers(2, 8))):
        before = draw(st.lists(st.sampled_from(nodes), unique=True, max_size=2)) if nodes else []
        cut = draw(st.integers(0, len(before)))
        names = tuple(n.name for n in before)
        nodes.append(Node(
            f"s{i}", names[:cut], names[cut:], tuple(draw(st.lists(ends, min_size=1, max_size=4))),
            draw(st.integers(0, 2)), draw(classes), draw(classes), tuple(draw(st.lists(st.booleans(), max_size=2))),
            draw(st.sampled_from(["fail", "fail", "fail", "skip"])), draw(st.sampled_from([False] * 7 + [True])),
            draw(st.sampled_from(["none", "works", "works", "breaks"])),
        ))  # fmt: skip
    return nodes


# -- the model


@dataclass
class Model:
    """What must come of a graph, leg after leg."""

    nodes: list[Node]
    status: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    undone: set[str] = field(default_factory=set)  # in the last leg

    def leg(self) -> str:
        again = self._behind({n for n, s in self.status.items() if s == "compensated"})
        done = {n for n, s in self.status.items() if s == "succeeded"} - again
        self.undone = set()
        for node in self.nodes:
            if node.name not in done:
                self.status[node.name] = self._step(node)
        if "failed" not in self.status.values():
            return "succeeded"
        for node in self.nodes:
            if self.status[node.name] == "succeeded" and node.undo != "none":
                self._undo(node)
        return "failed"

    def _step(self, node: Node) -> str:
        if node.off or any(self.status[u] != "succeeded" for u in node.upstream):
            return "skipped"
        for _ in range(node.retries + 1):
            how = node.script[min(self.calls[node.name], len(node.script) - 1)]
            self._call(node, node.name, "step", ok=how == "ok")
            if how == "ok":
                return "succeeded"
            if FAMILY[how] & set(node.give_up_on) or (node.retry_on and not FAMILY[how] & set(node.retry_on)):
                break
        for i, answers in enumerate(node.fallbacks):
            self._call(node, f"{node.name} fallback {i}", "fallback", ok=answers)
            if answers:
                return "succeeded"
        return {"fail": "failed", "skip": "skipped"}[node.on_error]

    def _undo(self, node: Node) -> None:
        works = node.undo == "works"
        for _ in range(1 if works else node.retries + 1):
            self._call(node, f"{node.name} undo", "compensation", ok=works)
        self.undone.add(node.name)
        if works:
            self.status[node.name] = "compensated"

    def _call(self, node: Node, function: str, kind: str, *, ok: bool) -> None:
        self.calls[function] += 1
        self.rows.setdefault(node.name, []).append((kind, "succeeded" if ok else "failed"))

    def _behind(self, start: set[str]) -> set[str]:
        found = set(start)
        for n in self.nodes:
            if found.intersection(n.upstream):
                found.add(n.name)
        return found


# -- the real thing


def build(nodes: list[Node], parallel: int, **options: Any) -> aios.Workflow:
    wf = aios.Workflow("policies", max_parallel=parallel, **options)
    for node in nodes:
        fallbacks = [_function(node, f"{node.name} fallback {i}", "ok" if ok else "value")
                     for i, ok in enumerate(node.fallbacks)]  # fmt: skip
        more = {"when": lambda: False} if node.off else {}
        if node.undo != "none":
            more["compensate"] = _function(
                node, f"{node.name} undo", "ok" if node.undo == "works" else "value", ""
            )
        wf.step(
            name=node.name, after=node.after, retries=node.retries, backoff="1ms", fallback=fallbacks,
            retry_on=[CLASSES[c] for c in node.retry_on] or None, give_up_on=node.give_up_on or None,
            on_error=node.on_error, **more,
        )(_function(node, node.name, *node.script[:0]))  # fmt: skip
    return wf


def _function(node: Node, called: str, end: str | None = None, takes: str | None = None) -> Any:
    """A function that notes its call, and ends as its node's script or `end` says."""
    body = (
        f"def f({', '.join(node.deps) if takes is None else takes}):\n"
        "    from sys import aios_box as box\n"
        f"    script = {node.script if end is None else (end,)!r}\n"
        f"    n = sum(1 for c, _ in box.seen if c == {called!r})\n"
        "    how = script[min(n, len(script) - 1)]\n"
        f"    box.seen.append(({called!r}, how))\n"
        "    if how != 'ok':\n"
        "        raise {'conn': ConnectionError, 'value': ValueError, 'key': KeyError}[how](n)\n"
        "    return n"
    )
    scope: dict[str, Any] = {}
    exec(body, scope)
    return scope["f"]


def rows(run: Any, node: Node) -> list[tuple[str, str]]:
    return [(a["kind"], a["status"]) for a in run[node.name].attempts]


def name_of(called: str) -> str:
    return called.split(maxsplit=1)[0]


def check_order(nodes: list[Node], model: Model, seen: list[Any], before: int, *, serial: bool) -> None:
    """What was undone in this leg: the last to finish first; what needs a step is undone before it."""
    undos = list(dict.fromkeys(name_of(c) for c, _ in seen[before:] if c.endswith(" undo")))
    assert set(undos) == model.undone
    for node in nodes:
        for needed in node.upstream:
            if {node.name, needed} <= model.undone:
                assert undos.index(node.name) < undos.index(needed)
    if serial:
        ends = [name_of(c) for c, how in seen if how == "ok" and not c.endswith(" undo")]
        last = {n: i for i, n in enumerate(ends)}
        assert undos == sorted(model.undone, key=lambda n: -last[n])


@pytest.fixture
def seen(box: Box) -> list[Any]:
    return box.seen


@MANY
@given(nodes=graphs(), parallel=st.sampled_from([1, 1, 3]), legs=st.integers(1, 3))
def test_a_run_with_policies_does_what_the_model_says(
    ws: Workspace, seen: list[Any], nodes: list[Node], parallel: int, legs: int
) -> None:
    seen.clear()
    model = Model(nodes)
    run = build(nodes, parallel).run()
    for leg in range(legs):
        before = len(seen)
        if leg:
            run.resume()
        expected = model.leg()
        assert run.wait(PATIENCE) == expected
        assert statuses(run) == model.status
        assert {n.name: rows(run, n) for n in nodes} == {n.name: model.rows.get(n.name, []) for n in nodes}
        assert Counter(c for c, _ in seen) == model.calls, "a call was lost, or made twice"
        check_order(nodes, model, seen, before, serial=parallel == 1)
        event(f"leg {leg}: {expected}, {len(model.undone)} undone")
        if expected == "succeeded":
            break


@settings(MANY, max_examples=30)
@given(nodes=graphs(), spare=st.integers(-4, 2))
def test_a_cap_changes_nothing_until_it_is_reached_and_is_never_passed(
    ws: Workspace, seen: list[Any], nodes: list[Node], spare: int
) -> None:
    seen.clear()
    model = Model([Node(**{**vars(n), "undo": "none"}) for n in nodes])
    expected = model.leg()
    needed = sum(model.calls.values())
    cap = max(needed + spare, 1, len(nodes))
    run = build(model.nodes, 3, max_attempts=cap).run()
    ended = run.wait(PATIENCE)
    made = sum(len(rows(run, n)) for n in nodes)
    assert made == len(seen) == run.row["attempts_used"]
    if needed <= cap:
        assert (ended, statuses(run), made) == (expected, model.status, needed)
        return
    event("the cap was reached")
    assert (ended, made) == ("failed", cap)
    refused = [
        n.name for n in nodes if (e := run[n.name].error) is not None and e.type == "AttemptsExhausted"
    ]
    assert refused
    assert all(run[n].status == "failed" for n in refused)
    assert re.search(rf"has made {cap} of the {cap} ", run[refused[0]].error.message)
