"""Blobs of a team: any file system that fsspec reaches, by its URL, and what is kept of it on this machine."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError, WorkspaceError

#: Here a write is seen whole or not at all; elsewhere a blob is written beside its name and renamed.
_ATOMIC = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"))
#: A blob that is put again when it is older than this is written again: `aios gc` leaves what is young.
_FRESH_SECONDS = 600.0
CACHE_BYTES = 2 * 2**30
_KEEP_SECONDS = 60.0


class BlobStore:
    """A folder on a file system of fsspec's.

    Parameters
    ----------
    url : str
        ``s3://bucket/folder``, ``gs://…``, ``file:///shared/aios``, ``memory://…``; credentials are the system's own
        (its environment variables, or fsspec's configuration files).

    Raises
    ------
    ParameterError
        When fsspec does not know the protocol, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._fs, self._base = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError, TypeError) as e:
            raise ParameterError(
                f"AIOS_ARTIFACTS is {url!r}: {e}. Give an fsspec URL such as file:///shared/aios or s3://bucket/aios, "
                "and install the package of its file system (s3fs, gcsfs, adlfs)"
            ) from e
        self.url = url
        protocol = self._fs.protocol
        self.protocol = protocol if isinstance(protocol, str) else protocol[0]
        self._base = self._base.rstrip("/")

    def put(self, name: str, blob: bytes, *, anew: bool = False) -> None:
        """Store a blob under its name, unless it is there, whole and young.

        Raises
        ------
        WorkspaceError
            When the store cannot be written.
        """
        with self._explained(f"cannot store {name}"):
            if not anew:
                found = self._look(name)
                if found is not None and found[1] == len(blob) and time.time() - found[0] < _FRESH_SECONDS:
                    return
            self._write(name, blob)

    def _write(self, name: str, blob: bytes) -> None:
        path = self._path(name)
        if self.protocol in _ATOMIC:
            self._fs.pipe_file(path, blob)
            return
        folder = path.rpartition("/")[0]
        self._fs.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{uuid.uuid4().hex}.tmp"
        try:
            self._fs.pipe_file(temporary, blob)
            self._fs.mv(temporary, path)
        except BaseException:
            with contextlib.suppress(Exception):
                self._fs.rm_file(temporary)
            raise

    def get(self, name: str) -> bytes | None:
        """Return a blob's bytes, None when there is none."""
        with self._explained(f"cannot read {name}"):
            try:
                return bytes(self._fs.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """True when the blob is there, whole or not."""
        with self._explained(f"cannot look for {name}"):
            return self._look(name) is not None

    def listed(self) -> Iterator[tuple[str, float, int]]:
        """Yield path, time of the last write (epoch seconds) and size of every blob."""
        with self._explained("cannot be listed"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._base, detail=True)
            except FileNotFoundError:
                return
        for path, info in found.items():
            yield path, self._time(path, info), int(info.get("size") or 0)

    def discard(self, path: str, before: float) -> bool:
        """Delete a blob, by the path `listed` gave, unless somebody has written it since `before`."""
        with self._explained(f"cannot delete {path}"):
            found = self._at(path)
            if found is None or found[0] > before:
                return False
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(path)
            return True

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}" if "/" in name else f"{self._base}/{name[:2]}/{name}"

    def _look(self, name: str) -> tuple[float, int] | None:
        return self._at(self._path(name))

    def _at(self, path: str) -> tuple[float, int] | None:
        try:
            info = self._fs.info(path)
        except FileNotFoundError:
            return None
        return self._time(path, info), int(info.get("size") or 0)

    def _time(self, path: str, info: dict[str, Any]) -> float:
        for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
            value = info.get(key)
            if isinstance(value, (int, float)):
                return float(value)
            if isinstance(value, dt.datetime):
                return value.timestamp()
        return float(self._fs.modified(path).timestamp())

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (WorkspaceError, ParameterError):
            raise
        except Exception as e:
            raise WorkspaceError(
                f"{self.url} {what} ({type(e).__name__}: {e}); check AIOS_ARTIFACTS, the network and the credentials, "
                "then resume the run: finished steps are kept"
            ) from e


def cache_limit() -> int:
    """Return how many bytes of a team's values this machine keeps: AIOS_CACHE_MB, 2,048 if not set.

    Raises
    ------
    ParameterError
        When the setting is no number.
    """
    text = os.environ.get("AIOS_CACHE_MB", "")
    try:
        return int(float(text) * 2**20) if text else CACHE_BYTES
    except ValueError:
        raise ParameterError(f"AIOS_CACHE_MB is {text!r}; give a number of megabytes") from None


def trim(folder: Path, limit: int) -> None:
    """Delete what was not read for longest until the folder is within its limit; what is being read now stays."""
    files = []
    for path in folder.glob("*/*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            files.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in files)
    for at, size, path in sorted(files):
        if total <= limit or at > time.time() - _KEEP_SECONDS:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
