"""Vectors that DuckDB gives: relations, and SQL that may name the data frames of whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aios_workbench import _sql
from aios_workbench.errors import KnnInputError

if TYPE_CHECKING:
    import pyarrow as pa


def select(sql: str) -> Any:
    """Return the relation of a SELECT. It may name tables of `duckdb.sql`, and data frames that its writer can see.

    Raises
    ------
    KnnInputError
        When it does not run, or is no SELECT.
    """
    import duckdb

    try:
        found = _sql.select(duckdb.default_connection(), sql, _table)
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
