"""Are two outputs of a cell the same, apart from what never is: times, addresses, temporary paths, ids.

As nbval does it, with the sanitisers built in: each replaces what it finds by its own name, so that a difference
elsewhere in the text still shows.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from aios_workbench.promote.report import plain

#: name -> pattern; in this order
SANITISERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "UUID",
        re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b", re.IGNORECASE),
    ),
    ("ADDRESS", re.compile(r"\b0x[0-9a-fA-F]{5,16}\b")),
    (
        "TIMESTAMP",
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
            r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:\w{3} +\d{1,2}|\d{1,2} +\w{3})[ ,]+(?:\d{4} +)?"
            r"\d{2}:\d{2}:\d{2}(?: \w+)?(?: \d{4})?"
        ),
    ),
    ("CLOCK", re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b")),
    (
        "DURATION",
        re.compile(
            r"(?:\b\d+(?:\.\d+)? ?h(?:ours?)? ?)?(?:\b\d+ ?min(?:utes)? ?)?\b\d+(?:\.\d+)?(?:e[+-]?\d+)? ?"
            r"(?:[num\u00b5\u03bc]s|s|secs?|seconds?|millis(?:econds)?|minutes?|it/s|s/it|ms/step|[kMG]?B/s)\b"
            r"(?:(?: \u00b1 | \+- )\d+(?:\.\d+)? ?[num\u00b5\u03bc]?s)?"
        ),
    ),
    (
        "TEMPORARY",
        re.compile(
            r"(?:/private)?(?:/var/folders|/tmp|/var/tmp)/[^\s'\"<>,:)]+|[A-Z]:\\\\?Users\\\\?[^\s]*?\\Temp\\[^\s'\"<>]+"
        ),
    ),
    ("CELL", re.compile(r"<ipython-input-\d+-[0-9a-f]+>|ipykernel_\d+/\d+\.py|Cell In\s*\[\d+\]")),
    ("PID", re.compile(r"(?i)\bpid[ =:]+\d+")),
    ("ID", re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,64}\b")),
    ("BAR", re.compile(r"\d{1,3}%\|[^|\n]*\|[^\n]*")),
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{7,}(?:e[+-]?\d+)?")
_SPACE = re.compile(r"[ \t]+")
_PICTURES = ("image/", "video/", "audio/", "application/vnd.", "application/pdf")
_TAGS = re.compile(r"<style.*?</style>|<script.*?</script>|<[^>]{0,2000}>", re.DOTALL)
_LIMIT = 500_000


def sanitised(text: str) -> str:
    """Return text without what differs in every run.

    Examples
    --------
    >>> sanitised("<Model at 0x7f8a3c2b1d90> fitted in 1.32 s, loss 0.25")
    '<Model at ADDRESS> fitted in DURATION, loss 0.25'
    """
    text = plain(text[:_LIMIT])
    if "\r" in text:  # what a progress bar leaves standing
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    for name, pattern in SANITISERS:
        text = pattern.sub(name, text)
    text = _NUMBER.sub(lambda m: f"{float(m[0]):.6g}", text)
    return "\n".join(_SPACE.sub(" ", line).strip() for line in text.strip().split("\n"))


def differences(old: Sequence[Any], new: Sequence[Any]) -> str | None:
    """Return in words how two lists of outputs differ; None when they are the same.

    Pictures and other things drawn are compared by kind only. What goes to stderr (warnings, progress) is left out.

    Examples
    --------
    >>> stream = {"output_type": "stream", "name": "stdout"}
    >>> differences([{**stream, "text": "12 rows"}], [{**stream, "text": "13 rows"}])
    "'12 rows' became '13 rows'"
    """
    before, after = _normal(old), _normal(new)
    if before == after:
        return None
    for a, b in zip(before, after, strict=False):
        if a != b:
            return _first_difference(a, b)
    gone, more = before[len(after) :], after[len(before) :]
    return f"{_shown(gone[0])} is gone" if gone else f"{_shown(more[0])} is new"


def _first_difference(a: tuple[str, str], b: tuple[str, str]) -> str:
    if a[0] != b[0]:
        return f"{_shown(a)} became {_shown(b)}"
    one, two = a[1].split("\n"), b[1].split("\n")
    for x, y in zip(one, two, strict=False):
        if x != y:
            return f"{_cut(x)!r} became {_cut(y)!r}"
    return f"{len(one)} lines became {len(two)}"


def _shown(output: tuple[str, str]) -> str:
    kind, text = output
    return f"{kind} {_cut(text.split(chr(10))[0])!r}" if text else kind


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"


def _normal(outputs: Iterable[Any]) -> list[tuple[str, str]]:
    """Return outputs as (kind, text without what always differs), texts of one stream joined."""
    found: list[tuple[str, str]] = []
    stream = ""
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            stream += _text(output.get("text", "")) if output.get("name") == "stdout" else ""
            continue
        if kind == "error":
            found.append((f"the error {output.get('ename')}", sanitised(str(output.get("evalue", "")))))
        elif kind in ("display_data", "execute_result"):
            found.append(_drawn(output.get("data", {})))
    text = sanitised(stream)
    return ([("text", text)] if text else []) + found


def _drawn(data: Any) -> tuple[str, str]:
    pictures = sorted({m.partition("+")[0] for m in data if m.startswith(_PICTURES)})
    if pictures:
        return "a picture" if all(p.startswith("image/") for p in pictures) else ", ".join(pictures), ""
    if "text/html" in data and "text/plain" not in data:
        return "a table or page", sanitised(html.unescape(_TAGS.sub(" ", _text(data["text/html"]))))
    for mime in ("text/plain", "text/markdown", "text/latex", "application/json", "application/javascript"):
        if mime in data:
            value = data[mime]
            return "a value", sanitised(_text(value) if isinstance(value, (str, list)) else repr(value))
    return ", ".join(sorted(data)) or "nothing", ""


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
