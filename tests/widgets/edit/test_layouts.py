"""For cells laid out in any way: the edit changes the settings asked for, and no others."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios_workbench.widgets.edit.items import drop, items, put
from aios_workbench.workflow.spec import StepSpec

VALUES = {
    "retries": st.sampled_from(["1", "(2)", "1 + 1", "N"]),
    "timeout": st.sampled_from(["'5s'", '"1h 30m"', "30", "LIMIT", "(\n 7\n)"]),
    "cache": st.sampled_from(["True", "False", "bool(N)"]),
    "tags": st.sampled_from(["['a', 'b, c']", "('x',)", "[\n  '#1',  # one\n  'ü)',\n]"]),
    "after": st.sampled_from(["['first']", "[first]", "('first', 'second')"]),
}
GAP = st.sampled_from([" ", "", "\n    ", "  # why, (really)\n  ", " # \"'\n", "\n\n\t"])
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "retries": st.sampled_from([None, 0, 4]),
        "timeout": st.sampled_from([None, "45s", "2d"]),
        "cache": st.sampled_from([None, True, False]),
        "tags": st.lists(WORDS, max_size=3, unique=True),
        "after": st.lists(st.sampled_from(["first", "second"]), max_size=2, unique=True),
    },
)  # fmt: skip


@st.composite
def arguments(draw: Any) -> str:
    """A decorator's arguments with comments and line breaks wherever Python allows them."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=4))
    if not names:
        return draw(st.sampled_from(["", "()", "( # none\n)"]))
    parts = [
        draw(GAP) + f"{n}{draw(st.sampled_from(['=', ' = ']))}" + draw(VALUES[n]) + draw(GAP) for n in names
    ]
    return "(" + ",".join(parts) + draw(st.sampled_from(["", ",", ", # end\n"])) + ")"


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=arguments(),
    asked=ASKED,
    noise=st.sampled_from(["", "# ünï @wf.step\n", "s = '''\n@wf.step(\n'''\n", "%%capture\n", "!true\n"]),
)
def test_exactly_the_asked_settings_change(book: Any, text: str, asked: dict[str, Any], noise: str) -> None:
    book.run(
        "N = 3\nLIMIT = '20s'\nwf = aios.Workflow('property')\n"
        "@wf.step\ndef first(): return 1\n@wf.step\ndef second(): return 1"
    )
    source = book.run(
        f"{noise}@wf.step{text}\ndef it(): return '('\n@wf.step(retries=8)  # not me\ndef last(): return 1"
    )
    before = {s.name: s for s in book["wf"].steps}
    change = book.ask("it", **asked)
    assert change.before == source
    # Of the text, only the decorator.
    start, tail = source.index("@wf.step" + text), source.index("\ndef it")
    assert change.after.startswith(source[:start] + "@wf.step")
    assert change.after.endswith(source[tail:])
    for comment in (line[line.index("# why") :] for line in text.split("\n") if "# why" in line):
        assert comment in change.after
    book.run(change.after)
    now = {s.name: s for s in book["wf"].steps}
    assert now["last"].retries == 8
    expected = vars(before["it"]) | wanted(asked)
    seen = {
        f: getattr(now["it"], f)
        for f in ("retries", "timeout", "cache", "deps", "params", "code_hash", "when", "fallback_names")
    }
    assert seen == {f: expected[f] for f in seen}
    for listed in ("after", "tags"):
        got = getattr(now["it"], listed)
        assert got == expected[listed] or (listed == "after" and set(got) == set(expected[listed]))
    again = book.ask("it")
    assert again.after == again.before == change.after


def wanted(asked: dict[str, Any]) -> dict[str, Any]:
    """What the spec says when these settings hold."""
    default = StepSpec("x")
    seconds = {"45s": 45.0, "2d": 172800.0, None: None}
    return {
        k: seconds[v] if k == "timeout" else getattr(default, k) if v is None else v for k, v in asked.items()
    }


@given(text=arguments(), name=st.sampled_from(sorted(VALUES)), value=st.sampled_from(["1", "[2]", "'x'"]))
def test_putting_and_dropping_arguments(text: str, name: str, value: str) -> None:
    text = text or "()"
    before = called(text)
    after = put(text, name, value)
    assert called(after) == before | {name: ast.dump(ast.parse(value, mode="eval").body)}
    for at, item in enumerate(items(text)):
        assert called(drop(text, at)) == {k: v for k, v in before.items() if k != item.name}


def called(text: str) -> dict[str, str]:
    """The arguments as Python reads them."""
    call = ast.parse(f"f{text}", mode="eval").body
    assert isinstance(call, ast.Call)
    return {k.arg or "": ast.dump(k.value) for k in call.keywords}


@pytest.mark.parametrize("text", ["(a=f'{x[\"(\"]}')", "(a='(', b=r\"\\)\")", "(a=b'x', **{'c': (1, 2)})"])
def test_brackets_in_strings_are_no_brackets(text: str) -> None:
    assert called(put(text, "z", "1")) == called(text) | {"z": "Constant(value=1)"}
