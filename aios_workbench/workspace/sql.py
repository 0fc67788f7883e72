"""SQL over everything that is recorded, and over step outputs, with DuckDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ParameterError, hint
from aios_workbench.workspace import schema
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.home import Workspace, workspace

if TYPE_CHECKING:
    import pandas as pd


def sql(query: str, ws: Workspace | None = None) -> pd.DataFrame:
    """Query the workspace's tables, as read-only copies; times are timestamps in UTC.

    The tables: runs, steps, attempts, artifacts, gates, metrics, logs, events, jobs, job_versions, job_runs,
    executors, environments, audit, tunings, tuning_points.

    Parameters
    ----------
    query : str
        One DuckDB statement.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ParameterError
        When the statement is wrong, with DuckDB's own message and the nearest table name.

    Examples
    --------
    >>> sql("select count(*) as n from runs").columns.tolist()
    ['n']
    """
    import duckdb

    ws = ws or workspace()
    ws.catalog.flush()
    with _sandbox() as con:
        try:
            for name in schema.TABLES:  # a word of the query; its meaning is DuckDB's business
                if re.search(rf"\b{name}\b", query, re.IGNORECASE):
                    _register(con, ws, name)
            found = con.execute(query)
            if found is None:
                raise ParameterError("aios.sql: there is no statement in this query")
            frame: pd.DataFrame = found.df()
            return frame
        except duckdb.Error as e:
            unknown = re.findall(r"Table with name (\w+) does not exist", str(e))
            hints = "".join(hint(n.lower(), schema.TABLES) for n in unknown)
            raise ParameterError(f"aios.sql: {e}{hints} (tables: {', '.join(schema.TABLES)})") from None


def _sandbox() -> Any:
    """A database in memory that sees no file, no network, and no variable of this process."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": False, "python_enable_replacements": False})


def _register(con: Any, ws: Workspace, table: str) -> None:
    import pyarrow as pa

    columns = ws.catalog.columns(table)
    rows = ws.catalog.query(f"select * from {table}")  # noqa: S608 - a name from schema.TABLES
    kinds = {"real": pa.float64(), "integer": pa.int64()}
    fields = [(name, kinds.get(kind, pa.string())) for name, kind in columns]
    data = pa.Table.from_pylist([{n: r[n] for n, _ in fields} for r in rows], schema=pa.schema(fields))
    con.register(f"_{table}", data)
    shown = ", ".join(
        f'make_timestamp(cast("{n}" * 1000000 as bigint)) as "{n}"' if n in schema.TIME_COLUMNS else f'"{n}"'
        for n, _ in columns
    )
    con.execute(f"create temp table {table} as select {shown} from _{table}")  # noqa: S608


def query_output(ws: Workspace, artifact: Artifact, query: str) -> pd.DataFrame:
    """Query one stored data frame or array as table `output`, with one SELECT.

    Raises
    ------
    ConflictError
        When the artifact is not a table.
    ParameterError
        When the statement is wrong.
    """
    from aios_workbench.workspace.tables import query_frame

    return query_frame(ws, artifact, query)
