"""What the rows of one side are split into: the values of a column, or stretches of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aios_workbench.drift.plan import Plan
from aios_workbench.drift.sources import Source
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

UNITS = ("hour", "day", "week", "month", "quarter", "year")
#: More windows than this are a mistake: an id, or hours over years.
MOST_WINDOWS = 1_000
#: What rows without a window are called.
NO_WINDOW = "(none)"


class Split(NamedTuple):
    """SQL that tells a row's window, and whether it is a stretch of time."""

    sql: str
    unit: str | None
    column: str


def split(source: Source, plan: Plan, by: str | None, time: str | None = None) -> Split | None:
    """Return how the rows are split by a column, or by hour, day, week, month, quarter or year of the time column.

    Raises
    ------
    DriftInputError
        When there is no such column, or none of times.
    """
    if by is None:
        return None
    if by in source.columns and by not in UNITS:
        return Split(source.quoted(by), None, by)
    if by not in UNITS:
        raise DriftInputError(
            f"by={by!r} is neither a column of {source.name}{hint(by, [*source.columns, *UNITS])} nor one of "
            f"{', '.join(UNITS)}"
        )
    column = time or plan.time
    if column is None:
        if by in source.columns:
            return Split(source.quoted(by), None, by)
        times = [c for c, t in source.columns.items() if t == "DATE" or t.startswith("TIMESTAMP")]
        why = f"has {len(times)} columns of times ({', '.join(times)})" if times else "has no column of times"
        raise DriftInputError(f"by={by!r}: {source.name} {why}; name the one that says when with time=")
    moment = utc(source, column)
    # days are by far the cheapest: a cast
    sql = f"({moment})::date" if by == "day" else f"date_trunc('{by}', {moment})"
    return Split(sql, by, column)


def utc(source: Source, column: str) -> str:
    """Return SQL of a column of times as a TIMESTAMP or DATE in UTC.

    Raises
    ------
    DriftInputError
        When it is no column of times.
    """
    type_ = source.only([column])[column]
    if type_ != "DATE" and not type_.startswith("TIMESTAMP"):
        raise DriftInputError(
            f"column {column!r} of {source.name} is {type_}, not a date or time; convert it, or name another with time="
        )
    name = source.quoted(column)
    return f"({name} at time zone 'UTC')" if "ZONE" in type_ else name


def label(value: Any, unit: str | None) -> str:
    """Return what a window is called; time windows so that their names sort as they follow.

    Examples
    --------
    >>> label(dt.datetime(2026, 4, 1), "quarter"), label(None, None), label(True, None)
    ('2026-Q2', '(none)', 'true')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return NO_WINDOW
    if unit is None:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, dt.date):
        return str(value)
    if unit == "hour":
        return f"{value:%Y-%m-%d %H}:00"
    if unit == "quarter":
        return f"{value.year}-Q{(value.month + 2) // 3}"
    return {"month": f"{value:%Y-%m}", "year": f"{value:%Y}"}.get(unit, f"{value:%Y-%m-%d}")


_PERIODS = {"hour": "h", "day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


def labels(values: pd.Series[Any], of: Split, type_: str) -> pd.Series[Any]:
    """Return the window of each row of a sample, given the values of the split's column.

    Examples
    --------
    >>> import pandas as pd
    >>> labels(pd.Series(pd.to_datetime(["2026-05-01", None])), Split("", "month", "at"), "TIMESTAMP").tolist()
    ['2026-05', '(none)']
    """
    import pandas as pd

    found = values
    if of.unit is not None:
        times = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        found = times.dt.to_period(_PERIODS[of.unit]).dt.start_time
    elif "INT" in type_ and values.dtype.kind == "f":  # whole numbers, of which some are missing
        found = values.astype("Int64").astype(object)
    names = {v: label(v, of.unit) for v in found.dropna().unique().tolist()}
    return found.map(names).astype(object).where(found.notna(), NO_WINDOW)


def counted(source: Source, of: Split) -> dict[Any, tuple[str, int]]:
    """Return each window's key in SQL's answers -> its name and its rows, in order.

    Raises
    ------
    DriftInputError
        When there are more than a thousand.
    """
    found = source.scan(
        f"select {of.sql} as w, count(*) from {source.relation_sql} group by all limit {MOST_WINDOWS + 1}"  # noqa: S608
    ).fetchall()
    if len(found) > MOST_WINDOWS:
        raise DriftInputError(
            f"{of.column!r} splits {source.name} into more than {MOST_WINDOWS:,} windows; choose a longer stretch of "
            "time, or a column with fewer values"
        )
    keys = sorted((w for w, _ in found if w is not None), key=lambda w: w if of.unit else str(w))
    rows = dict(found)
    named = {k: (label(k, of.unit), int(rows[k])) for k in keys}
    if None in rows:
        named[None] = (NO_WINDOW, int(rows[None]))
    return named


def merged_names(named: Mapping[Any, tuple[str, int]]) -> dict[str, int]:
    """Return name -> rows; two values with one name are one window."""
    found: dict[str, int] = {}
    for name, rows in named.values():
        found[name] = found.get(name, 0) + rows
    return found
