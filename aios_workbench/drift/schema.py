"""What changed of the data's shape: columns, types, values that may occur, before any distribution is compared.

A change is grave when code that read the reference would fail or read nothing: a column missing, renamed or of
another type, or empty all of a sudden. Everything else is told when it is more than chance explains (p < .001), and
left to the statistics to judge, so that clean data raises no alarm here.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from aios_workbench.drift.models import Kind, SchemaChange
from aios_workbench.drift.summary import shown
from aios_workbench.drift.tables import CountTable, NumberTable, together

Table = NumberTable | CountTable

#: Less likely than this under chance alone: told.
_UNLIKELY = 0.001
#: So alike must be the names of a column that was renamed, and so near its distributions at least.
_LIKE, _NEAR = 0.6, 0.15
_NAMED = 3


@dataclass(frozen=True)
class Facts:
    """What is known of a column on one side; `distinct` of an id's values, where they were counted."""

    type: str  # DuckDB's
    kind: Kind
    table: Table | None = None
    distinct: int | None = None


def changes(
    reference: Mapping[str, Facts], current: Mapping[str, Facts], rows: tuple[int, int]
) -> list[SchemaChange]:
    """Return what changed between two sides, the grave changes first.

    Parameters
    ----------
    rows : (int, int)
        Of the reference, and of the current side.

    Examples
    --------
    >>> a = {"age": Facts("BIGINT", "numeric"), "income": Facts("DOUBLE", "numeric")}
    >>> b = {"age": Facts("VARCHAR", "text")}
    >>> [(c.column, c.change) for c in changes(a, b, (10, 10))]
    [('income', 'missing'), ('age', 'type')]
    """
    found: list[SchemaChange] = []
    if not rows[1] and rows[0]:
        return [
            _change("", "empty", "the current side has no rows", grave=True, values=(f"{rows[0]:,}", "0"))
        ]
    missing = [n for n in reference if n not in current]
    new = [n for n in current if n not in reference]
    renamed = _renamed(missing, new, reference, current)
    for old, now in renamed.items():
        words = f"{shown(old)} seems to be called {shown(now)} now"
        found.append(_change(old, "renamed", words, grave=True, values=(old, now)))
    for name in missing:
        if name not in renamed:
            words = f"{shown(name)} is missing{_case(name, new)}"
            found.append(_change(name, "missing", words, grave=True, values=(reference[name].type, None)))
    found += [
        _change(name, "new", f"{shown(name)} is new", values=(None, current[name].type))
        for name in new
        if name not in renamed.values()
    ]
    for name, was in reference.items():
        now = renamed.get(name, name)
        if now in current:
            found += _column(name, was, current[now], rows)
    return sorted(found, key=lambda c: not c.grave)


def _change(
    column: str, change: str, words: str, *, grave: bool = False,
    values: tuple[str | None, str | None] = (None, None),
) -> SchemaChange:  # fmt: skip
    return SchemaChange.model_validate(
        {"column": column, "change": change, "grave": grave, "words": words, "reference": values[0],
         "current": values[1]}
    )  # fmt: skip


def _case(name: str, new: Iterable[str]) -> str:
    other = next((n for n in new if n.casefold() == name.casefold()), None)
    return "" if other is None else f"; {shown(other)} differs from it only in case"


def _column(name: str, was: Facts, now: Facts, rows: tuple[int, int]) -> list[SchemaChange]:
    found: list[SchemaChange] = []
    if was.type != now.type:
        grave = _family(was.type) != _family(now.type)
        words = f"{shown(name)} is {now.type}, was {was.type}"
        found.append(_change(name, "type", words, grave=grave, values=(was.type, now.type)))
    if was.distinct is not None and now.distinct is not None and was.kind == "id":
        lost = was.distinct >= rows[0] and now.distinct < rows[1]
        if lost:
            words = f"{shown(name)} has {rows[1] - now.distinct:,} duplicates; it had none"
            found.append(_change(name, "duplicates", words, values=("0", f"{rows[1] - now.distinct}")))
    a, b = was.table, now.table
    if a is None or b is None or not a.total or not b.total:
        return found
    empty = _empty(name, a, b)
    if empty is not None:
        return [*found, empty]
    found += _nulls(name, a, b)
    if isinstance(a, NumberTable) and isinstance(b, NumberTable):
        found += [*_range(name, a, b), *_constant(name, a, b)]
    elif isinstance(a, CountTable) and isinstance(b, CountTable):
        if was.kind in ("categorical", "boolean"):
            found += [*_new_values(name, a, b), *_gone_values(name, a, b), *_cardinality(name, a, b)]
        found += _constant(name, a, b)
    return found


_FAMILIES = {
    "number": r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL.*|NUMERIC.*",
    "boolean": r"BOOLEAN",
    "moment": r"DATE|TIMESTAMP.*",
    "time": r"TIME.*",
    "text": r"VARCHAR|ENUM.*|UUID",
    "numbers": r"(FLOAT|DOUBLE|DECIMAL.*|[A-Z]*INT(EGER)?)\[\d*\]",
}


def _family(kind: str) -> str:
    """Return what code may do with a type: one number takes the place of another, not that of a text."""
    return next((f for f, pattern in _FAMILIES.items() if re.fullmatch(pattern, kind.upper())), kind)


def _empty(name: str, a: Table, b: Table) -> SchemaChange | None:
    if b.nulls < b.total or a.nulls == a.total:
        return None
    # that all of them are null by chance
    chance = (a.nulls / a.total) ** b.total
    words = f"{shown(name)} is empty: all of its {b.total:,} values are null"
    values = (_percent(a.nulls / a.total), _percent(1.0))
    return _change(name, "empty", words, grave=chance < _UNLIKELY, values=values)


def _nulls(name: str, a: Table, b: Table) -> list[SchemaChange]:
    """Tell of another share of nulls: two-proportion z-test, pooled variance."""
    one, two, n, m = a.nulls / a.total, b.nulls / b.total, a.total, b.total
    pooled = (a.nulls + b.nulls) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    if not error or abs(two - one) < 0.01 or math.erfc(abs(two - one) / error / math.sqrt(2)) >= _UNLIKELY:
        return []
    words = f"{shown(name)} has {_percent(two)} nulls, had {_percent(one)}"
    return [_change(name, "nulls", words, values=(_percent(one), _percent(two)))]


def _range(name: str, a: NumberTable, b: NumberTable) -> list[SchemaChange]:
    """Tell of values beyond the reference's: of n + m alike, the k greatest all being new has odds (m/(n+m))**k.

    Source: Gumbel and von Schelling, The distribution of the number of exceedances, 1950.
    """
    if not a.rows or not b.rows:
        return []
    left, right = b.edges()
    below, above = int(b.counts[right < a.minimum].sum()), int(b.counts[left > a.maximum].sum())
    share = b.rows / (a.rows + b.rows)
    if min(share**below, share**above) * 2 >= _UNLIKELY:
        return []
    outside = (below + above) / b.rows
    words = (
        f"{shown(name)} goes from {b.minimum:g} to {b.maximum:g}, went from {a.minimum:g} to {a.maximum:g}; "
        f"{_percent(outside)} of rows lie beyond"
    )
    return [
        _change(name, "range", words,
                values=(f"{a.minimum:g} to {a.maximum:g}", f"{b.minimum:g} to {b.maximum:g}"))
    ]  # fmt: skip


def _constant(name: str, a: Table, b: Table) -> list[SchemaChange]:
    if len(b.counts) != 1 or b.rows < 2 or (isinstance(b, CountTable) and not b.exact):
        return []
    if isinstance(b, NumberTable) and b.minimum != b.maximum:
        return []
    # the odds that all have the value that is most frequent in the reference
    most = float(a.counts.max()) / a.rows if a.rows and len(a.counts) else 0.0
    if len(a.counts) < 2 or most**b.rows >= _UNLIKELY:
        return []
    values = ("several values", "one value")
    return [_change(name, "constant", f"{shown(name)} has one value only", values=values)]


def _new_values(name: str, a: CountTable, b: CountTable) -> list[SchemaChange]:
    new = _alone(b, a)
    if not new:
        return []
    share = _percent(sum(n for _, n in new) / b.rows)
    words = f"{shown(name)} has {_values(new)} that it never had, in {share} of rows"
    return [_change(name, "new_categories", words, values=(None, ", ".join(v for v, _ in new[:_NAMED])))]


def _gone_values(name: str, a: CountTable, b: CountTable) -> list[SchemaChange]:
    gone = _alone(a, b)
    if not gone:
        return []
    share = _percent(sum(n for _, n in gone) / a.rows)
    words = f"{shown(name)} has lost {_values(gone)}, once in {share} of rows"
    return [_change(name, "gone_categories", words, values=(", ".join(v for v, _ in gone[:_NAMED]), None))]


def _alone(one: CountTable, other: CountTable) -> list[tuple[str, int]]:
    """Return the values one side has alone, with their rows, when it is more than chance explains.

    Were both sides drawn from the same rows, all t rows with a value would be on one side of N rows in all with odds
    (n/N)**t. Told is a value for which that is unlikely (corrected for all values), and all of them when their number
    is (Bernstein's inequality).
    """
    if not (one.exact and other.exact and one.rows and other.rows):
        return []
    there = set(other.values)
    alone = [(v, int(n)) for v, n in zip(one.values, one.counts, strict=True) if v not in there]
    if not alone:
        return []
    odds = one.rows / (one.rows + other.rows)
    both = dict(zip(one.values, one.counts.tolist(), strict=True))
    for v, n in zip(other.values, other.counts.tolist(), strict=True):
        both[v] = both.get(v, 0) + n
    totals = np.array(list(both.values()), float)
    chances = odds**totals
    more = len(alone) - float(chances.sum())
    spread = float((chances * (1 - chances)).sum())
    if more > 0 and math.exp(-more * more / (2 * (spread + more / 3))) < _UNLIKELY:
        return alone
    return [(v, n) for v, n in alone if odds**n * len(totals) < _UNLIKELY]


def _cardinality(name: str, a: CountTable, b: CountTable) -> list[SchemaChange]:
    """Tell when there are twice or half as many different values as in equally many rows of the other side."""
    if not (a.exact and b.exact and a.rows and b.rows):
        return []
    n = min(a.rows, b.rows)
    one, two = _expected(a, n), _expected(b, n)
    if max(one, two) <= 2 * min(one, two) + 5:
        return []
    words = f"{shown(name)} has {len(b.values):,} different values, had {len(a.values):,}"
    return [_change(name, "cardinality", words, values=(f"{len(a.values)}", f"{len(b.values)}"))]


def _expected(table: CountTable, rows: int) -> float:
    """Return how many different values so many of the rows have (rarefaction, drawn with replacement)."""
    if rows >= table.rows:
        return float(len(table.values))
    return float((1 - (1 - table.counts / table.rows) ** rows).sum())


def _values(found: list[tuple[str, int]]) -> str:
    named = ", ".join(repr(shown(v)) for v, _ in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{len(found)} value{'s' if len(found) > 1 else ''} ({named}{more})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


# -- columns that have another name now


def _renamed(
    missing: list[str], new: list[str], reference: Mapping[str, Facts], current: Mapping[str, Facts]
) -> dict[str, str]:
    """Return old -> new name of columns whose names are alike and whose values are, the most alike first."""
    pairs = []
    for old in missing:
        for now in new:
            likeness, a, b = alike(old, now), reference[old], current[now]
            if likeness < _LIKE or _family(a.type) != _family(b.type):
                continue
            distance = apart(a.table, b.table)
            if distance is not None and distance <= 1:
                pairs.append((likeness - distance, old, now))
    found: dict[str, str] = {}
    for _, old, now in sorted(pairs, key=lambda p: -p[0]):
        if old not in found and now not in found.values():
            found[old] = now
    return found


def alike(one: str, two: str) -> float:
    """Return how alike two names are, from 0 to 1: of their letters, or of their words.

    Examples
    --------
    >>> alike("Zip Code", "zip_code"), alike("income", "annual_income") > 0.6, alike("age", "state") > 0.6
    (1.0, True, False)
    """
    words = [re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", n).casefold()) for n in (one, two)]
    joined = ["".join(w) for w in words]
    if not all(joined):
        return 0.0
    letters = difflib.SequenceMatcher(None, joined[0], joined[1]).ratio()
    common = set(words[0]) & set(words[1])
    return max(float(letters), 0.7 if sum(map(len, common)) >= 4 else 0.0)


def apart(a: Table | None, b: Table | None) -> float | None:
    """Return how far two columns' values are from each other, where 1 is the most a renamed one may be.

    KS of numbers, total variation of others, in units of .15 or what chance alone allows; None: cannot be compared.
    """
    if a is None or b is None or not a.rows or not b.rows:
        return None
    chance = 1.95 * math.sqrt(1 / a.rows + 1 / b.rows)  # KS at p = .001 (Smirnov 1948)
    if isinstance(a, NumberTable) and isinstance(b, NumberTable):
        try:
            one, two = together(a, b)
        except ValueError:  # in cells of different grids: where the one's quantiles lie in the other
            levels = np.linspace(0.05, 0.95, 19)
            distance = float(np.abs(_below(b, _quantiles(a, levels)) - levels).max())
        else:
            keys = np.union1d(one.keys, two.keys)
            shares = [np.zeros(len(keys)), np.zeros(len(keys))]
            for at, table in enumerate((one, two)):
                shares[at][np.searchsorted(keys, table.keys)] = table.counts / table.rows
            distance = float(np.abs(np.cumsum(shares[0] - shares[1])).max())
        return distance / max(_NEAR, chance)
    if isinstance(a, CountTable) and isinstance(b, CountTable):
        p = {v: n / a.rows for v, n in zip(a.values, a.counts, strict=True)}
        q = {v: n / b.rows for v, n in zip(b.values, b.counts, strict=True)}
        distance = sum(abs(p.get(v, 0.0) - q.get(v, 0.0)) for v in {*p, *q}) / 2
        return float(distance) / max(_NEAR, chance * math.sqrt(max(len(p), 1)))
    return None


def _quantiles(table: NumberTable, levels: np.ndarray) -> np.ndarray:
    left, right = table.edges()
    up_to = np.cumsum(table.counts) / table.rows
    at = np.minimum(np.searchsorted(up_to, levels), len(up_to) - 1)
    middle: np.ndarray = (left[at] + right[at]) / 2
    return middle


def _below(table: NumberTable, values: np.ndarray) -> np.ndarray:
    left, right = table.edges()
    up_to = np.concatenate([[0.0], np.cumsum(table.counts) / table.rows])
    # half of a cell that holds the value lies below it
    found: np.ndarray = (
        up_to[np.searchsorted(right, values)] + up_to[np.searchsorted(left, values, "right")]
    ) / 2
    return found
