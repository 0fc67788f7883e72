"""An index on disk: back as it was, refused when anything is wrong with it, never half written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
from living import FAMILIES, IVF, clustered, index_of, recall

from aios_workbench.errors import CorruptIndexError, KnnError, NotFoundError
from aios_workbench.knn import files
from aios_workbench.knn.index import Index
from aios_workbench.knn.models import Params

PARTS = ["vectors", "delta", "rows", "metadata", "index", "manifest"]


def lived(params: Params = IVF, metric: str = "l2") -> Index:
    """An index with dead rows, a buffer and metadata."""
    x = clustered(1200)
    index = index_of(
        x, params, ids=[f"n{i}" for i in range(1200)], metadata={'pri"ce': range(1200)}, metric=metric
    )
    index.remove([f"n{i}" for i in range(100)])
    index.add(
        [f"new{i}" for i in range(50)], clustered(50, seed=5), {'pri"ce': [-1] * 50, "late": ["ü"] * 50}
    )
    index.remove(["new3"])
    return index


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("knn") / "index"
    lived().save(path)
    return path


def part_of(path: Path, part: str) -> Path:
    return path / "manifest.json" if part == "manifest" else next(path.glob(f"{part}-*"))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    index = lived(FAMILIES[name], "cosine" if name == "ivf" else "ip" if name == "hnsw" else "l2")
    index.save(tmp_path / "i")
    again = Index.load(tmp_path / "i")
    q = clustered(30, seed=7)
    mine, theirs = index.search(q, 10), again.search(q, 10)
    assert np.array_equal(mine.ids, theirs.ids)
    assert np.array_equal(mine.distances, theirs.distances)
    assert mine.metadata.equals(theirs.metadata)
    assert (len(again), again.version, again.params, again.target) == (
        len(index),
        index.version,
        index.params,
        index.target,
    )
    assert again.search(q, 5, "late = 'ü'").frame().equals(index.search(q, 5, "late = 'ü'").frame())
    assert isinstance(again._state.base.x, np.memmap)
    # and lives on: what is mapped is copied before it is changed
    again.add(["n5", "n6"], q[:2])
    again.renew()
    if name != "hnsw":  # under inner product a vector need not be its own nearest
        assert again.search(q[:2], 1).ids.tolist() == [["n5"], ["n6"]]
    assert recall(again, q) >= 0.9
    again.save(tmp_path / "i")
    assert len(Index.load(tmp_path / "i")) == len(again)
    assert len(list((tmp_path / "i").iterdir())) == 7  # five parts, the manifest, the lock


def test_small_and_empty_indexes(tmp_path: Path) -> None:
    index = index_of(clustered(40), Params(family="flat"))
    index.add([100], clustered(1, seed=3))
    for i, gone in enumerate([[], [100], range(40)]):
        index.remove(gone)
        index.renew()
        index.save(tmp_path / "i")
        again = Index.load(tmp_path / "i")
        assert len(again) == len(index) == [41, 40, 0][i]
        assert np.array_equal(again.search(clustered(2), 5).ids, index.search(clustered(2), 5).ids)
    again.add([7], clustered(1))
    assert again.search(clustered(1), 1).ids.tolist() == [[7]]


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def halve(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip(at: float) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[min(int(at * len(data)), len(data) - 1)] ^= 0x04
        file.write_bytes(data)

    return change


def foreign(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(file.stat().st_size))


CORRUPTIONS: dict[str, Callable[[Path], None]] = {
    "a byte short": truncate, "half": halve, "first byte": flip(0), "header": flip(0.001), "middle": flip(0.5),
    "last byte": flip(1), "longer": lambda f: f.write_bytes(f.read_bytes() + b"\0"),
    "empty": lambda f: os.truncate(f, 0),
    "other content": foreign, "gone": Path.unlink,
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("what", CORRUPTIONS)
def test_a_damaged_file_is_refused(part: str, what: str, saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "i"
    shutil.copytree(saved, path)
    file = part_of(path, part)
    CORRUPTIONS[what](file)
    with pytest.raises(CorruptIndexError, match=r"(?i)restore|save|build"):
        Index.load(path)


def change(**fields: object) -> Callable[[dict[str, object]], None]:
    return lambda m: m.update(fields)


MANIFESTS: dict[str, tuple[Callable[[dict[str, object]], None], str]] = {
    "newer": (change(version=2), "update aios-workbench"),
    "no version": (change(version=None), "version None"),
    "other format": (change(format="else"), "another program"),
    "a setting": (change(target=0.1), "changed or damaged"),
    "a hash": (lambda m: m["files"]["rows"].update(sha256="0" * 64), "changed or damaged"),  # type: ignore[index]
    "no seal": (lambda m: m.pop("sha256"), "changed or damaged"),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_changed_manifest_is_refused(what: str, saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "i"
    shutil.copytree(saved, path)
    manifest = json.loads((path / "manifest.json").read_text())
    MANIFESTS[what][0](manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptIndexError, match=MANIFESTS[what][1]):
        Index.load(path)


def reseal(path: Path, change: Callable[[dict[str, object]], None]) -> None:
    """As somebody would who knows how."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest.pop("sha256")
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest | {"sha256": files._sealed(manifest)}))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["files"]["rows"].update(name="../rows.parquet"),
        lambda m: m["files"].pop("metadata"),
        lambda m: m.update(rows=3),
        lambda m: m.update(delta=3),
        lambda m: m.update(vectors=3),
        lambda m: m.update(space=m["space"] | {"inner": 3}),
        lambda m: m.update(params={"family": "unheard of"}),
        lambda m: m.pop("k"),
        lambda m: m["files"].update(rows=m["files"]["metadata"]),
        lambda m: m["files"].update(index=m["files"]["vectors"]),
    ],
)
def test_a_manifest_that_lies_is_refused(
    change: Callable[[dict[str, object]], None], saved: Path, tmp_path: Path
) -> None:
    path = tmp_path / "i"
    shutil.copytree(saved, path)
    reseal(path, change)
    with pytest.raises(KnnError):
        Index.load(path)


def test_links_and_other_things_are_no_index(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no index"):
        Index.load(tmp_path / "none")
    faiss.write_index(faiss.IndexFlatL2(4), str(tmp_path / "plain.faiss"))
    with pytest.raises(CorruptIndexError, match="file of plain faiss"):
        Index.load(tmp_path / "plain.faiss")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CorruptIndexError, match="no manifest"):
        Index.load(tmp_path / "folder")
    path = tmp_path / "i"
    shutil.copytree(saved, path)
    rows = part_of(path, "rows")
    rows.rename(tmp_path / "elsewhere")
    rows.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptIndexError, match="not a file of this folder"):
        Index.load(path)


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    index = index_of(clustered(40), Params(family="flat"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(KnnError, match="other things"):
        index.save(tmp_path / "full")
    with pytest.raises(KnnError, match="is a file"):
        index.save(tmp_path / "full" / "thesis.txt")
    index.save(tmp_path / "i")
    (tmp_path / "i" / "notes.txt").write_text("mine")
    index.save(tmp_path / "i")
    assert (tmp_path / "i" / "notes.txt").read_text() == "mine"
    Index.load(tmp_path / "i")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.95, 0.99, 0.9999])
def test_a_full_disk_leaves_the_old_index(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i"
    old = index_of(clustered(300), IVF)
    old.save(path)
    before = sorted(p.name for p in path.iterdir())
    room = [int(share * sum(p.stat().st_size for p in path.iterdir()))]
    write = files._Hashed.write

    def full(self: files._Hashed, data: bytes) -> int:
        room[0] -= len(memoryview(data).cast("B"))
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(files._Hashed, "write", full)
    new = index_of(clustered(300, seed=8), IVF)
    with pytest.raises(KnnError, match="no space left; what was saved there before is as it was"):
        new.save(path)
    assert sorted(p.name for p in path.iterdir()) == before
    again = Index.load(path)
    assert again.search(clustered(300)[:3], 1).ids.tolist() == [[0], [1], [2]]


SAVE = """
import resource, sys
import numpy as np
sys.path.insert(0, {tests!r})
from living import clustered, index_of, IVF
from aios_workbench.errors import KnnError
from aios_workbench.knn import files
index = index_of(clustered(600, seed=8), IVF)
if {how!r} == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
else:
    import os
    finish = files._Hashed.finish
    def die(self):
        finish(self)
        if self.bytes > 1000: die.left -= 1
        if die.left == 0: os._exit(9)
    die.left = 3
    files._Hashed.finish = die
try:
    index.save({path!r})
except KnnError as e:
    print(e); sys.exit(3)
"""


@pytest.mark.parametrize(("how", "code"), [("limit", 3), ("die", 9)])
def test_a_real_limit_or_a_death_leaves_the_old_index(how: str, code: int, tmp_path: Path) -> None:
    path = tmp_path / "i"
    index_of(clustered(300), IVF).save(path)
    script = textwrap.dedent(SAVE).format(tests=str(Path(__file__).parent), path=str(path), how=how)
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stderr
    assert Index.load(path).search(clustered(300)[:3], 1).ids.tolist() == [[0], [1], [2]]
    index_of(clustered(40), Params(family="flat")).save(path)  # what the dead one left is swept up
    assert len(list(path.iterdir())) == 7


def test_a_loaded_index_goes_on_when_it_is_saved_over(tmp_path: Path) -> None:
    index_of(clustered(300), IVF).save(tmp_path / "i")
    old = Index.load(tmp_path / "i")
    index_of(clustered(300, seed=8), IVF).save(tmp_path / "i")
    assert old.search(clustered(300)[:3], 1).ids.tolist() == [[0], [1], [2]]
    assert recall(old, clustered(20)) == 1.0


def test_nothing_is_pickled(saved: Path) -> None:
    assert {p.suffix for p in saved.iterdir()} == {".npy", ".parquet", ".faiss", ".json", ""}
    text = (Path(files.__file__)).read_text()
    assert "import pickle" not in text
    assert "allow_pickle=True" not in text
