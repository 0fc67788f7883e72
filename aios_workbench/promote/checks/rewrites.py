"""AIOS10x: names that mean two things, objects another cell made, and code that nothing needs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from aios_workbench.promote.checks.context import Context, is_true, keyword
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.names import Bind
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code
from aios_workbench.promote.notebooks import PARAMETERS_TAG

OVERWRITTEN = Rule("AIOS105", "overwritten-name", "warning", "A module, function or builtin is overwritten by a value.",
                   "Cells above, run again, use the new meaning; the order of runs decides.")  # fmt: skip
MUTATED = Rule(
    "AIOS106",
    "changed-in-place",
    "note",
    "A cell changes an object that another cell made.",
    "Run twice, the cell does it twice: outputs depend on how often it ran. A warning where it does.",
)
DEAD = Rule("AIOS107", "dead-cell", "note", "Nothing needs what the cell makes, or it can never run.",
            "It costs time in every run, and readers' attention.")  # fmt: skip
UNUSED_NAME = Rule("AIOS111", "unused-name", "note", "A name is defined and never used.",
                   "A leftover, or a misspelt name somewhere else.", fixable=True)  # fmt: skip
REASSIGNED = Rule("AIOS112", "built-on-itself", "note", "A cell gives a name a new value made from its old one.",
                  "Run twice, the cell does it twice.")  # fmt: skip
RULES = (OVERWRITTEN, MUTATED, DEAD, UNUSED_NAME, REASSIGNED)

_ADDERS = frozenset(("append", "extend", "insert", "pop", "remove", "popleft", "appendleft"))
_LIST_WORDS = frozenset(f".{name}()" for name in _ADDERS)
_INPLACE = frozenset(
    (
        "drop",
        "dropna",
        "fillna",
        "rename",
        "reset_index",
        "set_index",
        "sort_values",
        "sort_index",
        "replace",
        "drop_duplicates",
        "query",
        "eval",
        "clip",
        "mask",
        "where",
        "ffill",
        "bfill",
    )
)
_BUILTINS = frozenset(n for n in dir(builtins) if n.islower() and not n.startswith("_")) - {
    "copyright",
    "credits",
    "license",
}
#: calls that give a value and do nothing else, so that a value nobody uses is a leftover
_PURE = frozenset((
    "copy", "read_csv", "read_parquet", "read_json", "DataFrame", "Series", "head", "tail", "dropna", "fillna", "merge",
    "groupby", "sum", "mean", "median", "sort_values", "reset_index", "astype", "list", "dict", "set", "len", "sorted",
    "range", "zip", "array", "zeros", "ones", "arange", "linspace", "join", "split", "Path", "int", "float", "str",
))  # fmt: skip


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what depends on how often and in which order cells ran, and what nothing needs."""
    yield from _overwritten(ctx)
    for i, code in enumerate(ctx.codes):
        yield from _mutations(ctx, i, code)
    yield from _Unused(ctx).findings()


def _overwritten(ctx: Context) -> Iterator[Finding]:
    for name, binds in ctx.binds.items():
        values = [(i, b) for i, b in binds if b.kind in ("assign", "loop", "with") and _own_line(b)]
        things = [(i, b) for i, b in binds if b.kind in ("import", "function", "class")]
        if not values:
            continue
        i, bind = values[0]
        kind = things[0][1].kind if things else None
        if things and things[0][0] <= i and (kind == "import" or not _rebinds_function(ctx, bind, name)):
            code = ctx.codes[things[0][0]]
            yield OVERWRITTEN.at(
                ctx.codes[i],
                bind.node,
                f"{name!r} is the {_WORD[things[0][1].kind]} of cell {code.number}, and gets another "
                "value here",
                "use another name",
                variable=name,
            )
        elif name in _BUILTINS and bind.kind == "assign":
            yield OVERWRITTEN.at(
                ctx.codes[i], bind.node, f"{name!r} is Python's own, and gets another value here", "use another name",
                variable=name,
            )  # fmt: skip


_WORD = {"import": "import", "function": "function", "class": "class"}


def _own_line(bind: Bind) -> bool:
    return bind.sure or bind.kind == "loop"


def _rebinds_function(ctx: Context, bind: Bind, name: str) -> bool:
    """`f = wrap(f)` and `model = aios.publish(model)` say what they do."""
    value = ctx.values.get(bind.node)
    return value is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))


# ---------------------------------------------------------------- in place


def _mutations(ctx: Context, i: int, code: Code) -> Iterator[Finding]:
    own = {b.name for b in ctx.names[i].binds if b.sure and b.kind != "augment"}
    made = ctx.first
    told: set[str] = set()
    for node in sorted(code.nodes, key=lambda n: getattr(n, "lineno", 0)):
        name, twice, how = _changed(node)
        if name is None or name in told or name in ctx.aliases or code.deferred(node):
            continue
        if how == "itself":
            if made.get(name, i) < i and not _used_before(ctx, i, name):
                told.add(name)
                yield REASSIGNED.at(
                    code,
                    node,
                    f"{name!r} of cell {ctx.codes[made[name]].number} gets a new value made from the old one",
                    "give the result a name of its own",
                    variable=name,
                )
        elif name not in own and made.get(name, i) < i and (how not in _LIST_WORDS or _is_list(ctx, name)):
            told.add(name)
            yield MUTATED.at(
                code, node, f"{name!r} of cell {ctx.codes[made[name]].number} is changed in place ({how})",
                "make a copy under another name, or do it in the cell that makes it", variable=name,
                severity="warning" if twice else None,
            )  # fmt: skip


def _is_list(ctx: Context, name: str) -> bool:
    """Tell whether a name is made a list: others have an .append() that means something else."""
    values = [ctx.values.get(bind.node) for _, bind in ctx.binds.get(name, [])]
    return any(
        isinstance(v, (ast.List, ast.ListComp, ast.Set, ast.SetComp))
        or (isinstance(v, ast.Call) and ctx.called(v) in ("list", "set", "collections.deque"))
        for v in values
    )


def _used_before(ctx: Context, i: int, name: str) -> bool:
    """Tell whether the cell first gives the name a fresh value: then it can be run again."""
    for event in ctx.names[i].events:
        if event.name == name:
            return isinstance(event, Bind)
    return False


def _changed(node: ast.AST) -> tuple[str | None, bool, str]:
    """Return the name a node changes in place, whether twice is other than once, and how."""
    match node:
        case ast.AugAssign(target=ast.Name(id=name)):
            return name, True, "itself"
        case ast.AugAssign(target=ast.Subscript() | ast.Attribute() as target):
            return _root(target), True, "augmented assignment"
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _has(value, name):
            return name, True, "itself"
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute() as target], value=value):
            twice = any(ast.dump(n) == ast.dump(_load(target)) for n in ast.walk(value))
            return _root(target), twice, "assignment to a part of it"
        case ast.Delete(targets=[ast.Subscript() as target, *_]):
            return _root(target), True, "deletion of a part of it"
        case ast.Call(func=ast.Attribute(value=of, attr=attr)) if attr in _INPLACE and is_true(
            keyword(node, "inplace")
        ):
            return (
                _root(of),
                attr not in ("fillna", "sort_values", "sort_index", "dropna", "drop_duplicates"),
                f".{attr}(inplace=True)",
            )
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _ADDERS:
            return name, True, f".{attr}()"
        case _:
            return None, False, ""


def _load(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _has(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


# ---------------------------------------------------------------- unused


class _Unused:
    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.used: set[str] = {w for code in ctx.codes for w in code.words}
        for names in ctx.names:
            self.used |= {u.name for u in names.uses} | {u.name for u in names.later}
        for code in ctx.codes:
            self.used |= {
                n.value
                for n in code.nodes
                if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value.isidentifier()
            }

    def findings(self) -> Iterator[Finding]:
        for code in self.ctx.codes:
            if PARAMETERS_TAG in code.tags or not code.tree.body:
                continue
            dead = [s for s in code.tree.body if self._is_never(s)]
            unused = [(s, self._unused(s)) for s in code.tree.body]
            if len(dead) == len(code.tree.body):
                yield DEAD.at(
                    code, dead[0], "the cell can never run: its condition is constant", "remove the cell"
                )
            elif all(names for _, names in unused) and not all(_is_import(s) for s, _ in unused):
                names = [n for _, some in unused for n in some]
                yield DEAD.at(
                    code,
                    code.tree.body[0],
                    f"nothing uses what the cell makes ({', '.join(names[:4])})",
                    "remove the cell",
                    variable=names[0],
                )
            else:
                for statement, some in unused:
                    for name in some:
                        yield self._one(code, statement, name)

    def _one(self, code: Code, statement: ast.stmt, name: str) -> Finding:
        quick = None
        if (
            isinstance(statement, (ast.Import, ast.ImportFrom))
            and len(statement.names) == 1
            and _alone(code, statement)
        ):
            quick = code.drop_lines(
                f"remove the import of {name}", statement.lineno, statement.end_lineno or statement.lineno
            )
        return UNUSED_NAME.at(
            code,
            statement,
            f"{name!r} is never used",
            "remove it, or use it where it was meant",
            variable=name,
            quick=quick,
        )

    def _is_never(self, statement: ast.stmt) -> bool:
        return (
            isinstance(statement, ast.If)
            and not statement.orelse
            and isinstance(statement.test, ast.Constant)
            and not statement.test.value
        )

    def _unused(self, statement: ast.stmt) -> list[str]:
        """Return the names of a statement that nothing uses, where it does nothing but define them."""
        names: list[str] = []
        match statement:
            case ast.Import() | ast.ImportFrom():
                if getattr(statement, "module", "") == "__future__" or any(
                    a.name == "*" for a in statement.names
                ):
                    return []
                names = [
                    a.asname or a.name.partition(".")[0]
                    for a in statement.names
                    if "." not in a.name or a.asname
                ]
                return [n for n in names if self._is_unused(n)]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names = [] if statement.decorator_list else [statement.name]
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _pure(value):
                names = [name]
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None and _pure(value):
                names = [name]
            case _:
                pass
        return [n for n in names if self._is_unused(n)]

    def _is_unused(self, name: str) -> bool:
        return name not in self.used and not name.startswith("_")


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _alone(code: Code, statement: ast.stmt) -> bool:
    """Tell whether a statement has its lines to itself, and is not all there is."""
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    others = [s for s in code.tree.body if s is not statement]
    return (
        bool(others)
        and not code.cell.moved
        and all(s.lineno > last or (s.end_lineno or s.lineno) < first for s in others)
    )


def _pure(value: ast.expr) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in _PURE:
                return False
        elif isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
    return True
