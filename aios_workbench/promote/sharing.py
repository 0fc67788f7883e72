"""A version's folder on this machine: fetched, made or mended from the objects when it is not what was promoted."""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, WorkspaceError
from aios_workbench.promote import objects
from aios_workbench.promote.bundle import MANIFEST, PROVENANCE, Bundle, bundle_hash, discard, verify
from aios_workbench.workspace import Workspace


def unpack(ws: Workspace, folder: Path, row: dict[str, Any], bundle: Bundle | None = None) -> None:
    """Make a version's folder from the objects, in one step: it is there whole, or as it was.

    Parameters
    ----------
    row : dict
        The version's row of `job_versions`, with the job's `name`.
    bundle : Bundle, optional
        What goes into it, if that is at hand.

    Raises
    ------
    JobError
        When an object is gone or damaged.
    WorkspaceError
        When the disk cannot be written.
    """
    if bundle is None:
        bundle = Bundle(_stored(ws, row))
    aside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        write(aside, bundle, row)
        install(aside, folder)
    except OSError as e:
        raise WorkspaceError(f"cannot write {folder}: {e}; free some disk space and try again") from e
    finally:
        discard(aside)


def write(folder: Path, bundle: Bundle, row: dict[str, Any]) -> None:
    """Write a bundle with what the catalog says of it beside it."""
    bundle.write(
        folder,
        job=row["name"],
        version=row["version"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
    if row.get("provenance"):
        text = json.dumps(json.loads(row["provenance"]), indent=2) + "\n"
        (folder / PROVENANCE).write_text(text, encoding="utf-8")


def install(new: Path, folder: Path) -> None:
    """Put a folder in another's place; who has that one open may finish."""
    old = new.with_name(f"{new.name}.old")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, old)  # noqa: PTH104 - `replace` of a folder that is not empty fails
    try:
        os.rename(new, folder)  # noqa: PTH104
    except OSError:
        if not folder.exists():  # otherwise another process was first, with the same content
            raise
    discard(old)


def mend(ws: Workspace, folder: Path, row: dict[str, Any]) -> str | None:
    """See to it that a version's folder is exactly what was promoted; returns what was wrong with it, if anything.

    Raises
    ------
    JobError
        When it is damaged, and so are the objects it is made of.
    """
    try:
        verify(folder, row["bundle_hash"])
        _adopt(ws, folder, row["bundle_hash"])
    except JobError as wrong:
        try:
            unpack(ws, folder, row)
        except JobError as e:
            raise JobError(f"{wrong}. It cannot be restored: {e}") from e
        verify(folder, row["bundle_hash"])
        return (
            str(wrong)
            .removesuffix(". Promote the notebook again")
            .removesuffix("; promote the notebook again")
        )
    return None


def _adopt(ws: Workspace, folder: Path, bundle_hash: str) -> None:
    """Store the files of a version from before there were objects."""
    if not objects.there(ws, bundle_hash):
        names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        with contextlib.suppress(OSError, WorkspaceError):  # it can run; another time, then
            objects.put(ws, {name: (folder / name).read_bytes() for name in names})


def _stored(ws: Workspace, row: dict[str, Any]) -> dict[str, bytes]:
    try:
        return objects.load(ws, row["bundle_hash"])
    except JobError:
        if (packed := _packed(ws, row)) is None:
            raise
        return packed


def _packed(ws: Workspace, row: dict[str, Any]) -> dict[str, bytes] | None:
    """Return the files of a bundle that a team's machine packed before there were objects, if it is that one."""
    if ws.artifacts.remote is None:
        return None
    packed = ws.artifacts.remote.get(f"bundles/{row['job_id']}-v{row['version']}.zip")
    if packed is None:
        return None
    with (
        contextlib.suppress(zipfile.BadZipFile, KeyError, ValueError),
        zipfile.ZipFile(io.BytesIO(packed)) as archive,
    ):
        names = json.loads(archive.read("manifest.json"))["files"]
        files = {str(name): archive.read(name) for name in names}
        if bundle_hash(Bundle(files).hashes) == row["bundle_hash"]:
            return files
    return None
