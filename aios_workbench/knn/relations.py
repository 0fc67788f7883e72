"""Vectors that DuckDB gives: relations, and SQL that may name the data frames of whoever wrote it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError

if TYPE_CHECKING:
    import pyarrow as pa

_NO_TABLE = re.compile(r"Table with name (\S+) does not exist")
_OURS = str(Path(__file__).resolve().parent.parent)


def select(sql: str) -> Any:
    """Return the relation of a SELECT. It may name tables of `duckdb.sql`, and data frames that its writer can see.

    Raises
    ------
    KnnInputError
        When it does not run, or is no SELECT.
    """
    import duckdb

    cursor = duckdb.default_connection().cursor()
    # DuckDB's own look at Python variables would find ours first: `ids`, `source`, `queries` are such names
    cursor.execute("set python_enable_replacements = false")
    try:
        found = _bound(cursor, sql)
    except duckdb.Error as e:
        raise KnnInputError(f"the SQL that should give vectors does not run: {e}") from e
    if found is None:
        raise KnnInputError("the SQL that should give vectors is not a SELECT")
    return found


def schema(relation: Any, name: str) -> pa.Schema:
    """Return the columns of a relation.

    Raises
    ------
    KnnInputError
        When it cannot be run.
    """
    import duckdb

    try:
        return relation.limit(0).to_arrow_table().schema
    except duckdb.Error as e:
        raise KnnInputError(f"the {name} that should give vectors does not run: {e}") from e


def count(relation: Any, name: str) -> int:
    """Return how many rows a relation has, running it.

    Raises
    ------
    KnnInputError
        When it fails.
    """
    import duckdb

    try:
        return int(relation.count("*").fetchall()[0][0])
    except duckdb.Error as e:
        raise KnnInputError(f"the {name} that should give vectors failed: {e}") from e


def batches(relation: Any, name: str, rows: int) -> Iterator[pa.RecordBatch]:
    """Run a relation and hand on its rows, some at a time.

    Raises
    ------
    KnnInputError
        When it fails on the way.
    """
    import duckdb
    import pyarrow as pa

    try:
        yield from relation.to_arrow_reader(rows)
    except (duckdb.Error, pa.ArrowException, OSError) as e:
        raise KnnInputError(f"the {name} that should give vectors failed: {e}") from e


def _bound(cursor: Any, sql: str) -> Any:
    import duckdb

    registered = set[str]()
    while True:
        try:
            return cursor.sql(sql)
        except duckdb.CatalogException as e:  # a table wins over a variable, as in DuckDB itself
            missing = _NO_TABLE.search(str(e))
            name = missing[1] if missing else ""
            table = _variable(name) if name and name not in registered else None
            if table is None:
                return duckdb.default_connection().sql(sql)  # a cursor does not see temporary tables
            cursor.register(name, table)
            registered.add(name)


def _variable(name: str) -> Any:
    """Return the table that the nearest caller outside this package calls so; None if there is none."""
    for at, _ in traceback.walk_stack(None):
        if not at.f_code.co_filename.startswith(_OURS):
            for scope in (at.f_locals, at.f_globals):
                if name in scope and (table := _table(scope[name])) is not None:
                    return table
    return None


def _table(value: Any) -> Any:
    """Return what DuckDB can register of a data frame, an Arrow table or a relation; None of anything else."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, type):
        return None
    if kind.startswith("pandas.") and kind.endswith("DataFrame"):
        return value
    if kind.startswith(("duckdb.", "_duckdb.")) and hasattr(value, "to_arrow_table"):
        return value.to_arrow_table()  # a relation of another connection
    if hasattr(value, "__arrow_c_stream__") and hasattr(value, "schema"):
        import pyarrow as pa

        return value if isinstance(value, pa.Table) else pa.table(value)
    return None
