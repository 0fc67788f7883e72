"""What a fresh report can still be asked, while the rows of both sides are at hand."""

# ruff: noqa: S608 - statements are put together from quoted names and literals

from __future__ import annotations

import copy
import datetime as dt
import math
import time
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift import comparing
from aios_workbench.drift import judge as judging
from aios_workbench.drift.models import ColumnDrift, Multivariate, ReportData
from aios_workbench.drift.plan import floats
from aios_workbench.drift.profiles import profile_of
from aios_workbench.drift.sides import Sides
from aios_workbench.drift.sources import Source, literal
from aios_workbench.drift.summary import shown, summarise
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.report import Live


def multivariate(data: ReportData, live: Live) -> Multivariate:
    """Compare what no column shows alone, on the samples of both sides."""
    from aios_workbench.drift.multivariate import multivariate as compared

    a, b = live.sample("reference"), live.sample("current")
    kinds = {c.name: c.kind for c in data.columns if c.verdict != "skipped" and c.name in a and c.name in b}
    vectors = [c for c, kind in kinds.items() if kind == "embedding"]
    return compared(a, b, kinds, embeddings=vectors, rules=data.rules, seed=live.seed)


def sliced(data: ReportData, live: Live, column: str, value: Any) -> tuple[ReportData, Live]:
    """Compare the rows of both sides for which a column has a value; see `DriftReport.slice`."""
    began = time.perf_counter()
    found = next(c for c in data.columns if c.name == column)
    sources = [live.source(side) for side in ("reference", "current")]
    for source in sources:
        source.quoted(column)  # says which side has no such column
    words = _words(column, value)
    one, two = (_filtered(source, condition(source, found, value), words) for source in sources)
    sides = Sides(
        live.plan, profile_of(one, live.plan), profile_of(two, live.plan), (one, two), (None, None), None
    )
    # a threshold of a column that is empty in this slice has nothing to be compared with
    compared = comparing.columns(sides)
    kept = {c.name for c in compared if c.statistics}
    rules = data.rules.model_copy(
        update={"in_a_row": 1, "columns": {n: t for n, t in data.rules.columns.items() if n in kept}}
    )
    columns = judging.judge(compared, rules)
    drifted, reasons = judging.drifted(columns, rules=rules)
    info = sides.info()
    made = data.model_copy(update={
        "id": uuid.uuid4().hex[:12], "name": f"{data.name}, {words}", "created_at": time.time(),
        "reference": info[0], "current": info[1], "drifted": drifted, "reasons": reasons, "columns": columns,
        "summary": summarise(columns, drifted=drifted), "schema_changes": [], "windows": [], "by": None,
        "multivariate": None, "performance": None, "rules": rules, "seconds": time.perf_counter() - began,
    })  # fmt: skip
    kept_live = copy.copy(live)
    kept_live.reference, kept_live.current = one, two
    kept_live.reference_profile, kept_live.current_profile = sides.reference, sides.current
    kept_live.samples = {}
    return made, kept_live


def _words(column: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"{shown(column)} from {value[0]} to {value[1]}" if len(value) == 2 else shown(column)
    return f"{shown(column)} = {'null' if value is None else shown(str(value))}"


def _filtered(source: Source, where: str, words: str) -> Source:
    """Return a source of those rows of another for which a condition is true."""
    made = copy.copy(source)
    made.relation_sql = f"(select * from {source.relation_sql} where {where})"
    made._table, made._files = None, []
    made.name = f"{source.name}, {words}"
    made.rows = int(source.scan(f"select count(*) from {made.relation_sql}").fetchall()[0][0])
    return made


def condition(source: Source, column: ColumnDrift, value: Any) -> str:
    """Return SQL that is true for the rows where a column has a value, or lies in ``(low, high)``.

    Raises
    ------
    DriftInputError
        For a range that is none, or of a column without an order.
    """
    name = source.quoted(column.name)
    if not isinstance(value, tuple):
        return _equal(name, value)
    if len(value) != 2 or column.kind not in ("numeric", "datetime"):
        raise DriftInputError(
            f"a slice of {column.name!r} ({column.kind}) is one value, or for numbers and times (low, high); "
            f"{value!r} is neither"
        )
    low, high = value
    said = [f"{name} is not null"]
    if low is not None and low != -math.inf:
        said.append(f"{name} >= {_literal(low)}")
    # the last bin ends at the greatest value and has it
    sides = [s.maximum for s in (column.reference, column.current) if s is not None and s.maximum is not None]
    last = isinstance(high, (int, float)) and bool(sides) and high >= max(sides) and column.kind == "numeric"
    if high is not None and high != math.inf:
        said.append(f"{name} {'<=' if last else '<'} {_literal(high)}")
    if column.kind == "numeric":
        said.append(f"not isnan({name}::double)")
    return " and ".join(said)


def _equal(name: str, value: Any) -> str:
    if value is None:
        return f"{name} is null"
    if isinstance(value, (bool, np.bool_)):
        return f"{name}::varchar = '{str(bool(value)).lower()}'"
    if isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value):
        return f"try_cast({name} as double) = {float(value)!r}::double"
    return f"{name}::varchar = {literal(str(value))}"


def _literal(value: Any) -> str:
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        if math.isfinite(value):
            return f"{float(value)!r}::double"
    elif isinstance(value, dt.date) or hasattr(value, "isoformat"):
        return f"{literal(value.isoformat())}::timestamp"
    elif isinstance(value, str):
        return f"{literal(value)}::timestamp"
    raise DriftInputError(f"{value!r} is no end of a range; give a number, or a date")


def moved(live: Live, column: ColumnDrift, n: int) -> pd.DataFrame:
    """Return the rows of the current side that are the least usual for the reference; see `DriftReport.moved`."""
    if n < 1:
        raise DriftInputError(f"n is {n}; give 1 or more")
    frame = live.sample("current")
    if column.name not in frame:
        raise DriftInputError(f"the current side has no column {column.name!r}")
    values = frame[column.name]
    if column.histogram is not None and len(column.histogram.reference):
        score, tie = _of_numbers(column, values)
    elif column.categories is not None:
        score, tie = _of_categories(column, values), np.zeros(len(values))
    else:
        raise DriftInputError(f"{column.name!r} ({column.kind}) has no distribution that rows could move in")
    order = np.lexsort((-tie, -score))[:n]
    found = frame.iloc[order].reset_index(drop=True)
    name = "unusual"
    while name in found:
        name += "_"
    found.insert(0, name, score[order])
    return found


def _of_numbers(column: ColumnDrift, values: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return of each row how likely its bin is one of current rows, and how far it is from the reference's middle."""
    import pandas as pd

    h = column.histogram
    assert h is not None
    x = np.full(len(values), np.nan)
    there = values.notna().to_numpy()
    known = floats(values)
    x[there] = (
        known if len(known) == there.sum() else pd.to_numeric(values[there], errors="coerce").to_numpy(float)
    )
    edges = np.asarray(h.edges)
    at = np.clip(np.searchsorted(edges, x, "right") - 1, 0, len(h.reference) - 1)
    p, q = np.asarray(h.reference)[at], np.asarray(h.current)[at]
    for atom, share, now in zip(h.atoms, h.reference_atoms, h.current_atoms, strict=True):
        p, q = np.where(x == atom, share, p), np.where(x == atom, now, q)
    middle = column.reference.mean if column.reference is not None else None
    tie = np.nan_to_num(np.abs(x - (middle or 0.0)), nan=-1.0, posinf=np.inf)
    return np.where(np.isfinite(x), _share(p, q), -1.0), tie


def _of_categories(column: ColumnDrift, values: pd.Series[Any]) -> np.ndarray:
    c = column.categories
    assert c is not None
    rows = [max(sum(v.reference for v in c.values), 1), max(sum(v.current for v in c.values), 1)]
    score = {
        v.label: float(_share(np.array(v.reference / rows[0]), np.array(v.current / rows[1])))
        for v in c.values
        if not v.rest
    }
    labels = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    return np.array(
        [score.get(k, 0.5) if there else -1.0 for k, there in zip(labels, values.notna(), strict=True)]
    )


def _share(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return q / (p + q): the odds that a row is of the current side, were both equally many."""
    total = p + q
    found: np.ndarray = np.where(total > 0, q / np.where(total > 0, total, 1.0), 0.5)
    return found
