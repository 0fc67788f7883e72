"""Which packages a notebook's lock holds: read off what is installed, nothing is run and nothing fetched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from locked_kit import install

from aios_workbench.errors import JobError
from aios_workbench.promote import environment
from aios_workbench.promote.environment.capture import capture
from aios_workbench.promote.environment.lock import Lock, read_lock
from aios_workbench.promote.environment.needs import needs_of
from aios_workbench.promote.notebooks import Cell, parse_source
from aios_workbench.promote.spec import JobSpec


def cells(*sources: str) -> list[Cell]:
    return [parse_source(source) for source in sources]


def only(lock: Lock, *known: str) -> dict[str, str]:
    """Versions of the packages a test has made."""
    return {n: v for n, v in lock.versions.items() if n.startswith(known or ("zz-",))}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with packages of every kind."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "zz-table", "2.1", modules={"zz_table/__init__.py": ""},
            requires=["ZZ_Core>=1", "zz-fast; extra == 'fast'", "zz-windows; sys_platform == 'win32'"],
            more=["License-Expression: MIT"])  # fmt: skip
    install(folder, "zz-core", "1.4+cpu", modules={"zz_core.py": ""}, requires=["zz-table[fast]", "absent>1"])
    install(folder, "zz-fast", "0.1", modules={"zz_fast.py": ""})
    install(folder, "zz-windows", "9", modules={"zz_windows.py": ""})
    install(folder, "zz-other", "3", modules={"zz_other.py": ""})
    install(folder, "zz-cloud-a", "1", modules={"zz_cloud/a/__init__.py": ""})
    install(folder, "zz-cloud-b", "1", modules={"zz_cloud/b/__init__.py": ""})
    return folder


@pytest.fixture
def site(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of `sys.path`, behind those packages."""
    (tmp_path / "site").mkdir()
    for folder in (tmp_path / "site", packages):
        monkeypatch.syspath_prepend(str(folder))
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("source", "hard", "soft"),
    [
        ("import os.path, json", [], []),
        ("import a.b, c as d\nfrom e.f import g\nfrom . import h", ["a.b", "c", "e.f"], []),
        ("try:\n    import a\nexcept ImportError:\n    import b", ["b"], ["a"]),
        ("try:\n    import a\nexcept (OSError, ModuleNotFoundError):\n    a = None\nimport a", ["a"], []),
        ("try:\n    import a\nexcept ValueError:\n    pass\nelse:\n    import b", ["a", "b"], []),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b",
            ["b"],
            ["a"],
        ),
        ("def f():\n    import a\n    return __import__('b')", ["a", "b"], []),
        ("import importlib\nimportlib.import_module('a.b'); importlib.import_module('.c', 'd')", ["a.b"], []),
        ("%load_ext magic_sql\n%matplotlib inline", ["magic_sql", "matplotlib", "matplotlib_inline"], []),
        ("import_module(name)", [], []),
    ],
)
def test_imports_are_found(source: str, hard: list[str], soft: list[str]) -> None:
    found = needs_of([c.tree for c in cells(source) if c.tree is not None]).modules
    assert sorted(m for m, s in found.items() if not s) == hard
    assert sorted(m for m, s in found.items() if s) == soft


def test_a_lock_holds_the_imports_and_all_they_need(site: Path, tmp_path: Path) -> None:
    lock = capture(
        tmp_path, cells("import zz_table.deep\ntry:\n    import zz_nowhere\nexcept ImportError: ...")
    )
    assert only(lock) == {"zz-core": "1.4+cpu", "zz-fast": "0.1", "zz-table": "2.1"}
    assert lock.imports == {"zz_table.deep": ["zz-table"]}
    assert (lock.not_found, lock.optional) == (("zz_nowhere",), ("zz_nowhere",))
    table = next(p for p in lock.packages if p.name == "zz-table")
    assert (table.direct, table.extras, table.requires) == (True, ("fast",), ("zz-core", "zz-fast"))
    assert (table.licence, table.source) == ({"expression": "MIT"}, "index")
    assert "ipykernel" in lock.versions  # a job's kernel is started with it
    assert lock.workbench is None
    assert "aios-workbench" not in lock.versions


def test_modules_beside_the_notebook_are_read_and_not_locked(site: Path, tmp_path: Path) -> None:
    (tmp_path / "zz_helpers.py").write_text("import zz_other")
    (tmp_path / "zz_core.py").write_text("")  # wins over the installed one
    lock = capture(tmp_path, cells("import zz_helpers, zz_core"))
    assert only(lock) == {"zz-other": "3"}


def test_of_a_shared_namespace_only_what_is_used(site: Path, tmp_path: Path) -> None:
    assert only(capture(tmp_path, cells("import zz_cloud.b.client"))) == {"zz-cloud-b": "1"}
    assert only(capture(tmp_path, cells("import zz_cloud"))) == {"zz-cloud-a": "1", "zz-cloud-b": "1"}


def test_what_no_import_shows(site: Path, tmp_path: Path) -> None:
    code = cells("import pandas as pd\npd.read_parquet('a').to_csv('b')")
    assert {"pandas", "pyarrow"} <= capture(tmp_path, code).versions.keys()
    assert "pyarrow" not in capture(tmp_path, cells("import pandas")).versions
    asked = capture(tmp_path, cells("1"), packages=["ZZ_Other"])
    assert only(asked) == {"zz-other": "3"}
    with pytest.raises(JobError, match=r"asks for the package 'zz-othr'.*did you mean 'zz-other'"):
        capture(tmp_path, cells("1"), packages=["zz-othr"])


def test_the_workbench_is_not_listed_but_what_it_needs_is(tmp_path: Path) -> None:
    lock = capture(tmp_path, cells("import aios_workbench as aios"))
    assert lock.workbench
    assert {"dbos", "duckdb"} <= lock.versions.keys()
    assert "aios-workbench" not in lock.versions
    assert (
        f"# aios-workbench {lock.workbench} is not listed: whoever runs the job brings it."
        in lock.requirements
    )


FOLDER = '{"url": "file:///home/ada/%40src/my-lib", "dir_info": {"editable": true}}'
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHECKOUT = json.dumps({
    "url": "https://ada:secret@git.example/team/lib.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT},
})  # fmt: skip


@pytest.mark.parametrize(
    ("url", "source", "told"),
    [
        (FOLDER, "editable", "editable, from the folder my-lib"),
        ('{"url": "file:///srv/lib", "dir_info": {}}', "folder", "from the folder lib"),
        (CHECKOUT, "vcs", "from git, commit 0123456789ab"),
        ('{"url": "https://files.example/zz_local-1-py3-none-any.whl", "archive_info": {}}', "archive",
         "from the archive zz_local-1-py3-none-any.whl"),
        ("{broken", "unknown", "from an unknown place"),
    ],
)  # fmt: skip
def test_what_no_index_has_is_told_and_not_listed(
    url: str, source: str, told: str, site: Path, tmp_path: Path
) -> None:
    install(site, "zz-local", "1", modules={"zz_local.py": ""}, direct_url=url)
    lock = capture(tmp_path, cells("import zz_local"))
    assert [(p.name, p.source, p.told) for p in lock.stuck] == [("zz-local", source, told)]
    assert f"# zz-local 1 is not listed: installed {told}; no index has it." in lock.requirements.splitlines()
    assert "\nzz-local==" not in lock.requirements
    written = lock.requirements + lock.document
    assert "secret" not in written
    assert "/home/ada" not in written
    assert "://" not in lock.requirements


def test_an_editable_install_is_found_by_its_folder(site: Path, tmp_path: Path) -> None:
    source = tmp_path / "src with space"
    source.mkdir()
    (source / "zz_own.py").write_text("")
    sys.path.append(str(source))  # what its .pth does
    try:
        install(
            site,
            "zz-own",
            "0.3",
            direct_url=json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}),
        )
        lock = capture(tmp_path / "elsewhere", cells("import zz_own"))
    finally:
        sys.path.remove(str(source))
    assert [(p.name, p.version, p.source) for p in lock.stuck] == [("zz-own", "0.3", "editable")]


def test_another_kernels_interpreter_is_asked(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    there = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    install(there, "zz-far", "7", modules={"zz_far.py": ""}, requires=["zz-farther"])
    install(there, "zz-farther", "8", modules={"zz_farther.py": ""})
    lock = capture(tmp_path, cells("import zz_far, pandas"), python=python)
    assert lock.captured_from == "kernel"
    assert lock.versions == {"zz-far": "7", "zz-farther": "8"}
    assert lock.not_found == ("pandas",)
    assert capture(tmp_path, cells("1"), python=sys.executable).captured_from == "worker"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exec sleep 60", "did not answer within 1 s"),
        ("echo broken", "cannot be asked"),
        ("exit 3", "it said nothing"),
    ],
)
def test_a_kernel_that_does_not_answer(script: str, says: str, tmp_path: Path) -> None:
    from aios_workbench.promote.environment.survey import survey

    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    with pytest.raises(JobError, match=says):
        survey(["a"], fake, seconds=1)
    with pytest.raises(JobError, match="No such file"):
        survey(["a"], tmp_path / "none")


def test_files_of_a_bundle_are_the_same_every_time(site: Path, tmp_path: Path) -> None:
    spec = JobSpec(name="a", notebook="a.ipynb", packages=["zz-other"])
    made = environment.files(tmp_path, cells("import zz_table"), {"notebook.ipynb": b"{}"}, spec=spec)
    assert sorted(made) == ["environment.json", "requirements.lock", "sbom.json"]
    assert environment.files(tmp_path, cells("import zz_table"), {"notebook.ipynb": b"{}"}, spec=spec) == made
    lines = made["requirements.lock"].decode().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [p.partition("==")[0] for p in pins] == sorted(p.partition("==")[0] for p in pins)
    assert {"zz-core==1.4+cpu", "zz-other==3", "zz-table==2.1"} <= set(pins)
    assert "without hashes" in lines[1]
    assert str(tmp_path).encode() not in b"".join(made.values())
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    read = read_lock(tmp_path)
    assert read is not None
    assert read.requirements.encode() == made["requirements.lock"]
    assert read.document.encode() == made["environment.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "cannot be read"), ("[]", "damaged"), ('{"format": 2}', "format 2"), ('{"format": 1}', "damaged"),
     ('{"format": 1, "packages": [{"nam": 1}]}', "damaged")],
)  # fmt: skip
def test_a_damaged_description_is_refused(text: str, says: str, tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None
    (tmp_path / "environment.json").write_text(text)
    with pytest.raises(JobError, match=says):
        read_lock(tmp_path)


@pytest.mark.parametrize("name", ["--index-url", "a b", "x;y", "-e .", "a==1", "", "https://x"])
def test_a_package_is_asked_for_by_its_name(name: str) -> None:
    with pytest.raises(JobError, match="packages"):
        JobSpec(name="a", notebook="a.ipynb", packages=[name])
