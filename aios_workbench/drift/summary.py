"""A comparison in words: one line, a few lines, a figure beside its column's name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from aios_workbench.drift.models import ColumnDrift, Multivariate, Performance, ReportData, SchemaChange
from aios_workbench.drift.names import words

#: Columns named in one line, and rows of a printed table.
_NAMED, _ROWS = 3, 12
_LONG = 40


def shown(name: str) -> str:
    """Return a column's name as one short piece of text, whatever is in it.

    Examples
    --------
    >>> shown("income"), shown(""), shown("a" * 50)[-3:]
    ('income', "''", 'aa…')
    """
    text = "".join(c if not unicodedata.category(c).startswith(("C", "Z")) else " " for c in name)
    if len(text) > _LONG:
        text = text[: _LONG - 1] + "…"
    return text if text.strip() else repr(text)


def figure(column: ColumnDrift) -> str:
    """Return the figure a column's verdict stands on, as ``+0.41 PSI``; empty where there is none."""
    of = column.effect_of
    # the field's figure for a distribution; that nulls or new values came is told as what it is
    name = "psi" if "psi" in column.statistics and of not in ("null_shift", "new_share") else of
    found = column.statistics.get(name) if name is not None else None
    if found is not None:
        return f"{found.value:+.2f} {words(str(name))}"
    return "" if column.effect is None else f"effect {column.effect:.2f}"


def compared(columns: Sequence[ColumnDrift]) -> list[ColumnDrift]:
    """Return the columns that were compared: not skipped, and with enough rows to tell."""
    return [c for c in columns if c.verdict not in ("skipped", "few")]


def summarise(
    columns: Sequence[ColumnDrift], schema_changes: Sequence[SchemaChange] = (), drifted: bool | None = False,
    multivariate: Multivariate | None = None, performance: Performance | None = None,
) -> str:  # fmt: skip
    """Return a comparison in one line.

    Examples
    --------
    >>> income = ColumnDrift(name="income", kind="numeric", verdict="drifted", effect=0.3)
    >>> summarise([income, ColumnDrift(name="age", kind="numeric")], drifted=True)
    '1 of 2 columns drifted: income effect 0.30'
    """
    told = compared(columns)
    few = sum(c.verdict == "few" for c in columns)
    gone = sorted((c for c in told if c.verdict == "drifted"), key=lambda c: -(c.effect or 0.0))
    if not told:
        first = "not enough data to compare" if few else "no column could be compared"
    elif gone:
        named = [f"{shown(c.name)} {figure(c)}".strip() for c in gone[:_NAMED]]
        if len(gone) > _NAMED:
            named.append(f"{len(gone) - _NAMED} more")
        first = f"{len(gone)} of {_columns(len(told))} drifted: {', '.join(named)}"
    else:
        first = f"none of {_columns(len(told))} drifted"
    said = [first]
    small = sum(c.verdict == "small" for c in told)
    if small:
        said.append(f"{small} changed a little")
    if few and told:
        said.append(f"{few} with too few rows to tell")
    grave = [c for c in schema_changes if c.grave]
    if grave:
        more = f", {len(grave) - _NAMED} more" if len(grave) > _NAMED else ""
        said.append("schema: " + ", ".join(c.words for c in grave[:_NAMED]) + more)
    if multivariate is not None and multivariate.verdict == "drifted":
        said.append("columns together: " + (multivariate.reasons[0] if multivariate.reasons else "drifted"))
    if performance is not None and performance.verdict == "drifted":
        said.append("model: " + (performance.reasons[0] if performance.reasons else "performance changed"))
    if drifted is False and (gone or grave):
        said.append("within what the rules allow")
    return "; ".join(said)


def _columns(n: int) -> str:
    return f"{n:,} column" if n == 1 else f"{n:,} columns"


def text(data: ReportData) -> str:
    """Return a comparison as a text of a few lines."""
    verdict = {True: "drifted", False: "not drifted", None: "not told"}[data.drifted]
    sides = " against ".join(f"{shown(s.name)} ({s.rows:,} rows)" for s in (data.reference, data.current))
    lines = [f"<DriftReport {data.name!r}: {verdict}; {sides}>", data.summary]
    rank = {"drifted": 0, "small": 1, "few": 2, "stable": 3, "skipped": 4}
    rows = sorted(data.columns, key=lambda c: (rank[c.verdict], -(c.effect or 0.0)))
    if rows:
        lines.append(f"  {'column':<24} {'kind':<12} {'verdict':<8} {'effect':>7} {'p adj.':>8}  why")
    for c in rows[:_ROWS]:
        effect = "-" if c.effect is None else f"{c.effect:.3f}"
        p = "-" if c.p_adjusted is None else f"{c.p_adjusted:.2g}"
        why = c.reasons[0] if c.reasons else figure(c)
        lines.append(f"  {shown(c.name):<24} {c.kind:<12} {c.verdict:<8} {effect:>7} {p:>8}  {why}".rstrip())
    if len(rows) > _ROWS:
        lines.append(f"  … and {_columns(len(rows) - _ROWS)} more")
    lines += [f"schema: {c.words}" for c in data.schema_changes[:_ROWS]]
    if len(data.schema_changes) > _ROWS:
        lines.append(f"schema: … and {len(data.schema_changes) - _ROWS} changes more")
    if data.performance is not None and data.performance.caveat:
        lines.append(data.performance.caveat)
    return "\n".join(lines)
