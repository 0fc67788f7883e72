"""Definitions: what a graph becomes, and that each mistake is named with step, place, remedy and nearest name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from aios_workbench.errors import (
    DefinitionError,
    MissingInputError,
    NotFoundError,
    SerializationError,
)
from aios_workbench.workflow import Workflow, pickle_function


class Form(BaseModel):
    note: str = ""


def flow(*functions: Callable[..., Any], **options: Any) -> Workflow:
    wf = Workflow("w")
    for fn in functions:
        wf.step(**options.get(fn.__name__, {}))(fn)
    return wf


def chain() -> Workflow:
    def a(n: int = 1) -> int:
        return n

    def b(a: int) -> int:
        return a

    def c(b: int, a: int) -> int:
        return a + b

    return flow(a, b, c)


def test_edges_go_by_parameter_name_in_topological_order() -> None:
    def last(first: int, x: int = 1) -> int:
        return first

    def first(y: str) -> str:
        return y

    wf = flow(last, first)
    assert [(s.name, s.deps, s.params) for s in wf.steps] == [
        ("first", {}, ["y"]), ("last", {"first": "first"}, ["x"]),
    ]  # fmt: skip
    assert [(p.name, p.required, p.type) for p in wf.parameters] == [("x", False, "int"), ("y", True, "str")]


def test_a_decorated_function_stays_a_function() -> None:
    wf = Workflow("w")

    @wf.step
    def one() -> int:
        return 1

    @wf.gate(form=Form, timeout="2d", on_reject="continue")
    def ask(one: int) -> int:
        return one

    assert (one(), ask(2)) == (1, 2)
    gate = wf.spec().step("ask")
    assert (gate.kind, gate.timeout, gate.on_reject) == ("gate", 172_800, "continue")
    assert gate.form is not None
    assert gate.form["properties"]["note"]["type"] == "string"


def test_after_and_inputs_and_when_make_edges() -> None:
    def a() -> int:
        return 1

    def b() -> int:
        return 1

    def c(x: int) -> int:
        return x

    wf = flow(a, b, c, c={"after": [a], "inputs": {"x": "b"}, "when": lambda b, limit=3: b < limit})
    c_ = wf.spec().step("c")
    assert c_.deps == {"x": "b"}
    assert c_.upstream == ["b", "a"]
    assert (c_.when_deps, c_.when_params) == ({"b": "b"}, ["limit"])
    assert [p.name for p in wf.parameters] == ["limit"]


def named_step(name: str, *parameters: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(f"def {name}({', '.join(parameters)}): return 1", names)
    return names[name]  # type: ignore[no-any-return]


HERE = "test_definition.py:"


def test_a_refused_step_leaves_the_workflow_as_it_was() -> None:
    wf = chain()
    with pytest.raises(DefinitionError):
        wf.step(retries=-1)(named_step("b"))
    assert wf.spec().step("b").deps == {"a": "a"}


def test_one_parameter_with_two_types_or_defaults_is_refused() -> None:
    def a(n: int = 1) -> int:
        return n

    def b(n: str = "1") -> str:
        return n

    def c(n: int = 2) -> int:
        return n

    for fn, what in ((b, "type"), (c, "default")):
        with pytest.raises(
            MissingInputError, match=f"parameter 'n' has {what} .* in step '{fn.__name__}'.*'a'"
        ):
            flow(a, fn).spec()


def test_an_unserialisable_closure_names_step_place_and_variable() -> None:
    guard = threading.Lock()

    def locked() -> bool:
        return guard.locked()

    with pytest.raises(SerializationError) as e:
        pickle_function(locked, "locked")
    for part in ("step 'locked'", HERE, "'guard'", "lock", "inside the step"):
        assert part in str(e.value)


GLOBAL_LOCK = threading.Lock()


def test_an_unserialisable_global_is_named_too() -> None:
    def locked() -> bool:
        return GLOBAL_LOCK.locked()

    with pytest.raises(SerializationError, match="'GLOBAL_LOCK'"):
        pickle_function(locked, "locked")


def test_an_unknown_step_is_named_with_the_nearest() -> None:
    wf = chain()
    wf.step(named_step("score"))
    for deed in (lambda: wf.definition("scor"), lambda: wf.remove("scor"), lambda: wf.spec().step("scor")):
        with pytest.raises(NotFoundError, match="'scor'; did you mean 'score'"):
            deed()


def test_redefining_makes_it_and_what_is_behind_it_stale() -> None:
    wf = chain()
    assert wf.state == {"a": "new", "b": "new", "c": "new"}
    wf.last_spec = wf.spec()
    assert set(wf.state.values()) == {"fresh"}

    def b(a: int) -> int:
        return a

    wf.step(b)
    assert set(wf.state.values()) == {"fresh"}, "the same code again is no change"

    def changed(a: int) -> int:
        return a + 1

    wf.step(name="b")(changed)
    assert wf.state == {"a": "fresh", "b": "stale", "c": "stale"}
    wf.step(named_step("d", "b"))
    assert wf.state["d"] == "new"


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"retries": 5, "timeout": "1h", "tags": ["x"]}, "fresh"),
        ({"after": ["z"]}, "fresh"),
        ({"when": lambda a: a > 1}, "stale"),
        ({"fallback": lambda a: 0}, "stale"),
    ],
)
def test_only_what_changes_the_result_makes_stale(options: dict[str, Any], state: str) -> None:
    def b(a: int) -> int:
        return a

    wf = Workflow("w")
    wf.step(named_step("z"))
    wf.step(named_step("a"))
    wf.step(b)
    wf.last_spec = wf.spec()
    wf.step(**options)(b)
    assert wf.state["b"] == state


def test_listeners_hear_of_every_change_until_undone() -> None:
    wf, heard = chain(), []
    undo = wf.on_change(lambda: heard.append(1))
    wf.step(named_step("d"))
    wf.remove("d")
    undo()
    undo()
    wf.step(named_step("d"))
    assert len(heard) == 2
