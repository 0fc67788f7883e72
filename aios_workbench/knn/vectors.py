"""Vectors made ready for a tuning: read from wherever they are, checked, named, and laid into one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn import notices
from aios_workbench.knn.beside import make_ids, make_table, take_ids
from aios_workbench.knn.embedding import Embedder
from aios_workbench.knn.fingerprint import fingerprint
from aios_workbench.knn.models import Metric
from aios_workbench.knn.prepared import Sample, Vectors
from aios_workbench.knn.sources import Block, Source, open_source
from aios_workbench.knn.space import Space
from aios_workbench.knn.spool import Spool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.int64]

__all__ = ["Sample", "Vectors", "open_vectors"]

#: Says how far something has come: what, and the fraction done (None: not known).
Report = Callable[[str, float | None], None]


def open_vectors(
    source: Any,
    *,
    folder: str | Path,
    metric: Metric = "l2",
    queries: Any = None,
    ids: Any = None,
    metadata: Any = None,
    embed: Callable[[list[str]], Any] | None = None,
    limit: int | None = None,
    column: str | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> Vectors:
    """Read vectors, check them, and lay them into a file of `folder`.

    Parameters
    ----------
    source
        One row a vector: an array (of any real type, also memory-mapped), a pandas column or data frame, an Arrow
        column or table, a DuckDB relation, SQL, the path of a Parquet file (or of a folder, or a pattern of them) or
        of a .npy file; or texts, with `embed`. Of a table the column of lists is taken, or all columns when they are
        numbers. Files and relations are read in blocks and may be larger than memory.
    folder : path
        Where the vectors, and what `embed` made, are kept.
    queries
        What will be asked, in any of the forms of `source`; without them some vectors are held out.
    ids : array_like or str, optional
        One for each vector, or the name of a column; else the column `id`, the index of a data frame, or row numbers.
    metadata : table, optional
        One row for each vector; else the other columns of a table.
    embed : callable, optional
        Makes vectors of a list of texts; see `Embedder`.
    limit : int, optional
        Take a random sample of so many vectors when there are more.
    column : str, optional
        Of a table with several: the column of vectors, or of texts.
    report : callable, optional
        Is told how far reading has come.

    Raises
    ------
    KnnInputError
        When vectors, queries, ids or metadata are wrong; the message names the rows and says what to do.
    ParameterError
        When there is no such metric.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": [7, 8, 9], "place": ["Ulm", "Bonn", "Trier"], "at": [[0, 1], [2, 2], [4, 3]]})
    >>> v = open_vectors(frame, folder=tempfile.mkdtemp(), metric="cosine")
    >>> v.n, v.ids.tolist(), v.text(1), v.raw(1).round(3).tolist()
    (3, [7, 8, 9], 'place: Bonn', [[2.0, 2.0]])
    >>> v.repairs
    ['int64 values are held as float32']
    """
    Space.sized(metric, 2)  # a wrong metric is told before anything is read
    if limit is not None and limit < 1:
        raise ParameterError(f"limit is {limit}; give the number of vectors to take, or None for all")
    folder = Path(folder).expanduser()
    embedder = Embedder(embed, folder / "embeddings") if embed is not None else None
    named = ids if isinstance(ids, str) else None
    opened = open_source(source, column=column, ids=named, texts=embedder is not None)
    chosen = _chosen(opened, limit, seed)
    tables: list[pa.Table] = []
    with Spool(folder, metric) as spool:
        for block in _sampled(opened.blocks(), chosen):
            values = embedder(block.values) if embedder else block.values  # type: ignore[arg-type]
            spool.add(values)
            if block.beside is not None:
                tables.append(block.beside)
            if report:
                total = len(chosen) if chosen is not None else opened.rows
                report(f"reading vectors: {spool.rows:,}", spool.rows / total if total else None)
        path, space, name, length = spool.finish()
    rows, notes = spool.rows, spool.notes
    beside = _together(tables)
    if chosen is not None:
        notes.append(f"a random sample of {rows:,} of {opened.rows:,} vectors was taken")
    found_ids, beside, said = _ids(opened, ids, beside, chosen, rows)
    notes += said
    if metadata is not None:
        full = make_table(metadata, rows if chosen is None else opened.rows)
        beside = full if chosen is None else full.take(chosen)
    elif beside is not None and beside.num_columns:
        beside = make_table(beside, rows)
    asked = _queries(queries, space, embedder, column) if queries is not None else None
    made = Vectors(
        path=path, space=space, n=rows, fingerprint=name, source=_described(opened, embedder),
        ids=found_ids, metadata=beside if beside is not None and beside.num_columns else None, queries=asked,
        text_column=opened.text if metadata is None else "",
    )  # fmt: skip
    if asked is not None:
        made.fingerprint = fingerprint(asked, words=(name,))
    if metric == "cosine":
        made.lengths = length.astype("float32")
    made.repairs = [*notes, *(embedder.notes if embedder else ()), *notices.of(made.inner, space, length)]
    return made


def _chosen(source: Source, limit: int | None, seed: int) -> Rows | None:
    import numpy as np

    if limit is None:
        return None
    if source.rows is None and source.count is not None:
        source.rows = source.count()
    if source.rows is None:
        raise KnnInputError(
            f"limit needs to know how many vectors there are, which a stream ({source.described}) does not tell; give "
            "the table or the file itself"
        )
    if source.rows <= limit:
        return None
    return np.sort(np.random.default_rng(seed).choice(source.rows, limit, replace=False))


def _sampled(blocks: Iterator[Block], chosen: Rows | None) -> Iterator[Block]:
    import numpy as np

    first = 0
    for block in blocks:
        size = len(block.values)
        if chosen is None:
            yield block
        else:
            low, high = np.searchsorted(chosen, (first, first + size))
            take = chosen[low:high] - first
            if len(take):
                values = block.values
                part = [values[i] for i in take] if isinstance(values, list) else values[take]
                yield Block(part, block.beside.take(take) if block.beside is not None else None)
        first += size


def _together(tables: list[pa.Table]) -> pa.Table | None:
    import pyarrow as pa

    if not tables:
        return None
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as e:
        raise KnnInputError(f"columns beside the vectors change their type from row to row: {e}") from e


def _ids(
    source: Source, ids: Any, beside: pa.Table | None, chosen: Rows | None, rows: int
) -> tuple[npt.NDArray[Any], pa.Table | None, list[str]]:
    """Return ids, what is left beside them, and what was mended."""
    import numpy as np

    if ids is not None and not isinstance(ids, str):
        found, said = make_ids(ids, rows if chosen is None else source.rows or 0)
        return (found if chosen is None else found[chosen]), beside, said
    column, name = take_ids(beside, ids)
    if column is not None and beside is not None:
        try:
            found, said = make_ids(column, rows, f"ids, from column {name!r}")
            return found, beside.drop_columns([str(name)]), said
        except KnnInputError as e:
            if ids is not None:
                raise
            note = f"rows are numbered, because the column 'id' cannot tell them apart ({e})"
            return np.arange(rows), beside, [note]
    if source.ids is not None:
        index = source.ids if chosen is None else source.ids[chosen]
        try:
            found, said = make_ids(index, rows, "ids, from the index")
            return found, beside, said
        except KnnInputError:
            return np.arange(rows), beside, ["rows are numbered, because the index cannot tell them apart"]
    return (np.arange(rows) if chosen is None else chosen.astype(np.int64)), beside, []


def _queries(queries: Any, space: Space, embedder: Embedder | None, column: str | None) -> Floats:
    import numpy as np

    try:
        if embedder and isinstance(queries, str):
            queries = [queries]
        texts = embedder is not None and not _numeric(queries)
        blocks = list(open_source(queries, column=_there(queries, column), texts=texts).blocks())
        parts = [embedder(b.values) if texts and embedder else b.values for b in blocks]  # type: ignore[arg-type]
        found = np.concatenate([space.queries(p) for p in parts] or [np.zeros((0, space.inner), np.float32)])
    except KnnInputError as e:
        said = str(e)
        raise KnnInputError(said if said.startswith("queries") else f"queries: {said}") from e
    if not len(found):
        raise KnnInputError("queries: there are none; leave them out to hold out some of the vectors")
    return found


def _numeric(values: Any) -> bool:
    import numpy as np

    return isinstance(values, np.ndarray) and values.dtype.kind in "fiub"


def _there(table: Any, column: str | None) -> str | None:
    names = getattr(table, "columns", None)
    names = getattr(table, "column_names", names)
    return column if column is not None and names is not None and column in list(names) else None


def _described(source: Source, embedder: Embedder | None) -> str:
    return source.described + (f", embedded by {embedder.name}" if embedder else "")
