"""Files that are whole or not there, and JSON that every reader takes: what several packages need alike."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import uuid
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError


def write_whole(path: Path, content: bytes | str, error: type[AiosError] = AiosError) -> None:
    """Put content in a file's place in one step: whoever looks finds the old one whole or the new one whole.

    Raises
    ------
    AiosError
        Of the type `error`, when it cannot be written; what was there before is as it was.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "deep" / "a.txt"
    >>> write_whole(path, "all of it")
    >>> path.read_text()
    'all of it'
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        why = "no space left" if e.errno in (errno.ENOSPC, errno.EDQUOT) else (e.strerror or str(e))
        raise error(
            f"{path} cannot be written: {why}; what was there before is as it was. Free some space, or save it "
            "elsewhere"
        ) from e


def sealed(content: Any) -> str:
    """Return the checksum of JSON-able content: 64 hex digits, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return the same with infinities and NaN as text: `pydantic` reads those back as numbers.

    Examples
    --------
    >>> plain({"psi": [1.0, float("inf")]})
    {'psi': [1.0, 'Infinity']}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def strict(content: Any) -> str:
    """Return JSON that every reader takes: no NaN, and lone surrogates, which no file may hold, as text.

    Raises
    ------
    ValueError
        When a number in it is none JSON knows.
    """
    return (
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace").decode()
    )
