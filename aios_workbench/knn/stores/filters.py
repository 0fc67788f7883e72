"""The filter language of stores: a piece of SQL's WHERE that every system can be asked, read into a small tree.

`NOT` is pushed down to the leaves while it is read. That is exact in SQL's three-valued logic, and it is what makes
one meaning possible everywhere: most systems say that a missing value is `not < 5`, SQL does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from aios_workbench import _sql
from aios_workbench.errors import ParameterError

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Compare:
    """`column operator value`; the operator is one of = != < <= > >=."""

    column: str
    operator: str
    value: Scalar


@dataclass(frozen=True)
class OneOf:
    """`column [NOT] IN (values)`."""

    column: str
    values: tuple[Scalar, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like:
    """`column [NOT] LIKE pattern`: `%` is any text, `_` any character, nothing escapes them."""

    column: str
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Null:
    """`column IS [NOT] NULL`."""

    column: str
    negated: bool = False


@dataclass(frozen=True)
class And:
    """All parts hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """One part at least holds."""

    parts: tuple[Node, ...]


Leaf = Compare | OneOf | Like | Null
Node = Leaf | And | Or

OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
#: `5 < price` is read as `price > 5`
MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
UNDERSTOOD = "comparisons with a value, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL and parentheses"
#: deeper nesting is a mistake or an attack on the stack
DEEPEST = 60

_TOKEN = re.compile(
    r"""\s+
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<word>[^\W\d]\w*)
    | (?P<operator><=|>=|<>|!=|==|[=<>(),])
    """,
    re.VERBOSE,
)
_KEYWORDS = {"and", "or", "not", "in", "between", "like", "is", "null", "true", "false"}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """Read a filter.

    Parameters
    ----------
    text : str
        Such as ``price < 50 AND "shop name" IN ('a', 'b')``. Names that are no plain words stand in double quotes,
        texts in single ones.

    Returns
    -------
    Node
        The condition with every NOT inside its leaves.

    Raises
    ------
    ParameterError
        With the place of what is not understood.

    Examples
    --------
    >>> parse("NOT (price < 50 OR shop = 'a')")
    And(parts=(Compare(column='price', operator='>=', value=50), Compare(column='shop', operator='!=', value='a')))
    """
    return _Reader(text).read()


def columns(node: Node) -> set[str]:
    """Return the names of the columns a condition asks about."""
    return {leaf.column for leaf in leaves(node)}


def leaves(node: Node) -> Iterator[Leaf]:
    """Give a condition's leaves, from the left."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part)
    else:
        yield node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._cut())
        self.next = 0
        self.depth = 0

    def _cut(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                self._refuse(at)
            if kind := found.lastgroup:
                word = found.group().lower()
                yield _Token("keyword" if kind == "word" and word in _KEYWORDS else kind, found.group(), at)
            at = found.end()
        yield _Token("end", "", len(self.text))

    def _refuse(self, at: int, wanted: str = "") -> NoReturn:
        raise self._wrong(at, wanted)

    def _wrong(self, at: int, wanted: str) -> ParameterError:
        found = f"{self.text[at : at + 20]!r}" if at < len(self.text) else "its end"
        return ParameterError(
            f"filter {self.text!r}: did not understand {found} at position {at}{wanted}; stores understand {UNDERSTOOD}"
        )

    def _peek(self, *texts: str) -> bool:
        token = self.tokens[self.next]
        return token.kind in {"keyword", "operator"} and token.text.lower() in texts

    def _take(self, *texts: str) -> bool:
        if self._peek(*texts):
            self.next += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._refuse(self.tokens[self.next].at, f", where {text.upper()!r} should follow")

    def read(self) -> Node:
        if not self.text.strip():
            raise ParameterError("filter: the text is empty; leave the filter away to search everything")
        node = self._either(negate=False)
        if self.tokens[self.next].kind != "end":
            self._refuse(self.tokens[self.next].at)
        return node

    def _either(self, *, negate: bool) -> Node:
        parts = [self._both(negate=negate)]
        while self._take("or"):
            parts.append(self._both(negate=negate))
        return self._joined(parts, And if negate else Or)

    def _both(self, *, negate: bool) -> Node:
        parts = [self._one(negate=negate)]
        while self._take("and"):
            parts.append(self._one(negate=negate))
        return self._joined(parts, Or if negate else And)

    @staticmethod
    def _joined(parts: list[Node], how: type[And | Or]) -> Node:
        return parts[0] if len(parts) == 1 else how(tuple(parts))

    def _one(self, *, negate: bool) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ParameterError(
                f"filter: nested deeper than {DEEPEST}; write it flatter, with IN for a long OR"
            )
        try:
            if self._take("not"):
                return self._one(negate=not negate)
            if self._take("("):
                node = self._either(negate=negate)
                self._expect(")")
                return node
            return self._predicate(negate=negate)
        finally:
            self.depth -= 1

    def _predicate(self, *, negate: bool) -> Node:
        token = self.tokens[self.next]
        if token.kind in {"number", "text"} or self._peek("true", "false"):
            value, operator = self._value(), self._operator()
            return self._compare(self._column(), MIRRORED[operator], value, negate=negate)
        column = self._column()
        if self._take("is"):
            negated = self._take("not")
            self._expect("null")
            return Null(column, negated != negate)
        if self.tokens[self.next].text in {"=", "==", "!=", "<>", "<", "<=", ">", ">="}:
            operator = self._operator()
            return self._compare(column, operator, self._value(), negate=negate)
        negated = self._take("not") != negate
        if self._take("in"):
            return OneOf(column, self._values(), negated)
        if self._take("like"):
            pattern = self._value()
            if not isinstance(pattern, str):
                self._refuse(self.tokens[self.next - 1].at, ", where LIKE wants a text")
            return Like(column, pattern, negated)
        if self._take("between"):
            low = self._value()
            self._expect("and")
            high = self._value()
            if negated:
                return Or((Compare(column, "<", low), Compare(column, ">", high)))
            return And((Compare(column, ">=", low), Compare(column, "<=", high)))
        if self.tokens[self.next - 1].text.lower() == "not":
            self._refuse(self.tokens[self.next].at)
        return Compare(column, "=", not negate)  # a column of truth values, alone

    @staticmethod
    def _compare(column: str, operator: str, value: Scalar, *, negate: bool) -> Compare:
        return Compare(column, OPPOSITE[operator] if negate else operator, value)

    def _operator(self) -> str:
        token = self.tokens[self.next]
        operator = {"==": "=", "<>": "!="}.get(token.text, token.text)
        if token.kind != "operator" or operator not in OPPOSITE:
            self._refuse(token.at, ", where a comparison should follow")
        self.next += 1
        return operator

    def _column(self) -> str:
        token = self.tokens[self.next]
        if token.kind not in {"word", "quoted"}:
            self._refuse(token.at, ", where a column should follow")
        self.next += 1
        return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text

    def _values(self) -> tuple[Scalar, ...]:
        self._expect("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Scalar:
        token = self.tokens[self.next]
        self.next += 1
        if token.kind == "number":
            value = float(token.text)
            if math.isinf(value):
                self._refuse(token.at, ": the number is too large")
            return value if re.search(r"[.eE]", token.text) else int(token.text)
        if token.kind == "text":
            return token.text[1:-1].replace("''", "'")
        if token.kind == "keyword" and token.text.lower() in {"true", "false"}:
            return token.text.lower() == "true"
        if token.kind == "keyword" and token.text.lower() == "null":
            self._refuse(token.at, ": nothing compares with NULL, write IS NULL or IS NOT NULL")
        quotes = " (texts stand in single quotes)" if token.kind in {"word", "quoted"} else ""
        raise self._wrong(token.at, f", where a value should follow{quotes}")


# ---------------------------------------------------------------- SQL


def literal(value: Scalar) -> str:
    """Return a value as an SQL literal."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return _sql.literal(value) if isinstance(value, str) else repr(value)


def sql(node: Node, *, collate: str = "", escape: str = "") -> str:
    r"""Return a condition as SQL.

    Parameters
    ----------
    collate : str
        Written behind a column that is compared with a text, where the database's order is not that of code points.
    escape : str
        Written behind a LIKE, where a backslash would escape otherwise.

    Examples
    --------
    >>> sql(parse("NOT (price < 50 AND shop LIKE 'a%')"))
    '("price" >= 50 OR "shop" NOT LIKE \'a%\')'
    """
    if isinstance(node, And | Or):
        word = " AND " if isinstance(node, And) else " OR "
        return "(" + word.join(sql(part, collate=collate, escape=escape) for part in node.parts) + ")"
    column = _sql.quoted(node.column)
    no = "NOT " if not isinstance(node, Compare) and node.negated else ""
    if isinstance(node, Null):
        return f"{column} IS {no}NULL"
    if isinstance(node, OneOf):
        return f"{column} {no}IN ({', '.join(map(literal, node.values))})"
    if isinstance(node, Like):
        return f"{column} {no}LIKE {literal(node.pattern)}{escape}"
    order = collate if isinstance(node.value, str) else ""
    return f"{column}{order} {node.operator} {literal(node.value)}"
