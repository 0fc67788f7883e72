"""A profile on disk: one file of counts, sealed by a checksum. Nothing is pickled; a damaged or foreign file is told.

The file is a line that says what it is, a line with the SHA-256 of the rest, and the rest: compressed, a length, a JSON
description of that length, and the arrays it refers to, one after the other.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench._util import write_whole
from aios_workbench.drift.columntables import EmbeddingTable, Table, TextTable, TimeTable
from aios_workbench.drift.plan import Plan
from aios_workbench.drift.tables import CountTable, Grid, NumberTable
from aios_workbench.errors import CorruptProfileError, DriftError, NotFoundError

if TYPE_CHECKING:
    from aios_workbench.drift.profiles import Profile

FORMAT, VERSION = b"aios-drift-profile", 1
#: A larger file, or one that unpacks to more, is no profile.
_LARGEST = 2**30
_SORTS: dict[str, type[Any]] = {
    "numbers": NumberTable, "counts": CountTable, "times": TimeTable, "texts": TextTable,
    "vectors": EmbeddingTable,
}  # fmt: skip
_NAMES = {sort: name for name, sort in _SORTS.items()}
_DTYPES = ("<i8", "<f8")


def save(profile: Profile, path: Path) -> Path:
    """Write a profile; see `Profile.save`."""
    arrays: list[bytes] = []
    content = {
        "name": profile.name, "plan": profile.plan.model_dump(mode="json"), "types": profile.types,
        "sizes": profile.sizes, "by": profile.by, "raw": profile.raw, "notes": list(profile.notes),
        "tables": {
            w: {c: _packed(t, arrays) for c, t in part.items()} for w, part in profile.tables.items()
        },
    }  # fmt: skip
    text = json.dumps(content).encode()
    body = zlib.compress(struct.pack("<Q", len(text)) + text + b"".join(arrays), 6)
    head = FORMAT + b" %d\n" % VERSION + hashlib.sha256(body).hexdigest().encode() + b"\n"
    write_whole(path, head + body, DriftError)
    return path


def load(path: Path) -> dict[str, Any]:
    """Read the fields of a profile; see `load_profile`."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= _LARGEST else b""
    except FileNotFoundError:
        raise NotFoundError(f"there is no profile {str(path)!r}; save one with profile.save(path)") from None
    except OSError as e:
        raise DriftError(f"the profile {path} cannot be read: {e.strerror or e}") from e
    head, _, rest = data[:200].partition(b"\n")
    kind, _, version = head.rpartition(b" ")
    if kind != FORMAT or not version.isdigit():
        raise CorruptProfileError(f"{path} is no drift profile; save one with profile.save(path)")
    if int(version) > VERSION:
        raise CorruptProfileError(
            f"{path} was written by a newer version (format {int(version)}, this one reads {VERSION}); update "
            "aios-workbench, or make the profile again"
        )
    seal, rest_of = rest[:64], data[len(head) + 66 :]
    if hashlib.sha256(rest_of).hexdigest().encode() != seal:
        raise CorruptProfileError(
            f"{path} is damaged or was changed: its checksum does not match; make the profile again"
        )
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(rest_of, _LARGEST)
        found = None if unpacker.unconsumed_tail else _read(body)
    except Exception as e:
        raise CorruptProfileError(
            f"{path} is no whole drift profile ({type(e).__name__}: {str(e)[:200]}); make the profile again"
        ) from e
    if found is None:
        raise CorruptProfileError(f"{path} unpacks to more than any profile; it is not read")
    return found


def _read(body: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<Q", body)
    content = json.loads(body[8 : 8 + length])
    arrays = memoryview(body)[8 + length :]
    plan = Plan.model_validate(content["plan"])
    tables: dict[str, dict[str, Table]] = {
        w: {c: _unpacked(t, arrays) for c, t in part.items()} for w, part in content["tables"].items()
    }
    sizes = {w: int(n) for w, n in content["sizes"].items()}
    if tables.keys() != sizes.keys():
        raise ValueError("windows and their sizes differ")
    return {
        "name": str(content["name"]), "plan": plan, "sizes": sizes,
        "types": {c: str(t) for c, t in content["types"].items()},
        "tables": tables, "by": content["by"], "raw": bool(content["raw"]), "stored": True,
        "notes": tuple(content["notes"]),
    }  # fmt: skip


def _packed(value: Any, arrays: list[bytes]) -> Any:
    """Return JSON of a table; arrays are appended and named by where they begin."""
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value, "<f8" if value.dtype.kind == "f" else "<i8")
        start = sum(map(len, arrays))
        arrays.append(data.tobytes())
        return {"dtype": data.dtype.str, "shape": list(data.shape), "at": start}
    if isinstance(value, Grid):
        return {"centre": value.centre, "scale": value.scale, "atoms": list(value.atoms)}
    if type(value) in _NAMES:
        parts = {f.name: _packed(getattr(value, f.name), arrays) for f in fields(value)}
        return {"sort": _NAMES[type(value)], **parts}
    if isinstance(value, tuple):
        return [_packed(v, arrays) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _unpacked(content: dict[str, Any], arrays: memoryview) -> Any:
    sort = _SORTS[content["sort"]]
    found: dict[str, Any] = {}
    for f in fields(sort):
        value = content[f.name]
        if isinstance(value, dict) and "dtype" in value:
            value = _array(value, arrays)
        elif isinstance(value, dict) and "sort" in value:
            value = _unpacked(value, arrays)
        elif isinstance(value, dict):
            value = Grid(
                float(value["centre"]), float(value["scale"]), tuple(float(a) for a in value["atoms"])
            )
        elif isinstance(value, list):
            value = tuple(value)
        found[f.name] = value
    return sort(**found)


def _array(told: dict[str, Any], arrays: memoryview) -> Any:
    if told["dtype"] not in _DTYPES:
        raise ValueError(f"no array of {told['dtype']!r} is in a profile")
    shape = tuple(int(n) for n in told["shape"])
    size, at = 8 * int(np.prod(shape, dtype=np.int64)), int(told["at"])
    if at < 0 or size < 0 or at + size > len(arrays):
        raise ValueError("an array lies outside of the file")
    found = np.frombuffer(arrays[at : at + size], told["dtype"]).reshape(shape)
    return found.astype(found.dtype.newbyteorder("="))
