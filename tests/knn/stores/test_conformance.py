"""One suite for every store: what is written here holds whatever the address says."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aios_workbench.errors import ConflictError, KnnInputError, ParameterError
from aios_workbench.knn.stores import Store, open_store
from aios_workbench.knn.stores.base import BaseStore
from aios_workbench.knn.stores.filters import parse, sql

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 8)).astype(np.float32)
Q = RNG.normal(size=(3, 8)).astype(np.float32)
PRICES = [None if i % 7 == 0 else i * 0.5 for i in range(60)]
ROWS = [
    {
        "price": PRICES[i],
        "stock": i % 5,
        "shop": None if i % 11 == 0 else "abc"[i % 3] + str(i % 4),
        "fresh": i % 2 == 0,
        "we \"ird' name; --": f"it's {i % 3} \\ 100%",
    }
    for i in range(60)
]
WEIRD = '"we ""ird\' name; --"'


def distances(x: np.ndarray, q: np.ndarray, metric: str) -> np.ndarray:
    x, q = x.astype(float), q.astype(float)
    if metric == "l2":
        return np.linalg.norm(x - q, axis=1)
    if metric == "ip":
        return -(x @ q)
    return 1 - x @ q / np.linalg.norm(x, axis=1) / np.linalg.norm(q)


@pytest.fixture
def store(place: Any) -> Iterator[BaseStore]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def filled(store: BaseStore) -> BaseStore:
    store.add(list(range(60)), X, ROWS)
    return store


def test_it_has_the_five_methods(store: BaseStore) -> None:
    assert isinstance(store, Store)


def test_an_empty_store_finds_nothing(store: BaseStore) -> None:
    assert store.count() == 0
    hits = store.search(Q, 4, filter="price < 5")
    assert hits.ids.tolist() == [[None] * 4] * 3
    assert np.isnan(hits.distances).all()
    assert hits.metadata.empty
    assert hits.note
    assert store.remove([1, 2]) == 0
    store.add([], np.zeros((0, 8)))
    assert store.count() == 0


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_nearest_first_and_the_same_distances_everywhere(place: Any, metric: str) -> None:
    with place.open(metric) as store:
        store.add(range(60), X)
        hits = store.search(Q, 5)
        for q, ids, found in zip(Q, hits.ids, hits.distances, strict=True):
            true = distances(X, q, metric)
            assert ids.tolist() == np.argsort(true)[:5].tolist()
            assert found == pytest.approx(np.sort(true)[:5], rel=1e-4, abs=1e-5)
        assert store.metric == metric


def test_one_query_is_one_row_and_k_may_exceed_what_is_there(filled: BaseStore) -> None:
    hits = filled.search(X[3], 100)
    assert hits.ids.shape == (1, 100)
    assert hits.ids[0, 0] == 3
    assert hits.distances[0, 0] == pytest.approx(0, abs=1e-3)
    assert hits.count.tolist() == [60]
    assert hits.ids[0, 60:].tolist() == [None] * 40
    assert re.search("fewer than.* 100", hits.note)


@pytest.mark.parametrize(
    "ids", [list(range(-3, 57)), [f"ä {i}'\"%" for i in range(60)], [2**62 + i for i in range(60)]]
)
def test_ids_come_back_as_they_were(place: Any, ids: list[Any]) -> None:
    if place.name == "pinecone" and isinstance(ids[0], str):
        with place.open() as store, pytest.raises(ParameterError, match="ASCII"):
            store.add(ids, X)
        ids = [i.encode("ascii", "replace").decode() for i in ids]
    with place.open() as store:
        store.add(ids, X, {"n": range(60)})
        hits = store.search(X[[5, 7]], 1)
        assert hits.ids.tolist() == [[ids[5]], [ids[7]]]
        assert type(hits.ids[0, 0]) is type(ids[5])
        assert hits.metadata["n"].tolist() == [5, 7]
        assert store.remove(ids[:2]) == 2


def test_adding_again_replaces_vector_and_metadata(filled: BaseStore) -> None:
    filled.add([3, 99], X[[4, 5]] * 2, {"shop": ["new", "newer"]})
    assert filled.count() == 61
    hits = filled.search(X[4] * 2, 1)
    assert hits.ids.tolist() == [[3]]
    row = hits.metadata.iloc[0].dropna()
    assert row.to_dict() == {"shop": "new"}
    assert filled.search(Q, 100, filter="stock = 3").count[0] == sum(r["stock"] == 3 for r in ROWS) - 1


def test_of_an_id_given_twice_the_last_row_stays(store: BaseStore) -> None:
    store.add(["a", "b", "a"], X[:3], {"n": [0, 1, 2]})
    assert store.count() == 2
    hits = store.search(X[2], 1)
    assert (hits.ids[0, 0], hits.metadata["n"].tolist()) == ("a", [2])


def test_removing_says_how_many_were_there(filled: BaseStore) -> None:
    assert filled.remove([0, 1, 1, 777]) == 2
    assert filled.remove([0, 1]) == 0
    assert filled.count() == 58
    assert not {0, 1} & set(filled.search(X[0], 60).ids[0].tolist())
    assert filled.remove(list(range(60))) == 58
    assert filled.count() == 0
    assert filled.search(Q, 2).count.tolist() == [0, 0, 0]
    filled.add([5], X[:1])
    assert filled.search(Q, 2).ids[0].tolist() == [5, None]


def test_metadata_of_every_type_comes_back(place: Any) -> None:
    frame = pd.DataFrame(
        {
            "truth": [True, False, True],
            "whole": [1, -5, 2**53],
            "number": [0.5, -1e300, math.nan],
            "text": ["", "naïve ☃ 𝄞", "a'b\"c\\d%_"],
            "gone": [None, "x", None],
        }
    )
    with place.open() as store:
        store.add([1, 2, 3], X[:3], frame)
        found = store.search(X[:3], 1).metadata.reset_index(drop=True)
        assert set(found.columns) == set(frame.columns)
        for i in range(3):
            row = {k: v for k, v in found.iloc[i].to_dict().items() if not pd.isna(v)}
            assert row == {k: v for k, v in frame.iloc[i].to_dict().items() if not pd.isna(v)}
            assert isinstance(row["truth"], bool | np.bool_)
            assert not isinstance(row["whole"], bool | str)


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": [1, 2], "b": ["x", None]},
        [{"a": 1, "b": "x"}, {"a": 2}],
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pa.table({"a": [1, 2], "b": ["x", None]}),
    ],
    ids=["columns", "rows", "pandas", "arrow"],
)
def test_metadata_may_come_in_any_shape(store: BaseStore, metadata: Any) -> None:
    store.add(["p", "q"], X[:2], metadata)
    frame = store.search(X[:2], 1).metadata
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].iloc[0] == "x"
    assert pd.isna(frame["b"].iloc[1])


FILTERS = [
    "price < 10",
    "price >= 10 AND shop = 'a0'",
    "10 > price or stock in (3, 4)",
    "NOT (price < 10)",
    "NOT (price < 10 OR shop = 'b1')",
    "price IS NULL",
    "shop IS NOT NULL AND NOT price IS NULL",
    "price BETWEEN 3 AND 4.5",
    "price NOT BETWEEN 3 AND 28",
    "shop IN ('a0', 'b1', 'zzz')",
    "shop NOT IN ('a0', 'b1')",
    "shop != 'a0'",
    "shop <> 'a0' AND price != 5",
    "stock = 3.0 and stock == 3",
    "stock > -1.5e0",
    "fresh",
    "NOT fresh",
    "fresh = false AND price > 20",
    "fresh IN (true)",
    f"{WEIRD} = 'it''s 1 \\ 100%'",
    f"{WEIRD} <> 'it''s 1 \\ 100%'",
    "((stock = 1) OR ((stock = 2) AND (price > 10 OR fresh)))",
    "shop = 'a0'' OR 1=1 --'",
    "price = 1e6",
    "shop LIKE 'a%'",
    "shop NOT LIKE '_1'",
    "shop < 'b'",
    "shop >= 'b1' and shop <= 'c2'",
]


def word(text: str) -> str:
    """Which part of the language a filter needs beyond what every system has."""
    folded = text.lower()
    if "not like" in folded:
        return "not like"
    if " like " in folded:
        return "like"
    if "in (true" in folded:
        return "truth values in"
    return "order of texts" if "shop <" in folded.replace("<>", "") or "shop >" in folded else ""


@pytest.fixture(scope="module")
def truth() -> Any:
    """The same rows in a table of DuckDB, asked in plain SQL."""
    import duckdb

    db = duckdb.connect()
    frame = pd.DataFrame({"_id": range(60), **pd.DataFrame(ROWS)})  # noqa: F841 - DuckDB reads it by its name
    db.execute("CREATE TABLE truth AS SELECT * FROM frame")
    return lambda text: {row[0] for row in db.execute(f"SELECT _id FROM truth WHERE {text}").fetchall()}


def test_filters_mean_what_sql_means(place: Any, truth: Any) -> None:
    with place.open() as store:
        store.add(list(range(60)), X, ROWS)
        for text in FILTERS:
            needs = word(text)
            if needs and (needs in place.refuses or needs.removeprefix("not ") in place.refuses):
                with pytest.raises(ParameterError, match="does not support") as refused:
                    store.search(Q, 5, filter=text)
                assert store.system in str(refused.value)
                continue
            hits = store.search(Q, 60, filter=text)
            assert {i for i in hits.ids[0] if i is not None} == truth(text), text
            near = np.argsort(distances(X, Q[1], "l2"))
            assert [i for i in hits.ids[1] if i is not None] == [i for i in near if i in truth(text)], text


def test_a_filter_that_matches_nothing(filled: BaseStore) -> None:
    hits = filled.search(Q, 3, filter="price > 1000")
    assert hits.count.tolist() == [0, 0, 0]
    assert "filter" in hits.note


def test_a_column_that_is_not_there(place: Any, filled: BaseStore) -> None:
    if place.knows_columns:
        with pytest.raises(ParameterError, match=r"no column 'prise'.*did you mean 'price'"):
            filled.search(Q, 3, filter="prise < 5")
    else:
        assert filled.search(Q, 3, filter="prise < 5").count.tolist() == [0, 0, 0]
        assert filled.search(Q, 3, filter="prise IS NULL").count.tolist() == [3, 3, 3]


NAMES = [
    "select",
    "a.b",
    "$eq",
    "id",
    "vector",
    "Preis €",
    "x_6162",
    "_distance",
    "metadata",
    "in",
    "a b",
    "🐟",
    "1",
    '"',
    "'",
    "%s",
]


def test_hostile_column_names(place: Any) -> None:
    with place.open() as store:
        store.add([1, 2], X[:2], {name: [f"{name}!", "other"] for name in NAMES})
        assert store.search(X[0], 1).metadata.iloc[0].to_dict() == {name: f"{name}!" for name in NAMES}
        for name in NAMES:
            column, value = name.replace('"', '""'), name.replace("'", "''")
            hits = store.search(Q, 5, filter=f"\"{column}\" = '{value}!'")
            assert [i for i in hits.ids[0] if i is not None] == [1], name


def test_columns_may_come_later_and_widen(store: BaseStore) -> None:
    store.add([1], X[:1])
    store.add([2], X[1:2], {"n": [3]})
    store.add([3], X[2:3], {"n": [3.5], "t": ["x"]})
    hits = store.search(Q, 3, filter="n > 2 AND (t = 'x' OR t IS NULL)")
    assert set(hits.ids[0].tolist()) == {2, 3, None}


def test_a_large_batch(store: BaseStore) -> None:
    n = 3000
    x = RNG.normal(size=(n, 16)).astype(np.float32)
    store.add([f"row {i}" for i in range(n)], x, {"n": range(n), "text": ["lorem ipsum"] * n})
    assert store.count() == n
    picked = [0, 1234, n - 1]
    assert store.search(x[picked], 1).ids[:, 0].tolist() == [f"row {i}" for i in picked]
    assert store.remove([f"row {i}" for i in range(0, n, 2)]) == n // 2
    assert store.count() == n // 2


def test_it_is_there_when_opened_again(place: Any) -> None:
    with place.open("cosine") as store:
        store.add(["a", "b"], X[:2], {"n": [1, 2]})
    with pytest.raises(ConflictError, match="closed"):
        store.count()
    store.close()
    with place.open() as again:
        assert again.metric == "cosine"
        assert again.count() == 2
        hits = again.search(X[1] * 5, 1, filter="n = 2")
        assert hits.ids.tolist() == [["b"]]
        assert hits.distances[0, 0] == pytest.approx(0, abs=1e-5)
        with pytest.raises(KnnInputError, match="8"):
            again.add(["c"], np.ones((1, 5)))
        again.add(["c"], X[2:3], {"n": [3]})
        assert again.count() == 3
    with place.open("l2") as other, pytest.raises(ConflictError, match="cosine"):
        other.count()


def test_two_clients_see_one_collection(place: Any) -> None:
    with place.open() as one, place.open() as two:
        assert two.count() == 0
        one.add([1, 2], X[:2], {"n": [1, 2]})
        assert two.search(X[1], 1, filter="n = 2").ids.tolist() == [[2]]
        two.add([2, 3], X[2:4], {"n": [7, 8], "later": ["x", "y"]})
        assert one.count() == 3
        assert one.search(X[2], 1, filter="later = 'x'").metadata["n"].tolist() == [7]
        assert one.remove([3]) == 1
        assert two.count() == 2


def test_searching_while_adding(place: Any) -> None:
    """Every answer is of some moment: never an error, never half a row."""
    with place.open() as writer, place.open() as reader:
        writer.add([0], X[:1], {"n": [0]})
        failed: list[BaseException] = []

        def write() -> None:
            try:
                for i in range(1, 20):
                    writer.add([i, 1000 + i], X[[i, i + 20]], {"n": [i, i]})
            except BaseException as e:  # noqa: BLE001 - handed to the test
                failed.append(e)

        thread = threading.Thread(target=write)
        thread.start()
        seen = 0
        while thread.is_alive():
            hits = reader.search(Q, 100)
            assert seen <= hits.count[0]
            seen = hits.count[0]
        thread.join()
        assert failed == []
        assert reader.search(Q, 100).count.tolist() == [39] * 3


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (([1, 2], X[:3]), "2 ids for 3 vectors"),
        (([1, "a"], X[:2]), "int, str"),
        (([1.5], X[:1]), "float"),
        (([""], X[:1]), "1 to 512 bytes"),
        (([2**63], X[:1]), "64 bits"),
        (([1], [[1.0, math.nan]]), "row 0"),
        (([1, 2], [[1.0], [1.0, 2.0]]), "row"),
        (([1], X[:1], {"a": [[1]]}), "'a', row 0.*list"),
        (([1], X[:1], {"a": [pd.Timestamp("2026-01-01")]}), "ISO 8601"),
        (([1, 2], X[:2], {"a": [1, "x"]}), "integer in row 0, text in row 1"),
        (([1], X[:1], {"a": [math.inf]}), "infinite"),
        (([1], X[:1], {"": [1]}), "1 to 63 bytes"),
        (([1], X[:1], {"_aios_id": [1]}), "_aios"),
        (([1], X[:1], {"a": [1], "A": [2]}), "case"),
        (([1], X[:1], {"a": [1, 2]}), "2 values for 1"),
        (([1], X[:1], "text"), "data frame"),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_stored(arguments: Any, names: str) -> None:
    # checked before any system is asked: one of them is enough
    with open_store("duckdb") as store:
        with pytest.raises(KnnInputError, match=names):
            store.add(*arguments)
        assert store.count() == 0


def test_what_does_not_fit_the_collection_is_refused(place: Any) -> None:
    with place.open("cosine") as store:
        store.add([1, 2], X[:2], {"n": [1, 2], "t": ["a", "b"]})
        with pytest.raises(KnnInputError, match="int"):
            store.add(["a"], X[:1])
        with pytest.raises(KnnInputError, match="int"):
            store.remove(["a"])
        with pytest.raises(KnnInputError, match="zero"):
            store.add([3], np.zeros((1, 8)))
        with pytest.raises(KnnInputError, match="zero"):
            store.search(np.zeros(8))
        with pytest.raises(KnnInputError, match="8"):
            store.search(np.ones(9))
        with pytest.raises(KnnInputError, match=r"NaN|finite"):
            store.search(np.full(8, math.nan))
        for k in (0, -1, 2.5, True):
            with pytest.raises(ParameterError, match="k is"):
                store.search(X[0], k)  # type: ignore[arg-type]
        if place.knows_columns:
            with pytest.raises(KnnInputError, match="'t' holds"):
                store.add([3, 4], X[3:5], {"n": [3, 4], "t": [1, 2]})
        assert store.count() == 2


def test_a_wrong_filter_names_the_place(filled: BaseStore) -> None:
    for text, named in {
        "price <": "its end",
        "price < (SELECT 1)": "SELECT",
        "price + 1 < 5": "'+ 1 < 5'",
        "lower(shop) = 'a'": "(",
        "shop = NULL": "IS NULL",
        'shop = "a0"': "single quotes",
        "price < 5; DROP TABLE x": "';",
        "": "empty",
        "shop LIKE 5": "text",
        "(" * 100 + "price < 5" + ")" * 100: "deeper",
    }.items():
        with pytest.raises(ParameterError) as refused:
            filled.search(Q, 3, filter=text)
        assert named in str(refused.value)
    assert filled.count() == 60


def test_the_plain_sql_of_a_filter_is_what_was_asked(truth: Any) -> None:
    for text in FILTERS:
        assert truth(sql(parse(text))) == truth(text), text
