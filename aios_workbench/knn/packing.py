"""An index as one piece of bytes, as a step of a workflow hands it on: the files of `Index.save`, in an archive.

That is how it is pickled: the pickle holds the name of a function that loads, and these bytes; nothing of faiss or of
Python's objects is in them, and every file is checked against the manifest's hashes before it is read.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from aios_workbench.errors import CorruptIndexError
from aios_workbench.workspace import locate


def packed(save: Callable[[Path], None]) -> bytes:
    """Return what `save` writes into a folder, as bytes.

    Examples
    --------
    >>> data = packed(lambda folder: (folder.mkdir(), (folder / "a").write_text("b")))
    >>> with unpacked(data) as folder:
    ...     (folder / "a").read_text()
    'b'
    """
    with tempfile.TemporaryDirectory(dir=_room()) as name:
        folder = Path(name) / "index"
        save(folder)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for file in sorted(folder.iterdir()):
                if not file.name.startswith("."):
                    archive.add(file, file.name)
        return out.getvalue()


@contextlib.contextmanager
def unpacked(data: bytes) -> Iterator[Path]:
    """Give a folder with what was packed; it is gone afterwards.

    What is mapped into memory from it stays readable without its name, and its room on the disk is free again as
    soon as nobody maps it any more.

    Raises
    ------
    CorruptIndexError
        When the bytes are no archive.
    """
    folder = Path(tempfile.mkdtemp(dir=_room()))
    try:
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as e:
            raise CorruptIndexError(f"these bytes are no packed index: {e}; make it again") from e
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _room() -> str | None:
    """Return a folder on the workspace's disk, not a temporary one that may be memory; None where that fails."""
    folder = locate() / "knn"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return str(folder)
