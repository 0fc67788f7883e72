"""What a stored profile does not tell: values that few rows have. Counts of them still compare."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import replace

import numpy as np

from aios_workbench.drift.columntables import EmbeddingTable, Table, TextTable, TimeTable
from aios_workbench.drift.tables import CountTable, NumberTable

#: A value is told when so many rows have it.
FEW = 10
_DAY = 86_400


def hidden(table: Table, key: str) -> Table:
    """Return the same counts without what fewer than 10 rows share.

    Examples
    --------
    >>> table = hidden(CountTable.of(["often"] * 10 + ["once"]), "k")
    >>> table.values[0], "once" in table.values, table.counts.tolist()
    ('often', False, [10, 1])
    """
    if isinstance(table, NumberTable):
        return _numbers(table)
    if isinstance(table, CountTable):
        values = tuple(
            v if n >= FEW or _is_hidden(v) else _hash(v, key)
            for v, n in zip(table.values, table.counts.tolist(), strict=True)
        )
        return replace(table, values=values)
    if isinstance(table, TimeTable):
        return replace(
            table, minimum=math.floor(table.minimum / _DAY) * _DAY if math.isfinite(table.minimum) else math.nan,
            maximum=math.ceil(table.maximum / _DAY) * _DAY if math.isfinite(table.maximum) else math.nan,
        )  # fmt: skip
    if isinstance(table, TextTable):
        return TextTable(_numbers(table.lengths), _numbers(table.words))
    return EmbeddingTable(_numbers(table.norms), table.dimensions)


def matched(a: Table, b: Table, key: str) -> tuple[Table, Table]:
    """Return both with the same names for the same values, where one of them has rare values hidden.

    Examples
    --------
    >>> a, b = CountTable.of(["x"]), CountTable.of(["x", "y"])
    >>> one, two = matched(hidden(a, "k"), b, "k")
    >>> one.values[0] in two.values
    True
    """
    if not (isinstance(a, CountTable) and isinstance(b, CountTable)):
        return a, b
    veiled_a, veiled_b = ({v for v in t.values if _is_hidden(v)} for t in (a, b))
    return _renamed(a, veiled_b, set(b.values), key), _renamed(b, veiled_a, set(a.values), key)


def _renamed(table: CountTable, veiled: set[str], others: set[str], key: str) -> CountTable:
    if not veiled:
        return table
    values = []
    for v in table.values:
        name = v if v in others else _hash(v, key)
        values.append(name if name in veiled else v)
    return replace(table, values=tuple(values))


def _hash(value: str, key: str) -> str:
    digest = hmac.new(key.encode(), value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"(rare value {digest[:16]})"


def _is_hidden(value: str) -> bool:
    return value.startswith("(rare value ") and value.endswith(")") and len(value) == 29


def _numbers(table: NumberTable) -> NumberTable:
    if table.rows < FEW:  # their mean would tell much of each
        table = replace(table, mean=math.nan, m2=0.0)
    if table.by_value and bool((table.counts >= FEW).all()):
        return table
    coarse = table.on_grid()
    few = coarse.counts < FEW
    left, right = coarse.grid.edges(coarse.keys.astype(np.int64))
    # a cell without an end is told to one digit; an atom is a value that many rows of the plan's sample had
    left = np.where(np.isinf(left), _outward(table.minimum, -1), left)
    right = np.where(np.isinf(right), _outward(table.maximum, 1), right)
    middle = coarse.grid.z(left / 2 + right / 2)
    return replace(
        coarse, sums=np.where(few, middle * coarse.counts, coarse.sums),
        minimum=float(left.min()) if len(left) else math.nan,
        maximum=float(right.max()) if len(right) else math.nan,
    )  # fmt: skip


def _outward(value: float, direction: int) -> float:
    """Return a number of one digit beyond a value.

    Examples
    --------
    >>> _outward(-1234.5, -1), _outward(0.0, 1)
    (-2000.0, 0.0)
    """
    if value == 0 or not math.isfinite(value):
        return value
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    away = math.floor(value / unit) if direction < 0 else math.ceil(value / unit)
    found = away * unit
    return found if math.isfinite(found) else value
