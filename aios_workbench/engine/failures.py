"""Exceptions as data: what another process, or a screen, can show without the class."""

from __future__ import annotations

import linecache
import traceback
from types import CodeType, TracebackType
from typing import Any

from aios_workbench.workflow import StepSpec


def describe(error: BaseException, step: str, function: Any = None, cell: str = "") -> dict[str, Any]:
    """Return type, message and the traceback from the user's function on."""
    code = getattr(function, "__code__", None)
    tb = _from_user_code(error.__traceback__, code)
    lines = traceback.TracebackException(type(error), error, tb, compact=True).format()
    text = "".join(line[:10_000] for line in lines)
    if code is not None and cell.startswith("cell In["):  # as the notebook's reader knows the place
        text = text.replace(
            f'File "{code.co_filename}"', cell.partition(",")[0].capitalize().replace("in[", "In[")
        )
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        message = "(the exception could not be printed)"
    return {
        "type": type(error).__name__, "message": message[:10_000], "step": step,
        "traceback": text[-50_000:],
    }  # fmt: skip


def plain(kind: str, message: str, step: str = "") -> dict[str, Any]:
    """Return an error of ours, which needs no traceback."""
    return {"type": kind, "message": message, "step": step, "traceback": ""}


def _from_user_code(tb: TracebackType | None, code: CodeType | None) -> TracebackType | None:
    """Skip the engine's frames; without the function's own frame, those of this package."""
    first = tb
    while tb is not None:
        if tb.tb_frame.f_code is code:
            return tb
        tb = tb.tb_next
    while first is not None and "/aios_workbench/engine/" in first.tb_frame.f_code.co_filename.replace(
        "\\", "/"
    ):
        first = first.tb_next
    return first


def remember_source(function: Any, spec: StepSpec) -> None:
    """Let tracebacks show the cell's lines in a process that never saw the cell."""
    code = getattr(function, "__code__", None)
    if (
        code is None
        or not spec.code
        or code.co_filename.endswith(".py")
        or linecache.getline(code.co_filename, code.co_firstlineno)
    ):
        return
    known = linecache.cache.get(code.co_filename)
    lines = list(known[2]) if known is not None and len(known) == 4 else []
    start = code.co_firstlineno - 1
    source = spec.code.splitlines(keepends=True)
    lines += ["\n"] * (start + len(source) - len(lines))
    lines[start : start + len(source)] = source
    linecache.cache[code.co_filename] = (sum(map(len, lines)), None, lines, code.co_filename)
