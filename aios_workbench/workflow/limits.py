"""What a step needs of shared resources, and in which order waiting ones are served: parsed and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, ParameterError
from aios_workbench.workflow.durations import parse_duration

#: Names of resources the engine makes itself start so; see `max_active`.
RESERVED = "workflow:"
PRIORITIES = range(-100, 101)
MAX_RATE = 100_000
_RATE = re.compile(r"\s*(\d+)\s*/\s*(.+?)\s*")
_PER = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "day": 86400.0,
}


def parse_limits(given: Any) -> dict[str, int]:
    """Return resource -> how many of its permits a step holds.

    Parameters
    ----------
    given : mapping, iterable of str, or str
        ``{"gpu": 2}``, ``["crm-api"]`` (one each) or ``"gpu"``.

    Raises
    ------
    ParameterError
        For a name or an amount that cannot be.

    Examples
    --------
    >>> parse_limits(["gpu", "crm-api"])
    {'crm-api': 1, 'gpu': 1}
    """
    if given is None:
        return {}
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        found = dict(given)
    elif isinstance(given, Iterable):
        found = dict.fromkeys(given, 1)
    else:
        raise ParameterError(
            f"limits are names of resources such as {{'gpu': 1}} or ['crm-api'], not {given!r}"
        )
    for name, amount in found.items():
        resource_name(name)
        if type(amount) is not int or not 1 <= amount <= MAX_RATE:
            raise ParameterError(f"limits: '{name}' must be a whole number of at least 1, not {amount!r}")
    return dict(sorted(found.items()))


def resource_name(name: Any) -> str:
    """Return a resource's name if it can be one.

    Raises
    ------
    ParameterError
        When it is no text of 1 to 100 printable characters, or reserved.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > 100 or not name.isprintable():
        raise ParameterError(f"a resource needs a name of 1 to 100 printable characters, not {name!r}")
    if name.startswith(RESERVED):
        raise ParameterError(
            f"'{name}' is reserved for Workflow(max_active=…); choose a name without '{RESERVED}'"
        )
    return name


def parse_rate(text: str) -> tuple[int, float]:
    """Return how many per how many seconds.

    Parameters
    ----------
    text : str
        Such as ``"100/min"``, ``"5/s"``, ``"1000/day"``, ``"3/10s"``.

    Raises
    ------
    ParameterError
        When it is not a rate.

    Examples
    --------
    >>> parse_rate("100/min"), parse_rate("3 / 10s")
    ((100, 60.0), (3, 10.0))
    """
    found = _RATE.fullmatch(str(text))
    try:
        seconds = 0.0 if found is None else _PER.get(found[2]) or parse_duration(found[2])
    except ParameterError:
        seconds = 0.0
    if found is None or not seconds:
        raise ParameterError(f"{text!r} is not a rate; write for example '100/min', '5/s', '3/10s'")
    if not 1 <= int(found[1]) <= MAX_RATE:
        raise ParameterError(f"a rate's number must be from 1 to {MAX_RATE}, not {found[1]}")
    return int(found[1]), seconds


def parse_priority(value: Any) -> int:
    """Return a priority.

    Raises
    ------
    ParameterError
        When it is no whole number from -100 to 100.
    """
    if type(value) is not int or value not in PRIORITIES:
        raise ParameterError(
            f"priority must be a whole number from -100 to 100 (higher goes first), not {value!r}"
        )
    return value


def parse_bound(name: str, value: Any) -> int | None:
    """Return `max_active` or `max_queued`.

    Raises
    ------
    DefinitionError
        When it is neither None nor a whole number of at least 1.
    """
    if value is not None and (type(value) is not int or value < 1):
        raise DefinitionError(
            f"{name} must be a whole number of at least 1, or None for no bound, not {value!r}"
        )
    return value
