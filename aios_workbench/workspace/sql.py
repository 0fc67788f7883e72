"""SQL over everything that is recorded, and over step outputs, with DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ConflictError, ParameterError, hint
from aios_workbench.workspace import schema
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.home import Workspace, workspace

if TYPE_CHECKING:
    import pandas as pd


def sql(query: str, ws: Workspace | None = None) -> pd.DataFrame:
    """Query the workspace's tables: runs, steps, attempts, artifacts, gates, metrics, logs, events, jobs,
    job_versions, job_runs, executors, audit.

    The tables are read-only copies; times are timestamps in UTC.

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
    with duckdb.connect() as con:
        try:
            names = con.get_table_names(query)
            for name in names:
                if name in schema.TABLES:
                    _register(con, ws, name)
            con.execute("set enable_external_access = false")
            return con.execute(query).df()
        except duckdb.Error as e:
            unknown = [n for n in _names(con, query) if n not in schema.TABLES]
            hints = "".join(hint(n, schema.TABLES) for n in unknown)
            raise ParameterError(f"aios.sql: {e}{hints} (tables: {', '.join(schema.TABLES)})") from None


def _names(con: Any, query: str) -> set[str]:
    try:
        return set(con.get_table_names(query))
    except Exception:
        return set()


def _register(con: Any, ws: Workspace, table: str) -> None:
    import pyarrow as pa

    columns = [(r["name"], r["type"].lower()) for r in ws.catalog.query(f"pragma table_info({table})")]
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
    """Query one stored data frame as table `output`.

    Raises
    ------
    ConflictError
        When the artifact is not a data frame.
    ParameterError
        When the statement is wrong.
    """
    import duckdb

    if artifact.kind != "parquet":
        raise ConflictError(f"this output is {artifact.type}, not a data frame; load it with .output")
    path = str(ws.artifacts.path(artifact)).replace("'", "''")
    with duckdb.connect() as con:
        try:
            con.execute(f"create view output as select * from read_parquet('{path}')")  # noqa: S608 - our own path
            return con.execute(query).df()
        except duckdb.Error as e:
            raise ParameterError(f"sql on this output: {e}") from None
