"""How a value becomes bytes and comes back: Parquet, `.npy`, JSON, else a pickle; see `artifacts`."""

from __future__ import annotations

import io
import json
import pickle
import threading
from typing import Any

from aios_workbench.errors import SerializationError
from aios_workbench.workspace.catalog import dumps

#: Held while loading a value or a function imports what it needs. Two threads that import parts of one library
#: for the first time can meet a half-made module: Python breaks the deadlock between them that way.
importing = threading.RLock()

_JSON_LIMIT = 1_000_000


def encode(value: Any) -> tuple[str, str, tuple[int, ...] | None, dict[str, Any], bytes]:
    """Return kind, type name, shape, description and bytes of a value.

    Raises
    ------
    SerializationError
        When not even pickle takes it.
    """
    type_name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if is_plain(value):
        blob = dumps(value).encode()
        if len(blob) <= _JSON_LIMIT:
            shape = (len(value),) if isinstance(value, (list, dict, str)) else None
            return "json", type_name, shape, {}, blob
    root = type(value).__module__.partition(".")[0]
    if root == "pandas" and type_name.endswith(".DataFrame"):
        encoded = _parquet(value)
        if encoded is not None:
            return "parquet", "pandas.DataFrame", tuple(value.shape), encoded[0], encoded[1]
    if root == "numpy" and type_name == "numpy.ndarray" and not value.dtype.hasobject:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return "npy", type_name, tuple(value.shape), {"dtype": str(value.dtype)}, buffer.getvalue()
    import cloudpickle

    try:
        blob = cloudpickle.dumps(value, protocol=5)
    except Exception as e:
        raise SerializationError(
            f"a value of type {type_name} cannot be stored: {type(e).__name__}: {e}. Return plain data (a data "
            "frame, an array, a dict), and open connections, files and locks inside the step that uses them"
        ) from e
    shape = getattr(value, "shape", None)
    sized = isinstance(shape, tuple) and all(isinstance(n, int) for n in shape)
    return (
        "pickle",
        type_name,
        shape if sized else None,
        {"preview": abridged(value, blob) or type_name},
        blob,
    )


def abridged(value: Any, blob: bytes) -> str:
    """Return the beginning of a value's `repr`, as long as the value is small enough to have one."""
    if len(blob) >= 100_000:
        return ""
    try:
        text = repr(value)[:2000]
    except Exception as e:  # noqa: BLE001 - a broken or refusing __repr__ is no reason not to store the value
        return f"(its repr raises {type(e).__name__})"
    return text.encode("utf-8", "replace").decode()


def decode(kind: str, blob: bytes) -> Any:
    """Return the value `encode` was given."""
    if kind == "json":
        return json.loads(blob)
    if kind == "parquet":
        with importing:
            import pyarrow as pa
            import pyarrow.parquet as pq

        return pq.read_table(pa.BufferReader(blob)).to_pandas()
    if kind == "media":
        return blob
    if kind == "npy":
        import numpy as np

        return np.load(io.BytesIO(blob), allow_pickle=False)
    with importing:
        if kind == "list":
            return _unpickled(blob)
        return pickle.loads(blob)  # noqa: S301 - own workspace only, hash verified: see the module's docstring


def _unpickled(blob: bytes) -> list[Any]:
    values: list[Any] = []
    file = io.BytesIO(blob)
    while file.tell() < len(blob):
        values += pickle.load(file)  # noqa: S301 - the same
    return values


def _parquet(frame: Any) -> tuple[dict[str, Any], bytes] | None:
    """Return description and bytes, or None where Parquet would not give the same frame back."""
    columns = frame.columns
    if type(columns).__name__ != "Index" or not columns.is_unique or frame.attrs:
        return None
    if not all(type(c) is str for c in columns):
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pa.Table.from_pandas(frame)
        # Objects (dates, dicts, mixed types) and categories may come back as something else: compare, pickle those.
        if any(t == object or t.name == "category" for t in frame.dtypes) and not _same(table, frame):  # noqa: E721
            return None
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None
    described = [{"name": str(c), "type": str(t)} for c, t in frame.dtypes.items()]
    return {"columns": described}, sink.getvalue().to_pybytes()


def _same(table: Any, frame: Any) -> bool:
    import pyarrow as pa

    for column in table.schema:
        kind = column.type
        if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
            return False
        if not pa.types.is_decimal(kind) or column.name not in frame.columns:
            continue
        if any(v is not None and v.as_tuple().exponent != -kind.scale for v in frame[column.name]):
            return False  # Decimal("2") would come back as Decimal("2.00")
    return bool(table.to_pandas().equals(frame))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_plain(value: Any, depth: int = 0) -> bool:
    """True for what JSON gives back exactly as it was."""
    kind = type(value)
    if kind is str:
        return not any("\ud800" <= c <= "\udfff" for c in value) if len(value) < 10_000 else value.isascii()
    if kind in (int, bool, type(None)):
        return kind is not int or abs(value) < 2**1000
    if kind is float:
        return True
    if depth > 20:
        return False
    if kind is list:
        return len(value) <= 10_000 and all(is_plain(v, depth + 1) for v in value)
    if kind is dict:
        return len(value) <= 10_000 and all(
            type(k) is str and is_plain(k) and is_plain(v, depth + 1) for k, v in value.items()
        )
    return False
