"""Vectors on their way into a .npy file, block by block: checked, turned into the inner space, and counted."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from aios_workbench.errors import KnnInputError, WorkspaceError
from aios_workbench.knn.fingerprint import Fingerprint
from aios_workbench.knn.models import Metric
from aios_workbench.knn.rows import as_rows, check_numbers, norms
from aios_workbench.knn.space import Space

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_HEADER = 128
#: Unfinished files of processes that were killed are removed after a day.
_STALE = 86_400
#: The squares of shorter vectors vanish in float32.
_SHORTEST = 1e-15


class Spool:
    """Writes vectors to a file in `folder`. Use as a context manager: a failure leaves nothing behind."""

    def __init__(self, folder: Path, metric: Metric) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.space: Space | None = None
        self.rows = 0
        self.notes: list[str] = []
        self._metric = metric
        self._folder = folder
        for left in folder.glob(".*.partial"):
            with contextlib.suppress(OSError):  # somebody else was faster
                if left.stat().st_mtime < time.time() - _STALE:
                    left.unlink()
        self._partial = folder / f".{uuid.uuid4().hex}.partial"
        self._file: BinaryIO = self._partial.open("w+b")
        self._hash = Fingerprint(metric)
        self._norms: list[npt.NDArray[np.float64]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, values: npt.ArrayLike) -> None:
        """Write rows.

        Raises
        ------
        KnnInputError
            When a row is wrong; the message names it by its number among all.
        WorkspaceError
            When the disk is full.
        """
        import numpy as np

        rows = as_rows(values)
        if self.space is None:
            self.space = Space.sized(self._metric, rows.shape[1])
            self._write(bytes(_HEADER))
            if rows.dtype.kind != "f":
                self.notes.append(f"{rows.dtype} values are held as float32")
        if rows.shape[1] != self.space.dimensions:
            raise KnnInputError(
                f"vectors: from row {self.rows:,} (counted from 0) on they have {rows.shape[1]} dimensions, before "
                f"it {self.space.dimensions}; all must be equally long"
            )
        check_numbers(rows, self.rows)
        length = norms(rows)
        if self._metric == "ip":  # how high a vector is lifted is known when the longest has been seen
            inside = np.zeros((len(rows), self.space.inner), np.float32)
            inside[:, : rows.shape[1]] = rows
        else:
            inside = self.space.vectors(rows, first=self.rows)
        self._hash.add(rows)
        self._write(inside.data)
        self._norms.append(length)
        self.rows += len(rows)

    def _write(self, data: bytes | memoryview) -> None:
        try:
            self._file.write(data)
        except OSError as e:
            raise WorkspaceError(
                f"{self.rows:,} vectors were read, and no more fit below {self._folder} ({e.strerror}); make room, "
                "take a sample with limit=, or set AIOS_HOME to a larger disk"
            ) from e

    def finish(self) -> tuple[Path, Space, str, npt.NDArray[np.float64]]:
        """Return the file, the space, the fingerprint and the lengths of the vectors.

        Raises
        ------
        KnnInputError
            When there were no vectors, or float32 cannot tell them apart.
        """
        import numpy as np

        if self.space is None or not self.rows:
            raise KnnInputError("there are no vectors: the source has no rows")
        length = np.concatenate(self._norms)
        longest = float(length.max())
        if 0 < longest < _SHORTEST and self._metric != "cosine":
            raise KnnInputError(
                f"the longest vector is {longest:.3g} long: squares of such numbers vanish in float32; scale all by "
                "one factor, x / np.abs(x).max()"
            )
        space = Space.sized(self._metric, self.space.dimensions, longest)
        self._file.seek(0)
        self._file.write(npy_header(self.rows, space.inner))
        self._file.close()
        if self._metric == "ip":
            whole = np.load(self._partial, mmap_mode="r+")
            step = max(1, 2**22 // space.inner)
            for start in range(0, self.rows, step):
                part = slice(start, start + step)
                whole[part, space.dimensions] = space.lift(length[part])
            whole.flush()
            del whole
        name = self._hash.name()
        path = self._folder / f"vectors-{name[:16]}.npy"
        os.replace(self._partial, path)  # noqa: PTH105 - atomic, also over an older file of the same content
        return path, space, name, length


def npy_header(rows: int, width: int) -> bytes:
    """Return the head of a .npy file of float32, always equally long: it is written when the rows are counted."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}"
    data = text.encode().ljust(_HEADER - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little") + data


def spool_without(source: npt.NDArray[np.float32], leave: npt.NDArray[Any], path: Path) -> None:
    """Write the rows of `source` but those numbered in `leave` (ascending) to a .npy file."""
    import numpy as np

    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    step = max(1, 2**23 // source.shape[1])
    try:
        with partial.open("wb") as out:
            out.write(npy_header(len(source) - len(leave), source.shape[1]))
            for start in range(0, len(source), step):
                low, high = np.searchsorted(leave, (start, start + step))
                out.write(np.delete(source[start : start + step], leave[low:high] - start, axis=0).data)
        os.replace(partial, path)  # noqa: PTH105 - atomic
    finally:
        partial.unlink(missing_ok=True)
