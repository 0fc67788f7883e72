"""What of a failed run an alert shows: the cell it failed in, the lines around, the end of its log."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.execution import INJECTED
from aios_workbench.promote.records import bundle_folder, run_folder
from aios_workbench.workspace import Workspace

#: Lines of the log; bytes read of it for them; lines of source before and after the one that failed.
_LOG_LINES, _LOG_BYTES, _AROUND = 15, 16_384, 2
_LINE_LENGTH = 300
_AT_LINE = re.compile(r"Cell In\[[^\]]*\], line (\d+)")
_BEGAN = re.compile(r"^\[[^\]]+\] cell (\d+) \(\d+ of \d+\)$", re.MULTILINE)


@dataclass(frozen=True)
class Excerpt:
    """Where a run failed, as text.

    Attributes
    ----------
    cell, line : int or None
        As counted in the notebook that was promoted, from 1.
    """

    cell: int | None = None
    line: int | None = None
    source: str = ""
    log: str = ""

    @property
    def place(self) -> str:
        """Cell and line in words, "" where they are not known."""
        if self.cell is None:
            return ""
        return f"Cell {self.cell}" + (f", line {self.line}" if self.line is not None else "")


def excerpt(ws: Workspace, run: dict[str, Any], error: dict[str, Any]) -> Excerpt:
    """Return what the files of a run say of its failure; empty where they cannot be read.

    Parameters
    ----------
    run : dict
        A row of `job_runs`.
    error : dict
        What ended it, with `cell` and `traceback` if there are.
    """
    try:
        log = _log(ws, run)
    except OSError:
        log = ""
    trace = str(error.get("traceback") or "").strip()
    began = _BEGAN.findall(log)
    cell = error.get("cell") or (int(began[-1]) if began else None)
    found = _AT_LINE.search(trace)
    line = int(found.group(1)) if found else None
    try:
        source = _source(ws, run, cell, line) if isinstance(cell, int) else ""
    except Exception:  # noqa: BLE001 - whatever is wrong with the bundle, the failure is told
        source = ""
    if trace:  # it is told by itself
        log = log.replace(trace, "[traceback]")
    lines = [text[:_LINE_LENGTH] for text in log.splitlines() if text.strip()]
    return Excerpt(cell, line, source, "\n".join(lines[-_LOG_LINES:]))


def _log(ws: Workspace, run: dict[str, Any]) -> str:
    with (run_folder(ws, run["job_id"], run["job_run_id"]) / "log.txt").open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LOG_BYTES))
        return file.read().decode("utf-8", "replace")


def _source(ws: Workspace, run: dict[str, Any], cell: int, line: int | None) -> str:
    from aios_workbench.promote.notebooks import read_notebook

    book = read_notebook(bundle_folder(ws, run["job_id"], run["version"]) / NOTEBOOK)
    cells = [c for c in book.cells if INJECTED not in c.metadata.get("tags", ())]
    lines = str(cells[cell - 1].source).splitlines()
    middle = (line or 1) - 1
    first, last = max(0, middle - _AROUND), middle + _AROUND + 1
    return "\n".join(
        f"{'→' if number == line else ' '} {number:3}  {text[:_LINE_LENGTH]}"
        for number, text in enumerate(lines[first:last], start=first + 1)
    )
