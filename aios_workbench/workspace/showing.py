"""What a value that is stored as a pickle leaves behind to be looked at: nobody unpickles it for a look.

Made once, when the value is stored: a picture of a figure, a model's parameters, a table of what is nearly one.
Libraries are recognised by the names of their modules and never imported for it. Whatever goes wrong or takes
too long here leaves no preview; it never fails the step.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import json
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 5.0
MAX_BYTES = 4_000_000
MAX_SIDE = 1600
#: A data frame larger than this leaves no second copy to be paged through.
MAX_TABLE_CELLS = 20_000_000

MODEL = "application/vnd.aios.model+json"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)  # fmt: skip
_OWN_VIEWS = (
    ("_repr_png_", "image/png"), ("_repr_jpeg_", "image/jpeg"), ("_repr_svg_", "image/svg+xml"),
    ("_repr_markdown_", "text/markdown"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or document; or a Parquet file, then `columns` says what was in it."""

    mime: str
    data: bytes
    width: int | None = None
    height: int | None = None
    columns: list[dict[str, str]] | None = None
    rows: int = 0


def show(value: Any) -> Shown | None:
    """Return what a value shows of itself, None when there is nothing, or it fails, or takes over five seconds.

    Examples
    --------
    >>> show(b"GIF89a").mime
    'image/gif'
    >>> show(object()) is None
    True
    """
    maker = _maker(value)
    if maker is None:
        return None
    found: list[Shown | None] = []

    def make() -> None:
        with contextlib.suppress(Exception):
            found.append(maker(value))

    # a thread, so that a drawing that hangs costs seconds and not the step; in the step's context, for its logs
    thread = threading.Thread(target=contextvars.copy_context().run, args=(make,), daemon=True)
    thread.start()
    thread.join(SECONDS)
    shown = found[0] if found else None
    return (
        shown if shown is not None and (shown.columns is not None or len(shown.data) <= MAX_BYTES) else None
    )


def has_html(value: Any) -> bool:
    """True for what would show itself as HTML, which is never kept."""
    return hasattr(type(value), "_repr_html_")


def _maker(value: Any) -> Callable[[Any], Shown | None] | None:
    kind = type(value)
    if kind in (bytes, bytearray):
        return _file
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    for root, method, maker in _LIBRARIES:
        if root in roots and hasattr(kind, method):
            return maker
    if not isinstance(value, type) and hasattr(kind, "get_params") and hasattr(kind, "fit"):
        return _model
    if any(hasattr(kind, name) for name, _ in _OWN_VIEWS):
        return _own_view
    return None


def _file(value: bytes | bytearray) -> Shown | None:
    data = bytes(value)
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return Shown(mime, data, *(_png_size(data) if mime == "image/png" else (None, None)))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Shown("image/webp", data)
    try:
        text = data[:MAX_BYTES].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return Shown("image/svg+xml" if text.lstrip().startswith("<svg") else "text/plain", text.encode())


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _figure(value: Any) -> Shown | None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = value if hasattr(value, "savefig") and not hasattr(value, "figure") else value.figure
    figure = figure if figure is not None and hasattr(figure, "savefig") else value
    width, height = figure.get_size_inches()
    before, buffer = figure.canvas, io.BytesIO()
    try:
        FigureCanvasAgg(figure)  # no window, whatever the step's backend is
        figure.savefig(buffer, format="png", dpi=min(144.0, MAX_SIDE / width, MAX_SIDE / height))
    finally:
        figure.set_canvas(before)
    data = buffer.getvalue()
    return Shown("image/png", data, *_png_size(data))


def _image(value: Any) -> Shown | None:
    width, height = value.size
    small = value.copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    if small.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"):
        small = small.convert("RGB")
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return Shown("image/png", buffer.getvalue(), width, height)


def _plotly(value: Any) -> Shown | None:
    return Shown("application/vnd.plotly.v1+json", value.to_json().encode())


def _altair(value: Any) -> Shown | None:
    return Shown("application/vnd.vegalite.v5+json", json.dumps(value.to_dict()).encode())


def _own_view(value: Any) -> Shown | None:
    for name, mime in _OWN_VIEWS:
        method = getattr(value, name, None)
        found = method() if method is not None else None
        found = found[0] if isinstance(found, tuple) else found  # (data, metadata) is allowed
        if isinstance(found, str) and not mime.startswith(("image/png", "image/jpeg")):
            return Shown(mime, found.encode("utf-8", "replace"))
        if isinstance(found, (bytes, bytearray)):
            data = bytes(found)
            return Shown(mime, data, *(_png_size(data) if mime == "image/png" else (None, None)))
    return None


def _model(value: Any) -> Shown | None:
    """A model as its parameters and what fitting added: names, types and shapes."""
    return Shown(MODEL, json.dumps(_described(value), allow_nan=False).encode())


def _described(value: Any, depth: int = 0) -> dict[str, Any]:
    names = getattr(value, "feature_names_in_", None)
    features = getattr(value, "n_features_in_", None)
    parameters = value.get_params(deep=False)
    parts = [(n, p) for n, p, *_ in parameters.pop("steps", None) or ()] if depth < 3 else []
    return {
        "class": f"{type(value).__module__}.{type(value).__qualname__}",
        "parameters": {str(n): _brief(p) for n, p in parameters.items()},
        "fitted": [
            {
                "name": n,
                "type": type(a).__name__,
                "shape": _shape(a),
                "value": _brief(a) if _is_single(a) else None,
            }
            for n, a in sorted(vars(value).items())
            if n.endswith("_") and not n.startswith("_")
        ],
        "features": int(features) if features is not None else None,
        "feature_names": [str(n) for n in names[:500]] if names is not None else None,
        "steps": [{"name": str(n), **_described(p, depth + 1)} for n, p in parts if hasattr(p, "get_params")],
    }


def _brief(value: Any) -> str:
    text = repr(value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value)
    return text if len(text) <= 200 else text[:199] + "…"


def _shape(value: Any) -> list[int] | None:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        return list(shape)
    return [len(value)] if isinstance(value, (list, tuple, dict)) else None


def _is_single(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool)) or getattr(value, "shape", None) == ()


def _table(value: Any) -> Shown | None:
    """What is nearly a table as one: columns Parquet does not have as text, labels as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if hasattr(value, "to_arrow"):  # polars
        table, names = value.to_arrow(), [str(c) for c in value.columns]
        kinds = [str(t) for t in value.dtypes]
    elif isinstance(value, pa.Table):
        table, names, kinds = value, list(value.column_names), [str(f.type) for f in value.schema]
    else:
        frame = (
            value.to_frame(name=value.name if value.name is not None else "value")
            if value.ndim == 1
            else value
        )
        if frame.size > MAX_TABLE_CELLS:
            return None
        if type(frame.index).__name__ != "RangeIndex":
            taken = {str(c) for c in frame.columns}
            labels = [str(n) if n is not None else f"index {i}" for i, n in enumerate(frame.index.names)]
            frame = frame.set_axis([str(c) for c in frame.columns], axis=1).reset_index(
                names=[n if n not in taken else f"{n} (index)" for n in labels]
            )
        kinds = [str(t) for t in frame.dtypes]
        names = [" / ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
        table = pa.table(
            [_column(frame.iloc[:, i]) for i in range(frame.shape[1])],
            names=list(map(str, range(len(names)))),
        )
    if table.num_rows * table.num_columns > MAX_TABLE_CELLS:
        return None
    unique = _unique(names)
    sink = pa.BufferOutputStream()
    pq.write_table(table.rename_columns(unique), sink, compression="zstd")
    described = [{"name": n, "type": k} for n, k in zip(unique, kinds, strict=True)]
    return Shown("table", sink.getvalue().to_pybytes(), columns=described, rows=table.num_rows)


def _column(series: Any) -> Any:
    import pyarrow as pa

    try:
        found = pa.array(series, from_pandas=True)
        return found.storage if isinstance(found, pa.ExtensionArray) else found
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([None if v is None else str(v).encode("utf-8", "replace").decode() for v in series])


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        label = name
        while label in seen:
            seen[name] += 1
            label = f"{name} ({seen[name]})"
        seen.setdefault(label, 1)
        found.append(label)
    return found


#: By the root of a type's module, and a method only the right types have.
_LIBRARIES: tuple[tuple[str, str, Callable[[Any], Shown | None]], ...] = (
    ("matplotlib", "savefig", _figure),
    ("matplotlib", "get_figure", _figure),
    ("seaborn", "savefig", _figure),
    ("PIL", "thumbnail", _image),
    ("plotly", "to_plotly_json", _plotly),
    ("altair", "to_dict", _altair),
    ("pandas", "to_frame", _table),
    ("pandas", "to_parquet", _table),
    ("polars", "to_arrow", _table),
    ("pyarrow", "to_pandas", _table),
)
