"""Garbage collection of what drift monitors left: files no window refers to, folders of monitors that are gone.

How many windows a monitor keeps is its own setting, seen to whenever it observes; nothing of them is deleted here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from pathlib import Path

from aios_workbench.workspace.home import Workspace


def delete_drift(ws: Workspace, before: float, *, dry_run: bool) -> tuple[int, int, int, int]:
    """Delete files and folders of monitors that nothing refers to and that are older than a time.

    A monitor somebody is observing with holds its lock; its folder is left for the next time.

    Returns
    -------
    tuple
        Folders and their bytes, files and their bytes.
    """
    home = ws.root / "drift"
    folders = folder_bytes = files = file_bytes = 0
    if not home.is_dir():
        return 0, 0, 0, 0
    for folder in sorted(p for p in home.iterdir() if p.is_dir()):
        with contextlib.suppress(OSError), (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            needed = _needed(ws, folder.name)
            loose = [p for p in folder.iterdir() if p.name != "lock" and p.stat().st_mtime < before]
            if needed is None and folder.stat().st_mtime < before:
                folders += 1
                folder_bytes += sum(p.stat().st_size for p in folder.iterdir())
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            files, file_bytes = _files(loose, needed or set(), files, file_bytes, dry_run=dry_run)
    return folders, folder_bytes, files, file_bytes


def _files(loose: list[Path], needed: set[str], files: int, size: int, *, dry_run: bool) -> tuple[int, int]:
    for path in loose:
        if path.name not in needed:
            files, size = files + 1, size + path.stat().st_size
            if not dry_run:
                path.unlink(missing_ok=True)
    return files, size


def _needed(ws: Workspace, folder: str) -> set[str] | None:
    """Return the files a monitor refers to; None when no monitor has this folder."""
    row = ws.catalog.one(
        "select monitor, reference from drift_monitors where json_extract(spec, '$.folder') = :f", f=folder
    )
    if row is None:
        return None
    windows = ws.catalog.query(
        "select profile, report from drift_windows where monitor = :m", m=row["monitor"]
    )
    named = {r["file"] for r in json.loads(row["reference"])}
    return named | {name for w in windows for name in (w["profile"], w["report"]) if name}
