"""The user's columns as numbers, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.space import Space, as_frame
from tests.explain.model_kit import HOSTILE


def frame() -> pd.DataFrame:
    when = pd.to_datetime(["2026-01-01 00:00:00.0", "2026-02-01 10:11:12.123456", None])
    return pd.DataFrame({
        "whole": [1, 2, 3], "real": [1.5, None, 2.0], "text": ["x", None, "y"],
        "category": pd.Categorical(["u", "v", "u"], categories=["v", "u", "never"]), "when": when,
        "zone": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-07-01"]).tz_localize("Europe/Berlin"),
        "truth": [True, False, True], "nullable": pd.array([1, None, 3], dtype="Int64"),
        "mixed": pd.Series(["q", None, 1], dtype=object), "maybe": pd.Series([True, None, False], dtype=object),
        7: [1, 1, 2], "string": pd.array(["a", None, "b"], dtype="string"),
        "boolean": pd.array([True, None, False], dtype="boolean"), "small": np.array([1, 2, 3], dtype=np.float32),
        "kinds of one": pd.Series([1, True, "1"], dtype=object),
    })  # fmt: skip


def test_every_kind_of_column_comes_back_as_it_was() -> None:
    space = Space.of(frame())
    pd.testing.assert_frame_equal(space.decode(space.encode(frame())), frame())
    kinds = {c.name: c.kind for c in space.columns}
    assert kinds["text"] == kinds["category"] == kinds["mixed"] == "categorical"
    assert kinds["truth"] == kinds["maybe"] == kinds["boolean"] == "boolean"
    assert kinds["when"] == kinds["zone"] == "datetime"
    assert kinds["nullable"] == kinds["real"] == kinds["7"] == "numeric"
    assert len(space.categories(list(kinds).index("kinds of one"))) == 3  # 1, True and "1" are three values


def test_columns_are_described() -> None:
    space = Space.of(
        pd.DataFrame({"age": [1, 2, 3, None], "city": ["b", "a", "b", None], "word": list("abcd")})
    )
    age, city, _ = space.columns
    assert (age.low, age.high, age.whole, age.nulls) == (1.0, 3.0, True, 0.25)
    assert age.quantiles is not None
    assert age.quantiles[2] == 2.0
    assert city.values == ["b", "a"]  # the most frequent first
    assert space.categorical == [1, 2]


def test_hostile_names_and_values_are_only_text() -> None:
    rows = pd.DataFrame({name: [*HOSTILE, None] for name in HOSTILE})
    space = Space.of(rows)
    assert space.names == list(HOSTILE)
    pd.testing.assert_frame_equal(space.decode(space.encode(rows)), rows)


def test_a_category_nobody_has_seen_is_kept() -> None:
    space = Space.of(pd.DataFrame({"city": pd.Categorical(["Ulm", "Bonn"]), "town": ["x", "y"]}))
    new = pd.DataFrame({"city": pd.Categorical(["Kiel"]), "town": ["z"]})
    back = space.decode(space.encode(new))
    assert back["city"].tolist() == ["Kiel"]
    assert back["town"].tolist() == ["z"]


def test_moments_keep_their_microseconds() -> None:
    rows = pd.DataFrame({"at": pd.to_datetime(["1969-07-20 20:17:40.000001", "2099-12-31 23:59:59.999999"])})
    space = Space.of(rows)
    assert space.decode(space.encode(rows))["at"].tolist() == rows["at"].tolist()


def test_numbers_between_whole_ones_are_not_cut() -> None:
    space = Space.of(pd.DataFrame({"n": [1, 2]}))
    assert space.decode([[1.5]])["n"].tolist() == [1.5]
    assert space.decode([[2.0]])["n"].dtype == np.int64


def test_numbers_too_long_for_a_float_are_names() -> None:
    ids = pd.DataFrame({"id": [2**60, 2**60 + 1]})
    space = Space.of(ids)
    assert space.columns[0].kind == "categorical"
    pd.testing.assert_frame_equal(space.decode(space.encode(ids)), ids)


def test_names_that_look_alike_differ() -> None:
    assert Space.of(pd.DataFrame([[1, 2]], columns=[1, "1"])).names == ["1", "1 (2)"]


def test_free_text_is_told_from_categories() -> None:
    words = [f"the parcel number {i} arrived late again" for i in range(30)]
    assert Space.of(pd.DataFrame({"note": words})).columns[0].kind == "text"


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 2.0]], np.array([1.0, 2.0]), {"a": 1.0, "b": 2.0}, [{"a": 1.0, "b": 2.0}],
        pd.Series({"a": 1.0, "b": 2.0}), pl.DataFrame({"a": [1.0], "b": [2.0]}),
        pl.LazyFrame({"a": [1.0], "b": [2.0]}), pa.table({"a": [1.0], "b": [2.0]}),
        pd.DataFrame({"b": [2.0], "other": [0], "a": [1.0]}),
    ],
)  # fmt: skip
def test_rows_may_be_given_in_many_ways(rows: Any) -> None:
    space = Space.of(pd.DataFrame({"a": [0.0], "b": [0.0]}))
    assert space.encode(rows).tolist() == [[1.0, 2.0]]


def test_a_file_is_rows(tmp_path: Any) -> None:
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "x.parquet")
    pd.DataFrame({"a": [1, 2]}).to_csv(tmp_path / "x.csv", index=False)
    for name in ("x.parquet", "x.csv"):
        assert as_frame(tmp_path / name)["a"].tolist() == [1, 2]
    with pytest.raises(ExplainInputError, match="not there"):
        as_frame(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Space.of(pd.DataFrame({"a": []})), "no rows"),
        (lambda: Space.of(pd.DataFrame([[1, 2]], columns=["a", "a"])), "two columns called 'a'"),
        (lambda: Space.of(pd.DataFrame(index=[0])), "no columns"),
        (lambda: Space.of(pd.DataFrame({"a": [[1], [2]]})), "'a' holds values that cannot be told apart"),
        (lambda: Space.of(pd.DataFrame({"city": ["x"]}), {"ctiy": "text"}), "did you mean 'city'"),
        (lambda: Space.of(pd.DataFrame({"city": ["x"]}), {"city": "categoric"}), "did you mean 'categorical'"),  # type: ignore[dict-item]
        (lambda: Space.of(pd.DataFrame({"age": [1]})).encode(pd.DataFrame({"Age": [1]})), "no column 'age'"),
        (lambda: Space.of(pd.DataFrame({"age": [1]})).encode(pd.DataFrame({"age": ["x"]})), "something else in"),
        (lambda: Space.of(pd.DataFrame({"age": [1]})).decode([[1, 2]]), "shape"),
        (lambda: as_frame(np.zeros((2, 2, 2))), "shape"),
        (lambda: as_frame([[1, 2]], ["a"]), "2 columns and the model takes 1"),
    ],
)  # fmt: skip
def test_mistakes_are_told(make: Any, said: str) -> None:
    with pytest.raises(ExplainInputError, match=said):
        make()
