"""The environment that is captured is that of the kernel the notebook was written with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from aios_workbench.promote import JobSpec
from aios_workbench.promote.bundle import make_bundle
from aios_workbench.promote.environment.kernelspec import kernel_python

Write = Callable[..., Path]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a kernel spec."""

    def install(name: str, command: str, language: str = "python") -> None:
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [command, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (folder / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": name, "language": language})
        )

    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return install


def named(name: str | None) -> nbformat.NotebookNode:
    metadata = {"kernelspec": {"name": name, "display_name": "x"}} if name is not None else {}
    return nbformat.v4.new_notebook(metadata=metadata)


def other_python(folder: Path) -> Path:
    path = folder / "other-python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


def test_another_kernels_interpreter_is_asked(
    kernel: Callable[..., None], tmp_path: Path, write: Write
) -> None:
    python = other_python(tmp_path)
    kernel("other", str(python))
    assert kernel_python(named("other")) == python
    book = write("claims.ipynb", "import yaml")
    read = nbformat.read(book, as_version=4)
    read.metadata["kernelspec"] = {"name": "other", "display_name": "Other", "language": "python"}
    nbformat.write(read, book)
    bundle = make_bundle(book, JobSpec(name="claims", notebook="claims.ipynb"))
    told = json.loads(bundle.files["environment.json"])
    assert told["captured_from"] == "kernel"
    assert "pyyaml==" in bundle.files["requirements.lock"].decode()


def test_this_processs_own_is_not_asked_again(kernel: Callable[..., None], tmp_path: Path) -> None:
    kernel("own", sys.executable)
    kernel("short", "python3")
    kernel("gone", str(tmp_path / "no-such-python"))
    kernel("julia", str(other_python(tmp_path)), language="julia")
    for name in (None, "python3", "own", "short", "gone", "julia", "never-installed", "../../etc"):
        assert kernel_python(named(name)) is None, name
