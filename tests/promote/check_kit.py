"""Notebooks in memory, and what the check says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from aios_workbench.promote.checks import Finding
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.report import inspect_book
from aios_workbench.promote.spec import JobSpec


def book_of(*sources: str, parameters: str | None = None) -> Any:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    if parameters is not None:
        book.cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    return book


def findings(
    folder: Path,
    *sources: str,
    parameters: str | None = None,
    spec: dict[str, Any] | None = None,
    book: Any = None,
) -> list[Finding]:
    book = book if book is not None else book_of(*sources, parameters=parameters)
    job = JobSpec(name="n", notebook="n.ipynb", **spec) if spec is not None else None
    return inspect_book(Context(folder / "n.ipynb", book, job)).findings


def rules(folder: Path, *sources: str, **options: Any) -> list[tuple[str, int | None, str | None]]:
    """Return (rule, cell, variable) of all but notes on what is unused: most snippets use nothing."""
    quiet = ("AIOS107", "AIOS111")
    return [
        (f.rule, f.cell, f.variable) for f in findings(folder, *sources, **options) if f.rule not in quiet
    ]
