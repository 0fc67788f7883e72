"""The data a notebook names: `data.json` in its bundle, small files copied, all of them compared before a run."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import JobError
from aios_workbench.promote.digests import Told, file_sha256, known_sha256

if TYPE_CHECKING:
    from aios_workbench.promote.checks.context import Context

DATA = "data.json"
#: Where copies lie in a bundle. Not an identifier: a kernel that has the bundle on its path imports nothing from it.
COPIES = "data-files"
#: All copies of a bundle together; the smallest files come first.
TOTAL_LIMIT = 40 * 2**20
_SAID = 20
_KEYS = frozenset((".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".env"))
#: A run that only warns reads no more than this of a file whose size is right.
_GLANCE = 256 * 2**20


@dataclass(frozen=True)
class Entry:
    """A data file of a version.

    Attributes
    ----------
    path : str
        As the notebook says it: relative to the notebook's folder, or absolute.
    copied : bool
        Whether the bundle holds it.
    """

    path: str
    sha256: str
    bytes: int
    copied: bool = False

    @property
    def copy(self) -> str:
        """Where in the bundle its copy lies."""
        return f"{COPIES}/{PurePosixPath(self.path)}"


def gather(ctx: Context, limit: int, told: Told | None = None) -> dict[str, bytes]:
    """Return what a bundle holds of the data a notebook names; nothing when it names none.

    Copied are files below the notebook's folder, if they are no larger than `limit`. A link that leads out of that
    folder, a hidden file and one that usually holds keys are known by their hash only: they are not meant to travel.

    Parameters
    ----------
    limit : int
        Bytes.
    told : function, optional
        See `file_sha256`.

    Raises
    ------
    JobError
        When a file cannot be read, or its name has a line end in it.
    """
    from aios_workbench.promote.checks.files import data_files

    found: dict[str, Entry] = {}
    files: dict[str, bytes] = {}
    try:
        for each in data_files(ctx, told):
            path = _name(each.path)
            found[path] = Entry(path, each.sha256, each.bytes)
        room = TOTAL_LIMIT
        for entry in sorted(found.values(), key=lambda e: (e.bytes, e.path)):
            if entry.bytes > min(limit, room) or not _travels(ctx.folder, entry.path):
                continue
            content = (ctx.folder / entry.path).read_bytes()
            kept = Entry(
                entry.path, _hash(content), len(content), copied=True
            )  # what is copied is what is hashed
            found[entry.path], files[kept.copy] = kept, content
            room -= len(content)
    except OSError as e:
        raise JobError(
            f"the data file {e.filename} cannot be read: {e.strerror}; let whoever promotes read it, or make its "
            "path a parameter"
        ) from e
    if found:
        files[DATA] = manifest(found.values())
    return files


def manifest(entries: Any) -> bytes:
    """Return `data.json`: an entry a line, in the order of the paths, so that a difference is readable."""
    lines = [
        json.dumps(asdict(e), ensure_ascii=True, sort_keys=True)
        for e in sorted(entries, key=lambda e: str(e.path))
    ]
    return ('{"files": [\n  ' + ",\n  ".join(lines) + "\n]}\n").encode()


def read_manifest(content: bytes | None) -> list[Entry]:
    """Return the entries of a `data.json`; none when there is none.

    Raises
    ------
    JobError
        When it is no manifest.
    """
    if content is None:
        return []
    try:
        return [Entry(**entry) for entry in json.loads(content)["files"]]
    except (ValueError, KeyError, TypeError) as e:
        raise JobError(f"{DATA} of the bundle cannot be read: {e}; promote the notebook again") from None


def of_bundle(bundle: Path) -> list[Entry]:
    """Return the data files of the bundle in a folder."""
    try:
        return read_manifest((bundle / DATA).read_bytes())
    except FileNotFoundError:
        return []


def compare(bundle: Path, folder: Path, *, whole: bool = False, told: Told | None = None) -> list[str]:
    """Return what is not as it was when the notebook was promoted, in words; empty when all is.

    Parameters
    ----------
    folder : Path
        Where the notebook will run.
    whole : bool
        Read files of any size. Without it, one over 256 MB whose size is right is taken to be the same.

    Examples
    --------
    >>> compare(Path("no-bundle"), Path())
    []
    """
    return compare_entries(of_bundle(bundle), folder, whole=whole, told=told)


def compare_entries(
    entries: list[Entry], folder: Path, *, whole: bool = False, told: Told | None = None
) -> list[str]:
    """Return what is not as the entries of a manifest say; see `compare`."""
    return [why for entry in entries if (why := _differs(entry, folder, whole, told))]


def require(bundle: Path, folder: Path, mode: str, told: Told | None = None) -> list[str]:
    """Return what is not as it was, for the log; with mode "pin" nothing may be.

    Raises
    ------
    JobError
        Naming the files, with mode "pin".
    """
    problems = compare(bundle, folder, whole=mode == "pin", told=told)
    if problems and mode == "pin":
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise JobError(
            f"the data is not what was promoted, and this job pins it (data: pin): {shown}. Bring the files back, or "
            "promote the notebook again with the data of today"
        )
    return (
        [*problems[:_SAID], f"and {len(problems) - _SAID} more files"] if len(problems) > _SAID else problems
    )


def place(bundle: Path, folder: Path) -> list[str]:
    """Put copies where the notebook looks for them, in an empty folder of a run; returns their paths.

    What is there already stays, and nothing is written outside of the folder.
    """
    done = []
    for entry in of_bundle(bundle):
        if not entry.copied or not _inside(folder, entry.path, there=False):
            continue
        path = folder / entry.path
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            path.parent.mkdir(parents=True, exist_ok=True)
            content = (bundle / entry.copy).read_bytes()
            with path.open("xb") as file:
                file.write(content)
            done.append(entry.path)
    return done


def _differs(entry: Entry, folder: Path, whole: bool, told: Told | None) -> str | None:
    path = folder / os.path.expanduser(entry.path)  # noqa: PTH111 - ~nobody stays as it is, Path raises
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            return f"{entry.path} has {size:,} bytes, and had {entry.bytes:,}"
        if size > _GLANCE and not whole and known_sha256(path) is None:
            return None
        return None if file_sha256(path, told) == entry.sha256 else f"{entry.path} has other content"
    except FileNotFoundError:
        return f"{entry.path} is not there"
    except (OSError, ValueError) as e:
        return f"{entry.path} cannot be read: {e}"


def _hash(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _name(said: str) -> str:
    if not said.isprintable():
        raise JobError(
            f"the data file {said!r} has a character in its name that cannot be printed; rename it"
        )
    return said if said.startswith("~") else os.path.normpath(said).replace(os.sep, "/")


def _travels(folder: Path, said: str) -> bool:
    """True for a file that may be copied: what usually holds a key is known by its hash only."""
    path = PurePosixPath(said)
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix not in _KEYS and _inside(folder, said)


def _inside(folder: Path, said: str, *, there: bool = True) -> bool:
    """True for a path that stays below the folder, links followed."""
    if PurePosixPath(said).is_absolute() or PurePosixPath(said).parts[:1] == ("..",) or said.startswith("~"):
        return False
    try:
        return (folder / said).resolve(strict=there).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False
