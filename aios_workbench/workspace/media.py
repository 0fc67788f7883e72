"""Pictures and documents: what a stored value shows of itself, without loading it."""

from __future__ import annotations

import base64
import json

from aios_workbench.errors import ConflictError
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.encoding import decode
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.models import Media
from aios_workbench.workspace.png import pixels, png
from aios_workbench.workspace.source import open_array

MAX_TEXT = 500_000

_LEAST_SIDE = 8  # a smaller matrix of bytes is more likely a table

_HTML = "its HTML view is not shown: it could act with your rights; see it in a cell with .output"


def media(ws: Workspace, artifact: Artifact) -> Media:
    """Return a stored value as a picture or a document.

    Nothing is unpickled: what a figure, an image or a model shows was made when it was stored. SVG comes as text;
    a page must show it as ``<img src="data:image/svg+xml,…">`` only, because inside the page its scripts would
    run. HTML is never handed out: it could act with the rights of whoever looks at it.

    Raises
    ------
    ConflictError
        When the value is a data frame, which is a table.
    CorruptArtifactError, NotFoundError
        When it is damaged or gone.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench.workspace import workspace
    >>> shown = media(workspace(), workspace().artifacts.put(np.zeros((4, 6, 3), "uint8")))
    >>> shown.mime, shown.width, shown.height
    ('image/png', 6, 4)
    """
    shown = artifact.shown
    if artifact.kind == "parquet" or (shown is not None and shown.kind == "parquet"):
        raise ConflictError("this output is a data frame; look at it with .table() or .profile()")
    if artifact.kind == "npy":
        return _array(ws, artifact)
    if artifact.kind == "json":
        value = decode("json", ws.artifacts.read(artifact))
        if isinstance(value, str):
            return _text(value, "image/svg+xml" if value.lstrip().startswith("<svg") else "text/plain")
        return _text(json.dumps(value, indent=2, ensure_ascii=False), "application/json")
    if shown is None:
        note = _HTML if artifact.meta.get("html") else ""
        return _text(str(artifact.meta.get("preview") or artifact.type), "text/plain", note)
    data, size = ws.artifacts.read(shown), shown.meta
    if shown.type.startswith("image/") and shown.type != "image/svg+xml":
        encoded = base64.b64encode(data).decode()
        return Media(mime=shown.type, data=encoded, width=size["width"], height=size["height"])
    return Media(mime=shown.type, data=data.decode("utf-8", "replace"))


def media_type(artifact: Artifact) -> str | None:
    """Return the MIME type `media` would answer with, as far as the description tells; None for what is a table."""
    if artifact.kind == "npy":
        shape = artifact.shape or ()
        drawn = (
            len(shape) == 2 and min(shape) >= _LEAST_SIDE and artifact.meta.get("dtype") in ("uint8", "bool")
        )
        return "image/png" if drawn else None if len(shape) in (1, 2) else "text/plain"
    if artifact.kind == "json":
        return "text/plain" if artifact.type == "str" else "application/json"
    if artifact.shown is not None:
        return artifact.shown.type if artifact.shown.kind == "media" else None
    return None if artifact.kind == "parquet" else "text/plain"


def _array(ws: Workspace, artifact: Artifact) -> Media:
    import numpy as np

    array = open_array(ws, artifact)
    image = pixels(array)
    if image is None:
        shown = np.array2string(np.asarray(array), threshold=200, edgeitems=3)
        return _text(f"{array.dtype}, shape {tuple(array.shape)}\n{shown}", "text/plain")
    height, width = (int(n) for n in array.shape[:2])
    thinned = -(-max(height, width) // max(image.shape[:2]))
    note = f"shown at 1/{thinned} of its size" if thinned > 1 else ""
    return Media(
        mime="image/png", data=base64.b64encode(png(image)).decode(), width=width, height=height, note=note
    )


def _text(text: str, mime: str, note: str = "") -> Media:
    if len(text) <= MAX_TEXT:
        return Media(mime=mime, data=text, note=note)
    return Media(
        mime="text/plain", data=text[:MAX_TEXT], note=f"the first {MAX_TEXT:,} of {len(text):,} characters"
    )
