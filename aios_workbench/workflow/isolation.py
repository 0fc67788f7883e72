"""Options that say where a step is executed, what it may use and what it is told: executor, memory, cpu, secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, hint

ISOLATION_OPTIONS = ("executor", "memory", "cpu", "secrets")
_UNITS = {
    "b": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)
_SECRET = re.compile(r"[A-Za-z_][\w.-]{0,199}", re.ASCII)
_LEAST = 64 * 2**20


def parse_bytes(value: Any) -> int:
    """Return a number of bytes from text such as ``"2GB"`` (powers of 1000) or ``"512MiB"`` (of 1024).

    Raises
    ------
    ValueError
        Saying what is expected.

    Examples
    --------
    >>> parse_bytes("2GB"), parse_bytes("1.5 MiB"), parse_bytes(4096)
    (2000000000, 1572864, 4096)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or float(found[1]) == 0:
        raise ValueError(
            f"a size is a number of bytes or text such as '512MB', '2GB', '1.5GiB', not {value!r}"
        )
    return int(float(found[1]) * _UNITS[found[2].lower() or "b"])


def format_bytes(count: float) -> str:
    """Return bytes as a person reads them.

    Examples
    --------
    >>> format_bytes(2_100_000_000), format_bytes(512)
    ('2.1 GB', '512 B')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def check_isolation(place: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step's options of isolation as they are kept.

    Raises
    ------
    DefinitionError
        Naming the step, the option and what it takes.
    """
    out = dict(options)
    executor = out.get("executor", "thread")
    if not isinstance(executor, str) or not executor:
        raise DefinitionError(f"{place}: executor is a name such as 'thread' or 'process', not {executor!r}")
    if out.get("memory") is not None:
        try:
            out["memory"] = parse_bytes(out["memory"])
        except ValueError as e:
            raise DefinitionError(f"{place}, memory: {e}") from None
        if out["memory"] < _LEAST:
            raise DefinitionError(
                f"{place}: memory={options['memory']!r} is less than Python itself needs; give at least "
                f"{format_bytes(_LEAST)}"
            )
    cpu = out.get("cpu")
    if cpu is not None and (type(cpu) is not int or cpu < 1):
        raise DefinitionError(f"{place}: cpu is a whole number of processors, at least 1, not {cpu!r}")
    for limit in ("memory", "cpu"):
        if out.get(limit) is not None and executor == "thread":
            raise DefinitionError(
                f"{place}: {limit} cannot be limited for a step in a thread of this process; add executor='process'"
            )
    if out.get("secrets") is not None:
        out["secrets"] = _checked_secrets(place, out["secrets"])
    return out


def _checked_secrets(place: str, secrets: Any) -> dict[str, str]:
    if not isinstance(secrets, Mapping):
        raise DefinitionError(
            f"{place}: secrets maps parameters to names of secrets, such as {{'token': 'CRM_TOKEN'}}, not a "
            f"{type(secrets).__name__}"
        )
    for parameter, name in secrets.items():
        if not isinstance(parameter, str) or not isinstance(name, str) or _SECRET.fullmatch(name) is None:
            raise DefinitionError(  # without what was given: it may be the secret itself
                f"{place}: a secret is named by letters, digits, '_', '.' and '-' (such as CRM_TOKEN), beginning with "
                f"a letter; that of {parameter!r} is not. Give the name here, and the value to the environment"
            )
    return dict(secrets)


def check_secrets(place: str, secrets: Mapping[str, str], parameters: list[str]) -> None:
    """Refuse secrets for parameters that the function does not take.

    Raises
    ------
    DefinitionError
        With the nearest name.
    """
    for parameter in secrets:
        if parameter not in parameters:
            raise DefinitionError(
                f"{place}: secrets names '{parameter}', which the function does not take{hint(parameter, parameters)}"
            )


def isolation_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `StepSpec` that a step's options of isolation are."""
    return {
        "executor": options.get("executor", "thread"), "memory": options.get("memory"), "cpu": options.get("cpu"),
        "secrets": dict(options.get("secrets") or {}),
    }  # fmt: skip
