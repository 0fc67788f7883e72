"""What commands print: JSON for programs; for people tables, a state as a word with a symbol, plain text.

Names, values, logs and errors come from anywhere. `clean` makes every control character visible, and nothing
is ever read as markup: what is printed cannot colour, move or rename the terminal.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

#: symbol and colour by state; the word always stands beside them
STATES = {
    "succeeded": ("✓", "green"), "approved": ("✓", "green"), "ok": ("✓", "green"), "active": ("✓", "green"),
    "closed": ("✓", "green"), "open": ("✗", "red"), "half-open": ("◆", "yellow"), "compensated": ("↶", "yellow"),
    "running": ("●", "blue"), "retrying": ("↻", "yellow"), "waiting": ("◆", "magenta"), "queued": ("…", "cyan"),
    "pending": ("○", "dim"), "skipped": ("↷", "dim"), "paused": ("‖", "yellow"), "lost": ("!", "yellow"),
    "failed": ("✗", "red"), "rejected": ("✗", "red"), "broken": ("✗", "bold red"), "error": ("✗", "red"),
    "timeout": ("✗", "red"), "expired": ("✗", "red"), "cancelled": ("⊘", "yellow"),
    "interrupted": ("!", "yellow"), "warn": ("!", "yellow"), "warning": ("!", "yellow"), "info": ("·", "dim"),
    "healthy": ("✓", "green"), "failing": ("✗", "red"), "absent": ("✗", "red"), "late": ("!", "yellow"),
    "new": ("○", "dim"),
}  # fmt: skip
_ANSI = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: control characters, marks that reorder text, invisible separators, halves of a surrogate pair
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_UNSAFE_LINE = re.compile(_UNSAFE.pattern[:-1] + r"\n\t]")
_WIDE = 200


def clean(value: object, *, lines: bool = False) -> str:
    r"""Return text that cannot act on a terminal.

    Parameters
    ----------
    lines : bool
        Keep line ends and tabs, and drop colours instead of showing their codes: for logs and tracebacks.

    Examples
    --------
    >>> print(clean("a\x1b[2Jb"))
    a\x1b[2Jb
    >>> clean("\x1b[31mred\x1b[0m\nnext", lines=True)
    'red\nnext'
    """
    text = str(value)
    if lines:
        return _UNSAFE.sub(_visible, _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _UNSAFE_LINE.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\n\t":
        return {"\n": "\\n", "\t": "\\t"}[match[0]]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def console(*, err: bool = False) -> Console:
    """Return a console for the stream as it is now; wide when nobody looks, so that `grep` sees whole lines."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    wide = None if stream.isatty() or os.environ.get("COLUMNS") else _WIDE
    return Console(file=stream, width=wide, highlight=False, markup=False, emoji=False)


def emit(data: object, *, err: bool = False, line: bool = False) -> None:
    """Print one JSON document: indented, or on one line of a stream. Plain ASCII, no NaN."""
    indent = None if line else 2
    click.echo(json.dumps(jsonable(data), indent=indent, allow_nan=False, default=str), err=err)


def jsonable(value: Any) -> Any:
    """Return what JSON can hold: no NaN, no infinity, keys as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    return value


def say(*parts: str | Text, err: bool = False, lines: bool = False) -> None:
    """Print one paragraph for people."""
    from rich.text import Text

    text = Text()
    for part in parts:
        text.append_text(part) if isinstance(part, Text) else text.append(clean(part, lines=lines))
    console(err=err).print(text, soft_wrap=True)


def warn(message: str) -> None:
    """Print a message on stderr."""
    click.echo(clean(message, lines=True), err=True)


def state(status: str) -> Text:
    """Return a state as symbol and word."""
    from rich.text import Text

    symbol, style = STATES.get(status, ("·", ""))
    return Text(f"{symbol} {clean(status)}", style=style, no_wrap=True)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> RenderableType:
    """Return a table; cells are text, cleaned, or rich text of ours. A column named with a `>` ends right."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, title=Text(clean(title)) if title else None, title_justify="left")
    for name in columns:
        made.add_column(Text(name.lstrip(">"), style="bold"), justify="right" if name[:1] == ">" else "left",
                        overflow="fold")  # fmt: skip
    for row in rows:
        made.add_row(*(c if isinstance(c, Text) else Text("" if c is None else clean(c)) for c in row))
    return made


def show(renderable: RenderableType) -> None:
    """Print what `table` made."""
    console().print(renderable)


def took(row: Mapping[str, Any]) -> float | None:
    """Return seconds from a row's start to its end, or until now."""
    if row.get("started_at") is None:
        return None
    return max(0.0, float((row.get("ended_at") or time.time()) - row["started_at"]))


def clock(at: float | None) -> str:
    """Return a time in the terminal's own zone."""
    if at is None:
        return ""
    return dt.datetime.fromtimestamp(at, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(count: float) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> size(999), size(12_345_678)
    ('999 B', '12.3 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def short(value: object, width: int = 60) -> str:
    """Return the first line of a text, cut."""
    text = clean(str(value).strip().partition("\n")[0])
    return text if len(text) <= width else text[: width - 1] + "…"
