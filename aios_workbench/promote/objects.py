"""Files of bundles, each stored once under its SHA-256; a version is a listing of them, stored the same way.

A listing's hash is the bundle's hash, so the catalog's row is enough to rebuild a version to the byte. The folder a
run uses is a copy: what somebody edits there does not reach the objects.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from aios_workbench.errors import JobError, WorkspaceError
from aios_workbench.promote.verifying import listing, read_listing
from aios_workbench.workspace import Workspace

#: In a team's store; `aios gc` leaves everything below it alone.
_REMOTE = "bundles/objects"


def put(ws: Workspace, files: Mapping[str, bytes]) -> str:
    """Store the files of a bundle and their listing; returns the bundle's hash.

    Raises
    ------
    WorkspaceError
        When the disk or the team's store cannot be written; what was stored so far stays, and harms nobody.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name in sorted(files):
        _put(ws, hashes[name], files[name])
    text = listing(hashes)
    name = hashlib.sha256(text).hexdigest()
    _put(ws, name, text)  # last: a listing that is there is complete
    return name


def listed(ws: Workspace, bundle_hash: str) -> dict[str, str]:
    """Return the files of a bundle with their hashes.

    Raises
    ------
    JobError
        When the listing is nowhere, or damaged.
    """
    return read_listing(read(ws, bundle_hash, "the list of its files"))


def load(ws: Workspace, bundle_hash: str) -> dict[str, bytes]:
    """Return the files of a bundle from the objects, each verified.

    Raises
    ------
    JobError
        Naming the file that is nowhere, or damaged.
    """
    return {name: read(ws, digest, name) for name, digest in listed(ws, bundle_hash).items()}


def read(ws: Workspace, digest: str, what: str) -> bytes:
    """Return one object, verified; a team's is fetched.

    Parameters
    ----------
    what : str
        What it is, for the message.

    Raises
    ------
    JobError
        When it is nowhere, or damaged everywhere.
    """
    path, damaged = _path(ws, digest), False
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == digest:
            return content
        damaged = True
    if ws.artifacts.remote is not None:
        fetched = ws.artifacts.remote.get(f"{_REMOTE}/{digest}")
        if fetched is not None and hashlib.sha256(fetched).hexdigest() == digest:
            with contextlib.suppress(WorkspaceError):  # a full disk here is no reason to fail
                _write(path, fetched)
            return fetched
        damaged = damaged or fetched is not None
    raise JobError(
        f"{what} (object {digest[:12]}) is {'damaged' if damaged else 'gone'} in {path.parent.parent}; promote the "
        "notebook again, or bring the file back from a backup of the workspace"
    )


def there(ws: Workspace, digest: str) -> bool:
    """True when this machine has an object; whether it is whole is not looked at."""
    return _path(ws, digest).exists()


def folder(ws: Workspace) -> Path:
    """Return where this machine's objects lie."""
    return ws.root / "objects"


def _path(ws: Workspace, digest: str) -> Path:
    return folder(ws) / digest[:2] / digest


def _put(ws: Workspace, digest: str, content: bytes) -> None:
    path = _path(ws, digest)
    if ws.artifacts.remote is not None:
        ws.artifacts.remote.put(f"{_REMOTE}/{digest}", content)
    try:
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            os.utime(path)  # young again: `aios gc` leaves what somebody is about to refer to
            return
    except OSError:
        pass
    _write(path, content)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a promotion is rare, and what it stored is for years
        temporary.chmod(0o400)
        temporary.replace(path)
    except OSError as e:
        temporary.unlink(missing_ok=True)
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WorkspaceError(
                f"no space left to store {len(content):,} bytes in {path.parent.parent}; free some disk space or run "
                "`aios gc`, then promote again: nothing was changed"
            ) from e
        raise WorkspaceError(f"cannot write {path}: {e}; make the folder writable and promote again") from e
