"""What is particular to the store on our own index: its folder, its one process, its parameters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aios_workbench.errors import AiosError, ConflictError, StoreError
from aios_workbench.knn.index import load
from aios_workbench.knn.models import Params
from aios_workbench.knn.stores import open_store
from aios_workbench.knn.stores.faiss import FaissStore

X = np.random.default_rng(5).normal(size=(3000, 16)).astype(np.float32)


def opened(url: str, **options: object) -> FaissStore:
    store = open_store(url, **options)
    assert isinstance(store, FaissStore)
    return store


def test_it_is_built_with_a_tunings_parameters_and_saved_as_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "index"
    params = Params(family="ivf", nlist=32, nprobe=16)
    with opened(f"faiss:{folder}", params=params, metric="cosine") as store:
        store.add(range(2000), X[:2000], {"n": range(2000)})
        assert store.index.params == params
        assert not folder.exists()
        store.save()
        assert len(load(folder)) == 2000
        store.add(range(2000, 3000), X[2000:], {"n": range(2000, 3000)})
        exact = store.index.exact(X[:20], 5).ids
        found = store.search(X[:20], 5).ids
        assert np.mean([len(set(a) & set(b)) / 5 for a, b in zip(exact, found, strict=True)]) > 0.8
    index = load(folder)
    assert len(index) == 3000
    assert index.search(X[2500], 1, "n >= 2500").ids.tolist() == [[2500]]


def test_an_index_saved_by_a_tuning_is_a_store(tmp_path: Path) -> None:
    with opened(f"faiss:{tmp_path / 'a'}") as store:
        store.add(["x", "y"], X[:2])
        store.index.save(tmp_path / "b")
    with opened(f"faiss:{tmp_path / 'b'}") as copy:
        assert copy.count() == 2
        with pytest.raises(AiosError, match="str"):
            copy.add([1], X[:1])


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    code = f"from aios_workbench.knn.stores import open_store; open_store('faiss:{tmp_path / 'i'}')"
    with opened(f"faiss:{tmp_path / 'i'}"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
        assert "ConflictError: another process has" in done.stderr
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_damaged_folder_is_refused_and_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    with opened(f"faiss:{folder}") as store:
        store.add([1, 2], X[:2])
    manifest = folder / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-20])
    with pytest.raises(AiosError):
        opened(f"faiss:{folder}")
    manifest.write_bytes(whole)
    with opened(f"faiss:{folder}") as store:
        assert store.count() == 2


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be kept"):
        opened(f"faiss:{tmp_path / 'file' / 'index'}")


def test_an_empty_store_has_no_index_yet() -> None:
    with opened("faiss") as store, pytest.raises(ConflictError, match="empty"):
        _ = store.index
