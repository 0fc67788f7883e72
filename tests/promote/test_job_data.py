"""The data a notebook names: what a bundle takes of it, and what a run says when it is another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aios_workbench import promote
from aios_workbench.errors import JobError
from aios_workbench.promote import JobSpec, claims, data, digests, runner, versions
from aios_workbench.promote.bundle import Bundle, make_bundle
from aios_workbench.promote.checks import inspect
from aios_workbench.promote.modules import RESERVED
from aios_workbench.promote.records import bundle_folder, intact_bundle
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]


def spec(**options: Any) -> JobSpec:
    return JobSpec(name="job", notebook="-", **options)


def entries(bundle: Bundle) -> dict[str, data.Entry]:
    return {e.path: e for e in data.read_manifest(bundle.files.get("data.json"))}


@pytest.fixture
def folder(ws: Workspace) -> Path:
    made = ws.project / "nb"
    made.mkdir()
    for name, text in {
        "a.csv": "a",
        "deep/b.csv": "bb",
        "parts/1.parquet": "p1",
        "parts/2.parquet": "p2",
    }.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    return made


READS = (
    "import pandas as pd\npd.read_csv('a.csv'); pd.read_csv('./deep/../deep/b.csv'); pd.read_parquet('parts')",
    "open('out.csv', 'w').write('x'); open('out.csv').read()",
)


def test_small_files_are_copied_and_all_are_named(folder: Path, write: Write) -> None:
    path = write("nb/job.ipynb", *READS)
    bundle = make_bundle(path, spec())
    found = entries(bundle)
    assert list(found) == ["a.csv", "deep/b.csv", "parts/1.parquet", "parts/2.parquet"]
    assert {e.path for e in found.values() if e.copied} == set(found)
    assert bundle.files["data-files/parts/1.parquet"] == b"p1"
    assert json.loads(bundle.files["data.json"])["files"][0]["bytes"] == 1
    again = make_bundle(path, spec())
    assert again.hash == bundle.hash
    small = entries(make_bundle(path, spec(data_limit=1)))
    assert [e.path for e in small.values() if e.copied] == ["a.csv"]
    assert not any(e.copied for e in entries(make_bundle(path, spec(data_limit=0))).values())
    (folder / "a.csv").write_text("b")
    assert make_bundle(path, spec()).hash != bundle.hash


def test_what_is_not_meant_to_travel_stays(
    ws: Workspace, folder: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    (folder / "inner.csv").symlink_to(folder / "a.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / ".env").write_text("TOKEN=s3cret")
    (folder / "id.pem").write_text("s3cret")
    outside = ws.project / "shared.csv"
    outside.write_text("s3cret")
    os.mkfifo(folder / "pipe.csv")
    names = ["link.csv", "inner.csv", "loop.csv", ".env", "id.pem", "../shared.csv", str(outside), "pipe.csv"]
    path = write("nb/job.ipynb", "\n".join(f"open({name!r})" for name in names))
    bundle = make_bundle(path, spec())
    assert {e.path: e.copied for e in entries(bundle).values()} == {
        "link.csv": False, "inner.csv": True, ".env": False, "id.pem": False, "../shared.csv": False,
        str(outside): False,
    }  # fmt: skip
    assert not any(b"s3cret" in content for content in bundle.files.values())
    # more than fits into a bundle: the smallest come first
    monkeypatch.setattr(data, "TOTAL_LIMIT", 3)
    big = write("nb/big.ipynb", READS[0])
    assert [e.path for e in entries(make_bundle(big, spec())).values() if e.copied] == ["a.csv", "deep/b.csv"]


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.csv", "'; drop table jobs; --.csv", "ä b%s.csv"]
)
def test_hostile_names_are_names(ws: Workspace, folder: Path, write: Write, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("1")
    job = promote.promote(ws, write("nb/job.ipynb", f"open({name!r})"), spec(), "ada")
    assert (bundle_folder(ws, job.job_id, 1) / "data-files" / name).read_text() == "1"
    intact_bundle(ws, job.job_id, 1)


def test_a_name_that_cannot_be_printed_is_refused(ws: Workspace, folder: Path, write: Write) -> None:
    (folder / "a\x1bb.csv").write_text("1")
    with pytest.raises(JobError, match=r"a\\x1bb.csv' has a character in its name that cannot be printed"):
        make_bundle(write("nb/job.ipynb", "open('a\\x1bb.csv')"), spec())


def test_a_link_out_of_a_package_is_refused(folder: Path, write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret")
    (tmp_path / "shared.py").write_text("A = 1")
    (folder / "pkg").mkdir()
    (folder / "pkg" / "__init__.py").write_text("")
    (folder / "pkg" / "shared.py").symlink_to(tmp_path / "shared.py")
    path = write("nb/job.ipynb", "import pkg.shared")
    assert make_bundle(path, spec()).files["pkg/shared.py"] == b"A = 1"  # code is followed: it is what runs
    (folder / "pkg" / "model.bin").symlink_to(tmp_path / "key")
    with pytest.raises(JobError, match=r"pkg/model\.bin is a link that leads out of"):
        make_bundle(path, spec())


def test_ten_thousand_files(ws: Workspace, folder: Path, write: Write) -> None:
    for n in range(10_000):
        (folder / "parts" / f"{n}.json").write_text(str(n))
    job = promote.promote(ws, write("nb/job.ipynb", READS[0]), spec(data_limit=0), "ada")
    (listed,) = versions.versions(ws, "job")
    assert len(data.of_bundle(bundle_folder(ws, job.job_id, 1))) == 10_004
    assert len(listed["files"]) < 20
    (folder / "parts" / "77.json").write_text("changed")
    found = data.compare(bundle_folder(ws, job.job_id, 1), folder)
    assert found == ["parts/77.json has 7 bytes, and had 2"]


def test_a_run_warns_or_refuses(ws: Workspace, folder: Path, write: Write) -> None:
    path = write("nb/job.ipynb", *READS)
    bundle = bundle_folder(ws, promote.promote(ws, path, spec(), "ada").job_id, 1)
    assert data.require(bundle, folder, "pin") == []
    (folder / "a.csv").write_text("z")
    (folder / "deep" / "b.csv").unlink()
    assert data.require(bundle, folder, "warn") == ["a.csv has other content", "deep/b.csv is not there"]
    with pytest.raises(
        JobError, match=r"pins it .*: a\.csv has other content; deep/b\.csv is not there\. Bring"
    ):
        data.require(bundle, folder, "pin")
    assert data.place(bundle, folder) == ["deep/b.csv"]  # and nothing that is there is written over
    assert (folder / "a.csv").read_text() == "z"
    (folder / "deep" / "b.csv").unlink()
    (folder / "deep").rmdir()
    (folder / "deep").symlink_to(ws.project)
    assert data.place(bundle, folder) == []  # nor anything outside of the folder
    assert not (ws.project / "b.csv").exists()


def test_a_job_that_pins_its_data_does_not_start(ws: Workspace, folder: Path, write: Write) -> None:
    promote.promote(ws, write("nb/job.ipynb", *READS), spec(data="pin", retries=3), "ada")
    (folder / "a.csv").write_text("z")
    run_id = promote.trigger(ws, "job", "ada")
    row = claims.take(ws, "worker-1", 0.0)
    assert row is not None
    outcome = runner.execute(ws, row, lambda: None)
    assert (outcome.status, outcome.final) == ("failed", True)
    assert outcome.error is not None
    assert "a.csv has other content" in outcome.error["message"]
    assert not (folder / "out.csv").exists()
    assert "a.csv" in Path(promote.get_run(ws, run_id)["files"]["log.txt"]).read_text()


def test_pinned_data_differs_from_the_promoted_version(ws: Workspace, folder: Path, write: Write) -> None:
    path = write("nb/job.ipynb", *READS)
    promote.promote(ws, path, spec(), "ada")
    (folder / "a.csv").write_text("z")
    found = versions.differs(ws, path)
    assert found is not None
    assert (found["differs"], found["what"]) == (False, [])  # data changes every night; a run warns
    promote.promote(ws, path, spec(data="pin"), "ada")
    assert versions.diff(ws, "job", 1, 2)["data"][0]["path"] == "a.csv"
    (folder / "a.csv").write_text("other")
    found = versions.differs(ws, path)
    assert found is not None
    assert found["what"] == ["a.csv has 5 bytes, and had 1"]


def test_a_large_file_is_read_in_pieces_and_can_be_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(5 * 2**20 + 1)
    told: list[tuple[int, int]] = []
    whole = digests.file_sha256(path, lambda _, done, size: told.append((done, size)))
    assert told[0] == (2**20, 5 * 2**20 + 1)
    assert told[-1] == (5 * 2**20 + 1, 5 * 2**20 + 1)

    def stop(_: str, done: int, __: int) -> None:
        if done > 2 * 2**20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digests.file_sha256(path, stop)
    os.utime(path, (1, 1))
    assert digests.file_sha256(path) == whole
    with path.open("r+b") as file:
        file.write(b"x")
    assert digests.file_sha256(path) != whole


def test_the_check_and_the_bundle_name_the_same_files(folder: Path, write: Write) -> None:
    (folder / "pkg").mkdir()
    for name in ("rules.py", "unused.py", "pkg/__init__.py", "pkg/words.txt"):
        (folder / name).write_text("")
    path = write("nb/job.ipynb", "import rules, pkg", *READS)
    seen, bundle = inspect(path), make_bundle(path, spec())
    own = {n for n in bundle.files if not n.startswith("data-files/")} - RESERVED
    assert own == seen.modules.keys() == {"rules.py", "pkg/__init__.py", "pkg/words.txt"}
    assert {n: bundle.hashes[n] for n in own} == seen.modules
    listed = {os.path.normpath(d.path): (d.sha256, d.bytes) for d in seen.data}
    assert listed == {e.path: (e.sha256, e.bytes) for e in entries(bundle).values()}
