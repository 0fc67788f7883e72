"""Quick fixes, made: into a copy, or into the file with the old one kept beside it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import ConflictError, WorkspaceError
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Edit, Finding
from aios_workbench.promote.checks.report import inspect_book
from aios_workbench.promote.notebooks import parse_source, read_notebook, source_lines

#: a fix may uncover another: an import that nothing uses any more
_ROUNDS = 5


@dataclass(frozen=True)
class Fixed:
    """What was mended.

    Attributes
    ----------
    path : Path
        The file that was written.
    backup : Path or None
        The file as it was, where it was changed in place.
    findings : list of Finding
        What was mended, in order.
    """

    path: Path
    backup: Path | None
    findings: list[Finding]


def fix_notebook(notebook: Path, *, only: Sequence[str] = (), out: Path | None = None) -> Fixed:
    """Make the quick fixes of a notebook.

    Parameters
    ----------
    only : sequence of str
        Ids of the rules whose fixes are made; all by default.
    out : Path, optional
        Write the mended notebook there, and leave the file as it is.

    Returns
    -------
    Fixed
        `findings` is empty, and nothing is written, when there was nothing to mend.

    Raises
    ------
    JobError
        When the file is no notebook.
    ConflictError
        When `out` exists.
    """
    import nbformat

    if out is not None and out.exists():
        raise ConflictError(f"{out} exists; choose another name, or remove it")
    book = read_notebook(notebook)
    made: list[Finding] = []
    for _ in range(_ROUNDS):
        found = inspect_book(Context(notebook, book)).findings
        now = apply(book, (f for f in found if not only or f.rule in only))
        made += now
        if not now:
            break
    if not made:
        return Fixed(notebook, None, [])
    target, backup = out or notebook, None
    work = target.with_name(f".{target.stem}.aios-fix")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids get theirs when written
            nbformat.write(book, work)  # type: ignore[no-untyped-call]
        if out is None:
            backup = _free(notebook.with_suffix(".before-fix.ipynb"))
            shutil.copy2(notebook, backup)
        work.replace(target)
    except OSError as e:
        raise WorkspaceError(f"the mended notebook cannot be written: {e}; {notebook} is as it was") from e
    finally:
        work.unlink(missing_ok=True)
    return Fixed(target, backup, made)


def _free(path: Path) -> Path:
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_suffix(f".{number}.ipynb")
    return free


def apply(book: Any, findings: Iterable[Finding]) -> list[Finding]:
    """Make quick fixes in a notebook that is in memory; returns the findings that were mended.

    Where two fixes touch the same text, the first is made. A fix after which a cell is no longer Python is not.
    """
    made: list[Finding] = []
    taken: dict[int, list[Edit]] = {}
    for finding in findings:
        quick = finding.quick_fix
        if quick is None:
            continue
        if quick.clear_outputs is not None:
            cell = book.cells[quick.clear_outputs - 1]
            if cell.outputs:
                cell.outputs, cell.execution_count = [], None
                made.append(finding)
        elif not any(_overlap(edit, other) for edit in quick.edits for other in taken.get(edit.cell, [])):
            for edit in quick.edits:
                taken.setdefault(edit.cell, []).append(edit)
            made.append(finding)
    broken = {number for number, edits in taken.items() if not _rewrite(book.cells[number - 1], edits)}
    return [f for f in made if f.quick_fix is None or not any(e.cell in broken for e in f.quick_fix.edits)]


def _overlap(a: Edit, b: Edit) -> bool:
    first, second = sorted((a, b), key=lambda e: (e.line, e.column))
    if (first.line, first.column) == (second.line, second.column):
        return True
    return (second.line, second.column) < (first.end_line, first.end_column)


def _rewrite(cell: Any, edits: list[Edit]) -> bool:
    before = parse_source(cell.source)
    source = edited(cell.source, edits)
    if before.tree is not None and parse_source(source).tree is None:
        return False
    cell.source = source
    return True


def edited(source: str, edits: Iterable[Edit]) -> str:
    r"""Return a source with edits made, last first so that the places of the others hold.

    Examples
    --------
    >>> edited("a = 1\nb = 2", [Edit(1, 2, 4, 2, 5, "3")])
    'a = 1\nb = 3'
    """
    lines = source_lines(source, keep=True)
    for edit in sorted(edits, key=lambda e: (e.line, e.column), reverse=True):
        start = sum(map(len, lines[: edit.line - 1])) + edit.column
        end = sum(map(len, lines[: edit.end_line - 1])) + edit.end_column
        text = "".join(lines)
        lines = source_lines(text[:start] + edit.text + text[end:], keep=True)
    return "".join(lines)
