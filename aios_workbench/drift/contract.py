"""What data is agreed to look like, as a small YAML text meant for git: columns, kinds, thresholds.

Nothing of the data's values is in it unless a person wrote it there (`values`, `range`). A mistake is told with its
line. Names are taken as they are written: a column called `no` or `1` is that text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml

from aios_workbench.drift.models import ColumnDrift, Kind, ReportData, Rules, StatisticName
from aios_workbench.drift.report_files import read_text, write_text
from aios_workbench.drift.rules import changed_rules
from aios_workbench.drift.summary import shown
from aios_workbench.errors import CorruptProfileError, DriftInputError, hint

VERSION = 1
_TOP = ("version", "name", "rules", "columns", "new_columns")
_COLUMN = ("kind", "optional", "nulls", "values", "range")
_RULES = tuple(n for n in Rules.model_fields if n != "columns")
_STATISTICS: tuple[str, ...] = get_args(StatisticName)
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Expected:
    """A column as agreed; `nulls` is the largest share, `range` the least and the greatest number."""

    kind: Kind | None = None
    optional: bool = False
    nulls: float | None = None
    values: tuple[str, ...] | None = None
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Contract:
    """What data is agreed to look like, and how far it may drift."""

    name: str
    columns: dict[str, Expected]
    rules: Rules = field(default_factory=Rules)
    new_columns: bool = True
    where: str = ""


def of_report(data: ReportData) -> Contract:
    """Return what a report's reference looked like, with the report's rules."""
    new = {c.column for c in data.schema_changes if c.change == "new"}
    columns = {c.name: Expected(c.kind) for c in data.columns if c.name not in new}
    for change in data.schema_changes:
        if change.change in ("missing", "renamed"):
            columns.setdefault(change.column, Expected())
    return Contract(data.name, columns, data.rules)


def text(contract: Contract) -> str:
    """Return a contract as YAML.

    Examples
    --------
    >>> print(text(Contract("claims", {"no": Expected("numeric")}, Rules(columns={"no": {"psi": 0.2}}))))
    # What this data is agreed to look like: aios.drift.gate(report, contract="…")
    version: 1
    name: claims
    rules: {kind: honest, alpha: 0.05, effect: 0.1, min_rows: 30, max_share: null, in_a_row: 1}
    new_columns: allow
    columns:
      'no': {kind: numeric, psi: 0.2}
    <BLANKLINE>
    """
    rules = contract.rules.model_dump()
    head = {
        "version": VERSION, "name": contract.name, "rules": {n: rules[n] for n in _RULES},
        "new_columns": "allow" if contract.new_columns else "forbid",
    }  # fmt: skip
    lines = ['# What this data is agreed to look like: aios.drift.gate(report, contract="…")']
    lines += [_line({k: v}) for k, v in head.items()]
    lines.append("columns:" if contract.columns else "columns: {}")
    for name, expected in contract.columns.items():
        said = {
            "kind": expected.kind, "optional": expected.optional or None, "nulls": expected.nulls,
            "values": list(expected.values) if expected.values is not None else None,
            "range": list(expected.range) if expected.range is not None else None,
        }  # fmt: skip
        inner = {k: v for k, v in said.items() if v is not None}
        lines.append("  " + _line({name: {**inner, **contract.rules.columns.get(name, {})}}))
    return "\n".join(lines) + "\n"


def _line(entry: Mapping[str, Any]) -> str:
    (key, value), *_ = entry.items()
    return f"{_flow(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """Return a value on one line of YAML, whatever is in it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    written = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=math.inf)
    if isinstance(value, str) and not value.isprintable():  # line breaks of any kind
        return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)).strip()
    return str(written).strip()[1:-1]


def write(contract: Contract, path: str | Path) -> Path:
    """Write a contract to a file, in one step."""
    path = Path(path).expanduser()
    write_text(path, text(contract))
    return path


def read(path: str | Path) -> Contract:
    """Read a contract from a file.

    Raises
    ------
    NotFoundError
        When there is no such file.
    DriftInputError
        When it is no contract; the message has the line and the key.
    """
    path = Path(path).expanduser()
    try:
        return parse(read_text(path), str(path))
    except CorruptProfileError as e:
        raise DriftInputError(str(e)) from e


def parse(source: str, where: str = "the contract") -> Contract:
    """Read a contract from a text.

    Raises
    ------
    DriftInputError
        When it is no contract; the message has the line and the key.

    Examples
    --------
    >>> parse("columns: {age: {kind: numeric, psi: 0.2}}").rules.columns
    {'age': {'psi': 0.2}}
    """
    if len(source) > _LARGEST:
        raise DriftInputError(f"{where} has {len(source):,} characters, more than any contract")
    try:
        node = yaml.compose(source, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as e:
        mark = getattr(e, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise DriftInputError(f"{where}{line}: this is no YAML ({getattr(e, 'problem', None) or e})") from e
    return _Reader(where).contract(node)


class _Reader:
    """Reads nodes of YAML and knows where they stand."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._seen: set[int] = set()
        self._made = yaml.constructor.SafeConstructor()

    def wrong(self, node: Any, said: str) -> DriftInputError:
        line = "" if node is None else f", line {node.start_mark.line + 1}"
        return DriftInputError(f"{self.where}{line}: {said}")

    def entries(self, node: Any, path: str) -> dict[str, Any]:
        """Return a mapping's nodes by the text of their keys."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"{path or 'the whole'} must be a mapping (name: value)")
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key, f"a key of {path or 'the whole'} must be a name")
            name = str(key.value)
            at = f"{path}.{name}" if path else name
            if name in found:
                raise self.wrong(key, f"{at} is there twice")
            if id(value) in self._seen:
                raise self.wrong(key, f"{at} refers to another place (an alias); write it out")
            self._seen.add(id(value))
            found[name] = value
        return found

    def value(self, node: Any, path: str) -> Any:
        """Return a value, or a list of values."""
        if isinstance(node, yaml.SequenceNode):
            return [self.value(n, path) for n in node.value]
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(node, f"{path} must be one value")
        try:
            return self._made.construct_object(node)
        except (yaml.YAMLError, ValueError) as e:
            raise self.wrong(node, f"{path} cannot be read ({e})") from e

    def number(self, node: Any, path: str, low: float = -math.inf, high: float = math.inf) -> float:
        value = self.value(node, path)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            limits = "" if math.isinf(high) and math.isinf(low) else f" from {low:g} to {high:g}"
            raise self.wrong(node, f"{path} is {value!r}; give a number{limits}")
        return float(value)

    def contract(self, node: Any) -> Contract:
        if node is None:
            raise DriftInputError(f"{self.where} is empty; report.contract() writes one")
        top = self.entries(node, "")
        for key, n in top.items():
            if key not in _TOP:
                raise self.wrong(n, f"there is no {key!r}{_near(key, _TOP)} (there are: {', '.join(_TOP)})")
        version = self.value(top["version"], "version") if "version" in top else VERSION
        if version != VERSION:
            raise self.wrong(
                top["version"], f"version is {version!r}, this aios-workbench reads {VERSION}; upgrade it"
            )
        new = self.value(top["new_columns"], "new_columns") if "new_columns" in top else "allow"
        if new not in ("allow", "forbid"):
            raise self.wrong(top["new_columns"], f"new_columns is {new!r}; use allow or forbid")
        if "columns" not in top:
            raise self.wrong(node, "there are no columns; report.contract() writes a whole contract")
        columns: dict[str, Expected] = {}
        thresholds: dict[str, dict[str, float]] = {}
        for name, n in self.entries(top["columns"], "columns").items():
            columns[name], thresholds[name] = self.column(n, f"columns.{shown(name)}")
        rules = self.rules(top.get("rules"), {n: t for n, t in thresholds.items() if t})
        name = str(self.value(top["name"], "name")) if "name" in top else ""
        return Contract(name, columns, rules, new == "allow", self.where)

    def rules(self, node: Any, thresholds: dict[str, dict[str, float]]) -> Rules:
        given: dict[str, Any] = {}
        for key, n in ({} if node is None else self.entries(node, "rules")).items():
            if key not in _RULES:
                raise self.wrong(
                    n, f"there is no rule {key!r}{_near(key, _RULES)} (there are: {', '.join(_RULES)})"
                )
            given[key] = self.value(n, f"rules.{key}")
            try:
                changed_rules(Rules(), {key: given[key]})
            except DriftInputError as e:
                raise self.wrong(n, f"rules.{key} is {given[key]!r}: {e}") from None
        return changed_rules(Rules(), {**given, "columns": thresholds})

    def column(self, node: Any, path: str) -> tuple[Expected, dict[str, float]]:
        said: dict[str, Any] = {}
        thresholds: dict[str, float] = {}
        known = (*_COLUMN, *_STATISTICS)
        for key, n in self.entries(node, path).items():
            at = f"{path}.{key}"
            if key in _STATISTICS:
                thresholds[key] = self.number(n, at, 0.0)
            elif key not in _COLUMN:
                raise self.wrong(n, f"there is no {at}{_near(key, known)} (there are: {', '.join(known)})")
            elif key == "nulls":
                said[key] = self.number(n, at, 0.0, 1.0)
            elif key == "range":
                said[key] = self.range(n, at)
            else:
                said[key] = self.plain(key, n, at)
        return Expected(**said), thresholds

    def range(self, node: Any, path: str) -> tuple[float, float]:
        if not isinstance(node, yaml.SequenceNode) or len(node.value) != 2:
            raise self.wrong(node, f"{path} must be two numbers: [least, greatest]")
        low, high = (self.number(n, path) for n in node.value)
        if not low <= high:
            raise self.wrong(node, f"{path} goes from {low:g} to {high:g}; the least comes first")
        return low, high

    def plain(self, key: str, node: Any, path: str) -> Any:
        value = self.value(node, path)
        if key == "kind" and value not in get_args(Kind):
            near = _near(str(value), get_args(Kind))
            raise self.wrong(node, f"{path} is {value!r}{near} (there are: {', '.join(get_args(Kind))})")
        if key == "optional" and not isinstance(value, bool):
            raise self.wrong(node, f"{path} is {value!r}; use true or false")
        if key == "values":
            if not isinstance(value, list) or any(isinstance(v, list) for v in value):
                raise self.wrong(node, f"{path} must be a list of values")
            # a value is compared as it is written: `1`, `no` and `2024-01-01` are texts here
            return tuple(str(n.value) for n in node.value)
        return value


def _near(name: str, known: tuple[str, ...]) -> str:
    return hint(name, known) or hint(name.lower(), known)


def broken(contract: Contract, data: ReportData) -> list[tuple[str, str]]:
    """Return what of a contract the current side of a report does not keep: (column, reason) pairs."""
    found: list[tuple[str, str]] = []
    columns = {c.name: c for c in data.columns}
    gone = {c.column: c.words for c in data.schema_changes if c.change in ("missing", "renamed")}
    new = {c.column for c in data.schema_changes if c.change == "new"}
    for name, expected in contract.columns.items():
        if name in gone or name not in {*columns, *new}:
            if not expected.optional:
                found.append((name, gone.get(name, f"{shown(name)} is missing, the contract has it")))
            continue
        if name in columns:
            found += [(name, f"{shown(name)} {said}") for said in _broken(expected, columns[name])]
    if not contract.new_columns:
        here = dict.fromkeys([*columns, *sorted(new)])
        extra = [n for n in here if n not in contract.columns and n not in gone]
        found += [(n, f"{shown(n)} is no column of the contract, which forbids new ones") for n in extra]
    return found


def _broken(expected: Expected, column: ColumnDrift) -> list[str]:
    said: list[str] = []
    now = column.current
    if expected.kind is not None and column.kind != expected.kind:
        said.append(f"is {column.kind}, the contract says {expected.kind}")
    if now is None:
        return said
    if expected.nulls is not None and now.rows and now.nulls / now.rows > expected.nulls:
        said.append(f"has {now.nulls / now.rows:.3g} nulls, {expected.nulls:g} are allowed")
    if expected.range is not None and now.minimum is not None and now.maximum is not None:
        low, high = expected.range
        if now.minimum < low or now.maximum > high:
            said.append(f"goes from {now.minimum:g} to {now.maximum:g}, {low:g} to {high:g} is allowed")
    if expected.values is not None and column.categories is not None:
        others = [
            v for v in column.categories.values if v.current and not v.rest and v.label not in expected.values
        ]
        if others:
            rows = sum(v.current for v in others)
            named = ", ".join(repr(shown(v.label)) for v in others[:3])
            said.append(f"has {len(others)} values the contract does not have ({named}), in {rows:,} rows")
    return said
