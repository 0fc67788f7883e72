"""What a person has written beside a setting stays, whichever setting goes."""

from __future__ import annotations

import ast
import io
import tokenize

from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.widgets.edit.items import drop, items, put

NAMES = "abcd"


def comments(text: str) -> list[str]:
    return [
        t.string
        for t in tokenize.generate_tokens(io.StringIO(f"f{text}\n").readline)
        if t.type == tokenize.COMMENT
    ]


def keywords(text: str) -> list[str | None]:
    call = ast.parse(f"f{text}", mode="eval").body
    assert isinstance(call, ast.Call)
    return [k.arg for k in call.keywords]


@st.composite
def arguments(draw: st.DrawFn) -> str:
    """Some keywords between brackets, with comments and line breaks wherever Python allows them."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    count = 0

    def space() -> str:
        nonlocal count
        out = draw(st.sampled_from(["", " ", "  "]))
        for kind in draw(st.lists(st.sampled_from(["comment", "line"]), max_size=2)):
            if kind == "comment":
                count += 1
                out += f"# note {count}, with = and ( in it"
            out += newline + draw(st.sampled_from(["", "    "]))
        return out

    names = NAMES[: draw(st.integers(1, 4))]
    text = "(" + space()
    for name in names:
        value = draw(st.sampled_from(["1", "'#, no comment'", "[1, 2]", "(3)"]))
        text += f"{name}{space()}={space()}{value}{space()}"
        if name != names[-1] or draw(st.booleans()):
            text += "," + space()
    return text + ")"


@given(text=arguments(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_removing_a_setting_removes_no_comment(text: str, data: st.DataObject) -> None:
    names = keywords(text)
    at = data.draw(st.integers(0, len(names) - 1))
    inside = comments("(" + text[items(text)[at].start : items(text)[at].end].replace("\r\n", "\n") + "\n)")
    left = drop(text, at)
    assert keywords(left) == [n for n in names if n != names[at]]
    kept = comments(left)
    assert [c for c in kept if c not in inside] == [c for c in comments(text) if c not in inside]


@given(text=arguments(), name=st.sampled_from("abcdx"))
@settings(max_examples=150, deadline=None)
def test_setting_a_setting_removes_no_comment(text: str, name: str) -> None:
    old = next((i for i in items(text) if i.name == name), None)
    changed = put(text, name, "99")
    names = keywords(text)
    assert keywords(changed) == [*names, *([] if name in names else [name])]
    inside = [] if old is None else comments("(" + text[old.value : old.end] + "\n)")
    assert [c for c in comments(changed) if c not in inside] == [c for c in comments(text) if c not in inside]
