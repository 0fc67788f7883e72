"""Two stored tables column by column: what the schema says, each column summed up, how far the values are apart.

The Jensen-Shannon distance (base 2, so 0 for equal and 1 for disjoint distributions) needs the same bins on both
sides. Numbers and times: the bins lie between the twentieths of both sides, so that each holds a like share.
Text and truth values: the most frequent values of both sides, everything else as one. Nulls are a bin of their own.

J. Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37 (1991); its square root is
a metric: D. M. Endres, J. E. Schindelin, IEEE Trans. Inf. Theory 49 (2003).
"""

# ruff: noqa: S608 - names are quoted, values are bound

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.observe.models import ColumnDiff
from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.fields import Field
from aios_workbench.workspace.models import ColumnProfile, TableProfile
from aios_workbench.workspace.source import Source, open_source
from aios_workbench.workspace.tables import profile

_PARTS = 20
_FREQUENT = 100
_SECONDS = 60.0


def columns(ws: Workspace, a: Artifact, b: Artifact) -> tuple[list[ColumnDiff], str]:
    """Compare two tables; return their columns, in the order of `b`, and a word on what was left out.

    Raises
    ------
    AiosError
        When a file is damaged or gone, or it took too long.
    """
    one, two = profile(ws, a), profile(ws, b)
    before, after = ({c.name: c for c in p.columns} for p in (one, two))
    far = _distances(ws, a, b, before, after)
    out = []
    for name in dict.fromkeys((*after, *before)):
        left, right = before.get(name), after.get(name)
        distance = far.get(name)
        out.append(
            ColumnDiff(name=name, change=_change(left, right, distance), a=left, b=right, distance=distance)
        )
    return out, _note(one, two)


def _note(*sides: TableProfile) -> str:
    said = []
    if any(len(p.columns) < (p.total_columns or 0) for p in sides):
        said.append(f"the first {max(len(p.columns) for p in sides)} columns are compared")
    if any(p.sampled for p in sides):
        said.append("the figures are of a sample of the rows")
    return "; ".join(said)


def _change(a: ColumnProfile | None, b: ColumnProfile | None, distance: float | None) -> Any:
    if a is None or b is None:
        return "added" if a is None else "removed"
    return "changed" if distance or a.type != b.type or a.model_dump() != b.model_dump() else "same"


def _distances(
    ws: Workspace,
    a: Artifact,
    b: Artifact,
    before: Mapping[str, ColumnProfile],
    after: Mapping[str, ColumnProfile],
) -> dict[str, float]:
    shared = [n for n, c in after.items() if n in before and before[n].kind == c.kind != "other"]
    found: dict[str, float] = {}
    if not shared:
        return found
    with open_source(ws, a, seconds=_SECONDS) as left, open_source(ws, b, seconds=_SECONDS) as right:
        sides = left, right
        for name in shared:
            with contextlib.suppress(AiosError):  # a column of a type that cannot be cast: no distance
                measured = _numbers if after[name].kind in ("number", "time") else _values
                counts = measured(sides, (left.field(name), right.field(name)))
                if counts is not None:
                    found[name] = jensen_shannon(*counts)
    return found


def _ask(source: Source, query: str, values: Any = None) -> list[tuple[Any, ...]]:
    import duckdb

    source.prepare()
    try:
        return list(source.con.execute(query, values).fetchall())
    except duckdb.Error as e:
        raise AiosError(str(e)) from None


def _number(field: Field) -> str:
    return f"epoch({field.value})" if field.kind == "time" else f"cast({field.value} as double)"


def _numbers(
    sides: tuple[Source, Source], fields: tuple[Field, Field]
) -> tuple[Counter[Any], Counter[Any]] | None:
    shares = [i / _PARTS for i in range(1, _PARTS)]
    edges: set[float] = set()
    for source, field in zip(sides, fields, strict=True):
        number = _number(field)
        query = f"select approx_quantile({number}, {shares}) filter (where isfinite({number})) from {source.table}"
        edges.update(v for v in _ask(source, query)[0][0] or () if v is not None and math.isfinite(v))
    bins = sorted(edges)
    out: list[Counter[Any]] = []
    for source, field in zip(sides, fields, strict=True):
        number = _number(field)
        bounds = "[" + ", ".join(f"{v!r}::double" for v in bins) + "]"
        inner = f"select {number} as v from {source.table}"
        told = f"histogram(v, {bounds}) filter (where isfinite(v)), " if bins else "null, "
        row = _ask(
            source, f"select {told}count(*) - count(v), count(*) filter (where isinf(v)) from ({inner})"
        )[0]
        counts: dict[Any, int] = {("bin", edge): n for edge, n in (row[0] or {}).items()}
        out.append(Counter({**counts, "null": row[1], "infinite": row[2]}))
    return out[0], out[1]


def _values(
    sides: tuple[Source, Source], fields: tuple[Field, Field]
) -> tuple[Counter[Any], Counter[Any]] | None:
    frequent: dict[str, None] = {}
    for source, field in zip(sides, fields, strict=True):
        query = (
            f"select cast({field.quoted} as varchar) as v from {source.table} where v is not null group by v "
            f"order by count(*) desc, v limit {_FREQUENT}"
        )
        frequent.update(dict.fromkeys(r[0] for r in _ask(source, query)))
    out = []
    for source, field in zip(sides, fields, strict=True):
        query = (
            f"select case when v is null then 'null' when list_contains(?, v) then 'is ' || v else 'other' end as k, "
            f"count(*) from (select cast({field.quoted} as varchar) as v from {source.table}) group by k"
        )
        out.append(Counter(dict(_ask(source, query, [list(frequent)]))))
    return out[0], out[1]


def jensen_shannon(a: Mapping[Any, float], b: Mapping[Any, float]) -> float:
    """Return the Jensen-Shannon distance of two histograms over the same bins: 0 to 1.

    Examples
    --------
    >>> jensen_shannon({"x": 1}, {"x": 5}), jensen_shannon({"x": 1}, {"y": 1})
    (0.0, 1.0)
    >>> round(jensen_shannon({"x": 1, "y": 1}, {"x": 1}), 4)
    0.5579
    """
    total_a, total_b = sum(a.values()), sum(b.values())
    if not total_a or not total_b:
        return 0.0 if total_a == total_b else 1.0
    divergence = 0.0
    for key in {*a, *b}:
        p, q = a.get(key, 0) / total_a, b.get(key, 0) / total_b
        middle = (p + q) / 2
        for share in (p, q):
            if share > 0:
                divergence += share * math.log2(share / middle) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))
