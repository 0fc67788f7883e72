"""Where the workspace is, and what lies in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace.artifacts import ArtifactStore
from aios_workbench.workspace.catalog import Catalog

_open: dict[Path, Workspace] = {}
_lock = threading.Lock()


class Workspace:
    """A folder (mode 0700) with the catalog, the journal, the artifacts and the jobs.

    Use `workspace()` to get the one of this process.
    """

    def __init__(self, root: Path, durability: str = "normal") -> None:
        self.root = root
        self.durability = durability
        try:
            for folder in (root, root / "artifacts", root / "executors", root / "jobs"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignore = root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            root.chmod(0o700)
        except OSError as e:
            raise WorkspaceError(
                f"cannot use {root} as workspace: {e}; set AIOS_HOME to a writable folder"
            ) from e
        self.catalog = Catalog(root / "catalog.db", durability)
        self.artifacts = ArtifactStore(root / "artifacts", self.catalog, durability)

    @property
    def journal(self) -> Path:
        """The durable engine's database."""
        return self.root / "journal.db"

    @property
    def project(self) -> Path:
        """The folder the workspace lies in: relative paths of runs and jobs start here."""
        return self.root.parent

    def close(self) -> None:
        """Store what is queued, close the databases."""
        with _lock:
            _open.pop(self.root, None)
        self.catalog.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"


def locate(start: Path | None = None) -> Path:
    """Return the workspace folder: AIOS_HOME, else the nearest `.aios` here or above, else `./.aios`."""
    home = os.environ.get("AIOS_HOME")
    if home:
        return Path(home).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / ".aios" / "catalog.db").exists():
            return folder / ".aios"
    return here / ".aios"


def workspace(path: str | Path | None = None) -> Workspace:
    """Return the workspace at `path` (default: `locate()`), opened once per process.

    Raises
    ------
    WorkspaceError
        When the folder or its database cannot be used.
    """
    root = Path(path).expanduser().resolve() if path is not None else locate()
    with _lock:
        found = _open.get(root)
        if found is None:
            durability = os.environ.get("AIOS_DURABILITY", "normal").lower()
            if durability not in ("normal", "full"):
                raise WorkspaceError(f"AIOS_DURABILITY is {durability!r}; use 'normal' or 'full'")
            found = _open[root] = Workspace(root, durability)
        return found
