"""Columns of a stored table, and their names in SQL: whatever a column is called, it is quoted and unique there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aios_workbench._sql import quoted

_NUMBERS = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
    "UHUGEINT", "FLOAT", "DOUBLE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its real `name`, the name SQL knows it by, and its types for people and for DuckDB."""

    name: str
    sql: str
    shown: str
    type: str
    zone: str | None = None
    nan: bool = False

    @property
    def quoted(self) -> str:
        """The name as SQL wants it."""
        return quoted(self.sql)

    @property
    def kind(self) -> str:
        """number, time, boolean, text or other."""
        if self.type in _NUMBERS or self.type.startswith("DECIMAL"):
            return "number"
        if self.type == "DATE" or self.type.startswith("TIMESTAMP"):
            return "time"
        return {"BOOLEAN": "boolean", "VARCHAR": "text"}.get(self.type, "other")

    @property
    def floating(self) -> bool:
        """True where NaN and infinity can occur."""
        return self.type in ("FLOAT", "DOUBLE")

    @property
    def value(self) -> str:
        """The column with NaN as null: both say that there is no number."""
        return f"nullif({self.quoted}, 'nan'::{self.type})" if self.nan else self.quoted


def distinct(names: Sequence[str]) -> list[str]:
    """Return names SQL can tell apart: not empty, and different in more than upper and lower case."""
    taken = {n.casefold() for n in names}
    seen: set[str] = set()
    found = []
    for i, name in enumerate(names):
        label = name or f"column_{i}"
        n = 1
        while label.casefold() in seen or (label != name and label.casefold() in taken):
            label, n = f"{name or f'column_{i}'}_{n}", n + 1
        seen.add(label.casefold())
        found.append(label)
    return found


def top_level(rows: Iterator[tuple[str, int | None]]) -> Iterator[str]:
    """Yield the names of the columns themselves from Parquet's flat list of all that is nested."""

    def skip(children: int) -> None:
        for _ in range(children):
            skip(next(rows)[1] or 0)

    for _ in range(next(rows)[1] or 0):
        name, children = next(rows)
        skip(children or 0)
        yield name


def bounded(field: Field) -> str:
    """Return the column with long texts cut, as SQL."""
    return f"left({field.quoted}, 600)" if field.type == "VARCHAR" else field.quoted


def listed(fields: Iterable[Field]) -> str:
    """Return column names for a SELECT."""
    return ", ".join(f.quoted for f in fields)
