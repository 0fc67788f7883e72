"""What is known about each vector beside its numbers: a DuckDB table in memory, filtered with SQL.

A filter is a person's text, so it is read by DuckDB's own parser and has to be one expression over the columns; the
database sees no file, no network and no variable of this process. Column names are never put into SQL unquoted.
"""

# ruff: noqa: S608 - statements are put together from quoted names; see `quoted`

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aios_workbench._sql import quoted
from aios_workbench.errors import KnnInputError, ParameterError, hint
from aios_workbench.workspace.conditions import expression
from aios_workbench.workspace.fields import distinct

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from aios_workbench.workspace.source import Source

_KEY = "__aios_key"
#: A filter takes no longer than this.
SECONDS = 30.0


class _Parser:
    """What `expression` needs of a source: somebody to ask."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._con.execute(statement).fetchall()
        return found


class Metadata:
    """Rows of metadata by key, the number of a vector in an index.

    Readers may come from any thread; writers take turns (the index sees to that).

    Examples
    --------
    >>> import numpy as np
    >>> known = Metadata()
    >>> known.put(np.array([1, 2]), as_table({"price": [40, 60]}, 2))
    >>> known.match("price < 50").tolist()
    [1]
    """

    def __init__(self) -> None:
        import duckdb

        config: dict[str, Any] = {
            "enable_external_access": False,
            "python_enable_replacements": False,
            "threads": 2,
        }
        self._con = duckdb.connect(config=config)
        self._con.execute(
            f"set TimeZone = 'UTC'; set lock_configuration = true; create table known ({_KEY} bigint)"
        )
        self._names: dict[str, str] = {}  # a column's real name -> the one SQL knows
        self._lock = threading.Lock()

    @property
    def columns(self) -> list[str]:
        """Names of the columns as they were given."""
        return list(self._names)

    def put(self, keys: np.ndarray, table: pa.Table | None) -> None:
        """Add rows for new keys; without a table nothing is known of them.

        Raises
        ------
        KnnInputError
            When a column does not go with what it holds already; nothing is added then.
        """
        import duckdb
        import pyarrow as pa

        with self._lock:
            con = self._con.cursor()
            con.execute("begin")
            names = dict(self._names)
            try:
                columns = [pa.array(keys, pa.int64())]
                labels = [_KEY]
                if table is not None:
                    self._name(names, table.column_names)
                    labels = [_KEY, *(names[n] for n in table.column_names)]
                    columns += list(table.columns)
                con.register("_new", pa.table(columns, names=labels))
                self._widen(con, labels[1:], {sql: name for name, sql in names.items()})
                listed = ", ".join(map(quoted, labels))
                con.execute(f"insert into known ({listed}) select {listed} from _new")
                con.execute("commit")
            except duckdb.Error as e:
                con.execute("rollback")
                raise KnnInputError(
                    f"metadata: {_first_line(e)}; give these columns the types they have"
                ) from e
            except BaseException:
                con.execute("rollback")
                raise
            finally:
                con.close()
            self._names = names

    @staticmethod
    def _name(names: dict[str, str], columns: Sequence[str]) -> None:
        """Give each new column a name that SQL can tell from the others; those given stay."""
        taken = [_KEY, *names.values()]
        new = [c for c in columns if c not in names]
        names.update(zip(new, distinct([*taken, *new])[len(taken) :], strict=True))

    @staticmethod
    def _widen(con: Any, labels: Sequence[str], names: Mapping[str, str]) -> None:
        """Make the table's columns fit for new values: an integer column becomes DOUBLE when 1.5 comes."""
        have = {r[0]: r[1] for r in con.execute("describe known").fetchall()}
        come = {r[0]: r[1] for r in con.execute("describe _new").fetchall()}
        for label in labels:
            column = quoted(label)
            if label not in have:
                type_ = "INTEGER" if come[label] == '"NULL"' else come[label]
                con.execute(f"alter table known add column {column} {type_}")
                continue
            both = con.execute(
                f"describe select {column} from known union all select {column} from _new"
            ).fetchall()[0][1]
            if both == have[label]:
                if both == "VARCHAR" and come[label] not in ("VARCHAR", '"NULL"'):
                    _clash(names[label], have[label], come[label])
                continue
            if both == "VARCHAR":
                empty = con.execute(f"select count({column}) = 0 from known").fetchall()[0][0]
                if not empty:
                    _clash(names[label], have[label], come[label])
            con.execute(f"alter table known alter column {column} set data type {both}")

    def drop(self, keys: np.ndarray) -> None:
        """Forget rows."""
        import pyarrow as pa

        with self._lock:
            con = self._con.cursor()
            try:
                con.register("_gone", pa.table({"key": pa.array(keys, pa.int64())}))
                con.execute(f"delete from known where {_KEY} in (select key from _gone)")
            finally:
                con.close()

    def check(self, filter: str) -> str:  # noqa: A002 - what it is called in search(…)
        """Return a filter, read by the parser and tried on no row.

        Raises
        ------
        KnnInputError
            When it is no single boolean expression over the columns.
        """
        import duckdb

        if not str(filter).strip():
            raise KnnInputError("filter: give one condition on the metadata, such as filter='price < 50'")
        con = self._con.cursor()
        try:
            checked = expression(cast("Source", _Parser(con)), filter)
            kind = con.execute(f"describe select (\n{checked}\n) as yes from known").fetchall()[0][1]
        except ParameterError as e:
            said = str(e).removeprefix("where: ").partition(";")[0]
            raise KnnInputError(
                f"filter {filter[:200]!r}: {said}; give one condition on the metadata, such as price < 50"
            ) from None
        except duckdb.Error as e:
            self._refuse(filter, e)
        finally:
            con.close()
        if kind != "BOOLEAN":
            raise KnnInputError(
                f"filter {filter[:200]!r} gives {kind}, not true or false; compare it, such as price < 50"
            )
        return checked

    def match(self, filter: str) -> np.ndarray:  # noqa: A002
        """Return the keys of all rows for which `filter` is true, ascending.

        Raises
        ------
        KnnInputError
            As `check`; also when a value cannot be compared, or it takes too long.
        """
        import duckdb
        import numpy as np

        checked = self.check(filter)
        con = self._con.cursor()
        timer = threading.Timer(SECONDS, con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            found = con.execute(
                f"select {_KEY} as key from known where (\n{checked}\n) order by 1"
            ).fetchnumpy()
        except duckdb.InterruptException:
            raise KnnInputError(
                f"filter {filter[:200]!r} took longer than {SECONDS:g} s and was stopped; make it simpler"
            ) from None
        except duckdb.Error as e:
            self._refuse(filter, e)
        finally:
            timer.cancel()
            con.close()
        return np.asarray(found["key"], np.int64)

    def _refuse(self, text: str, error: Exception) -> None:
        import re

        unknown = re.findall(r'column "([^"]+)" not found', str(error))
        known = ", ".join(self.columns[:20]) or "none: give metadata= when you add vectors"
        raise KnnInputError(
            f"filter {text[:200]!r}: {_first_line(error)}{''.join(hint(n, self.columns) for n in unknown)} "
            f"(columns: {known})"
        ) from None

    def frame(self, keys: np.ndarray) -> pd.DataFrame:
        """Return the rows of keys as a data frame, in their order; columns have their own names."""
        import pandas as pd
        import pyarrow as pa

        con = self._con.cursor()
        try:
            con.register("_asked", pa.table({"place": range(len(keys)), "key": pa.array(keys, pa.int64())}))
            listed = "".join(f", known.{quoted(sql)}" for sql in self._names.values())
            found: pd.DataFrame = con.execute(
                f"select place{listed} from _asked left join known on key = {_KEY} order by place"
            ).df()
        finally:
            con.close()
        found = (
            found.drop(columns="place") if len(found.columns) > 1 else pd.DataFrame(index=range(len(keys)))
        )
        return found.set_axis(list(self._names)[: found.shape[1]], axis="columns")

    def table(self) -> pa.Table:
        """Return everything as an Arrow table, the keys in the first column; for saving."""
        con = self._con.cursor()
        try:
            listed = "".join(f", {quoted(sql)}" for sql in self._names.values())
            found: Any = con.sql(f"select {_KEY}{listed} from known order by 1").to_arrow_table()
        finally:
            con.close()
        return found.rename_columns([_KEY, *self._names])

    @classmethod
    def read(cls, table: pa.Table) -> Metadata:
        """Return what `table` gave."""
        import numpy as np

        known = cls()
        keys = table.column(0).to_numpy().astype(np.int64)
        known.put(keys, table.select(list(range(1, table.num_columns))) if table.num_columns > 1 else None)
        return known

    def __len__(self) -> int:
        return int(self._con.cursor().execute("select count(*) from known").fetchall()[0][0])


def as_table(metadata: Any, n: int) -> pa.Table | None:
    """Return metadata as an Arrow table of `n` rows: a data frame, Arrow table, dict of columns or list of dicts.

    Raises
    ------
    KnnInputError
        When it is something else, or not `n` rows.
    """
    import pandas as pd
    import pyarrow as pa

    if metadata is None:
        return None
    try:
        if isinstance(metadata, pa.Table):
            table = metadata
        elif isinstance(metadata, pd.DataFrame):
            plain = metadata.reset_index(drop=True)
            table = pa.Table.from_pandas(plain.set_axis([str(c) for c in plain.columns], axis="columns"))
        elif isinstance(metadata, Mapping):
            table = pa.table({str(c): pa.array(v) for c, v in metadata.items()})
        elif isinstance(metadata, Iterable) and not isinstance(metadata, (str, bytes)):
            table = _from_dicts(list(metadata))
        else:
            raise KnnInputError(
                f"metadata is {type(metadata).__name__}; give a data frame, an Arrow table, a dict of columns or a "
                "list of dicts, a row for each vector"
            )
    except (pa.ArrowException, ValueError, TypeError) as e:
        raise KnnInputError(f"metadata cannot be made a table: {e}") from e
    if len(table) != n:
        raise KnnInputError(f"metadata has {len(table):,} rows for {n:,} vectors; give one for each")
    if len(set(table.column_names)) < len(table.column_names):
        raise KnnInputError("metadata has two columns of one name; rename one")
    return table.replace_schema_metadata(None) if table.num_columns else None


def _from_dicts(rows: list[Any]) -> Any:
    import pyarrow as pa

    if not all(r is None or isinstance(r, Mapping) for r in rows):
        raise KnnInputError("metadata is a list, but not of dicts; give one dict for each vector")
    names = dict.fromkeys(str(c) for r in rows if r for c in r)
    whole = [{str(c): v for c, v in (r or {}).items()} for r in rows]
    return (
        pa.table({c: pa.array([r.get(c) for r in whole]) for c in names})
        if names
        else pa.table({"_": pa.nulls(len(rows))}).select([])
    )


def _clash(name: str, have: str, come: str) -> None:
    raise KnnInputError(
        f"metadata: column {name[:100]!r} holds {have} and cannot take {come}; convert it, or use another column"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
