"""Each mistake in a definition is named with step, place, remedy and nearest name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aios_workbench.errors import CycleError, DefinitionError, MissingInputError, UnknownOptionError
from aios_workbench.workflow import Workflow


def _cycle(n: int) -> Workflow:
    wf = Workflow("w")
    for i in range(n):
        source = f"def s{i}(s{(i + 1) % n}): return 1"
        names: dict[str, Any] = {}
        exec(source, names)
        wf.step(names[f"s{i}"])
    return wf


@pytest.mark.parametrize(
    ("n", "circle"), [(1, {"s0 -> s0"}), (2, {"s0 -> s1 -> s0", "s1 -> s0 -> s1"}), (3, None)]
)
def test_a_circle_is_drawn(n: int, circle: set[str] | None) -> None:
    with pytest.raises(CycleError) as e:
        _cycle(n).spec()
    text = str(e.value)
    assert all(f"'s{i}' is in" in text for i in range(n))
    assert "workflow 'w'" in text
    assert "Rename a parameter or remove an `after`" in text
    assert circle is None or any(c in text for c in circle)


def test_a_circle_through_after_and_a_tail_names_only_the_circle() -> None:
    def tail(b: int) -> int:
        return b

    def a() -> int:
        return 1

    def b(a: int) -> int:
        return a

    wf = Workflow("w")
    wf.step(after=["b"])(a)
    wf.step(b)
    wf.step(tail)
    with pytest.raises(CycleError) as e:
        wf.spec()
    assert "tail" not in str(e.value)


def misuse(kind: str) -> None:
    wf = Workflow("w")

    def score(x: int = 1) -> int:
        return x

    def rows(*args: int) -> int:
        return 1

    def named(**kwargs: int) -> int:
        return 1

    def positional(x: int, /) -> int:
        return x

    def hidden(_x: int) -> int:
        return _x

    deeds: dict[str, Callable[[], Any]] = {
        "unknown option": lambda: wf.step(retires=3)(score),
        "unknown gate option": lambda: wf.gate(retries=3)(score),
        "args": lambda: wf.step(rows),
        "kwargs": lambda: wf.step(named),
        "positional only": lambda: wf.step(positional),
        "underscore": lambda: wf.step(hidden),
        "lambda": lambda: wf.step(lambda x: x),
        "not a function": lambda: wf.step("score"),
        "retries": lambda: wf.step(retries=-1)(score),
        "retries bool": lambda: wf.step(retries=True)(score),
        "timeout": lambda: wf.step(timeout="soon")(score),
        "backoff": lambda: wf.step(backoff=-1)(score),
        "fallback": lambda: wf.step(fallback="other")(score),
        "fallback list": lambda: wf.step(fallback=[score, 3])(score),
        "when": lambda: wf.step(when=True)(score),
        "form": lambda: wf.gate(form=dict)(score),
        "on_reject": lambda: wf.gate(on_reject="stop")(score),
        "name": lambda: wf.step(name="a\nb")(score),
        "surrogate": lambda: wf.step(name="a\ud800")(score),
        "empty name": lambda: wf.step(name="  ")(score),
        "workflow name": lambda: Workflow(""),
        "max_parallel": lambda: Workflow("w", max_parallel=0),
        "after": lambda: (wf.step(after=["scroe"])(named_step("late")), wf.step(score), wf.spec()),
        "inputs parameter": lambda: (wf.step(inputs={"y": "x"})(score), wf.spec()),
        "inputs step": lambda: (
            wf.step(inputs={"x": "scor"})(named_step("scores", "x")),
            wf.step(score),
            wf.spec(),
        ),
    }
    deeds[kind]()


def named_step(name: str, *parameters: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(f"def {name}({', '.join(parameters)}): return 1", names)
    return names[name]  # type: ignore[no-any-return]


HERE = "test_mistakes.py:"


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("unknown option", UnknownOptionError, ["'w'", "'retires'", "did you mean 'retries'", "it has:"]),
        ("unknown gate option", UnknownOptionError, ["'w'", "'retries'", "it has:"]),
        ("args", DefinitionError, ["'rows'", HERE, "*args", "plain named parameters"]),
        ("kwargs", DefinitionError, ["'named'", HERE, "**kwargs", "plain named parameters"]),
        ("positional only", DefinitionError, ["'positional'", HERE, "plain named parameters"]),
        ("underscore", DefinitionError, ["'hidden'", HERE, "'_x'", "rename it"]),
        ("lambda", DefinitionError, ["lambda", HERE, "name='…'"]),
        ("not a function", DefinitionError, ["str", "@wf.step"]),
        ("retries", DefinitionError, ["'score'", HERE, "-1", "0 to 1000"]),
        ("retries bool", DefinitionError, ["'score'", HERE, "True"]),
        ("timeout", DefinitionError, ["'score'", HERE, "timeout", "'soon'", "'30s'"]),
        ("backoff", DefinitionError, ["'score'", HERE, "backoff", "positive"]),
        ("fallback", DefinitionError, ["'score'", HERE, "'other'", "function"]),
        ("fallback list", DefinitionError, ["'score'", HERE, "3", "function"]),
        ("when", DefinitionError, ["'score'", HERE, "when", "returns True or False"]),
        ("form", DefinitionError, ["'score'", HERE, "pydantic"]),
        ("on_reject", DefinitionError, ["'score'", HERE, "'stop'", "'continue'"]),
        ("name", DefinitionError, ["name", HERE, "printable"]),
        ("surrogate", DefinitionError, ["name", HERE, "printable"]),
        ("empty name", DefinitionError, ["name", HERE]),
        ("workflow name", DefinitionError, ["workflow", "name"]),
        ("max_parallel", DefinitionError, ["max_parallel", "at least 1"]),
        ("after", DefinitionError, ["'late'", "'scroe'", "did you mean 'score'", "<string>:1"]),
        ("inputs parameter", MissingInputError, ["'score'", "'y'", HERE]),
        ("inputs step", MissingInputError, ["'scores'", "'scor'", "did you mean 'score", "<string>:1"]),
    ],
)
def test_a_mistake_says_what_where_and_the_remedy(kind: str, error: type[Exception], says: list[str]) -> None:
    with pytest.raises(error) as e:
        misuse(kind)
    missing = [part for part in says if part not in str(e.value)]
    assert not missing, str(e.value)
