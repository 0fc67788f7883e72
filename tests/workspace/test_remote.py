"""Values of a team on file systems of fsspec's: whole or not there, verified, kept on this machine within a limit."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest

from aios_workbench.errors import CorruptArtifactError, NotFoundError, ParameterError, WorkspaceError
from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.gc import collect
from aios_workbench.workspace.preview import preview
from aios_workbench.workspace.remote import BlobStore
from aios_workbench.workspace.sql import query_output


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"memory://{uuid.uuid4().hex}" if request.param == "memory" else f"file://{tmp_path / 'store'}"


def machine(tmp_path: Path, url: str, name: str) -> Workspace:
    """A workspace with a cache of its own; one catalog is enough here."""
    return Workspace(tmp_path / name / ".aios", artifacts=url)


@pytest.fixture
def ws(tmp_path: Path, url: str) -> Any:
    space = machine(tmp_path, url, "one")
    yield space
    space.close()


def blob_of(ws: Workspace, artifact: Artifact) -> tuple[Any, str]:
    """The file system, and the blob's path in it."""
    assert ws.artifacts.remote is not None
    fs, base = fsspec.core.url_to_fs(ws.artifacts.remote.url)
    name = ws.artifacts.path(artifact).name
    return fs, f"{base}/{name[:2]}/{name}"


def forget(ws: Workspace) -> None:
    """Forget what the process and the machine have kept."""
    ws.artifacts._cache.clear()
    for path in ws.artifacts.folder.glob("*/*"):
        path.unlink()


VALUES = [{"a": [1, 2]}, np.arange(12).reshape(3, 4), pd.DataFrame({"x": [1, 2, 3]}), {1, 2, 3}]


@pytest.mark.parametrize("value", VALUES, ids=["json", "npy", "parquet", "pickle"])
def test_another_machine_gets_what_one_has_put(tmp_path: Path, url: str, value: Any) -> None:
    one, other = machine(tmp_path, url, "one"), machine(tmp_path, url, "other")
    artifact = one.artifacts.put(value)
    assert other.artifacts.exists(artifact)
    np.testing.assert_equal(np.asarray(other.artifacts.get(artifact)), np.asarray(value))
    assert other.artifacts.path(artifact).exists()  # kept
    one.close()
    other.close()


def test_a_preview_and_a_query_fetch_the_value(tmp_path: Path, url: str) -> None:
    one, other = machine(tmp_path, url, "one"), machine(tmp_path, url, "other")
    table, array = one.artifacts.put(VALUES[2]), one.artifacts.put(VALUES[1])
    assert query_output(other, table, "select sum(x) as s from output")["s"].tolist() == [6]
    assert preview(other, table)["columns"][0]["name"] == "x"
    assert preview(other, array)["total"] == 3
    one.close()
    other.close()


def test_what_was_deleted_is_missed_and_written_again_when_put_again(ws: Workspace) -> None:
    artifact = ws.artifacts.put([1, 2, 3])
    fs, path = blob_of(ws, artifact)
    fs.rm_file(path)
    assert not ws.artifacts.exists(artifact)
    assert not ws.artifacts.intact(artifact)  # though this machine has kept it
    forget(ws)
    with pytest.raises(NotFoundError, match="rerun the step"):
        ws.artifacts.get(artifact)
    assert ws.artifacts.put([1, 2, 3]) == artifact
    assert fs.exists(path)


def test_what_was_damaged_is_refused_and_mended_when_put_again(ws: Workspace) -> None:
    artifact = ws.artifacts.put([1, 2, 3])
    fs, path = blob_of(ws, artifact)
    fs.pipe_file(path, b"[1,2,4]")
    forget(ws)
    with pytest.raises(CorruptArtifactError, match="written again"):
        ws.artifacts.get(artifact)
    ws.artifacts.put([1, 2, 3])
    forget(ws)
    assert ws.artifacts.get(artifact) == [1, 2, 3]


def test_a_damaged_copy_on_this_machine_is_fetched_again(ws: Workspace) -> None:
    artifact = ws.artifacts.put([1, 2, 3])
    ws.artifacts._cache.clear()
    ws.artifacts.path(artifact).write_bytes(b"[1,2,4]")
    assert ws.artifacts.get(artifact) == [1, 2, 3]


def test_a_machine_keeps_no_more_than_its_limit(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_CACHE_MB", "1")
    space = machine(tmp_path, url, "small")
    made = []
    for i in range(8):
        made.append(space.artifacts.put(np.full(40_000, i, np.float64)))  # 320 kB each
        for path in space.artifacts.folder.glob("*/*"):
            os.utime(path, (time.time() - 600 + i,) * 2)  # not read in the last minute
    kept = [p.stat().st_size for p in space.artifacts.folder.glob("*/*")]
    assert sum(kept) <= 2**20 + 330_000
    assert all(float(space.artifacts.get(a)[0]) == i for i, a in enumerate(made))
    space.close()


class NoJournal:
    """A journal of which nothing is known."""

    def entries(self) -> list[Any]:
        return []

    def references(self, entries: Any) -> set[str]:
        return set()

    def delete(self, entries: Any) -> None:
        pass


def test_gc_deletes_what_is_old_and_nobody_needs(ws: Workspace) -> None:
    artifact = ws.artifacts.put([1, 2, 3])
    ws.catalog.flush()
    fs, path = blob_of(ws, artifact)
    assert collect(ws, NoJournal(), alive=lambda _e: False).artifacts == 0  # young
    later = time.time() + 7200
    assert collect(ws, NoJournal(), alive=lambda _e: False, now=later, dry_run=True).artifacts == 1
    assert fs.exists(path)
    done = collect(ws, NoJournal(), alive=lambda _e: False, now=later)
    assert (done.artifacts, done.artifact_bytes) == (1, 7)
    assert not fs.exists(path)


def test_a_write_that_fails_leaves_no_half_blob_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = machine(tmp_path, f"file://{tmp_path / 'store'}", "one")
    remote = space.artifacts.remote
    assert remote is not None

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remote._fs, "mv", broken)
    with pytest.raises(WorkspaceError, match=r"store cannot store .*No space left.*AIOS_ARTIFACTS"):
        space.artifacts.put([1])
    assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []
    space.close()


@pytest.mark.parametrize("url", ["nonsense://x", "s4://bucket"])
def test_an_address_that_fsspec_does_not_know_is_refused(url: str) -> None:
    with pytest.raises(ParameterError, match=r"AIOS_ARTIFACTS .*file:///shared"):
        BlobStore(url)
