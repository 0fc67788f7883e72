"""Reading outside a transaction, with the functions that work inside one.

A transaction of the catalog is a writer's: it waits for all others and they for it. Whoever only looks, as a panel does
every few seconds, must not take part in that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from aios_workbench.workspace import Session, Workspace


def reading(ws: Workspace) -> Session:
    """Return what stands for a transaction in functions that only read; rows are read by name."""
    return cast("Session", _Reading(ws))


class _Reading:
    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> _Rows:
        return _Rows(self._ws.catalog.query(sql, **(parameters or {})))


class _Rows:
    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> dict[str, Any] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[dict[str, Any]]:
        return list(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._rows
