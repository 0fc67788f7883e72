"""What a source is given as, told apart: a table, a relation, files, or something that leads to one of them."""

# ruff: noqa: S608 - statements are put together from quoted names and literals

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench import _sql
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    import pyarrow as pa

_SQL = re.compile(r"\s*(select|with|from|values|\(|--|/\*)(\s|\b|$)", re.IGNORECASE)
_CSV = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".txt")
_PARQUET = (".parquet", ".pq", ".parq")
#: Operators of a query plan that read a row once and hand it on: scanning them per column costs nothing more.
_CHEAP = {"projection", "filter", "table scan", "seq scan", "read parquet", "parquet scan", "arrow scan",
          "pandas scan", "column data scan", "dummy scan", "empty result"}  # fmt: skip


@dataclass
class Found:
    """One of: an Arrow table in memory, a DuckDB relation, files (Parquet, or `csv`), a stream read once."""

    name: str
    table: pa.Table | None = None
    relation: Any = None
    files: list[str] = field(default_factory=list)
    csv: bool = False
    stream: Any = None
    notes: list[str] = field(default_factory=list)


class OnRelation:
    """A user's relation, asked on its own connection under a name that exists for the length of each question."""

    def __init__(self, relation: Any) -> None:
        self.relation = relation
        self.name = "aios_drift_rows"
        self.columns = [(str(n), str(t)) for n, t in zip(relation.columns, relation.types, strict=True)]

    def sql(self, sql: str) -> Any:
        """Run a SELECT over the relation."""
        return self.relation.query(self.name, sql)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return names that SQL, blind to case, tells apart; the same where it can.

    Examples
    --------
    >>> distinct_names(["a", "A", "", "b"])
    ['a', 'A_2', 'column_3', 'b']
    """
    taken, found = {n.lower() for n in names}, list[str]()
    seen = set[str]()
    for i, name in enumerate(names, 1):
        new = name
        if not name or "\0" in name or name.lower() in seen:
            new = f"{name.replace(chr(0), '') or 'column'}_{i}"
            while new.lower() in taken:
                new += "_"
            taken.add(new.lower())
        seen.add(new.lower())
        found.append(new)
    return found


def of(x: Any, con: Any) -> Found:
    """Return what holds the rows of `x`.

    Raises
    ------
    DriftInputError
        When nothing does.
    """
    kind = f"{type(x).__module__}.{type(x).__qualname__}"
    if isinstance(x, str | Path):
        return _named(x, con)
    if kind.startswith("pandas."):
        return _pandas(x)
    if kind.startswith(("duckdb.", "_duckdb.")) and hasattr(x, "sql_query"):
        return Found("DuckDB relation", relation=x)
    if kind.startswith("mlflow.entities"):
        return _mlflow_run(x)
    if kind.startswith("aios_workbench."):
        return _ours(x, kind, con)
    if kind.startswith("polars.") and hasattr(x, "collect"):
        x = x.collect()
    if hasattr(x, "__arrow_c_stream__") or hasattr(x, "__arrow_c_array__"):
        return _arrow(x, kind)
    if isinstance(x, list | tuple) and x and all(isinstance(f, str | Path) for f in x):
        return _files([Path(f).expanduser() for f in x], f"{len(x)} files")
    raise DriftInputError(
        f"rows cannot be read from {kind.removeprefix('builtins.')}; give a data frame, an Arrow table, a DuckDB "
        "relation, SQL, or the path of a Parquet or CSV file"
    )


def _pandas(x: Any) -> Found:
    import pandas as pd
    import pyarrow as pa

    frame = x.to_frame(x.name if x.name is not None else "value") if isinstance(x, pd.Series) else x
    if not isinstance(frame, pd.DataFrame):
        raise DriftInputError(f"rows cannot be read from {type(x).__qualname__}; give a data frame")
    if any(n is not None for n in frame.index.names):
        frame = frame.reset_index()
    names = [str(c) for c in frame.columns]
    columns, notes = [], []
    for i, name in enumerate(names):
        series = frame.iloc[:, i]
        try:
            column = pa.array(series, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            column = None  # mixed types, objects of one's own
        if column is None or isinstance(column, pa.ExtensionArray):  # or periods, intervals
            column = pa.array(series.map(str, na_action="ignore"), pa.string(), from_pandas=True)
            notes.append(f"column {name!r} ({series.dtype}) holds mixed or unusual values: compared as texts")
        columns.append(column)
    if not names:
        raise DriftInputError("the data frame has no columns; give one with at least one")
    return Found("pandas data frame", table=_together(columns, names), notes=notes)


def _together(columns: Sequence[Any], names: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    # DuckDB reads neither arrays of nulls, nor of half floats
    fixed = [
        c.cast(pa.float64()) if pa.types.is_null(c.type) or pa.types.is_float16(c.type) else c
        for c in columns
    ]
    return pa.Table.from_arrays(fixed, names=list(names))


def _arrow(x: Any, kind: str) -> Found:
    import pyarrow as pa

    name = "polars data frame" if kind.startswith("polars.") else "Arrow table"
    if isinstance(x, pa.RecordBatchReader):
        return Found("Arrow stream", stream=x)
    try:
        table = x if isinstance(x, pa.Table) else pa.table(x)
    except (pa.ArrowException, TypeError, ValueError) as e:
        raise DriftInputError(f"{kind} is no table: {e}; give a frame or a table") from e
    return Found(name, table=_together(table.columns, table.column_names))


def _ours(x: Any, kind: str, con: Any) -> Found:
    """A step of a run, a run with one output, an artifact."""
    if hasattr(x, "hash") and hasattr(x, "kind"):
        from aios_workbench.workspace import workspace

        return _artifact(workspace(), x, f"artifact {x.hash[:8]}", con)
    if hasattr(x, "_artifact") and hasattr(x, "_ws"):
        return _artifact(x._ws, x._artifact(), f"{x.run_id}: {x.name}", con)
    if hasattr(x, "run_id") and hasattr(x, "__getitem__"):
        names = list(x)
        if len(names) == 1:
            return _ours(x[names[0]], kind, con)
        raise DriftInputError(
            f"run {x.run_id} has {len(names)} steps; say whose output is meant: run[{names[0]!r}] (it has: "
            f"{', '.join(names[:20])})"
        )
    raise DriftInputError(
        f"rows cannot be read from {kind}; give a frame, a path, or a step of a run: run['load']"
    )


def _artifact(ws: Any, artifact: Any, name: str, con: Any) -> Found:
    if artifact.kind == "parquet":
        if not ws.artifacts.intact(artifact):
            ws.artifacts.get(artifact)  # raises what is wrong with it
        return Found(name, files=[str(ws.artifacts.file(artifact))])
    value = ws.artifacts.get(artifact)
    if type(value).__module__.startswith("numpy") and getattr(value, "ndim", 0) == 2:
        import pandas as pd

        value = pd.DataFrame(value)
    found = of(value, con)
    found.name = name
    return found


def _mlflow_run(run: Any) -> Found:
    from mlflow.artifacts import list_artifacts

    run_id = run.info.run_id
    paths = [a.path for a in list_artifacts(run_id=run_id) if a.path.lower().endswith(_PARQUET + _CSV)]
    if len(paths) != 1:
        shown = ", ".join(paths) or "none"
        raise DriftInputError(
            f"MLflow run {run_id} has {len(paths)} Parquet or CSV artifacts ({shown}); name one: "
            f"'runs:/{run_id}/<path>'"
        )
    return _mlflow(f"runs:/{run_id}/{paths[0]}")


def _mlflow(uri: str) -> Found:
    import mlflow

    try:
        path = mlflow.artifacts.download_artifacts(artifact_uri=uri)
    except Exception as e:
        raise DriftInputError(f"{uri} cannot be fetched from MLflow: {type(e).__name__}: {e}") from e
    found = _files([Path(path)], uri)
    found.name = uri
    return found


def _named(x: str | Path, con: Any) -> Found:
    text = str(x)
    if isinstance(x, str) and text.startswith("runs:/"):
        return _mlflow(text)
    if isinstance(x, str) and _SQL.match(text) and not Path(text).exists():
        return Found("SQL", relation=_select(text, con))
    path = Path(text).expanduser()
    if path.exists():
        return _files([path], path.name)
    matched = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - patterns may be absolute
    if not matched:
        raise DriftInputError(
            f"there is no file {text!r}; give a Parquet or CSV file, a folder or a pattern of them, or SQL that starts "
            "with SELECT"
        )
    return _files([Path(f) for f in matched], text)


def _files(paths: Iterable[Path], name: str) -> Found:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(f for f in path.rglob("*") if f.is_file() and not f.name.startswith((".", "_")))
            parquet = [f for f in inside if f.name.lower().endswith(_PARQUET)]
            files += parquet or [f for f in inside if f.name.lower().endswith(_CSV)]
        elif path.is_file():
            files.append(path)
        else:
            raise DriftInputError(f"there is no file {str(path)!r}; give a Parquet or CSV file")
    if not files:
        raise DriftInputError(f"{name} has no Parquet or CSV file in it; give a folder with some, or SQL")
    csv = [f.name.lower().endswith(_CSV) for f in files]
    if any(csv) and not all(csv):
        raise DriftInputError(f"{name} mixes CSV and Parquet files; give the ones or the others")
    empty = next((f for f in files if not f.stat().st_size), None)
    if empty is not None:
        raise DriftInputError(f"{empty.name} is empty (0 bytes): a copy that broke off? Leave it out")
    many = f" ({len(files)} files)" if len(files) > 1 and "files" not in name else ""
    return Found(Path(name).name + many, files=[str(f) for f in files], csv=all(csv))


def copied(con: Any, found: Found, path: Path) -> list[str]:
    """Write a stream or CSV files as Parquet: each column is scanned by itself, and texts are slow to take apart."""
    import duckdb

    notes: list[str] = []
    to = f"to '{str(path).replace(chr(39), chr(39) * 2)}' (format parquet, row_group_size 122880)"
    if found.stream is not None:
        con.register("aios_stream", _renamed(found.stream))
        con.execute(f"copy (select * from aios_stream) {to}")
        con.unregister("aios_stream")
        return notes
    listed = ", ".join("'" + f.replace("'", "''") + "'" for f in found.files)
    many = f", union_by_name = {'true' if len(found.files) > 1 else 'false'}"
    try:
        con.execute(f"copy (select * from read_csv([{listed}]{many})) {to}")
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        # the types guessed from the first rows do not fit later ones: look at all of them
        con.execute(f"copy (select * from read_csv([{listed}]{many}, sample_size = -1)) {to}")
        notes.append(f"{found.name}: types were guessed again from all rows, the first ones misled")
    return notes


def _renamed(stream: Any) -> Any:
    """Give a stream's columns names that SQL tells apart."""
    import pyarrow as pa

    names = distinct_names(stream.schema.names)
    schema = pa.schema([f.with_name(n) for f, n in zip(stream.schema, names, strict=True)])
    batches = (pa.RecordBatch.from_arrays(b.columns, schema=schema) for b in stream)
    return pa.RecordBatchReader.from_batches(schema, batches)


def spool(relation: Any, path: Path) -> None:
    """Write what a relation gives as Parquet, a row group at a time."""
    relation.to_parquet(str(path), row_group_size=122_880)


def parquet_names(file: str) -> list[str]:
    """Return the columns' names as the file has them: DuckDB renames those that differ only in case."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        return []


def plain(relation: Any) -> bool:
    """True when a relation only reads, chooses and computes row by row."""
    try:
        text = str(relation.explain())
    except Exception:  # noqa: BLE001 - not told: then it is taken for a costly one
        return False
    names = {m.strip().lower().replace("_", " ") for m in re.findall(r"(?:╭|┌)─ ([^─]+?) [─┴┬]", text)}
    return bool(names) and names <= _CHEAP


def _select(sql: str, con: Any) -> Any:
    import duckdb

    on = duckdb.default_connection() if con is None else con
    try:
        found = on.sql(sql) if con is not None else _sql.select(on, sql, _table)
    except duckdb.Error as e:
        raise DriftInputError(f"the SQL that should give rows does not run: {str(e).strip()[:600]}") from e
    if found is None:
        raise DriftInputError("the SQL that should give rows is not a SELECT; end it in one")
    return found


def _table(value: Any) -> Any:
    """Return what DuckDB can register of a variable that holds rows; None of any other."""
    if value is None or isinstance(value, str | Path | type):
        return None
    try:
        found = of(value, None)
    except DriftInputError:
        return None
    if found.table is None and found.relation is not None:
        return found.relation.to_arrow_table()
    return found.table
