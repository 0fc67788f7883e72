from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from aios_workbench.errors import JobError
from aios_workbench.promote import bundle as bundles
from aios_workbench.promote.bundle import make_bundle, verify
from aios_workbench.promote.jobs import promote
from aios_workbench.promote.records import bundle_folder, intact_bundle
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]


@pytest.fixture
def notebook(write: Write) -> Path:
    path = write(
        "nb/job.ipynb", "import helpers, random\nfrom pkg.deep import thing",
        "from lib import tools\nimport numpy as np",
        "try:\n    import absent\nexcept ImportError:\n    pass",
    )  # fmt: skip
    files = {
        "helpers.py": "import other",
        "other.py": "import helpers  # a circle",
        "random.py": "the library's wins",
        "unused.py": "",
        "pkg/__init__.py": "",
        "pkg/deep/__init__.py": "from .. import sibling\nfrom ...outside import x",
        "pkg/deep/thing.py": "",
        "pkg/sibling.py": "import late",
        "pkg/data.json": "{}",
        "pkg/__pycache__/x.pyc": "",
        "pkg/.secret": "",
        "late.py": "",
        "lib/tools.py": "",
        "lib/unused.py": "",
    }
    for name, text in files.items():
        target = path.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return path


SPEC = JobSpec(name="job", notebook="nb/job.ipynb")


def test_takes_what_is_imported_and_no_more(notebook: Path) -> None:
    assert sorted(make_bundle(notebook, SPEC).files) == [
        "environment.json", "helpers.py", "job.yaml", "late.py", "lib/tools.py", "notebook.ipynb", "other.py",
        "pkg/__init__.py", "pkg/data.json", "pkg/deep/__init__.py", "pkg/deep/thing.py", "pkg/sibling.py",
        "requirements.lock", "sbom.json",
    ]  # fmt: skip


def test_outputs_do_not_matter(notebook: Path) -> None:
    before = make_bundle(notebook, SPEC)
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].outputs = [nbformat.v4.new_output("stream", text="secret")]
    book.cells[0].execution_count = 7
    book.metadata["widgets"] = {"state": {}}
    nbformat.write(book, notebook)
    after = make_bundle(notebook, SPEC)
    assert after.hash == before.hash
    assert b"secret" not in after.files["notebook.ipynb"]


def test_code_modules_and_spec_matter(notebook: Path) -> None:
    hashes = {make_bundle(notebook, SPEC).hash}
    hashes.add(make_bundle(notebook, SPEC.model_copy(update={"retries": 1})).hash)
    (notebook.parent / "late.py").write_text("x = 1")
    hashes.add(make_bundle(notebook, SPEC).hash)
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].source += "\n"
    nbformat.write(book, notebook)
    hashes.add(make_bundle(notebook, SPEC).hash)
    assert len(hashes) == 4


def test_written_and_verified(notebook: Path, tmp_path: Path) -> None:
    bundle, folder = make_bundle(notebook, SPEC), tmp_path / "v1"
    bundle.write(folder, created_by="ada")
    verify(folder, bundle.hash)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["bundle_hash"] == bundle.hash
    assert manifest["created_by"] == "ada"
    assert manifest["files"].keys() == bundle.files.keys()
    assert JobSpec.from_yaml((folder / "job.yaml").read_text()) == SPEC
    (folder / "pkg" / "__pycache__").mkdir()
    (folder / "pkg" / "__pycache__" / "x.pyc").write_bytes(b"")
    verify(folder, bundle.hash)


def test_refuses_what_is_not_what_was_promoted(notebook: Path, tmp_path: Path) -> None:
    bundle, folder = make_bundle(notebook, SPEC), tmp_path / "v1"
    bundle.write(folder)
    late, manifest = folder / "late.py", folder / "manifest.json"

    late.chmod(0o600)
    late.write_text("import os")
    with pytest.raises(JobError, match=r"late\.py was changed"):
        verify(folder, bundle.hash)
    late.unlink()
    with pytest.raises(JobError, match=r"late\.py is missing"):
        verify(folder, bundle.hash)
    late.write_bytes(bundle.files["late.py"])
    (folder / "sitecustomize.py").write_text("")
    with pytest.raises(JobError, match=r"sitecustomize\.py was added"):
        verify(folder, bundle.hash)
    (folder / "sitecustomize.py").unlink()
    verify(folder, bundle.hash)

    # a manifest that was changed along with the file is caught by the hash in the catalog
    late.write_text("import os")
    changed = bundles.Bundle({**bundle.files, "late.py": b"import os"})
    listed = json.loads(manifest.read_text())
    listed["files"]["late.py"]["sha256"] = changed.hashes["late.py"]
    manifest.write_text(json.dumps(listed))
    with pytest.raises(JobError, match=r"manifest\.json was changed"):
        verify(folder, bundle.hash)
    manifest.write_text("[]")
    with pytest.raises(JobError, match="cannot be read"):
        verify(folder)
    manifest.unlink()
    with pytest.raises(JobError, match="is gone"):
        verify(folder)


def test_too_large(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_LIMIT", 10)
    with pytest.raises(JobError, match=r"at most 50 MB are copied"):
        make_bundle(notebook, SPEC)


def test_another_machine_of_the_team_has_what_one_promoted(notebook: Path, tmp_path: Path) -> None:
    """Two folders on one store; the row in the catalog names the hash that the fetched bundle must have."""
    store = f"file://{tmp_path / 'store'}"
    one, other = (
        Workspace(home / ".aios", artifacts=store) for home in (notebook.parents[1], tmp_path / "b")
    )
    job = promote(one, notebook, SPEC, by="ana")
    for table in ("jobs", "job_versions"):  # what a team's database says to all of them
        (seen,) = one.catalog.query(f"select * from {table}")
        columns = ", ".join(seen)
        other.catalog.write(
            f"insert into {table} ({columns}) values ({', '.join(f':{c}' for c in seen)})", **seen
        )
    row = one.catalog.one("select bundle_hash from job_versions where job_id = :j", j=job.job_id)
    assert row is not None
    folder = bundle_folder(other, job.job_id, 1)
    verify(folder, row["bundle_hash"])
    assert [p.name for p in folder.parent.iterdir()] == ["v1"]
    (folder / "helpers.py").chmod(0o600)
    (folder / "helpers.py").write_text("changed")
    with pytest.raises(JobError, match=r"helpers.py was changed"):
        verify(bundle_folder(other, job.job_id, 1), row["bundle_hash"])
    mended, wrong = intact_bundle(other, job.job_id, 1)
    assert wrong is not None
    assert "helpers.py was changed" in wrong
    verify(mended, row["bundle_hash"])
    with pytest.raises(JobError, match="is gone"):
        verify(bundle_folder(other, job.job_id, 2))
    one.close()
    other.close()
