"""Reads a cell as its author wrote it, magics and all, and finds the decorator that makes a step.

Positions are what counts here: every text handed to Python's parser has the same lines as the original, and the
same columns wherever there is Python, so what is found in one is where it is in the other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import ConflictError
from aios_workbench.workflow import Workflow

#: Strings, comments, brackets and line ends: what decides whether a line begins a statement.
_PIECES = re.compile(
    r"""(?P<string>(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\n)|(?P<end>\n)",
    re.DOTALL,
)
_MAGIC = re.compile(r"[ \t]*(?:[%!?]|[\w., \t*]+=[ \t]*[%!](?!=)|[^#'\"\n]*\?\??[ \t]*$)")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def same_length(text: str) -> str:
    """Return text with every line end a plain one and no character moved."""
    text = text.replace("\\\r\n", " \\\n").replace("\r\n", " \n")
    return text.replace("\r", "\n")


def mask(text: str) -> str:
    r"""Return a cell with its magics replaced by `pass`, line for line.

    Examples
    --------
    >>> mask("%%time\nfiles = !ls \\\n  -l\nx = 7 % 2\n")
    '#%time\npass\n\nx = 7 % 2\n'
    """
    first = re.match(r"\s*%%", text)
    if first is not None:
        text = text[: first.end() - 2] + "#" + text[first.end() - 1 :]
    out: list[str] = []
    starts, at, line = _statement_starts(text), 0, 0
    joined = False
    for raw in text.split("\n"):
        magic = joined or (line in starts and _MAGIC.match(raw) is not None)
        if magic:
            out.append("" if joined else raw[: len(raw) - len(raw.lstrip())] + "pass")
            joined = raw.endswith("\\")
        else:
            out.append(raw)
        at, line = at + len(raw) + 1, line + 1
    return "\n".join(out)


def _statement_starts(text: str) -> set[int]:
    """Numbers of the lines that begin a statement: not inside a string, a bracket or a joined line."""
    starts, depth, line = {0}, 0, 0
    for piece in _PIECES.finditer(text):
        kind = piece.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "end":
            line += 1
            if depth == 0:
                starts.add(line)
        else:
            line += piece[0].count("\n")
    return starts


def parse(text: str, label: str) -> tuple[ast.Module, int]:
    """Return the tree of a cell, and by how many lines its positions are too large.

    Raises
    ------
    ConflictError
        When it cannot be read as Python.
    """
    plain = same_length(text)
    problem: Exception | None = None
    for candidate, shift in ((plain, 0), (mask(plain), 0), ("if 1:\n" + mask(plain), 1)):  # IPython dedents
        try:
            return ast.parse(candidate), shift
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            problem = problem or e
    raise ConflictError(
        f"{label} cannot be read as Python ({problem}), so its code cannot be changed from here; change it by hand"
    ) from None


@dataclass(frozen=True)
class Spot:
    """A step's decorator: what stands behind the @, from `start` to `end` in characters."""

    start: int
    end: int
    called: bool
    kind: str
    line: int
    function: str
    #: Every decorator of every function of the cell but this one, to check that nothing else was changed.
    others: str


class Lines:
    """Turns the parser's positions (line, byte) into places in a text."""

    def __init__(self, text: str, shift: int = 0) -> None:
        self._lines = same_length(text).split("\n")
        self._shift = shift
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def at(self, line: int, column: int) -> int:
        """Return the place of a position."""
        row = line - 1 - self._shift
        before = self._lines[row].encode("utf-8", "surrogatepass")[:column]
        return self._starts[row] + len(before.decode("utf-8", "surrogatepass"))


#: The decorators that make a step.
VERBS = ("step", "gate", "map", "loop")


def find(text: str, label: str, workflow: Workflow, step: str) -> Spot | None:
    """Return where a cell makes a step; None when it does not.

    Raises
    ------
    ConflictError
        When the cell cannot be read, or what makes the step is nothing that can be changed for it alone.
    """
    if not any(verb in text for verb in VERBS):
        return None
    tree, shift = parse(text, label)
    definition = workflow.definition(step)
    written_at = getattr(getattr(definition.fn, "__code__", None), "co_firstlineno", None)
    found: list[tuple[int, ast.expr, _Function]] = []
    for function, nested in _functions(tree):
        for decorator in function.decorator_list:
            known = _makes(decorator, workflow, definition.fn, nested)
            if known is None:
                continue
            name, certain = _name(decorator, function.name)
            here = function.decorator_list[0].lineno - shift == written_at
            if name == step or (not certain and here and function.name == definition.fn.__name__):
                if not certain:
                    raise ConflictError(
                        f"step '{step}' gets its name from an expression in {label}, line {decorator.lineno - shift}: "
                        "that decorator makes several steps. Change it by hand"
                    )
                found.append((2 * known + here, decorator, function))
    if not found:
        return None
    best = max(score for score, *_ in found)
    # Of several equal ones the last has run last.
    _, decorator, function = [f for f in found if f[0] == best][-1]
    lines = Lines(text, shift)
    called = isinstance(decorator, ast.Call)
    end_line, end_column = decorator.end_lineno or decorator.lineno, decorator.end_col_offset or 0
    return Spot(
        start=lines.at(decorator.lineno, decorator.col_offset), end=lines.at(end_line, end_column), called=called,
        kind=_verb(decorator), line=decorator.lineno - shift, function=function.name,
        others=_but(tree, decorator),
    )  # fmt: skip


def _functions(node: ast.AST, nested: bool = False) -> Iterator[tuple[_Function, bool]]:
    """Every function, and whether it stands inside another."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield child, nested
            yield from _functions(child, nested=True)
        else:
            yield from _functions(child, nested)


def _verb(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.attr if isinstance(target, ast.Attribute) else ""


def _makes(decorator: ast.expr, workflow: Workflow, fn: Any, nested: bool) -> int | None:
    """1 when a decorator surely is of this workflow, 0 when that cannot be told, None when it is not."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    namespace = getattr(fn, "__globals__", {})
    if isinstance(target, ast.Name):  # step = wf.step
        bound = namespace.get(target.id)
        mine = getattr(bound, "__self__", None) is workflow and getattr(bound, "__name__", "") in VERBS
        return 1 if mine else None
    if not isinstance(target, ast.Attribute) or target.attr not in VERBS:
        return None
    if not isinstance(target.value, ast.Name) or target.value.id not in namespace:
        return 0
    if namespace[target.value.id] is workflow:
        return 1
    return 0 if nested else None  # inside a function the name may be the function's own


def _name(decorator: ast.expr, function: str) -> tuple[str, bool]:
    """The step's name, and whether it is written out."""
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if keyword.arg == "name":
            value = keyword.value
            if isinstance(value, ast.Constant):
                return str(value.value) if value.value else function, True
            return function, False
    return function, True


def _but(tree: ast.Module, decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    kept = (decorator.args, decorator.keywords) if isinstance(decorator, ast.Call) else None
    if isinstance(decorator, ast.Call):
        decorator.args, decorator.keywords = [], []
    text = ast.dump(tree)
    if isinstance(decorator, ast.Call) and kept is not None:
        decorator.args, decorator.keywords = kept
    return text.replace(ast.dump(ast.Call(target, [], [])), ast.dump(target))
