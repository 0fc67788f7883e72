"""Whether a bundle on the disk is exactly what was promoted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from aios_workbench.errors import JobError
from aios_workbench.promote.digests import file_sha256

MANIFEST = "manifest.json"
PROVENANCE = "provenance.json"
#: Beside the content, and not part of it.
_BESIDE = (MANIFEST, PROVENANCE)


def listing(hashes: Mapping[str, str]) -> bytes:
    """Return a list of files and their hashes as text, the way `sha256sum` writes it; its own hash is the bundle's."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def read_listing(text: bytes) -> dict[str, str]:
    """Return the files and hashes of a listing.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> read_listing(listing({"job.yaml": "0" * 64})) == {"job.yaml": "0" * 64}
    True
    """
    found = {}
    for line in filter(None, text.decode().split("\n")):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{line[:80]!r} is no line of a listing")
        found[name] = digest
    return found


def bundle_hash(hashes: Mapping[str, str]) -> str:
    """Return the hash of a list of files and their hashes."""
    return hashlib.sha256(listing(hashes)).hexdigest()


def verify(folder: Path, expected: str | None = None) -> None:
    """Check that a bundle is exactly what was promoted.

    Parameters
    ----------
    expected : str, optional
        The bundle hash the catalog holds.

    Raises
    ------
    JobError
        Naming the files that were changed, added or removed.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        hashes = {name: str(entry["sha256"]) for name, entry in listed.items()}
    except FileNotFoundError:
        raise JobError(f"the bundle {folder} is gone; promote the notebook again") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise JobError(f"the manifest in {folder} cannot be read ({e}); promote the notebook again") from None
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts  # kernels leave it behind
    }
    for name in _BESIDE:
        there.pop(name, None)
    problems = [f"{name} is missing" for name in sorted(hashes.keys() - there.keys())]
    problems += [f"{name} was added" for name in sorted(there.keys() - hashes.keys())]
    problems += [
        f"{name} was changed"
        for name in sorted(hashes.keys() & there.keys())
        if _hash(there[name]) != hashes[name]
    ]
    if not problems and expected is not None and bundle_hash(hashes) != expected:
        problems = [f"{MANIFEST} was changed"]
    if problems:
        shown = ", ".join(problems[:5]) + (f" and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise JobError(f"the bundle {folder} is not what was promoted: {shown}. Promote the notebook again")


def _hash(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""


def discard(folder: Path) -> None:
    """Remove a bundle or run folder, whatever is left of it."""
    shutil.rmtree(folder, ignore_errors=True)
