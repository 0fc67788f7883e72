"""SHA-256 of files of any size: read in pieces, told how far, not read again while a file is as it was."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PIECE = 2**20
_KEPT = 20_000
#: A file that was written a moment ago may be written again with the same size and the same time.
_SETTLED_NS = 2 * 10**9

Told = Callable[[str, int, int], None]
Look = tuple[int, int, int, int]

_known: dict[str, tuple[Look, str]] = {}
_lock = threading.Lock()


def look(path: Path) -> Look:
    """Return what changes when a file is written: time, size, inode, time of the last change of those.

    Raises
    ------
    OSError
        When it is not there.
    """
    found = os.stat(path)  # noqa: PTH116 - asked for thousands of files
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def is_settled(seen: Look) -> bool:
    """False for a file that was written so lately that it may be written again and look the same."""
    return time.time_ns() - max(seen[0], seen[3]) > _SETTLED_NS


def file_sha256(path: Path, told: Told | None = None) -> str:
    r"""Return the SHA-256 of a file's content.

    Parameters
    ----------
    told : function, optional
        Called after each piece with the path, the bytes read and the bytes there are; what it raises ends the reading.

    Examples
    --------
    >>> _ = Path("a.csv").write_text("id\n1\n")
    >>> file_sha256(Path("a.csv"))[:12]
    '7cde7fb64fd8'
    """
    key, before = str(path), look(path)
    with _lock:
        found = _known.get(key)
    if found is not None and found[0] == before:
        return found[1]
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            if told is not None:
                told(key, done, max(before[1], done))
    value = digest.hexdigest()
    if look(path) == before and is_settled(before):
        with _lock:
            if len(_known) >= _KEPT:
                _known.clear()
            _known[key] = (before, value)
    return value


def known_sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file that was read before and is as it was; None otherwise."""
    with _lock:
        found = _known.get(str(path))
    return found[1] if found is not None and found[0] == look(path) else None
