"""Which rows are on a page: their numbers only, so that a page costs the columns it is sorted by."""

# ruff: noqa: S608 - statements are put together from quoted names and checked conditions

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from aios_workbench._sql import quoted
from aios_workbench.errors import ParameterError
from aios_workbench.workspace.fields import Field
from aios_workbench.workspace.source import Source

#: A page that starts further down is found by a bracket around it, not by sorting everything above it.
DEEP = 100_000
_SAMPLE = 10_000
_MARGIN = 0.03  # six standard errors of a quantile of the sample

Order = Sequence[tuple[Field, bool]]


def matched(source: Source, condition: str | None) -> int:
    """Return how many rows a condition leaves."""
    if condition is None:
        return source.rows
    return int(source.all(f"select count(*) from {source.table} where {condition}")[0][0])


def page_rows(
    source: Source, condition: str | None, order: Order, offset: int, limit: int, found: int
) -> list[int]:
    """Return the numbers of the rows on a page, in order.

    Rows that compare equal stay in the order they are stored in, so pages never overlap.

    Parameters
    ----------
    order : sequence of (Field, descending)
    found : int
        How many rows the condition leaves.
    """
    limit = min(limit, found - offset)
    if limit <= 0:
        return []
    if not order:
        if condition is None:
            return list(range(offset, offset + limit))
        return _numbers(source, f"where {condition} limit {limit} offset {offset}")  # DuckDB keeps the order
    if offset > DEEP and min(offset, found - offset - limit) > DEEP:
        with contextlib.suppress(ParameterError):  # a type that has an order but no quantiles
            rows = _bracketed(source, condition, order, offset, limit)
            if rows is not None:
                return rows
    if offset + limit > found - offset:  # the nearer end
        rows = _sorted(source, condition, order, found - offset - limit, limit, backwards=True)
        return rows[::-1]
    return _sorted(source, condition, order, offset, limit)


def order_by(order: Order, row: str | None = None, *, backwards: bool = False) -> str:
    """Return the ORDER BY clause; nulls last either way."""
    terms = [
        f"{f.value if row else f.quoted} {'desc' if descending != backwards else 'asc'} "
        f"nulls {'first' if backwards else 'last'}"
        for f, descending in order
    ]
    if row:
        terms.append(f"{quoted(row)} {'desc' if backwards else 'asc'}")
    return f"order by {', '.join(terms)}"


def _sorted(
    source: Source, condition: str | None, order: Order, offset: int, limit: int, *, backwards: bool = False
) -> list[int]:
    where = f"where {condition} " if condition else ""
    clause = order_by(order, source.row, backwards=backwards)
    return _numbers(source, f"{where}{clause} limit {limit} offset {offset}")


def _numbers(source: Source, rest: str) -> list[int]:
    return [int(r[0]) for r in source.all(f"select {quoted(source.row)} from {source.table} {rest}")]


def _bracketed(
    source: Source, condition: str | None, order: Order, offset: int, limit: int
) -> list[int] | None:
    """Sort only the rows around the page: a sample says between which two values it must lie.

    None when the counts show that it does not, or when nulls are on the page.
    """
    field, descending = order[0]
    key, both = field.value, f" and {condition}" if condition else ""
    there = f"from {source.table} where {key} is not null{both}"
    total = source.all(f"select count(*) {there}")[0][0]
    if offset + limit > total:
        return None
    below = total - offset - limit if descending else offset  # rows before the page, from the smallest
    edges = (max(0.0, below / total - _MARGIN), min(1.0, (below + limit) / total + _MARGIN))
    source.all(
        f"create or replace temp table _edges as select quantile_disc(k, {edges[0]}) as low, quantile_disc(k, "
        f"{edges[1]}) as high from (select {key} as k {there}) using sample reservoir({_SAMPLE} rows) repeatable (7)"
    )
    low, high = "(select low from _edges)", "(select high from _edges)"
    under, up_to = source.all(
        f"select count(*) filter ({key} < {low}), count(*) filter ({key} <= {high}) {there}"
    )[0]
    if not under <= below or below + limit > up_to:
        return None
    skip = offset - (total - up_to) if descending else offset - under
    inside = f"{key} between {low} and {high}{both}"
    return _sorted(source, inside, order, skip, limit)
