"""Garbage collection of what tunings left: their folders and rows, and vectors that no tuning refers to any more."""

# ruff: noqa: S608 - statements are put together from text of this module; values are bound

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from aios_workbench.workspace.home import Workspace

#: What begins the name of a file of vectors: `vectors-<16 letters of the content's hash>`.
_STEM = 24


def delete_tunings(ws: Workspace, before: float, *, dry_run: bool) -> tuple[int, int, int, int]:
    """Delete tunings that ended before a time, points no tuning is left of, and vectors nobody refers to.

    A tuning somebody is at work on holds its lock and stays, whatever its row says. Points live as long as one
    tuning of their task: the next tuning of the same vectors goes on from them.

    Returns
    -------
    tuple
        Folders and their bytes, files and their bytes.
    """
    home = ws.root / "knn"
    if not home.is_dir():
        return 0, 0, 0, 0
    old = ws.catalog.query("select tuning_id from tunings where updated_at < :before", before=before)
    folders, folder_bytes, gone = 0, 0, []
    for row in old:
        with _unused(home / row["tuning_id"]) as free:
            if free:
                gone.append(row["tuning_id"])
                folders += 1
                folder_bytes += folder_size(home / row["tuning_id"])
                if not dry_run:
                    shutil.rmtree(home / row["tuning_id"], ignore_errors=True)
    ids = "(select value from json_each(:ids))"
    kept = ws.catalog.query(f"select vectors from tunings where tuning_id not in {ids}", ids=json.dumps(gone))
    referred = " ".join(row["vectors"] for row in kept)
    if not dry_run:
        with ws.catalog.transaction() as con:
            con.execute(f"delete from tunings where tuning_id in {ids}", {"ids": json.dumps(gone)})
            con.execute("delete from tuning_points where task not in (select task from tunings)")
    files, file_bytes = 0, 0
    for path in (home / "vectors").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            stat = path.stat()
            # written anew by every call that reads the same vectors: a young one is about to be referred to
            if path.is_file() and stat.st_mtime < before and path.name[:_STEM] not in referred:
                files += 1
                file_bytes += stat.st_size
                if not dry_run:
                    path.unlink()
    return folders, folder_bytes, files, file_bytes


@contextlib.contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Hold a tuning's lock; False when somebody is at work on it."""
    with contextlib.ExitStack() as stack:
        try:
            fcntl.flock(stack.enter_context((folder / "lock").open()), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # no folder, or no lock in it: nobody can be at work
        yield True


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
