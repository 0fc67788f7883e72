"""The modules beside a notebook that its code imports: the one place that knows; the check and the bundle ask it."""

from __future__ import annotations

import ast
import functools
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

from aios_workbench.promote.digests import Look, is_settled, look
from aios_workbench.promote.notebooks import imported_modules

#: Names a bundle gives to files of its own: no module is taken under one of them.
RESERVED = frozenset(
    ("notebook.ipynb", "job.yaml", "manifest.json", "data.json", "provenance.json", "requirements.lock",
     "environment.json", "sbom.json", "workflow.json")
)  # fmt: skip


def local_modules(folder: Path, trees: Iterable[ast.AST], exclude: Path | None = None) -> dict[str, Path]:
    """Return the files beside a notebook that its code imports, directly or through one another.

    A package is taken whole, its data files too; a folder without `__init__.py` only as far as it is imported.

    Parameters
    ----------
    exclude : Path, optional
        A file never taken: the notebook itself.

    Returns
    -------
    dict
        File by POSIX path relative to `folder`.

    Examples
    --------
    >>> _ = Path("helpers.py").write_text("import json"), Path("unused.py").write_text("")
    >>> list(local_modules(Path(), [ast.parse("import helpers, json")]))
    ['helpers.py']
    """
    found: dict[str, Path] = {}
    todo = {name for tree in trees for name in imported_modules(tree)}
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        root = name.partition(".")[0]
        # A file called `random.py` never wins over the library's in a notebook; in a bundle it would.
        if name in seen or root == "aios_workbench" or root in sys.stdlib_module_names:
            continue
        seen.add(name)
        for path in _files_of(folder, name):
            key = path.relative_to(folder).as_posix()
            if key in found or path == exclude or key in RESERVED:
                continue
            found[key] = path
            if path.suffix == ".py":
                package = path.parent.relative_to(folder).as_posix().replace("/", ".").strip(".")
                todo |= _imports_of(path, package)
    return found


def _files_of(folder: Path, name: str) -> list[Path]:
    parts = name.split(".")
    package = folder / parts[0]
    if (package / "__init__.py").is_file():
        return [p for p in sorted(package.rglob("*")) if p.is_file() and _wanted(p.relative_to(folder))]
    files = [folder.joinpath(*parts[:-1], parts[-1] + ".py"), folder.joinpath(*parts, "__init__.py")]
    return [path for path in files if path.is_file()]


def _wanted(path: Path) -> bool:
    return not any(p.startswith(".") or p == "__pycache__" for p in path.parts) and path.suffix not in (
        ".pyc",
        ".pyo",
    )


def _imports_of(path: Path, package: str) -> set[str]:
    try:
        seen = look(path)
        settled = is_settled(seen)
    except OSError:
        return set()
    return set(_read(path, seen, package) if settled else _read.__wrapped__(path, seen, package))


@functools.lru_cache(maxsize=4096)
def _read(path: Path, seen: Look, package: str) -> frozenset[str]:
    del seen  # a file that was written since is read again
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return frozenset(imported_modules(ast.parse(path.read_bytes()), package))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return frozenset()  # the run will say so, in its own words, if the module is used at all
