"""The notebook as a whole, as the rules see it: cells, names over all cells, what dotted names mean, constants."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.promote.checks.names import Bind, Names, names_of
from aios_workbench.promote.checks.source import Code, read_codes
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.spec import JobSpec

if TYPE_CHECKING:
    from aios_workbench.promote.checks.cleanrun import CleanRun

#: usual short names, for a cell that is read alone or whose import was lost
_USUAL = {"np": "numpy", "pd": "pandas", "pl": "polars", "plt": "matplotlib.pyplot"}


@dataclass
class Context:
    """What every rule is given.

    Attributes
    ----------
    spec : JobSpec or None
        The job it shall become.
    run : CleanRun or None
        What was seen when it ran, where it did.
    kernel : callable or None
        Turns the variables a clean run's kernel is started with into those of another environment.
    """

    path: Path
    book: Any
    spec: JobSpec | None = None
    run: CleanRun | None = None
    kernel: Callable[[dict[str, str]], dict[str, str]] | None = None
    codes: list[Code] = field(default_factory=list)
    _resolving: set[str] = field(default_factory=set)
    _dotted: dict[ast.AST, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.codes = self.codes or read_codes(self.book)

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.path.parent

    @functools.cached_property
    def names(self) -> list[Names]:
        """The names of each code cell, in order."""
        return [names_of(code.tree) for code in self.codes]

    @functools.cached_property
    def parameters(self) -> NotebookParameters:
        """What the parameters cell says."""
        return NotebookParameters([code.cell for code in self.codes])

    @functools.cached_property
    def binds(self) -> dict[str, list[tuple[int, Bind]]]:
        """Name -> (index among the code cells, binding), in order."""
        found: dict[str, list[tuple[int, Bind]]] = {}
        for i, names in enumerate(self.names):
            for bind in names.binds:
                found.setdefault(bind.name, []).append((i, bind))
        return found

    @functools.cached_property
    def first(self) -> dict[str, int]:
        """Name -> index of the code cell that binds it first."""
        return {name: min(i for i, _ in binds) for name, binds in self.binds.items()}

    @functools.cached_property
    def aliases(self) -> dict[str, str]:
        """Local name -> what it was imported as, over all cells and in functions too."""
        found: dict[str, str] = {}
        for code in self.codes:
            for node in code.nodes:
                if isinstance(node, ast.Import):
                    for a in node.names:
                        found[a.asname or a.name.partition(".")[0]] = (
                            a.name if a.asname else a.name.partition(".")[0]
                        )
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    found.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        return {k: v for k, v in _USUAL.items() if k not in self.binds} | found

    def dotted(self, node: ast.AST) -> str:
        """Return what an expression names, such as "numpy.random.rand"; ".rand" on something else, "" for neither."""
        if (known := self._dotted.get(node)) is None:
            known = self._dotted[node] = self._name(node)
        return known

    def _name(self, node: ast.AST) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            root = self.aliases.get(node.id)
            if root is None and node.id not in self.binds:
                root = node.id  # a builtin
            if root is not None:
                return ".".join([root, *reversed(parts)])
        return f".{parts[0]}" if parts else ""

    def called(self, call: ast.Call) -> str:
        """Return what a call calls; see `dotted`."""
        return self.dotted(call.func)

    def literal(self, node: ast.AST | None) -> Any:
        """Return the value of a constant, also behind a name that gets one value in the notebook; None if unknown."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                bound = self.binds.get(name, [])
                if len(bound) == 1:
                    return self._assigned(bound[0][1], name)
            case (
                ast.BinOp(left=left, op=ast.Div(), right=right)
                | ast.BinOp(left=left, op=ast.Add(), right=right)
            ):
                return self._joined(self.literal(left), self.literal(right), isinstance(node.op, ast.Div))
            case ast.Call(func=function, args=args):
                called = self.dotted(function)
                if called in ("pathlib.Path", "pathlib.PurePath", "os.path.join") and args:
                    parts = [self.literal(a) for a in args]
                    if all(isinstance(p, str) for p in parts):
                        return str(Path(*parts))
            case _:
                pass
        return None

    def _assigned(self, bind: Bind, name: str) -> Any:
        value = self.values.get(bind.node)
        if value is None or name in self._resolving:
            return None
        self._resolving.add(name)  # a = b and b = a go round for ever
        try:
            return self.literal(value)
        finally:
            self._resolving.discard(name)

    @functools.cached_property
    def values(self) -> dict[ast.AST, ast.expr]:
        """A name's node in an assignment -> what it is assigned, for the notebook's own names."""
        found: dict[ast.AST, ast.expr] = {}
        for code in self.codes:
            for node in code.nodes:
                if isinstance(node, ast.Assign):
                    found.update({t: node.value for t in node.targets if isinstance(t, ast.Name)})
                elif isinstance(node, ast.AnnAssign) and node.value is not None:
                    found[node.target] = node.value
        return found

    @staticmethod
    def _joined(left: Any, right: Any, path: bool) -> str | None:
        if not isinstance(left, str) or not isinstance(right, str):
            return None
        return str(Path(left) / right) if path else left + right


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def is_true(node: ast.expr | None) -> bool:
    """Tell whether a node is the constant True."""
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr | None) -> bool:
    """Tell whether a node is the constant False."""
    return isinstance(node, ast.Constant) and node.value is False
