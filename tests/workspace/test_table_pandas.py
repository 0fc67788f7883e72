"""Sorted, filtered and paged by DuckDB from the file: the same rows as with pandas in memory."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import BERLIN, HOSTILE, ask

from aios_workbench.workspace import Workspace, paging
from aios_workbench.workspace.models import TableQuery
from aios_workbench.workspace.tables import table, table_frame


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("column", ["n", "s", "t", "few", "none"])
@pytest.mark.parametrize("where", [None, "n > 3000"])
def test_deep_pages_are_the_same_by_bracket(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, column: str, where: str | None, *, descending: bool
) -> None:
    r = np.random.default_rng(3)
    n = r.integers(0, 10_000, 5000)
    frame = pd.DataFrame(
        {
            "n": n,
            "s": [f"s{v % 997}" for v in n],
            "t": pd.Timestamp("2026-01-01") + pd.to_timedelta(n, unit="h"),
            "few": n % 3,
            "none": pd.array([v if v % 2 else None for v in n], dtype="Int64"),
            "row": range(5000),
        }
    )
    artifact = ws.artifacts.put(frame)
    query: dict[str, Any] = {
        "sort": [{"column": column, "descending": descending}],
        "columns": ["row"],
        "where": where,
    }
    offsets = (0, 900, 1700, 2600, 3300, 4980)
    straight = [ask(ws, artifact, **query, offset=o, limit=30).rows for o in offsets]
    monkeypatch.setattr(paging, "DEEP", 10)
    assert [ask(ws, artifact, **query, offset=o, limit=30).rows for o in offsets] == straight
    kept = frame if where is None else frame.query(where)
    expected = kept.sort_values(column, ascending=not descending, kind="stable", na_position="last")["row"]
    assert [[r[0] for r in page] for page in straight] == [list(expected[o : o + 30]) for o in offsets]


EARLY, LATE = pd.Timestamp("2000-01-01").to_pydatetime(), pd.Timestamp("2030-01-01").to_pydatetime()
ZONED = st.datetimes(EARLY, LATE, timezones=st.just(BERLIN), allow_imaginary=False)
SCALARS: dict[str, Any] = {
    "int": st.integers(-5, 5),
    "float": st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf, 0.1, -2.5, 3.0])),
    "text": st.one_of(st.none(), st.text(max_size=3)),
    "time": st.one_of(st.none(), st.datetimes(EARLY, LATE)),
    "zoned": st.one_of(st.none(), ZONED),
    "bool": st.booleans(),
    "category": st.sampled_from(["x", "y", None]),
}


@st.composite
def asked(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A random frame under hostile names, and a random question about it."""
    kinds = draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=4))
    names = draw(
        st.lists(
            st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=5)),
            min_size=len(kinds),
            max_size=len(kinds),
            unique=True,
        )
    )
    rows = draw(st.integers(0, 12))
    frame = pd.DataFrame(index=range(rows))
    for name, kind in zip(names, kinds, strict=True):
        values = draw(st.lists(SCALARS[kind], min_size=rows, max_size=rows))
        frame[name] = _series(kind, values)
    sort = [
        {"column": n, "descending": draw(st.booleans())}
        for n in draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    ]
    conditions = []
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        value = draw(SCALARS[kinds[names.index(name)]].filter(lambda v: not pd.isna(v)))
        op = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "is_null", "not_null"]))
        conditions.append({"column": name, "op": op, "value": [value] if op == "in" else value})
    return frame, {
        "sort": sort,
        "filters": conditions,
        "offset": draw(st.integers(0, 5)),
        "limit": draw(st.integers(1, 8)),
    }


def _series(kind: str, values: list[Any]) -> Any:
    types = {
        "time": "datetime64[us]",
        "zoned": "datetime64[us, Europe/Berlin]",
        "category": "category",
        "text": "str",
        "float": "float64",
    }
    if kind == "zoned":
        return pd.Series(
            [None if v is None else v.astimezone(dt.UTC) for v in values], dtype="datetime64[us, UTC]"
        ).dt.tz_convert(BERLIN)
    return pd.Series(values, dtype=types.get(kind, {"int": "int64", "bool": "bool"}.get(kind)))


def by_pandas(frame: pd.DataFrame, query: dict[str, Any]) -> pd.DataFrame:
    """The same by loading it."""
    compare = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
    kept = frame.assign(**{c: frame[c].astype("str") for c in frame if frame[c].dtype.name == "category"})
    for f in query["filters"]:
        column, value = kept[f["column"]], f["value"]
        if f["op"] == "is_null":
            mask = column.isna()
        elif f["op"] == "not_null":
            mask = column.notna()
        elif f["op"] == "in":
            mask = column.isin(value)
        else:
            mask = getattr(column, compare[f["op"]])(value) & column.notna()
        kept = kept[mask.astype(bool)]
    if query["sort"]:
        by, up = [s["column"] for s in query["sort"]], [not s["descending"] for s in query["sort"]]
        kept = kept.sort_values(by, ascending=up, kind="stable", na_position="last")
    return kept


@settings(max_examples=150)
@given(asked())
def test_the_same_rows_as_pandas(
    tmp_path_factory: Any, question: tuple[pd.DataFrame, dict[str, Any]]
) -> None:
    frame, query = question
    ws = Workspace(tmp_path_factory.getbasetemp() / "tables" / ".aios")
    try:
        artifact = ws.artifacts.put(frame)
        expected = by_pandas(frame, query)
        page = table(ws, artifact, TableQuery.model_validate(query))
        found = table_frame(ws, artifact, TableQuery.model_validate(query))
        part = expected.iloc[query["offset"] : query["offset"] + query["limit"]]
        assert (page.total, page.matched, len(page.rows)) == (len(frame), len(expected), len(part))
        back = found.assign(**{c: found[c].astype("str") for c in found if found[c].dtype.name == "category"})
        pd.testing.assert_frame_equal(back, part.reset_index(drop=True), check_dtype=False)
    finally:
        ws.close()
