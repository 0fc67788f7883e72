"""Tables looked at without loading them: pages, names, arrays, and what is no table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stored import FRAME, HOSTILE, ask

from aios_workbench.errors import ConflictError, CorruptArtifactError, NotFoundError
from aios_workbench.workspace import Workspace, source
from aios_workbench.workspace.models import TableQuery
from aios_workbench.workspace.sql import query_output
from aios_workbench.workspace.tables import sql_page, table_frame


def test_cells_are_shown_in_their_own_zone_and_type(ws: Workspace) -> None:
    page = ask(ws, FRAME, limit=1)
    shown = dict(zip([c.name for c in page.columns], page.rows[0], strict=True))
    assert (shown["t"], shown["m"], shown["big"]) == ("2026-07-01T00:00:00+02:00", "1.10", str(2**62))
    assert [c.type for c in page.columns][:3] == ["int64", "float64", "str"]


def test_the_page_as_a_frame_has_the_stored_types(ws: Workspace) -> None:
    found = table_frame(ws, ws.artifacts.put(FRAME), TableQuery())
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=True)


def test_pages_of_a_sorted_table_join_without_gaps(ws: Workspace) -> None:
    artifact = ws.artifacts.put(pd.DataFrame({"k": [i % 3 for i in range(100)], "i": range(100)}))
    pages = [
        ask(ws, artifact, sort=[{"column": "k", "descending": True}], offset=o, limit=7)
        for o in range(0, 105, 7)
    ]
    seen = [r[1] for p in pages for r in p.rows]
    assert seen == sorted(range(100), key=lambda i: (-(i % 3), i))
    assert {(p.total, p.matched) for p in pages} == {(100, 100)}


@pytest.mark.parametrize("name", HOSTILE, ids=lambda n: repr(n)[:20])
def test_every_name_can_be_sorted_filtered_and_profiled_by(ws: Workspace, name: str) -> None:
    frame = pd.DataFrame([[i * 10 + j for j in range(len(HOSTILE))] for i in (2, 0, 1)], columns=HOSTILE)
    artifact = ws.artifacts.put(frame)
    page = ask(ws, artifact, sort=[{"column": name}], columns=[name])
    assert [c.name for c in page.columns] == [name]
    assert [r[0] for r in page.rows] == sorted(frame[name])
    found = query_output(ws, artifact, page.sql)
    assert found.iloc[:, 0].tolist() == sorted(frame[name])
    least = int(frame[name].min())
    assert ask(ws, artifact, filters=[{"column": name, "op": "=", "value": least}]).matched == 1


def test_two_thousand_columns(ws: Workspace) -> None:
    frame = pd.DataFrame(np.arange(6000).reshape(3, 2000), columns=[f"c{i}" for i in range(2000)])
    page = ask(ws, frame, sort=[{"column": "c1999", "descending": True}])
    assert (len(page.columns), page.rows[0][1999], page.truncated) == (2000, 5999, False)
    many = ask(ws, pd.concat([frame] * 50, ignore_index=True), limit=500)
    assert len(many.rows) == 100
    assert many.truncated


ARRAYS: list[tuple[Any, list[Any]]] = [
    (np.array([2.0, math.nan, math.inf, -1.0]), [-1.0, 2.0, "Infinity", "NaN"]),
    (np.array([3, 1, 2], dtype=">i4"), [1, 2, 3]),
    (np.array([1.5, 0.5], dtype="float16"), [0.5, 1.5]),
    (np.array([1.5, 0.5], dtype="longdouble"), [0.5, 1.5]),
    (np.array(["b", "", "<b>"]), ["", "<b>", "b"]),
    (np.array([b"b", b"\xff"]), ["b'b'", "b'\\xff'"]),
    (
        np.array(["2026-01-02", "NaT", "2026-01-01"], dtype="datetime64[ns]"),
        ["2026-01-01T00:00:00", "2026-01-02T00:00:00", None],
    ),
    (np.array(["2026-02", "2026-01"], dtype="datetime64[M]"), ["2026-01-01", "2026-02-01"]),
    (np.array([90, 30], dtype="timedelta64[m]"), ["0:30:00", "1:30:00"]),
    (np.array([True, False]), [False, True]),
    (np.array([2**64 - 1, 0], dtype="uint64"), [0, str(2**64 - 1)]),
    (np.zeros((0,)), []),
]


@pytest.mark.parametrize(("array", "rows"), ARRAYS, ids=lambda v: str(getattr(v, "dtype", "")))
@pytest.mark.parametrize("small", [True, False])
def test_arrays_are_tables_too(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, array: Any, rows: list[Any], *, small: bool
) -> None:
    if not small:
        monkeypatch.setattr(source.ArraySource, "_BATCH", 1)
        monkeypatch.setattr(source, "SMALL_ARRAY", -1)
    page = ask(ws, array, sort=[{"column": "0"}])
    assert [r[0] for r in page.rows] == rows
    assert ask(ws, array, where='"0" is not null').total == len(array)


def test_two_dimensional_arrays_by_column_and_layout(ws: Workspace) -> None:
    array = np.arange(300).reshape(100, 3)
    for stored in (array, np.asfortranarray(array), array[:, ::-1][:, ::-1]):
        page = ask(
            ws,
            stored,
            sort=[{"column": "2", "descending": True}],
            filters=[{"column": "0", "op": "<", "value": 30}],
            limit=2,
        )
        assert (page.rows, page.matched) == ([[27, 28, 29], [24, 25, 26]], 10)
    wide = ask(ws, np.zeros((2, 3000)))
    assert (len(wide.columns), wide.truncated) == (2000, True)
    assert query_output(ws, ws.artifacts.put(array), 'select max("1") from output').iloc[0, 0] == 298


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((2, 2, 2)),
        np.array(1.0),
        np.array([1j]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        {"a": 1},
        {1, 2},
        "x",
    ],
    ids=lambda v: str(getattr(v, "dtype", type(v).__name__)),
)
def test_what_is_no_table_says_so(ws: Workspace, value: Any) -> None:
    with pytest.raises(ConflictError, match="not a table"):
        ask(ws, value)


ODD: list[tuple[Any, list[str], list[Any]]] = [
    (pd.Series([3, 1], name="s", index=["x", "y"]), ["index 0", "s"], ["y", 1]),
    (pd.Series([3, 1]), ["value"], [1]),
    (pd.DataFrame({"n": [2, 1], "l": [[1, 2], None]}), ["n", "l"], [1, None]),
    (pd.DataFrame({"n": ["b", 1]}, dtype=object), ["n"], ["1"]),
    (pd.DataFrame([[2, 5], [1, 6]], columns=["a", "a"]), ["a", "a (2)"], [1, 6]),
    (
        pd.DataFrame([[2, 5], [1, 6]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        ["a / b", "a / c"],
        [1, 6],
    ),
    (pd.DataFrame([[2], [1]], columns=[7]), ["7"], [1]),
]


@pytest.mark.parametrize(("value", "names", "least"), ODD, ids=range(len(ODD)))
def test_frames_parquet_cannot_keep_are_still_tables(
    ws: Workspace, value: Any, names: list[str], least: list[Any]
) -> None:
    artifact = ws.artifacts.put(value)
    ws.catalog.flush()
    assert artifact.kind == "pickle"
    page = ask(
        ws,
        ws.artifacts.find(artifact.hash),
        sort=[{"column": names[-1] if names[-1] in ("s", "value") else names[0]}],
    )
    assert ([c.name for c in page.columns], page.rows[0]) == (names, least)
    assert type(ws.artifacts.get(artifact)) is type(value)


def test_damage_and_loss_are_said(ws: Workspace) -> None:
    for value in (FRAME, np.arange(1000)):
        artifact = ws.artifacts.put(value)
        path = ws.artifacts.path(artifact)
        good = path.read_bytes()
        for bad in (b"", good[:-1], b"PAR1" + bytes(len(good) - 4)):
            path.write_bytes(bad)
            with pytest.raises(CorruptArtifactError, match="damaged"):
                ask(ws, artifact)
        path.unlink()
        for call in (lambda a=artifact: ask(ws, a), lambda a=artifact: sql_page(ws, a, "from output")):
            with pytest.raises(NotFoundError, match="aios gc"):
                call()
