"""Read every import of a package and check the house's arrows. Used by test_arrows.py."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT_NAME = "aios_workbench"

#: top to bottom; a module may import from lower levels only
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"cli", "demo", "server"}),
    frozenset({"widgets", "promote"}),
    frozenset({"models", "engine"}),
    frozenset({"govern", "observe", "events"}),
    frozenset({"workflow", "workspace", "knn", "drift", "explain", "samples"}),
    frozenset({"_hooks", "_mlflow", "_sql", "adapters", "errors", "_util", "_wire"}),
)

#: imports between packages of one level, each with its reason
SIDEWAYS: dict[tuple[str, str], str] = {
    ("knn", "workspace"): "what a tuning measured is kept in the workspace's catalog",
    ("_mlflow", "errors"): "who logs says which error a refusal is",
    ("_sql", "errors"): "a text that no table can hold is refused",
    ("_hooks", "errors"): "a hook that nobody set says so",
    ("_util", "errors"): "a file that cannot be written says so",
    (
        "explain",
        "drift",
    ): "whether a model leans on other columns than it did; how far columns are associated",
    ("explain", "knn"): "prototypes are a row's nearest neighbours",
    ("explain", "workspace"): "explanations are cached; a model card tells of runs and approvals",
    ("drift", "workspace"): "what a step gave can be compared; what a monitor saw is kept in the catalog",
}

#: stand beside the house: they run before anything is installed, so they import only the standard library
ALONE = {"bootstrap", "_causes"}


@dataclass(frozen=True)
class Import:
    """One import: from module `source` of module `target`, both dotted and without the root's name."""

    source: str
    target: str
    line: int
    lazy: bool  # inside a function
    typing: bool  # under `if TYPE_CHECKING`
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.source or ROOT_NAME} (line {self.line}) imports {self.target or ROOT_NAME}"


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


class _Reader(ast.NodeVisitor):
    """Collects (absolute dotted target, names, line, lazy, typing) of one file."""

    def __init__(self, package: list[str]) -> None:
        self.package, self.lazy, self.typing = package, False, False
        self.found: list[tuple[str, tuple[str, ...], int, bool, bool]] = []

    def _add(self, target: str, names: tuple[str, ...], line: int) -> None:
        self.found.append((target, names, line, self.lazy, self.typing))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, (), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.package[: len(self.package) - node.level + 1] if node.level else []
        target = ".".join([*base, *([node.module] if node.module else [])])
        self._add(target, tuple(a.name for a in node.names), node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            target = str(node.args[0].value)
            if target.startswith("."):
                level = len(target) - len(target.lstrip("."))
                base = self.package[: len(self.package) - level + 1]
                target = ".".join([*base, target.lstrip(".")])
            self._add(target, (), node.lineno)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not _is_type_checking(node.test):
            self.generic_visit(node)
            return
        before, self.typing = self.typing, True
        for child in node.body:
            self.visit(child)
        self.typing = before
        for child in node.orelse:
            self.visit(child)

    def _function(self, node: ast.AST) -> None:
        before, self.lazy = self.lazy, True
        self.generic_visit(node)
        self.lazy = before

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function


def _modules(root: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if "node_modules" in parts:
            continue
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def read(root: Path) -> list[Import]:
    """Return every import that a module of the package at `root` makes of another of its modules."""
    modules = _modules(root)
    return [i for source, path in modules.items() for i in _imports(source, path, set(modules))]


def _imports(source: str, path: Path, modules: set[str]) -> Iterator[Import]:
    dotted = [ROOT_NAME, *source.split(".")] if source else [ROOT_NAME]
    reader = _Reader(dotted if path.name == "__init__.py" else dotted[:-1])
    reader.visit(ast.parse(path.read_text(), str(path)))
    for target, names, line, lazy, typing in reader.found:
        if target != ROOT_NAME and not target.startswith(f"{ROOT_NAME}."):
            continue
        inside = target.removeprefix(ROOT_NAME).removeprefix(".")
        # `from . import x` names a module when there is one, else a name in the package itself
        submodules = [n for n in names if f"{inside}.{n}".lstrip(".") in modules]
        for name in submodules:
            yield Import(source, f"{inside}.{name}".lstrip("."), line, lazy, typing)
        rest = tuple(n for n in names if n not in submodules)
        if rest or not names:
            yield Import(source, inside, line, lazy, typing, rest)


def _level(package: str) -> int | None:
    return next((i for i, level in enumerate(LEVELS) if package in level), None)


def _break(i: Import, sideways: dict[tuple[str, str], str]) -> str:
    """Return which rule an import breaks, or an empty string."""
    source, target = i.source.partition(".")[0], i.target.partition(".")[0]
    if source in ALONE or target in ALONE:
        fine = source in ALONE and target in ALONE
        return "" if fine else f"{i}: the set-up stands alone, it runs before anything is installed"
    if not source:
        fine = i.lazy or i.typing
        return "" if fine else f"{i}: the root is imported by everyone, it may import only inside functions"
    if not target:
        fine = set(i.names) == {"__version__"} or (source, "") in sideways
        return "" if fine else f"{i}: import from the package that defines it, not from the root"
    if source == target or (source, target) in sideways:
        return ""
    here, there = _level(source), _level(target)
    for name, level in ((source, here), (target, there)):
        if level is None:
            return f"{i}: {name} has no place in the house; give it a level in tests/house/arrows.py"
    assert here is not None
    assert there is not None
    if there < here:
        return f"{i}: that arrow points up"
    if there == here:
        return f"{i}: that arrow points sideways; move the code down, or list it in SIDEWAYS with a reason"
    return ""


def _cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return one cycle as a list of nodes, or an empty list."""
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for after in sorted(edges.get(node, ())):
            if found := walk(after, [*trail, node]):
                return found
        done.add(node)
        return []

    return next(filter(None, (walk(node, []) for node in sorted(edges))), [])


def faults(root: Path, sideways: dict[tuple[str, str], str] | None = None) -> list[str]:
    """Return every break of the house's rules in the package at `root`, as sentences."""
    sideways = SIDEWAYS if sideways is None else sideways
    imports = read(root)
    found = [broken for i in imports if (broken := _break(i, sideways))]
    # Types may refer to each other in a circle; code may not. The root's lazy names are above everything.
    real = [i for i in imports if not i.typing and i.source and i.target and i.source != i.target]
    packages: dict[str, set[str]] = {}
    modules: dict[str, set[str]] = {}
    for i in real:
        modules.setdefault(i.source, set()).add(i.target)
        ends = i.source.partition(".")[0], i.target.partition(".")[0]
        if ends[0] != ends[1]:
            packages.setdefault(ends[0], set()).add(ends[1])
    for kind, edges in (("packages", packages), ("modules", modules)):
        if cycle := _cycle(edges):
            found.append(f"{kind} import in a circle: {' > '.join(cycle)}")
    return found
