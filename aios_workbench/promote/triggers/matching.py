"""Whether an event is one that a job listens for, and what of its data becomes parameters. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.promote.spec_parts import EventTrigger


class Absent(LookupError):
    """There is no value at a path."""


def fits_name(pattern: str, name: str) -> bool:
    """Whether a name is the pattern's, where ``*`` stands for any characters and nothing else is special.

    In time that grows with the product of the lengths, whatever the pattern: regular expressions would not.

    Examples
    --------
    >>> fits_name("orders.*", "orders.ready"), fits_name("*.ready", "orders.late"), fits_name("a[b]", "ab")
    (True, False, False)
    """
    at = place = 0
    star, resume = -1, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, place
            at += 1
        elif at < len(pattern) and pattern[at] == name[place]:
            at, place = at + 1, place + 1
        elif star >= 0:  # let the last star take one character more
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def value_at(data: Any, path: str) -> Any:
    """Return the value at a path such as ``file.kind`` or ``rows.0.id``; a name may hold dots itself.

    Raises
    ------
    Absent
        When there is none.

    Examples
    --------
    >>> value_at({"file": {"kind": "csv"}, "a.b": 1}, "file.kind"), value_at({"a.b": 1}, "a.b")
    ('csv', 1)
    """
    if isinstance(data, dict):
        if path in data:
            return data[path]
        for cut in (n for n, character in enumerate(path) if character == "." and path[:n] in data):
            with contextlib.suppress(Absent):
                return value_at(data[path[:cut]], path[cut + 1 :])
    elif isinstance(data, list):
        head, _, rest = path.partition(".")
        if head.isascii() and head.isdigit() and len(head) < 10 and int(head) < len(data):
            return value_at(data[int(head)], rest) if rest else data[int(head)]
    raise Absent(path)


def same(expected: Any, found: Any) -> bool:
    """Whether two JSON values are the same one: 1 is 1.0, and neither is true."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(same(v, found[k]) for k, v in expected.items())
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    return bool(expected == found)


def choose(triggers: Iterable[EventTrigger], name: str, data: dict[str, Any]) -> EventTrigger | None:
    """Return the first trigger that an event fits."""
    return next((t for t in triggers if fits_name(t.event, name) and _holds(t, data)), None)


def _holds(trigger: EventTrigger, data: dict[str, Any]) -> bool:
    for path, expected in trigger.where.items():
        try:
            if not same(expected, value_at(data, path)):
                return False
        except Absent:
            return False
    return True
