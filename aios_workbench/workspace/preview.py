"""A look at a stored value without loading it: what the screens show."""

from __future__ import annotations

import json
from typing import Any

from aios_workbench.errors import ParameterError
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.cells import MAX_CELL, cell
from aios_workbench.workspace.encoding import decode
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.media import media_type
from aios_workbench.workspace.paging import page_rows
from aios_workbench.workspace.png import pixels
from aios_workbench.workspace.source import open_array, open_source
from aios_workbench.workspace.tables import MAX_CELLS, shown_cell

__all__ = ["MAX_CELL", "MAX_ROWS", "MAX_TEXT", "preview"]

MAX_ROWS = 1000
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
        ``kind, type, shape, bytes, hash, columns [{name, type}], rows [[…]], total, text, truncated, media``. Data
        frames and arrays of one or two dimensions have rows, everything else has text. `media` is the MIME type
        that `media(ws, artifact)` answers with, null for what is only a table.

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
        "truncated": False, "media": media_type(artifact),
    }  # fmt: skip
    shown = artifact.shown
    if artifact.kind == "parquet" or (shown is not None and shown.kind == "parquet"):
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
    with open_source(ws, artifact) as source:
        limit = max(1, min(limit, MAX_CELLS // max(1, len(source.fields))))
        rows = page_rows(source, None, (), offset, limit, source.rows)
        out["total"] = source.rows
        out["columns"] = [{"name": f.name, "type": f.shown} for f in source.fields]
        out["rows"] = [
            list(map(shown_cell, source.fields, row)) for row in source.values(rows, source.fields)
        ]


def _array(ws: Workspace, artifact: Artifact, offset: int, limit: int, out: dict[str, Any]) -> None:
    import numpy as np

    array = open_array(ws, artifact)
    if array.ndim not in (1, 2):
        out["media"] = "text/plain" if pixels(array) is None else "image/png"
        _text(out, np.array2string(np.asarray(array), threshold=200, edgeitems=3))
        return
    part = np.asarray(array[offset : offset + limit])
    part = (part if part.ndim == 2 else part[:, None])[:, :100]
    out["total"] = int(array.shape[0])
    out["columns"] = [{"name": str(i), "type": str(array.dtype)} for i in range(part.shape[1])]
    out["rows"] = [[cell(v) for v in row] for row in part.tolist()]
    out["truncated"] = array.ndim == 2 and array.shape[1] > 100
