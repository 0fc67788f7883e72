"""An index as one piece of bytes, as a step of a workflow hands it on: the files of `Index.save`, in an archive.

That is how it is pickled: the pickle holds the name of `unpack` and these bytes, and nothing of faiss or of Python's
objects is in them; every file is checked against the manifest's hashes before it is read.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench.errors import CorruptIndexError
from aios_workbench.workspace import locate

if TYPE_CHECKING:
    from aios_workbench.knn.index import Index


def pack(index: Index) -> bytes:
    """Return an index as bytes.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from aios_workbench.knn import Index, Params, open_vectors
    >>> vectors = open_vectors(np.eye(4), folder=tempfile.mkdtemp())
    >>> again = unpack(pack(Index.build(vectors, Params(family="flat"))))
    >>> again.search(np.eye(4)[2], 1).ids.tolist()
    [[2]]
    """
    with tempfile.TemporaryDirectory(dir=_room()) as name:
        folder = Path(name) / "index"
        index.save(folder)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for file in sorted(folder.iterdir()):
                if not file.name.startswith("."):
                    archive.add(file, file.name)
        return out.getvalue()


def unpack(data: bytes) -> Index:
    """Return the index that `pack` was given; its vectors stay on disk and are mapped into memory.

    Raises
    ------
    CorruptIndexError
        When the bytes are no packed index, or damaged.
    """
    from aios_workbench.knn.index import Index

    folder = Path(tempfile.mkdtemp(dir=_room()))
    try:
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as e:
            raise CorruptIndexError(f"these bytes are no packed index: {e}; make it again") from e
        return Index.load(folder)
    finally:
        # What is mapped stays readable without its name, and its room is free again as soon as nobody maps it.
        shutil.rmtree(folder, ignore_errors=True)


def _room() -> str | None:
    """Return a folder on the workspace's disk, not in a temporary folder that may be memory; None without one."""
    folder = locate() / "knn"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return str(folder)
