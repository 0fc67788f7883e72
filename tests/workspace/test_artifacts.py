"""The artifact store: every value comes back as it was, or is refused; damage is noticed."""

from __future__ import annotations

import datetime as dt
import decimal
import errno
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import CorruptArtifactError, NotFoundError, SerializationError, WorkspaceError
from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.artifacts import decode, encode

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


def there_and_back(value: Any) -> tuple[str, Any]:
    kind, _type, _shape, _meta, blob = encode(value)
    return kind, decode(kind, blob)


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
    "datetime ns": pd.to_datetime(["2026-01-01T00:00:00.123456789", None, "2026-01-02"], format="ISO8601").astype("datetime64[ns]"),
    "datetime tz": pd.to_datetime(["2026-03-29T01:30", None, "2026-10-25"], format="ISO8601").tz_localize("Europe/Berlin"),
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
    "multi index": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])),
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


NAN = float("nan")
VALUES = [
    None, True, 0, -1, 2**70, -(2**2000), 10**5000, 1.5, -0.0, math.inf, -math.inf, "", "text", "\ud800", "a" * 20_000 + "\ud800",
    [], [1, [2, [None]]], {}, {"a": [1, {"b": None}]}, (), (1, 2), [(1, 2)], {"t": (1,)}, {1: "a"}, {None: 1}, {"\ud800": 1},
    {1, 2}, frozenset({1}), b"bytes", bytearray(b"x"), 1 + 2j, range(3), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.timedelta(1), decimal.Decimal("1.10"), Path("/x"), np.float64(1.5), np.int64(3), pd.Timestamp("2026"), pd.NaT,
    pd.Series([1, 2], name="s"), pd.Index([1, 2]), int, len, slice(1, 2), ..., NotImplemented, {"a": 1, "b": (2,)}, [True, 1, 1.0],
]  # fmt: skip


@pytest.mark.parametrize(
    "value", VALUES, ids=lambda v: repr(v)[:30] if not isinstance(v, int) else f"int{v.bit_length()}"
)
def test_a_plain_value_comes_back_with_its_type(value: Any) -> None:
    _, back = there_and_back(value)
    assert type(back) is type(value)
    if isinstance(value, (pd.Series, pd.Index)):
        assert back.equals(value)
    elif value is pd.NaT:
        assert back is pd.NaT
    else:
        assert back == value
        assert repr(back) == repr(value) if not isinstance(value, int) else True


def test_nan_and_infinity_in_json_come_back() -> None:
    kind, back = there_and_back({"a": [NAN, math.inf, -math.inf, -0.0]})
    assert kind == "json"
    assert repr(back) == "{'a': [nan, inf, -inf, -0.0]}"


def test_a_value_that_contains_itself_comes_back() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    _, back = there_and_back(circle)
    assert back[1] is back
    shared = [0]
    _, pair = there_and_back([shared, shared])
    assert pair == [[0], [0]]


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    | st.tuples(inner, inner), max_leaves=12,
)  # fmt: skip


@given(json_like)
def test_whatever_is_nested_comes_back(value: Any) -> None:
    assert repr(there_and_back(value)[1]) == repr(value)


@given(json_like)
def test_equal_values_have_one_name(value: Any) -> None:
    assert encode(value)[-1] == encode(value)[-1]


class Unstorable:
    def __reduce__(self) -> Any:
        raise TypeError("not today")


class BadRepr:
    def __repr__(self) -> str:
        raise ValueError("no")


def test_what_cannot_be_stored_is_refused_with_its_type(ws: Workspace) -> None:
    for value in (threading.Lock(), Unstorable(), (x for x in [1]), {"deep": [threading.Lock()]}):
        with pytest.raises(SerializationError, match=r"of type .* cannot be stored"):
            ws.artifacts.put(value)


def test_a_broken_repr_is_no_reason_not_to_store(ws: Workspace) -> None:
    assert isinstance(ws.artifacts.get(ws.artifacts.put(BadRepr())), BadRepr)


def test_put_find_get_and_one_file_for_equal_values(ws: Workspace) -> None:
    one, two = ws.artifacts.put({"a": 1}), ws.artifacts.put({"a": 1})
    assert one == two
    ws.catalog.flush()
    assert ws.artifacts.get(ws.artifacts.find(one.hash)) == {"a": 1}
    assert Artifact.from_dict(one.to_dict()) == one
    assert len([p for p in ws.artifacts.folder.rglob("*") if p.is_file()]) == 1


def fresh(ws: Workspace) -> Workspace:
    """The same folder as another process would open it: nothing remembered."""
    return Workspace(ws.root)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "append"])
@pytest.mark.parametrize(
    "value",
    [{"a": 1}, pd.DataFrame({"a": [1, 2]}), np.arange(5), {1, 2}],
    ids=["json", "parquet", "npy", "pickle"],
)
def test_a_damaged_blob_is_refused_never_loaded(ws: Workspace, value: Any, damage: str) -> None:
    artifact = ws.artifacts.put(value)
    path = ws.artifacts.path(artifact)
    blob = path.read_bytes()
    path.write_bytes({
        "flip": blob[:-1] + bytes([blob[-1] ^ 1]), "truncate": blob[:-1], "empty": b"", "append": blob + b"x",
    }[damage])  # fmt: skip
    other = fresh(ws)
    with pytest.raises(CorruptArtifactError, match=r"changed or damaged on disk.*rerun the step"):
        other.artifacts.get(artifact)
    assert not other.artifacts.intact(artifact)
    other.close()


def test_a_missing_blob_says_how_to_get_it_back(ws: Workspace) -> None:
    artifact = ws.artifacts.put([1, 2])
    ws.artifacts.path(artifact).unlink()
    other = fresh(ws)
    with pytest.raises(NotFoundError, match=r"rerun the step that made it"):
        other.artifacts.get(artifact)
    assert not other.artifacts.intact(artifact)
    with pytest.raises(NotFoundError, match="no artifact 'ffffffffffff'"):
        other.artifacts.find("f" * 64)
    other.close()


@pytest.mark.parametrize("damage", ["same size", "shorter", "gone"])
def test_storing_the_value_again_repairs_the_blob(ws: Workspace, damage: str) -> None:
    artifact = ws.artifacts.put("precious")
    path = ws.artifacts.path(artifact)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"X" * (artifact.bytes if damage == "same size" else 2))
    for store in (fresh(ws).artifacts, ws.artifacts):
        store.put("precious")
        assert fresh(ws).artifacts.get(artifact) == "precious"


def test_a_blob_is_never_seen_half_written(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process killed while writing leaves a temporary file, not a blob under its name."""

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        ws.artifacts.put("value")
    monkeypatch.undo()
    files = [p.name for p in ws.artifacts.folder.rglob("*") if p.is_file()]
    assert all(f.startswith(".") for f in files)
    assert ws.artifacts.get(ws.artifacts.put("value")) == "value"


@pytest.mark.parametrize(("number", "says"), [(errno.ENOSPC, "no space left"), (errno.EROFS, "cannot write")])
def test_a_full_or_read_only_disk_is_said_clearly(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(number, "simulated")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WorkspaceError, match=says):
        ws.artifacts.put("value")
    assert [p for p in ws.artifacts.folder.rglob("*") if p.is_file()] == []


def test_many_threads_store_the_same_values_at_once(ws: Workspace) -> None:
    values = [{"n": i, "text": "x" * 1000} for i in range(40)]
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for value in values:
                assert ws.artifacts.get(ws.artifacts.put(value)) == value
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failed == []
    ws.catalog.flush()
    assert ws.catalog.one("select count(*) as n from artifacts") == {"n": 40}
