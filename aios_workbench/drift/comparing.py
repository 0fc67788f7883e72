"""Each column of two profiles, compared by what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift._together import each
from aios_workbench.drift.columns import column as compare_column
from aios_workbench.drift.columns import window as compare_window
from aios_workbench.drift.columntables import EmbeddingTable, Table, TextTable, TimeTable
from aios_workbench.drift.hiding import matched
from aios_workbench.drift.models import ColumnDrift, Kind, Side, WindowDrift
from aios_workbench.drift.plan import ColumnPlan, floats
from aios_workbench.drift.sides import Sides
from aios_workbench.drift.tables import CountTable, NumberTable

if TYPE_CHECKING:
    import pandas as pd

Counted = NumberTable | CountTable
#: A part of a column: what it is called, what it holds, and both sides' counts.
Part = tuple[str, Kind, Counted, Counted]


def both(sides: Sides) -> list[str]:
    """Return the columns that can be compared: both sides have them, counted alike."""
    counted = (sides.reference.columns, sides.current.columns)
    return [c for c, how in sides.plan.columns.items() if how.kind != "id" and all(c in s for s in counted)]


def columns(sides: Sides) -> list[ColumnDrift]:
    """Return every column of the plan compared, and those that only the current side has as skipped; no verdicts."""
    found = list(each(lambda c: _column(sides, *c), sides.plan.columns.items()))
    if sides.extra is not None:
        for name, how in sides.extra.plan.columns.items():
            table = sides.extra.columns.get(name)
            counted = table if isinstance(table, NumberTable | CountTable) else None
            made = compare_column(name, "feature", how.kind, None, counted)
            found.append(made.model_copy(update={"verdict": "skipped"}))
    return found


def _column(sides: Sides, name: str, how: ColumnPlan) -> ColumnDrift:
    a, b = sides.reference.columns.get(name), sides.current.columns.get(name)
    if a is not None and b is not None and not (sides.reference.raw and sides.current.raw):
        a, b = matched(a, b, sides.plan.key)
    if a is None or b is None or how.kind == "id":
        return _skipped(sides, name, how, a, b)
    if isinstance(a, NumberTable | CountTable) and isinstance(b, NumberTable | CountTable):
        pair = tuple(_numbers(s, name) if how.kind == "numeric" else None for s in sides.samples)
        made = compare_column(
            name, how.role, how.kind, a, b,
            sample_a=pair[0] if pair[1] is not None else None, sample_b=pair[1] if pair[0] is not None else None,
        )  # fmt: skip
        return made.model_copy(update={"windows": _windows(sides, name, a)})
    return _of_parts(sides, name, how, a, b)


def _skipped(sides: Sides, name: str, how: ColumnPlan, a: Table | None, b: Table | None) -> ColumnDrift:
    one, two = (t if isinstance(t, NumberTable | CountTable) else None for t in (a, b))
    if how.kind == "id":
        return compare_column(name, how.role, "id", one, two)
    made = compare_column(name, how.role, how.kind, one, None)
    type_ = sides.current.types.get(name)
    if type_ is None:
        return made
    why = f"it is {type_} in the current data and {how.type} in the reference: not comparable as {how.kind}"
    return made.model_copy(update={"reasons": [why]})


def _numbers(sample: pd.DataFrame | None, name: str) -> Any:
    if sample is None or name not in sample:
        return None
    found = floats(sample[name])
    return found if len(found) else None


def _windows(sides: Sides, name: str, a: Counted) -> list[WindowDrift]:
    if sides.by is None:
        return []
    found = []
    for window in sides.current.windows:
        b = sides.current.tables[window].get(name)
        if isinstance(b, NumberTable | CountTable):
            one, two = matched(a, b, sides.plan.key) if not sides.reference.raw else (a, b)
            assert isinstance(one, NumberTable | CountTable)
            assert isinstance(two, NumberTable | CountTable)
            found.append(compare_window(window, one, two))
    return found


def _of_parts(sides: Sides, name: str, how: ColumnPlan, a: Table, b: Table) -> ColumnDrift:
    """Compare a column by what is computed of it: hours and weekdays, lengths, norms; words, clouds."""
    parts = [compare_column(part, how.role, kind, one, two) for part, kind, one, two in _parts(a, b)]
    known = {p.name for p in parts}
    parts += [p for p in _of_samples(sides, name, how.kind) if p.name not in known]
    return ColumnDrift(
        name=name, kind=how.kind, role=how.role, parts=parts, reference=_side(a), current=_side(b),
    )  # fmt: skip


def _of_samples(sides: Sides, name: str, kind: Kind) -> list[ColumnDrift]:
    """Compare what no counts tell of texts and vectors; nothing where a side has no sample."""
    one, two = sides.samples
    if one is None or two is None or name not in one or name not in two:
        return []
    if kind == "text":
        from aios_workbench.drift import text

        return text.parts(name, one[name], two[name])
    if kind == "embedding":
        from aios_workbench.drift import embedding, encode

        if not encode.one_length(one[name], two[name]):
            return []  # the part that counts dimensions shows it
        found, _ = embedding.parts(name, encode.vectors(one, name), encode.vectors(two, name))
        return [p for p in found if p.name != "length"]  # the norm, of all rows
    return []


def _parts(a: Table, b: Table) -> Sequence[Part]:
    if isinstance(a, TimeTable) and isinstance(b, TimeTable):
        found: list[Part] = [("weekday", "categorical", a.weekdays(), b.weekdays())]
        # of dates alone the hour is always the same
        if any(t.cells[:, 1:].any() for t in (a, b)):
            found.append(("hour", "categorical", a.hours(), b.hours()))
        return found
    if isinstance(a, TextTable) and isinstance(b, TextTable):
        return [("length", "numeric", a.lengths, b.lengths), ("words", "numeric", a.words, b.words)]
    if isinstance(a, EmbeddingTable) and isinstance(b, EmbeddingTable):
        return [
            ("norm", "numeric", a.norms, b.norms),
            ("dimensions", "categorical", a.dimensions, b.dimensions),
        ]
    return []


def _side(table: Table) -> Side:
    """Return a side's figures; of times the first and last moment in seconds since 1970 (UTC)."""
    found: dict[str, Any] = {"rows": table.total, "nulls": table.nulls}
    if isinstance(table, TimeTable):
        found["infinite"] = table.infinite
        if np.isfinite(table.minimum):
            found |= {"minimum": table.minimum, "maximum": table.maximum}
    return Side(**found)
