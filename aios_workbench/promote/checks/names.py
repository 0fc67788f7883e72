"""Which names a cell binds and uses, in the order in which Python would, functions' bodies apart.

The scoping is Python's own (what `symtable` says), with the place of every use; it works on trees in which magics
were resolved, for which there is no source that `symtable` could read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Kind = Literal[
    "assign", "augment", "import", "star", "function", "class", "loop", "with", "delete", "declare", "except"
]


@dataclass(frozen=True)
class Bind:
    """A name gets a value, or loses it.

    Attributes
    ----------
    sure : bool
        False in a branch or loop that may not run.
    """

    name: str
    kind: Kind
    node: ast.AST
    sure: bool


@dataclass(frozen=True)
class Use:
    """A name is read while the cell runs.

    Attributes
    ----------
    guarded : bool
        True where a NameError would be caught.
    called : bool
        True for ``name(…)``: a function's own names are needed now.
    """

    name: str
    node: ast.AST
    guarded: bool
    called: bool


@dataclass
class Names:
    """What a cell does to the notebook's namespace.

    Attributes
    ----------
    events : list
        In order of evaluation.
    inside : dict
        Function or class -> the outer names that calling it reads.
    later : list of Use
        Names read in any function, whenever that is called.
    """

    events: list[Bind | Use] = field(default_factory=list)
    inside: dict[str, list[Use]] = field(default_factory=dict)
    later: list[Use] = field(default_factory=list)

    @property
    def binds(self) -> list[Bind]:
        """Names that get a value."""
        return [e for e in self.events if isinstance(e, Bind) and e.kind != "delete"]

    @property
    def uses(self) -> list[Use]:
        """Names read at once."""
        return [e for e in self.events if isinstance(e, Use)]


def names_of(tree: ast.Module) -> Names:
    """Return what a cell binds and uses."""
    reader = _Reader(_no_annotations(tree))
    for statement in tree.body:
        reader.visit(statement)
    return reader.names


def _no_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(s, ast.ImportFrom)
        and s.module == "__future__"
        and any(a.name == "annotations" for a in s.names)
        for s in tree.body
    )


class _Reader(ast.NodeVisitor):
    """Walks a module as it is evaluated. `local` holds the frames of comprehensions and class bodies."""

    def __init__(self, lazy_annotations: bool) -> None:
        self.names = Names()
        self.lazy = lazy_annotations
        self.branches = self.guards = 0
        self.local: list[set[str]] = []
        self.klass: str | None = None

    # ------------------------------------------------------------ names

    def _use(self, name: str, node: ast.AST, called: bool = False) -> None:
        if not any(name in frame for frame in self.local):
            self.names.events.append(Use(name, node, self.guards > 0, called))

    def _bind(self, name: str, kind: Kind, node: ast.AST) -> None:
        if self.local and kind != "declare":
            self.local[-1].add(name)
        else:
            self.names.events.append(Bind(name, kind, node, self.branches == 0))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, node)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, "assign", node)
        else:
            self._use(node.id, node)  # what is not there cannot be deleted
            self._bind(node.id, "delete", node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self._all(node.args)
            self._all(node.keywords)
            self._use(node.func.id, node.func, called=True)
        else:
            self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        # binds beside a comprehension, not in it
        self.names.events.append(Bind(node.target.id, "assign", node.target, self.branches == 0))

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _branch(self, nodes: Iterable[ast.AST | None]) -> None:
        self.branches += 1
        self._all(nodes)
        self.branches -= 1

    # ------------------------------------------------------------ statements

    def visit_Assign(self, node: ast.Assign) -> None:
        self._all([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._use(node.target.id, node.target)
            self.visit(node.value)
            self._bind(node.target.id, "augment", node.target)
        else:
            self._all([node.target, node.value])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not self.lazy:
            self.visit(node.annotation)
        if node.value is not None:
            self._all([node.value, node.target])
        elif isinstance(node.target, ast.Name):
            self._bind(node.target.id, "declare", node.target)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], "import", node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name, "star" if alias.name == "*" else "import", node)

    def _for(self, node: Any) -> None:
        self.visit(node.iter)
        self.branches += 1
        self._targets(node.target, "loop")
        self.branches -= 1
        self._branch([*node.body, *node.orelse])

    visit_For = visit_AsyncFor = _for

    def _targets(self, target: ast.expr, kind: Kind) -> None:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self._bind(part.id, kind, part)
            elif isinstance(part, ast.Name):
                self._use(part.id, part)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._branch([*node.body, *node.orelse])

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branch([*node.body, *node.orelse])

    def _with(self, node: Any) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._targets(item.optional_vars, "with")
        self._all(node.body)

    visit_With = visit_AsyncWith = _with

    def visit_Try(self, node: Any) -> None:
        catches = any(_catches_names(h.type) for h in node.handlers)
        self.guards += catches
        self._branch(node.body)
        self.guards -= catches
        for handler in node.handlers:
            if handler.type is not None:
                self.visit(handler.type)
            if handler.name:
                self.names.events.append(Bind(handler.name, "except", handler, sure=False))
            self._branch(handler.body)
        self._branch(node.orelse)
        self._all(node.finalbody)

    visit_TryStar = visit_Try

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            self.branches += 1
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self._bind(name, "assign", part)
                elif isinstance(part, ast.Name):
                    self._use(part.id, part)
            self._all([case.guard, *case.body])
            self.branches -= 1

    def visit_TypeAlias(self, node: Any) -> None:
        self._bind(node.name.id, "assign", node)

    # ------------------------------------------------------------ scopes

    def _comprehension(self, node: Any) -> None:
        first, *rest = node.generators
        self.visit(first.iter)
        self.local.append(set())
        self.visit(first.target)
        self._all(first.ifs)
        for other in rest:
            self._all([other.iter, other.target, *other.ifs])
        self._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._all([*node.args.defaults, *node.args.kw_defaults])
        self.names.later += self._free(node)

    def _function(self, node: Any) -> None:
        self._all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        if not self.lazy and not getattr(node, "type_params", None):
            self._all([*(a.annotation for a in _arguments(node.args)), node.returns])
        free = self._free(node)
        self.names.later += free
        owner = (
            self.klass if self.klass and node.name in ("__init__", "__new__", "__post_init__") else node.name
        )
        if self.klass is None or owner == self.klass:
            self.names.inside.setdefault(owner, []).extend(free)
        for name in _declared_global(node):
            self.names.events.append(Bind(name, "declare", node, sure=False))
        self._bind(node.name, "function", node)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all([*node.decorator_list, *node.bases, *node.keywords])
        outer, self.klass = self.klass, node.name if not self.local else self.klass
        self.local.append({p.name for p in getattr(node, "type_params", ())})
        self._all(node.body)
        self.local.pop()
        self.klass = outer
        self._bind(node.name, "class", node)

    def _free(self, node: ast.AST) -> list[Use]:
        # A class body's names are not seen from its methods; a comprehension's are.
        frames = set().union(*self.local) if self.local and self.klass is None else set()
        return [use for use in _free_names(node) if use.name not in frames]


def _arguments(args: ast.arguments) -> list[ast.arg]:
    more = [a for a in (args.vararg, args.kwarg) if a is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *more]


def _catches_names(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    names = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)}
    return bool(names & {"NameError", "Exception", "BaseException"})


def _declared_global(function: ast.AST) -> set[str]:
    return {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}


def _own(function: ast.AST) -> Iterable[ast.AST]:
    """Give the nodes of a function's own scope; nested functions and classes themselves, not what is in them."""
    todo = [*ast.iter_child_nodes(function)]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS)):
            todo.extend(ast.iter_child_nodes(node))
        elif isinstance(node, _COMPREHENSIONS):
            todo.extend(n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))


def _bound(scope: ast.AST) -> set[str]:
    """Return the names that are a function's own."""
    found = {a.arg for a in _arguments(scope.args)} if isinstance(scope, _FUNCTIONS) else set()
    found |= {p.name for p in getattr(scope, "type_params", ())}
    for node in _own(scope):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
            case _:
                pass
    return found - {n for node in _own(scope) if isinstance(node, ast.Global) for n in node.names}


def _free_names(function: ast.AST) -> list[Use]:
    """Return the outer names a function's body reads, also in what is nested in it."""
    found: list[Use] = []
    body = [function.body] if isinstance(function, ast.Lambda) else function.body  # type: ignore[attr-defined]
    _collect(body, [_bound(function)], 0, found)
    return found


def _collect(nodes: Iterable[ast.AST], frames: list[set[str]], guards: int, found: list[Use]) -> None:
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                if not any(name in frame for frame in frames):
                    found.append(Use(name, node, guards > 0, called=False))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                outer = [
                    *node.args.defaults,
                    *(d for d in node.args.kw_defaults if d),
                    *getattr(node, "decorator_list", ()),
                ]
                _collect(outer, frames, guards, found)
                inner = [node.body] if isinstance(node, ast.Lambda) else node.body
                _collect(inner, [*frames, _bound(node)], guards, found)
            case ast.ClassDef():
                _collect([*node.bases, *node.keywords, *node.decorator_list], frames, guards, found)
                _collect(node.body, [*frames, _bound(node)], guards, found)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                targets = {
                    n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)
                }
                _collect(ast.iter_child_nodes(node), [*frames, targets], guards, found)
            case ast.Try():
                catches = any(_catches_names(h.type) for h in node.handlers)
                _collect(node.body, frames, guards + catches, found)
                _collect([*node.handlers, *node.orelse, *node.finalbody], frames, guards, found)
            case ast.AnnAssign():  # a local's annotation is never evaluated
                _collect([n for n in (node.value, node.target) if n is not None], frames, guards, found)
            case _:
                _collect(ast.iter_child_nodes(node), frames, guards, found)
