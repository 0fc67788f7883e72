"""A look at a stored value without loading it: what the screens show."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

from aios_workbench.errors import AiosError, CorruptArtifactError, ParameterError
from aios_workbench.workspace.artifacts import Artifact, decode
from aios_workbench.workspace.home import Workspace

MAX_ROWS = 1000
MAX_CELL = 500
MAX_TEXT = 100_000


def preview(ws: Workspace, artifact: Artifact, offset: int = 0, limit: int = 50) -> dict[str, Any]:
    """Return a JSON-able look at an artifact.

    Parameters
    ----------
    offset, limit : int
        Which rows of a data frame or array; at most 1,000 at a time.

    Returns
    -------
    dict
        ``kind, type, shape, bytes, hash, columns [{name, type}], rows [[…]], total, text, truncated``. Data
        frames and two-dimensional arrays have rows, everything else has text.

    Raises
    ------
    ParameterError
        For an offset or limit that is not a whole number in range.
    """
    if type(offset) is not int or type(limit) is not int or offset < 0 or not 0 < limit <= MAX_ROWS:
        raise ParameterError(
            f"a preview takes offset >= 0 and 1 <= limit <= {MAX_ROWS}, not {offset!r} and {limit!r}"
        )
    out: dict[str, Any] = {
        "kind": artifact.kind, "type": artifact.type,
        "shape": list(artifact.shape) if artifact.shape is not None else None,
        "bytes": artifact.bytes, "hash": artifact.hash, "columns": [], "rows": [], "total": None, "text": None,
        "truncated": False,
    }  # fmt: skip
    if artifact.kind == "parquet":
        _frame(ws, artifact, offset, limit, out)
    elif artifact.kind == "npy":
        _array(ws, artifact, offset, limit, out)
    elif artifact.kind == "json":
        _text(out, json.dumps(decode("json", ws.artifacts.read(artifact)), indent=2, ensure_ascii=False))
    else:
        _text(out, str(artifact.meta.get("preview", artifact.type)))
    return out


def _text(out: dict[str, Any], text: str) -> None:
    out["text"], out["truncated"] = text[:MAX_TEXT], len(text) > MAX_TEXT


def _frame(ws: Workspace, artifact: Artifact, offset: int, limit: int, out: dict[str, Any]) -> None:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = ws.artifacts.path(artifact)
    kinds = {c["name"]: c["type"] for c in artifact.meta.get("columns", [])}
    try:
        names = pq.read_schema(path).names  # DuckDB renames what differs in case only
        quoted = str(path).replace("'", "''")
        with duckdb.connect() as con:
            try:
                found = con.execute(f"select * from read_parquet('{quoted}') limit {limit} offset {offset}")  # noqa: S608
                rows = found.fetchall()
            except duckdb.Error:  # a type DuckDB does not read
                table = pq.read_table(path).slice(offset, limit)
                rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    except (pa.ArrowException, OSError) as e:
        raise _damaged(ws, artifact) from e
    out["total"] = artifact.shape[0] if artifact.shape else None
    out["columns"] = [{"name": n, "type": kinds.get(n, "index")} for n in names]
    out["rows"] = [[_cell(v) for v in row] for row in rows]


def _damaged(ws: Workspace, artifact: Artifact) -> Exception:
    try:
        ws.artifacts.read(artifact)
    except AiosError as e:
        return e
    return CorruptArtifactError(
        f"artifact {artifact.hash[:12]} ({artifact.type}) cannot be read; rerun its step"
    )


def _array(ws: Workspace, artifact: Artifact, offset: int, limit: int, out: dict[str, Any]) -> None:
    import numpy as np

    try:
        array = np.load(ws.artifacts.path(artifact), mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as e:
        raise _damaged(ws, artifact) from e
    if array.ndim not in (1, 2):
        _text(out, np.array2string(np.asarray(array), threshold=200, edgeitems=3))
        return
    part = np.asarray(array[offset : offset + limit])
    part = (part if part.ndim == 2 else part[:, None])[:, :100]
    out["total"] = int(array.shape[0])
    out["columns"] = [{"name": str(i), "type": str(array.dtype)} for i in range(part.shape[1])]
    out["rows"] = [[_cell(v) for v in row] for row in part.tolist()]
    out["truncated"] = array.ndim == 2 and array.shape[1] > 100


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return (
            value
            if math.isfinite(value)
            else ("NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity")
        )
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
