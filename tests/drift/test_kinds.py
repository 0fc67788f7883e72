"""What columns hold is seen from their types and values, and can be corrected."""

from __future__ import annotations

import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aios_workbench.drift.kinds import ColumnRole, infer
from aios_workbench.drift.sources import open_source
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import mixed

N = 400
R = np.random.default_rng(0)
WORDS = np.array(
    ["the", "claim", "was", "settled", "after", "a", "long", "letter", "from", "abroad", "came", "in"]
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (R.normal(size=N), "numeric"),
        (R.integers(0, 5, N), "numeric"),
        (R.permutation(N) + 100_000, "id"),
        ((R.lognormal(8, 1, N) * 100).astype(int), "numeric"),
        (np.arange(N) * 0.5, "numeric"),
        (R.random(N) < 0.5, "boolean"),
        ([f"c{i % 7}" for i in range(N)], "categorical"),
        ([f"user-{i}" for i in range(N)], "id"),
        ([uuid.UUID(int=i) for i in range(N)], "id"),
        ([" ".join(R.choice(WORDS, 9)) for _ in range(N)], "text"),
        (pd.date_range("2026-01-01", periods=N, freq="h"), "datetime"),
        (pd.date_range("2026-01-01", periods=N, freq="h", tz="Europe/Berlin"), "datetime"),
        (pd.date_range("2026-01-01", periods=N).date, "datetime"),
        (pd.to_timedelta(R.integers(0, 99, N), unit="s"), "numeric"),
        (list(R.normal(size=(N, 3))), "embedding"),
        ([["a", "b"]] * N, "categorical"),
        ([{"a": 1}] * N, "categorical"),
        ([None] * N, "numeric"),
    ],
    ids=["float", "few", "row number", "cents", "all different floats", "bool", "few texts", "names", "uuid", "texts",
         "times", "zoned", "dates", "durations", "vectors", "lists", "structs", "nothing"],
)  # fmt: skip
def test_kinds_are_seen(values: object, kind: str) -> None:
    assert infer(open_source(pd.DataFrame({"x": values})))["x"] == ColumnRole(kind, "feature")  # type: ignore[arg-type]


def test_a_few_rows_make_no_id() -> None:
    frame = pd.DataFrame({"city": ["Bonn", "Ulm", "Trier"], "n": [1, 2, 3]})
    assert {n: r.kind for n, r in infer(open_source(frame)).items()} == {
        "city": "categorical",
        "n": "numeric",
    }


def test_a_name_makes_an_id_of_what_repeats_a_little() -> None:
    values = [*range(N - 4), 1, 2, 3, 4]
    frame = pd.DataFrame({"customer_id": values, "amount": values})
    assert {n: r.kind for n, r in infer(open_source(frame)).items()} == {
        "customer_id": "id",
        "amount": "numeric",
    }


def test_roles_and_corrections() -> None:
    frame = mixed(300).assign(fraud=lambda f: (f["age"] > 50).astype(int), score=0.5, predicted=1.0)
    found = infer(
        open_source(frame), {"age": "categorical"}, "fraud", "predicted", ["score"], columns=["age", "city"]
    )
    assert found == {
        "age": ColumnRole("categorical"), "city": ColumnRole("categorical"),
        "fraud": ColumnRole("categorical", "target"),
        "score": ColumnRole("numeric", "score"), "predicted": ColumnRole("categorical", "prediction"),
    }  # fmt: skip
    wide = open_source(frame.assign(fraud=np.linspace(0, 1, 300)))
    assert infer(wide, target="fraud")["fraud"] == ColumnRole("numeric", "target")
    vectors = open_source(pa.table({"v": pa.array([["1"]] * 60)}))
    assert infer(vectors, embeddings=["v"])["v"].kind == "embedding"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "citi"}, "no column 'citi'; did you mean 'city'"),
        ({"kinds": {"city": "categoric"}}, "did you mean 'categorical'"),
        ({"score": "city", "target": "city"}, "as target and as score"),
        ({"columns": ["nope"]}, "it has: id, income"),
    ],
)
def test_wrong_names_are_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        infer(open_source(mixed(100)), **options)  # type: ignore[arg-type]
