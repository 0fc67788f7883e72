"""Where the rows of one side are: in memory, in files, behind SQL. DuckDB reads them where they lie."""

# ruff: noqa: S608 - statements are put together from quoted names; see `quoted`

from __future__ import annotations

import contextlib
import copy
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench._sql import literal, number, quoted
from aios_workbench.drift import _origins as origins
from aios_workbench.drift.models import SourceInfo
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Source", "connect", "literal", "number", "open_source", "quoted", "told"]


class Source:
    """Rows that can be scanned with SQL, and a sample of them; made by `open_source`.

    Attributes
    ----------
    name : str
        What people call it.
    rows : int
        How many it has.
    columns : dict of str to str
        Name -> DuckDB type, in order.
    relation_sql : str
        What stands after FROM in `scan`. In it a column is called `source.quoted(name)`.
    con
        Runs SQL by `con.sql(sql)`: a connection of our own, or the user's relation on its own connection.
    notes : list of str
        What was done to read it that people should know.
    """

    def __init__(
        self, name: str, con: Any, base: str, columns: Sequence[tuple[str, str]], *, notes: Sequence[str] = (),
        table: pa.Table | None = None, files: Sequence[str] = (), real: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.name, self.con, self.notes = name, con, list(notes)
        self._table, self._files = table, list(files)
        names = [n for n, _ in columns] if real is None else list(real)
        if not names:
            raise DriftInputError(f"{name} has no columns; give a table with at least one")
        twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
        if twice is not None:
            raise DriftInputError(f"{name} has two columns called {twice!r}; rename one")
        given = origins.distinct_names([n for n, _ in columns])
        self.relation_sql = base
        self._registered = {} if table is None else {base: table}
        if given != [n for n, _ in columns]:
            self.relation_sql = f"(select * from {base} as s({', '.join(quoted(g) for g in given)}))"
        self.columns = dict(zip(names, (t for _, t in columns), strict=True))
        self._sql = dict(zip(names, given, strict=True))
        self.rows = int(self.scan(f"select count(*) from {self.relation_sql}").fetchall()[0][0])

    def __repr__(self) -> str:
        return f"<{self.name}: {self.rows:,} rows x {len(self.columns)} columns>"

    def quoted(self, column: str) -> str:
        """Return a column's name as SQL writes it. Of two that differ only in case, SQL knows one by another name.

        Raises
        ------
        DriftInputError
            When there is no such column.
        """
        found = self._sql.get(column)
        if found is None:
            shown = ", ".join(list(self._sql)[:20]) + (", …" if len(self._sql) > 20 else "")
            raise DriftInputError(
                f"{self.name} has no column {column!r}{hint(column, self._sql)} (it has: {shown})"
            )
        return quoted(found)

    @property
    def threads(self) -> int:
        """How many may read at the same time: 1 of a user's relation, whose connection is theirs."""
        if not hasattr(self.con, "cursor"):
            return 1
        return int(self.con.execute("select current_setting('threads')").fetchall()[0][0])

    def twins(self, n: int) -> list[Source]:
        """Return up to `n` of the same rows, each to be used by a thread of its own; no more than `threads`."""
        made = [self]
        for _ in range(min(n, self.threads) - 1):
            twin = copy.copy(self)
            twin.con = self.con.cursor()
            for name, table in self._registered.items():
                twin.con.register(name, table)
            made.append(twin)
        return made

    def scan(self, sql: str) -> Rows:
        """Run a SELECT over `relation_sql`; its answer has fetchall, fetchnumpy, df and to_arrow_table.

        Raises
        ------
        DriftInputError
            When it cannot be run, or, as its rows are fetched, a file turns out to be damaged.
        """
        with told(self.name):
            return Rows(self.name, self.con.sql(sql))

    def info(self, *, first: str | None = None, last: str | None = None) -> SourceInfo:
        """Return what a report says of it."""
        return SourceInfo(name=self.name, rows=self.rows, columns=len(self.columns), first=first, last=last)

    def sample(
        self, n: int, seed: int = 0, columns: Sequence[str] | None = None, where: str | None = None
    ) -> pd.DataFrame:
        """Return `n` rows, each as likely as any other; all when there are fewer.

        The same seed gives the same rows, unless the source is a relation whose rows come in no order. Of Parquet with
        millions of rows they come from 32 row groups spread over the whole.

        Parameters
        ----------
        columns : sequence of str, optional
            Only these.
        where : str, optional
            A condition in SQL: rows for which it is true.

        Raises
        ------
        DriftInputError
            When a column is unknown or the condition wrong.

        Examples
        --------
        >>> import pandas as pd
        >>> source = open_source(pd.DataFrame({"x": range(1000)}))
        >>> len(source.sample(10)), bool((source.sample(10) == source.sample(10)).all().all())
        (10, True)
        """
        from aios_workbench.drift._sampling import sample

        names = list(self.columns) if columns is None else list(columns)
        with told(self.name):
            found = sample(self, n, seed, names, where)
        return found.set_axis(names, axis=1)

    def only(self, columns: Sequence[str]) -> dict[str, str]:
        """Return name -> type of some columns; a wrong name is told with the nearest right one."""
        for column in columns:
            self.quoted(column)
        return {c: self.columns[c] for c in columns}


class Rows:
    """What a SELECT gives, run when it is fetched."""

    def __init__(self, name: str, relation: Any) -> None:
        self._name, self._relation = name, relation

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows."""
        with told(self._name):
            return list(self._relation.fetchall())

    def fetchnumpy(self) -> dict[str, Any]:
        """Return column -> masked array."""
        with told(self._name):
            return dict(self._relation.fetchnumpy())

    def df(self) -> pd.DataFrame:
        """Return a data frame."""
        with told(self._name):
            found: pd.DataFrame = self._relation.df()
        return found

    def to_arrow_table(self) -> pa.Table:
        """Return an Arrow table."""
        with told(self._name):
            return self._relation.to_arrow_table()


@contextlib.contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what DuckDB says of a source into an error of ours."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as e:
        raise DriftInputError(
            f"{name} does not fit into the memory limit: {first_line(e)}. Give a higher memory_limit, fewer columns, "
            "or fewer threads"
        ) from e
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as e:
        raise DriftInputError(f"{name} cannot be read: {first_line(e)}") from e


def first_line(e: BaseException) -> str:
    """Return the part of DuckDB's message that says what is wrong."""
    lines = [line.strip() for line in str(e).strip().splitlines() if line.strip()]
    return "; ".join(lines[:2])[:400] or type(e).__name__


def connect(memory_limit: str | int | None = None, threads: int | None = None) -> Any:
    """Return a connection of our own, whose spill-over goes into a folder that is gone with it.

    Raises
    ------
    DriftInputError
        When the limit is not one.
    """
    import duckdb

    folder = tempfile.mkdtemp(prefix="aios-drift-")
    con = duckdb.connect()
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    try:
        con.execute(f"set temp_directory = {literal(folder)}")
        con.execute("set preserve_insertion_order = false")
        con.execute("set enable_progress_bar = false")
        if memory_limit is not None:
            limit = f"{memory_limit}B" if isinstance(memory_limit, int) else memory_limit
            con.execute(f"set memory_limit = {literal(limit)}")
        if threads is not None:
            con.execute(f"set threads = {int(threads)}")
    except (duckdb.Error, ValueError) as e:
        shown = f"memory_limit={memory_limit!r}, threads={threads!r}"
        raise DriftInputError(
            f"{shown}: {first_line(e)}; a limit is like '1GB', threads a number of 1 or more"
        ) from e
    return con


def open_source(
    x: Any, *, name: str | None = None, con: Any = None, memory_limit: str | int | None = None,
    threads: int | None = None,
) -> Source:  # fmt: skip
    """Return the rows of whatever holds them, without loading them.

    Parameters
    ----------
    x
        A pandas or polars frame or anything Arrow can read; a DuckDB relation; SQL that starts with SELECT, FROM, WITH
        or VALUES; a Parquet or CSV file, a folder or pattern of them, or a list of files; an MLflow run, or
        "runs:/<id>/<path>"; a step of a workflow's run, ``run["load"]``, or a stored artifact.
    name : str, optional
        What people call it.
    con : optional
        Of SQL: the DuckDB connection to run it on. Without one it runs on DuckDB's default connection, and may name
        the data frames of whoever calls.
    memory_limit : str or int, optional
        Most that DuckDB may hold, such as "1GB"; what does not fit is spilled to disk.
    threads : int, optional
        How many DuckDB uses; as many as there are processors without it.

    Raises
    ------
    DriftInputError
        When there is no such file, SQL does not run, or it holds no table.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"city": ["Bonn", "Ulm"], "people": [336, 129]})
    >>> open_source(frame, name="cities").columns
    {'city': 'VARCHAR', 'people': 'BIGINT'}
    """
    if isinstance(x, Source):
        return x
    found = origins.of(x, con)
    ours = connect(memory_limit, threads)
    called = name or found.name
    notes, names = list(found.notes), None
    if found.relation is not None:
        if origins.plain(found.relation):
            on = origins.OnRelation(found.relation)
            return Source(called, on, on.name, on.columns, notes=notes)
        # every column is scanned by itself: a join or a window function would run once for each
        path = _beside(ours) / "rows.parquet"
        with told(called):
            origins.spool(found.relation, path)
        found = origins.Found(called, files=[str(path)])
    if found.stream is not None or found.csv:
        path = _beside(ours) / "rows.parquet"
        with told(called):
            notes += origins.copied(ours, found, path)
        names = None if found.stream is None else list(found.stream.schema.names)
        found = origins.Found(called, files=[str(path)])
    if found.table is not None:
        table = found.table.rename_columns(origins.distinct_names(found.table.column_names))
        key = f"t{uuid.uuid4().hex[:12]}"
        with told(called):
            ours.register(key, table)
            types = _described(ours, key)
        return Source(
            called, ours, key, types, notes=notes, table=table, real=found.table.column_names,
        )  # fmt: skip
    listed = ", ".join(literal(f) for f in found.files)
    base = f"read_parquet([{listed}], union_by_name = {'true' if len(found.files) > 1 else 'false'})"
    with told(called):
        types = _described(ours, base)
        real = names or (origins.parquet_names(found.files[0]) if len(found.files) == 1 else [])
    same = len(real) == len(types)
    return Source(
        called, ours, base, types, notes=notes, files=found.files, real=real if same else None,
    )  # fmt: skip


def _described(con: Any, base: str) -> list[tuple[str, str]]:
    return [(str(n), str(t)) for n, t, *_ in con.execute(f"describe select * from {base}").fetchall()]


def _beside(con: Any) -> Path:
    """Return a new folder in the connection's own, which goes with it."""
    folder = Path(con.execute("select current_setting('temp_directory')").fetchall()[0][0])
    made = folder / uuid.uuid4().hex[:12]
    made.mkdir(parents=True)
    return made
