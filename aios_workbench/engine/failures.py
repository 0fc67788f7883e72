"""Exceptions as data: what another process, or a screen, can show without the class."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Mapping
from types import CodeType, TracebackType
from typing import Any

from aios_workbench.errors import BudgetExceeded
from aios_workbench.workflow import StepSpec, error_name, hooks

#: An error is stored with its step and shown whole: frames, characters a line, characters of all cells together.
_FRAMES, _LINE, _CELLS, _BRIEF = 60, 500, 60_000, 300


def describe(
    error: BaseException, step: str, function: Any = None, spec: StepSpec | None = None
) -> dict[str, Any]:
    """Return type, message and the traceback from the user's function on, as text and as data.

    `frames` name file, line, function and text; one that lies in a notebook cell has the number of that cell in
    `cells`, where its label, id and source are kept: the kernel that knows them may be gone when this is read.
    An error that was described where it was raised, in another process, says the same again.
    """
    told: dict[str, Any] | None = getattr(error, "aios_described", None)
    if told is not None:
        return told
    code = getattr(function, "__code__", None)
    tb = _from_user_code(error.__traceback__, code)
    lines = traceback.TracebackException(type(error), error, tb, compact=True).format()
    text = "".join(line[:10_000] for line in lines)
    label = _label(spec)
    if code is not None and label:  # as the notebook's reader knows the place
        text = text.replace(f'File "{code.co_filename}"', label)
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        message = "(the exception could not be printed)"
    frames, cells = _frames(tb, code, spec)
    more = {"budget": error.to_dict()} if isinstance(error, BudgetExceeded) else {}
    return {
        "type": type(error).__name__, "message": message[:10_000], "step": step, "traceback": text[-50_000:],
        "frames": frames, "cells": cells, "classes": [error_name(c) for c in type(error).__mro__[:20]], **more,
    }  # fmt: skip


def _frames(
    tb: TracebackType | None, code: CodeType | None, spec: StepSpec | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the calls from the user's function down to what raised, and the cells they lie in."""
    found = traceback.extract_tb(tb)
    if len(found) > _FRAMES:  # endless recursion: where it began and where it ended
        found[:] = [*found[: _FRAMES // 3], *found[-2 * _FRAMES // 3 :]]
    cells: dict[str, dict[str, Any]] = {}
    left = _CELLS
    frames = []
    for frame in found:
        line = frame.lineno or 0
        if frame.filename not in cells:
            cell = hooks.cell(frame.filename) or _own_cell(frame.filename, code, spec)
            if cell is not None:
                left -= len(cell["source"])
                cells[frame.filename] = {**cell, "source": cell["source"] if left >= 0 else ""}
        cell = cells.get(frame.filename)
        frames.append({
            "file": frame.filename[:_LINE], "line": line, "function": frame.name[:_LINE],
            "text": (frame.line or "").strip()[:_LINE],
            "cell": None if cell is None else list(cells).index(frame.filename),
            "cell_line": None if cell is None else max(line - int(cell.get("start", 0)), 1),
        })  # fmt: skip
    return frames, list(cells.values())


def _own_cell(filename: str, code: CodeType | None, spec: StepSpec | None) -> dict[str, Any] | None:
    """Return what a spec says of its function's cell, in a process that never saw the notebook."""
    label = _label(spec)
    if code is None or spec is None or not label or filename != code.co_filename:
        return None
    # The function's own text: its first line is line 1 of it.
    return {"cell_id": spec.cell_id, "label": label, "source": spec.code, "start": code.co_firstlineno - 1}


def _label(spec: StepSpec | None) -> str:
    place = "" if spec is None else spec.cell.partition(",")[0]
    return place.removeprefix("cell ") if place.startswith("cell In[") else ""


def brief(error: Mapping[str, Any] | None) -> str:
    """Return an error's type and message in a line, cut where it is long.

    Examples
    --------
    >>> brief({"type": "OSError", "message": "no line"})
    'OSError: no line'
    """
    error = error or {}
    text = f"{error.get('type')}: {error.get('message', '')}"
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


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
