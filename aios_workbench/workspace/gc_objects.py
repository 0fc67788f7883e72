"""Garbage collection of what jobs were promoted with: files of bundles that no version of any job has."""

from __future__ import annotations

import contextlib
from pathlib import Path

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace.home import Workspace

#: In a team's store.
REMOTE = "bundles/objects"
_HASH_LENGTH = 64


def bundle_objects(ws: Workspace) -> set[str] | None:
    """Return the hashes of all files that versions of jobs are made of; None when a list of them cannot be read.

    A version is a list of files, stored under its hash, which is the bundle's; see `promote.objects`.
    """
    needed: set[str] = set()
    for row in ws.catalog.query("select distinct bundle_hash from job_versions"):
        found = _listing(ws, row["bundle_hash"])
        if found is None and _is_stored(ws, row["bundle_hash"]):
            return None
        needed |= {row["bundle_hash"], *(found or ())}
    return needed


def delete_objects(
    ws: Workspace, needed: set[str] | None, before: float, *, dry_run: bool
) -> tuple[int, int]:
    """Delete this machine's files that no version has; returns how many, and their bytes.

    Parameters
    ----------
    needed : set of str or None
        See `bundle_objects`; None deletes nothing.
    before : float
        What was written or touched later stays: somebody is about to refer to it.
    """
    count = size = 0
    if needed is None:
        return 0, 0
    for path in (ws.root / "objects").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            stat = path.stat()
            if stat.st_mtime > before or path.name in needed or not _is_ours(path):
                continue
            if not dry_run and not _discard(path, before):
                continue
            count, size = count + 1, size + stat.st_size
    return count, size


def _is_ours(path: Path) -> bool:
    return path.is_file() and (len(path.name) == _HASH_LENGTH or path.name.startswith("."))


def _discard(path: Path, before: float) -> bool:
    """Delete a file unless it was touched meanwhile."""
    aside = path.with_name(f".{path.name}.gc")
    path.rename(aside)
    if aside.stat().st_mtime > before:
        aside.unlink() if path.exists() else aside.rename(path)
        return False
    aside.unlink()
    return True


def _listing(ws: Workspace, bundle_hash: str) -> set[str] | None:
    content = None
    with contextlib.suppress(OSError):
        content = _path(ws, bundle_hash).read_bytes()
    if content is None and ws.artifacts.remote is not None:
        with contextlib.suppress(WorkspaceError):
            content = ws.artifacts.remote.get(f"{REMOTE}/{bundle_hash}")
    if content is None:
        return None
    hashes = {line.partition(b"  ")[0].decode(errors="replace") for line in content.split(b"\n") if line}
    return hashes if all(len(h) == _HASH_LENGTH for h in hashes) else None


def _is_stored(ws: Workspace, bundle_hash: str) -> bool:
    """False for a version of before there were objects."""
    if _path(ws, bundle_hash).exists():
        return True
    try:
        return ws.artifacts.remote is not None and ws.artifacts.remote.exists(f"{REMOTE}/{bundle_hash}")
    except WorkspaceError:
        return True  # nobody knows: nothing is deleted


def _path(ws: Workspace, bundle_hash: str) -> Path:
    return ws.root / "objects" / bundle_hash[:2] / bundle_hash
