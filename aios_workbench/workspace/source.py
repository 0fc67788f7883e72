"""A stored table opened for reading: DuckDB straight on the file, seeing this value and nothing else.

The text of `where` and `sql` is a person's. So the connection reads one file (`allowed_paths`), its settings are
locked, and only a single SELECT is ever run; a query ends after `SECONDS`, and its memory is bounded: what does
not fit is spilled into a folder of the workspace that is gone when the source is closed.
"""

# ruff: noqa: S608 - statements are put together from quoted names; see `quoted`

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from aios_workbench._sql import literal, quoted
from aios_workbench.errors import ConflictError, CorruptArtifactError, NotFoundError, ParameterError, hint
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.fields import Field, bounded, distinct, top_level
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.models import Column
from aios_workbench.workspace.stop import current

#: A question takes no longer than this.
SECONDS = 30.0
#: What DuckDB may hold in memory, and when that does not do. Each thread holds a row group of the columns it reads,
#: so there are two; less memory costs more, because the second try then comes more often (benchmarks/inspector.py).
MEMORY, MORE_MEMORY = "96MB", "1GB"
#: Of an array so many columns are shown; the others only by loading it.
MAX_COLUMNS = 2000
#: An array of so few bytes is handed to DuckDB whole, a larger one in stretches, which can be read once a statement.
SMALL_ARRAY = 2**26


class Source:
    """Tables `output` (what people query) and the same with row numbers, over one stored value.

    Use `open_source`, as a context manager.
    """

    def __init__(self, ws: Workspace, artifact: Artifact, con: Any, seconds: float) -> None:
        self.artifact, self.con = artifact, con
        self.fields: list[Field] = []
        self.rows = 0
        self.row = "__row"
        self.cut = False
        self._ws = ws
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self.bounded = True  # by the first, small memory limit

    @property
    def table(self) -> str:
        """The relation with row numbers, quoted."""
        return "_rows as output"

    def prepare(self) -> None:
        """Make the tables ready for the next statement."""

    def field(self, name: str) -> Field:
        """Return a column by its real name, else by the one SQL knows.

        Raises
        ------
        ParameterError
            When there is none.
        """
        for found in self.fields:
            if found.name == name:
                return found
        for found in self.fields:
            if found.sql == name:
                return found
        known = [f.name for f in self.fields]
        raise ParameterError(f"this table has no column {name[:100]!r}{hint(name, known)}")

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement of ours and return all it gives."""
        return self._run(lambda: self.con.execute(statement).fetchall())  # type: ignore[no-any-return]

    def records(self, statement: str, limit: int) -> tuple[list[Column], list[list[Any]]]:
        """Run a query and return its columns and at most `limit` rows of Python values."""

        def read() -> tuple[list[Column], list[list[Any]]]:
            # by way of Arrow: DuckDB's own rows need pytz for times with a zone
            relation = self.con.sql(statement)
            columns = [
                Column(name=n, type=str(t)) for n, t in zip(relation.columns, relation.types, strict=True)
            ]
            rows: list[Any] = []
            for batch in relation.to_arrow_reader(max(limit, 1)):
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
                if len(rows) >= limit:
                    break
            return columns, [list(r) for r in rows[:limit]]

        return self._run(read)  # type: ignore[no-any-return]

    def frame(self, statement: str) -> Any:
        """Run a query and return a data frame."""
        return self._run(lambda: self.con.sql(statement).df())

    def values(self, rows: Sequence[int], fields: Sequence[Field], *, whole: bool = False) -> list[list[Any]]:
        """Return these rows' values, in this order; long texts cut unless `whole`."""
        import duckdb

        try:
            found = self.records(self._fetch(rows, fields, whole), len(rows))[1]
        except duckdb.OutOfMemoryException:
            if len(fields) == 1:
                self._refuse_memory()
            half = len(fields) // 2  # a row group of all columns does not fit: read them one part at a time
            left, right = (self.values(rows, f, whole=whole) for f in (fields[:half], fields[half:]))
            return [a + b for a, b in zip(left, right, strict=True)]
        place = {r[-1]: r for r in found}
        return [place[n][:-1] for n in rows]

    def _fetch(self, rows: Sequence[int], fields: Sequence[Field], whole: bool) -> str:
        chosen = ", ".join([f.quoted if whole else bounded(f) for f in fields] + [quoted(self.row)])
        return f"select {chosen} from {self.table} where {self.among(rows)}"

    def among(self, rows: Sequence[int]) -> str:
        """Return the condition that picks these row numbers; neighbours are found without reading the others."""
        row = quoted(self.row)
        if not rows:
            return "false"
        if len(rows) == max(rows) - min(rows) + 1:
            return f"{row} between {min(rows)} and {max(rows)}"
        return f"{row} in ({', '.join(map(str, rows))})"

    def _run(self, work: Callable[[], Any]) -> Any:
        import duckdb

        stop = current()
        if stop is not None and stop.stopped:
            self._refuse_unasked()
        left = self._until - time.monotonic()
        if left <= 0:
            self._refuse_time()
        timer = threading.Timer(left, self.con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            with contextlib.nullcontext() if stop is None else stop.running(self.con):
                return self._try(work)
        except duckdb.InterruptException:
            if stop is not None and stop.stopped:
                self._refuse_unasked()
            self._refuse_time()
        except duckdb.OutOfMemoryException:
            raise
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException) as e:
            blame(self._ws, self.artifact, e)
        except duckdb.Error as e:
            raise ParameterError(f"sql on this output: {e}") from None
        finally:
            timer.cancel()

    def _try(self, work: Callable[[], Any]) -> Any:
        """Do it with little memory, and where that does not do, once more with more."""
        import duckdb

        self.prepare()
        try:
            return work()
        except duckdb.OutOfMemoryException:
            if not self.bounded:
                raise
            self.bounded = False
            self.con.execute(f"set memory_limit = '{MORE_MEMORY}'")
            self.prepare()
            return work()

    def _refuse_unasked(self) -> NoReturn:
        raise ConflictError(
            "this was stopped because nobody waited for the answer any more; ask again if you need it"
        ) from None

    def _refuse_time(self) -> NoReturn:
        raise ParameterError(
            f"this took longer than {self._seconds:g} s and was stopped; ask for fewer columns or rows, or query "
            "the output in a cell with .sql(…)"
        ) from None

    def _refuse_memory(self) -> NoReturn:
        raise ParameterError(
            f"this needs more than {MORE_MEMORY} of memory and was stopped; ask for fewer columns or rows"
        ) from None


class ArraySource(Source):
    """An array in a `.npy` file: read in stretches, never as a whole."""

    _BATCH = 2**18

    def __init__(self, ws: Workspace, artifact: Artifact, con: Any, seconds: float) -> None:
        super().__init__(ws, artifact, con, seconds)
        self.array = open_array(ws, artifact)
        self.rows = int(self.array.shape[0])
        self._kind = _arrow_type(self.array.dtype)
        self._columns = min(int(self.array.shape[1]), MAX_COLUMNS) if self.array.ndim == 2 else 1
        self.cut = self.array.ndim == 2 and int(self.array.shape[1]) > MAX_COLUMNS
        con.register("_none", self._batch(0, 0))
        kind = con.execute("describe _none").fetchall()[0][1]
        shown, nan = str(self.array.dtype), self.array.dtype.kind == "f"
        self.fields = [Field(str(i), str(i), shown, kind, nan=nan) for i in range(self._columns)]
        self._small = self.array.nbytes <= SMALL_ARRAY

    @property
    def table(self) -> str:
        """The relation with row numbers, quoted."""
        return "_stored as output"

    def prepare(self) -> None:
        """Hand over the values anew: a stream of batches can be read only once."""
        import pyarrow as pa

        if self._small:
            if not getattr(self, "_ready", False):
                self.con.register("_stored", pa.Table.from_batches([self._batch(0, self.rows)]))
                self._views()
                self._ready = True
            return
        schema = self._batch(0, 0).schema
        self.con.register("_stored", pa.RecordBatchReader.from_batches(schema, self._batches()))
        self._views()

    def values(
        self,
        rows: Sequence[int],
        fields: Sequence[Field],
        *,
        whole: bool = False,  # noqa: ARG002 - an array has no long values
    ) -> list[list[Any]]:
        """Return these rows' values, in this order."""
        if not rows:
            return []
        first, last = min(rows), max(rows)
        together = list(rows) == list(range(first, last + 1))
        part = self.array[first : last + 1] if together else self.array[list(rows)]
        part = part if part.ndim == 2 else part[:, None]
        columns = [self._column(part[:, int(f.name)]).to_pylist() for f in fields]
        return [list(row) for row in zip(*columns, strict=True)]

    def _views(self) -> None:
        names = ", ".join(f.quoted for f in self.fields)
        self.con.execute(f"create or replace temp view output as select {names} from _stored")

    def _batches(self) -> Iterator[Any]:
        step = max(1, self._BATCH // self._columns)
        for start in range(0, self.rows, step):
            yield self._batch(start, min(self.rows, start + step))

    def _batch(self, start: int, stop: int) -> Any:
        import numpy as np
        import pyarrow as pa

        part = self.array[start:stop]
        part = part if part.ndim == 2 else part[:, None]
        columns = [self._column(part[:, i]) for i in range(self._columns)]
        row = pa.array(np.arange(start, stop, dtype=np.int64))
        return pa.record_batch([*columns, row], names=[*map(str, range(self._columns)), self.row])

    def _column(self, values: Any) -> Any:
        import numpy as np
        import pyarrow as pa

        values = np.ascontiguousarray(values if self._kind is None else values.astype(self._kind))
        if values.dtype.kind in "US":
            return pa.array(values.tolist(), type=pa.string() if values.dtype.kind == "U" else pa.binary())
        return pa.array(values)


def open_array(ws: Workspace, artifact: Artifact) -> Any:
    """Return an array mapped from its file.

    Raises
    ------
    CorruptArtifactError, NotFoundError
        When the file is damaged or gone.
    """
    import numpy as np

    try:
        return np.load(ws.artifacts.file(artifact), mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as e:
        blame(ws, artifact, e)


def _arrow_type(dtype: Any) -> Any:
    """Return the dtype to convert to before Arrow takes it, None for as it is."""
    import numpy as np

    if dtype.fields is not None or dtype.kind in "cV":
        what = "an array of records" if dtype.fields is not None else f"an array of {dtype}"
        raise ConflictError(
            f"this output is {what}, not a table of plain values; load it with .output, or return its parts "
            "(real and imaginary, or one array per field) from the step"
        )
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        return np.dtype("float32") if dtype.itemsize == 2 else np.dtype("float64")
    if dtype.kind in "mM":
        unit = np.datetime_data(dtype)[0]
        if unit not in ("s", "ms", "us", "ns") and not (unit == "D" and dtype.kind == "M"):
            return np.dtype(f"{dtype.kind}8[{'D' if dtype.kind == 'M' and unit in 'YMW' else 's'}]")
    return dtype.newbyteorder("=") if not dtype.isnative else None


@contextlib.contextmanager
def open_source(
    ws: Workspace, artifact: Artifact, seconds: float = SECONDS, memory: str | None = MEMORY
) -> Iterator[Source]:
    """Open a data frame or an array for reading.

    Parameters
    ----------
    seconds : float
        How long all that is asked of it may take together.
    memory : str or None
        What DuckDB may hold; None for its own limit, most of the machine's.

    Raises
    ------
    ConflictError
        When the artifact is not a table.
    CorruptArtifactError, NotFoundError
        When the file is damaged or gone.
    ParameterError
        From its methods: a statement is wrong or took too long.
    """
    import duckdb

    if artifact.shown is not None and artifact.shown.kind == "parquet":
        artifact = artifact.shown
    flat = artifact.kind == "npy" and len(artifact.shape or ()) in (1, 2)
    if artifact.kind != "parquet" and not flat:
        many = (
            f"an array of {len(artifact.shape or ())} dimensions" if artifact.kind == "npy" else artifact.type
        )
        raise ConflictError(f"this output is {many}, not a table; load it with .output, or see .preview()")
    path = ws.artifacts.file(artifact)
    try:
        whole = path.stat().st_size == artifact.bytes
    except OSError as e:
        blame(ws, artifact, e)
    if not whole:
        blame(ws, artifact, ValueError("its size is not what was written"))
    spill = ws.root / "tmp" / f"query-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    spill.parent.mkdir(mode=0o700, exist_ok=True)
    config: dict[str, Any] = {
        "threads": min(2, os.cpu_count() or 1), "temp_directory": str(spill), "python_enable_replacements": False,
    }  # fmt: skip
    if memory is not None:
        config["memory_limit"] = memory
    try:
        with duckdb.connect(config=config) as con:
            allowed = "[]" if flat else f"[{literal(str(path))}]"
            con.execute(
                f"set TimeZone = 'UTC'; set allowed_paths = {allowed}; set allowed_configs = ['memory_limit']; "
                "set enable_external_access = false; set lock_configuration = true"
            )
            source = ArraySource(ws, artifact, con, seconds) if flat else Source(ws, artifact, con, seconds)
            source.bounded = memory is not None
            if not flat:
                _open_parquet(source, ws, path)
            try:
                yield source
            except duckdb.OutOfMemoryException:
                source._refuse_memory()
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _open_parquet(source: Source, ws: Workspace, path: Path) -> None:
    import duckdb

    con, artifact, file = source.con, source.artifact, literal(str(path))
    try:
        rows = con.execute(f"select name, num_children from parquet_schema({file})").fetchall()
        names = list(top_level(iter(rows)))
        known = distinct(names)
        aliases = ", ".join(map(quoted, known))
        described = con.execute(f"describe select * from read_parquet({file}) as t({aliases})").fetchall()
        source.rows = con.execute(f"select num_rows from parquet_file_metadata({file})").fetchall()[0][0]
    except duckdb.Error as e:
        blame(ws, artifact, e)
    kinds = {c["name"]: c["type"] for c in artifact.meta.get("columns", [])}
    for name, sql, (_, type_, *_) in zip(names, known, described, strict=True):
        shown = kinds.get(name, "index")
        zone = (
            shown.rpartition(", ")[2].rstrip("]")
            if shown.startswith("datetime64[") and "," in shown
            else None
        )
        # pandas' own floats are stored with null for NaN; only the types that tell the two apart keep it
        nan = type_ in ("FLOAT", "DOUBLE") and not shown.startswith(("float", "index"))
        source.fields.append(Field(name, sql, shown, type_, zone, nan))
    taken = {sql.casefold() for sql in known}
    while source.row in taken:
        source.row = f"_{source.row}"
    row = quoted(source.row)
    if "file_row_number" not in (name.lower() for name in names):
        numbered = f"select * from read_parquet({file}, file_row_number = true) as t({aliases}, {row})"
    else:  # DuckDB has no other name for its own; counting is slower on deep pages
        numbered = f"select *, row_number() over () - 1 as {row} from read_parquet({file}) as t({aliases})"
    con.execute(f"create temp view _rows as {numbered}")
    con.execute(f"create temp view output as select * exclude ({row}) from _rows")


def blame(ws: Workspace, artifact: Artifact, error: Exception) -> NoReturn:
    """Raise what is the matter with a value that could not be read: gone, damaged, or only asked wrongly."""
    path = ws.artifacts.file(artifact)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    except FileNotFoundError:
        raise NotFoundError(
            f"artifact {artifact.hash[:12]} ({artifact.type}) is not in {path.parent.parent}; it may have been "
            "collected by `aios gc`: rerun the step that made it"
        ) from None
    except OSError as e:
        raise CorruptArtifactError(
            f"artifact {artifact.hash[:12]} ({artifact.type}) cannot be read: {e}"
        ) from e
    if digest.hexdigest() != artifact.hash:
        raise CorruptArtifactError(
            f"artifact {artifact.hash[:12]} ({artifact.type}) in {path} was changed or damaged on disk; "
            "it is not shown. Delete the file and rerun the step that made it"
        ) from error
    raise ParameterError(f"sql on this output: {error}") from None
