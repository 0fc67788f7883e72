"""A table's columns summed up in two or three passes over the file: figures, histograms, frequent values."""

# ruff: noqa: S608 - statements are put together from quoted names and numbers

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from aios_workbench._sql import literal, quoted
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.cells import cell, number
from aios_workbench.workspace.fields import Field, listed
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.models import ColumnProfile, Frequent, Histogram, TableProfile
from aios_workbench.workspace.source import Source, open_source

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 30
TOP = 10
#: So many columns are summed up when none are named.
MAX_COLUMNS = 100
#: Tables with more cells are summed up from a sample of about so many.
MAX_CELLS = 50_000_000
#: Up to so many rows everything is exact; beyond, quantiles and large distinct counts are estimates.
EXACT_ROWS = 500_000

_FEW = 10_000  # distinct values that are counted exactly whatever the table's size
_AT_ONCE = 12  # columns per pass: what one pass holds in memory grows with them
_DUPLICATE_CELLS = 20_000_000
_SECONDS = 60.0
_HUGE = "1e150"  # the square of more is no float: no deviation then

T = TypeVar("T")


def profile(
    ws: Workspace, artifact: Artifact, columns: Sequence[str] | None = None, origin: str = ""
) -> TableProfile:
    """Sum up the columns of a stored data frame or array.

    NaN counts as missing; infinite values are counted apart and left out of mean, deviation, quantiles and
    histogram. Over times mean, deviation, quantiles and edges are epoch seconds. Beyond 500,000 rows quantiles
    are estimated (t-digest) and large distinct counts are too (HyperLogLog); `quantiles_exact` and
    `distinct_exact` say so. The histogram's bins are equally wide from the smallest to the largest value.

    Parameters
    ----------
    columns : sequence of str, optional
        Which; by default the first 100. `total_columns` says how many there are.
    origin : str
        The Python expression of the step; `code` starts with it.

    Returns
    -------
    TableProfile
        With more than 50 million cells, of a sample: `sampled` rows, and every figure is of those.

    Raises
    ------
    ConflictError
        When the artifact is not a table.
    CorruptArtifactError, NotFoundError
        When its file is damaged or gone.
    ParameterError
        When a column is unknown or it took too long.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench.workspace import workspace
    >>> column = profile(workspace(), workspace().artifacts.put(np.array([1.0, 2.0, np.nan]))).columns[0]
    >>> column.nulls, column.mean, column.quantiles["0.5"]
    (1, 1.5, 1.5)
    """
    began = time.perf_counter()
    with open_source(ws, artifact, seconds=_SECONDS) as source:
        fields = source.fields[:MAX_COLUMNS] if columns is None else [source.field(c) for c in columns]
        step = math.ceil(source.rows * len(fields) / MAX_CELLS) if source.rows else 1
        scan = _Scan(source, step)
        profiles = [p for part in _parts(fields, _AT_ONCE) for p in scan.columns(part)]
        given = "" if columns is None else f"columns={list(columns)!r}"
        return TableProfile(
            rows=source.rows, bytes=artifact.bytes, sampled=scan.rows if step > 1 else None, columns=profiles,
            total_columns=len(source.fields),
            duplicates=_duplicates(source) if columns is None and step == 1 else None,
            code=f"{origin}.profile({given})" if origin else "", seconds=time.perf_counter() - began,
        )  # fmt: skip


class _Scan:
    """What is asked of all or every `step`-th of a table's rows."""

    def __init__(self, source: Source, step: int) -> None:
        self.source = source
        self.table = source.table
        self.rows = source.rows
        if step > 1:
            # by a hash of the row's number: rows that come in periods must not fall in or out together
            self.table += f" where hash({quoted(source.row)}) % {step} = 0"
            self.rows = int(source.all(f"select count(*) from {self.table}")[0][0])
        self.step = step
        self.exact = self.rows <= EXACT_ROWS and step == 1
        self._bins = min(BINS, max(5, math.ceil(2 * self.rows ** (1 / 3))))  # Rice's rule for few rows

    def columns(self, fields: Sequence[Field]) -> list[ColumnProfile]:
        """Profile some columns in a few passes."""
        figures = self._ask([_figures(f, exact=self.exact) for f in fields])
        found = [self._profile(f, figure) for f, figure in zip(fields, figures, strict=True)]
        self._count_few(fields, found)
        self._histograms(fields, found)
        for field, out in zip(fields, found, strict=True):
            if field.kind not in ("number", "time") and out.rows > out.nulls:
                out.top = self._top(field, out)
        return found

    def _ask(self, questions: Sequence[Sequence[str]]) -> list[list[Any]]:
        """One pass that answers several questions per column."""
        flat = [q for questions_ in questions for q in questions_]
        if not flat:
            return [[] for _ in questions]
        row = iter(self.source.all(f"select {', '.join(flat)} from {self.table}")[0])
        return [[next(row) for _ in questions_] for questions_ in questions]

    def _profile(self, field: Field, figures: list[Any]) -> ColumnProfile:
        count, distinct, *rest = figures
        out = ColumnProfile(
            name=field.name, type=field.shown, kind=field.kind, rows=self.rows, nulls=self.rows - count,  # type: ignore[arg-type]
            distinct=min(distinct, count), distinct_exact=self.exact,
        )  # fmt: skip
        if field.kind in ("text", "boolean"):
            out.min, out.max = (cell(v) for v in rest)
        if field.kind in ("number", "time"):
            low, high, mean, spread, beyond, zeros, infinite, quantiles = rest
            out.min, out.max = cell(low), cell(high)
            out.mean, out.std = number(mean), None if beyond else number(spread)
            out.zeros = zeros if field.kind == "number" else None
            out.infinite = infinite
            out.quantiles = {
                str(q): v
                for q, v in zip(QUANTILES, map(number, quantiles or ()), strict=False)
                if v is not None
            }
            out.quantiles_exact = self.exact
        return out

    def _count_few(self, fields: Sequence[Field], found: Sequence[ColumnProfile]) -> None:
        """Count distinct values exactly where the estimate says that they are few."""
        few = [
            (f, out) for f, out in zip(fields, found, strict=True)
            if not self.exact and (out.distinct or 0) <= _FEW and (f.kind in ("number", "time"))
        ]  # fmt: skip
        for (_, out), (count,) in zip(
            few, self._ask([[f"count(distinct {f.value})"] for f, _ in few]), strict=True
        ):
            out.distinct, out.distinct_exact = count, self.step == 1

    def _histograms(self, fields: Sequence[Field], found: Sequence[ColumnProfile]) -> None:
        drawn = [(f, out) for f, out in zip(fields, found, strict=True) if f.kind in ("number", "time")]
        ranges = self._ask([[f"min({_finite(f)})", f"max({_finite(f)})"] for f, _ in drawn])
        asked: list[tuple[ColumnProfile, list[float], str]] = []
        for (field, out), (low, high) in zip(drawn, ranges, strict=True):
            edges = _edges(field, number(low), number(high), self._bins)
            if edges:
                place = _place(_finite(field), edges)
                inside = f"greatest(0, least({len(edges) - 2}, cast({place} as integer)))"
                asked.append((out, edges, f"histogram({inside}) filter ({_finite(field)} is not null)"))
        answers = self._ask([[question] for _, _, question in asked])
        for (out, edges, _), (counts,) in zip(asked, answers, strict=True):
            counted = dict(counts or {})
            out.histogram = Histogram(edges=edges, counts=[counted.get(i, 0) for i in range(len(edges) - 1)])

    def _top(self, field: Field, out: ColumnProfile) -> list[Frequent]:
        """The most frequent values; the exact counts of likely candidates when there are very many."""
        name = field.quoted
        if self.exact or (out.distinct or 0) <= _FEW:
            shown = {"boolean": "v", "text": "left(v, 600)"}.get(field.kind, "left(cast(v as varchar), 600)")
            rows = self.source.all(
                f"select {shown}, n, count(*) over () from (select {name} as v, count(*) as n from {self.table} "
                f"group by 1) where v is not null order by n desc, 1 limit {TOP}"
            )
            out.distinct, out.distinct_exact = rows[0][2], self.step == 1
            return [Frequent(value=cell(v), count=n) for v, n, _ in rows]
        if field.kind != "text" or out.distinct == out.rows - out.nulls:
            return []
        likely = self.source.all(f"select approx_top_k({name}, {TOP}) from {self.table}")[0][0]
        counts = self._ask([[f"count(*) filter ({name} = {literal(v)})" for v in likely]])[0]
        ranked = sorted(zip(likely, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return [Frequent(value=cell(v), count=n) for v, n in ranked]


def _figures(field: Field, *, exact: bool) -> list[str]:
    """The aggregates one column needs from the first pass."""
    value = field.value
    distinct = f"count(distinct {value})" if exact else f"approx_count_distinct({value})"
    if field.kind in ("text", "boolean"):
        bounded = f"left({value}, 600)" if field.kind == "text" else value
        return [f"count({value})", distinct, f"min({bounded})", f"max({bounded})"]
    if field.kind == "other":
        return [f"count({value})", distinct]
    finite = _finite(field)
    shown = (
        f"timezone({literal(field.zone or 'UTC')}, {value})"
        if field.type == "TIMESTAMP WITH TIME ZONE"
        else value
    )
    points = f"[{', '.join(map(str, QUANTILES))}]"
    return [
        f"count({value})", distinct, f"min({shown})", f"max({shown})",
        f"avg({finite})", f"stddev_samp(case when abs({finite}) < {_HUGE} then {finite} end)",
        f"count(*) filter (abs({finite}) >= {_HUGE})",
        f"count(*) filter ({value} = 0)" if field.kind == "number" else "0",
        f"count(*) filter (isinf({value}))" if field.floating else "0",
        f"quantile_cont({finite}, {points})" if exact else f"approx_quantile({finite}, {points})",
    ]  # fmt: skip


def _finite(field: Field) -> str:
    """The column as floats, with null for what is no place on a line; times as epoch seconds."""
    if field.kind == "time":
        return f"epoch({field.quoted})"
    if field.floating:
        return f"case when isfinite({field.quoted}) then {field.quoted}::DOUBLE end"
    return f"{field.quoted}::DOUBLE"


def _double(value: float) -> str:
    return f"'{value!r}'::DOUBLE"


def _edges(field: Field, low: float | None, high: float | None, bins: int) -> list[float]:
    """Return the borders of equally wide bins; whole numbers get whole ones, each in the middle of its bin."""
    if low is None or high is None:
        return []
    whole = field.kind == "number" and not field.floating and not field.type.startswith("DECIMAL")
    if whole and high - low < BINS:
        return [low - 0.5 + i for i in range(int(high - low) + 2)]
    if low == high:
        return [low - 0.5, low + 0.5] if abs(low) < 2**50 else []
    width = high / bins - low / bins
    edges = [low + i * width for i in range(bins)] + [high]
    return edges if width > 0 and all(map(math.isfinite, edges)) and len(set(edges)) == bins + 1 else []


def _place(value: str, edges: list[float]) -> str:
    """Return in which bin a value lies, as SQL."""
    bins, low, high = len(edges) - 1, edges[0], edges[-1]
    if math.isfinite(high - low):
        return f"floor(({value} - {_double(low)}) / {_double((high - low) / bins)})"
    width = high / bins - low / bins  # the distance of the two is no float
    return f"floor({value} / {_double(width)} - {_double(low / width)})"


def _duplicates(source: Source) -> int | None:
    """Count the rows that equal an earlier one, index aside, where that can be afforded."""
    fields = [f for f in source.fields if f.shown != "index"]
    if not fields or source.rows * len(fields) > _DUPLICATE_CELLS or len(fields) > MAX_COLUMNS:
        return None
    kept = source.all(f"select count(*) from (select distinct {listed(fields)} from {source.table})")[0][0]
    return source.rows - int(kept)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
