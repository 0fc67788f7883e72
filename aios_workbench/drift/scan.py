"""Counting: one grouped scan per column, all windows in it. What SQL counts is exactly what `tables` says.

Texts, times and vectors are counted through what is computed of them. A column whose values turn out to be too many
is counted again in cells or buckets, so that neither memory nor a stored profile grows with the data.
"""

# ruff: noqa: S608 - statements are put together from quoted names and numbers

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift._together import WORKERS, each
from aios_workbench.drift.columntables import EmbeddingTable, Table, TextTable, TimeTable
from aios_workbench.drift.counttable import BUCKETS, MOST_TEXTS
from aios_workbench.drift.plan import ColumnPlan, Plan
from aios_workbench.drift.scan_numbers import Scan, number_tables
from aios_workbench.drift.sources import Source, literal
from aios_workbench.drift.tables import MOST_VALUES, CountTable, Grid, NumberTable
from aios_workbench.drift.windows import Split, counted, merged_names, utc

if TYPE_CHECKING:
    import pandas as pd

#: Is told how far something has come: a fraction, and what is being done.
Progress = Callable[[float, str], None]

#: The one window of data that is not split.
ALL = ""
#: A sample with more different texts than this is of a column that is counted in buckets at once.
MANY_TEXTS = 10_000
#: Of such a column so many are counted one by one.
NAMED = 2_000
#: Up to so many rows the different values of an id are counted.
COUNTED_IDS = 2_000_000


def scan(
    source: Source, plan: Plan, of: Split | None = None, *, sample: pd.DataFrame | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, int], dict[str, dict[str, Table]]]:  # fmt: skip
    """Count the columns of a source on a plan, each in one scan, all windows in the same one.

    Parameters
    ----------
    plan : Plan
        Of this source, or of the reference it is to be compared with; columns that are not there, or of a type that
        cannot be counted so, are left out.
    of : Split, optional
        What windows there are; see `windows.split`.
    sample : DataFrame, optional
        Rows of the source: tells at no cost which columns have many different values.

    Returns
    -------
    dict of str to int, dict of str to dict of str to table
        Rows of each window, in order (without windows one called ""); then window -> column -> counts.

    Raises
    ------
    DriftInputError
        When the source cannot be read or there are too many windows.

    Examples
    --------
    >>> import pandas as pd
    >>> from aios_workbench.drift.plan import plan
    >>> from aios_workbench.drift.sources import open_source
    >>> source = open_source(pd.DataFrame({"city": ["Bonn", "Ulm", "Ulm"], "price": [1.0, 2.0, None]}))
    >>> rows, tables = scan(source, plan(source))
    >>> tables[""]["city"].values, tables[""]["price"].nulls
    (('Ulm', 'Bonn'), 1)
    """
    named: Mapping[Any, tuple[str, int]] = {None: (ALL, source.rows)} if of is None else counted(source, of)
    rows = merged_names(named)
    found: dict[str, dict[str, Table]] = {name: {} for name in rows}
    task = Scan(source, of, {key: name for key, (name, _) in named.items()})
    columns = [c for c in plan.columns if c in source.columns]
    twins = source.twins(min(WORKERS, len(columns)))
    free: SimpleQueue[Source] = SimpleQueue()
    for twin in twins:
        free.put(twin)

    def count(column: str) -> Mapping[str, Table]:
        part = None if sample is None or column not in sample else sample[column]
        mine = free.get()
        try:
            return _column(task.on(mine), column, plan.columns[column], part)
        finally:
            free.put(mine)

    def stop() -> None:
        for twin in twins:
            twin.con.interrupt()

    with contextlib.closing(each(count, columns, workers=len(twins), stop=stop)) as counting:
        for i, column in enumerate(columns):
            if progress is not None:
                progress(i / len(columns), f"{source.name}: {column}")
            for window, table in next(counting).items():
                found[window][column] = table
    if progress is not None:
        progress(1.0, source.name)
    return rows, found


def _column(task: Scan, column: str, how: ColumnPlan, sample: pd.Series[Any] | None) -> Mapping[str, Table]:
    source = task.source
    name, type_ = source.quoted(column), source.columns[column]
    if how.kind == "numeric":
        x = as_double(name, type_)
        if x is None:
            return {}
        known = source.rows <= MOST_VALUES or sample is None or sample.nunique() <= MANY_TEXTS // 2
        few = how.by_value and known
        return number_tables(task, x, how.grid or Grid(0.0, 1.0), by_value=few)
    if how.kind == "datetime":
        return _times(task, column) if type_ == "DATE" or type_.startswith("TIMESTAMP") else {}
    if how.kind == "text":
        return _texts(task, name, how)
    if how.kind == "embedding":
        return _embeddings(task, name, type_, how)
    if how.kind == "id":
        return _ids(task, name)
    return count_tables(task, as_text(name, type_), sample)


def as_double(name: str, type_: str) -> str | None:
    """Return SQL of a column as a number; None of a type that is none."""
    base = type_.partition("(")[0]
    if type_.endswith("]") or base in ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "UUID"):
        return None
    if base in ("TIME", "INTERVAL"):
        return f"epoch({name})::double"
    if base == "DATE" or base.startswith("TIMESTAMP"):
        return None
    if base == "VARCHAR" or base.startswith("ENUM"):
        return f"try_cast({name} as double)"
    return f"{name}::double"


def as_text(name: str, type_: str) -> str:
    """Return SQL of a column as what is counted: itself where that groups faster and reads the same."""
    nested = type_.endswith("]") or type_.partition("(")[0] in ("STRUCT", "MAP", "UNION", "BLOB", "JSON")
    return f"{name}::varchar" if nested else name


def count_tables(task: Scan, x: str, sample: pd.Series[Any] | None = None) -> dict[str, CountTable]:
    """Count values by their text."""
    if sample is not None and task.source.rows > len(sample):
        texts = sample.dropna().astype(str).value_counts()
        if len(texts) > MANY_TEXTS:
            return _bucketed(task, x, [str(t) for t, n in texts.head(NAMED).items() if n > 1])
    found = task.run("x::varchar as v, n", f"{x} as x, count(*) as n", limit=MOST_TEXTS * len(task.named))
    if found is None:
        return _bucketed(task, x, [])
    tables: dict[str, dict[str, int]] = {name: {} for name in task.named}
    nulls = dict.fromkeys(task.named, 0)
    for window, text, n in zip(found.windows, found.texts("v"), found["n"].tolist(), strict=True):
        if text is None:
            nulls[window] += n
        else:
            tables[window][text] = tables[window].get(text, 0) + n
    return {w: CountTable.counted(tables[w], nulls[w]) for w in task.named}


def _bucketed(task: Scan, x: str, kept: Sequence[str]) -> dict[str, CountTable]:
    """Count the most frequent values one by one and the others in buckets of their texts' hashes."""
    v = f"{x}::varchar"
    if not kept:  # some of the most frequent, from rows of our own choosing
        frame = task.source.scan(
            f"select v from (select {v} as v from {task.source.relation_sql} limit 200000) group by v "
            f"having count(*) > 1 and v is not null order by count(*) desc, v limit {NAMED}"
        ).fetchall()
        kept = [t for (t,) in frame]
    listed = ", ".join(literal(t) for t in kept) or "''"
    found = task.run(
        "v, b, n",
        f"case when {v} in ({listed}) then {v} end as v, "
        f"case when {v} not in ({listed}) then (md5_number_lower({v}) % {BUCKETS})::integer end as b, count(*) as n",
    )
    assert found is not None
    tables: dict[str, dict[str, int]] = {name: {} for name in task.named}
    nulls, buckets = dict.fromkeys(task.named, 0), {w: np.zeros(BUCKETS, np.int64) for w in task.named}
    shared = found.floats("b")
    for window, text, b, n in zip(found.windows, found.texts("v"), shared, found["n"].tolist(), strict=True):
        if text is not None:
            tables[window][text] = n
        elif np.isnan(b):
            nulls[window] += n
        else:
            buckets[window][int(b)] += n
    several = task.run("d", f"approx_count_distinct({v}) as d")
    assert several is not None
    distinct = dict(zip(several.windows, several["d"].tolist(), strict=True))
    return {
        w: CountTable.counted(tables[w], nulls[w], buckets[w], distinct=int(distinct.get(w, 0)))
        for w in task.named
    }


def _ids(task: Scan, name: str) -> dict[str, CountTable]:
    """Count the rows and the different values of an id; `distinct` is 0 where there are too many rows to tell."""
    exact = task.source.rows <= COUNTED_IDS
    distinct = f"count(distinct {name})" if exact else "0"
    found = task.run("n, rows, d", f"count({name}) as n, count(*) as rows, {distinct} as d")
    assert found is not None
    tables = {w: CountTable((), np.zeros(0, np.int64)) for w in task.named}
    counted_rows = zip(
        found.windows, found["n"].tolist(), found["rows"].tolist(), found["d"].tolist(), strict=True
    )
    for window, n, rows, d in counted_rows:
        tables[window] = CountTable((), np.zeros(0, np.int64), rows - n, np.array([n]), int(d))
    return tables


def _times(task: Scan, column: str) -> dict[str, TimeTable]:
    moment = utc(task.source, column)
    # to microseconds, whatever the type: only those have an hour
    t = f"({moment})::timestamp"
    found = task.run(
        "d, h, there, n, low, high",
        f"case when isfinite({t}) then isodow({t}) end as d, case when isfinite({t}) then hour({t}) end as h, "
        f"{t} is not null as there, count(*) as n, min(epoch({t})) filter (isfinite({t})) as low, "
        f"max(epoch({t})) filter (isfinite({t})) as high",
    )
    assert found is not None
    tables = {w: TimeTable(np.zeros((7, 24), np.int64)) for w in task.named}
    rows = zip(
        found.windows, found.floats("d"), found.floats("h"), found["there"].tolist(), found["n"].tolist(),
        found.floats("low"), found.floats("high"), strict=True,
    )  # fmt: skip
    for window, day, hour, there, n, low, high in rows:
        cells = np.zeros((7, 24), np.int64)
        if np.isnan(day):
            part = TimeTable(cells, 0 if there else n, n if there else 0)
        else:
            cells[int(day) - 1, int(hour)] = n
            part = TimeTable(cells, minimum=float(low), maximum=float(high))
        tables[window] = tables[window].merged(part)
    return tables


def _texts(task: Scan, name: str, how: ColumnPlan) -> dict[str, TextTable]:
    v = f"{name}::varchar"
    grid = how.grid or Grid(0.0, 1.0)
    lengths = number_tables(task, f"length({v})::double", grid, by_value=True)
    spaces = f"(length({v}) - length(replace({v}, ' ', '')) + 1)::double"
    words = number_tables(
        task, f"case when trim({v}) = '' then 0 else {spaces} end", Grid(grid.centre / 6, grid.scale / 6),
        by_value=True,
    )  # fmt: skip
    return {w: TextTable(lengths[w], words[w]) for w in lengths}


def _embeddings(task: Scan, name: str, type_: str, how: ColumnPlan) -> dict[str, EmbeddingTable]:
    if not type_.endswith("]"):
        return {}
    v = f"{name}::double[]"
    norms = number_tables(
        task,
        f"sqrt(list_sum(list_transform({v}, lambda e: e * e)))",
        how.grid or Grid(0.0, 1.0),
        by_value=False,
    )
    dimensions = count_tables(task, f"len({v})")
    return {w: EmbeddingTable(norms[w], dimensions[w]) for w in norms}


def is_counted(table: Table) -> bool:
    """True of what statistics compare by value or cell."""
    return isinstance(table, NumberTable | CountTable)
