"""Packages that are nowhere but here: as installed, and as wheels."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import importlib.metadata as md
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from aios_workbench.promote.environment.capture import capture_packages
from aios_workbench.promote.environment.lock import Lock, Package
from aios_workbench.promote.environment.wheels import write_wheel
from aios_workbench.promote.spec import JobSpec

if TYPE_CHECKING:
    import pytest


def install(
    site: Path, name: str, version: str, *, requires: Sequence[str] = (), modules: Mapping[str, str] | None = None,
    more: Sequence[str] = (), direct_url: str | None = None,
) -> None:  # fmt: skip
    """Put a distribution into a folder of `sys.path`, as an installer would."""
    files = dict(modules or {})
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(metadata(name, version, requires, more))
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    if direct_url is not None:
        (info / "direct_url.json").write_text(direct_url)


def metadata(name: str, version: str, requires: Sequence[str] = (), more: Sequence[str] = ()) -> str:
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *more]
    return "\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires), "", ""])


def wheel(
    folder: Path, name: str, version: str, modules: Mapping[str, str], requires: Sequence[str] = ()
) -> Path:
    """Write a wheel; returns its path."""
    safe = name.replace("-", "_")
    info = f"{safe}-{version}.dist-info"
    files = {
        **modules,
        f"{info}/METADATA": metadata(name, version, requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text.encode())}\n"
        for path, text in files.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{safe}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(name_, text)
    return path


@functools.cache
def shelf() -> Path:
    """A folder with wheels of what a kernel needs, made from what is installed: no index is asked in tests."""
    folder = Path(tempfile.mkdtemp(prefix="aios-shelf-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lock = capture_packages(["ipykernel"])
    for package in lock.packages:
        repack(folder, package.name, package.version)
    return folder


def repack(folder: Path, name: str, version: str) -> None:
    """Make a wheel of an installed distribution."""
    dist = md.distribution(name)
    kept = [
        f
        for f in dist.files or ()
        if ".." not in f.parts and "__pycache__" not in f.parts and f.name != "RECORD"
    ]
    info = next(f.parts[0] for f in kept if f.name == "METADATA")
    files = {f.as_posix(): Path(str(dist.locate_file(f))).read_bytes() for f in kept}
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    write_wheel(folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", files, info)


def only_from(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let uv and pip find packages in a folder, and nowhere else."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))


def lock_of(*pins: str, **more: Any) -> Lock:
    """Return a lock of ``name==version``."""
    packages = tuple(Package(*pin.split("==")) for pin in sorted(pins))
    facts = {
        "python": platform.python_version(), "implementation": sys.implementation.name,
        "platform": sysconfig.get_platform(), "captured_from": "worker",
    }  # fmt: skip
    return Lock(**{**facts, "packages": packages, **more})


def bundle_of(folder: Path, lock: Lock, *cells: str, **spec: Any) -> Path:
    """Write what `promote` would write of a notebook with this lock."""
    folder.mkdir(parents=True, exist_ok=True)
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c, id=f"c{i}") for i, c in enumerate(cells)]
    )
    (folder / "requirements.lock").write_text(lock.requirements)
    (folder / "environment.json").write_text(lock.document)
    (folder / "job.yaml").write_text(JobSpec(name="try", notebook="try.ipynb", **spec).to_yaml())
    nbformat.write(book, folder / "notebook.ipynb")
    return folder
