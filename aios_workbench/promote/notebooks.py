"""Reading a notebook without running it: the cells, their plain Python, what they import."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, NotFoundError

PARAMETERS_TAG = "parameters"


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes
    ----------
    number : int
        Its place among all cells, counted from 1, as a person counts.
    python : str
        The source with magics and shell lines turned into Python, line by line where that is possible.
    tree : ast.Module or None
        None when the source does not parse; `error` then says why.
    """

    number: int
    source: str
    python: str
    tags: tuple[str, ...]
    tree: ast.Module | None
    error: SyntaxError | None


def read_notebook(path: Path) -> Any:
    """Return the notebook, in the current format.

    Raises
    ------
    NotFoundError
        When there is no such file.
    JobError
        When the file is not a valid notebook.
    """
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"no notebook {path}; give the path of an .ipynb file") from None
    except (OSError, UnicodeDecodeError) as e:
        raise JobError(f"{path} cannot be read as a notebook: {e}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids, from before they existed
            book = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
            nbformat.validate(book)
    except Exception as e:  # noqa: BLE001 - nbformat raises its own, jsonschema's and json's errors
        reason = str(e).strip().partition("\n")[0] or type(e).__name__
        raise JobError(
            f"{path} is not a valid notebook: {reason}; open it in JupyterLab and save it again"
        ) from None
    return book


def code_cells(book: Any) -> list[Cell]:
    """Return the notebook's code cells, parsed."""
    from IPython.core.inputtransformer2 import TransformerManager

    out = []
    for number, cell in enumerate(book.cells, start=1):
        if cell.cell_type != "code":
            continue
        tags = tuple(cell.metadata.get("tags", ()))
        tree, error, python = None, None, cell.source
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # '\d' in a string is the author's business
                # A transformer remembers nothing of value between cells, but does keep an error.
                python = TransformerManager().transform_cell(cell.source)  # type: ignore[no-untyped-call]
                tree = _parse(python)
                ast.increment_lineno(tree, _blank_lines(cell.source))
        except SyntaxError as e:
            error = e
            error.lineno = (e.lineno or 1) + _blank_lines(cell.source)
        out.append(Cell(number, cell.source, python, tags, tree, error))
    return out


def _blank_lines(source: str) -> int:
    """Count the empty lines at the top, which IPython drops."""
    return next((n for n, line in enumerate(source.splitlines()) if line.strip()), 0)


def _parse(python: str) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(python, "<cell>", "exec", flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def imported_modules(tree: ast.AST, package: str = "") -> set[str]:
    """Return dotted names a piece of code may import, `from x import y` as both ``x`` and ``x.y``.

    Parameters
    ----------
    package : str
        The package the code lies in: relative imports start there.
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".") if package else []
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base]).strip(".")
            if base:
                found.add(base)
            found.update(f"{base}.{alias.name}".lstrip(".") for alias in node.names if alias.name != "*")
    return found
