"""Packages that are nowhere but here: as installed, and as wheels."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


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
