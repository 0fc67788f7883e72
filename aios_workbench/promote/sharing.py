"""A team's bundles: what one machine has promoted, another machine's worker fetches from the store of values."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import uuid
import zipfile
from pathlib import Path

from aios_workbench.workspace import Workspace


def share(ws: Workspace, folder: Path, job_id: str, version: int) -> None:
    """Put a bundle where every machine finds it; a workspace of one machine needs none of that.

    Raises
    ------
    WorkspaceError
        When the store cannot be written.
    """
    if ws.artifacts.remote is None:
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    ws.artifacts.remote.put(_name(job_id, version), packed.getvalue(), anew=True)


def fetch(ws: Workspace, folder: Path, job_id: str, version: int) -> None:
    """Unpack a bundle that another machine promoted, if this one has none; who runs it verifies it."""
    if ws.artifacts.remote is None or folder.exists():
        return
    packed = ws.artifacts.remote.get(_name(job_id, version))
    if packed is None:
        return
    aside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    aside.mkdir(parents=True, mode=0o700)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(aside)  # zipfile leaves out what would lead elsewhere
        with contextlib.suppress(OSError):  # another process was first
            os.rename(aside, folder)  # noqa: PTH104 - a folder that is there must not be replaced
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _name(job_id: str, version: int) -> str:
    return f"bundles/{job_id}-v{version}.zip"
