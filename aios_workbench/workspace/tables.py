"""Tables that were stored, looked at without loading them: a page, sorted and filtered; a query; a profile.

DuckDB reads the artifact's file (see `source`), so a page of ten million rows costs the columns it is sorted and
filtered by, and no memory to speak of. Every answer says the SQL and the Python that give the same.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
import zoneinfo
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ParameterError
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.cells import cell
from aios_workbench.workspace.conditions import condition
from aios_workbench.workspace.fields import Field, listed
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.media import media
from aios_workbench.workspace.models import Column, TablePage, TableQuery
from aios_workbench.workspace.paging import Order, matched, order_by, page_rows
from aios_workbench.workspace.profile import profile
from aios_workbench.workspace.source import Source, open_source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["media", "profile", "query_frame", "sql_page", "table", "table_frame"]

#: An answer has no more cells: a browser has to draw them.
MAX_CELLS = 200_000

_PATIENCE = 3600.0  # for a person's own query in a cell, which can be interrupted there


def table(ws: Workspace, artifact: Artifact, query: TableQuery, origin: str = "") -> TablePage:
    """Return a page of a stored data frame or array.

    Parameters
    ----------
    query : TableQuery
        Offset, limit, sort, filters, a condition in SQL, and which columns.
    origin : str
        The Python expression of the step, such as ``aios.run("r1")["score"]``: `code` starts with it.

    Returns
    -------
    TablePage
        `truncated` when there would be more columns or rows than are sent at once.

    Raises
    ------
    ConflictError
        When the artifact is not a table.
    CorruptArtifactError, NotFoundError
        When its file is damaged or gone.
    ParameterError
        When a column is unknown, a condition wrong, or the answer took too long.

    Examples
    --------
    >>> import pandas as pd
    >>> from aios_workbench.workspace import workspace
    >>> stored = workspace().artifacts.put(pd.DataFrame({"city": ["Bonn", "Ulm"], "people": [336, 129]}))
    >>> page = table(workspace(), stored, TableQuery.model_validate({"sort": [{"column": "people"}]}))
    >>> page.rows, page.sql
    ([['Ulm', 129], ['Bonn', 336]], 'select * from output order by "people" asc nulls last limit 50')
    """
    began = time.perf_counter()
    with open_source(ws, artifact) as source:
        fields, order = _chosen(source, query), _order(source, query)
        which = condition(source, query.filters, query.where)
        found = matched(source, which)
        limit = max(1, min(query.limit, MAX_CELLS // max(1, len(fields))))
        rows = page_rows(source, which, order, query.offset, limit, found)
        values = source.values(rows, fields)
        return TablePage(
            columns=[Column(name=f.name, type=f.shown) for f in fields],
            rows=[[shown_cell(f, v) for f, v in zip(fields, row, strict=True)] for row in values],
            offset=query.offset, total=source.rows, matched=found,
            truncated=limit < query.limit or (source.cut and query.columns is None),
            sql=_sql(query, fields, order, which), code=_code(origin, query),
            seconds=time.perf_counter() - began,
        )  # fmt: skip


def table_frame(ws: Workspace, artifact: Artifact, query: TableQuery) -> pd.DataFrame:
    """Return the same page as a data frame, with real values instead of shown ones."""
    import pandas as pd

    with open_source(ws, artifact) as source:
        fields = _chosen(source, query)
        which = condition(source, query.filters, query.where)
        rows = page_rows(
            source, which, _order(source, query), query.offset, query.limit, matched(source, which)
        )
        values = source.values(rows, fields, whole=True)
        columns = list(zip(*values, strict=True)) or [()] * len(fields)
        frame = pd.DataFrame(
            {i: _restored(f, c) for i, (f, c) in enumerate(zip(fields, columns, strict=True))}
        )
        frame.columns = pd.Index([f.name for f in fields])
        return frame


def query_frame(ws: Workspace, artifact: Artifact, query: str) -> pd.DataFrame:
    """Run one SELECT over the stored table `output` and return all it gives.

    Raises
    ------
    ConflictError, CorruptArtifactError, NotFoundError, ParameterError
        As `table` does.
    """
    with open_source(ws, artifact, seconds=_PATIENCE, memory=None) as source:
        frame: pd.DataFrame = source.frame(_select(source, query))
        return frame


def sql_page(ws: Workspace, artifact: Artifact, query: str, limit: int = 200, origin: str = "") -> TablePage:
    """Return the first rows that one SELECT over the stored table `output` gives.

    Raises
    ------
    ConflictError, CorruptArtifactError, NotFoundError, ParameterError
        As `table` does.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench.workspace import workspace
    >>> stored = workspace().artifacts.put(np.arange(10))
    >>> sql_page(workspace(), stored, 'select max("0") as top from output').rows
    [[9]]
    """
    began = time.perf_counter()
    with open_source(ws, artifact) as source:
        columns, rows = source.records(_select(source, query), limit + 1)
        width = max(1, min(len(columns), MAX_CELLS))
        shown = max(1, min(limit, MAX_CELLS // width))
        return TablePage(
            columns=columns,
            rows=[[cell(v) for v in row] for row in rows[:shown]],
            total=len(rows) if len(rows) <= shown else None, matched=len(rows) if len(rows) <= shown else None,
            truncated=len(rows) > shown, sql=query.strip(), code=f"{origin}.sql({query.strip()!r})" if origin else "",
            seconds=time.perf_counter() - began,
        )  # fmt: skip


def _select(source: Source, query: str) -> str:
    import duckdb

    try:
        query.encode()
        statements = source.con.extract_statements(query)
    except (duckdb.Error, ValueError) as e:
        raise ParameterError(f"sql on this output: {e}") from None
    if not statements:
        raise ParameterError("sql on this output: there is no statement in this query")
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ParameterError(
            "sql on this output takes one SELECT statement over the table output: it reads, and changes nothing"
        )
    return str(statements[0].query)


def _chosen(source: Source, query: TableQuery) -> list[Field]:
    if query.columns is None:
        return source.fields
    if not query.columns:
        raise ParameterError("choose at least one column")
    return [source.field(name) for name in query.columns]


def _order(source: Source, query: TableQuery) -> Order:
    return [(source.field(s.column), s.descending) for s in query.sort]


def shown_cell(field: Field, value: Any) -> Any:
    """Return a value of a column as it is sent: times in the column's own zone."""
    if field.zone and isinstance(value, dt.datetime):
        with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError, ValueError):  # else UTC, which is as right
            value = value.astimezone(zoneinfo.ZoneInfo(field.zone))
    return cell(value)


def _restored(field: Field, values: Sequence[Any]) -> pd.Series[Any]:
    """A column in the type it was stored from, where that can be had."""
    import pandas as pd

    found: Any = pd.Series(list(values), dtype=object)
    unit: Any = field.shown[12:-1]
    try:
        if field.shown.startswith("timedelta64"):
            found = pd.to_timedelta(found, unit=unit)
        found = found.infer_objects() if field.shown == "index" else found.astype(field.shown)
    except (TypeError, ValueError):
        found = found.infer_objects()
    typed: pd.Series[Any] = found
    return typed


def _sql(query: TableQuery, fields: Sequence[Field], order: Order, which: str | None) -> str:
    parts = ["select", "*" if query.columns is None else listed(fields), "from output"]
    if which:
        parts += ["where", which]
    if order:
        parts.append(order_by(order))
    parts.append(f"limit {query.limit}")
    if query.offset:
        parts.append(f"offset {query.offset}")
    return " ".join(parts)


def _code(origin: str, query: TableQuery) -> str:
    """The call of `StepView.table` that gives this page."""
    if not origin:
        return ""
    given: list[str] = []
    if query.sort:
        given.append(f"sort={[_sort(s.column, descending=s.descending) for s in query.sort]!r}")
    if query.filters:
        filters = [
            (f.column, f.op) if f.op in ("is_null", "not_null") else (f.column, f.op, f.value)
            for f in query.filters
        ]
        given.append(f"filters={filters!r}")
    if query.where:
        given.append(f"where={query.where!r}")
    if query.columns is not None:
        given.append(f"columns={query.columns!r}")
    if query.offset:
        given.append(f"offset={query.offset}")
    if query.limit != TableQuery.model_fields["limit"].default:
        given.append(f"limit={query.limit}")
    return f"{origin}.table({', '.join(given)})"


def _sort(column: str, *, descending: bool) -> str | tuple[str, str]:
    if column.startswith("-"):
        return (column, "desc" if descending else "asc")
    return f"-{column}" if descending else column
