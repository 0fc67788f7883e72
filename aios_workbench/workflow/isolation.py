"""Options that say where a step is executed, what it may use and what it is told: executor, memory, cpu, secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, hint
from aios_workbench.workflow.code import code_hash
from aios_workbench.workflow.parameters import signature_of

ISOLATION_OPTIONS = ("executor", "memory", "cpu", "secrets", "once", "in_doubt")
IN_DOUBT = ("fail", "ask", "again")
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
    _check_once(place, out)
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


def _check_once(place: str, options: Mapping[str, Any]) -> None:
    once = options.get("once")
    if once is not None and not isinstance(once, bool) and not callable(once):
        raise DefinitionError(
            f"{place}: once is True (once per inputs) or a function that makes the key of what the step does, such as "
            f"lambda order_id: order_id; not {once!r}"
        )
    doubt = options.get("in_doubt", "fail")
    if doubt not in IN_DOUBT:
        raise DefinitionError(f"{place}: in_doubt is 'fail', 'ask' or 'again', not {doubt!r}")
    if "in_doubt" in options and not once:
        raise DefinitionError(f"{place}: in_doubt says what becomes of a step with once=; this one has none")
    if once and options.get("hedge") is not None:
        raise DefinitionError(
            f"{place}: hedge calls a function twice, once says that it must not; leave one out"
        )


def _once_fields(once: Any) -> dict[str, Any]:
    if not callable(once):
        return {"once": "inputs" if once else ""}
    return {"once": code_hash(once), "once_takes": list(signature_of(once).parameters)}


def check_names(place: str, options: Mapping[str, Any], parameters: list[str]) -> None:
    """Refuse secrets for parameters, and keys of parameters, that the function does not take.

    Raises
    ------
    DefinitionError
        With the nearest name.
    """
    secrets, once = options.get("secrets") or {}, options.get("once")
    for name in secrets:
        if name not in parameters:
            raise DefinitionError(
                f"{place}: secrets names '{name}', which the function does not take{hint(name, parameters)}"
            )
    rest = [p for p in parameters if p not in secrets]
    for name in signature_of(once).parameters if callable(once) else ():
        if name not in rest:
            raise DefinitionError(
                f"{place}: the function of once takes '{name}', which the step does not{hint(name, rest)}"
            )


def isolation_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `StepSpec` that a step's options of isolation are."""
    return {
        "executor": options.get("executor", "thread"), "memory": options.get("memory"), "cpu": options.get("cpu"),
        "secrets": dict(options.get("secrets") or {}), "in_doubt": options.get("in_doubt", "fail"),
        **_once_fields(options.get("once")),
    }  # fmt: skip
