"""A promoted notebook, frozen: the notebook without outputs, the local modules it imports, its `job.yaml`.

`manifest.json` names each file's SHA-256; the bundle's own hash is that of the list. A run refuses a bundle
that no longer matches.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote.notebooks import code_cells, imported_modules, read_notebook
from aios_workbench.promote.spec import JobSpec

NOTEBOOK = "notebook.ipynb"
JOB = "job.yaml"
MANIFEST = "manifest.json"
_LIMIT = 50 * 2**20
_RESERVED = frozenset((NOTEBOOK, JOB, MANIFEST))


@dataclass(frozen=True)
class Bundle:
    """What a promotion freezes, before it is written.

    Attributes
    ----------
    files : mapping of str to bytes
        Content by POSIX path inside the bundle.
    """

    files: Mapping[str, bytes]

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, by path, sorted."""
        return {name: hashlib.sha256(self.files[name]).hexdigest() for name in sorted(self.files)}

    @property
    def hash(self) -> str:
        """The bundle's name: equal bundles, equal hash."""
        return bundle_hash(self.hashes)

    def write(self, folder: Path, **facts: Any) -> None:
        """Write the files and the manifest into a new folder.

        Parameters
        ----------
        facts
            Recorded in the manifest, but not part of the hash: who, when, from where.
        """
        folder.mkdir(parents=True, mode=0o700)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)
            path.chmod(0o400)  # an editor asks before it changes what is in production
        manifest = {
            "bundle_hash": self.hash, **facts, "created_at": time.time(),
            "files": {n: {"sha256": h, "bytes": len(self.files[n])} for n, h in self.hashes.items()},
        }  # fmt: skip
        (folder / MANIFEST).write_text(
            json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def bundle_hash(hashes: Mapping[str, str]) -> str:
    """Return the hash of a list of files and their hashes."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def make_bundle(notebook: Path, spec: JobSpec) -> Bundle:
    """Gather what a promoted notebook needs, from the notebook and the modules beside it.

    Raises
    ------
    JobError
        When a file cannot be read or the modules are larger than 50 MB.
    """
    import nbformat

    book = read_notebook(notebook)
    trees = [cell.tree for cell in code_cells(book) if cell.tree is not None]
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    book.metadata.pop("widgets", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cells without ids get theirs here
        text = nbformat.writes(book, version=4)  # type: ignore[no-untyped-call]
    modules = local_modules(notebook.parent, trees, exclude=notebook)
    files = {NOTEBOOK: text.encode(), JOB: spec.to_yaml().encode()}
    try:
        files.update((name, path.read_bytes()) for name, path in modules.items())
    except OSError as e:
        raise JobError(f"a module of {notebook.name} cannot be read: {e}") from e
    if (size := sum(map(len, files.values()))) > _LIMIT:
        largest = max(files, key=lambda name: len(files[name]))
        raise JobError(
            f"the modules of {notebook.name} are {size / 2**20:.0f} MB (largest: {largest}); at most 50 MB are "
            "copied into a bundle: keep data outside of packages and pass its path as a parameter"
        )
    return Bundle(files)


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
            if key in found or path == exclude or key in _RESERVED:
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return imported_modules(ast.parse(path.read_bytes()), package)
    except (SyntaxError, ValueError):
        return set()  # the run will say so, in its own words, if the module is used at all


def verify(folder: Path, expected: str | None = None) -> None:
    """Check that a bundle is exactly what was promoted.

    Parameters
    ----------
    expected : str, optional
        The bundle hash the catalog holds.

    Raises
    ------
    JobError
        Naming the files that were changed, added or removed.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        hashes = {name: str(entry["sha256"]) for name, entry in listed.items()}
    except FileNotFoundError:
        raise JobError(f"the bundle {folder} is gone; promote the notebook again") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise JobError(f"the manifest in {folder} cannot be read ({e}); promote the notebook again") from None
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts  # kernels leave it behind
    }
    there.pop(MANIFEST, None)
    problems = [f"{name} is missing" for name in sorted(hashes.keys() - there.keys())]
    problems += [f"{name} was added" for name in sorted(there.keys() - hashes.keys())]
    problems += [
        f"{name} was changed"
        for name in sorted(hashes.keys() & there.keys())
        if hashlib.sha256(there[name].read_bytes()).hexdigest() != hashes[name]
    ]
    if not problems and expected is not None and bundle_hash(hashes) != expected:
        problems = [f"{MANIFEST} was changed"]
    if problems:
        shown = ", ".join(problems[:5]) + (f" and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise JobError(f"the bundle {folder} is not what was promoted: {shown}. Promote the notebook again")


def discard(folder: Path) -> None:
    """Remove a bundle or run folder, whatever is left of it."""
    shutil.rmtree(folder, ignore_errors=True)
