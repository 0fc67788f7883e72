"""The artifact store: every value a step returns, named by the SHA-256 of its bytes.

Data frames are Parquet and arrays `.npy`, so both can be looked at without loading them; plain JSON values
are JSON; anything else is a pickle. Pickles run code when loaded: only this workspace's own folder, which
nobody else can write (mode 0700), is ever read, and every blob is checked against its name first.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import itertools
import json
import os
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from aios_workbench.errors import CorruptArtifactError, NotFoundError, WorkspaceError
from aios_workbench.workspace.catalog import Catalog, dumps
from aios_workbench.workspace.encoding import abridged, decode, encode
from aios_workbench.workspace.remote import BlobStore, cache_limit, trim

_PICKLED = 1000
_FRESH_SECONDS = 600  # far below the hour after which `aios gc` takes what nothing refers to
_CACHE_BYTES = 64 * 2**20
_SUFFIX = {"parquet": ".parquet", "npy": ".npy", "json": ".json", "pickle": ".pkl", "media": ".media",
           "parts": ".parts", "list": ".pkl"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored value: `hash` names the bytes, `kind` how they are encoded."""

    hash: str
    kind: str
    type: str
    bytes: int
    shape: tuple[int, ...] | None = None
    meta: dict[str, Any] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)

    @property
    def shown(self) -> Artifact | None:
        """What a pickled value shows of itself, an artifact of its own."""
        kept = self.meta.get("shown")
        return Artifact.from_dict(kept) if kept else None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Artifact:
        """Read what `to_dict` wrote."""
        shape = data.get("shape")
        return cls(**{**data, "shape": tuple(shape) if shape is not None else None})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a value that is stored in parts, and how many items it holds."""

    artifact: Artifact
    items: int


class ArtifactStore:
    """Put values in, get them back, by content.

    Parameters
    ----------
    folder : Path
        Where the blobs lie, in 256 sub-folders.
    catalog : Catalog
        Holds one row of description per blob.
    durability : {"normal", "full"}
        With "full" every blob is flushed to the disk before it is named.
    remote : BlobStore, optional
        Where a team's blobs lie; the folder then keeps what this machine has read or written lately.
    """

    def __init__(
        self, folder: Path, catalog: Catalog, durability: str = "normal", remote: BlobStore | None = None
    ) -> None:
        self.folder, self.remote = folder, remote
        self._limit = cache_limit()
        self._fetched = 0
        self._damaged: set[str] = set()  # in the remote store: to be written again when put again
        self._catalog = catalog
        self._fsync = durability == "full"
        self._described: set[str] = set()
        self._cache: OrderedDict[str, bytes] = (
            OrderedDict()
        )  # small blobs only: a chain rereads what it wrote
        self._cached = 0
        self._seen: dict[
            str, tuple[int, int, int]
        ] = {}  # file name -> time, size and inode when it was right
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where the blobs are, for messages."""
        return str(self.folder) if self.remote is None else self.remote.url

    def file(self, artifact: Artifact) -> Path:
        """Return the blob's file on this machine, for readers that need one; a team's is fetched first.

        Raises
        ------
        NotFoundError, CorruptArtifactError
            Like `read`, for a team's blob; a missing file of this machine's own is left for the reader to meet.
        """
        path = self.path(artifact)
        if self.remote is not None:
            if path.exists():
                with contextlib.suppress(OSError):
                    os.utime(path)  # read again: it stays
            else:
                self._fetch(artifact)
        return path

    def exists(self, artifact: Artifact) -> bool:
        """True when the blob is there; whether it is intact is not looked at."""
        if self.path(artifact).exists():
            return self.remote is None or self.remote.exists(self.path(artifact).name)
        return self.remote is not None and self.remote.exists(self.path(artifact).name)

    def path(self, artifact: Artifact) -> Path:
        """Return where the blob's file lies, or would: see `file`."""
        return self.folder / artifact.hash[:2] / (artifact.hash + _SUFFIX[artifact.kind])

    def put(self, value: Any, refuse: Callable[[bytes], None] | None = None) -> Artifact:
        """Store a value and return its description.

        Parameters
        ----------
        refuse : function, optional
            Called with the bytes before they are stored; what it raises is why they are not.

        Raises
        ------
        SerializationError
            When the value cannot be stored in any format.
        WorkspaceError
            When the disk is full or cannot be written.
        """
        kind, type_name, shape, meta, blob = encode(value)
        if refuse is not None:
            refuse(blob)
        if kind == "pickle":
            meta |= self._show(value)
        return self._store(kind, type_name, shape, meta, blob)

    def _show(self, value: Any) -> dict[str, Any]:
        """Keep what the value shows of itself beside it; `shown` of its description names that artifact."""
        from aios_workbench.workspace import showing

        meta: dict[str, Any] = {"html": True} if showing.has_html(value) else {}
        shown = showing.show(value)
        if shown is None:
            return meta
        if shown.columns is not None:
            shape, described = (shown.rows, len(shown.columns)), {"columns": shown.columns}
            kept = self._store("parquet", "pandas.DataFrame", shape, described, shown.data)
        else:
            size = {"width": shown.width, "height": shown.height}
            kept = self._store("media", shown.mime, None, size, shown.data)
        return {**meta, "shown": kept.to_dict()}

    def put_function(self, blob: bytes) -> Artifact:
        """Store a pickled function."""
        return self._store("pickle", "function", None, {}, blob)

    def put_list(self, values: list[Any]) -> Artifact:
        """Store a list without looking at each of its values first: pickles of a thousand values, one behind another.

        What pickle remembers of the objects it has seen, to store each only once, costs three times as much as the
        pickling itself when it is a table of a million.
        """
        import cloudpickle

        file = io.BytesIO()
        pickler = cloudpickle.Pickler(file, protocol=5)
        try:
            for start in range(0, len(values), _PICKLED):
                pickler.dump(values[start : start + _PICKLED])
                pickler.clear_memo()
        except Exception:  # noqa: BLE001 - says why, and of which type
            return self.put(values)
        meta = {"preview": abridged(values[:20], b"")}
        return self._store("list", "list", (len(values),), meta, file.getvalue())

    def put_parts(self, parts: Sequence[Part]) -> Artifact:
        """Store a long value as the list of its parts, which are stored already; `get` puts them together.

        They are lists, or all arrays, series or data frames.
        """
        items = sum(p.items for p in parts)
        told = [{"artifact": {**p.artifact.to_dict(), "meta": {}}, "items": p.items} for p in parts]
        kind = parts[0].artifact.type if parts else "list"
        shape = (items, *(parts[0].artifact.shape or (0,))[1:]) if parts else (0,)
        size = sum(p.artifact.bytes for p in parts)
        meta = {"preview": f"{items:,} items, stored in {len(parts):,} parts", "bytes": size}
        return self._store("parts", kind, shape, meta, dumps(told).encode())

    def parts(self, artifact: Artifact) -> list[Part]:
        """Return the parts of a value that is stored in parts."""
        return [Part(Artifact.from_dict(t["artifact"]), t["items"]) for t in json.loads(self.read(artifact))]

    def _join(self, artifact: Artifact) -> Any:
        values = [self.get(part.artifact) for part in self.parts(artifact)]
        if artifact.type == "numpy.ndarray":
            import numpy as np

            return np.concatenate(values)
        if artifact.type.startswith("pandas."):
            import pandas as pd

            return pd.concat(values)
        return list(itertools.chain.from_iterable(values))

    def _store(
        self, kind: str, type_name: str, shape: tuple[int, ...] | None, meta: dict[str, Any], blob: bytes
    ) -> Artifact:
        artifact = Artifact(hashlib.sha256(blob).hexdigest(), kind, type_name, len(blob), shape, meta)
        if self.remote is None:
            self._write(self.path(artifact), blob)
        else:
            self.remote.put(self.path(artifact).name, blob, anew=artifact.hash in self._damaged)
            self._damaged.discard(artifact.hash)
            self._keep(self.path(artifact), blob)
        self._remember(artifact.hash, blob)
        if artifact.hash not in self._described:
            self._describe(artifact)
        return artifact

    def _describe(self, artifact: Artifact) -> None:
        self._described.add(artifact.hash)
        self._catalog.defer(_DESCRIBE, {
            "hash": artifact.hash, "kind": artifact.kind, "type": artifact.type, "bytes": artifact.bytes,
            "shape": None if artifact.shape is None else dumps(artifact.shape), "meta": dumps(artifact.meta),
            "created_at": time.time(),
        }, always=True)  # fmt: skip

    def restore(self, artifact: Artifact) -> None:
        """Describe an artifact again that the journal knows and the catalog does not: its process died in between."""
        if self._catalog.one("select 1 from artifacts where hash = :h", h=artifact.hash) is not None:
            return
        meta: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # it may not load here; what it shows is not worth failing for
            value = self.get(artifact)
            meta = encode(value)[3] | (self._show(value) if artifact.kind == "pickle" else {})
        self._describe(replace(artifact, meta=meta))

    def get(self, artifact: Artifact) -> Any:
        """Load a value.

        Raises
        ------
        NotFoundError
            When the blob is gone (collected, or another workspace's).
        CorruptArtifactError
            When its bytes do not match its name.
        """
        if artifact.kind == "parts":
            return self._join(artifact)
        return decode(artifact.kind, self.read(artifact))

    def read(self, artifact: Artifact) -> bytes:
        """Return the blob's bytes, verified."""
        blob = self._cache.get(artifact.hash)
        if blob is not None:
            return blob
        if self.remote is not None:
            return self._read_kept(artifact) or self._fetch(artifact)
        return self.reread(artifact)

    def reread(self, artifact: Artifact) -> bytes:
        """Return the blob's bytes from where they lie, verified, whatever this process or machine has kept of it."""
        if self.remote is not None:
            return self._fetch(artifact)
        path = self.path(artifact)
        try:
            blob = path.read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                f"artifact {artifact.hash[:12]} ({artifact.type}) is not in {self.folder}; it may have been "
                "collected by `aios gc`: rerun the step that made it"
            ) from None
        if hashlib.sha256(blob).hexdigest() != artifact.hash:
            raise CorruptArtifactError(
                f"artifact {artifact.hash[:12]} ({artifact.type}) in {path} was changed or damaged on disk; "
                "it is not loaded. Delete the file and rerun the step that made it"
            )
        self._remember(artifact.hash, blob)
        return blob

    def _read_kept(self, artifact: Artifact) -> bytes | None:
        """Return a team's blob as this machine has kept it, None when it has not, or not whole."""
        path = self.path(artifact)
        try:
            blob = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(blob).hexdigest() != artifact.hash:
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        self._remember(artifact.hash, blob)
        return blob

    def _fetch(self, artifact: Artifact) -> bytes:
        """Return a team's blob, verified, and keep it here."""
        remote = cast("BlobStore", self.remote)
        blob = remote.get(self.path(artifact).name)
        if blob is None:
            raise NotFoundError(
                f"artifact {artifact.hash[:12]} ({artifact.type}) is not in {remote.url}; it may have been collected "
                "by `aios gc`: rerun the step that made it"
            )
        if hashlib.sha256(blob).hexdigest() != artifact.hash:
            self._damaged.add(artifact.hash)
            raise CorruptArtifactError(
                f"artifact {artifact.hash[:12]} ({artifact.type}) in {remote.url} was changed or damaged; it is not "
                "loaded. Rerun the step that made it: it is written again"
            )
        self._keep(self.path(artifact), blob)
        self._remember(artifact.hash, blob)
        return blob

    def _keep(self, path: Path, blob: bytes) -> None:
        """Keep a team's blob on this machine, within the limit; a full disk here is no reason to fail."""
        with contextlib.suppress(WorkspaceError):
            self._write(path, blob)
        self._fetched += len(blob)
        if self._fetched > max(self._limit // 10, 1):
            self._fetched = 0
            trim(self.folder, self._limit)

    def find(self, hash_: str) -> Artifact:
        """Return the description of a stored artifact.

        Raises
        ------
        NotFoundError
            When the catalog has no such artifact.
        """
        row = self._catalog.one("select * from artifacts where hash = :h", h=hash_)
        if row is None:
            raise NotFoundError(f"no artifact {hash_[:12]!r} in this workspace")
        return artifact_from_row(row)

    def intact(self, artifact: Artifact) -> bool:
        """True when the blob is there and unchanged; used before a cached result is trusted."""
        try:
            if self.remote is not None and not self.remote.exists(self.path(artifact).name):
                return False  # deleted for all, whatever this machine has kept
            if self.remote is None:
                self.path(artifact).stat()
            self.read(artifact)
            if artifact.kind == "parts":
                return all(self.intact(part.artifact) for part in self.parts(artifact))
        except (OSError, NotFoundError, CorruptArtifactError):
            return False
        return True

    def _write(self, path: Path, blob: bytes) -> None:
        if self._untouched(path):
            return
        if _holds(path, blob):
            with contextlib.suppress(OSError):
                os.utime(path)  # young again: `aios gc` leaves what somebody is about to refer to
                self._seen[path.name] = _look(path)
            return
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            try:
                file = temporary.open("wb")
            except FileNotFoundError:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = temporary.open("wb")
            with file:
                file.write(blob)
                if self._fsync:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
            self._seen[path.name] = _look(path)
        except OSError as e:
            temporary.unlink(missing_ok=True)
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                raise WorkspaceError(
                    f"no space left to store {len(blob):,} bytes in {self.folder}; free some disk space or run "
                    "`aios gc`, then resume the run: finished steps are kept"
                ) from e
            raise WorkspaceError(f"cannot write {path}: {e}") from e

    def _untouched(self, path: Path) -> bool:
        """True when the file is as this process left it a short while ago: no need to read it again."""
        try:
            now = _look(path)
        except OSError:
            return False
        return now == self._seen.get(path.name) and time.time_ns() - now[0] < _FRESH_SECONDS * 10**9

    def _remember(self, hash_: str, blob: bytes) -> None:
        if len(blob) > _CACHE_BYTES // 16:
            return
        with self._lock:
            if hash_ in self._cache:
                return
            self._cache[hash_] = blob
            self._cached += len(blob)
            while self._cached > _CACHE_BYTES:
                _, old = self._cache.popitem(last=False)
                self._cached -= len(old)


def _look(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 - on the way of every step; half the cost of Path.stat
    return found.st_mtime_ns, found.st_size, found.st_ino


def _holds(path: Path, blob: bytes) -> bool:
    """True when the file has exactly these bytes: a damaged blob is written again."""
    try:
        if path.stat().st_size != len(blob):
            return False
        with path.open("rb") as file:
            for at in range(0, len(blob), 2**20):
                if file.read(2**20) != blob[at : at + 2**20]:
                    return False
    except OSError:
        return False
    return True


_DESCRIBE = (
    "insert into artifacts (hash, kind, type, bytes, shape, meta, created_at) "
    "values (:hash, :kind, :type, :bytes, :shape, :meta, :created_at) on conflict (hash) do nothing"
)


def artifact_from_row(row: dict[str, Any]) -> Artifact:
    """Build the description from a row of `artifacts`."""
    shape = json.loads(row["shape"]) if row["shape"] else None
    return Artifact(
        row["hash"], row["kind"], row["type"], row["bytes"],
        tuple(shape) if shape is not None else None, json.loads(row["meta"]),
    )  # fmt: skip
