"""The wheel and the sdist carry all that is needed, and install without the rest of the world."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DATA = "aios_workbench-{version}.data/data/"
EXTENSION = "share/jupyter/labextensions/aios-workbench/"
IN_PACKAGE = (
    "__init__.py",
    "bootstrap.py",
    "cli/__init__.py",
    "govern/default.cedar",
    "govern/schema.cedarschema",
    "static/graph.js",
    "static/graph.css",
    "static/tuning.js",
    "static/tuning.css",
    "static/drift.js",
    "static/drift.css",
    "tutorials/01_first_workflow.ipynb",
    "tutorials/03_tune_a_knn_index.ipynb",
    "tutorials/04_find_drift.ipynb",
    "tutorials/05_explain_a_model.ipynb",
    "tutorials/06_promote.ipynb",
    "tutorials/07_failures_and_gates.ipynb",
)
IN_DATA = (
    f"{EXTENSION}package.json",
    f"{EXTENSION}install.json",
    f"{EXTENSION}static/style.js",
    f"{EXTENSION}schemas/aios-workbench/plugin.json",
    "etc/jupyter/jupyter_server_config.d/aios_workbench.json",
    "share/jupyter/lab/settings/overrides.d/aios_workbench.json",
)


def run(*command: object, cwd: Path | None = None, **env: str) -> str:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def source(kept: list[Path], root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git keeps plus the built front end, so that nothing lying about can get in or be touched."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    for path in kept:
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for built in ("aios_workbench/labextension", "aios_workbench/static"):
        shutil.copytree(root / built, copy / built, dirs_exist_ok=True)
    return copy


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build backend, without the front end's tool chain: a bundle that is there must be enough."""
    folder = tmp_path_factory.mktemp("backend")
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--target",
        folder,
        "hatchling>=1.27",
        "hatch-jupyter-builder>=0.9,<0.11",
    )
    return folder


def build(tree: Path, backend: Path, kind: str, out: Path) -> Path:
    """Build a wheel or an sdist with no Node within reach."""
    bare = os.pathsep.join(("/usr/bin", "/bin"))
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        kind,
        "-d",
        out,
        cwd=tree,
        PYTHONPATH=str(backend),
        PATH=bare,
    )
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope="session")
def wheel(source: Path, backend: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, backend, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(source: Path, backend: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, backend, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_from_sdist(sdist: Path, backend: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as tar:
        # Debian's Python 3.11.2 knows no filters yet
        tar.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (tree,) = folder.iterdir()
    return build(tree, backend, "wheel", tmp_path_factory.mktemp("wheel2"))


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as z:
        return set(z.namelist())


def test_wheel_is_complete(wheel: Path) -> None:
    names = contents(wheel)
    data = DATA.format(version=wheel.name.split("-")[1])
    wanted = {f"aios_workbench/{n}" for n in IN_PACKAGE} | {data + n for n in IN_DATA}
    assert wanted - names == set()


def test_wheel_holds_no_strangers(wheel: Path) -> None:
    names = contents(wheel)
    tops = {n.partition("/")[0].partition("-")[0] for n in names}
    assert tops == {"aios_workbench"}
    assert [
        n for n in names if "/node_modules/" in n or "__pycache__" in n or n.endswith("build_log.json")
    ] == []
    assert [n for n in names if n.startswith("aios_workbench/labextension/")] == []  # shipped once, as data


def test_the_bundle_is_the_one_just_built(wheel: Path, root: Path) -> None:
    """remoteEntry's name carries its hash: a stale copy would name another file."""
    manifest = json.loads((root / "aios_workbench" / "labextension" / "package.json").read_text())
    entry = manifest["jupyterlab"]["_build"]["load"]
    assert DATA.format(version=wheel.name.split("-")[1]) + EXTENSION + entry in contents(wheel)
    with zipfile.ZipFile(wheel) as z:
        assert (
            z.read("aios_workbench/static/graph.js") == (root / "aios_workbench/static/graph.js").read_bytes()
        )


def test_sdist_makes_the_same_wheel_without_node(wheel: Path, wheel_from_sdist: Path) -> None:
    assert wheel_from_sdist.name == wheel.name
    with zipfile.ZipFile(wheel) as a, zipfile.ZipFile(wheel_from_sdist) as b:
        assert {i.filename: i.CRC for i in a.infolist()} == {i.filename: i.CRC for i in b.infolist()}


def test_sdist_holds_no_strangers(sdist: Path) -> None:
    with tarfile.open(sdist) as tar:
        names = tar.getnames()
    bad = (
        "/node_modules/",
        "/tests/",
        "__pycache__",
        ".venv",
        "/lib/",
        "/.git/",
        "build_log.json",
        "/.aios/",
    )
    assert [n for n in names if any(b in n for b in bad)] == []


@pytest.mark.parametrize("which", ["wheel", "wheel_from_sdist"])
def test_it_installs_and_imports(
    which: str, tmp_path: Path, root: Path, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(which)
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", made)
    code = "import aios_workbench as a; print(a.__file__, a.__version__)"
    file, version = run(python, "-I", "-c", code, cwd=tmp_path).split()
    assert Path(file).is_relative_to(venv)
    assert f"-{version}-" in made.name
    assert [n for n in IN_DATA if not (venv / n).is_file()] == []
    assert (venv / "bin" / "aios").is_file()
    config = json.loads((venv / next(n for n in IN_DATA if n.startswith("etc/"))).read_text())
    assert config["ServerApp"]["jpserver_extensions"] == {"aios_workbench": True}
