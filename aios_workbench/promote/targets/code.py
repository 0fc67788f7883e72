"""Pieces of generated Python: literals as ruff would write them."""

from __future__ import annotations

import re
import textwrap
from typing import Any

_WIDTH = 100


def literal(value: Any, indent: int = 0, used: int = 0) -> str:
    r"""Return a Python literal, on one line if it fits, else an item a line.

    Parameters
    ----------
    used : int
        Columns that are taken on the first line.

    Examples
    --------
    >>> literal({"limit": 500, "name": 'say "hi"'})
    '{"limit": 500, "name": \'say "hi"\'}'
    """
    flat = _flat(value)
    if len(flat) + indent + used <= _WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    pad, end = " " * (indent + 4), " " * indent
    if isinstance(value, dict):
        lines = [
            f"{pad}{_flat(str(k))}: {literal(v, indent + 4, len(_flat(str(k))) + 3)},\n"
            for k, v in value.items()
        ]
        return "{\n" + "".join(lines) + end + "}"
    return "[\n" + "".join(f"{pad}{literal(v, indent + 4, 1)},\n" for v in value) + end + "]"


def call(head: str, arguments: list[str], indent: int = 0, end: str = ")") -> str:
    """Return a call or the head of a function, broken as ruff would break it.

    Examples
    --------
    >>> call("@task", ["retries=2"], 4)
    '    @task(retries=2)'
    """
    pad, flat = " " * indent, ", ".join(arguments)
    if len(f"{pad}{head}({flat}{end}") <= _WIDTH:
        return f"{pad}{head}({flat}{end}"
    if len(f"{pad}    {flat}") <= _WIDTH:
        return f"{pad}{head}(\n{pad}    {flat}\n{pad}{end}"
    return f"{pad}{head}(\n" + "".join(f"{pad}    {a},\n" for a in arguments) + f"{pad}{end}"


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(str(k))}: {_flat(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return repr(value)


def text(value: str) -> str:
    """Return a string literal in ASCII, double quotes where that needs no backslash more."""
    if '"' in value and "'" not in value:
        return ascii(value)
    inside = "".join(c if c == "'" else '\\"' if c == '"' else ascii(c)[1:-1] for c in value)
    return f'"{inside}"'


def seconds(value: float) -> str:
    """Return a number of seconds as Python writes it, whole where it is.

    Examples
    --------
    >>> seconds(60.0), seconds(0.5)
    ('60', '0.5')
    """
    return f"{value:g}" if value < 1e6 else str(int(value))


def block(source: str, **parts: str) -> str:
    """Fill ``<<name>>`` in a dedented template: braces are left to the code itself."""
    # In one pass: a value that looks like a name of ours stays a value.
    return re.sub("<<([a-z_]+)>>", lambda found: parts[found[1]], textwrap.dedent(source).lstrip("\n"))
