"""Types of notebook parameters: read from an annotation's text, applied to a given value.

Nothing is evaluated: an annotation is looked up name by name, so a notebook cannot make the check run code.
"""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import functools
import json
from pathlib import Path
from typing import Any, Literal, Optional, Union

from aios_workbench.errors import ParameterError

_NAMES: dict[str, Any] = {
    "Any": Any, "None": None, "bool": bool, "int": int, "float": float, "str": str,
    "list": list, "dict": dict, "tuple": tuple, "set": set, "List": list, "Dict": dict, "Tuple": tuple, "Set": set,
    "date": dt.date, "datetime": dt.datetime, "time": dt.time, "timedelta": dt.timedelta,
    "Path": Path, "Decimal": decimal.Decimal,
}  # fmt: skip
#: what JSON gives back as it was; the others are restored in the kernel
_PLAIN = frozenset(("Any", "None", "bool", "int", "float", "str", "list", "dict", "List", "Dict"))


class UnknownTypeError(ValueError):
    """An annotation names a type parameters cannot have."""


@functools.cache
def type_of(text: str) -> Any:
    """Return the type an annotation's text names.

    Raises
    ------
    UnknownTypeError
        When it is none of the types a parameter can have.

    Examples
    --------
    >>> type_of("Optional[int]")
    typing.Optional[int]
    """
    try:
        return _build(ast.parse(text, mode="eval").body)
    except (SyntaxError, TypeError):
        raise UnknownTypeError(text) from None


def is_plain(text: str) -> bool:
    """True for a type whose JSON form is its value."""
    names = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute)}
    return names <= _PLAIN | {"Optional", "Union", "Literal", "typing", "t"}


def to_json(text: str, value: Any) -> Any:
    """Return a value as JSON, after it was made to fit the type.

    Text is read as JSON where the type is no text, so that a command line can give lists and numbers.

    Raises
    ------
    ValueError
        When the value does not fit; the message says how.

    Examples
    --------
    >>> to_json("list[int]", "[1, 2]"), to_json("date", "2026-01-31"), to_json("float", "0.5")
    ([1, 2], '2026-01-31', 0.5)
    """
    adapter = _adapter(text)
    return adapter.dump_python(_fit(adapter, text, value), mode="json")


def restore(text: str, value: Any) -> Any:
    """Return the Python value of the JSON that `to_json` made."""
    return value if is_plain(text) else _adapter(text).validate_python(value)


def schema(text: str) -> dict[str, Any]:
    """Return the JSON schema of a type, for forms."""
    return dict(_adapter(text).json_schema())


@functools.cache
def _adapter(text: str) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(type_of(text), config=ConfigDict(allow_inf_nan=False))


def _fit(adapter: Any, text: str, value: Any) -> Any:
    from pydantic import ValidationError

    if isinstance(value, bool) and text in ("int", "float"):
        raise ValueError(f"true and false are not numbers; annotate it '{text} | bool' if both are meant")
    try:
        return adapter.validate_python(value)
    except ValidationError as first:
        if isinstance(value, str):
            try:
                return adapter.validate_python(json.loads(value))
            except (ValidationError, ValueError):
                pass
        raise ValueError("; ".join(_say(p) for p in first.errors()[:3])) from None


def _say(problem: Any) -> str:
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


def _build(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str() as quoted):
            return type_of(quoted)
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _NAMES:
            return _NAMES[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[_build(left), _build(right)]  # noqa: UP007 - None | None is no type
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if name == "Literal":
                return Literal[tuple(ast.literal_eval(item) for item in items)]
            if name == "Optional" and len(items) == 1:
                return Optional[_build(items[0])]  # noqa: UP045
            if name == "Union":
                return Union[tuple(_build(item) for item in items)]  # noqa: UP007
            if name in _NAMES:
                built = tuple(... if _is_dots(item) else _build(item) for item in items)
                return _NAMES[name][built]
    raise UnknownTypeError(ast.unparse(node))


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def read_default(node: ast.expr) -> tuple[str, Any]:
    """Return type and JSON form of a default as written in the cell.

    Raises
    ------
    ParameterError
        When only running the code could tell the value.
    """
    match node:
        case ast.Call(
            func=ast.Name(id="Path") | ast.Attribute(attr="Path"), args=[ast.Constant(value=str(path))]
        ):
            return "Path", path
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=[]) if name in (
            "date",
            "datetime",
        ) and all(isinstance(a, ast.Constant) for a in args):
            try:
                return name, _NAMES[name](*(ast.literal_eval(a) for a in args)).isoformat()
            except (TypeError, ValueError) as e:
                raise ParameterError(f"{ast.unparse(node)}: {e}") from None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ParameterError(f"{ast.unparse(node)!r} is computed") from None
    if value is None:
        return "Any", None
    name = type(value).__name__
    if name not in _NAMES:
        raise ParameterError(f"a {name} cannot be a parameter")
    return name, to_json(name, value)
