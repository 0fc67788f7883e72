"""Amounts as people write them: "60s", "2 GB"."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import SupportsFloat

from aios_workbench.errors import ParameterError

_SECONDS: Mapping[str, float] = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
}
_BYTES: Mapping[str, float] = {
    "b": 1, "byte": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-z]*)\s*")


def seconds(value: str | float | dt.timedelta, name: str = "budget") -> float:
    """Return a time in seconds.

    Raises
    ------
    ParameterError
        When it is none, or not more than 0.

    Examples
    --------
    >>> seconds("2 min"), seconds(1.5)
    (120.0, 1.5)
    """
    if isinstance(value, dt.timedelta):
        value = value.total_seconds()
    return _read(value, _SECONDS, name, 'seconds, or a text such as "90s" or "2 min"', "s")


def in_bytes(value: str | float, name: str = "memory") -> int:
    """Return a size in bytes; GB is 10^9, GiB is 2^30.

    Raises
    ------
    ParameterError
        When it is none, or not more than 0.

    Examples
    --------
    >>> in_bytes("2 GB"), in_bytes("1 KiB"), in_bytes(5)
    (2000000000, 1024, 5)
    """
    return int(_read(value, _BYTES, name, 'bytes, or a text such as "2 GB"', "b"))


def _read(value: object, units: Mapping[str, float], name: str, wanted: str, base: str) -> float:
    amount = math.nan
    if isinstance(value, str):
        found = _AMOUNT.fullmatch(value)
        unit = found[2].lower() or base if found else ""
        factor = units.get(unit, units.get(unit.removesuffix("s")))
        if found and factor is not None:
            amount = float(found[1]) * factor
    elif not isinstance(value, bool) and isinstance(value, SupportsFloat):  # a number of numpy too
        amount = float(value)
    if not 0 < amount < math.inf:
        raise ParameterError(f"{name} is {value!r}; give {wanted}, more than 0")
    return amount
