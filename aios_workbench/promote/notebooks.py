"""Reading a notebook without running it: the cells, their plain Python, what they import."""

from __future__ import annotations

import ast
import dataclasses
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, NotFoundError

PARAMETERS_TAG = "parameters"
#: characters of one cell: the tree of a longer one may take gigabytes
SOURCE_LIMIT = 1_000_000


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
    moved : bool
        Whether `python` differs from `source`, so that columns, and below a blank start lines, may too.
    """

    number: int
    source: str
    python: str
    tags: tuple[str, ...]
    tree: ast.Module | None
    error: SyntaxError | None
    moved: bool = False


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
    out = []
    for number, cell in enumerate(book.cells, start=1):
        if cell.cell_type == "code":
            tags = cell.metadata.get("tags", ())
            tags = tuple(map(str, tags)) if isinstance(tags, (list, tuple)) else ()
            out.append(dataclasses.replace(parse_source(cell.source), number=number, tags=tags))
    return out


def parse_source(source: str) -> Cell:
    """Return the source of one cell, parsed; number and tags are yet to be set."""
    tree, error, python, moved = None, None, source, False
    if len(source) > SOURCE_LIMIT:
        return Cell(0, source, python, (), tree, error, moved)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # '\\d' in a string is the author's business
        try:
            # What is Python as it stands has no magics: IPython's own reading costs a millisecond a line.
            tree = _parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            try:
                moved, python = True, _without_magics(source)
                tree = _parse(python)
                ast.increment_lineno(tree, _blank_lines(source))
            except SyntaxError as second:
                error = second
                error.lineno = (second.lineno or 1) + _blank_lines(source)
            except (ValueError, RecursionError, MemoryError):
                error = e if isinstance(e, SyntaxError) else SyntaxError(_unreadable(e))
                error.lineno = error.lineno or 1
    return Cell(0, source, python, (), tree, error, moved)


def source_lines(source: str, *, keep: bool = False) -> list[str]:
    r"""Return lines as Python counts them: `str.splitlines` also breaks at form feeds and Unicode's separators.

    Examples
    --------
    >>> source_lines("a = '\u2028'\r\nb = 1\n")
    ["a = '\u2028'", 'b = 1']
    """
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", source)
    return lines if keep else [line.rstrip("\r\n") for line in lines]


def _without_magics(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    # A transformer remembers nothing of value between cells, but does keep an error.
    return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]


def _unreadable(error: BaseException) -> str:
    if isinstance(error, (RecursionError, MemoryError)):
        return "it is nested too deep to be read"
    return str(error)


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


def gate_names(cells: Iterable[Cell]) -> dict[str, Cell]:
    """Return the functions that a `….gate` decorator makes gates, by the gate's name, in order. Nothing is run."""
    names: dict[str, Cell] = {}
    for cell in cells:
        for node in ast.walk(cell.tree) if cell.tree is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for mark in node.decorator_list:
                    target = mark.func if isinstance(mark, ast.Call) else mark
                    if isinstance(target, ast.Attribute) and target.attr == "gate":
                        names.setdefault(_given_name(mark) or node.name, cell)
    return names


def _given_name(mark: ast.expr) -> str | None:
    for keyword in mark.keywords if isinstance(mark, ast.Call) else ():
        if (
            keyword.arg == "name"
            and isinstance(keyword.value, ast.Constant)
            and isinstance(keyword.value.value, str)
        ):
            return keyword.value.value
    return None
