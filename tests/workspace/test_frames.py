"""Data frames and arrays come back with every dtype, index and shape."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from stored import there_and_back

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a'b\"c",
    "x; drop table runs",
    "",
    " ",
    "Ü\U0001f600",
    "a\nb",
    "../../etc",
    "\x00",
]

DTYPES = {
    "int8": pd.array([1, -2, 3], dtype="int8"),
    "uint64": np.array([0, 1, 2**64 - 1], dtype="uint64"),
    "float16": np.array([1.5, np.nan, -np.inf], dtype="float16"),
    "float32": np.array([1.5, np.nan, np.inf], dtype="float32"),
    "float64": [1e308, -0.0, np.nan],
    "complex": np.array([1 + 2j, np.nan, 0]),
    "bool": [True, False, True],
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "Float32": pd.array([1.5, None, 3], dtype="Float32"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "str": ["a", None, "\U0001f600"],
    "string": pd.array(["a", None, "c"], dtype="string"),
    "category": pd.Categorical(["b", None, "a"], categories=["b", "a", "unused"]),
    "ordered": pd.Categorical(["low", "high", None], categories=["low", "high"], ordered=True),
    "category of numbers": pd.Categorical([3, 1, 3]),
    "datetime": pd.to_datetime(["2026-01-01", None, "1700-01-01T00:00:00.123456"], format="ISO8601"),
    "datetime ns": pd.DatetimeIndex(["2026-01-01T00:00:00.123456789", None], dtype="datetime64[ns]").repeat([2, 1]),
    "datetime tz": pd.DatetimeIndex(["2026-03-29T01:30", None, "2026-10-25T00:00"], tz="Europe/Berlin"),
    "timedelta": pd.to_timedelta([1, None, 3], unit="s"),
    "period": pd.period_range("2026-01", periods=3, freq="M"),
    "interval": pd.interval_range(0, 3),
    "date objects": [dt.date(2026, 1, 1), None, dt.date(1, 1, 1)],
    "decimal objects": [decimal.Decimal("1.10"), decimal.Decimal(-2), None],
    "lists": [[1, 2], [], [3]],
    "dicts": [{"a": 1}, {"b": None}, {}],
    "mixed": [1, "a", None],
    "tuples": [(1, "a"), (2, "b"), ()],
    "bytes": [b"a", b"\x00\xff", b""],
    "sparse": pd.arrays.SparseArray([0, 0, 1]),
    "objects of ints and None": pd.Series([1, None, 3], dtype=object),
    "object NaN": pd.Series(["a", np.nan, None], dtype=object),
    "arrow list": pd.Series([[1], None, [2]]),
}  # fmt: skip


@pytest.mark.parametrize("kind", DTYPES)
def test_a_frame_comes_back_with_every_dtype(kind: str) -> None:
    frame = pd.DataFrame({"x": DTYPES[kind], "n": [1, 2, 3]})
    _, back = there_and_back(frame)
    pd.testing.assert_frame_equal(back, frame)
    assert [type(v) for v in back["x"]] == [type(v) for v in frame["x"]]
    assert list(back["x"].map(repr)) == list(frame["x"].map(repr))


FRAMES = {
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int32"), "b": pd.Series([], dtype="str")}),
    "no columns": pd.DataFrame(index=[3, 4]),
    "text index": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "named index": pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="k")),
    "index named like a column": pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="a")),
    "range index with a step": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 8, 2)),
    "filtered": pd.DataFrame({"a": range(6)})[::2],
    "duplicate index": pd.DataFrame({"a": [1, 2]}, index=[0, 0]),
    "time index": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026", periods=2, tz="UTC", freq="D")),
    "multi index": pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    ),
    "duplicate columns": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "number columns": pd.DataFrame([[1, 2]]),
    "mixed columns": pd.DataFrame([[1, 2]], columns=["a", 1]),
    "tuple columns": pd.DataFrame([[1, 2]], columns=[("a", "b"), ("a", "c")]),
    "two header rows": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
    "columns with a name": pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="fields")),
    "category columns": pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(["a", "b"])),
    "None as column": pd.DataFrame([[1, 2]], columns=["a", None]),
    "hostile columns": pd.DataFrame([range(len(HOSTILE))], columns=HOSTILE),
    "index level name": pd.DataFrame({"__index_level_0__": [1, 2]}, index=["x", "y"]),
    "lone surrogate": pd.DataFrame({"a": ["\ud800", "b"]}, dtype=object),
    "surrogate column": pd.DataFrame([[1]], columns=pd.Index(["\ud800"], dtype=object)),
    "wide": pd.DataFrame(np.zeros((2, 500)), columns=[f"c{i}" for i in range(500)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_of_any_shape_comes_back(kind: str) -> None:
    _, back = there_and_back(FRAMES[kind])
    pd.testing.assert_frame_equal(back, FRAMES[kind], check_freq=False)
    assert type(back.index) is type(FRAMES[kind].index)
    assert back.columns.names == FRAMES[kind].columns.names


def test_attrs_and_subclasses_of_frames_survive() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["source"] = "x.csv"
    assert there_and_back(frame)[1].attrs == {"source": "x.csv"}


ARRAYS = {
    "zero dimensions": np.array(3.5),
    "empty": np.zeros((0, 3)),
    "transposed": np.arange(6).reshape(2, 3).T,
    "strided": np.arange(10)[::-3],
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "datetime64": np.array(["2026-01-01", "NaT"], dtype="datetime64[s]"),
    "timedelta64": np.array([1, 2], dtype="timedelta64[ms]"),
    "structured": np.array([(1, "a"), (2, "b")], dtype=[("n", "i4"), ("<b>", "U3")]),
    "text": np.array(["a", "\U0001f600"]),
    "bytes": np.array([b"a", b"bc"]),
    "complex": np.array([1j, np.nan]),
    "float16": np.array([1, np.inf], dtype="float16"),
    "bool": np.array([True, False]),
    "objects": np.array([1, "a", None], dtype=object),
    "masked": np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]),
    "record": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "read only": np.broadcast_to(np.arange(3), (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_comes_back(kind: str) -> None:
    value = ARRAYS[kind]
    _, back = there_and_back(value)
    assert (type(back), back.dtype, back.shape) == (type(value), value.dtype, value.shape)
    np.testing.assert_array_equal(back, value)
