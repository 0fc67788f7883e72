"""Conditions on rows as SQL: filters built from clicks, and the text a person typed."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench._sql import literal
from aios_workbench.errors import ParameterError
from aios_workbench.workspace.fields import Field
from aios_workbench.workspace.source import Source

if TYPE_CHECKING:
    from aios_workbench.workspace.models import Filter

_INTEGERS = 2**127  # DuckDB's largest, HUGEINT
_EXACT = 15  # so many digits go through a decimal literal and come out as the same float


def condition(source: Source, filters: Sequence[Filter], where: str | None) -> str | None:
    """Return all conditions as one SQL expression, None when there are none.

    Raises
    ------
    ParameterError
        When a filter does not fit its column, or `where` is not one plain expression.
    """
    parts = [_filter(source.field(f.column), f) for f in filters]
    if where and where.strip():
        parts.append(
            f"(\n{expression(source, where)}\n)" if "--" in where else f"({expression(source, where)})"
        )
    return " and ".join(parts) or None


def expression(source: Source, where: str) -> str:
    """Return `where`, checked: an expression over the table's own columns, no statement and no subquery.

    Raises
    ------
    ParameterError
        When it is anything else; with the parser's message where it has one.
    """
    text = literal("select 1 from output where " + where)  # noqa: S608 - read by the parser, never run
    parsed = json.loads(source.all(f"select json_serialize_sql({text})")[0][0])
    if parsed["error"]:
        raise ParameterError(f"where: {parsed.get('error_message', 'this is no SQL expression')}")
    node = parsed["statements"][0]["node"] if len(parsed["statements"]) == 1 else {}
    plain = (
        node.get("type") == "SELECT_NODE" and node["from_table"]["type"] == "BASE_TABLE" and node["where_clause"]
        and not any(node.get(k) for k in ("modifiers", "group_expressions", "having", "qualify", "sample"))
    )  # fmt: skip
    if not plain:
        raise ParameterError(
            "where takes one condition on the columns, such as amount > 100 and state = 'NY'; "
            "for anything else use sql"
        )
    for inner in _nodes(node["where_clause"]):
        if inner.get("class") in ("SUBQUERY", "WINDOW", "PARAMETER"):
            raise ParameterError(f"where takes no {inner['class'].lower()}; use sql")
    return where.strip()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        found = todo.pop()
        if isinstance(found, dict):
            yield found
            todo.extend(found.values())
        elif isinstance(found, list):
            todo.extend(found)


def _filter(field: Field, given: Filter) -> str:
    value = given.value
    match given.op:
        case "is_null":
            return f"{field.value} is null"
        case "not_null":
            return f"{field.value} is not null"
        case "contains" | "starts_with":
            if not isinstance(value, (str, int, float)):
                raise _wrong(field, given.op, "text", value)
            name = "contains" if given.op == "contains" else "starts_with"
            return f"{name}(lower({_text(field)}), lower({literal(str(value))}))"
        case "in":
            if not isinstance(value, list):
                raise _wrong(field, "in", "a list of values", value)
            if not value:
                return "false"
            return f"{_side(field)} in ({', '.join(_literal(field, v) for v in value)})"
        case "between":
            if not isinstance(value, list) or len(value) != 2 or value == [None, None]:
                raise _wrong(field, "between", "a list of two values", value)
            parts = [
                _compare(field, op, v) for op, v in zip((">=", "<="), value, strict=True) if v is not None
            ]
            return " and ".join(parts)
        case _:
            return _compare(field, given.op, value)


def _compare(field: Field, op: str, value: Any) -> str:
    if op not in ("=", "!=") and field.kind == "other":
        raise ParameterError(
            f"column {field.name[:100]!r} holds {field.type}, which has no order; use = or contains"
        )
    return f"{_side(field)} {op} {_literal(field, value)}"


def _side(field: Field) -> str:
    """The column as it is compared: NaN is smaller and larger than nothing."""
    return _text(field) if field.kind == "other" else field.value


def _text(field: Field) -> str:
    if field.kind == "text":
        return field.quoted
    shown = (
        f"timezone({literal(field.zone)}, {field.quoted})" if _zoned(field) and field.zone else field.quoted
    )
    return f"cast({shown} as varchar)"


def _zoned(field: Field) -> bool:
    return field.type == "TIMESTAMP WITH TIME ZONE"


def _literal(field: Field, value: Any) -> str:
    if value is None:
        raise ParameterError(
            f"the filter on column {field.name[:100]!r} has no value; for missing values use is_null or not_null"
        )
    take: Callable[[Field, Any], str] = _LITERALS.get(field.kind, lambda _, v: literal(str(v)))
    return take(field, value)


def _number(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, str):
        value = _parse(field, value)
    if isinstance(value, int) and abs(value) < _INTEGERS:
        return str(value)
    if isinstance(value, decimal.Decimal) and field.type.startswith("DECIMAL") and value.is_finite():
        return f"{value:f}"
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(field, "", "numbers", value) from None
    digits = len(repr(value).strip("-").replace(".", "").partition("e")[0])
    if math.isfinite(value) and digits <= _EXACT and field.type != "FLOAT":
        return repr(value)
    return f"'{value!r}'::{field.type if field.floating else 'DOUBLE'}"


def _parse(field: Field, text: str) -> int | decimal.Decimal | float:
    text = text.strip().replace("_", "")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise _wrong(field, "", "numbers", text) from None
    return found if field.type.startswith("DECIMAL") else float(found)


def _time(field: Field, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # a bin of a histogram
        try:
            value = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=value)).isoformat()
        except (OverflowError, ValueError):
            raise _wrong(field, "", "times", value) from None
        value = value if _zoned(field) else value.removesuffix("+00:00")
    if isinstance(value, (dt.datetime, dt.date)):
        value = value.isoformat()
    try:
        found = dt.datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise _wrong(field, "", "times such as 2026-01-31 or 2026-01-31T12:00:00", value) from None
    if _zoned(field):
        if found.tzinfo is None:
            found = found.replace(tzinfo=_zone(field))
        return f"timestamptz '{found.astimezone(dt.UTC).isoformat(' ')}'"
    if found.tzinfo is not None:
        found = found.astimezone(dt.UTC).replace(tzinfo=None)
    if field.type == "DATE" and found.time() == dt.time():
        return f"date '{found.date().isoformat()}'"
    fraction = str(value).strip()[19:] if field.type == "TIMESTAMP_NS" else ""
    if len(fraction) == 10 and fraction[0] == "." and fraction[1:].isdigit():
        return f"'{found.replace(microsecond=0).isoformat(' ')}{fraction}'::TIMESTAMP_NS"
    return f"timestamp '{found.isoformat(' ')}'"


def _zone(field: Field) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(field.zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _boolean(field: Field, value: Any) -> str:
    known = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise _wrong(field, "", "true or false", value)
    return found


_LITERALS: dict[str, Callable[[Field, Any], str]] = {"number": _number, "time": _time, "boolean": _boolean}


def _wrong(field: Field, op: str, wanted: str, value: Any) -> ParameterError:
    verb = (
        f"filter {op!r} on column {field.name[:100]!r} takes" if op else f"column {field.name[:100]!r} holds"
    )
    return ParameterError(f"{verb} {wanted}, not {str(value)[:100]!r}")
