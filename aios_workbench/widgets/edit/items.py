"""Changes single items between two brackets and nothing else: the arguments of a call, the elements of a list.

All functions take and return the bracketed text, brackets included.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

from aios_workbench.widgets.edit.parse import same_length

_SKIPPED = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_KEYWORD = re.compile(r"(?P<name>\w+)(?:\s|\\\n|#[^\n]*\n)*=(?!=)\s*")


@dataclass(frozen=True)
class Item:
    """One item: from `start` to `end`, the end of its comma if it has one; `value` begins behind ``name=``."""

    name: str
    start: int
    value: int
    end: int
    comma: int | None


def tokens(text: str) -> list[tuple[str, int, int]]:
    """Return (operator or nothing, start, end) of a bracketed text's tokens, in characters."""
    plain = same_length(text)
    starts = [0]
    for line in plain.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [
        (
            t.string if t.type == tokenize.OP else "",
            starts[t.start[0] - 1] + t.start[1],
            starts[t.end[0] - 1] + t.end[1],
        )
        for t in tokenize.generate_tokens(io.StringIO(plain).readline)
        if t.type not in _SKIPPED
    ]


def items(text: str) -> list[Item]:
    """Return what stands between the brackets.

    Examples
    --------
    >>> [(i.name, "(a=(1), *b)"[i.value : i.end]) for i in items("(a=(1), *b)")]
    [('a', '(1)'), ('', '*b')]
    """
    found: list[Item] = []
    depth, start, end = 0, -1, -1
    for string, begins, ends in tokens(text):
        if string and string in ")]}":
            depth -= 1
        if depth == 1 and string == ",":
            found.append(_item(text, start, end, ends))
            start = -1
        elif depth >= 1:
            start, end = (begins if start < 0 else start), ends
        elif start >= 0 and depth == 0:
            found.append(_item(text, start, end, None))
        if string and string in "([{":
            depth += 1
    return found


def _item(text: str, start: int, end: int, comma: int | None) -> Item:
    keyword = _KEYWORD.match(same_length(text), start, end)
    if keyword is None:
        return Item("", start, start, end, comma)
    value = keyword.end()
    while text[value : value + 1] in ("#", "\n", "\r", " ", "\t", "\\") and value < end:
        # a comment or a line break between the = and the value
        value = text.index("\n", value) + 1 if text[value] == "#" else value + 1
    return Item(keyword["name"], start, value, end, comma)


def opening(text: str) -> int:
    """Return where the bracket stands that the last one closes.

    Examples
    --------
    >>> opening("(wf.step)(a=(1))")
    9
    """
    stack: list[int] = []
    last = 0
    for string, begins, _ in tokens(text):
        if string and string in "([{":
            stack.append(begins)
        elif string and string in ")]}":
            last = stack.pop()
    return last


def put(text: str, name: str, value: str) -> str:
    r"""Return the arguments with one set, where it stands or behind the last.

    Examples
    --------
    >>> put("(a=1,  # why\n)", "b", "2"), put("(a=1, b=3)", "b", "2")
    ('(a=1, b=2,  # why\n)', '(a=1, b=2)')
    """
    for item in items(text):
        if item.name == name:
            return text[: item.value] + value + text[item.end :]
    return append(text, f"{name}={value}")


def append(text: str, item: str) -> str:
    """Return the text with an item behind the last, laid out like that one."""
    there = items(text)
    if not there:
        gap = "  " if text[1:].lstrip(" ").startswith("#") else ""
        return text[0] + item + gap + text[1:].lstrip(" ") if gap else text[0] + item + text[1:]
    last = there[-1]
    begin = max(text.rfind("\n", 0, last.start), text.rfind("\r", 0, last.start)) + 1
    indent = text[begin : last.start]
    if begin == 0 or indent.strip():
        return text[: last.end] + f", {item}" + text[last.end :]
    newline = "\r\n" if "\r\n" in text else "\n"
    line_end = re.search(r"[ \t]*(?:#[^\r\n]*)?(?=\r|\n)", text[last.comma or last.end :])
    rest = text[last.comma or last.end :]
    if line_end is None or line_end.start() != 0:  # something else stands behind it: the closing bracket
        comma = text[last.end : last.comma] if last.comma else ","
        return text[: last.end] + comma + newline + indent + item + rest
    place = (last.comma or last.end) + line_end.end()
    tail = "," if last.comma else ""
    comma = "" if last.comma else ","
    return text[: last.end] + comma + text[last.end : place] + newline + indent + item + tail + text[place:]


def drop(text: str, at: int) -> str:
    """Return the text without its item number `at`; comments stay.

    Examples
    --------
    >>> drop("(a=1, b=2)", 0), drop("(a=1, b=2)", 1), drop("(a=1)", 0)
    ('(b=2)', '(a=1)', '()')
    """
    there = items(text)
    item = there[at]
    start, end = item.start, item.comma or item.end
    if item.comma is not None and text[item.end : item.comma - 1].strip():  # a comment before the comma
        return text[:start] + text[item.end : item.comma - 1] + text[item.comma :]
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    rest = re.match(r"[ \t]*(\r\n|\r|\n)?", text[end:])
    assert rest is not None
    alone = line > 0 and not text[line:start].strip() and "\n" not in text[start:end]
    if item.comma is None and at > 0:
        before = there[at - 1]
        comma = before.comma or before.end
        if not (text[before.end : comma - 1] + text[comma:start]).strip():
            return text[: before.end] + text[item.end :]
    if alone and rest[1]:
        return text[:line] + text[end + rest.end() :]
    if rest[1] is None and item.comma is not None and text[end + rest.end()] != "#":
        end += rest.end()
    return text[:start] + text[end:]
