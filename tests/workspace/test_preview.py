"""Previews: bounded, JSON-able whatever the value, and never by loading all of it."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import AiosError, CorruptArtifactError, NotFoundError, ParameterError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.preview import MAX_CELL, MAX_ROWS, MAX_TEXT, preview


def look(ws: Workspace, value: Any, **page: int) -> dict[str, Any]:
    out = preview(ws, ws.artifacts.put(value), **page)
    assert json.loads(json.dumps(out, allow_nan=False)) == out, "not plain JSON"
    return out


@pytest.mark.parametrize(
    ("value", "kind", "total", "text"),
    [
        (pd.DataFrame({"a": [1, 2]}), "parquet", 2, None),
        (pd.DataFrame({"a": []}), "parquet", 0, None),
        (np.arange(3), "npy", 3, None),
        (np.zeros((4, 2)), "npy", 4, None),
        (np.array(3.5), "npy", None, "3.5"),
        (np.zeros((2, 2, 2)), "npy", None, "[[[0. 0.]\n  [0. 0.]]\n\n [[0. 0.]\n  [0. 0.]]]"),
        ({"a": [1]}, "json", None, '{\n  "a": [\n    1\n  ]\n}'),
        ("Ü<b>", "json", None, '"Ü<b>"'),
        (None, "json", None, "null"),
        ((1, 2), "pickle", None, "(1, 2)"),
    ],
)
def test_every_kind_has_a_look(
    ws: Workspace, value: Any, kind: str, total: int | None, text: str | None
) -> None:
    out = look(ws, value)
    assert (out["kind"], out["total"], out["text"], out["truncated"]) == (kind, total, text, False)
    assert out["bytes"] > 0
    assert len(out["rows"]) == (total or 0)


def test_pages_follow_each_other(ws: Workspace) -> None:
    frame = pd.DataFrame({"n": range(25)})
    pages = [look(ws, frame, offset=o, limit=10) for o in (0, 10, 20, 30)]
    assert [[r[0] for r in p["rows"]] for p in pages] == [
        [*range(10)],
        [*range(10, 20)],
        [*range(20, 25)],
        [],
    ]
    assert {p["total"] for p in pages} == {25}
    array = [look(ws, np.arange(25), offset=o, limit=10)["rows"] for o in (20, 30)]
    assert array == [[[n] for n in range(20, 25)], []]


@pytest.mark.parametrize(
    "page",
    [{"offset": -1}, {"limit": 0}, {"limit": MAX_ROWS + 1}, {"limit": "5"}, {"offset": 1.5}, {"limit": -3}],
)
def test_a_page_out_of_range_is_refused(ws: Workspace, page: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="preview takes"):
        preview(ws, ws.artifacts.put(pd.DataFrame({"a": [1]})), **page)


CELLS: dict[str, tuple[Any, Any]] = {
    "html": (["<img src=x onerror=alert(1)>"], "<img src=x onerror=alert(1)>"),
    "huge integer": (pd.array([2**62], dtype="int64"), str(2**62)),
    "unsigned": (np.array([2**64 - 1], dtype="uint64"), str(2**64 - 1)),
    "safe integer": ([2**53 - 1], 2**53 - 1),
    "nan": ([float("nan")], None),
    "infinity": ([float("-inf")], "-Infinity"),
    "none": ([None], None),
    "missing integer": (pd.array([None], dtype="Int64"), None),
    "date": ([dt.date(2026, 1, 2)], "2026-01-02"),
    "time": (pd.to_datetime(["2026-01-02T03:04:05"]), "2026-01-02T03:04:05"),
    "no time": (pd.to_datetime([None]), None),
    "zone": (pd.to_datetime(["2026-07-01"]).tz_localize("Europe/Berlin"), "2026-07-01T00:00:00+02:00"),
    "decimal": ([decimal.Decimal("1.10")], "1.10"),
    "long text": (["x" * 2000], "x" * (MAX_CELL - 1) + "…"),
    "category": (pd.Categorical(["a"]), "a"),
    "nul": (["a\x00b"], "a\x00b"),
    "boolean": ([True], True),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_cells_are_plain_and_say_what_they_are(ws: Workspace, kind: str) -> None:
    given_, shown = CELLS[kind]
    out = look(ws, pd.DataFrame({"c": given_}))
    assert out["kind"] == "parquet"
    assert out["rows"] == [[shown]]


def test_hostile_columns_and_quotes_in_the_path(tmp_path: Any) -> None:
    ws = Workspace(tmp_path / "o'brien; drop table" / ".aios")
    names = ["<img src=x onerror=alert(1)>", 'a"b', "select", "a'b", "x y", "Ü", "A", "a"]
    out = look(ws, pd.DataFrame([range(len(names))], columns=names))
    assert [c["name"] for c in out["columns"]] == names
    assert out["rows"] == [[*range(len(names))]]
    ws.close()


def test_an_index_that_says_something_is_shown(ws: Workspace) -> None:
    out = look(ws, pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="key")))
    assert out["columns"] == [{"name": "a", "type": "int64"}, {"name": "key", "type": "index"}]


def test_wide_arrays_and_long_texts_say_that_they_are_cut(ws: Workspace) -> None:
    wide = look(ws, np.zeros((2, 150)))
    assert (len(wide["columns"]), len(wide["rows"][0]), wide["truncated"]) == (100, 100, True)
    text = look(ws, "x" * (MAX_TEXT + 10))
    assert (len(text["text"]), text["truncated"]) == (MAX_TEXT, True)


@pytest.mark.parametrize(
    "value",
    [
        np.array([(1, "<b>", 1.5)], dtype=[("n", "i4"), ("t", "U3"), ("x", "f8")]),
        np.array(["2026-01-01", "NaT"], dtype="datetime64[ns]"),
        np.array([1 + 2j]),
        np.array([b"\xff", b"a"]),
        np.zeros((0, 3)),
        np.array([np.nan, np.inf]),
        pd.DataFrame({"p": pd.period_range("2026-01", periods=2, freq="M")}),
        pd.DataFrame({"i": pd.interval_range(0, 2)}),
        pd.DataFrame({"l": [[1, 2], None]}),
        pd.DataFrame({"t": pd.to_timedelta([1, None], unit="s")}),
        pd.DataFrame({"f": np.array([1.5], dtype="float16")}),
        pd.DataFrame({"b": [b"\xff\x00"]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        {float("nan"), 1},
        {"n": 2**80, "x": [float("nan"), float("inf")]},
    ],
    ids=lambda v: type(v).__name__,
)
def test_strange_values_have_a_look_too(ws: Workspace, value: Any) -> None:
    out = look(ws, value)
    assert out["rows"] or out["text"] or out["total"] == 0


def test_damaged_and_missing_blobs_are_said_not_shown(ws: Workspace) -> None:
    for value in (pd.DataFrame({"a": [1, 2]}), np.arange(50), {"a": 1}):
        artifact = ws.artifacts.put(value)
        path = ws.artifacts.path(artifact)
        path.write_bytes(b"PAR1 nothing of the kind")
        other = Workspace(ws.root)
        with pytest.raises(CorruptArtifactError, match="damaged"):
            preview(other, artifact)
        path.unlink()
        with pytest.raises((NotFoundError, CorruptArtifactError)) as e:
            preview(other, artifact)
        assert isinstance(e.value, AiosError)
        other.close()


@given(
    st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.binary()), min_size=1, max_size=5)
)
def test_any_column_can_be_looked_at(tmp_path_factory: Any, cells: list[Any]) -> None:
    ws = Workspace(tmp_path_factory.getbasetemp() / "preview" / ".aios")
    look(ws, pd.DataFrame({"c": pd.Series(cells, dtype=object)}))
    ws.close()
