"""Exact search in DuckDB: no server, one file, every filter SQL knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aios_workbench._sql import quoted
from aios_workbench.errors import KnnInputError, StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import Batch, Id, Kind, Type, merged

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DISTANCE: dict[Metric, str] = {
    "l2": "array_distance",
    "ip": "array_negative_inner_product",
    "cosine": "array_cosine_distance",
}
_SQL: dict[Type, str] = {"boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR"}
_TYPES: dict[str, Type] = {sql: name for name, sql in _SQL.items()}
_BOOK = "_aios_stores"


class DuckDBStore(BaseStore):
    """Vectors in a table of DuckDB, searched exactly.

    Parameters
    ----------
    path : str or Path, optional
        The database file, made when it is not there; None keeps everything in memory.
    collection : str
        The table.
    metric : {"l2", "ip", "cosine"}, optional

    Notes
    -----
    DuckDB lets one process write a file: several stores in a process may share it, a second process is refused.

    Examples
    --------
    >>> with DuckDBStore(metric="cosine") as store:
    ...     store.add(["a", "b"], [[1.0, 0.0], [0.0, 1.0]], {"price": [5, 50]})
    ...     store.search([1.0, 0.1], k=2, filter="price < 20").ids.tolist()
    [['a', None]]
    """

    system = "DuckDB"

    def __init__(
        self, path: str | Path | None = None, collection: str = "vectors", metric: Metric | None = None
    ) -> None:
        super().__init__(collection, metric)
        import duckdb

        where = str(Path(path).expanduser()) if path else ":memory:"
        try:
            self._db = duckdb.connect(where)
            self._db.execute(
                f"CREATE TABLE IF NOT EXISTS {_BOOK} "
                "(collection VARCHAR, dimensions INTEGER, metric VARCHAR, ids VARCHAR)"
            )
        except duckdb.Error as e:
            raise StoreError(f"{where} cannot be opened as a DuckDB database: {e}") from e
        self._table = quoted(collection)

    def _load(self) -> Shape | None:
        row = self._db.execute(
            f"SELECT dimensions, metric, ids FROM {_BOOK} WHERE collection = ?", [self.collection]
        ).fetchall()
        return Shape(row[0][0], cast("Metric", row[0][1]), cast("Kind", row[0][2])) if row else None

    def _columns(self) -> dict[str, Type]:
        rows = self._db.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'main' "
            "ORDER BY column_index",
            [self.collection],
        ).fetchall()
        return {name: _TYPES[kind] for name, kind in rows if not name.startswith("_aios")}

    def _create(self, shape: Shape) -> None:
        kind = "BIGINT" if shape.kind == "int" else "VARCHAR"
        self._db.execute("BEGIN")
        try:
            self._db.execute(
                f"CREATE TABLE {self._table} "
                f"(_aios_id {kind} NOT NULL, _aios_vector FLOAT[{shape.dimensions}] NOT NULL)"
            )
            self._db.execute(
                f"INSERT INTO {_BOOK} VALUES (?, ?, ?, ?)",
                [self.collection, shape.dimensions, shape.metric, shape.kind],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _prepare(self, rows: Batch) -> None:
        known = self._columns() if self._shape else {}
        folded = {name.casefold(): name for name in known}
        for name, kind in rows.types.items():
            if name in known:
                merged(name, known[name], kind)
            elif other := folded.get(name.casefold()):
                raise KnnInputError(
                    f"metadata column {name!r} and the stored {other!r} differ in case alone; rename it"
                )

    def _write(self, rows: Batch) -> None:
        known = self._columns()
        self._db.execute("BEGIN")
        try:
            for name, kind in rows.types.items():
                if name not in known:
                    self._db.execute(f"ALTER TABLE {self._table} ADD COLUMN {quoted(name)} {_SQL[kind]}")
                elif (wide := merged(name, known[name], kind)) != known[name]:
                    self._db.execute(f"ALTER TABLE {self._table} ALTER {quoted(name)} TYPE {_SQL[wide]}")
            self._db.register("_aios_batch", self._arrow(rows))
            # no key on the table: replacing under one is refused within a transaction
            self._db.execute(
                f"DELETE FROM {self._table} WHERE _aios_id IN (SELECT _aios_id FROM _aios_batch)"
            )
            self._db.execute(f"INSERT INTO {self._table} BY NAME SELECT * FROM _aios_batch")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        finally:
            self._db.unregister("_aios_batch")

    @staticmethod
    def _arrow(rows: Batch) -> Any:
        import pyarrow as pa

        kinds: dict[Type, Any] = {
            "boolean": pa.bool_(),
            "integer": pa.int64(),
            "number": pa.float64(),
            "text": pa.string(),
        }
        flat = pa.array(rows.vectors.reshape(-1))
        columns = {
            "_aios_id": pa.array(rows.ids, pa.int64() if rows.kind == "int" else pa.string()),
            "_aios_vector": pa.FixedSizeListArray.from_arrays(flat, rows.vectors.shape[1]),
        }
        columns |= {name: pa.array(values, kinds[rows.types[name]]) for name, values in rows.columns.items()}
        return pa.table(columns)

    def _delete(self, ids: list[Id]) -> int:
        done = self._db.execute(
            f"DELETE FROM {self._table} WHERE _aios_id IN (SELECT unnest(?))", [ids]
        ).fetchall()
        return int(done[0][0])

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        import duckdb

        known = self._columns()
        self._columns_known(where, list(known))
        condition = f"WHERE {filters.sql(where)}" if where else ""
        ask = (
            f"SELECT _aios_id, {_DISTANCE[shape.metric]}(_aios_vector, ?::FLOAT[{shape.dimensions}]) AS _aios_distance "
            f"FROM {self._table} {condition} ORDER BY _aios_distance LIMIT {int(k)}"
        )
        try:
            return [self._db.execute(ask, [q.tolist()]).fetchall() for q in queries]
        except (duckdb.ConversionException, duckdb.BinderException) as e:
            types = ", ".join(f"{name}: {kind}" for name, kind in known.items())
            raise self._refuse(
                f"this comparison ({str(e).splitlines()[0]})", f"the columns are {types}"
            ) from e

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        names = ["_aios_id", *self._columns()]
        chosen = ", ".join(map(quoted, names))
        rows = self._db.execute(
            f"SELECT {chosen} FROM {self._table} WHERE _aios_id IN (SELECT unnest(?))", [ids]
        ).fetchall()
        return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}

    def _count(self) -> int:
        rows = self._db.execute(f"SELECT count(*) FROM {self._table}").fetchall()
        return int(rows[0][0])

    def _release(self) -> None:
        self._db.close()
