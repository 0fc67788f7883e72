"""Where the workspace is, and what lies in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace.artifacts import ArtifactStore
from aios_workbench.workspace.catalog import Catalog
from aios_workbench.workspace.database import Database
from aios_workbench.workspace.remote import BlobStore

if TYPE_CHECKING:
    from aios_workbench.workspace.postgres import Address

_open: dict[tuple[Path, str, str], Workspace] = {}
_lock = threading.Lock()


class Workspace:
    """A folder (mode 0700) with the catalog, the journal, the artifacts and the jobs.

    A team's has catalog and journal in PostgreSQL and artifacts wherever fsspec reaches; the folder is this machine's
    own then. Use `workspace()` to get the one of this process.

    Parameters
    ----------
    database : str, optional
        The address of a PostgreSQL database, `?schema=` names the workspace in it; AIOS_DATABASE_URL if not given.
    artifacts : str, optional
        An fsspec URL; AIOS_ARTIFACTS if not given, else the folder.

    Raises
    ------
    WorkspaceError
        When the folder or the database cannot be used.
    ParameterError
        When an address cannot be read.
    """

    def __init__(
        self,
        root: Path,
        durability: str = "normal",
        *,
        database: str | None = None,
        artifacts: str | None = None,
    ) -> None:
        self.root = root
        self.address = _address(os.environ.get("AIOS_DATABASE_URL", "") if database is None else database)
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
        self.catalog = Catalog(self._database(), durability)
        blobs = os.environ.get("AIOS_ARTIFACTS", "") if artifacts is None else artifacts
        self.artifacts = ArtifactStore(
            root / ("cache" if blobs else "artifacts"),
            self.catalog,
            durability,
            BlobStore(blobs) if blobs else None,
        )

    def _database(self) -> Path | Database:
        if self.address is None:
            return self.root / "catalog.db"
        from aios_workbench.workspace.postgres import Postgres

        return Postgres(self.address)

    @property
    def journal(self) -> Path:
        """The durable engine's database, where it is a file."""
        return self.root / "journal.db"

    @property
    def shared(self) -> bool:
        """True for a team's: processes on other machines work for it too."""
        return self.catalog.shared

    @property
    def place(self) -> str:
        """Where its state is, for messages: the folder, or a team's database."""
        return str(self.root) if self.address is None else str(self.address)

    @property
    def project(self) -> Path:
        """The folder the workspace lies in: relative paths of runs and jobs start here."""
        return self.root.parent

    def close(self) -> None:
        """Store what is queued, close the databases."""
        with _lock:
            for key in [key for key, space in _open.items() if space is self]:
                del _open[key]
        self.catalog.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"


def locate(start: Path | None = None) -> Path:
    """Return the workspace folder: AIOS_HOME, else the nearest `.aios` here or above, else `./.aios`."""
    home = os.environ.get("AIOS_HOME")
    if home:
        return Path(home).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    team = bool(os.environ.get("AIOS_DATABASE_URL"))  # then the catalog is not in the folder
    for folder in (here, *here.parents):
        if (folder / ".aios" / ("jobs" if team else "catalog.db")).exists():
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
    key = (root, os.environ.get("AIOS_DATABASE_URL", ""), os.environ.get("AIOS_ARTIFACTS", ""))
    with _lock:
        found = _open.get(key)
        if found is None:
            durability = os.environ.get("AIOS_DURABILITY", "normal").lower()
            if durability not in ("normal", "full"):
                raise WorkspaceError(f"AIOS_DURABILITY is {durability!r}; use 'normal' or 'full'")
            found = _open[key] = Workspace(root, durability)
        return found


def _address(text: str) -> Address | None:
    if not text:
        return None
    from aios_workbench.workspace.postgres import Address  # psycopg takes 50 ms: only a team waits for it

    return Address.parse(text)
