"""Text from the command line becomes values: JSON where it is JSON, else text, whichever the type takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aios_workbench.errors import ParameterError

_WORDS = ("approve", "reject", "wait")


def assignments(texts: Iterable[str], option: str, example: str) -> dict[str, str]:
    """Return what ``-p name=value`` options say, values still text.

    Raises
    ------
    ParameterError
        For text without ``=``, or a name given twice.

    Examples
    --------
    >>> assignments(["path=a=b.csv"], "-p", "limit=5")
    {'path': 'a=b.csv'}
    """
    out: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{option} {text!r} is not name=value; for example {option} {example}")
        if name.strip() in out:
            raise ParameterError(f"{option} {name.strip()} is given twice; give it once")
        out[name.strip()] = value
    return out


def parse(text: str) -> Any:
    """Return the text as JSON, or as it is.

    Examples
    --------
    >>> parse("5"), parse("[1, 2]"), parse("claims.csv"), parse("NaN")
    (5, [1, 2], 'claims.csv', 'NaN')
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(name: str) -> Any:
    raise ValueError(name)


def fit(text: str, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return the text as JSON, or as it is where only that fits the schema.

    Parameters
    ----------
    root : mapping, optional
        The schema that holds the definitions `schema` refers to.

    Examples
    --------
    >>> fit("12", {"type": "integer"}), fit("12", {"type": "string"}), fit("twelve", {"type": "integer"})
    (12, '12', 'twelve')
    """
    value = parse(text)
    if isinstance(value, str) or not schema:
        return value
    from jsonschema import Draft202012Validator

    full = {**schema, "$defs": (root or schema).get("$defs", {})}
    validator = Draft202012Validator(full)
    return text if not validator.is_valid(value) and validator.is_valid(text) else value


def gate_policies(texts: Iterable[str]) -> dict[str, Any] | None:
    """Return what ``--gate review=approve`` options say; None without any.

    Raises
    ------
    ParameterError
        For a word that is no decision.

    Examples
    --------
    >>> gate_policies(["review=approve", '*={"decision": "wait"}'])
    {'review': 'approve', '*': {'decision': 'wait'}}
    """
    given = assignments(texts, "--gate", "review=approve")
    if not given:
        return None
    policies = {gate: parse(text) for gate, text in given.items()}
    for gate, policy in policies.items():
        if policy not in _WORDS and not (isinstance(policy, dict) and policy.get("decision") in _WORDS):
            raise ParameterError(
                f"--gate {gate}={given[gate]}: use approve, reject, wait, or "
                '\'{"decision": "approve", "values": {…}}\''
            )
    return policies
