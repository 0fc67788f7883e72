"""An index as a value: pickled without a pickled object in it, verified when it comes back, checked on itself."""

from __future__ import annotations

import io
import pickle
import pickletools
import tarfile
from pathlib import Path

import numpy as np
import pytest

from aios_workbench.errors import CorruptIndexError, RecallBelowTarget
from aios_workbench.knn import Index, Params, open_vectors
from aios_workbench.knn.packing import packed, unpacked

X = np.random.default_rng(0).standard_normal((1500, 16)).astype(np.float32)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))


@pytest.fixture
def index(tmp_path: Path) -> Index:
    vectors = open_vectors(X, metadata={"price": range(len(X))}, folder=tmp_path)
    return Index.build(vectors, Params(family="ivf", nlist=64, nprobe=2))


def test_an_index_comes_back_as_it_was_with_its_changes(index: Index, tmp_path: Path) -> None:
    index.add([9000], X[:1] + 0.001, {"price": [7]})
    index.remove([3])
    again = pickle.loads(pickle.dumps(index))
    assert len(again) == len(index)
    assert again.search(X[:20], 5).ids.tolist() == index.search(X[:20], 5).ids.tolist()
    assert again.search(X[0], 2, filter="price < 8").ids.tolist() == [[0, 9000]]
    assert 3 not in again
    again.add([9001], X[5:6])  # it lives on
    assert 9001 in again
    assert list((tmp_path / ".aios" / "knn").iterdir()) == []  # nothing is left lying about


def test_nothing_of_faiss_is_in_the_pickle(index: Index) -> None:
    names = [a for op, a, _ in pickletools.genops(pickle.dumps(index)) if op.name == "SHORT_BINUNICODE"]
    assert names == ["aios_workbench.knn.index", "_unpack"]


def test_damaged_bytes_are_refused(index: Index) -> None:
    data = bytearray(packed(index.save))
    with pytest.raises(CorruptIndexError, match="no packed index"), unpacked(b"something else"):
        pass
    with tarfile.open(fileobj=io.BytesIO(bytes(data))) as archive:
        member = next(m for m in archive if m.name.startswith("index"))
    data[member.offset_data + member.size // 2] ^= 1
    unpack, _ = index.__reduce__()
    with pytest.raises(CorruptIndexError, match="changed or damaged"):
        unpack(bytes(data))


def test_an_archive_writes_nowhere_else(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    with pytest.raises(CorruptIndexError, match="no packed index"), unpacked(out.getvalue()):
        pass
    assert not list(tmp_path.rglob("escaped"))


def test_an_index_checks_itself_with_its_own_vectors(index: Index, tmp_path: Path) -> None:
    with pytest.raises(RecallBelowTarget, match=r"on 200 queries; 0\.95 was demanded"):
        index.check()
    seen = index.check(0.1, X[:50], k=3)
    assert (seen.queries, seen.k) == (50, 3)
    assert not index.check(0.99, fail=False).passed
    exact = Index.build(open_vectors(X[:500], folder=tmp_path), Params(family="flat"))
    assert exact.check(1.0).recall == 1.0
