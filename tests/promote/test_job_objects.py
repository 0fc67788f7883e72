"""Files of bundles stored once by hash: shared, rebuilt, mended, collected."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from aios_workbench import promote
from aios_workbench.errors import JobError
from aios_workbench.promote import JobSpec, objects, versions
from aios_workbench.promote.bundle import bundle_hash, discard, make_bundle, verify
from aios_workbench.promote.records import bundle_folder, intact_bundle, job_folder
from aios_workbench.promote.verifying import listing, read_listing
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.gc import collect

Write = Callable[..., Path]


def spec(**options: Any) -> JobSpec:
    return JobSpec(name="job", notebook="-", **options)


def stored(ws: Workspace) -> set[str]:
    return {p.name for p in objects.folder(ws).rglob("*") if p.is_file()}


class NoJournal:
    def entries(self) -> list[tuple[str, str, float]]:
        return []

    def references(self, entries: Any) -> set[str]:
        return set()

    def delete(self, entries: list[str]) -> None:
        pass


def gc(ws: Workspace, **options: Any) -> Any:
    return collect(ws, NoJournal(), alive=lambda _: False, **options)


def age(ws: Workspace) -> None:
    old = time.time() - 7200
    for path in objects.folder(ws).rglob("*"):
        os.utime(path, (old, old))


def test_what_is_deleted_or_damaged_is_rebuilt_to_the_byte(ws: Workspace, write: Write) -> None:
    path = write("nb/job.ipynb", "import helper")
    (path.parent / "helper.py").write_text("A = 1\n")
    job = promote.promote(ws, path, spec(), "ada")
    folder = job_folder(ws, job.job_id) / "v1"
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    path.unlink()  # what the notebook is today does not matter
    discard(folder)
    assert bundle_folder(ws, job.job_id, 1) == folder
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    damages: list[Callable[[], object]] = [
        lambda: (folder / "manifest.json").write_text("[]"),
        (folder / "manifest.json").unlink,
        (folder / "helper.py").unlink,
        lambda: (folder / "evil.py").write_text("import os"),
        lambda: discard(folder),
    ]
    for damage in damages:
        damage()
        found, _ = intact_bundle(ws, job.job_id, 1)
        assert {p.name: p.read_bytes() for p in found.iterdir()} == before
    assert intact_bundle(ws, job.job_id, 1)[1] is None
    assert [p.name for p in folder.parent.iterdir()] == ["v1"]  # nothing is left beside it
    with pytest.raises(JobError, match="version 2 of the job is gone"):
        intact_bundle(ws, job.job_id, 2)


def test_promoting_the_same_again_mends_what_was_damaged_beyond_repair(ws: Workspace, write: Write) -> None:
    path = write("job.ipynb", "print(1)")
    job = promote.promote(ws, path, spec(), "ada")
    discard(job_folder(ws, job.job_id) / "v1")
    for stored_file in [p for p in objects.folder(ws).rglob("*") if p.is_file()]:
        stored_file.chmod(0o600)
        stored_file.write_bytes(b"damaged")
    with pytest.raises(JobError, match=r"cannot be restored: the list of its files .* is damaged"):
        intact_bundle(ws, job.job_id, 1)
    assert not promote.promote(ws, path, spec(), "ada").changed
    intact_bundle(ws, job.job_id, 1)


def test_a_version_of_before_there_were_objects_is_kept(ws: Workspace, write: Write) -> None:
    job = promote.promote(ws, write("job.ipynb", "1"), spec(), "ada")
    discard(objects.folder(ws))
    assert versions.versions(ws, "job")[0]["files"]["job.yaml"]
    assert versions.diff(ws, "job", 1, 1)["same"]
    assert intact_bundle(ws, job.job_id, 1)[1] is None
    discard(job_folder(ws, job.job_id) / "v1")
    intact_bundle(ws, job.job_id, 1)


def test_a_listing_is_nothing_else(tmp_path: Path) -> None:
    hashes = {"a b.py": "0" * 64, "ä/x": "1" * 64}
    assert read_listing(listing(hashes)) == hashes
    for wrong in (
        b"nonsense",
        b"0" * 64 + b"  ../evil\n",
        b"0" * 64 + b"  /etc/passwd\n",
        b"0" * 64 + b"  \n",
    ):
        with pytest.raises(ValueError, match="no line of a listing"):
            read_listing(wrong)


def test_the_hash_is_the_same_wherever_it_is_made(tmp_path: Path, write: Write) -> None:
    cells = [nbformat.v4.new_code_cell("import helper\nprint(1)"), nbformat.v4.new_markdown_cell("text")]
    book = nbformat.v4.new_notebook(cells=cells)
    hashes = set()
    for n, version in enumerate(("3.11.7", "3.12.1")):
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "helper.py").write_text("A = 1\n")
        book.metadata["language_info"] = {"name": "python", "version": version}
        book.cells[0].metadata["collapsed"] = bool(n)
        text = nbformat.writes(book)
        for cell in book.cells:  # as if written by a tool that knows no ids
            text = text.replace(f'   "id": "{cell.id}",\n', "")
        (folder / "nb.ipynb").write_text(text)
        hashes |= {make_bundle(folder / "nb.ipynb", spec()).hash for _ in range(2)}
    assert len(hashes) == 1


def test_gc_takes_what_no_version_has(ws: Workspace, write: Write) -> None:
    path = write("nb/job.ipynb", "import helper")
    (path.parent / "helper.py").write_text("A = 1\n")
    promote.promote(ws, path, spec(), "ada")
    other = promote.promote(ws, path, JobSpec(name="other", notebook="-"), "ada")
    both = stored(ws)
    promote.remove(ws, "job", "ada")
    gc(ws)
    assert stored(ws) == both  # young
    age(ws)
    assert gc(ws, dry_run=True).files == 3
    assert gc(ws).files == 3  # its job.yaml, bill of materials and list: the rest is the other's too
    discard(job_folder(ws, other.job_id) / "v1")
    intact_bundle(ws, other.job_id, 1)
    age(ws)
    text = objects.folder(ws) / bundle_of(ws)[:2] / bundle_of(ws)
    text.chmod(0o600)
    text.write_bytes(b"damaged")
    age(ws)
    left = stored(ws)
    assert gc(ws).files == 0  # whose list cannot be read keeps everything
    assert stored(ws) == left


def bundle_of(ws: Workspace) -> str:
    (row,) = ws.catalog.query("select bundle_hash from job_versions")
    return str(row["bundle_hash"])


def test_a_teams_store_holds_each_file_once(tmp_path: Path, ws: Workspace, write: Write) -> None:
    store = tmp_path / "store"
    team = Workspace(ws.project / ".team", artifacts=f"file://{store}")
    path = write("nb/job.ipynb", "import helper")
    (path.parent / "helper.py").write_text("A = 1\n")
    job = promote.promote(team, path, spec(), "ada")
    promote.promote(team, path, spec(retries=1), "ada")
    there = sorted(p.name for p in (store / "bundles" / "objects").iterdir())
    assert there == sorted(stored(team))
    discard(objects.folder(team))  # a machine that has none of it
    discard(job_folder(team, job.job_id))
    for version in (1, 2):
        folder, _ = intact_bundle(team, job.job_id, version)
        verify(folder, versions.versions(team, "job")[2 - version]["bundle_hash"])
    assert versions.diff(team, "job", 1, 2)["spec"] == [{"option": "retries", "old": 0, "new": 1}]
    old = time.time() - 7200
    for blob in (store / "bundles" / "objects").iterdir():
        os.utime(blob, (old, old))
    gc(team)
    assert sorted(p.name for p in (store / "bundles" / "objects").iterdir()) == there
    promote.remove(team, "job", "ada")
    gc(team)
    assert list((store / "bundles" / "objects").iterdir()) == []
    team.close()


def test_the_hash_of_a_bundle_is_that_of_its_list() -> None:
    # `printf '%064d  a\n' 0 | sha256sum`: what anybody can check without us
    assert bundle_hash({"a": "0" * 64}) == "53d743f33b897204dd8c5442651c6bb773fd59ebb101222fe2fcf900b26e4bef"
