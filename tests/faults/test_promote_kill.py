"""Promotions that are killed anywhere, that meet, and whose disk is full: a version is there whole, or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from disks import small_disk

from aios_workbench import govern, promote
from aios_workbench.errors import AiosError, WorkspaceError
from aios_workbench.promote import JobSpec, versions
from aios_workbench.promote.records import intact_bundle
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

#: Promotes in forked children; the n-th one is killed at the n-th thing that reaches the disk.
DRIVER = """
import json, os, pathlib, signal, sys
import nbformat
from aios_workbench import promote
from aios_workbench.promote import JobSpec, promoting, provenance, versions
from aios_workbench.workspace import Workspace, catalog

root = pathlib.Path(sys.argv[1])

def write(n):
    cells = [nbformat.v4.new_code_cell(f"print(open('a.csv').read(), {n})", id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "nb.ipynb")

def promotion(n, at):
    left = [at]
    def mortal(function):
        def call(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)
        return call
    ws = Workspace(root / ".aios")
    for owner, name in (
        (os, "fsync"), (os, "rename"), (pathlib.Path, "write_bytes"), (pathlib.Path, "write_text"),
        (pathlib.Path, "replace"), (pathlib.Path, "mkdir"), (catalog.Catalog, "_commit"), (promoting, "tell"),
    ):
        setattr(owner, name, mortal(getattr(owner, name)))
    job = promote.promote(ws, root / "nb.ipynb", JobSpec(name="job", notebook="-"), "ada")
    ws.close()
    os._exit(0 if job.promoted else 1)

write(0)
promoting.make_bundle(root / "nb.ipynb", JobSpec(name="job", notebook="-"))  # so that the children need not import
for n in range(1, 400):
    write(n)
    child = os.fork()
    if child == 0:
        promotion(n, n)
    status = os.waitpid(child, 0)[1]
    print(json.dumps({"n": n, "killed": os.WIFSIGNALED(status), "status": status}), flush=True)
    if not os.WIFSIGNALED(status):
        break
"""


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "a.csv").write_text("a,b\n")
    with contextlib.closing(Workspace(tmp_path / ".aios")) as workspace:
        yield workspace


def notebook(folder: Path, n: int, name: str = "nb.ipynb") -> Path:
    cells = [nbformat.v4.new_code_cell(f"print(open('a.csv').read(), {n})", id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)
    return folder / name


def spec(**options: Any) -> JobSpec:
    return JobSpec(name="job", notebook="-", **options)


def all_whole(ws: Workspace) -> list[int]:
    """Return the versions, each looked at: what the catalog says is what is on the disk."""
    found = versions.versions(ws, "job")
    job = promote.get(ws, "job")
    for version in found:
        folder, _ = intact_bundle(ws, job.job_id, version["version"])
        assert (folder / "data-files" / "a.csv").read_text() == "a,b\n"
        assert json.loads((folder / "provenance.json").read_text())["predicateType"].startswith(
            "https://slsa.dev/"
        )
    assert [v["version"] for v in found if v["current"]] == [job.version]
    assert govern.verify(ws) is None
    return [v["version"] for v in found]


def test_killed_at_every_point(ws: Workspace, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", DRIVER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    tries = [json.loads(line) for line in done.stdout.splitlines()]
    assert tries[-1] == {"n": len(tries), "killed": False, "status": 0}, tries[-1]
    assert len(tries) > 20  # points in between, each met once
    found = all_whole(ws)
    assert found == list(range(len(found), 0, -1))
    assert 1 < len(found) < len(tries)  # some died before their version was made, some after
    again = promote.promote(ws, tmp_path / "nb.ipynb", spec(), "ada")
    assert (again.changed, again.version) == (False, found[0])


def test_two_at_the_same_moment_lose_nothing(ws: Workspace, tmp_path: Path) -> None:
    gate, errors = threading.Barrier(6), []

    def one(n: int) -> None:
        path = notebook(tmp_path, n % 3, f"nb{n % 3}-{n}.ipynb")
        content = spec().model_copy(update={"notebook": "-"})
        gate.wait()
        with contextlib.closing(Workspace(tmp_path / ".aios")) as own:
            try:
                promote.promote(own, path, content, f"user-{n}")
            except AiosError as e:  # pragma: no cover - the test fails then
                errors.append(e)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = versions.versions(ws, "job")
    assert (
        len({v["bundle_hash"] for v in found}) == len(found) == 6
    )  # the notebook's path is part of what a job is
    assert all_whole(ws) == [6, 5, 4, 3, 2, 1]
    promoted = ws.catalog.query("select actor from audit where action = 'job.promote'")
    assert sorted(r["actor"] for r in promoted) == [f"user-{n}" for n in range(6)]


def test_the_same_content_at_the_same_moment_is_one_version(ws: Workspace, tmp_path: Path) -> None:
    path, gate = notebook(tmp_path, 1), threading.Barrier(4)
    changed: list[bool] = []

    def one(n: int) -> None:
        with contextlib.closing(Workspace(tmp_path / ".aios")) as own:
            gate.wait()
            changed.append(promote.promote(own, path, spec(), f"user-{n}").changed)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False, False, False, True]
    assert all_whole(ws) == [1]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path, "6m") as disk, contextlib.closing(Workspace(disk / ".aios")) as ws:
        (disk / "a.csv").write_text("a,b\n")
        promote.promote(ws, notebook(disk, 1), spec(), "ada")
        (disk / "a.csv").write_bytes(b"x" * 700_000)
        path = notebook(disk, 2)
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        os.truncate(ballast, ballast.stat().st_size - 300_000)
        with pytest.raises(WorkspaceError, match=r"no space left .* then promote again: nothing was changed"):
            promote.promote(ws, path, spec(), "ada")
        assert [v["version"] for v in versions.versions(ws, "job")] == [1]
        intact_bundle(ws, promote.get(ws, "job").job_id, 1)
        ballast.unlink()
        assert promote.promote(ws, path, spec(), "ada").version == 2
