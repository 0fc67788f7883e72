"""How a notebook of the corpus is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat


@dataclass(frozen=True)
class Cell:
    source: str
    count: int | None = None
    outputs: tuple[Any, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    markdown: bool = False


def cell(
    source: str, count: int | None = None, *outputs: Any, tags: tuple[str, ...] = (), **metadata: Any
) -> Cell:
    return Cell(source, count, outputs, tags, metadata)


def text(source: str) -> Cell:
    return Cell(source, markdown=True)


def parameters(source: str) -> Cell:
    return Cell(source, tags=("parameters",))


def printed(out: str) -> Any:
    return nbformat.v4.new_output("stream", name="stdout", text=out)


def shown(plain: str, html: str | None = None) -> Any:
    data = {"text/plain": plain} | ({"text/html": html} if html else {})
    return nbformat.v4.new_output("execute_result", data=data, execution_count=1)


def failed(name: str, value: str) -> Any:
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[])


@dataclass(frozen=True)
class Case:
    """A notebook with defects, its twin without, and where the defects are."""

    name: str
    family: str
    bad: tuple[Cell | str, ...]
    clean: tuple[Cell | str, ...]
    labels: frozenset[tuple[str, int | None]]
    files: dict[str, str] = field(default_factory=dict)
    clean_files: dict[str, str] | None = None
    spec: dict[str, Any] | None = None
    clean_spec: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    run: bool = False


def case(name: str, family: str, bad: Any, clean: Any, *labels: tuple[str, int | None], **more: Any) -> Case:
    as_cells = lambda cells: (cells,) if isinstance(cells, str | Cell) else tuple(cells)  # noqa: E731
    return Case(name, family, as_cells(bad), as_cells(clean), frozenset(labels), **more)


def write(case: Case, folder: Path, *, clean: bool) -> Path:
    """Write a case's notebook and files; returns the notebook."""
    book = nbformat.v4.new_notebook(metadata={} if clean else case.metadata)
    for each in case.clean if clean else case.bad:
        c = each if isinstance(each, Cell) else Cell(each)
        metadata = dict(c.metadata) | ({"tags": list(c.tags)} if c.tags else {})
        if c.markdown:
            book.cells.append(nbformat.v4.new_markdown_cell(c.source, metadata=metadata))
        else:
            book.cells.append(nbformat.v4.new_code_cell(
                c.source, metadata=metadata, execution_count=c.count, outputs=list(c.outputs)
            ))  # fmt: skip
    files = case.clean_files if clean and case.clean_files is not None else case.files
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    path = folder / f"{case.name}.ipynb"
    nbformat.write(book, path)
    return path


def spec_of(case: Case, *, clean: bool) -> dict[str, Any] | None:
    return case.clean_spec if clean and case.clean_spec is not None else case.spec
