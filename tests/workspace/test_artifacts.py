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
from stored import there_and_back

from aios_workbench.errors import CorruptArtifactError, NotFoundError, SerializationError, WorkspaceError
from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.encoding import encode

NAN = float("nan")
VALUES = [
    None, True, 0, -1, 2**70, -(2**2000), 10**5000, 1.5, -0.0, math.inf, -math.inf, "", "text", "\ud800",
    "a" * 20_000 + "\ud800",
    [], [1, [2, [None]]], {}, {"a": [1, {"b": None}]}, (), (1, 2), [(1, 2)], {"t": (1,)}, {1: "a"}, {None: 1},
    {"\ud800": 1},
    {1, 2}, frozenset({1}), b"bytes", bytearray(b"x"), 1 + 2j, range(3), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.timedelta(1), decimal.Decimal("1.10"), Path("/x"), np.float64(1.5), np.int64(3), pd.Timestamp("2026"), pd.NaT,
    pd.Series([1, 2], name="s"), pd.Index([1, 2]), int, len, slice(1, 2), ..., NotImplemented,
    {"a": 1, "b": (2,)}, [True, 1, 1.0],
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
    failed: list[Exception] = []

    def work() -> None:
        try:
            for value in values:
                assert ws.artifacts.get(ws.artifacts.put(value)) == value
        except Exception as e:  # noqa: BLE001 - shown below
            failed.append(e)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failed == []
    ws.catalog.flush()
    assert ws.catalog.one("select count(*) as n from artifacts") == {"n": 40}
