"""Rows drawn from a source: the same for the same seed, and no slower than need be."""

# ruff: noqa: S608 - names are quoted by their source

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aios_workbench._sql import literal, quoted
from aios_workbench.drift._together import each

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.sources import Source

#: A Parquet source of more rows is sampled from some of its row groups, spread over all of it.
MANY_ROWS = 4_000_000
#: From so many of them.
GROUPS = 32

Chosen = npt.NDArray[np.int64]


def sample(source: Source, n: int, seed: int, names: Sequence[str], where: str | None) -> pd.DataFrame:
    """Return `n` rows of some columns; see `Source.sample`."""
    wanted = ", ".join(source.quoted(c) for c in names)
    which = f" where ({where})" if where else ""
    if where is None and source.rows > n:
        if source._table is not None:
            return _of_table(source, n, seed, wanted)
        if source._files and set(names) <= _in_all(source._files):
            return _of_files(source, n, seed, names)
    base = f"select {wanted} from {source.relation_sql}{which}"
    if source.rows > n:
        base = f"select * from ({base}) using sample reservoir({n} rows) repeatable ({seed})"
    return _in_order(source, base)


def _in_order(source: Source, sql: str) -> pd.DataFrame:
    """Run on one thread of ours: threads draw in any order."""
    with _one_thread(source.con):
        found: pd.DataFrame = source.con.sql(sql).df()
    return found


@contextlib.contextmanager
def _one_thread(con: Any) -> Iterator[None]:
    """Let a connection of our own use one thread; a user's relation is left as it is."""
    if not hasattr(con, "cursor"):
        yield
        return
    threads = con.execute("select current_setting('threads')").fetchall()[0][0]
    con.execute("set threads = 1")
    try:
        yield
    finally:
        con.execute(f"set threads = {threads}")


def _chosen(rows: int, n: int, seed: int) -> Chosen:
    found: Chosen = np.random.default_rng(seed).choice(rows, n, replace=False)
    found.sort()
    return found


def _of_table(source: Source, n: int, seed: int, wanted: str) -> pd.DataFrame:
    assert source._table is not None
    table = source._table.take(_chosen(source.rows, n, seed))
    key, row = f"s{uuid.uuid4().hex[:12]}", _free(table.column_names)
    source.con.register(key, table.append_column(row, [np.arange(table.num_rows)]))
    try:
        found: pd.DataFrame = source.con.sql(f"select {wanted} from {key} order by {quoted(row)}").df()
    finally:
        source.con.unregister(key)
    return found


def _free(names: Sequence[str]) -> str:
    """Return a name that no column has."""
    row = "row"
    while row in {n.lower() for n in names}:
        row += "_"
    return row


def _of_files(source: Source, n: int, seed: int, names: Sequence[str]) -> pd.DataFrame:
    """Draw from Parquet by row number."""
    groups = _row_groups(source._files)
    starts = np.cumsum([0, *(rows for _, _, rows in groups)])
    if source.rows > MANY_ROWS and len(groups) > GROUPS:
        chosen = _spread(groups, starts, n, seed, GROUPS)
    else:
        chosen = _chosen(int(starts[-1]), n, seed)
    if len(source._files) == 1 and len(chosen) == n and source.rows <= MANY_ROWS:
        return _read_numbered(source, chosen, names)
    return _read(source, groups, starts, chosen, names)


def _read_numbered(source: Source, chosen: Chosen, names: Sequence[str]) -> pd.DataFrame:
    """Read rows of one file by their numbers; DuckDB is faster at it than going through row groups.

    Half the columns each by two threads: decoding them is all the work, and DuckDB itself gives it to one.
    """
    import pandas as pd
    import pyarrow as pa

    key = f"s{uuid.uuid4().hex[:12]}"
    real = source.con.execute(f"select * from {source.relation_sql} limit 0").description
    marks = ", ".join(quoted(f"c{i}") for i in range(len(real)))
    at = [list(source.columns).index(n) for n in names]
    twins = source.twins(2)
    halves = [at[: len(at) // 2], at[len(at) // 2 :]] if len(twins) > 1 and len(at) > 1 else [at]
    numbers = pa.table({"i": chosen})

    def read(part: tuple[Source, list[int]]) -> pd.DataFrame:
        twin, columns = part
        listed = ", ".join(f"c{i}" for i in columns)
        twin.con.register(key, numbers)
        try:
            found: pd.DataFrame = twin.con.execute(
                f"select {listed} from (select * from read_parquet({literal(source._files[0])}, "
                f"file_row_number = true)) as s({marks}, row) where row in (select i from {key}) order by row"
            ).df()
        finally:
            twin.con.unregister(key)
        return found

    def stop() -> None:
        for twin in twins:
            twin.con.interrupt()

    # a second thread for each would hold a second row group, and is no faster at it
    with (
        _one_thread(source.con),
        contextlib.closing(
            each(read, list(zip(twins, halves, strict=False)), workers=len(twins), stop=stop)
        ) as parts,
    ):
        return pd.concat(list(parts), axis=1)


def _in_all(files: Sequence[str]) -> set[str]:
    """Return the columns that every file has; not those that only a folder's name tells."""
    import pyarrow.parquet as pq

    return set.intersection(*(set(pq.read_schema(f).names) for f in files))


def _row_groups(files: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return file, number and rows of each row group."""
    import pyarrow.parquet as pq

    found = []
    for file in files:
        meta = pq.read_metadata(file)
        found += [(file, i, meta.row_group(i).num_rows) for i in range(meta.num_row_groups)]
    return found


def _spread(groups: Sequence[tuple[str, int, int]], starts: Any, n: int, seed: int, parts: int) -> Chosen:
    """Return row numbers in `parts` row groups: systematic sampling, so that each row is as likely as any other."""
    rng = np.random.default_rng(seed)
    total = int(starts[-1])
    at = (np.arange(parts) + rng.random()) * (total / parts)
    hit = np.unique(np.searchsorted(starts, at, side="right") - 1)
    share = -(-n // len(hit))
    chosen = np.concatenate([
        starts[g] + rng.choice(groups[g][2], min(groups[g][2], share), replace=False) for g in hit.tolist()
    ])  # fmt: skip
    if len(chosen) > n:
        chosen = rng.choice(chosen, n, replace=False)
    return np.sort(chosen)


def _read(source: Source, groups: Any, starts: Any, chosen: Chosen, names: Sequence[str]) -> pd.DataFrame:
    """Read the row groups that hold chosen rows, one at a time, and keep those rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    hit = np.searchsorted(starts, chosen, side="right") - 1
    parts: list[pa.Table] = []
    file, opened = "", None
    for g in np.unique(hit).tolist():
        if groups[g][0] != file:
            file = groups[g][0]
            opened = pq.ParquetFile(file, memory_map=True, pre_buffer=False)
        assert opened is not None
        table = opened.read_row_group(groups[g][1], columns=list(names))
        parts.append(table.take(chosen[hit == g] - starts[g]))
    together = pa.concat_tables(parts, promote_options="permissive").select(list(names))
    key = f"s{uuid.uuid4().hex[:12]}"
    marks = [f"c{i}" for i in range(len(names))]
    numbered = together.rename_columns(marks).append_column("row", [np.arange(together.num_rows)])
    source.con.register(key, numbered)
    try:
        # through DuckDB, so that a value has the type it has in every other sample
        types = [source.columns[c] for c in names]
        listed = ", ".join(f"{m}::{t} as {m}" for m, t in zip(marks, types, strict=True))
        found: pd.DataFrame = source.con.execute(f"select {listed} from {key} order by row").df()
    finally:
        source.con.unregister(key)
    return found
