"""Explanations as files, and what leaves one before it is stored.

A ``.json`` file holds everything as text that any program reads. Any other name gets a ZIP: the same JSON without
numbers, each array as ``.npy``, the rows as Parquet; smaller and read faster. Both name their format and version and
carry checksums. Without `raw` neither holds a value of a row: no rows, no labels, no extreme values, no categories. The
contributions are kept: of a model that is known, they can tell something of a row, so they are as confidential as its
predictions. Personal data in raw rows is replaced by pseudonyms (`govern.redact`), unless `redact` is False. The
columns of explained texts are their words, which are kept too: give `redact` where they are secret.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aios_workbench import _hooks
from aios_workbench._util import plain, sealed, strict, write_whole
from aios_workbench.errors import AiosError, CorruptExplanationError, ExplainError, NotFoundError
from aios_workbench.explain.arrays import Arrays, fit
from aios_workbench.explain.models import Column, ExplanationData
from aios_workbench.explain.names import number_of, value_text

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation

#: Cleans a text, or a frame of raw rows: ``lambda x: govern.redact(x).data``. None replaces personal data in raw rows,
#: False leaves them as they are.
Redact = Callable[[Any], Any] | Literal[False] | None

FORMAT, VERSION = "aios-explanation", 1
#: Quantiles of fewer background rows have fewer than ten rows beyond the outermost.
_ROWS_BEYOND = 200
_LARGEST = 4 << 30
_MOST_FILES = 64
_REMEDY = "Make it again with explanation.save(path)"


# -- what leaves an explanation before it is stored


def without_raw(explanation: Explanation, redact: Redact = None) -> Explanation:
    """Return it without rows and single values: what is left are figures, contributions, and names of columns.

    `redact` cleans every text that is left.
    """
    data = explanation.data
    columns = [_bare(c, data.method.background) for c in data.columns]
    update: dict[str, Any] = {"columns": columns}
    return replace(
        explanation, data=_cleaned(data.model_copy(update=update), redact), frame=None, live=None, extra={}
    )


def _bare(column: Column, background: int) -> Column:
    update: dict[str, Any] = {"low": None, "high": None}
    if background < _ROWS_BEYOND or column.kind == "text":
        update["quantiles"] = None
    if column.kind in ("categorical", "text"):
        update |= {"values": [], "more": column.more + len(column.values)}
    return column.model_copy(update=update)


def _cleaned(data: ExplanationData, redact: Redact) -> ExplanationData:
    if not redact:
        return data
    skip = {
        "id",
        "name",
        "kind",
        "level",
        "data_hash",
        "background_hash",
        "fingerprint",
        "stopped",
        "task",
        "scale",
    }

    def clean(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: clean(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [clean(v, key) for v in value]
        return str(redact(value)) if isinstance(value, str) and key not in skip else value

    content = clean(data.model_dump(mode="json"))
    content["method"]["name"], content["subject"] = data.method.name, data.subject
    content["name"] = str(redact(data.name))
    names = {c.name: str(redact(c.name)) for c in data.columns}
    for column in content["columns"]:
        column["name"] = names[column["name"]]
    return ExplanationData.model_validate(content)


# -- JSON


def to_dict(explanation: Explanation, *, raw: bool = False, redact: Redact = None) -> dict[str, Any]:
    """Return a JSON-able dict: `explanation`, `arrays` and their `shapes` by name, and with `raw` the `rows`.

    Infinities and NaN are text. `redact` takes a text or a frame and returns it cleaned.
    """
    shown = prepared(explanation, raw=raw, redact=redact)
    arrays = {f.name: getattr(shown.arrays, f.name) for f in fields(Arrays)}
    arrays = {name: found for name, found in arrays.items() if found is not None}
    content: dict[str, Any] = {
        "explanation": plain(shown.data.model_dump(mode="json")),
        "arrays": {name: plain(found.tolist()) for name, found in arrays.items()},
        "shapes": {name: list(found.shape) for name, found in arrays.items()},  # lists forget that of nothing
    }
    if raw and shown.frame is not None:
        content["rows"] = {
            "labels": [value_text(i) for i in shown.frame.index],
            "columns": [_cells(shown.frame.iloc[:, j]) for j in range(shown.frame.shape[1])],
        }
    return {"format": FORMAT, "version": VERSION, "sha256": sealed(content), **content}


def dumps(explanation: Explanation, *, raw: bool = False, redact: Redact = None) -> str:
    """Return `to_dict` as text."""
    return strict(to_dict(explanation, raw=raw, redact=redact)) + "\n"


def prepared(explanation: Explanation, *, raw: bool = False, redact: Redact = None) -> Explanation:
    """Return what may leave of it: nothing of single rows, or with `raw` those without personal data."""
    if not raw:
        return without_raw(explanation, redact)
    if redact is None:
        return _without_personal(explanation)
    frame = explanation.frame
    if redact and frame is not None:
        frame = redact(frame)
    return replace(explanation, data=_cleaned(explanation.data, redact), frame=frame)


def _without_personal(explanation: Explanation) -> Explanation:
    """Replace personal data among the values; names of columns and what is said of them are left."""
    import pandas as pd

    frame, lost = explanation.frame, set()
    if frame is not None:
        clean, parts = _hooks.redact(frame), []
        for j, type_ in enumerate(frame.dtypes):
            part = clean.iloc[:, j]
            if pd.api.types.is_numeric_dtype(type_) and not pd.api.types.is_numeric_dtype(part.dtype):
                part = pd.to_numeric(
                    part, errors="coerce"
                )  # a column of numbers stays one: it is drawn as such
                lost.add(j)
            parts.append(part)
        clean = pd.concat(parts, axis=1) if parts else clean
        clean.columns = frame.columns
        frame = clean
    nothing = {"low": None, "high": None, "quantiles": None}
    columns = [
        c.model_copy(
            update={"values": [str(_hooks.redact(v)) for v in c.values], **(nothing if j in lost else {})}
        )
        for j, c in enumerate(explanation.data.columns)
    ]
    return replace(explanation, data=explanation.data.model_copy(update={"columns": columns}), frame=frame)


def _cells(values: pd.Series) -> list[Any]:
    import pandas as pd

    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return [None if pd.isna(v) else number_of(v) for v in values]
    return [None if pd.api.types.is_scalar(v) and pd.isna(v) else value_text(v) for v in values]


# -- ZIP


def packed(explanation: Explanation, *, raw: bool = False, redact: Redact = None) -> bytes:
    """Return an explanation as a ZIP."""
    shown = prepared(explanation, raw=raw, redact=redact)
    parts: dict[str, bytes] = {}
    for f in fields(Arrays):
        found = getattr(shown.arrays, f.name)
        if found is not None:
            held = io.BytesIO()
            np.save(held, found, allow_pickle=False)
            parts[f"{f.name}.npy"] = held.getvalue()
    if raw and shown.frame is not None:
        parts["rows.parquet"] = _parquet(shown.frame)
    content = {
        "explanation": plain(shown.data.model_dump(mode="json")),
        "files": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    head = strict({"format": FORMAT, "version": VERSION, "sha256": sealed(content), **content})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as file:
        for name, part in {"explanation.json": head.encode(), **parts}.items():
            # the same explanation is the same file, whenever it is written
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _parquet(frame: pd.DataFrame) -> bytes:
    # columns by place: names may be alike, empty, or no text
    told = frame.set_axis([f"c{j}" for j in range(frame.shape[1])], axis=1)
    told = told.set_axis([value_text(i) for i in frame.index], axis=0).rename_axis("label").reset_index()
    try:
        return bytes(told.to_parquet(index=False))
    except (
        ValueError,
        TypeError,
    ):  # pyarrow's errors are of these: a column of mixed types has none of its own
        mixed = told.select_dtypes(include=["object"]).columns
        return bytes(told.astype(dict.fromkeys(mixed, "str")).to_parquet(index=False))


# -- files


def save(explanation: Explanation, path: str | Path, *, raw: bool = False, redact: Redact = None) -> Path:
    """Write it to a file: JSON where the name ends in ``.json``, else a ZIP.

    Raises
    ------
    ExplainError
        When it cannot be written; a file that was there before is as it was.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() == ".json":
        write_text(path, dumps(explanation, raw=raw, redact=redact))
    else:
        write_whole(path, packed(explanation, raw=raw, redact=redact), ExplainError)
    return path


def write_text(path: Path, text: str) -> None:
    """Write a file that is whole or not there.

    Raises
    ------
    ExplainError
        When it cannot be written; a file that was there before is as it was.
    """
    write_whole(path, text, ExplainError)


def read(path: Path) -> bytes:
    """Return a file's content.

    Raises
    ------
    NotFoundError
        When it is not there.
    CorruptExplanationError
        When it cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CorruptExplanationError(f"{path} is larger than any explanation; it is not read")
        return path.read_bytes()
    except FileNotFoundError as e:
        raise NotFoundError(f"there is no file {path}; check the path") from e
    except OSError as e:
        raise CorruptExplanationError(f"{path} cannot be read: {e.strerror or e}") from e


def loads(content: bytes, where: str) -> tuple[ExplanationData, Arrays, pd.DataFrame | None]:
    """Read what `dumps` or `packed` wrote.

    Raises
    ------
    CorruptExplanationError
        When it is something else, damaged, or of a newer version.
    """
    try:
        found = _unpacked(content, where) if content[:2] == b"PK" else _parsed(content, where)
        fit(found[1], len(found[0].columns), len(found[0].outputs))
        return found
    except CorruptExplanationError:
        raise
    # whatever a damaged file makes json, zipfile, numpy, pandas and pydantic say
    except (AiosError, ValueError, KeyError, TypeError, OSError, RecursionError, zipfile.BadZipFile) as e:
        first = str(e).splitlines()[0][:200] if str(e) else type(e).__name__
        raise CorruptExplanationError(f"{where} holds no explanation ({first}). {_REMEDY}") from e


def _opened(text: bytes, where: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise CorruptExplanationError(f"{where} is not a file of format {FORMAT}. {_REMEDY}")
    if found.get("version") != VERSION:
        raise CorruptExplanationError(
            f"{where} has version {found.get('version')!r} of its format, this aios-workbench reads {VERSION}; upgrade "
            "aios-workbench, or make it again"
        )
    content = {k: v for k, v in found.items() if k not in ("format", "version", "sha256")}
    if sealed(content) != found.get("sha256"):
        raise CorruptExplanationError(
            f"{where} was changed or cut short after it was written: its checksum is wrong. {_REMEDY}"
        )
    return content


def _parsed(content: bytes, where: str) -> tuple[ExplanationData, Arrays, pd.DataFrame | None]:
    found = _opened(content, where)
    data = ExplanationData.model_validate(found["explanation"])
    given: dict[str, Any] = {
        k: np.asarray(v, np.int64 if k == "lime_rows" else np.float64).reshape(found["shapes"][k])
        for k, v in found["arrays"].items()
    }
    return data, Arrays(**given), _frame(found.get("rows"), data)


def _frame(rows: dict[str, Any] | None, data: ExplanationData) -> pd.DataFrame | None:
    import pandas as pd

    if rows is None:
        return None
    made = {}
    for j, column in enumerate(data.columns):
        cells = pd.Series(rows["columns"][j], dtype=object)
        if column.kind == "datetime":
            cells = pd.to_datetime(
                cells, format="ISO8601", utc=any(str(c).endswith(("Z", "+00:00")) for c in cells)
            )
        elif column.kind in ("numeric", "boolean") and all(
            c is None or isinstance(c, (int, float)) for c in cells
        ):
            cells = pd.to_numeric(cells)
            if column.kind == "boolean" and not cells.isna().any():
                cells = cells.astype(bool)
            elif column.whole and not cells.isna().any():
                cells = cells.astype("int64")
        made[j] = cells
    frame = pd.DataFrame(made, index=None)
    return frame.set_axis([c.name for c in data.columns], axis=1).set_axis(rows["labels"], axis=0)


def _unpacked(content: bytes, where: str) -> tuple[ExplanationData, Arrays, pd.DataFrame | None]:
    import pandas as pd

    with zipfile.ZipFile(io.BytesIO(content)) as file:
        infos = file.infolist()
        if len(infos) > _MOST_FILES or sum(i.file_size for i in infos) > _LARGEST:
            raise CorruptExplanationError(f"{where} unpacks to more than any explanation; it is not read")
        found = _opened(file.read("explanation.json"), where)
        parts = {}
        for name, digest in found["files"].items():
            part = file.read(name)
            if hashlib.sha256(part).hexdigest() != digest:
                raise CorruptExplanationError(
                    f"{name} in {where} is damaged: its checksum is wrong. {_REMEDY}"
                )
            parts[name] = part
    data = ExplanationData.model_validate(found["explanation"])
    arrays: dict[str, Any] = {
        name.removesuffix(".npy"): np.load(io.BytesIO(part), allow_pickle=False)
        for name, part in parts.items()
        if name.endswith(".npy")
    }
    frame = None
    if "rows.parquet" in parts:
        frame = pd.read_parquet(io.BytesIO(parts["rows.parquet"])).set_index("label").rename_axis(None)
        frame = frame.set_axis([c.name for c in data.columns], axis=1)
    return data, Arrays(**arrays), frame
