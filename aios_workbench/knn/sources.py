"""What vectors are read from, in blocks, so that a source may be larger than memory."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError
from aios_workbench.knn import arrowed, relations
from aios_workbench.knn.rows import as_rows

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

#: Rows of a block: 2,048 vectors of 1,536 dimensions are 12 MB, and readers hold a few blocks.
BLOCK = 2048

_SQL = ("select", "with", "from", "values", "(", "--", "/*")


@dataclass
class Block:
    """Some rows: vectors (n, d) or texts to embed, and what stands beside them."""

    values: npt.NDArray[Any] | list[str]
    beside: pa.Table | None = None


@dataclass
class Source:
    """Blocks of rows, and what is known of the whole.

    Attributes
    ----------
    described : str
        Where the vectors come from, for people.
    rows : int, optional
        How many; not known of a stream, nor of a query before it has run.
    count : callable, optional
        Finds out, at a price.
    ids : array_like, optional
        What the container itself calls its rows: the index of a pandas object.
    text : str
        The column whose texts are embedded.
    """

    described: str
    blocks: Callable[[], Iterator[Block]]
    rows: int | None = None
    ids: Any = None
    text: str = ""
    count: Callable[[], int] | None = None


def open_source(
    source: Any, *, column: str | None = None, ids: str | None = None, texts: bool = False
) -> Source:
    """Return the rows of whatever holds them.

    Parameters
    ----------
    source
        See `aios_workbench.knn.vectors.open_vectors`.
    column : str, optional
        Of a table: the column with the vectors, when several could be.
    ids : str, optional
        Of a table: the column with the ids, which holds no vectors.
    texts : bool
        Texts are wanted, to be embedded.

    Raises
    ------
    KnnInputError
        When it holds no vectors.
    """
    kind = f"{type(source).__module__}.{type(source).__qualname__}"
    if isinstance(source, str | Path):
        return _named(source, column, ids, texts=texts)
    if kind.startswith("pandas."):
        return _pandas(source, column, ids, texts=texts)
    if kind.startswith(("duckdb.", "_duckdb.")):
        return _relation(source, "DuckDB relation", column, ids, texts=texts)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return _arrow(source, column, ids, texts=texts)
    if callable(source) or isinstance(source, dict | set | bytes) or source is None:
        raise KnnInputError(
            f"vectors cannot be read from {kind.removeprefix('builtins.')}; give an array, a table or its column, a "
            "Parquet file, SQL, or texts with embed="
        )
    if texts:
        return _texts(source)
    return _array(source)


def _array(source: Any) -> Source:
    rows = as_rows(source)
    file = getattr(rows, "filename", None)
    mapped = f" in {Path(file).name}" if file else ""
    step = max(1, min(BLOCK, 2**25 // max(1, rows[:1].nbytes)))

    def blocks() -> Iterator[Block]:
        for start in range(0, len(rows), step):
            yield Block(rows[start : start + step])

    return Source(f"{rows.dtype} array{mapped}", blocks, len(rows))


def _texts(source: Any) -> Source:
    found = list(source)
    wrong = next((i for i, t in enumerate(found) if not isinstance(t, str)), None)
    if wrong is not None:
        raise KnnInputError(
            f"row {wrong:,} is {type(found[wrong]).__name__}, not a text; embed= makes vectors of texts alone: leave "
            "it out, or convert it with str()"
        )

    def blocks() -> Iterator[Block]:
        import pyarrow as pa

        for start in range(0, len(found), BLOCK):
            part = found[start : start + BLOCK]
            yield Block(part, pa.table({"text": pa.array(part, pa.string())}))

    return Source("texts", blocks, len(found), text="text")


def _pandas(source: Any, column: str | None, ids: str | None, *, texts: bool) -> Source:
    import pandas as pd
    import pyarrow as pa

    name = "text" if texts else "vector"
    frame = source
    if isinstance(source, pd.Series):
        name = str(source.name) if source.name is not None else name
        frame, column = source.to_frame(name), name
    frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
    if not frame.columns.is_unique:
        raise KnnInputError("two columns of the data frame have the same name; rename one")
    index = None if isinstance(frame.index, pd.RangeIndex) else frame.index
    described = f"pandas column {name!r}" if isinstance(source, pd.Series) else "pandas data frame"

    def table(start: int, stop: int) -> pa.Table:
        try:
            return pa.Table.from_pandas(frame.iloc[start:stop], preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as e:
            # arrays of two axes, objects of one's own, lists that mix texts and numbers
            raise KnnInputError(
                f"rows {start:,} to {min(stop, len(frame)) - 1:,} of the data frame cannot be read: {e}"
            ) from e

    names = arrowed.vector_columns(table(0, 100).schema, column, ids, texts=texts)
    names = [column] if column else names

    def blocks() -> Iterator[Block]:
        first = 0
        for start in range(0, len(frame), BLOCK):
            part = table(start, start + BLOCK)
            yield _block(part, names, first, texts=texts)
            first += part.num_rows

    return Source(described, blocks, len(frame), index, names[0] if texts else "")


def _arrow(source: Any, column: str | None, ids: str | None, *, texts: bool) -> Source:
    import pyarrow as pa

    name, rows = "Arrow table", getattr(source, "num_rows", None)
    if isinstance(source, pa.Array | pa.ChunkedArray):
        name, column = "Arrow array", "text" if texts else "vector"
        source = pa.table({column: source})
        rows = source.num_rows
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if not isinstance(source, pa.Table | pa.RecordBatchReader):
        name = type(source).__qualname__
        source = pa.RecordBatchReader.from_stream(source)
        rows = len(source) if hasattr(source, "__len__") else None
    names = arrowed.vector_columns(source.schema, column, ids, texts=texts)

    def blocks() -> Iterator[Block]:
        batches = source.to_batches(max_chunksize=BLOCK) if isinstance(source, pa.Table) else source
        yield from _blocks(batches, names, texts=texts)

    return Source(name, blocks, rows, text=names[0] if texts else "")


def _named(source: str | Path, column: str | None, ids: str | None, *, texts: bool) -> Source:
    text = str(source).strip()
    if isinstance(source, str) and text.lower().startswith(_SQL):
        return _relation(relations.select(text), "SQL", column, ids, texts=texts)
    path = Path(text).expanduser()
    if path.suffix == ".npy" and path.is_file():
        import numpy as np

        try:
            return _array(np.load(path, mmap_mode="r", allow_pickle=False))
        except ValueError as e:
            raise KnnInputError(f"{path.name} is not an array of numbers: {e}") from e
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet")) if path.is_dir() else []
    files = files or [Path(f) for f in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207 - patterns may be absolute
    if not files:
        raise KnnInputError(
            f"there is no file {text!r}; give a Parquet file, a folder or a pattern of them, a .npy file, or SQL that "
            "starts with SELECT"
        )
    return _parquet(files, text, column, ids, texts=texts)


def _parquet(files: Sequence[Path], name: str, column: str | None, ids: str | None, *, texts: bool) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def opened(file: Path) -> Any:
        try:
            # no pre-buffering: it holds whole row groups
            return pq.ParquetFile(file, memory_map=True, pre_buffer=False)
        except (pa.ArrowInvalid, OSError) as e:
            raise KnnInputError(f"{file.name} is not a Parquet file that can be read: {e}") from e

    schemas, rows = [], 0
    for file in files:
        with opened(file) as f:
            schemas.append(f.schema_arrow)
            rows += f.metadata.num_rows
    names = arrowed.vector_columns(schemas[0], column, ids, texts=texts)
    for file, schema in zip(files, schemas, strict=True):
        if schema.names != schemas[0].names:
            raise KnnInputError(
                f"{file.name} has other columns than {files[0].name}; read them with SQL, "
                "by DuckDB's read_parquet(…, union_by_name = true)"
            )  # fmt: skip

    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            with opened(file) as f:
                yield from f.iter_batches(batch_size=BLOCK)

    many = f" ({len(files)} files)" if len(files) > 1 else ""
    return Source(
        f"Parquet {Path(name).name}{many}", lambda: _blocks(batches(), names, texts=texts), rows,
        text=names[0] if texts else "",
    )  # fmt: skip


def _relation(relation: Any, name: str, column: str | None, ids: str | None, *, texts: bool) -> Source:
    names = arrowed.vector_columns(relations.schema(relation, name), column, ids, texts=texts)

    def blocks() -> Iterator[Block]:
        yield from _blocks(relations.batches(relation, name, BLOCK), names, texts=texts)

    return Source(name, blocks, count=lambda: relations.count(relation, name), text=names[0] if texts else "")


def _blocks(batches: Any, names: Sequence[str], *, texts: bool) -> Iterator[Block]:
    import pyarrow as pa

    first = 0
    for batch in batches:
        if batch.num_rows:
            yield _block(pa.Table.from_batches([batch]), names, first, texts=texts)
            first += batch.num_rows


def _block(table: pa.Table, names: Sequence[str], first: int, *, texts: bool) -> Block:
    columns = [table.column(n).combine_chunks() for n in names]
    if not texts:
        beside = table.drop_columns(list(names))
        return Block(arrowed.block(columns, names, first), beside if beside.num_columns else None)
    if not arrowed.is_text(columns[0].type):
        raise KnnInputError(f"column {names[0]!r} is {columns[0].type}, but embed= makes vectors of texts")
    from aios_workbench.knn.rows import refuse

    missing = columns[0].is_null().to_numpy(zero_copy_only=False)
    refuse(missing, "missing; leave such texts out, or fill them", first, f"column {names[0]!r}")
    return Block(columns[0].to_pylist(), table)
