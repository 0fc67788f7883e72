"""Whatever vectors come in, the same file comes out; and what is held out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.space import Space
from aios_workbench.knn.vectors import Sample, Vectors

Open = Callable[..., Vectors]
METRICS: tuple[Metric, ...] = ("l2", "ip", "cosine")
X = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
ROWS = [list(map(float, row)) for row in X]
PRICES = [float(i) for i in range(50)]


def fixed(x: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), x.shape[1])


def parquet(folder: Path, *, row_group: int = 20) -> Path:
    file = folder / "x.parquet"
    pq.write_table(
        pa.table({"id": range(50), "e": fixed(X), "price": PRICES}), file, row_group_size=row_group
    )
    return file


def mapped(folder: Path) -> np.ndarray:
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def parts(folder: Path) -> Path:
    (folder / "parts").mkdir()
    for i in range(3):
        pq.write_table(
            pa.table({"e": pa.array(ROWS[i * 20 : i * 20 + 20])}), folder / "parts" / f"{i}.parquet"
        )
    return folder / "parts"


def relation(_: Path) -> Any:
    table = pa.table({"e": pa.array(ROWS), "price": PRICES})
    return duckdb.connect().from_arrow(table)


SOURCES: dict[str, Callable[[Path], Any]] = {
    "float32": lambda _: X,
    "float64": lambda _: X.astype(np.float64),
    "lists": lambda _: ROWS,
    "fortran order": lambda _: np.asfortranarray(X),
    "every other row": lambda _: np.repeat(X, 2, axis=0)[::2],
    "big endian": lambda _: X.astype(">f4"),
    "memory-mapped": mapped,
    "npy file": lambda f: (mapped(f), f / "x.npy")[1],
    "array of arrays": lambda _: np.array([*map(np.array, ROWS), None], dtype=object)[:-1],
    "series of lists": lambda _: pd.Series(ROWS, name="e"),
    "series of arrays": lambda _: pd.Series(list(X)),
    "series of Arrow": lambda _: pd.Series(ROWS, dtype=pd.ArrowDtype(pa.list_(pa.float32()))),
    "frame": lambda _: pd.DataFrame({"e": list(X), "price": PRICES}),
    "frame of numbers": lambda _: pd.DataFrame(X),
    "list array": lambda _: pa.array(ROWS),
    "large list array": lambda _: pa.array(ROWS, pa.large_list(pa.float64())),
    "sliced array": lambda _: pa.array([[9.0] * 6, *ROWS])[1:],
    "sliced fixed": lambda _: fixed(np.vstack([X[:3], X]))[3:],
    "chunked": lambda _: pa.chunked_array([fixed(X[:7]), fixed(X[7:])]),
    "tensor": lambda _: pa.FixedShapeTensorArray.from_numpy_ndarray(X),
    "table": lambda _: pa.table({"e": fixed(X), "price": PRICES}),
    "batch": lambda _: pa.RecordBatch.from_pydict({"e": fixed(X)}),
    "reader": lambda _: pa.table({"e": fixed(X)}).to_reader(max_chunksize=9),
    "relation": relation,
    "parquet": parquet,
    "parquet by name": lambda f: str(parquet(f)),
    "folder": parts,
    "pattern": lambda f: str(parts(f) / "*.parquet"),
    "sql": lambda f: f"select e from '{parquet(f)}' order by id",
    "sql, DuckDB array": lambda f: f"select e::float[6] as e from '{parquet(f)}' order by id",
}


@pytest.mark.parametrize("case", SOURCES)
def test_every_source_gives_the_same_file(case: str, tmp_path: Path, opened: Open) -> None:
    wanted = opened(X, folder=tmp_path / "wanted")
    found = opened(SOURCES[case](tmp_path))
    np.testing.assert_array_equal(found.inner, wanted.inner)
    assert found.fingerprint == wanted.fingerprint
    assert found.path.name == wanted.path.name
    assert found.n == len(found) == 50
    assert isinstance(found.inner, np.memmap)
    assert found.repairs == []


@pytest.mark.parametrize("metric", METRICS)
def test_the_file_is_what_the_space_says(metric: Metric, opened: Open) -> None:
    found = opened(X, metric=metric)
    np.testing.assert_array_equal(found.inner, found.space.vectors(X))
    assert found.space == Space.of(X, metric)
    assert Space.from_dict(json.loads(json.dumps(found.space.to_dict()))) == found.space
    np.testing.assert_allclose(found.raw([3, 1]), X[[3, 1]], rtol=1e-6)
    np.testing.assert_allclose(found.raw(4), X[[4]], rtol=1e-6)


def test_other_vectors_metric_or_queries_have_another_fingerprint(opened: Open) -> None:
    changed = X.copy()
    changed[30, 2] += 1e-6
    calls: list[dict[str, Any]] = [
        {"source": X}, {"source": X, "metric": "ip"}, {"source": X, "metric": "cosine"}, {"source": changed},
        {"source": X[:49]}, {"source": X[::-1]}, {"source": X.reshape(25, 12)},
        {"source": X, "queries": X[:5]}, {"source": X, "queries": X[:6]},
    ]  # fmt: skip
    assert len({opened(**c).fingerprint for c in calls}) == len(calls)
    assert opened(X, ids=[f"a{i}" for i in range(50)]).fingerprint == opened(X).fingerprint


def test_half_precision_is_held_exactly(opened: Open) -> None:
    half = X.astype(np.float16)
    np.testing.assert_array_equal(opened(half).inner, half.astype(np.float32))


def test_whole_numbers_are_said_to_be_converted(opened: Open) -> None:
    digits = np.arange(60, dtype=np.uint8).reshape(20, 3)
    found = opened(digits)
    assert found.space.inner == 4
    assert found.repairs == ["uint8 values are held as float32"]


# ---------------------------------------------------------------- ids and metadata


def test_a_table_brings_its_ids_and_metadata(tmp_path: Path, opened: Open) -> None:
    found = opened(parquet(tmp_path))
    assert found.ids.tolist() == list(range(50))
    assert found.metadata is not None
    assert found.metadata.column_names == ["price"]
    assert found.text(7) == "price: 7.0"


def test_a_column_can_be_named_as_ids(opened: Open) -> None:
    names = [f"sku-{i}" for i in range(50)]
    found = opened(pd.DataFrame({"sku": names, "e": ROWS, "price": PRICES}), ids="sku")
    assert found.ids.tolist() == names
    assert found.metadata is not None
    assert found.metadata.column_names == ["price"]


def test_an_index_is_ids(opened: Open) -> None:
    names = [f"sku-{i}" for i in range(50)]
    assert opened(pd.Series(ROWS, index=names)).ids.tolist() == names
    found = opened(pd.Series(ROWS, index=[1] * 50))
    assert found.ids.tolist() == list(range(50))
    assert found.repairs == ["rows are numbered, because the index cannot tell them apart"]


def test_a_column_id_that_repeats_is_no_id(opened: Open) -> None:
    found = opened(pd.DataFrame({"id": [1] * 50, "e": ROWS}))
    assert found.ids.tolist() == list(range(50))
    assert "rows are numbered, because the column 'id'" in found.repairs[0]


@pytest.mark.parametrize(
    "metadata",
    [
        pd.DataFrame({"price": PRICES}),
        {"price": PRICES},
        [{"price": p} for p in PRICES],
        pa.table({"price": PRICES}),
    ],
)
def test_metadata_of_any_table(metadata: Any, opened: Open) -> None:
    found = opened(X, metadata=metadata).metadata
    assert found is not None
    assert found.to_pydict() == {"price": PRICES}


IDS: dict[str, tuple[Any, str]] = {
    "too few": ([1, 2], "ids: there are 2 for 50 vectors"),
    "twice": ([*range(49), 3], "1 occur more than once, such as 3"),
    "missing": ([None, *map(str, range(49))], r"missing for row 0 \(counted"),
    "fractions": ([0.5, *range(49)], "no whole number at row 0"),
    "yes and no": ([True] * 50, "true and false"),
    "no such column": ("sku", "ids='sku' names no column"),
}


@pytest.mark.parametrize("case", IDS)
def test_bad_ids_are_refused(case: str, opened: Open) -> None:
    ids, said = IDS[case]
    with pytest.raises(KnnInputError, match=said):
        opened(X, ids=ids)


METADATA: dict[str, tuple[Any, str]] = {
    "too few": ({"price": [1.0]}, "metadata has 1 rows for 50 vectors"),
    "ragged": ({"price": PRICES, "name": ["a"]}, "cannot be made a table"),
    "no table": (3.0, "metadata is float"),
    "case": ({"a": PRICES, "A": PRICES}, "same name but for case"),
}


@pytest.mark.parametrize("case", METADATA)
def test_bad_metadata_is_refused(case: str, opened: Open) -> None:
    metadata, said = METADATA[case]
    with pytest.raises(KnnInputError, match=said):
        opened(X, metadata=metadata)


# ---------------------------------------------------------------- samples


@given(n=st.integers(2, 60), m=st.integers(1, 70), seed=st.integers(0, 5), metric=st.sampled_from(METRICS))
def test_what_is_held_out_is_not_searched(
    tmp_path_factory: pytest.TempPathFactory, n: int, m: int, seed: int, metric: Metric
) -> None:
    from aios_workbench.knn.vectors import open_vectors

    x = np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)
    folder = tmp_path_factory.mktemp("v")
    v = open_vectors(x, metric=metric, folder=folder)
    sample = v.sample_queries(m, seed)
    assert 1 <= len(sample.rows) <= max(1, min(m, n // 4))
    assert len(sample.queries) == len(sample.rows)
    np.testing.assert_allclose(sample.queries, v.space.queries(x[sample.rows]), atol=1e-6)
    kept = np.setdiff1d(np.arange(n), sample.rows)
    np.testing.assert_array_equal(sample.x, v.inner[kept])
    np.testing.assert_array_equal(sample.original(np.arange(len(kept))), kept)
    np.testing.assert_array_equal(sample.original([-1]), [-1])
    again = v.sample_queries(m, seed)
    np.testing.assert_array_equal(again.rows, sample.rows)
    assert again.path == sample.path


def test_given_queries_are_drawn_from_and_nothing_is_held_out(opened: Open) -> None:
    asked = X[:20] + 0.5
    v = opened(X, queries=asked)
    sample = v.sample_queries(8)
    assert isinstance(sample, Sample)
    assert sample.path == v.path
    assert len(sample.rows) == 0
    assert {tuple(q) for q in sample.queries} <= {tuple(q) for q in asked}
    assert sample.original([3, 1]).tolist() == [3, 1]


def test_a_zero_vector_is_never_a_query_under_inner_product(opened: Open) -> None:
    x = np.zeros((40, 3), np.float32)
    x[:20] = 1 + np.arange(60).reshape(20, 3)
    v = opened(x, metric="ip")
    assert v.sample_queries(10).rows.max() < 20
    assert any("20 vectors are zero" in r for r in v.repairs)


@pytest.mark.parametrize(("n", "queries", "k", "said"), [
    (5, None, 5, "there are 5 vectors, one of which is asked about .* use k=4 or less"),
    (5, X[:3], 6, "there are 5 vectors; use k=5"),
    (1, None, 1, "there is one vector"),
])  # fmt: skip
def test_more_neighbours_than_vectors(opened: Open, n: int, queries: Any, k: int, said: str) -> None:
    with pytest.raises(KnnInputError, match=said):
        opened(X[:n], queries=queries).check_k(k)
    opened(X).check_k(49)


@pytest.mark.parametrize("k", [0, -1, 2.5, "10", True])
def test_k_is_a_whole_number(opened: Open, k: Any) -> None:
    with pytest.raises(ParameterError, match=f"k is {k!r}"):
        opened(X).check_k(k)


def test_one_vector_cannot_ask_itself(opened: Open) -> None:
    with pytest.raises(KnnInputError, match="no vector can be held out"):
        opened(X[:1]).sample_queries(5)
