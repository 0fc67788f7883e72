"""An index on disk: a folder with a manifest that names every file with its size and SHA-256.

Nothing is pickled. Files are written under new names, synced, and only then named by a new `manifest.json` put in
place of the old one in a single step: whoever looks finds the old index whole or the new one whole, also after a
crash or on a full disk. Everything is checked before faiss reads a byte of it: faiss loads most damaged files
without a word (18 of 25 in our trial).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import AiosError, CorruptIndexError, KnnError, NotFoundError

if TYPE_CHECKING:
    from aios_workbench.knn.index import Index

FORMAT, VERSION = "aios-knn-index", 1
MANIFEST = "manifest.json"
_LOCK = ".lock"
_NEEDED = {"vectors", "rows", "delta", "metadata"}
_LARGEST_MANIFEST = 1 << 20


class _Hashed(io.RawIOBase):
    """A file that takes bytes and knows their hash and number: what was meant to be written, not what arrived."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self.digest = hashlib.sha256()
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._file.write(view)
        self.digest.update(view)
        self.bytes += len(view)
        return len(view)

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def save(index: Index, path: Path) -> None:
    """Write an index; see `Index.save`."""
    path = path.expanduser()
    try:
        _make_room(path)
        with _locked(path, fcntl.LOCK_EX):
            _save(index, path)
    except OSError as e:
        why = "no space left" if e.errno in (28, 122) else (e.strerror or str(e))
        raise KnnError(
            f"the index cannot be saved in {path}: {why}; what was saved there before is as it was. Free some space, "
            "or save it elsewhere"
        ) from e


def _make_room(path: Path) -> None:
    if (
        path.is_dir()
        and any(path.iterdir())
        and not (path / MANIFEST).exists()
        and not (path / _LOCK).exists()
    ):
        raise KnnError(f"{path} is a folder with other things in it; save the index in a folder of its own")
    if path.exists() and not path.is_dir():
        raise KnnError(f"{path} is a file; an index is saved as a folder, give another name")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _save(index: Index, path: Path) -> None:
    state = index._state
    stamp = uuid.uuid4().hex[:12]
    written: dict[str, dict[str, Any]] = {}
    try:
        for part, suffix, write in _parts(index):
            name = f"{part}-{stamp}.{suffix}"
            file = _Hashed(path / name)
            written[part] = {"name": name}
            with contextlib.closing(file):
                write(file)
                file.finish()
            written[part] |= {"bytes": file.bytes, "sha256": file.digest.hexdigest()}
        manifest = {
            "format": FORMAT, "version": VERSION, "saved_at": time.time(), "files": written,
            "libraries": _libraries(), "space": state.space.to_dict(), "params": index.params.model_dump(),
            "built": state.base.params.model_dump(), "trained": state.base.trained, "seed": state.base.seed,
            "rows": len(state.base), "delta": len(state.delta.ids), "vectors": len(state), "effort": state.effort,
            "tuned_for": index.tuned_for, "target": index.target, "baseline": index.baseline, "k": index.k,
            "content": state.version, "next_key": index._next_key,
        }  # fmt: skip
        text = json.dumps(manifest | {"sha256": _sealed(manifest)}, indent=1).encode()
        temporary = path / f".{MANIFEST}.{stamp}"
        file = _Hashed(temporary)
        written["manifest"] = {"name": temporary.name}
        with contextlib.closing(file):
            file.write(text)
            file.finish()
        temporary.replace(path / MANIFEST)
    except BaseException:
        for made in written.values():
            (path / made["name"]).unlink(missing_ok=True)
        raise
    _sync_folder(path)
    _sync_folder(path.parent)
    keep = {made["name"] for made in written.values()} | {MANIFEST, _LOCK}
    for old in path.iterdir():
        if old.name not in keep and _ours(old.name):
            with contextlib.suppress(OSError):
                old.unlink()


def _ours(name: str) -> bool:
    part, _, rest = name.removeprefix(f".{MANIFEST}.").partition("-")
    stamp = rest.partition(".")[0] if rest else part
    return (part in {*_NEEDED, "index"} or name.startswith(f".{MANIFEST}.")) and len(stamp) == 12


def _parts(index: Index) -> Iterator[tuple[str, str, Callable[[_Hashed], None]]]:
    import pyarrow as pa

    state = index._state
    base, delta = state.base, state.delta
    ids = np.concatenate([base.ids.astype(object), delta.ids])
    kind = pa.int64() if base.ids.dtype.kind == "i" else pa.string()
    if not len(base.ids) and len(delta.ids):
        kind = pa.int64() if isinstance(delta.ids[0], int) else pa.string()
    rows = pa.table({
        "id": pa.array(ids, kind), "key": np.concatenate([base.keys, delta.keys]),
        "live": np.concatenate([state.live, delta.live]),
    })  # fmt: skip
    yield "vectors", "npy", array(base.x)
    yield "delta", "npy", array(delta.vectors)
    yield "rows", "parquet", table(rows)
    yield "metadata", "parquet", table(index._metadata.table())
    if base.index is not None:
        yield "index", "faiss", codes(base.index)


def array(values: Any) -> Callable[[_Hashed], None]:
    """Return what writes vectors as a `.npy` file, in pieces."""

    def write(file: _Hashed) -> None:
        head = {"descr": "<f4", "fortran_order": False, "shape": values.shape}
        np.lib.format.write_array_header_2_0(file, head)
        step = max(1, 2**24 // max(1, 4 * values.shape[1]))
        for at in range(0, len(values), step):
            file.write(np.ascontiguousarray(values[at : at + step], "<f4"))

    return write


def table(values: Any) -> Callable[[_Hashed], None]:
    """Return what writes an Arrow table as Parquet."""
    import pyarrow.parquet as pq

    return lambda file: pq.write_table(values, file, compression="zstd")


def codes(index: Any) -> Callable[[_Hashed], None]:
    """Return what writes a faiss index."""
    import faiss

    def write(file: _Hashed) -> None:
        trouble: list[OSError] = []

        def pass_on(data: bytes) -> int:
            try:
                return file.write(data)
            except OSError as e:  # faiss would tell only that writing failed
                trouble.append(e)
                raise

        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(pass_on, 1 << 20))
        except Exception as e:
            raise (trouble[0] if trouble else KnnError(f"faiss cannot write this index: {e}")) from e

    return write


def _libraries() -> dict[str, str]:
    import duckdb
    import faiss
    import pyarrow as pa

    from aios_workbench import __version__

    return {
        "aios-workbench": __version__, "faiss": faiss.__version__, "numpy": np.__version__,
        "duckdb": duckdb.__version__, "pyarrow": pa.__version__,
    }  # fmt: skip


def _sealed(manifest: dict[str, Any]) -> str:
    plain = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """Let one save at a time, and none while somebody opens the files."""
    try:
        handle = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        if how == fcntl.LOCK_EX:
            raise
        yield  # a folder that cannot be written is not being saved into either
        return
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network file systems do not know how
        pass
    finally:
        os.close(handle)


# ---------------------------------------------------------------- loading


def load(path: Path) -> dict[str, Any]:
    """Read an index; returns what `Index` is made with, see `Index.load`."""
    path = path.expanduser()
    if not path.exists():
        raise NotFoundError(f"there is no index at {path}; save one with index.save({str(path)!r})")
    if not path.is_dir() or not (path / MANIFEST).is_file():
        raise CorruptIndexError(
            f"{path} is no saved index: it has no {MANIFEST}. Give the folder that index.save(…) wrote; an index "
            "file of plain faiss cannot be loaded, because nothing says which vectors and ids belong to it"
        )
    with _locked(path, fcntl.LOCK_SH):
        manifest = read_manifest(path)
        files = {part: _verified(path, part, entry) for part, entry in manifest["files"].items()}
        try:
            return _assembled(path, manifest, files)
        except AiosError:
            raise
        except Exception as e:
            raise CorruptIndexError(
                f"the index in {path} cannot be put together though its files are unchanged: {type(e).__name__}: {e}; "
                f"it was saved with {manifest['libraries']}. Build it again from its vectors"
            ) from e


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a saved index, checked.

    Raises
    ------
    CorruptIndexError
        When it was changed, or is of a version this program does not know.
    """
    file = path / MANIFEST
    try:
        with file.open("rb") as opened:
            manifest = json.loads(opened.read(_LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError) as e:
        raise CorruptIndexError(
            f"{file} is no manifest of an index: {e}. Restore it, or save the index again"
        ) from e
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CorruptIndexError(
            f"{file} is of another program, no manifest of an index; save the index again"
        )
    version = manifest.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise CorruptIndexError(
            f"the index in {path} is of format version {version!r}, this program knows up to {VERSION}; update "
            "aios-workbench, or save it again with this version"
        )
    seal = manifest.pop("sha256", None)
    if seal != _sealed(manifest):
        raise CorruptIndexError(f"{file} was changed or damaged after it was written; save the index again")
    return manifest


def _verified(path: Path, part: str, entry: dict[str, Any]) -> Path:
    name = str(entry["name"])
    file = path / name
    again = "Restore the folder from a copy, or build the index again from its vectors"
    if Path(name).name != name or file.is_symlink():
        raise CorruptIndexError(
            f"{path / MANIFEST} names {name!r}, which is not a file of this folder. {again}"
        )
    digest = hashlib.sha256()
    try:
        size = file.stat().st_size
        if size != entry["bytes"]:
            raise CorruptIndexError(
                f"{file} ({part}) has {size:,} bytes, but {entry['bytes']:,} were written: it was cut short or "
                f"replaced. {again}"
            )
        with file.open("rb") as opened:
            while block := opened.read(1 << 22):
                digest.update(block)
    except OSError as e:
        raise CorruptIndexError(f"{file} ({part}) is missing or cannot be read: {e.strerror}. {again}") from e
    if digest.hexdigest() != entry["sha256"]:
        raise CorruptIndexError(f"{file} ({part}) was changed or damaged after it was written. {again}")
    return file


def _assembled(path: Path, manifest: dict[str, Any], files: dict[str, Path]) -> dict[str, Any]:
    import faiss
    import pyarrow.parquet as pq

    from aios_workbench.knn.delta import Delta
    from aios_workbench.knn.keeping import squares_of
    from aios_workbench.knn.metadata import Metadata
    from aios_workbench.knn.models import Params
    from aios_workbench.knn.space import Space
    from aios_workbench.knn.state import Base, State

    if missing := _NEEDED - set(files):
        raise CorruptIndexError(f"{path / MANIFEST} names no file of {', '.join(sorted(missing))}")
    space, n = Space.from_dict(manifest["space"]), manifest["rows"]
    rows = pq.read_table(files["rows"])
    ids = rows["id"].to_numpy() if str(rows.schema.field("id").type) == "int64" else None
    if ids is None:
        ids = np.array(rows["id"].to_pylist(), dtype=object)
    keys, live = rows["key"].to_numpy(), rows["live"].to_numpy().copy()
    x = _array(files["vectors"], (n, space.inner))
    late = _array(files["delta"], (manifest["delta"], space.inner))
    index = None
    if "index" in files:
        # the file was verified above; codes and graphs stay in it and are mapped, whatever the family (all tried)
        index = faiss.read_index(str(files["index"]), faiss.IO_FLAG_MMAP_IFC)
        if index.ntotal != n or index.d != space.inner:
            raise CorruptIndexError(
                f"{files['index']} holds {index.ntotal} vectors of {index.d}, not {n} of {space.inner}"
            )
    if len(ids) != n + len(late) or len(keys) != len(live) or int(live.sum()) != manifest["vectors"]:
        raise CorruptIndexError(f"{files['rows']} does not go with {MANIFEST}; save the index again")
    base = Base(
        x, ids[:n], keys[:n], index, Params.model_validate(manifest["built"]), trained=manifest["trained"],
        seed=manifest["seed"], dead=np.flatnonzero(~live[:n]),
    )  # fmt: skip
    delta = Delta.empty(space.inner)
    if len(late):
        late = np.array(late)
        own = [i.item() if isinstance(i, np.integer) else i for i in ids[n:]]
        delta = delta.with_added(own, late, squares_of(space, late), keys[n:]).without(
            np.flatnonzero(~live[n:])
        )
    state = State(base, live[:n], delta, space, manifest["effort"], manifest["content"])
    return {
        "state": state, "metadata": Metadata.read(pq.read_table(files["metadata"])),
        "params": Params.model_validate(manifest["params"]),
        **{name: manifest[name] for name in ("target", "k", "baseline", "tuned_for")},
    }  # fmt: skip


def _array(file: Path, shape: tuple[int, int]) -> Any:
    found = np.load(file, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    if found.shape != shape or found.dtype != np.float32:
        raise CorruptIndexError(f"{file} holds {found.dtype} {found.shape}, not float32 {shape}")
    return found
