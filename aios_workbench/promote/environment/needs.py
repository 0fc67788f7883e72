"""Which modules a notebook and the modules beside it import, and what they use without importing it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

#: Methods of data frames that bring in a library nobody imports: the first that is installed is taken.
_ENGINES: dict[str, tuple[str, ...]] = {
    "read_parquet": ("pyarrow", "fastparquet"), "to_parquet": ("pyarrow", "fastparquet"), "read_feather": ("pyarrow",),
    "to_feather": ("pyarrow",), "read_orc": ("pyarrow",), "read_excel": ("openpyxl", "python-calamine", "xlrd"),
    "to_excel": ("openpyxl", "xlsxwriter"), "to_markdown": ("tabulate",), "read_html": ("lxml", "html5lib"),
    "read_xml": ("lxml",), "to_xml": ("lxml",), "read_hdf": ("tables",), "to_hdf": ("tables",), "to_latex": ("jinja2",),
    "read_sql": ("sqlalchemy",), "read_sql_query": ("sqlalchemy",), "read_sql_table": ("sqlalchemy",),
    "to_sql": ("sqlalchemy",), "plot": ("matplotlib",), "hist": ("matplotlib",), "boxplot": ("matplotlib",),
    "style": ("jinja2",),
}  # fmt: skip
_FAILURES = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


@dataclass
class Needs:
    """What a notebook asks its environment for.

    Attributes
    ----------
    modules : dict of str to bool
        Dotted module -> whether it goes on without (``except ImportError``, ``if TYPE_CHECKING``).
    engines : list of tuple of str
        Distributions, one of which a call needs.
    """

    modules: dict[str, bool] = field(default_factory=dict)
    engines: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, module: str, *, soft: bool) -> None:
        """Note a module; one that is needed anywhere is needed."""
        if module and module.partition(".")[0] not in sys.stdlib_module_names:
            self.modules[module] = soft and self.modules.get(module, True)


def needs_of(trees: Iterable[ast.AST], local: frozenset[str] = frozenset()) -> Needs:
    r"""Return what pieces of code need.

    Parameters
    ----------
    local : frozenset of str
        Top-level modules that lie beside the notebook: they are bundled, not installed.

    Examples
    --------
    >>> import ast
    >>> code = ast.parse("import os, numpy.linalg\ntry:\n    import cupy\nexcept ImportError:\n    pass")
    >>> needs_of([code]).modules
    {'numpy.linalg': False, 'cupy': True}
    """
    needs = Needs()
    for tree in trees:
        for module, soft in _imports(tree, soft=False):
            if module.partition(".")[0] not in local:
                needs.add(module, soft=soft)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (engine := _ENGINES.get(node.attr)):
                needs.engines.append(engine)
    needs.engines = list(dict.fromkeys(needs.engines))
    return needs


def _imports(node: ast.AST, *, soft: bool) -> Iterator[tuple[str, bool]]:
    match node:
        case ast.Import(names=names):
            yield from ((alias.name, soft) for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module, soft
        case ast.Call(func=function, args=[*args]) if args:
            yield from ((m, soft) for m in _called(function, args))
    for name, value in ast.iter_fields(node):
        inner = soft or _is_soft(node, name)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _imports(child, soft=inner)


def _is_soft(node: ast.AST, part: str) -> bool:
    if isinstance(node, ast.Try) and part == "body":
        return any(_catches(handler.type) for handler in node.handlers)
    return isinstance(node, ast.If) and part == "body" and "TYPE_CHECKING" in ast.unparse(node.test)


def _catches(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(n is None or (isinstance(n, ast.Name) and n.id in _FAILURES) for n in names)


def _called(function: ast.expr, args: list[ast.expr]) -> Iterator[str]:
    """Yield what `import_module("x")`, `__import__("x")`, `%load_ext x` and `%matplotlib` bring in."""
    words = [a.value for a in args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in ("import_module", "__import__") and words and not words[0].startswith("."):
        yield words[0]
    elif name == "run_line_magic" and words[:1] == ["load_ext"] and len(words) > 1:
        yield words[1].strip()
    elif name == "run_line_magic" and words[:1] == ["matplotlib"]:
        yield from ("matplotlib", "matplotlib_inline")
