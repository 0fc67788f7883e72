"""What a tuning asks: queries held out or given, in random order, kept with the vectors they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aios_workbench.errors import KnnInputError, NotFoundError, ParameterError
from aios_workbench.knn import kept, open_vectors
from aios_workbench.knn.kept import Asked
from aios_workbench.workspace import Workspace

X = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32)


def test_held_out_rows_are_asked_in_random_order_and_not_searched(tmp_path: Path) -> None:
    vectors = open_vectors(X, folder=tmp_path)
    asked = kept.ask(vectors, 10, seed=3)
    assert len(asked.queries) == 100  # a quarter of few vectors
    assert asked.tuning == 50
    assert not (np.diff(asked.rows) > 0).all()
    np.testing.assert_array_equal(vectors.inner[asked.rows], asked.queries)
    searched = np.load(asked.path)
    assert len(searched) == 300
    assert not (searched[:, None] == asked.queries[None]).all(axis=2).any()
    assert asked.row(0) == asked.rows[0]
    again = kept.ask(vectors, 10, seed=3)
    np.testing.assert_array_equal(again.queries, asked.queries)
    assert not np.array_equal(kept.ask(vectors, 10, seed=4).rows, asked.rows)


def test_so_few_are_held_out_that_k_neighbours_are_left(tmp_path: Path) -> None:
    vectors = open_vectors(X[:20], folder=tmp_path)
    assert len(np.load(kept.ask(vectors, 19, seed=0).path)) == 19
    assert len(np.load(kept.ask(vectors, 3, seed=0).path)) == 15
    with pytest.raises(KnnInputError, match="k=20"):
        kept.ask(vectors, 20, seed=0)


def test_given_queries_are_split_and_nothing_is_held_out(tmp_path: Path) -> None:
    vectors = open_vectors(X[:300], queries=X[300:], folder=tmp_path)
    asked = kept.ask(vectors, 10, seed=0)
    assert (len(asked.queries), asked.tuning, len(asked.rows)) == (100, 50, 0)
    assert asked.row(0) is None
    assert asked.path == vectors.path
    one = kept.ask(open_vectors(X[:300], queries=X[300], folder=tmp_path), 10, seed=0)
    assert (len(one.queries), one.tuning) == (1, 1)


def test_what_is_asked_comes_back_from_its_folder(tmp_path: Path) -> None:
    asked = kept.ask(open_vectors(X, folder=tmp_path), 10, seed=0)
    asked.keep(tmp_path)
    again = Asked.reopen(tmp_path)
    np.testing.assert_array_equal(again.queries, asked.queries)
    np.testing.assert_array_equal(again.rows, asked.rows)
    assert (again.tuning, again.path) == (asked.tuning, asked.path)
    with pytest.raises(NotFoundError, match=r"queries .* are gone .* call tune\(\) again"):
        Asked.reopen(tmp_path / "none")


@pytest.mark.parametrize("texts", [False, True])
def test_vectors_come_back_with_ids_metadata_and_lengths(tmp_path: Path, texts: bool) -> None:
    ids = [f"t{i}" for i in range(100)] if texts else list(range(500, 600))
    frame = pd.DataFrame({"id": ids, "vector": list(X[:100]), "place": [f"place {i}" for i in range(100)]})
    vectors = open_vectors(frame, queries=X[300:], metric="cosine", folder=tmp_path)
    folder = tmp_path / "tuning"
    folder.mkdir()
    kept.ask(vectors, 10, seed=0).keep(folder)
    again = kept.reopen(kept.describe(vectors, folder))
    assert again.ids.tolist() == ids
    assert again.ids.dtype.kind == vectors.ids.dtype.kind
    assert again.text(3) == vectors.text(3)
    assert again.space == vectors.space
    assert (again.n, again.fingerprint, again.source, again.repairs) == (
        vectors.n, vectors.fingerprint, vectors.source, vectors.repairs,
    )  # fmt: skip
    np.testing.assert_array_equal(again.raw([1, 2]), vectors.raw([1, 2]))
    vectors.path.unlink()
    with pytest.raises(NotFoundError, match="are gone"):
        kept.reopen(kept.describe(vectors, folder))


def test_opened_vectors_take_no_more_settings(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / ".aios")
    vectors = open_vectors(X, folder=tmp_path)
    assert kept.prepare(vectors, ws, metric="l2", seed=0, queries=None, ids=None) is vectors
    with pytest.raises(ParameterError, match=r"opened already; give queries to open_vectors\(\)"):
        kept.prepare(vectors, ws, metric="l2", seed=0, queries=X, ids=None)
    ws.close()
