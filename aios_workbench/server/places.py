"""From a path the browser names to a folder or a workspace on disk, never outside the server's root."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from aios_workbench.errors import NotFoundError, ParameterError
from aios_workbench.workspace import Workspace, locate, workspace

_MAX_PATH = 1024


class Places:
    """The server's view of the disk.

    Parameters
    ----------
    contents
        The server's contents manager; its `root_dir` bounds every path.
    """

    def __init__(self, contents: Any) -> None:
        self._contents = contents
        self._opened: dict[Path, tuple[int, int]] = {}

    @property
    def root(self) -> Path:
        """The server's root folder.

        Raises
        ------
        ParameterError
            When the notebooks are not files (a database, a cloud drive).
        """
        folder = getattr(self._contents, "root_dir", None)
        if not folder:
            raise ParameterError(
                f"this server keeps its notebooks in {type(self._contents).__name__}, not in a folder; "
                "promote from a terminal with `aios promote`"
            )
        return Path(folder).resolve()

    def resolve(self, path: str) -> Path:
        """Return the file or folder of a contents path, whether it exists or not.

        Raises
        ------
        ParameterError
            When the path is not one a file browser could show, or leads out of the root (also by a link).
        """
        parts = PurePosixPath(path.strip("/")).parts
        wrong = len(path) > _MAX_PATH or ".." in parts or any(ord(c) < 32 for c in path)
        # On Windows these are separators and drives; elsewhere a file may be called so.
        if wrong or (os.name == "nt" and any(c in path for c in "\\:")):
            raise ParameterError(f"{path[:200]!r} is not a path of this server's file browser")
        root = self.root
        try:
            found = root.joinpath(*parts).resolve()
        except (OSError, RuntimeError, ValueError):
            raise ParameterError(f"{path[:200]!r} is not a path of this server's file browser") from None
        if not found.is_relative_to(root):
            raise ParameterError(f"{path[:200]!r} leads out of the folder this server serves")
        hidden = any(part.startswith(".") for part in parts)
        if hidden and not getattr(self._contents, "allow_hidden", False):
            raise NotFoundError(f"there is no file {path[:200]!r}")
        return found

    def notebook(self, path: str) -> Path:
        """Return an existing notebook's file.

        Raises
        ------
        NotFoundError
            When there is none.
        ParameterError
            When it is no notebook.
        """
        found = self.resolve(path)
        if found.suffix != ".ipynb":
            raise ParameterError(f"{path!r} is not a notebook (.ipynb)")
        if not found.is_file():
            raise NotFoundError(f"there is no notebook {path!r}; save it first")
        return found

    def locate(self, focus: str | None = None) -> Path:
        """Return the workspace folder a kernel of the document in focus would use."""
        folder = self.root
        if focus:
            folder = self.resolve(focus)
            while not folder.is_dir() and folder != self.root:
                folder = folder.parent
        return locate(folder)

    def existing(self, focus: str | None = None) -> Workspace | None:
        """Return that workspace if there is one; nothing is written."""
        return self.find(self.locate(focus))

    def find(self, root: Path) -> Workspace | None:
        """Return the workspace in a folder if there is one; nothing is written."""
        return self._open(root) if (root / "catalog.db").is_file() else None

    def create(self, focus: str | None = None) -> Workspace:
        """Return that workspace, made if need be."""
        return self._open(self.locate(focus))

    def shown(self, root: Path) -> str:
        """Return the workspace's folder as a person reads it: from the server's root where it lies inside."""
        try:
            return root.relative_to(self.root).as_posix()
        except ValueError:
            home = Path.home()
            return f"~/{root.relative_to(home).as_posix()}" if root.is_relative_to(home) else str(root)

    def _open(self, root: Path) -> Workspace:
        found = workspace(root)
        identity = _identity(root / "catalog.db")
        known = self._opened.get(root)
        if known is not None and identity != known:
            # The folder was deleted and made anew: the open connection would go on reading the old file.
            found.close()
            found = workspace(root)
            identity = _identity(root / "catalog.db")
        if identity is not None:
            self._opened[root] = identity
        return found


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
