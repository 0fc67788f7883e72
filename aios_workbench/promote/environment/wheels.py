"""A wheel of an installed distribution, made from the files that are installed: what runs here is what runs there."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata as md
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from aios_workbench import __version__
from aios_workbench.errors import JobError

_WHEEL = "Wheel-Version: 1.0\nGenerator: aios-workbench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_SCRIPTS = "[console_scripts]\naios = aios_workbench.cli:main\n"
#: parts of the package that only a JupyterLab needs
_LAB = frozenset(("labextension", "etc", "tutorials"))
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal files, equal wheel


def workbench_wheel(folder: Path) -> Path:
    """Write a wheel of this process's aios-workbench, without the parts for JupyterLab; returns its path.

    An editable install, and one from a folder, is no release that an index has: only its files say what it is.

    Raises
    ------
    JobError
        When its metadata are not installed.
    """
    try:
        metadata = md.distribution("aios-workbench").read_text("METADATA") or ""
    except md.PackageNotFoundError:
        raise JobError(
            "aios-workbench runs from a folder and is not installed, so that nobody knows what it needs; "
            "`pip install -e` it first"
        ) from None
    version = re.sub(r"[^A-Za-z0-9.+!]+", "_", __version__)
    metadata = re.sub(r"^Version: .*$", f"Version: {__version__}", metadata, count=1, flags=re.MULTILINE)
    info = f"aios_workbench-{version}.dist-info"
    files = {**dict(_files()), f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": _WHEEL.encode(),
             f"{info}/entry_points.txt": _SCRIPTS.encode()}  # fmt: skip
    path = folder / f"aios_workbench-{version}-py3-none-any.whl"
    write_wheel(path, files, info)
    return path


def _files() -> Iterator[tuple[str, bytes]]:
    package = Path(__file__).resolve().parents[2]
    for path in sorted(package.rglob("*")):
        parts = path.relative_to(package).parts
        if path.is_file() and "__pycache__" not in parts and parts[0] not in _LAB:
            yield path.relative_to(package.parent).as_posix(), path.read_bytes()


def write_wheel(path: Path, files: dict[str, bytes], info: str) -> None:
    """Write files as a wheel; the list of them is added. Equal files give an equal wheel."""
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(files[name])}\n")
    record = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*sorted(files.items()), (f"{info}/RECORD", record)]:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
