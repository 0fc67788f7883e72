"""AIOS20x: is every module there: beside the notebook, or installed and asked for by the project."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import sys
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import hint
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.names import names_of
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code
from aios_workbench.promote.modules import local_modules

MISSING = Rule(
    "AIOS201",
    "missing-module",
    "error",
    "A module is imported that is neither beside the notebook nor installed.",
    "The job fails with an ImportError.",
)
UNDECLARED = Rule("AIOS202", "undeclared-package", "warning", "A package is used that the project does not ask for.",
                  "It is here by accident; the next environment is made without it.")  # fmt: skip
OUTSIDE = Rule("AIOS214", "module-outside", "warning", "A module comes from outside of the notebook's folder.",
               "It is not bundled: the job runs with whatever lies there on that day, or not at all.")  # fmt: skip
RULES = (MISSING, UNDECLARED, OUTSIDE)

#: come with every kernel, or with us
_GIVEN = frozenset(("IPython", "ipykernel", "aios_workbench", "pkg_resources", "setuptools", "pip"))
#: the usual packages that are not called as what they bring; others are looked up in what is installed, which is slow
_PACKAGE_OF = {
    "sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml", "cv2": "opencv-python", "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil", "faiss": "faiss-cpu", "dotenv": "python-dotenv", "skimage": "scikit-image",
}  # fmt: skip
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_LEVELS = 4


@dataclass(frozen=True)
class _Import:
    code: Code
    node: ast.stmt
    module: str
    name: str | None
    soft: bool


def find(ctx: Context) -> Iterator[Finding]:
    """Yield modules that are not there, or that nobody asked for."""
    declared = declared_packages(ctx.folder)
    outside, unknown = _added_folders(ctx)
    told: set[str] = set()
    for found in _imports(ctx):
        root = found.module.partition(".")[0]
        key = f"{found.module}:{found.name}"
        if root in sys.stdlib_module_names or key in told:
            continue
        told.add(key)
        if root in _GIVEN:
            continue
        if is_local(ctx.folder, root):
            yield from _local(ctx, found)
        elif any(is_local(folder, root) for folder in outside):
            yield OUTSIDE.at(
                found.code,
                found.node,
                f"module {found.module!r} lies outside of the notebook's folder, and is not bundled",
                "move it beside the notebook, or make it a package that is installed",
                variable=found.module,
            )
        elif not installed(root):
            yield _missing(ctx, found, root, soft=unknown)
        elif declared is not None and root not in told and not _is_declared(root, declared):
            told.add(root)
            yield UNDECLARED.at(
                found.code,
                found.node,
                f"package {_distribution(root)!r} is installed, but the project does not ask for it",
                "add it to the project's requirements",
                variable=root,
            )
    yield from _of_modules(ctx)


def _imports(ctx: Context) -> Iterator[_Import]:
    for code in ctx.codes:
        for node in code.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield _Import(code, node, alias.name, None, code.guarded(node))
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    yield _Import(code, node, node.module, alias.name, code.guarded(node))
            elif isinstance(node, ast.ImportFrom) and node.level:
                for alias in node.names:
                    yield _Import(
                        code, node, "." * node.level + (node.module or ""), alias.name, code.guarded(node)
                    )


def _missing(ctx: Context, found: _Import, root: str, *, soft: bool = False) -> Finding:
    if found.module.startswith("."):
        return MISSING.at(
            found.code, found.node, f"`from {found.module} import …` is relative, and a notebook is in no package",
            f"write `from {found.module.lstrip('.') or 'the_module'} import …`", variable=found.module,
        )  # fmt: skip
    beside = [p.stem for p in ctx.folder.glob("*.py")]
    return MISSING.at(
        found.code, found.node,
        f"module {found.module!r} is neither beside the notebook nor installed{hint(root, beside)}".rstrip("?"),
        "put it beside the notebook, or install it and add it to the project's requirements", variable=found.module,
        severity="warning" if found.soft or soft else None,
    )  # fmt: skip


def _local(ctx: Context, found: _Import) -> Iterator[Finding]:
    """Look whether what is asked of a module beside the notebook is in it."""
    names = names_in_module(ctx.folder, found.module)
    if names is None:
        if (
            module_file(ctx.folder, found.module) is None
            and not _folder_of(ctx.folder, found.module).is_dir()
        ):
            yield _missing(ctx, found, found.module)
        return
    if found.name and found.name != "*" and found.name not in names | {"__version__", "__all__", "__doc__"} and (
        module_file(ctx.folder, f"{found.module}.{found.name}") is None
        and not (_folder_of(ctx.folder, found.module) / found.name).is_dir()
    ):  # fmt: skip
        file = module_file(ctx.folder, found.module)
        where = file.relative_to(ctx.folder).as_posix() if file else found.module
        yield MISSING.at(
            found.code, found.node, f"{where} defines no {found.name!r}{hint(found.name, names)}".rstrip("?"),
            "correct the import, or add it to the module", variable=found.name,
            severity="warning" if found.soft else None,
        )  # fmt: skip


def _of_modules(ctx: Context) -> Iterator[Finding]:
    """What the modules beside the notebook import in turn."""
    told: set[str] = set()
    for name, path in sorted(bundled_modules(ctx).items()):
        if path.suffix != ".py":
            continue
        tree = _parsed(path)
        for node in tree.body if tree is not None else ():
            roots = [a.name.partition(".")[0] for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                roots = [node.module.partition(".")[0]]
            for root in roots:
                if (
                    root in sys.stdlib_module_names
                    or root in told
                    or is_local(ctx.folder, root)
                    or installed(root)
                ):
                    continue
                told.add(root)
                yield MISSING.at(
                    None,
                    None,
                    f"{name}, line {node.lineno}, imports {root!r}, which is neither beside the notebook nor "
                    "installed",
                    "put it beside the notebook, or install it",
                    variable=root,
                )


def bundled_modules(ctx: Context) -> dict[str, Path]:
    """Return the files beside the notebook that it imports, through one another; what a bundle takes."""
    return local_modules(ctx.folder, [code.tree for code in ctx.codes], exclude=ctx.path)


# ---------------------------------------------------------------- where modules are


def is_local(folder: Path, root: str) -> bool:
    """Tell whether a module or package of that name is in a folder."""
    if not root.isidentifier():
        return False
    return (folder / f"{root}.py").is_file() or (
        (folder / root).is_dir()
        and ((folder / root / "__init__.py").is_file() or any((folder / root).glob("*.py")))
    )


def module_file(folder: Path, module: str) -> Path | None:
    """Return the file of a dotted module below a folder."""
    parts = module.split(".")
    if not all(p.isidentifier() for p in parts):
        return None
    for path in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
        if path.is_file():
            return path
    return None


def _folder_of(folder: Path, module: str) -> Path:
    return folder.joinpath(*module.split("."))


@functools.lru_cache(maxsize=512)
def _installed(root: str, path: tuple[str, ...]) -> bool:
    del path  # only there so that a changed sys.path asks again
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError, AttributeError):
        return root in sys.modules


def installed(root: str) -> bool:
    """Tell whether a top-level module can be imported here; nothing is imported."""
    return root in sys.builtin_module_names or (root.isidentifier() and _installed(root, tuple(sys.path)))


def names_in_module(folder: Path, module: str) -> set[str] | None:
    """Return the names a module beside the notebook defines; None when it is elsewhere or they cannot be read."""
    path = module_file(folder, module)
    tree = _parsed(path) if path is not None else None
    if tree is None:
        return None
    if any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body):
        return None
    binds = names_of(tree).binds
    return None if any(b.kind == "star" for b in binds) else {b.name for b in binds}


def _parsed(path: Path) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _added_folders(ctx: Context) -> tuple[list[Path], bool]:
    """Return the folders a notebook adds to sys.path, and whether there are others whose place only a run knows."""
    found, unknown = [], False
    for code in ctx.codes:
        for call in code.calls:
            if (
                ctx.called(call)
                in ("sys.path.append", "sys.path.insert", "sys.path.extend", "site.addsitedir")
                and call.args
            ):
                text = ctx.literal(call.args[-1])
                if isinstance(text, str):
                    found.append((ctx.folder / text).resolve())
                else:
                    unknown = True
    return found + [ctx.folder.parent] * unknown, unknown


# ---------------------------------------------------------------- what the project asks for


def declared_packages(folder: Path) -> set[str] | None:
    """Return the packages the nearest project asks for, with normal names; None where it asks for nothing in files.

    Read are pyproject.toml (PEP 621, dependency groups, Poetry), requirements*.txt and environment.yml.
    """
    for place in [folder, *folder.parents][:_LEVELS]:
        names: set[str] = set()
        files = [
            p
            for p in (
                place / "pyproject.toml",
                *place.glob("requirements*.txt"),
                *place.glob("environment.y*ml"),
            )
            if p.is_file()
        ]
        for path in files:
            names |= _read_declared(path)
        if names:
            return names
        if (place / ".git").exists():
            break
    return None


def _read_declared(path: Path) -> set[str]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return _of_pyproject(tomllib.loads(text))
        lines = text.splitlines()
    except (OSError, ValueError):
        return set()
    if path.suffix in (".yml", ".yaml"):
        lines = [line.strip().removeprefix("- ") for line in lines if line.strip().startswith("- ")]
    return {
        _normal(m[1])
        for line in lines
        if not line.lstrip().startswith(("#", "-")) and (m := _NAME.match(line))
    }


def _of_pyproject(data: dict[str, Any]) -> set[str]:
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    lists = [
        project.get("dependencies", []),
        *project.get("optional-dependencies", {}).values(),
        *data.get("dependency-groups", {}).values(),
    ]
    texts = [t for each in lists for t in each if isinstance(t, str)]
    texts += [
        *poetry.get("dependencies", {}),
        *(n for g in poetry.get("group", {}).values() for n in g.get("dependencies", {})),
    ]
    own = [project["name"]] if "name" in project else []
    return {_normal(m[1]) for t in [*texts, *own] if (m := _NAME.match(t))}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.lru_cache(maxsize=512)
def _distribution(root: str) -> str:
    """Return the package that brought an installed module, by the lists of files beside it."""
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError, AttributeError):
        return root
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    if spec is not None and spec.origin not in (None, "built-in", "frozen"):
        places.insert(0, str(spec.origin))
    for place in places:
        path = Path(place)
        site = path.parent.parent if path.name.startswith("__init__.") else path.parent
        # `importlib.metadata.packages_distributions` reads everything about everything, and takes a second.
        for record in site.glob("*.dist-info/RECORD"):
            text = record.read_bytes()
            if any(
                text.startswith(w) or b"\n" + w in text for w in (f"{root}/".encode(), f"{root}.".encode())
            ):
                return _normal(record.parent.name.removesuffix(".dist-info").rpartition("-")[0])
    return root


def _is_declared(root: str, declared: set[str]) -> bool:
    if {_normal(root), _PACKAGE_OF.get(root)} & declared:
        return True
    return _normal(_distribution(root)) in declared
