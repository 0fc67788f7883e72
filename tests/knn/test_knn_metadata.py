"""Metadata and filters: whatever columns are called, and whatever is tried in place of a condition."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.errors import KnnInputError
from aios_workbench.knn.metadata import Metadata, as_table

HOSTILE = [
    'a"b',
    "x; drop table known",
    "'",
    "select",
    "",
    "ÄÖ 💥",
    "<img onerror=alert(1)>",
    "Price",
    "price",
    "__aios_key",
]


def known(data: Any, n: int) -> Metadata:
    found = Metadata()
    found.put(np.arange(n), as_table(data, n))
    return found


def test_columns_of_any_name_come_back_and_can_be_asked_for() -> None:
    data = {name: [i, i + 1] for i, name in enumerate(HOSTILE)}
    meta = known(data, 2)
    frame = meta.frame(np.array([1, 0]))
    assert list(frame.columns) == HOSTILE
    assert frame.iloc[0].tolist() == [i + 1 for i in range(len(HOSTILE))]
    assert meta.match('"a""b" = 0 and "x; drop table known" = 1').tolist() == [0]
    assert meta.match('"ÄÖ 💥" = 6').tolist() == [1]
    again = Metadata.read(meta.table())
    assert again.frame(np.array([1, 0])).equals(frame)
    again.put(np.array([2]), as_table({"Price": [70], "PRICE": [1]}, 1))
    assert again.frame(np.array([2]))[["Price", "PRICE"]].to_numpy().tolist() == [[70, 1]]


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "price < 5; drop table known", "price < 5) or (1 = 1", "1 = 1 union select 1", "1 = 1 order by 1",
        "1 = 1 limit 1", "price in (select 1)", "exists (select 1)", "price < ?", "row_number() over () = 1",
        "count(*) > 0", "nothing = 1", "price", "'x' || name", "price < 'cheap'", "price <", "drop table known",
        "1 = 1 group by price", "read_text('/etc/passwd') = ''", "(select max(price) from known) > 1",
        "price < 5 -- ) or (1 = 1\n) or (1 = 1", "1 = 1 /*", "price < 5 limit 0 --", "\x00", "a" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    meta = known({"price": [40, 60], "name": ["a", "b"]}, 2)
    with pytest.raises(KnnInputError, match="filter"):
        meta.match(text)
    assert len(meta) == 2


def test_a_refusal_says_which_columns_there_are() -> None:
    with pytest.raises(KnnInputError, match=r"did you mean 'price'.*columns: price, name"):
        known({"price": [40, 60], "name": ["a", "b"]}, 2).match("prise < 50")
    with pytest.raises(KnnInputError, match="columns: none"):
        known(None, 2).match("price < 50")


def test_comments_and_nulls() -> None:
    meta = known({"price": [40, None, 60]}, 3)
    assert meta.match("price < 50 -- the cheap ones").tolist() == [0]
    assert meta.match("not price < 50").tolist() == [2]
    assert meta.match("price is null").tolist() == [1]
    assert meta.match("false").tolist() == []


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([None, "a", "b'", 'c"'])), min_size=1, max_size=20),
    st.integers(-5, 5), st.sampled_from(["<", ">=", "=", "!="]),
)  # fmt: skip
def test_filters_against_pandas(rows: list[tuple[int, str | None]], value: int, op: str) -> None:
    frame = pd.DataFrame(rows, columns=["n", "s"])
    meta = known(frame, len(frame))
    wanted = frame[frame.eval(f"n {'==' if op == '=' else op} {value}") & frame["s"].notna()].index.tolist()
    assert meta.match(f"n {op} {value} and s is not null").tolist() == wanted


def test_columns_come_later_and_grow_wider_but_never_change_their_meaning() -> None:
    meta = known({"n": [1]}, 1)
    meta.put(np.array([1]), as_table([{"n": 1.5, "when": dt.date(2026, 1, 1)}], 1))
    meta.put(np.array([2]), None)
    frame = meta.frame(np.array([0, 1, 2]))
    assert frame["n"].tolist()[:2] == [1.0, 1.5]
    assert pd.isna(frame["n"][2])
    assert pd.isna(frame["when"][0])
    assert meta.match("\"when\" >= '2026-01-01'").tolist() == [1]
    for wrong in ({"n": ["many"]}, {"when": [3]}, {"n": [[1]]}):
        with pytest.raises(KnnInputError, match=r"metadata"):
            meta.put(np.array([3]), as_table(wrong, 1))
    assert len(meta) == 3
    meta.put(np.array([3]), as_table({"late": [None], "n": [None]}, 1))
    meta.put(np.array([4]), as_table({"late": ["x"]}, 1))
    assert meta.match("late = 'x'").tolist() == [4]


def test_rows_are_forgotten() -> None:
    meta = known({"n": range(5)}, 5)
    meta.drop(np.array([1, 3, 99]))
    assert meta.match("true").tolist() == [0, 2, 4]


@pytest.mark.parametrize("give", ["frame", "arrow", "columns", "dicts"])
def test_metadata_comes_in_many_forms(give: str) -> None:
    data = {"a": [1, 2], "b": ["x", "y"]}
    forms: dict[str, Any] = {
        "frame": pd.DataFrame(data, index=[7, 7]), "arrow": pa.table(data), "columns": data,
        "dicts": [{"a": 1, "b": "x"}, {"b": "y", "a": 2}],
    }  # fmt: skip
    assert known(forms[give], 2).frame(np.array([1])).to_dict("records") == [{"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    "wrong", ["text", 3, [1, 2], {"a": [1]}, [{"a": 1}], {"a": [1, "x"]}, {"a": [object(), 1]}]
)
def test_metadata_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(KnnInputError, match="metadata"):
        as_table(wrong, 2)


def test_the_sandbox_sees_nothing() -> None:
    meta = known({"n": [1]}, 1)
    secret = pd.DataFrame({"n": [1]})
    assert len(secret) == 1
    for statement in (
        "select * from secret",
        "select * from read_text('/etc/hostname')",
        "set threads = 1",
        "copy known to '/tmp/x.csv'",
    ):
        with pytest.raises(Exception, match=r"(?i)catalog|permission|locked|disabled|denied"):
            meta._con.cursor().execute(statement)
