"""PostgreSQL with the extension pgvector, through psycopg."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from aios_workbench._sql import quoted
from aios_workbench.errors import KnnInputError, StoreError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.stores import filters
from aios_workbench.knn.stores.base import BaseStore, Found, Shape
from aios_workbench.knn.stores.batch import Batch, Id, Type, merged

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_OPERATOR: dict[Metric, str] = {"l2": "<->", "ip": "<#>", "cosine": "<=>"}
_SQL: dict[Type, str] = {
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double precision",
    "text": "text",
}
_TYPES: dict[str, Type] = {sql: name for name, sql in _SQL.items()}


class PgVectorStore(BaseStore):
    """Vectors in a table of PostgreSQL; exact until an index of pgvector is made on it.

    Parameters
    ----------
    url : str
        As libpq reads it: ``postgresql://user@host/database``; the password may stand in ``PGPASSWORD`` or a
        ``.pgpass`` file.
    collection : str
        The table, found on the connection's search path.
    metric : {"l2", "ip", "cosine"}, optional
    settings : dict, optional
        For this connection, such as ``{"hnsw.ef_search": 100}``; `knn.export` names them.

    Notes
    -----
    The extension must be there (``CREATE EXTENSION vector``); the store makes it when the role may. With an index the
    filter is applied to what the index found: set ``hnsw.iterative_scan`` when filters leave too few.
    """

    system = "pgvector"

    def __init__(
        self,
        url: str,
        collection: str = "vectors",
        metric: Metric | None = None,
        *,
        settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(collection, metric)
        try:
            import psycopg
        except ImportError as e:
            raise StoreError('pgvector needs psycopg: pip install "aios-workbench[stores]"') from e
        self._error = psycopg.Error
        try:
            self._db = psycopg.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.Error as e:
            raise StoreError(f"PostgreSQL cannot be reached: {str(e).strip()}") from e
        try:
            self._db.execute("SET client_min_messages = warning")
            there = self._all("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
            if not there:
                self._db.execute("CREATE EXTENSION IF NOT EXISTS vector")
            # the extension's settings are known once its library is loaded
            self._db.execute("SELECT '[1]'::vector")
            for name, value in (settings or {}).items():
                self._db.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
        except psycopg.Error as e:
            self._db.close()
            raise StoreError(
                f"the database is not ready for pgvector: {str(e).strip()}; install the extension "
                "on the server and let a superuser run CREATE EXTENSION vector"
            ) from e
        self._table = quoted(collection)

    def _all(self, ask: str, *values: Any) -> list[Any]:
        return self._db.execute(ask.encode(), values or None).fetchall()

    def _load(self) -> Shape | None:
        rows = self._all(
            "SELECT obj_description(to_regclass(%s), 'pg_class'), to_regclass(%s) IS NULL", *[self._table] * 2
        )
        note, missing = rows[0]
        if missing:
            return None
        try:
            told = json.loads(note)["aios"]
            return Shape(told["dimensions"], told["metric"], told["ids"])
        except (TypeError, KeyError, ValueError) as e:
            raise StoreError(
                f"{self} is a table that no store made (its comment does not say what it holds); choose another name"
            ) from e

    def _columns(self) -> dict[str, Type]:
        rows = self._all(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(%s) "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            self._table,
        )
        return {name: _TYPES[kind] for name, kind in rows if not name.startswith("_aios") and kind in _TYPES}

    def _create(self, shape: Shape) -> None:
        kind = "bigint" if shape.kind == "int" else 'text COLLATE "C"'
        note = json.dumps(
            {"aios": {"dimensions": shape.dimensions, "metric": shape.metric, "ids": shape.kind}}
        )
        try:
            with self._db.transaction():
                self._db.execute(
                    f"CREATE TABLE {self._table} (_aios_id {kind} PRIMARY KEY, "
                    f"_aios_vector vector({shape.dimensions}) NOT NULL)".encode()
                )
                self._db.execute(f"COMMENT ON TABLE {self._table} IS {filters.literal(note)}".encode())
        except self._error as e:
            raise StoreError(f"{self} cannot be made: {str(e).strip()}") from e

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
        try:
            with self._db.transaction():
                known = self._columns()
                for name, kind in rows.types.items():
                    if name not in known:
                        self._run(f"ALTER TABLE {self._table} ADD COLUMN {quoted(name)} {_SQL[kind]}")
                    elif (wide := merged(name, known[name], kind)) != known[name]:
                        self._run(f"ALTER TABLE {self._table} ALTER {quoted(name)} TYPE {_SQL[wide]}")
                # replacing takes the whole row: columns that were not given become NULL
                names = list(dict.fromkeys([*known, *rows.types]))
                chosen = ", ".join(["_aios_id", "_aios_vector", *map(quoted, names)])
                self._run(
                    f"CREATE TEMP TABLE _aios_batch ON COMMIT DROP AS SELECT {chosen} FROM {self._table} WITH NO DATA"
                )
                with (
                    self._db.cursor() as cursor,
                    cursor.copy(f"COPY _aios_batch ({chosen}) FROM STDIN".encode()) as copy,
                ):
                    for i, identity in enumerate(rows.ids):
                        values = [rows.columns[n][i] if n in rows.columns else None for n in names]
                        copy.write_row([identity, _text(rows.vectors[i]), *values])
                changes = ", ".join(f"{c} = EXCLUDED.{c}" for c in ["_aios_vector", *map(quoted, names)])
                self._run(
                    f"INSERT INTO {self._table} ({chosen}) SELECT {chosen} FROM _aios_batch "
                    f"ON CONFLICT (_aios_id) DO UPDATE SET {changes}"
                )
        except self._error as e:
            raise StoreError(f"{self} refused the rows, none was stored: {str(e).strip()}") from e

    def _run(self, command: str) -> None:
        self._db.execute(command.encode())

    def _delete(self, ids: list[Id]) -> int:
        return self._db.execute(
            f"DELETE FROM {self._table} WHERE _aios_id = ANY(%s)".encode(), [ids]
        ).rowcount

    def _search(
        self, queries: npt.NDArray[np.float32], k: int, where: filters.Node | None, shape: Shape
    ) -> list[Found]:
        known = self._columns()
        self._columns_known(where, list(known))
        condition = (
            f"WHERE {filters.sql(where, collate=_ORDER, escape=_ESCAPE)}".replace("%", "%%") if where else ""
        )
        nearness = f"_aios_vector {_OPERATOR[shape.metric]} %s::vector"
        ask = (
            f"SELECT _aios_id, {nearness} AS _aios_d FROM {self._table} {condition} "
            f"ORDER BY {nearness} LIMIT {int(k)}"
        )
        try:
            return [[(i, float(d)) for i, d in self._all(ask, *[_text(q)] * 2)] for q in queries]
        except self._error as e:
            types = ", ".join(f"{name}: {kind}" for name, kind in known.items())
            raise self._refuse(f"this search ({str(e).splitlines()[0]})", f"the columns are {types}") from e

    def _fetch(self, ids: list[Id]) -> dict[Id, dict[str, Any]]:
        names = ["_aios_id", *self._columns()]
        chosen = ", ".join(map(quoted, names)).replace("%", "%%")
        rows = self._all(f"SELECT {chosen} FROM {self._table} WHERE _aios_id = ANY(%s)", ids)
        return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}

    def _count(self) -> int:
        return cast("int", self._all(f"SELECT count(*) FROM {self._table}")[0][0])

    def _release(self) -> None:
        self._db.close()


#: texts are compared by code point, and a backslash escapes nothing, as everywhere else
_ORDER = ' COLLATE "C"'
_ESCAPE = " ESCAPE ''"


def _text(vector: npt.NDArray[np.float32]) -> str:
    """Return a vector as pgvector reads it, every float32 exactly."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"
