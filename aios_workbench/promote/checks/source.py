"""A code cell as the rules see it: its tree with magics resolved, where each node stands, what was saved with it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.promote.checks.finding import Edit, QuickFix
from aios_workbench.promote.notebooks import Cell, code_cells, parse_source, source_lines

#: magics whose text is Python that runs in the notebook's namespace
_PYTHON_MAGICS = frozenset(
    ("time", "timeit", "capture", "prun", "debug", "memit", "mprun", "lprun", "snakeviz")
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_OPTIONS = re.compile(r"^(?:\s*-\w+(?:\s+\d+|\s*=\s*\S+|\d+)?)+\s*")


@dataclass(frozen=True)
class Magic:
    """A line or cell that IPython reads, not Python.

    Attributes
    ----------
    kind : {"line", "cell", "shell", "help"}
    name : str
        Without its percent signs; "" for a shell line.
    text : str
        What stands behind the name; for a cell magic also its body.
    """

    kind: str
    name: str
    text: str
    line: int


@dataclass
class Code:
    """A code cell.

    Attributes
    ----------
    tree : ast.Module
        Empty where the cell does not parse.
    magics : list of Magic
        In order.
    words : set of str
        Names that magics may use.
    """

    cell: Cell
    id: str | None
    outputs: list[Any]
    count: int | None
    metadata: dict[str, Any]
    tree: ast.Module = field(default_factory=lambda: ast.Module(body=[], type_ignores=[]))
    magics: list[Magic] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    @property
    def number(self) -> int:
        """Its place among all cells, counted from 1."""
        return self.cell.number

    @property
    def source(self) -> str:
        """As saved."""
        return self.cell.source

    @property
    def tags(self) -> tuple[str, ...]:
        """The cell's tags."""
        return self.cell.tags

    @functools.cached_property
    def lines(self) -> list[str]:
        """The source's lines."""
        return source_lines(self.source)

    @functools.cached_property
    def _python_lines(self) -> list[str]:
        return source_lines(self.cell.python)

    @functools.cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node, in no order that matters."""
        return list(ast.walk(self.tree))

    @functools.cached_property
    def calls(self) -> list[ast.Call]:
        """Every call, by place."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        return sorted(found, key=lambda n: (n.lineno, n.col_offset))

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Give what a node stands in, from the inside out."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def deferred(self, node: ast.AST) -> bool:
        """Tell whether a node is in the body of a function, and so runs when that is called, if ever."""
        return any(
            isinstance(p, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) for p in self.parents(node)
        )

    def guarded(self, node: ast.AST) -> bool:
        """Tell whether a node runs only under a condition, or where its error is caught."""
        below = node
        for above in self.parents(node):
            if isinstance(above, (ast.If, ast.IfExp, ast.While)) and below is not above.test:
                return True
            if isinstance(above, ast.Try) and above.handlers and below in above.body:
                return True
            below = above
        return False

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the statement of the cell, not of a block in it, that a node is part of."""
        last = node
        for above in self.parents(node):
            if isinstance(above, ast.Module):
                return last if isinstance(last, ast.stmt) else None
            last = above
        return None

    def place(self, node: ast.AST) -> tuple[int | None, int | None]:
        """Return line (from 1) and column (from 0, in characters) as saved; None where magics moved them."""
        line = getattr(node, "lineno", None)
        if line is None:
            return None, None
        return min(line, max(1, len(self.lines))), self._column(line, node.col_offset)  # type: ignore[attr-defined]

    def _column(self, line: int, offset: int) -> int | None:
        if line > len(self.lines):
            return None
        text = self.lines[line - 1]
        if self.cell.moved and (line > len(self._python_lines) or self._python_lines[line - 1] != text):
            return None
        return len(text.encode()[:offset].decode(errors="ignore"))

    def replace(self, title: str, *changes: tuple[ast.expr | ast.stmt, str]) -> QuickFix | None:
        """Return the fix that puts texts in the place of nodes, or None where their place is not sure."""
        edits = []
        for node, text in changes:
            start = self._column(node.lineno, node.col_offset)
            end = self._column(node.end_lineno or node.lineno, node.end_col_offset or 0)
            if start is None or end is None:
                return None
            edits.append(Edit(self.number, node.lineno, start, node.end_lineno or node.lineno, end, text))
        return QuickFix(title, tuple(edits))

    def insert(self, title: str, line: int, text: str) -> QuickFix:
        """Return the fix that puts a line before a line."""
        return QuickFix(title, (Edit(self.number, line, 0, line, 0, text + "\n"),))

    def drop_lines(self, title: str, first: int, last: int) -> QuickFix:
        """Return the fix that takes whole lines out."""
        end = len(self.lines[last - 1]) if last == len(self.lines) else 0
        return QuickFix(
            title,
            (Edit(self.number, first, 0, last if end or last == len(self.lines) else last + 1, end, ""),),
        )

    def text_of(self, node: ast.expr) -> str | None:
        """Return a node's text as saved, or None where its place is not sure."""
        start, end = (
            self._column(node.lineno, node.col_offset),
            self._column(node.end_lineno or 0, node.end_col_offset or 0),
        )
        if start is None or end is None or node.end_lineno is None:
            return None
        if node.lineno == node.end_lineno:
            return self.lines[node.lineno - 1][start:end]
        return "\n".join(
            [
                self.lines[node.lineno - 1][start:],
                *self.lines[node.lineno : node.end_lineno - 1],
                self.lines[node.end_lineno - 1][:end],
            ]
        )


def read_codes(book: Any) -> list[Code]:
    """Return the code cells of a notebook."""
    made = []
    for cell in code_cells(book):
        saved = book.cells[cell.number - 1]
        code = Code(
            cell,
            saved.get("id"),
            list(saved.get("outputs", ())),
            saved.get("execution_count"),
            dict(saved.metadata),
        )
        if cell.tree is not None:
            code.tree = _Lower(code, 0).lowered(cell.tree) if cell.moved else cell.tree
        made.append(code)
    return made


class _Lower(ast.NodeTransformer):
    """Puts the Python that magics hold in their place, and notes every magic."""

    def __init__(self, code: Code, shift: int) -> None:
        self.code, self.shift = code, shift

    def lowered(self, tree: ast.Module) -> ast.Module:
        if self.shift:
            ast.increment_lineno(tree, self.shift)
        done = self.visit(tree)
        assert isinstance(done, ast.Module)
        return done

    def visit_Expr(self, node: ast.Expr) -> Any:
        magic = self._magic(node.value)
        if magic is None:
            return self.generic_visit(node)
        inner = self._python(magic)
        return node if inner is None else [*self._captured(magic, node), *inner.body]

    def visit_Call(self, node: ast.Call) -> Any:
        self._magic(node)
        return self.generic_visit(node)

    def _magic(self, node: ast.expr) -> Magic | None:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=how), args=args
            ):
                texts = [str(a.value) for a in args if isinstance(a, ast.Constant)]
            case _:
                return None
        if how in ("run_line_magic", "run_cell_magic") and len(texts) >= 2:
            kind, name, text = ("line" if how == "run_line_magic" else "cell"), texts[0], "\n".join(texts[1:])
            if name in ("pinfo", "pinfo2"):
                kind = "help"
        elif how in ("system", "getoutput") and texts:
            kind, name, text = "shell", "", texts[0]
        else:
            return None
        made = Magic(kind, name, text, node.lineno)
        if made not in self.code.magics:
            self.code.magics.append(made)
            self.code.words.update(_WORD.findall(text))
        return made

    def _python(self, magic: Magic) -> ast.Module | None:
        if magic.name not in _PYTHON_MAGICS or magic.kind == "help":
            return None
        first, _, body = magic.text.partition("\n")
        line = magic.line if magic.kind == "cell" else magic.line - 1
        cell = parse_source(body if magic.kind == "cell" else _OPTIONS.sub("", first))
        if cell.tree is None:
            return None
        if magic.kind == "cell":
            return _Lower(self.code, line).lowered(cell.tree)
        tree = ast.increment_lineno(cell.tree, line)
        assert isinstance(tree, ast.Module)
        return tree

    def _captured(self, magic: Magic, node: ast.Expr) -> list[ast.stmt]:
        names = [w for w in magic.text.partition("\n")[0].split() if not w.startswith("-")]
        if magic.name != "capture" or not names or not names[0].isidentifier():
            return []
        made = ast.parse(f"{names[0]} = None").body[0]
        for part in ast.walk(made):
            ast.copy_location(part, node)
        return [made]
